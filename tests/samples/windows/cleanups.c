// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compilers: an asm goto that leaves the scope of a variable with a clean-up is
 * miscompiled by gcc and refused by clang.
 */
struct vault {
	struct mutex lock;
	u32 gold;
	u32 silver;
};

/* The label stands outside of the block that holds the lock. */
static int vault_tell_guarded(struct vault *vault, u32 __user *to)
{
	{
		guard(mutex)(&vault->lock);
		if (!user_write_access_begin(to, sizeof(*to)))
			return -EFAULT;
		unsafe_put_user(vault->gold, to, fault);	/* FINDS: cleanup-scope */
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int vault_tell_scoped(struct vault *vault, u32 __user *to)
{
	scoped_guard(mutex, &vault->lock) {
		if (!user_write_access_begin(to, sizeof(*to)))
			return -EFAULT;
		unsafe_put_user(vault->silver, to, fault);	/* FINDS: cleanup-scope */
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int vault_tell_freed(struct vault *vault, u32 __user *to)
{
	if (vault->gold) {
		u32 *copy __free(kfree) = kmalloc(sizeof(*copy), GFP_KERNEL);

		if (!copy)
			return -EAGAIN;
		*copy = vault->gold;
		if (!user_write_access_begin(to, sizeof(*to)))
			return -EFAULT;
		unsafe_put_user(*copy, to, fault);		/* FINDS: cleanup-scope */
		user_write_access_end();
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The label in the scope of the variable, so nothing is left by the jump. */
static int vault_tell(struct vault *vault, u32 __user *to)
{
	guard(mutex)(&vault->lock);
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(vault->gold, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Locals first, then the window without the lock. */
static int vault_tell_apart(struct vault *vault, u32 __user *to)
{
	u32 gold;

	scoped_guard(mutex, &vault->lock)
		gold = vault->gold;
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(gold, to, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A scope has a clean-up of its own: leaving that one is what it is made for. */
static int vault_tell_scope(u32 gold, u32 __user *to)
{
	scoped_user_write_access(to, fault)
		unsafe_put_user(gold, to, fault);
	return 0;
fault:
	return -EFAULT;
}
