// SPDX-License-Identifier: GPL-2.0-only
/*
 * Meaning: what was checked may have changed when it is read again; a struct
 * that goes out whole takes its holes along.
 */
#define PARCEL_MOST 64

struct parcel {
	u32 count;
	u32 kind;
	u32 weight[PARCEL_MOST];
};

struct parcel_note {
	u8 kind;
	u64 weight;	/* 7 bytes of nothing before it */
	u32 count;
};

struct parcel_full {
	u64 weight;
	u32 count;
	u32 kind;
};

/* Read, checked, read again. */
static int parcel_get_again(u32 *weight, const struct parcel __user *from)
{
	u32 count, i;

	if (get_user(count, &from->count))
		return -EFAULT;
	if (count > PARCEL_MOST)
		return -EINVAL;
	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(count, &from->count, fault);	/* FINDS: double-fetch */
	for (i = 0; i < count; i++)
		unsafe_get_user(weight[i], &from->weight[i], fault);
	user_read_access_end();
	return count;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Both in one window. */
static int parcel_kind_again(u32 *kind, const struct parcel __user *from)
{
	u32 first, second;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(first, &from->kind, fault);
	if (first > 3)
		goto fault;
	unsafe_get_user(second, &from->kind, fault);	/* FINDS: double-fetch */
	user_read_access_end();
	*kind = second;
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* The head was copied and checked before. */
static int parcel_copy_again(struct parcel *to, const struct parcel __user *from)
{
	if (copy_from_user(to, from, sizeof(*to)))
		return -EFAULT;
	if (to->count > PARCEL_MOST)
		return -EINVAL;
	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(to->count, &from->count, fault);	/* FINDS: double-fetch */
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int parcel_get(u32 *weight, const struct parcel __user *from)
{
	u32 count, kind, i;

	if (get_user(count, &from->count))
		return -EFAULT;
	if (count > PARCEL_MOST)
		return -EINVAL;
	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	unsafe_get_user(kind, &from->kind, fault);
	for (i = 0; i < count; i++)
		unsafe_get_user(weight[i], &from->weight[i], fault);
	user_read_access_end();
	return kind ? count : 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Read, cut, written back: nothing is read twice. */
static int parcel_cut(struct parcel __user *at)
{
	u32 count;

	if (get_user(count, &at->count))
		return -EFAULT;
	if (count > PARCEL_MOST)
		count = PARCEL_MOST;
	if (!user_write_access_begin(at, sizeof(*at)))
		return -EFAULT;
	unsafe_put_user(count, &at->count, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The element before the one that is read now is another one. */
static int parcel_rising(const struct parcel __user *from, u32 count)
{
	u32 before = 0, weight, i;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	for (i = 0; i < count && i < PARCEL_MOST; i++) {
		unsafe_get_user(weight, &from->weight[i], fault);
		if (weight < before)
			break;
		before = weight;
	}
	user_read_access_end();
	return i == count;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Holes: filled field by field, ... */
static int parcel_note_leaks(const struct parcel *parcel, struct parcel_note __user *to)
{
	struct parcel_note note;

	note.kind = parcel->kind;
	note.weight = parcel->weight[0];
	note.count = parcel->count;
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_copy_to_user(to, &note, sizeof(note), fault);	/* FINDS: holes */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* ... or by an initialiser that names the fields: it promises nothing about holes. */
static int parcel_note_leaks_named(const struct parcel *parcel, struct parcel_note __user *to)
{
	struct parcel_note note = {
		.kind = parcel->kind,
		.weight = parcel->weight[0],
		.count = parcel->count,
	};

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_copy_to_user(to, &note, sizeof(note), fault);	/* FINDS: holes */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int parcel_note(const struct parcel *parcel, struct parcel_note __user *to)
{
	struct parcel_note note;

	memset(&note, 0, sizeof(note));
	note.kind = parcel->kind;
	note.weight = parcel->weight[0];
	note.count = parcel->count;
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_copy_to_user(to, &note, sizeof(note), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Field by field nothing else is touched; a struct without holes has nothing to give away. */
static int parcel_note_fields(const struct parcel *parcel, struct parcel_note __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(parcel->kind, &to->kind, fault);
	unsafe_put_user(parcel->weight[0], &to->weight, fault);
	unsafe_put_user(parcel->count, &to->count, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int parcel_full(const struct parcel *parcel, struct parcel_full __user *to)
{
	struct parcel_full full;

	full.weight = parcel->weight[0];
	full.count = parcel->count;
	full.kind = parcel->kind;
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_copy_to_user(to, &full, sizeof(full), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
