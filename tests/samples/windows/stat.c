// SPDX-License-Identifier: GPL-2.0-only
/*
 * cp_stat64() of x86: a function is called while the window is open, and what
 * was opened for writing is closed by the end for both (so still in 6.12).
 */
struct vat_stat {
	u64 cellar;
	u32 owner;
	u64 litres;
};

struct vat {
	u64 cellar;
	u32 owner;
	u64 litres;
};

u64 vat_cellar_code(u64 cellar);
u32 vat_owner_seen(u32 owner);

static int vat_stat_calls(struct vat_stat __user *to, const struct vat *vat)
{
	u32 owner;

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(vat_cellar_code(vat->cellar), &to->cellar, fault); /* FINDS: argument-effects */
	owner = vat_owner_seen(vat->owner);		/* FINDS: call-inside */
	unsafe_put_user(owner, &to->owner, fault);
	unsafe_put_user(vat->litres, &to->litres, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int vat_stat_generic(struct vat_stat __user *to, const struct vat *vat)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(vat->owner, &to->owner, fault);
	unsafe_put_user(vat->litres, &to->litres, fault);
	user_access_end();				/* FINDS: wrong-end */
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int vat_stat(struct vat_stat __user *to, const struct vat *vat)
{
	u64 cellar = vat_cellar_code(vat->cellar);
	u32 owner = vat_owner_seen(vat->owner);

	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(cellar, &to->cellar, fault);
	unsafe_put_user(owner, &to->owner, fault);
	unsafe_put_user(vat->litres, &to->litres, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
