// SPDX-License-Identifier: GPL-2.0-only
/*
 * fs/select.c: do_sys_poll() (ef0ba0553829) writes one field of many objects;
 * the sigset of pselect() is read by a masked begin that opens both ways and is
 * closed by the end for reading (so still in 6.12).
 */
struct buoy_fd {
	s32 number;
	u16 asked;
	u16 seen;
};

struct buoy_run {
	struct buoy_run *next;
	unsigned int count;
	struct buoy_fd fds[];
};

struct buoy_mask {
	u64 __user *mask;
	size_t bytes;
};

static int buoy_report(const struct buoy_run *run, struct buoy_fd __user *to, unsigned int count)
{
	const struct buoy_fd *fd;
	unsigned int left;

	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	for (; run; run = run->next) {
		fd = run->fds;
		for (left = run->count; left; fd++, to++, left--)
			unsafe_put_user(fd->seen, &to->seen, fault);
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The size of the pointer for that of an object. */
static int buoy_report_few(const struct buoy_fd *fd, struct buoy_fd __user *to, unsigned int count)
{
	unsigned int i;

	if (!user_write_access_begin(to, count * sizeof(to)))	/* FINDS: pointer-size */
		return -EFAULT;
	for (i = 0; i < count; i++)
		unsafe_put_user(fd[i].seen, &to[i].seen, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The pointer walks inside the argument. */
static int buoy_report_walking(const struct buoy_fd *fd, struct buoy_fd __user *to,
			       unsigned int count)
{
	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	while (count--)
		unsafe_put_user(fd[count].seen, &(to++)->seen, fault); /* FINDS: argument-effects */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int buoy_mask_mixed(struct buoy_mask *to, struct buoy_mask __user *from)
{
	if (from) {
		if (can_do_masked_user_access())
			from = masked_user_access_begin(from);
		else if (!user_read_access_begin(from, sizeof(*from)))
			return -EFAULT;
		unsafe_get_user(to->mask, &from->mask, fault);
		unsafe_get_user(to->bytes, &from->bytes, fault);
		user_read_access_end();		/* FINDS: wrong-end */
	}
	return 0;
fault:
	user_read_access_end();			/* FINDS: wrong-end */
	return -EFAULT;
}

static int buoy_mask(struct buoy_mask *to, struct buoy_mask __user *from)
{
	if (from) {
		if (can_do_masked_user_access())
			from = masked_user_read_access_begin(from);
		else if (!user_read_access_begin(from, sizeof(*from)))
			return -EFAULT;
		unsafe_get_user(to->mask, &from->mask, fault);
		unsafe_get_user(to->bytes, &from->bytes, fault);
		user_read_access_end();
	}
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}
