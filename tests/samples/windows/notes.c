// SPDX-License-Identifier: GPL-2.0-only
/*
 * put_cmsg() of net/core/scm.c, 38ebcf5096a8: it stored `len` for `cmlen`,
 * repaired a day later by e7ad33fa7bc5.  No rule of source can know which of
 * two lengths a program waits for: the first function stays without a finding.
 */
struct note {
	u64 bytes;
	u32 level;
	u32 kind;
	u8 text[];
};

struct notebook {
	struct note __user *at;
	size_t left;
};

static int note_put_wrong_value(struct notebook *book, u32 level, u32 kind, size_t length,
				const void *text)
{
	struct note __user *note = book->at;
	size_t whole = sizeof(*note) + length;

	if (whole > book->left)
		return 0;
	if (!user_write_access_begin(note, whole))
		goto refused;
	unsafe_put_user(length, &note->bytes, fault);	/* `whole` was meant */
	unsafe_put_user(level, &note->level, fault);
	unsafe_put_user(kind, &note->kind, fault);
	unsafe_copy_to_user(note->text, text, whole - sizeof(*note), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
refused:
	return -EFAULT;
}

/* The next one of that sort: the range is that of the head alone. */
static int note_put_short(struct notebook *book, u32 level, u32 kind, size_t length,
			  const void *text)
{
	struct note __user *note = book->at;
	size_t whole = sizeof(*note) + length;

	if (whole > book->left)
		return 0;
	if (!user_write_access_begin(note, sizeof(*note)))
		goto refused;
	unsafe_put_user(whole, &note->bytes, fault);
	unsafe_put_user(level, &note->level, fault);
	unsafe_put_user(kind, &note->kind, fault);
	unsafe_copy_to_user(note->text, text, length, fault);	/* FINDS: short-range */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
refused:
	return -EFAULT;
}

static int note_put(struct notebook *book, u32 level, u32 kind, size_t length, const void *text)
{
	struct note __user *note = book->at;
	size_t whole = sizeof(*note) + length;

	if (whole > book->left)
		return 0;
	if (!user_write_access_begin(note, whole))
		goto refused;
	unsafe_put_user(whole, &note->bytes, fault);
	unsafe_put_user(level, &note->level, fault);
	unsafe_put_user(kind, &note->kind, fault);
	unsafe_copy_to_user(note->text, text, whole - sizeof(*note), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
refused:
	return -EFAULT;
}
