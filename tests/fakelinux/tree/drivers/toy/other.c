// SPDX-License-Identifier: GPL-2.0-only
/* Another device, whose style no checkpatch likes: see scripts/checkpatch.pl of this tree. */
#include <linux/uaccess.h>

struct other_pair {
	int ugly;
	int odd;
};

static long other_get_pair(struct other_pair __user *to, int ugly, int odd)
{
	if (put_user(ugly, &to->ugly) ||
	    put_user(odd, &to->odd))
		return -EFAULT;

	return 0;
}
