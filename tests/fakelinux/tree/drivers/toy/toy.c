// SPDX-License-Identifier: GPL-2.0-only
/* A device that keeps a point for its users. */
#include <linux/uaccess.h>

struct toy_point {
	int x;
	int y;
	int z;
};

static struct toy_point kept;

static long toy_set_point(struct toy_point __user *to)
{
	int x, y, z;

	if (get_user(x, &to->x) ||
	    get_user(y, &to->y) ||
	    get_user(z, &to->z))
		return -EFAULT;
	kept.x = x;
	kept.y = y;
	kept.z = z;
	return 0;
}

static long toy_get_point(struct toy_point __user *from)
{
	if (put_user(kept.x, &from->x) ||
	    put_user(kept.y, &from->y) ||
	    put_user(kept.z, &from->z))
		return -EFAULT;

	return 0;
}

static long toy_get_height(int __user *height)
{
	if (put_user(kept.z, height))
		return -EFAULT;
	return 0;
}

static int toy_is_flat(void)
{
	return kept.z == 0;
}
