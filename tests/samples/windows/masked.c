// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masked begins: they cannot fail, the pointer that they return is the one to
 * use, and what is touched first has to lie near its start.
 */
struct dial {
	u32 turns;
	u32 mark;
};

struct dial_tape {
	u32 turns;
	u8 paper[1 << 20];
	u32 end;
};

/* The ladder. */
static int dial_get(struct dial *to, const struct dial __user *from)
{
	if (can_do_masked_user_access())
		from = masked_user_read_access_begin(from);
	else if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(to->turns, &from->turns, fault);
	unsafe_get_user(to->mark, &from->mark, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* The pointer that is returned is thrown away: the old one may lead anywhere. */
static int dial_get_thrown(struct dial *to, const struct dial __user *from)
{
	if (can_do_masked_user_access())
		masked_user_read_access_begin(from);	/* FINDS: ignored-begin */
	else if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(to->turns, &from->turns, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* It is kept, and the old one is used. */
static int dial_put_old(const struct dial *from, struct dial __user *to)
{
	struct dial __user *masked;

	masked = masked_user_write_access_begin(to);
	unsafe_put_user(from->turns, &masked->turns, fault);
	unsafe_put_user(from->mark, &to->mark, fault);	/* FINDS: ignored-begin */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int dial_put(const struct dial *from, struct dial __user *to)
{
	struct dial __user *masked;

	masked = masked_user_write_access_begin(to);
	unsafe_put_user(from->turns, &masked->turns, fault);
	unsafe_put_user(from->mark, &masked->mark, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A megabyte behind the start: a masked pointer need not fault there. */
static int dial_tape_far(u32 mark, struct dial_tape __user *to)
{
	if (can_do_masked_user_access())
		to = masked_user_write_access_begin(to);
	else if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(mark, &to->end, fault);		/* FINDS: far-masked */
	unsafe_put_user(mark, &to->turns, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int dial_tape(u32 mark, struct dial_tape __user *to)
{
	if (can_do_masked_user_access())
		to = masked_user_write_access_begin(to);
	else if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(mark, &to->turns, fault);
	unsafe_put_user(mark, &to->end, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Checked, it may begin where it likes. */
static int dial_tape_checked(u32 mark, struct dial_tape __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(mark, &to->end, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A masked window is left as any other: by an end. */
static int dial_turn_open(u32 turns, struct dial __user *to)
{
	to = masked_user_write_access_begin(to);
	unsafe_put_user(turns, &to->turns, fault);
	user_write_access_end();
	return 0;
fault:
	return -EFAULT;					/* FINDS: missing-end */
}
