// SPDX-License-Identifier: GPL-2.0-only
/*
 * What went wrong on the way of the seed's patch (SNDRV_PCM_IOCTL_SYNC_PTR,
 * merged in 6.17), made anew: the numbers are those of the list in
 * docs/windows-history.md.  1, 3 and 4 do not build, so no rule is needed.
 */
struct tide_stamp {
	s64 sec;
	s64 nsec;
};

struct tide_state {
	u32 phase;
	u64 height;	/* 4 bytes of nothing stand before it */
	struct tide_stamp when;
	u32 gauge;
};

struct tide_sync {
	u32 flags;
	u32 room;
	u64 low;
	u64 high;
	struct tide_state state;
};

struct tide {
	u64 low;
	u64 high;
	struct tide_state state;
};

void tide_settle(struct tide *tide);

/* 2. The failure of the begin goes where the failure of an access goes. */
#define tide_put_twice(tide, at) ({						\
	__label__ failed;							\
	struct tide_sync __user *__dst = (at);					\
	int __err = -EFAULT;							\
										\
	if (!user_write_access_begin(__dst, sizeof(*__dst)))			\
		goto failed;							\
	unsafe_put_user((tide)->low, &__dst->low, failed);			\
	unsafe_put_user((tide)->high, &__dst->high, failed);			\
	__err = 0;								\
failed:										\
	user_write_access_end(); /* FINDS: end-without-begin */			\
	__err; })

#define tide_put(tide, at) ({							\
	__label__ failed, refused;						\
	struct tide_sync __user *__dst = (at);					\
	int __err = -EFAULT;							\
										\
	if (!user_write_access_begin(__dst, sizeof(*__dst)))			\
		goto refused;							\
	unsafe_put_user((tide)->low, &__dst->low, failed);			\
	unsafe_put_user((tide)->high, &__dst->high, failed);			\
	unsafe_put_user((tide)->state.phase, &__dst->state.phase, failed);	\
	unsafe_put_user((tide)->state.height, &__dst->state.height, failed);	\
	unsafe_put_user((tide)->state.when.sec, &__dst->state.when.sec, failed); \
	__err = 0;								\
failed:										\
	user_write_access_end();						\
refused:									\
	__err; })

/* 5. `src` is the caller's: here it is not even what was checked. */
#define tide_get_astray(flags, room, at) ({					\
	__label__ failed, refused;						\
	const struct tide_sync __user *__src = (at);				\
	int __err = -EFAULT;							\
										\
	if (!user_read_access_begin(__src, sizeof(*__src)))			\
		goto refused;							\
	unsafe_get_user(flags, &__src->flags, failed);				\
	unsafe_get_user(room, &src->room, failed); /* FINDS: other-pointer */	\
	__err = 0;								\
failed:										\
	user_read_access_end();							\
refused:									\
	__err; })

#define tide_get(flags, room, at) ({						\
	__label__ failed, refused;						\
	const struct tide_sync __user *__src = (at);				\
	int __err = -EFAULT;							\
										\
	if (!user_read_access_begin(__src, sizeof(*__src)))			\
		goto refused;							\
	unsafe_get_user(flags, &__src->flags, failed);				\
	unsafe_get_user(room, &__src->room, failed);				\
	__err = 0;								\
failed:										\
	user_read_access_end();							\
refused:									\
	__err; })

static int tide_sync_twice(struct tide *tide, struct tide_sync __user *arg)
{
	tide_settle(tide);
	if (tide_put_twice(tide, arg))
		return -EFAULT;
	return 0;
}

static int tide_sync(struct tide *tide, struct tide_sync __user *arg)
{
	u32 flags, room;

	if (tide_get(flags, room, arg))
		return -EFAULT;
	if (flags > 3 || !room)
		return -EINVAL;
	tide_settle(tide);
	if (tide_put(tide, arg))
		return -EFAULT;
	return 0;
}

static int tide_sync_astray(struct tide *tide, struct tide_sync __user *arg,
			    struct tide_sync __user *src)
{
	u32 flags, room;

	if (tide_get_astray(flags, room, arg))
		return -EFAULT;
	tide->low = flags + room;
	return 0;
}

/* 2 once more, as a function: objtool calls it a redundant UACCESS disable. */
static int tide_report_twice(const struct tide *tide, struct tide_sync __user *arg)
{
	if (!user_write_access_begin(arg, sizeof(*arg)))
		goto fault;
	unsafe_put_user(tide->low, &arg->low, fault);
	unsafe_put_user(tide->high, &arg->high, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();		/* FINDS: end-without-begin */
	return -EFAULT;
}

static int tide_report(const struct tide *tide, struct tide_sync __user *arg)
{
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_put_user(tide->low, &arg->low, fault);
	unsafe_put_user(tide->high, &arg->high, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* 6. Opened for both ways, closed on the way of errors for one. */
static long tide_rewind_halfway(struct tide *tide, u64 __user *arg)
{
	u64 steps;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(steps, arg, fault);
	if (steps > tide->high)
		steps = tide->high;
	tide->high -= steps;
	unsafe_put_user(steps, arg, fault);
	user_access_end();
	return 0;
fault:
	user_write_access_end();		/* FINDS: wrong-end */
	return -EFAULT;
}

static long tide_rewind(struct tide *tide, u64 __user *arg)
{
	u64 steps;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(steps, arg, fault);
	if (steps > tide->high)
		steps = tide->high;
	tide->high -= steps;
	unsafe_put_user(steps, arg, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* 7. The struct goes out whole, and with it what stood on the stack. */
static int tide_copy_leaks(const struct tide *tide, struct tide_sync __user *arg)
{
	struct tide_state state;

	state.phase = tide->state.phase;
	state.height = tide->state.height;
	state.when = tide->state.when;
	state.gauge = tide->state.gauge;
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_copy_to_user(&arg->state, &state, sizeof(state), fault); /* FINDS: holes */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int tide_copy(const struct tide *tide, struct tide_sync __user *arg)
{
	struct tide_state state;

	memset(&state, 0, sizeof(state));
	state.phase = tide->state.phase;
	state.height = tide->state.height;
	state.when = tide->state.when;
	state.gauge = tide->state.gauge;
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_copy_to_user(&arg->state, &state, sizeof(state), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
