/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user access API of the kernel, for C that runs as a program: every access
 * is noted, may fault, and is looked at against the state of the window.  It is
 * not the kernel: it shows that two texts do the same, never what they cost.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define EFAULT 14
#define EINVAL 22
#define __user
#define __force
#define __maybe_unused __attribute__((unused))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SYSCALL_DEFINE4(name, type1, arg1, type2, arg2, type3, arg3, type4, arg4) \
	static long name(type1 arg1, type2 arg2, type3 arg3, type4 arg4)

/* What an open window lets through. */
enum { READS = 1, WRITES = 2, MASKED = 4 };

long shim_get(void *value, const void *at, unsigned long size, bool checked);
long shim_put(const void *value, void *at, unsigned long size, bool checked);
long shim_unsafe_get(void *value, const void *at, unsigned long size);
long shim_unsafe_put(const void *value, void *at, unsigned long size);
unsigned long shim_copy_from(void *to, const void *from, unsigned long size, bool checked);
unsigned long shim_copy_to(void *to, const void *from, unsigned long size, bool checked);
long shim_unsafe_copy_from(void *to, const void *from, unsigned long size);
long shim_unsafe_copy_to(void *to, const void *from, unsigned long size);
unsigned long shim_clear(void *to, unsigned long size, bool checked);
bool shim_begin(const void *at, unsigned long size, int mode);
void *shim_masked(const void *at, int mode);
void shim_end(int mode);
bool shim_range(const void *at, unsigned long size);
bool shim_keeps(const char *target);
bool shim_noughts(const char *target);
bool shim_zeroes(void);

/* Foreign functions: their calls are noted; none may run inside a window. */
void lamp_tick(u64 value);
u32 lamp_next(u64 value);
int lamp_ready(u64 value);
u32 lamp_step(u64 value);	/* as the two before, but never in an argument of an access */
int lamp_idle(u64 value);
void lamp_fill(void *at, unsigned long size);
void lamp_show(const void *at, unsigned long size);
int lamp_lock(int *lock);
void lamp_unlock(int *held);

#define access_ok(at, size) shim_range(at, size)

#define shim_get_user(value, at, checked, target) ({					\
	__typeof__(at) shim_at = (at);						\
	__typeof__(*shim_at) shim_value = 0;					\
	long shim_err = shim_get((void *)&shim_value, (const void *)shim_at,	\
				 sizeof(*shim_at), checked);			\
	if (shim_noughts(target))						\
		(value) = 0;							\
	else if (!shim_err || !shim_keeps(target))					\
		(value) = shim_value;						\
	(int)shim_err; })
#define shim_put_user(value, at, checked) ({					\
	__typeof__(at) shim_at = (at);						\
	__typeof__(*shim_at) shim_value = (__typeof__(*shim_at))(value);	\
	(int)shim_put((const void *)&shim_value, (void *)shim_at,		\
		      sizeof(*shim_at), checked); })
#define get_user(value, at) shim_get_user(value, at, true, #value)
#define __get_user(value, at) shim_get_user(value, at, false, #value)
#define put_user(value, at) shim_put_user(value, at, true)
#define __put_user(value, at) shim_put_user(value, at, false)

#define copy_from_user(to, from, size) shim_copy_from(to, from, size, true)
#define copy_to_user(to, from, size) shim_copy_to(to, from, size, true)
#define __copy_from_user(to, from, size) shim_copy_from(to, from, size, false)
#define __copy_to_user(to, from, size) shim_copy_to(to, from, size, false)
#define clear_user(to, size) shim_clear(to, size, true)
#define __clear_user(to, size) shim_clear(to, size, false)

#define check_object_size(at, size, to_user) ((void)(at), (void)(size))

#define unsafe_get_user(value, at, label) do {					\
	__typeof__(at) shim_at = (at);						\
	__typeof__(*shim_at) shim_value = 0;					\
	long shim_err = shim_unsafe_get((void *)&shim_value,			\
				(const void *)shim_at, sizeof(*shim_at));	\
	if (!shim_err || shim_zeroes())						\
		(value) = shim_value;						\
	if (shim_err)								\
		goto label;							\
} while (0)
#define unsafe_put_user(value, at, label) do {					\
	__typeof__(at) shim_at = (at);						\
	__typeof__(*shim_at) shim_value = (__typeof__(*shim_at))(value);	\
	if (shim_unsafe_put((const void *)&shim_value, (void *)shim_at,		\
			    sizeof(*shim_at)))					\
		goto label;							\
} while (0)
#define unsafe_copy_from_user(to, from, size, label) do {			\
	if (shim_unsafe_copy_from(to, from, size))				\
		goto label;							\
} while (0)
#define unsafe_copy_to_user(to, from, size, label) do {				\
	if (shim_unsafe_copy_to(to, from, size))				\
		goto label;							\
} while (0)

