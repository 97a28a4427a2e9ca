// SPDX-License-Identifier: GPL-2.0-only
/*
 * filldir() of fs/readdir.c, 9f79b78ef744: the window was opened on the entry
 * before, then the pointer went on to the entry that is written; so until 2020.
 */
struct shelf_entry {
	u64 book;
	u64 next;
	u16 length;
	char title[];
};

struct shelf_walk {
	struct shelf_entry __user *here;
	struct shelf_entry __user *before;
	int length_before;
	int left;
	int error;
};

#define unsafe_copy_title(to, from, length, label) do {			\
	char __user *__to = (to);					\
	unsigned int __i;						\
									\
	for (__i = 0; __i < (length); __i++)				\
		unsafe_put_user((from)[__i], __to + __i, label);	\
	unsafe_put_user(0, __to + (length), label);			\
} while (0)

static bool shelf_fill_beside(struct shelf_walk *walk, const char *title, int length,
			      u64 offset, u64 book)
{
	struct shelf_entry __user *entry;
	int bytes = offsetof(struct shelf_entry, title) + length + 1;

	walk->error = -EINVAL;
	if (bytes > walk->left)
		return false;
	entry = walk->before;
	if (!user_write_access_begin(entry, sizeof(*entry)))
		goto refused;
	unsafe_put_user(offset, &entry->next, fault);
	entry = walk->here;
	unsafe_put_user(book, &entry->book, fault);		/* FINDS: other-pointer */
	user_write_access_end();
	walk->before = entry;
	walk->here = (void __user *)entry + bytes;
	return true;
fault:
	user_write_access_end();
refused:
	walk->error = -EFAULT;
	return false;
}

/* The right entry, but the title lies behind the range. */
static bool shelf_fill_short(struct shelf_walk *walk, const char *title, int length, u64 book)
{
	struct shelf_entry __user *entry = walk->here;

	if (!user_write_access_begin(entry, offsetof(struct shelf_entry, title)))
		return false;
	unsafe_put_user(book, &entry->book, fault);
	unsafe_copy_to_user(entry->title, title, length, fault);	/* FINDS: short-range */
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

static bool shelf_fill(struct shelf_walk *walk, const char *title, int length,
		       u64 offset, u64 book)
{
	struct shelf_entry __user *entry, *before;
	int bytes = offsetof(struct shelf_entry, title) + length + 1;
	int bytes_before = walk->length_before;

	walk->error = -EINVAL;
	if (bytes > walk->left)
		return false;
	entry = walk->here;
	before = (void __user *)entry - bytes_before;
	if (!user_write_access_begin(before, bytes + bytes_before))
		goto refused;
	/* This might be the entry itself: harmless, it is written below. */
	unsafe_put_user(offset, &before->next, fault);
	unsafe_put_user(book, &entry->book, fault);
	unsafe_put_user(length, &entry->length, fault);
	unsafe_copy_title(entry->title, title, length, fault);
	user_write_access_end();
	walk->here = (void __user *)entry + bytes;
	walk->length_before = bytes;
	walk->left -= bytes;
	return true;
fault:
	user_write_access_end();
refused:
	walk->error = -EFAULT;
	return false;
}

/* The pointer may walk, as long as it stays in what was checked. */
static int shelf_number_all(u64 __user *at, unsigned int count, u64 first)
{
	unsigned int i;

	if (!user_write_access_begin(at, count * sizeof(*at)))
		return -EFAULT;
	for (i = 0; i < count; i++, at++)
		unsafe_put_user(first + i, at, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
