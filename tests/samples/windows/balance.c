// SPDX-License-Identifier: GPL-2.0-only
/*
 * Balance: every path out of a window closes it exactly once, none closes what
 * failed to open, the test of the begin is neither inverted nor ignored, no
 * window stands in a window, and no accessor that closes it.
 */
struct seat {
	u32 row;
	u32 number;
	u32 taken;
};

struct train {
	struct mutex lock;
	unsigned int count;
	int late;
	u32 row[8];
	struct seat seats[8];
};

int train_check(const struct train *train);

/* A return between begin and end. */
static int seat_put_returns(const struct train *train, struct seat __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(train->seats[0].row, &to->row, fault);
	if (train->late)
		return -EAGAIN;		/* FINDS: leaves-open */
	unsafe_put_user(train->seats[0].number, &to->number, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_put(const struct train *train, struct seat __user *to)
{
	int err = -EAGAIN;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(train->seats[0].row, &to->row, fault);
	if (train->late)
		goto end;
	unsafe_put_user(train->seats[0].number, &to->number, fault);
	err = 0;
end:
	user_write_access_end();
	return err;
fault:
	err = -EFAULT;
	goto end;
}

/* A goto that jumps over the end: then the window is still open where the lock is given back. */
static int seat_take_jumps(struct train *train, struct seat __user *to, u32 number)
{
	int err = 0;

	mutex_lock(&train->lock);
	if (!user_write_access_begin(to, sizeof(*to))) {
		err = -EFAULT;
		goto unlock;
	}
	if (train->seats[0].taken) {
		err = -EAGAIN;
		goto unlock;		/* FINDS: leaves-open */
	}
	unsafe_put_user(number, &to->number, fault);
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
unlock:
	mutex_unlock(&train->lock);	/* FINDS: call-inside */
	return err;
fault:
	user_write_access_end();
	mutex_unlock(&train->lock);
	return -EFAULT;
}

static int seat_take(struct train *train, struct seat __user *to, u32 number)
{
	int err = 0;

	mutex_lock(&train->lock);
	if (!user_write_access_begin(to, sizeof(*to))) {
		err = -EFAULT;
		goto unlock;
	}
	if (train->seats[0].taken) {
		err = -EAGAIN;
		goto end;
	}
	unsafe_put_user(number, &to->number, fault);
	unsafe_put_user(1, &to->taken, fault);
	goto end;
fault:
	err = -EFAULT;
end:
	user_write_access_end();
unlock:
	mutex_unlock(&train->lock);
	return err;
}

/* A break out of a loop with the end at its bottom. */
static int seats_put_breaks(const struct train *train, struct seat __user *to)
{
	unsigned int i;

	for (i = 0; i < train->count; i++) {
		if (!user_write_access_begin(&to[i], sizeof(to[i])))
			return -EFAULT;
		if (!train->row[i])
			break;		/* FINDS: leaves-open */
		unsafe_put_user(train->row[i], &to[i].row, fault);
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A continue that leads to the next begin. */
static int seats_put_continues(const struct train *train, struct seat __user *to)
{
	unsigned int i;

	for (i = 0; i < train->count; i++) {
		if (!user_write_access_begin(&to[i], sizeof(to[i])))
			return -EFAULT;
		if (!train->row[i])
			continue;	/* FINDS: leaves-open */
		unsafe_put_user(train->row[i], &to[i].row, fault);
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seats_put(const struct train *train, struct seat __user *to)
{
	unsigned int i;

	for (i = 0; i < train->count; i++) {
		if (!train->row[i])
			continue;
		if (!user_write_access_begin(&to[i], sizeof(to[i])))
			return -EFAULT;
		unsafe_put_user(train->row[i], &to[i].row, fault);
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* One case of a switch forgets it, another one leaves the switch: that is fine. */
static int seat_change_case(const struct train *train, struct seat __user *to, int what)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	switch (what) {
	case 0:
		unsafe_put_user(train->row[0], &to->row, fault);
		break;
	case 1:
		unsafe_put_user(0, &to->taken, fault);
		user_write_access_end();
		return 1;
	default:
		return -EINVAL;		/* FINDS: leaves-open */
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_change(const struct train *train, struct seat __user *to, int what)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	switch (what) {
	case 0:
		unsafe_put_user(train->row[0], &to->row, fault);
		break;
	case 1:
		unsafe_put_user(0, &to->taken, fault);
		user_write_access_end();
		return 1;
	default:
		user_write_access_end();
		return -EINVAL;
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A way of faults that all accesses share, without an end. */
static int seat_get_open(struct seat *seat, const struct seat __user *from)
{
	int err = -EFAULT;

	if (!user_read_access_begin(from, sizeof(*from)))
		goto out;
	unsafe_get_user(seat->row, &from->row, out);
	unsafe_get_user(seat->number, &from->number, out);
	user_read_access_end();
	err = 0;
out:
	return err;			/* FINDS: missing-end */
}

static int seat_get(struct seat *seat, const struct seat __user *from)
{
	int err = -EFAULT;

	if (!user_read_access_begin(from, sizeof(*from)))
		goto out;
	unsafe_get_user(seat->row, &from->row, end);
	unsafe_get_user(seat->number, &from->number, end);
	err = 0;
end:
	user_read_access_end();
out:
	return err;
}

/* No end anywhere. */
static void seat_clear_open(struct seat __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return;
	unsafe_put_user(0, &to->taken, fault);
fault:
	;
}					/* FINDS: missing-end */

static void seat_clear(struct seat __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return;
	unsafe_put_user(0, &to->taken, fault);
fault:
	user_write_access_end();
}

/* The good way runs into the end of the bad one. */
static int seat_swap_twice(const struct seat *seat, struct seat __user *to)
{
	int err = -EFAULT;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(seat->row, &to->row, fault);
	unsafe_put_user(seat->number, &to->number, fault);
	user_write_access_end();
	err = 0;
fault:
	user_write_access_end();	/* FINDS: end-without-begin */
	return err;
}

static int seat_swap(const struct seat *seat, struct seat __user *to)
{
	int err = -EFAULT;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(seat->row, &to->row, fault);
	unsafe_put_user(seat->number, &to->number, fault);
	err = 0;
fault:
	user_write_access_end();
	return err;
}

/* An end that nothing stands before. */
static int seat_done_shut(struct train *train, u32 __user *to)
{
	int err = put_user(train->count, to);

	user_write_access_end();	/* FINDS: end-without-begin */
	return err;
}

/* Inverted: the way of the good is taken when the range is bad. */
static int seat_mark_inverted(struct seat __user *to)
{
	if (likely(user_write_access_begin(to, sizeof(*to))))	/* FINDS: inverted-begin */
		return -EFAULT;
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* As get_user() is tested, which returns 0 when all is well. */
static int seat_mark_like_get(struct seat __user *to)
{
	int err;

	err = user_write_access_begin(to, sizeof(*to));		/* FINDS: inverted-begin */
	if (err != 0)
		return -EFAULT;
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_mark(struct seat __user *to)
{
	if (likely(user_write_access_begin(to, sizeof(*to)))) {
		unsafe_put_user(1, &to->taken, fault);
		user_write_access_end();
		return 0;
	}
	return -EFAULT;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_mark_kept(struct seat __user *to)
{
	bool open = user_write_access_begin(to, sizeof(*to));

	if (!open)
		return -EFAULT;
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_mark_zero(struct seat __user *to)
{
	if (user_write_access_begin(to, sizeof(*to)) == 0)
		return -EFAULT;
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_mark_some(struct seat __user *to)
{
	if (!to || !user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(1, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Open only where it is asked for, closed where it is open: by the same condition. */
static int seat_mark_perhaps(struct train *train, struct seat __user *to)
{
	int err = 0;

	if (to && !user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	train->late = 0;
	if (to)
		unsafe_put_user(1, &to->taken, fault);
	goto end;
fault:
	err = -EFAULT;
end:
	if (to)
		user_write_access_end();
	return err;
}

/* By another condition than that of the begin. */
static int seat_mark_unlike(struct train *train, struct seat __user *to, int late)
{
	int err = -EFAULT;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(1, &to->taken, end);
	err = 0;
end:
	if (late)
		user_write_access_end();
	return err;			/* FINDS: missing-end */
}

/* Ignored. */
static int seat_free_ignored(struct seat __user *to)
{
	user_write_access_begin(to, sizeof(*to));	/* FINDS: ignored-begin */
	unsafe_put_user(0, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_free(struct seat __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(0, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A window in a window: the inner end shuts both. */
static int seat_move_nested(struct seat __user *to, const struct seat __user *from)
{
	u32 row;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	if (!user_read_access_begin(from, sizeof(*from)))	/* FINDS: nested-window */
		goto fault;
	unsafe_get_user(row, &from->row, inner);
	user_read_access_end();
	unsafe_put_user(row, &to->row, fault);
	user_write_access_end();
	return 0;
inner:
	user_read_access_end();
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_move(struct seat __user *to, const struct seat __user *from)
{
	u32 row;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(row, &from->row, unread);
	user_read_access_end();
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(row, &to->row, unwritten);
	user_write_access_end();
	return 0;
unread:
	user_read_access_end();
	return -EFAULT;
unwritten:
	user_write_access_end();
	return -EFAULT;
}

/* An ordinary accessor opens, and when it closes, the window is closed as well. */
static int seat_pair_mixed(const struct seat *seat, struct seat __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(seat->row, &to->row, fault);
	if (put_user(seat->number, &to->number))	/* FINDS: ordinary-accessor */
		goto fault;
	unsafe_put_user(seat->taken, &to->taken, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_pair_copied(const struct seat *seat, struct seat __user *to, struct seat __user *next)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(seat->row, &to->row, fault);
	if (copy_to_user(next, seat, sizeof(*seat)))	/* FINDS: ordinary-accessor */
		goto fault;
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int seat_pair(const struct seat *seat, struct seat __user *to, struct seat __user *next)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(seat->row, &to->row, fault);
	unsafe_put_user(seat->number, &to->number, fault);
	unsafe_put_user(seat->taken, &to->taken, fault);
	user_write_access_end();
	return copy_to_user(next, seat, sizeof(*seat)) ? -EFAULT : 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
