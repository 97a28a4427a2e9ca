/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of paper for generated functions: it knows whether user access is
 * open, which access faults, and notes what was accessed.  It is not the
 * kernel: it shows that two texts do the same, never what they cost.
 */
#include <stdio.h>
#include <string.h>

typedef unsigned int u32;

#define EIO 5
#define EFAULT 14
#define __user

struct lamp_sync {
	u32 level;
	u32 flags;
	struct {
		u32 colour;
		u32 on;
	} now;
	struct {
		struct {
			u32 tv_sec;
		} when;
	} state;
};

struct lamp {
	u32 level;
	int lock;
};

static struct lamp_sync user;
static struct lamp the_lamp, *lamp = &the_lamp;
static struct { u32 when; } state;
static struct { struct { u32 z; } y; } x;
static u32 table[4];

static int fault_at;	/* number of the access that faults, -1 for none */
static int bad_range;	/* the pointer is not the user's */
static int is_open, mode, errors;
static int accesses, trace[64];

static int touch(const void *at, int width, int writes)
{
	trace[accesses] = (int)((const char *)at - (const char *)&user) * 16 + width * 2 + writes;
	return accesses++ == fault_at;
}

static void expect(int condition)
{
	errors += !condition;
}

static void lamp_tick(void)
{
	expect(!is_open);	/* no window may hold a call */
}

#define checked(at, writes) (expect(!is_open), bad_range || touch(at, sizeof(*(at)), writes))
#define get_user(value, at) \
	(checked(at, 0) ? ((value) = 0, -EFAULT) : ((value) = *(at), 0))
#define store(value, at) ({ \
	__typeof__(*(at)) stored = (value); \
	memcpy((void *)(at), &stored, sizeof(stored)); \
	0; })
#define put_user(value, at) ({ \
	__typeof__(*(at)) wanted = (value); \
	checked(at, 1) ? -EFAULT : store(wanted, at); })

static int begin(const void *at, unsigned long size, int writes)
{
	expect(!is_open && at == &user && size == sizeof(user));
	if (bad_range)
		return 0;
	is_open = 1;
	mode = writes;
	return 1;
}

static void end(int writes)
{
	expect(is_open && mode == writes);
	is_open = 0;
}

#define user_read_access_begin(at, size) begin(at, size, 0)
#define user_write_access_begin(at, size) begin(at, size, 1)
#define user_read_access_end() end(0)
#define user_write_access_end() end(1)
#define unsafe_get_user(value, at, label) do { \
	expect(is_open && mode == 0); \
	if (touch(at, sizeof(*(at)), 0)) \
		goto label; \
	(value) = *(at); \
} while (0)
#define unsafe_put_user(value, at, label) do { \
	expect(is_open && mode == 1); \
	if (touch(at, sizeof(*(at)), 1)) \
		goto label; \
	store(value, at); \
} while (0)

static void unlock(int *lock) { (void)lock; }
static int lock(int *lock) { (void)lock; expect(!is_open); return 0; }
static void lamp_reset(struct lamp *one) { expect(!is_open); one->level = 7; }
static void lamp_step(struct lamp *one, int by) { expect(!is_open); one->level += by; }

#define PASTE(a, b) a##b
#define NAMED(number) PASTE(held, number)
#define guard(kind) __attribute__((cleanup(unlock))) int NAMED(__COUNTER__) = lock
#define scoped_guard(kind, held) for (int once = 1; once; once = 0)
#define SYSCALL_DEFINE2(name, type1, arg1, type2, arg2) long name(type1 arg1, type2 arg2)
#define COMPAT_SYSCALL_DEFINE1(name, type, arg) long name(type arg)
