// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration: each branch of #ifdef is a function of its own; helpers that
 * are macros; system calls.
 */
struct kite_wind {
	u32 knots;
	u32 from;
	u64 since;
};

struct kite_wind32 {
	u32 knots;
	u32 from;
	u32 since_low;
	u32 since_high;
};

struct kite {
	u32 knots;
	u32 from;
	u64 since;
	u32 length;
};

/* In one configuration alone the window stays open. */
static int kite_wind_branch(const struct kite *kite, struct kite_wind __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(kite->knots, &to->knots, fault);
#ifdef CONFIG_KITE_BLIND
	return 0;				/* FINDS: leaves-open */
#else
	unsafe_put_user(kite->from, &to->from, fault);
#endif
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Either branch is whole; taken together they would close twice. */
static int kite_wind_either(const struct kite *kite, struct kite_wind __user *to)
{
#ifdef CONFIG_KITE_BLIND
	if (!user_write_access_begin(&to->knots, sizeof(to->knots)))
		return -EFAULT;
	unsafe_put_user(kite->knots, &to->knots, fault);
	user_write_access_end();
#else
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(kite->knots, &to->knots, fault);
	unsafe_put_user(kite->from, &to->from, fault);
	user_write_access_end();
#endif
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

#ifdef CONFIG_KITE_COMPAT
/* Of a branch that few compile: the modes do not agree. */
static int kite_wind32_mixed(const struct kite *kite, struct kite_wind32 __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(kite->knots, &to->knots, fault);
	user_read_access_end();			/* FINDS: wrong-end */
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
#endif

/* A helper macro that writes. */
#define unsafe_put_wind(kite, to, label) do {					\
	unsafe_put_user((kite)->knots, &(to)->knots, label);			\
	unsafe_put_user((kite)->from, &(to)->from, label);			\
	unsafe_put_user((kite)->since, &(to)->since, label);			\
} while (0)

static int kite_wind_read(const struct kite *kite, struct kite_wind __user *to)
{
	if (!user_read_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_wind(kite, to, fault);	/* FINDS: wrong-mode */
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int kite_wind_shut(const struct kite *kite, struct kite_wind __user *to)
{
	if (!access_ok(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_wind(kite, to, fault);	/* FINDS: no-window */
	return 0;
fault:
	return -EFAULT;
}

static int kite_wind_other(const struct kite *kite, struct kite_wind __user *to,
			   struct kite_wind __user *next)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_wind(kite, next, fault);	/* FINDS: other-pointer */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* An inline helper that writes one field; its caller has the window. */
static __always_inline bool unsafe_kite_put_length(const struct kite *kite, u32 __user *to)
{
	unsafe_put_user(kite->length, to, fault);
	return true;
fault:
	return false;
}

static int kite_length_open(const struct kite *kite, u32 __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	if (!unsafe_kite_put_length(kite, to))
		return -EFAULT;			/* FINDS: leaves-open */
	user_write_access_end();
	return 0;
}

static int kite_length(const struct kite *kite, u32 __user *to)
{
	bool put;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	put = unsafe_kite_put_length(kite, to);
	user_write_access_end();
	return put ? 0 : -EFAULT;
}

struct kite *kite_find(int number);
void kite_put(struct kite *kite);

/* A ladder of labels, one rung too high. */
SYSCALL_DEFINE2(kite_wind_rung, int, number, struct kite_wind __user *, to)
{
	struct kite *kite = kite_find(number);
	long err = -EFAULT;

	if (!kite)
		return -EINVAL;
	if (!user_write_access_begin(to, sizeof(*to)))
		goto end;
	unsafe_put_wind(kite, to, end);
	err = 0;
end:
	user_write_access_end();		/* FINDS: end-without-begin */
	kite_put(kite);
	return err;
}

SYSCALL_DEFINE2(kite_wind, int, number, struct kite_wind __user *, to)
{
	struct kite *kite = kite_find(number);
	long err = -EFAULT;

	if (!kite)
		return -EINVAL;
	if (!user_write_access_begin(to, sizeof(*to)))
		goto put;
	unsafe_put_wind(kite, to, end);
	err = 0;
end:
	user_write_access_end();
put:
	kite_put(kite);
	return err;
}

COMPAT_SYSCALL_DEFINE2(kite_wind_open, int, number, struct kite_wind32 __user *, to)
{
	struct kite *kite = kite_find(number);

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(kite->knots, &to->knots, fault);
	unsafe_put_user(lower_32_bits(kite->since), &to->since_low, fault);
	unsafe_put_user(upper_32_bits(kite->since), &to->since_high, fault);
	user_write_access_end();
fault:
	kite_put(kite);				/* FINDS: call-inside */
	return 0;				/* FINDS: missing-end */
}

COMPAT_SYSCALL_DEFINE2(kite_wind, int, number, struct kite_wind32 __user *, to)
{
	struct kite *kite = kite_find(number);
	long err = -EFAULT;

	if (!user_write_access_begin(to, sizeof(*to)))
		goto put;
	unsafe_put_user(kite->knots, &to->knots, end);
	unsafe_put_user(lower_32_bits(kite->since), &to->since_low, end);
	unsafe_put_user(upper_32_bits(kite->since), &to->since_high, end);
	err = 0;
end:
	user_write_access_end();
put:
	kite_put(kite);
	return err;
}

/* Begin, accesses and end in one macro with its own labels; it returns its error. */
#define kite_get_wind(kite, from) ({						\
	__label__ fault, done;							\
	struct kite_wind __user *__from = (from);				\
	int __err = 0;								\
										\
	if (!user_read_access_begin(__from, sizeof(*__from))) {			\
		__err = -EFAULT;						\
		goto done;							\
	}									\
	unsafe_get_user((kite)->knots, &__from->knots, fault);			\
	unsafe_get_user((kite)->from, &__from->from, fault);			\
	user_read_access_end();							\
	goto done;								\
fault:										\
	user_read_access_end();							\
	__err = -EFAULT;							\
done:										\
	__err; })

static int kite_turn(struct kite *kite, struct kite_wind __user *from)
{
	int err = kite_get_wind(kite, from);

	if (!err)
		kite_put(kite);
	return err;
}

/* The call of the caller lands in the window. */
static int kite_turn_calling(int number, struct kite_wind __user *from)
{
	u32 knots;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(knots, &from->knots, fault);
	if (kite_find(number) == NULL)		/* FINDS: call-inside */
		goto fault;
	user_read_access_end();
	return knots;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Begin and end in helpers: macros, ... */
#define kite_open(to) user_write_access_begin(to, sizeof(*(to)))
#define kite_close() user_write_access_end()

static int kite_by_macro_open(const struct kite *kite, u32 __user *to)
{
	if (!kite_open(to))
		return -EFAULT;
	if (!kite->length)
		return 0;			/* FINDS: leaves-open */
	unsafe_put_user(kite->length, to, fault);
	kite_close();
	return 0;
fault:
	kite_close();
	return -EFAULT;
}

static int kite_by_macro(const struct kite *kite, u32 __user *to)
{
	if (!kite_open(to))
		return -EFAULT;
	unsafe_put_user(kite->length, to, fault);
	kite_close();
	return 0;
fault:
	kite_close();
	return -EFAULT;
}

/* ... or inline functions, which give on what the begin said. */
static __always_inline bool kite_let(u32 __user *to)
{
	return user_write_access_begin(to, sizeof(*to));
}

static __always_inline void kite_shut(void)
{
	user_write_access_end();
}

static int kite_by_function_open(const struct kite *kite, u32 __user *to)
{
	if (!kite_let(to))
		return -EFAULT;
	unsafe_put_user(kite->length, to, fault);
	kite_shut();
	return 0;
fault:
	return -EFAULT;				/* FINDS: missing-end */
}

static int kite_by_function(const struct kite *kite, u32 __user *to)
{
	if (!kite_let(to))
		return -EFAULT;
	unsafe_put_user(kite->length, to, fault);
	kite_shut();
	return 0;
fault:
	kite_shut();
	return -EFAULT;
}

/* The begin in a loop that tries again, the pointer by a condition. */
static int kite_try(const struct kite *kite, u32 __user *to, u32 __user *spare, int times)
{
	u32 __user *at = times > 3 ? spare : to;

	do {
		if (!user_write_access_begin(at, sizeof(*at)))
			continue;
		unsafe_put_user(kite->length, at, again);
		user_write_access_end();
		return 0;
again:
		user_write_access_end();
	} while (--times);
	return -EFAULT;
}