#define user_access_begin(at, size) shim_begin(at, size, READS | WRITES)
#define user_rw_access_begin(at, size) shim_begin(at, size, READS | WRITES)
#define user_read_access_begin(at, size) shim_begin(at, size, READS)
#define user_write_access_begin(at, size) shim_begin(at, size, WRITES)
#define user_access_end() shim_end(READS | WRITES)
#define user_read_access_end() shim_end(READS)
#define user_write_access_end() shim_end(WRITES)

/* Built once with masked begins and once without, as architectures differ. */
#ifndef SHIM_MASKED
#define SHIM_MASKED 0
#endif
#define can_do_masked_user_access() SHIM_MASKED
#define masked_user_access_begin(at) ((__typeof__(at))shim_masked(at, READS | WRITES))
#define masked_user_read_access_begin(at) ((__typeof__(at))shim_masked(at, READS))
#define masked_user_write_access_begin(at) ((__typeof__(at))shim_masked(at, WRITES))
#define masked_user_rw_access_begin(at) masked_user_access_begin(at)
/* Behind a range check that went well both do nothing. */
#define mask_user_address(at) (at)
#define barrier_nospec() do { } while (0)

/* As include/linux/uaccess.h of 7.3 nests them. */
#define __cleanup(function) __attribute__((cleanup(function)))
static inline __attribute__((unused)) void shim_scope_read_end(const void *at)
{
	(void)at;
	user_read_access_end();
}
static inline __attribute__((unused)) void shim_scope_write_end(const void *at)
{
	(void)at;
	user_write_access_end();
}
static inline __attribute__((unused)) void shim_scope_rw_end(const void *at)
{
	(void)at;
	user_access_end();
}
#define shim_scope_begin(mode, at, size, label) ({				\
	__typeof__(at) shim_masked_at;						\
	if (can_do_masked_user_access()) {					\
		shim_masked_at = masked_user_##mode##_access_begin(at);		\
	} else {								\
		shim_masked_at = at;						\
		if (!user_##mode##_access_begin(at, size))			\
			goto label;						\
	}									\
	shim_masked_at; })
#define shim_scope(mode, at, size, label)					\
for (bool done = false; !done; done = true)					\
	for (__auto_type _tmpptr = shim_scope_begin(mode, at, size, label);	\
	     !done; done = true)						\
		for (const __auto_type at __cleanup(shim_scope_##mode##_end) =	\
		     _tmpptr; !done; done = true)
#define scoped_user_read_access_size(at, size, label) shim_scope(read, at, size, label)
#define scoped_user_write_access_size(at, size, label) shim_scope(write, at, size, label)
#define scoped_user_rw_access_size(at, size, label) shim_scope(rw, at, size, label)
#define scoped_user_read_access(at, label) shim_scope(read, at, sizeof(*(at)), label)
#define scoped_user_write_access(at, label) shim_scope(write, at, sizeof(*(at)), label)
#define scoped_user_rw_access(at, label) shim_scope(rw, at, sizeof(*(at)), label)

#define SHIM_PASTE(a, b) a##b
#define SHIM_NAMED(number) SHIM_PASTE(shim_held, number)
#define guard(kind) __cleanup(lamp_unlock) int SHIM_NAMED(__COUNTER__) = lamp_lock
#define scoped_guard(kind, lock) \
	for (__cleanup(lamp_unlock) int shim_held = lamp_lock(lock), shim_once = 1; \
	     shim_once; shim_once = 0)

/* What a batch of cases tells the machine. */
#define OBJECTS 3
#define OBJECT_BYTES 256

void *shim_user(int object);
void *shim_kernel(int object);
u32 shim_number(int which);

struct shim_variant {
	const char *name;
	long (*call)(void);
	unsigned int permits;	/* what it declares to do otherwise */
	const char *kept;	/* targets that may keep what they held: "|a|b|", or "" */
	const char *nought;	/* what it sets to 0 when it faults */
};

struct shim_case {
	const char *name;
	int objects;			/* of the user's */
	unsigned long sizes[OBJECTS];	/* bytes of each */
	int variants;			/* the first is the original */
	const struct shim_variant *variant;
};

int shim_main(const struct shim_case *cases, int number);
