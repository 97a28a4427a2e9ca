// SPDX-License-Identifier: GPL-2.0-only
// get_user(comment, nothing)
/* put_user(comment, nothing) */
#define lamp_get_flags(x, p) get_user(x, &(p)->flags)
#define LAMP_BOTH(a, b, p)				\
	(get_user(a, &(p)->level) ||			\
	 get_user(b, &(p)->flags))

static const char *name = "put_user(\"string\", x)";

static int chain(struct lamp *lamp, struct lamp_sync __user *arg)
{
	if (get_user(lamp->level, &arg->level) || /* why */
	    get_user(lamp->flags, &arg->flags))
		return -EFAULT;
	if (LAMP_BOTH(lamp->level, lamp->flags, arg))
		return -EFAULT;
	return lamp_get_flags(lamp->flags, arg);
}

static int shapes(struct lamp *lamp, struct lamp_sync __user *arg, void __user *any)
{
	int err = get_user(lamp->level, &arg->level);

	err |= put_user(lamp->flags, &arg->flags);
	if (err) return -EFAULT; else err = put_user(0, &arg->flags);
	while (!get_user(lamp->level, &arg->level) && lamp->level)
		err = copy_to_user(any, lamp, sizeof(*lamp)) ? -EFAULT : 0;
	if (get_user(lamp->level, &arg->level) ||
#ifdef CONFIG_LAMP_FLAGS
	    get_user(lamp->flags, &arg->flags) ||
#endif
	    get_user(lamp->colour, &arg->colour))
		return -EFAULT;
	switch (err) {
	case 0 ... 3:
		if (clear_user(arg, sizeof(*arg)))
			return -EFAULT;
		break;
	default:
		return put_user(err, &arg->err);
	}
	return 0;
}

SYSCALL_DEFINE2(lamp, int, fd, struct lamp_sync __user *, arg)
{
	scoped_guard(mutex, &lamp_lock)
		return __put_user(fd, &arg->fd) ? -EFAULT : 0;
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_put_user(fd, &arg->fd, fault);
	unsafe_put_user(0, &arg->flags, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	unsafe_get_user(fd, &arg->fd, fault);
	return -EFAULT;
}
