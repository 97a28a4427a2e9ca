// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scoped windows, since 6.19, as epoll_put_uevent() has one: two loops around
 * the body, a const copy of the pointer, the label outside; return and goto
 * close the window, break and continue only leave the scope.
 */
struct ring_event {
	u32 mask;
	u64 cookie;
};

struct ring {
	unsigned int count;
	unsigned int limit;
	int stopped;
	struct ring_event events[32];
};

u64 ring_cookie(const struct ring *ring);

/* epoll_put_uevent() */
static struct ring_event __user *ring_put(u32 mask, u64 cookie, struct ring_event __user *at)
{
	scoped_user_write_access(at, fault) {
		unsafe_put_user(mask, &at->mask, fault);
		unsafe_put_user(cookie, &at->cookie, fault);
	}
	return at + 1;
fault:
	return NULL;
}

/* The loop was meant. */
static int ring_put_all_breaks(const struct ring *ring, struct ring_event __user *to)
{
	unsigned int i;

	for (i = 0; i < ring->count; i++) {
		struct ring_event __user *at = &to[i];

		scoped_user_write_access(at, fault) {
			if (!ring->events[i].mask)
				break;		/* FINDS: binds-to-scope */
			unsafe_put_user(ring->events[i].mask, &at->mask, fault);
		}
	}
	return i;
fault:
	return -EFAULT;
}

static int ring_put_all_continues(const struct ring *ring, struct ring_event __user *to)
{
	unsigned int i, put = 0;

	for (i = 0; i < ring->count; i++) {
		struct ring_event __user *at = &to[i];

		scoped_user_write_access(at, fault) {
			if (!ring->events[i].mask)
				continue;	/* FINDS: binds-to-scope */
			unsafe_put_user(ring->events[i].mask, &at->mask, fault);
		}
		put++;
	}
	return put;
fault:
	return -EFAULT;
}

static int ring_put_all(const struct ring *ring, struct ring_event __user *to)
{
	unsigned int i;

	for (i = 0; i < ring->count; i++) {
		struct ring_event __user *at = &to[i];

		if (!ring->events[i].mask)
			break;
		scoped_user_write_access(at, fault) {
			unsafe_put_user(ring->events[i].mask, &at->mask, fault);
			unsafe_put_user(ring->events[i].cookie, &at->cookie, fault);
		}
	}
	return i;
fault:
	return -EFAULT;
}

/* A loop and a switch of the body itself are left as ever. */
static int ring_put_some(const struct ring *ring, struct ring_event __user *to, int what)
{
	unsigned int i;

	scoped_user_write_access_size(to, ring->count * sizeof(*to), fault) {
		for (i = 0; i < ring->count; i++) {
			if (ring->stopped)
				break;
			if (!ring->events[i].mask)
				continue;
			unsafe_put_user(ring->events[i].mask, &to[i].mask, fault);
		}
		switch (what) {
		case 1:
			unsafe_put_user(0, &to->cookie, fault);
			break;
		default:
			break;
		}
	}
	return 0;
fault:
	return -EFAULT;
}

/* return and goto close it. */
static int ring_take(struct ring *ring, struct ring_event __user *from)
{
	int err = -EINVAL;
	u32 mask;

	scoped_user_read_access(from, fault) {
		unsafe_get_user(mask, &from->mask, fault);
		if (mask > 7)
			goto out;
		if (!mask)
			return 0;
		unsafe_get_user(ring->events[0].cookie, &from->cookie, fault);
	}
	err = 0;
out:
	return err;
fault:
	return -EFAULT;
}

/* The label stands inside: it is reached with the window open. */
static int ring_mark_inside(u32 mask, struct ring_event __user *at)
{
	int err = 0;

	scoped_user_write_access(at, refused) {
		unsafe_put_user(mask, &at->mask, fault);
		if (mask)
			return 0;
fault:						/* FINDS: label-in-scope */
		err = -EFAULT;
	}
	return err;
refused:
	return -EFAULT;
}

static int ring_mark(u32 mask, struct ring_event __user *at)
{
	scoped_user_write_access(at, fault)
		unsafe_put_user(mask, &at->mask, fault);
	return 0;
fault:
	return -EFAULT;
}

/* An end as for a begin: the scope closes again. */
static int ring_close_twice(u32 mask, struct ring_event __user *at)
{
	scoped_user_write_access(at, fault) {
		unsafe_put_user(mask, &at->mask, fault);
	}
	return 0;
fault:
	user_write_access_end();		/* FINDS: end-without-begin */
	return -EFAULT;
}

/* The mode, the pointer, a call, an accessor: as in any window. */
static int ring_swap_wrong(u32 *mask, struct ring_event __user *at)
{
	scoped_user_read_access(at, fault) {
		unsafe_get_user(*mask, &at->mask, fault);
		unsafe_put_user(0, &at->mask, fault);	/* FINDS: wrong-mode */
	}
	return 0;
fault:
	return -EFAULT;
}

static int ring_swap_beside(u32 *mask, struct ring_event __user *at, struct ring_event __user *next)
{
	scoped_user_read_access(at, fault)
		unsafe_get_user(*mask, &next->mask, fault);	/* FINDS: other-pointer */
	return 0;
fault:
	return -EFAULT;
}

static int ring_swap_calls(const struct ring *ring, struct ring_event __user *at)
{
	scoped_user_write_access(at, fault) {
		unsafe_put_user(ring_cookie(ring), &at->cookie, fault); /* FINDS: argument-effects */
		if (ring->stopped && put_user(0, &at->mask))	/* FINDS: ordinary-accessor */
			return -EFAULT;
	}
	return 0;
fault:
	return -EFAULT;
}

static int ring_swap_wide(u32 *mask, struct ring_event __user *at)
{
	scoped_user_rw_access(at, fault)			/* FINDS: wider-mode */
		unsafe_get_user(*mask, &at->mask, fault);
	return 0;
fault:
	return -EFAULT;
}

static int ring_swap(u32 *mask, struct ring_event __user *at)
{
	u32 seen;

	scoped_user_rw_access(at, fault) {
		unsafe_get_user(seen, &at->mask, fault);
		unsafe_put_user(*mask, &at->mask, fault);
	}
	*mask = seen;
	return 0;
fault:
	return -EFAULT;
}

/* A window opened by hand in a scope. */
static int ring_move_nested(u32 __user *to, struct ring_event __user *from)
{
	u32 mask;

	scoped_user_read_access(from, fault) {
		unsafe_get_user(mask, &from->mask, fault);
		if (!user_write_access_begin(to, sizeof(*to)))	/* FINDS: nested-window */
			return -EFAULT;
		unsafe_put_user(mask, to, inner);
		user_write_access_end();
	}
	return 0;
inner:
	user_write_access_end();
fault:
	return -EFAULT;
}

static int ring_move(u32 __user *to, struct ring_event __user *from)
{
	u32 mask;

	scoped_user_read_access(from, fault)
		unsafe_get_user(mask, &from->mask, fault);
	scoped_user_write_access(to, fault)
		unsafe_put_user(mask, to, fault);
	return 0;
fault:
	return -EFAULT;
}

/* The range of a scope by its size. */
static int ring_head_short(struct ring_event *event, struct ring_event __user *at)
{
	scoped_user_read_access_size(at, sizeof(at->mask), fault) {
		unsafe_get_user(event->mask, &at->mask, fault);
		unsafe_get_user(event->cookie, &at->cookie, fault);	/* FINDS: short-range */
	}
	return 0;
fault:
	return -EFAULT;
}
