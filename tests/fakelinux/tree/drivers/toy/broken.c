// SPDX-License-Identifier: GPL-2.0-only
/* Does not parse: one parenthesis too many, and a function that never ends. */
#include <linux/uaccess.h>

struct broken_pair {
	int left;
	int right;
};

static long broken_get_pair(struct broken_pair __user *to, int left, int right)
{
	if (put_user(left, &to->left) ||
	    put_user(right, &to->right)))
		return -EFAULT;

	return 0;
}

static long broken_end(int __user *to
{
	if (put_user(1, to)
