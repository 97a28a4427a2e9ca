// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signal frames of powerpc: 887f3ceb51cd inverted one test of a begin, put
 * right by 525642624783.  Helpers of unsafe accessors there are inline
 * functions with a macro around them that jumps.
 */
struct crank {
	u64 turn[8];
	u64 torque;
};

struct crank_frame {
	u64 turn[8];
	u64 torque;
	u32 mask;
};

static __always_inline int __unsafe_save_crank(const struct crank *crank,
					       struct crank_frame __user *frame)
{
	int i;

	for (i = 0; i < 8; i++)
		unsafe_put_user(crank->turn[i], &frame->turn[i], failed);
	unsafe_put_user(crank->torque, &frame->torque, failed);
	return 0;
failed:
	return 1;
}

#define unsafe_save_crank(crank, frame, label) do {	\
	if (__unsafe_save_crank(crank, frame))		\
		goto label;				\
} while (0)

#define unsafe_restore_crank(crank, frame, label) do {				\
	struct crank *__crank = (crank);					\
	int __i;								\
										\
	for (__i = 0; __i < 8; __i++)						\
		unsafe_get_user(__crank->turn[__i], &(frame)->turn[__i], label); \
	unsafe_get_user(__crank->torque, &(frame)->torque, label);		\
} while (0)

static int crank_setup_inverted(const struct crank *crank, struct crank_frame __user *frame, u32 mask)
{
	if (user_write_access_begin(frame, sizeof(*frame)))	/* FINDS: inverted-begin */
		goto refused;
	unsafe_put_user(mask, &frame->mask, failed);
	unsafe_save_crank(crank, frame, failed);
	user_write_access_end();
	return 0;
failed:
	user_write_access_end();
refused:
	return 1;
}

static int crank_setup(const struct crank *crank, struct crank_frame __user *frame, u32 mask)
{
	if (!user_write_access_begin(frame, sizeof(*frame)))
		goto refused;
	unsafe_put_user(mask, &frame->mask, failed);
	unsafe_save_crank(crank, frame, failed);
	user_write_access_end();
	return 0;
failed:
	user_write_access_end();
refused:
	return 1;
}

static long crank_return_inverted(struct crank *crank, struct crank_frame __user *frame)
{
	bool refused;

	refused = user_read_access_begin(frame, sizeof(*frame));	/* FINDS: inverted-begin */
	if (refused)
		return -EFAULT;
	unsafe_restore_crank(crank, frame, failed);
	user_read_access_end();
	return 0;
failed:
	user_read_access_end();
	return -EFAULT;
}

static long crank_return(struct crank *crank, struct crank_frame __user *frame)
{
	bool refused;

	refused = !user_read_access_begin(frame, sizeof(*frame));
	if (refused)
		return -EFAULT;
	unsafe_restore_crank(crank, frame, failed);
	user_read_access_end();
	return 0;
failed:
	user_read_access_end();
	return -EFAULT;
}

/* A helper's mode counts where it is called. */
static int crank_reload(struct crank *crank, struct crank_frame __user *frame)
{
	if (!user_write_access_begin(frame, sizeof(*frame)))
		return 1;
	unsafe_restore_crank(crank, frame, failed);	/* FINDS: wrong-mode */
	user_write_access_end();
	return 0;
failed:
	user_write_access_end();
	return 1;
}
