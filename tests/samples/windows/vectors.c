// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/iov_iter.c (opens both ways to read, so still in 6.12), io_uring/net.c
 * (a second pointer with a check of its own inside the window: legal),
 * kernel/compat.c, net/socket.c move_addr_to_user() (1fb0e471611d).
 */
struct crate {
	void __user *base;
	size_t bytes;
};

struct crate32 {
	compat_uptr_t base;
	s32 bytes;
};

struct crate_list {
	struct crate __user *crates;
	u32 count;
	u32 flags;
};

static int crates_get_wide(struct crate *to, const struct crate32 __user *from, size_t count)
{
	int ret = -EFAULT;
	size_t i;

	if (!user_access_begin(from, count * sizeof(*from)))	/* FINDS: wider-mode */
		return -EFAULT;
	for (i = 0; i < count; i++) {
		compat_uptr_t base;
		s32 bytes;

		unsafe_get_user(bytes, &from[i].bytes, end);
		unsafe_get_user(base, &from[i].base, end);
		if (bytes < 0) {
			ret = -EINVAL;
			goto end;
		}
		to[i].base = compat_ptr(base);
		to[i].bytes = bytes;
	}
	ret = 0;
end:
	user_access_end();
	return ret;
}

static int crates_get(struct crate *to, const struct crate32 __user *from, size_t count)
{
	int ret = -EFAULT;
	size_t i;

	if (!user_read_access_begin(from, count * sizeof(*from)))
		return -EFAULT;
	for (i = 0; i < count; i++) {
		compat_uptr_t base;
		s32 bytes;

		unsafe_get_user(bytes, &from[i].bytes, end);
		unsafe_get_user(base, &from[i].base, end);
		if (bytes < 0) {
			ret = -EINVAL;
			goto end;
		}
		to[i].base = compat_ptr(base);
		to[i].bytes = bytes;
	}
	ret = 0;
end:
	user_read_access_end();
	return ret;
}

/* The other way: it steps out of the window. */
static int crates_get_open(struct crate *to, const struct crate __user *from)
{
	do {
		ssize_t bytes;

		if (!user_read_access_begin(from, sizeof(*from)))
			return -EFAULT;
		unsafe_get_user(bytes, &from->bytes, fault);
		if (bytes < 0)
			goto refused;	/* FINDS: leaves-open */
		to->bytes = bytes;
		unsafe_get_user(to->base, &from->base, fault);
		user_read_access_end();
		from++;
	} while ((to++)->bytes);
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
refused:
	return -EINVAL;
}

/* io_uring/net.c: a pointer that was read here, with a check of its own. */
static int crate_list_get(struct crate_list *list, struct crate *first,
			  struct crate_list __user *from)
{
	struct crate __user *inner;
	int ret = -EFAULT;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(list->crates, &from->crates, end);
	unsafe_get_user(list->count, &from->count, end);
	unsafe_get_user(list->flags, &from->flags, end);
	if (list->count == 0) {
		first->bytes = 0;
	} else if (list->count > 1) {
		ret = -EINVAL;
		goto end;
	} else {
		inner = list->crates;
		if (!access_ok(inner, sizeof(*inner)))
			goto end;
		unsafe_get_user(first->base, &inner->base, end);
		unsafe_get_user(first->bytes, &inner->bytes, end);
	}
	ret = 0;
end:
	user_read_access_end();
	return ret;
}

static int crate_list_get_trusting(struct crate_list *list, struct crate *first,
				   struct crate_list __user *from)
{
	struct crate __user *inner;
	int ret = -EFAULT;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(list->crates, &from->crates, end);
	unsafe_get_user(list->flags, &from->flags, end);
	inner = list->crates;
	unsafe_get_user(first->bytes, &inner->bytes, end);	/* FINDS: other-pointer */
	ret = 0;
end:
	user_read_access_end();
	return ret;
}

/* It was asked, and the answer was not heeded. */
static int crate_peek_heedless(size_t *bytes, struct crate_list __user *from, struct crate __user *inner)
{
	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	if (!access_ok(inner, sizeof(*inner)))
		*bytes = 0;
	unsafe_get_user(*bytes, &inner->bytes, end);		/* FINDS: other-pointer */
	user_read_access_end();
	return 0;
end:
	user_read_access_end();
	return -EFAULT;
}

/* kernel/compat.c: a mask in words, by a macro with a switch that falls through. */
#define unsafe_put_words(to, word, count, label) do {			\
	u32 __user *__words = (to);					\
									\
	switch (count) {						\
	case 4:								\
		unsafe_put_user((word)[3], &__words[3], label);		\
		unsafe_put_user((word)[2], &__words[2], label);		\
		__attribute__((fallthrough));				\
	case 2:								\
		unsafe_put_user((word)[1], &__words[1], label);		\
		__attribute__((fallthrough));				\
	case 1:								\
		unsafe_put_user((word)[0], &__words[0], label);		\
	}								\
} while (0)

static int crate_marks_put(u32 __user *to, const u32 *marks, int count)
{
	if (!user_write_access_begin(to, count * sizeof(*to)))
		return -EFAULT;
	unsafe_put_words(to, marks, count, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* move_addr_to_user(): read, cut, write back, in one window for both. */
static int crate_room(int room, int __user *user_room)
{
	int wanted;

	if (!user_access_begin(user_room, sizeof(*user_room)))
		return -EFAULT;
	unsafe_get_user(wanted, user_room, fault);
	if (wanted > room)
		wanted = room;
	if (wanted >= 0)
		unsafe_put_user(room, user_room, fault);
	user_access_end();
	return wanted < 0 ? -EINVAL : wanted;
fault:
	user_access_end();
	return -EFAULT;
}

/* For one way, and then used for the other as well. */
static int crate_room_narrow(int room, int __user *user_room)
{
	int wanted;

	if (!user_read_access_begin(user_room, sizeof(*user_room)))
		return -EFAULT;
	unsafe_get_user(wanted, user_room, fault);
	if (wanted > room)
		wanted = room;
	unsafe_put_user(wanted, user_room, fault);	/* FINDS: wrong-mode */
	user_read_access_end();
	return wanted;
fault:
	user_read_access_end();
	return -EFAULT;
}
