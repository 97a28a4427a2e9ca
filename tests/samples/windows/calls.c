// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls: nothing out of line, nothing that sleeps or schedules, no lock, no
 * message inside a window; and the arguments of an unsafe accessor are worked
 * out inside it.
 */
struct meter {
	u32 volts;
	u32 amps;
	u64 joules;
};

struct meter_box {
	spinlock_t lock;
	struct mutex mutex;
	const volatile void *base;
	u32 (*ask)(int which);
	unsigned int reads;
	unsigned int count;
	struct meter now;
	struct meter history[4];
};

u32 meter_volts(const struct meter_box *box);
void meter_turn(struct meter_box *box);

#define METER_FLAGS 5
#define meter_kind(meter) ((meter)->volts & 7)
#define meter_log(text) printk("meter: %s\n", text)

/* Fine: forced inline, a macro of ours that only calculates, what the compiler knows. */
static __always_inline u32 meter_watts(const struct meter *meter)
{
	return meter->volts * meter->amps;
}

static int meter_put(const struct meter_box *box, struct meter __user *to)
{
	u32 volts = meter_volts(box);

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(volts, &to->volts, fault);
	unsafe_put_user(box->now.amps + METER_FLAGS, &to->amps, fault);
	unsafe_put_user((u64)box->now.joules << 3, &to->joules, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_put_inline(const struct meter_box *box, struct meter __user *to)
{
	u32 watts, kind;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	watts = meter_watts(&box->now);
	kind = meter_kind(&box->now);
	if (unlikely(kind > 4))
		kind = min_t(u32, kind, ARRAY_SIZE(box->history));
	unsafe_put_user(watts, &to->volts, fault);
	unsafe_put_user(kind, &to->amps, fault);
	unsafe_put_user(lower_32_bits(box->now.joules), &to->amps, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A call. */
static int meter_put_calling(struct meter_box *box, struct meter __user *to)
{
	u32 volts;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	volts = meter_volts(box);			/* FINDS: call-inside */
	unsafe_put_user(volts, &to->volts, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A call on the way of a fault alone, still inside. */
static int meter_put_fault(struct meter_box *box, struct meter __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(box->now.volts, &to->volts, fault);
	user_write_access_end();
	return 0;
fault:
	meter_turn(box);				/* FINDS: call-inside */
	user_write_access_end();
	return -EFAULT;
}

static int meter_put_faulted(struct meter_box *box, struct meter __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(box->now.volts, &to->volts, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	meter_turn(box);
	return -EFAULT;
}

/* A call through a pointer. */
static int meter_ask_inside(struct meter_box *box, u32 __user *to)
{
	u32 said;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	said = box->ask(3);				/* FINDS: call-inside */
	unsafe_put_user(said, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A function of this file that stays out of line. */
static noinline u32 meter_sum(const struct meter_box *box)
{
	return box->now.volts + box->now.amps;
}

static int meter_sum_inside(struct meter_box *box, u32 __user *to)
{
	u32 sum;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	sum = meter_sum(box);				/* FINDS: call-inside */
	unsafe_put_user(sum, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A lock. */
static int meter_lock_inside(struct meter_box *box, u32 __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	spin_lock(&box->lock);				/* FINDS: call-inside */
	unsafe_put_user(box->reads, to, fault);
	spin_unlock(&box->lock);			/* FINDS: call-inside */
	user_write_access_end();
	return 0;
fault:
	spin_unlock(&box->lock);			/* FINDS: call-inside */
	user_write_access_end();
	return -EFAULT;
}

static int meter_lock(struct meter_box *box, u32 __user *to)
{
	u32 reads;

	spin_lock(&box->lock);
	reads = box->reads;
	spin_unlock(&box->lock);
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(reads, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Sleep, and a possible schedule: a window around a loop stays open for all of it. */
static int meter_loop_sleeps(const struct meter_box *box, u32 __user *to)
{
	unsigned int i;

	if (!user_write_access_begin(to, box->count * sizeof(*to)))
		return -EFAULT;
	for (i = 0; i < box->count; i++) {
		unsafe_put_user(box->reads + i, &to[i], fault);
		if (i % 64 == 0)
			cond_resched();			/* FINDS: call-inside */
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_wait_inside(const struct meter_box *box, u32 __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	if (!box->reads)
		msleep(20);				/* FINDS: call-inside */
	unsafe_put_user(box->reads, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_buffer_inside(const struct meter_box *box, u32 __user *to)
{
	u32 *copy;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	copy = kmalloc(sizeof(*copy), GFP_KERNEL);	/* FINDS: call-inside */
	unsafe_put_user(copy ? box->reads : 0, to, fault);
	user_write_access_end();
	kfree(copy);
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_loop(const struct meter_box *box, u32 __user *to)
{
	unsigned int i;

	for (i = 0; i < box->count; i++) {
		if (!user_write_access_begin(&to[i], sizeof(to[i])))
			return -EFAULT;
		unsafe_put_user(box->reads + i, &to[i], fault);
		user_write_access_end();
		cond_resched();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Messages, one of them by a macro of ours. */
static int meter_tell_inside(const struct meter_box *box, u32 __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	if (!box->reads)
		pr_warn("nobody ever looked\n");	/* FINDS: call-inside */
	WARN_ON_ONCE(box->count > 64);			/* FINDS: call-inside */
	if (box->count == 3)
		meter_log("three");			/* FINDS: call-inside */
	unsafe_put_user(box->reads, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_tell(const struct meter_box *box, u32 __user *to)
{
	if (!box->reads)
		pr_warn("nobody ever looked\n");
	WARN_ON_ONCE(box->count > 64);
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(box->reads, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	pr_warn("nobody wants to know\n");
	return -EFAULT;
}

/* Arguments: calls, a register of a device, side effects. */
static int meter_args_inside(struct meter_box *box, struct meter __user *to)
{
	unsigned int at = 0;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(meter_volts(box), &to->volts, fault);	/* FINDS: argument-effects */
	unsafe_put_user(readl(box->base), &to->amps, fault);	/* FINDS: argument-effects */
	unsafe_put_user(box->reads++, &to->joules, fault);	/* FINDS: argument-effects */
	unsafe_put_user(at = box->count, &to->joules, fault);	/* FINDS: argument-effects */
	user_write_access_end();
	return at;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_args(struct meter_box *box, struct meter __user *to)
{
	u32 volts = meter_volts(box);
	u32 amps = readl(box->base);
	unsigned int at = box->count;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(volts, &to->volts, fault);
	unsafe_put_user(amps, &to->amps, fault);
	unsafe_put_user(box->reads, &to->joules, fault);
	box->reads++;
	user_write_access_end();
	return at;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The pointer's side. */
static int meter_each_inside(struct meter __user *to, const struct meter *from, int count)
{
	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	while (count)
		unsafe_put_user(from->volts, &to[--count].volts, fault); /* FINDS: argument-effects */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int meter_each(struct meter __user *to, const struct meter *from, int count)
{
	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	while (count) {
		count--;
		unsafe_put_user(from->volts, &to[count].volts, fault);
	}
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
