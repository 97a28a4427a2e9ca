// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execbuffer of i915: CVE-2018-20669 (the range check was left out; since
 * 594cc251fdd0 the begin does it), an end after a helper that had closed, an
 * end after a begin that failed, a missing end.
 */
struct order_slot {
	u64 guess;
	u64 place;
};

struct order {
	unsigned int count;
	u64 place[16];
};

int order_sort(struct order *order);

/* CVE-2018-20669 */
static int order_reply_unchecked(const struct order *order, struct order_slot __user *slots)
{
	unsigned int i;

	__uaccess_begin();
	for (i = 0; i < order->count; i++)
		unsafe_put_user(order->place[i], &slots[i].place, fault); /* FINDS: no-window */
	__uaccess_end();
	return 0;
fault:
	__uaccess_end();
	return -EFAULT;
}

static int order_reply(const struct order *order, struct order_slot __user *slots)
{
	unsigned int i;

	if (!user_write_access_begin(slots, order->count * sizeof(*slots)))
		return -EFAULT;
	for (i = 0; i < order->count; i++)
		unsafe_put_user(order->place[i], &slots[i].place, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The begin fails to where the window is closed. */
static int order_forget_twice(unsigned int count, struct order_slot __user *slots)
{
	int err = -EFAULT;
	unsigned int i;

	if (!user_write_access_begin(slots, count * sizeof(*slots)))
		goto end;
	for (i = 0; i < count; i++)
		unsafe_put_user(-1, &slots[i].guess, end);
	err = 0;
end:
	user_write_access_end();	/* FINDS: end-without-begin */
	return err;
}

static int order_forget(unsigned int count, struct order_slot __user *slots)
{
	int err = -EFAULT;
	unsigned int i;

	if (!user_write_access_begin(slots, count * sizeof(*slots)))
		goto out;
	for (i = 0; i < count; i++)
		unsafe_put_user(-1, &slots[i].guess, end);
	err = 0;
end:
	user_write_access_end();
out:
	return err;
}

/* The helper closes on each of its ways, and so does who called it. */
static __always_inline int unsafe_order_finish(struct order_slot __user *slot, u64 place)
{
	unsafe_put_user(place, &slot->place, failed);
	user_write_access_end();
	return 0;
failed:
	user_write_access_end();
	return -EFAULT;
}

static int order_place_twice(struct order_slot __user *slot, u64 place)
{
	int err;

	if (!user_write_access_begin(slot, sizeof(*slot)))
		return -EFAULT;
	err = unsafe_order_finish(slot, place);
	user_write_access_end();	/* FINDS: end-without-begin */
	return err;
}

static int order_place(struct order_slot __user *slot, u64 place)
{
	if (!user_write_access_begin(slot, sizeof(*slot)))
		return -EFAULT;
	return unsafe_order_finish(slot, place);
}

/* One slot is enough: then nobody closes. */
static int order_relocate_open(const struct order *order, struct order_slot __user *slots)
{
	unsigned int i;

	if (!user_write_access_begin(slots, order->count * sizeof(*slots)))
		return -EFAULT;
	for (i = 0; i < order->count; i++) {
		if (!order->place[i])
			return 0;	/* FINDS: leaves-open */
		unsafe_put_user(order->place[i], &slots[i].guess, fault);
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int order_relocate(const struct order *order, struct order_slot __user *slots)
{
	unsigned int i;

	if (!user_write_access_begin(slots, order->count * sizeof(*slots)))
		return -EFAULT;
	for (i = 0; i < order->count; i++) {
		if (!order->place[i])
			break;
		unsafe_put_user(order->place[i], &slots[i].guess, fault);
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The way of a fault is forgotten. */
static int order_guess_open(u64 guess, struct order_slot __user *slot)
{
	if (!user_write_access_begin(slot, sizeof(*slot)))
		return -EFAULT;
	unsafe_put_user(guess, &slot->guess, fault);
	user_write_access_end();
	return 0;
fault:
	return -EFAULT;			/* FINDS: missing-end */
}

/* Opened for both ways, for what is only written. */
static int order_guess_wide(u64 guess, struct order_slot __user *slot)
{
	if (!user_access_begin(slot, sizeof(*slot)))	/* FINDS: wider-mode */
		return -EFAULT;
	unsafe_put_user(guess, &slot->guess, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int order_guess(u64 guess, struct order_slot __user *slot)
{
	if (!user_write_access_begin(slot, sizeof(*slot)))
		return -EFAULT;
	unsafe_put_user(guess, &slot->guess, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
