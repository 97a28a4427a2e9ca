// SPDX-License-Identifier: GPL-2.0-only
/*
 * The missing range check of waitid(), kernel/exit.c: CVE-2017-5123, repaired
 * by 96ca579a1ecc.  Begin took no arguments then, as __uaccess_begin() does.
 */
struct child_report {
	u32 child;
	u32 status;
};

struct child {
	u32 number;
	u32 status;
};

struct child *child_wait(int number);

SYSCALL_DEFINE2(child_wait_anywhere, int, number, struct child_report __user *, report)
{
	struct child *child = child_wait(number);

	if (!report)
		return 0;
	__uaccess_begin();
	unsafe_put_user(child->status, &report->status, fault);	/* FINDS: no-window */
	__uaccess_end();
	return 0;
fault:
	__uaccess_end();
	return -EFAULT;
}

/* As it was repaired: a check of its own before. */
SYSCALL_DEFINE2(child_wait_checked, int, number, struct child_report __user *, report)
{
	struct child *child = child_wait(number);

	if (!report)
		return 0;
	if (!access_ok(report, sizeof(*report)))
		return -EFAULT;
	__uaccess_begin();
	unsafe_put_user(child->number, &report->child, fault);
	unsafe_put_user(child->status, &report->status, fault);
	__uaccess_end();
	return 0;
fault:
	__uaccess_end();
	return -EFAULT;
}

/* As it stands today: the begin checks. */
SYSCALL_DEFINE2(child_wait, int, number, struct child_report __user *, report)
{
	struct child *child = child_wait(number);

	if (!report)
		return 0;
	if (!user_write_access_begin(report, sizeof(*report)))
		return -EFAULT;
	unsafe_put_user(child->number, &report->child, fault);
	unsafe_put_user(child->status, &report->status, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The check came, but for one branch only. */
static int child_tell_half(const struct child *child, struct child_report __user *report, int old)
{
	if (old) {
		if (!access_ok(report, sizeof(*report)))
			return -EFAULT;
	}
	__uaccess_begin();
	unsafe_put_user(child->number, &report->child, fault);	/* FINDS: no-window */
	__uaccess_end();
	return 0;
fault:
	__uaccess_end();
	return -EFAULT;
}

/* No window at all: as __put_user() is written, with the wrong name. */
static int child_note_shut(u32 status, struct child_report __user *report)
{
	if (!access_ok(report, sizeof(*report)))
		return -EFAULT;
	unsafe_put_user(status, &report->status, fault);	/* FINDS: no-window */
	return 0;
fault:
	return -EFAULT;
}

static int child_note(u32 status, struct child_report __user *report)
{
	if (!access_ok(report, sizeof(*report)))
		return -EFAULT;
	if (__put_user(status, &report->status))
		return -EFAULT;
	return 0;
}

/* An access behind the end. */
static int child_tell_late(const struct child *child, struct child_report __user *report)
{
	if (!user_write_access_begin(report, sizeof(*report)))
		return -EFAULT;
	unsafe_put_user(child->number, &report->child, fault);
	user_write_access_end();
	unsafe_put_user(child->status, &report->status, late);	/* FINDS: no-window */
	return 0;
fault:
	user_write_access_end();
late:
	return -EFAULT;
}
