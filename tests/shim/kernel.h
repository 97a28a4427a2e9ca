/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as the files of tests/samples/windows name, for a
 * compiler that only reads them: what runs is tests/shim/machine.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef u32 compat_uptr_t;
typedef u32 __le32;
typedef long ssize_t;

#define EIO 5
#define EAGAIN 11
#define EFAULT 14
#define EINVAL 22
#define __user
#define __force
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BUILD_BUG_ON(wrong) _Static_assert(!(wrong), "")
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define lower_32_bits(n) ((u32)(n))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define cpu_to_le32(n) ((__le32)(n))
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof(*(p)->member) * (n))
#define u64_to_user_ptr(n) ((void __user *)(uintptr_t)(n))
#define compat_ptr(n) ((void __user *)(uintptr_t)(n))
#define barrier_nospec() do { } while (0)
#define SYSCALL_DEFINE1(name, type1, arg1) long sys_##name(type1 arg1)
#define SYSCALL_DEFINE2(name, type1, arg1, type2, arg2) long sys_##name(type1 arg1, type2 arg2)
#define SYSCALL_DEFINE3(name, type1, arg1, type2, arg2, type3, arg3) \
	long sys_##name(type1 arg1, type2 arg2, type3 arg3)
#define COMPAT_SYSCALL_DEFINE2(name, type1, arg1, type2, arg2) \
	long compat_sys_##name(type1 arg1, type2 arg2)

void *memset(void *at, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);
size_t strlen(const char *text);
bool access_ok(const void __user *at, unsigned long size);
unsigned long copy_from_user(void *to, const void __user *from, unsigned long size);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long size);
unsigned long __copy_to_user(void __user *to, const void *from, unsigned long size);
unsigned long clear_user(void __user *at, unsigned long size);
bool shim_fails(const void __user *at);

#define get_user(x, p) ((x) = *(p), shim_fails(p) ? -EFAULT : 0)
#define put_user(x, p) (*(p) = (x), shim_fails(p) ? -EFAULT : 0)
#define __get_user(x, p) get_user(x, p)
#define __put_user(x, p) put_user(x, p)
#define unsafe_get_user(x, p, label) do { \
	(x) = *(p); \
	if (shim_fails(p)) \
		goto label; \
} while (0)
#define unsafe_put_user(x, p, label) do { \
	*(p) = (x); \
	if (shim_fails(p)) \
		goto label; \
} while (0)
#define unsafe_copy_to_user(to, from, size, label) do { \
	if (__copy_to_user(to, from, size)) \
		goto label; \
} while (0)
#define unsafe_copy_from_user(to, from, size, label) do { \
	if (copy_from_user(to, from, size)) \
		goto label; \
} while (0)

#define user_access_begin(p, size) access_ok(p, size)
#define user_read_access_begin(p, size) access_ok(p, size)
#define user_write_access_begin(p, size) access_ok(p, size)
void user_access_end(void);
void user_read_access_end(void);
void user_write_access_end(void);
void __uaccess_begin(void);
void __uaccess_end(void);

bool can_do_masked_user_access(void);
void *shim_masked(const void __user *p);
#define masked_user_access_begin(p) ((__typeof__(p))shim_masked(p))
#define masked_user_read_access_begin(p) masked_user_access_begin(p)
#define masked_user_write_access_begin(p) masked_user_access_begin(p)

void shim_close(const void *held);
#define SHIM_CLEANUP __attribute__((cleanup(shim_close)))
#define shim_scope(p, size, label) \
for (bool done = false; !done; done = true) \
	for (__auto_type masked = ({ if (!access_ok(p, size)) goto label; (p); }); !done; done = true) \
		for (SHIM_CLEANUP const __auto_type p = masked; !done; done = true)
#define scoped_user_read_access_size(p, size, label) shim_scope(p, size, label)
#define scoped_user_write_access_size(p, size, label) shim_scope(p, size, label)
#define scoped_user_rw_access_size(p, size, label) shim_scope(p, size, label)
#define scoped_user_read_access(p, label) shim_scope(p, sizeof(*(p)), label)
#define scoped_user_write_access(p, label) shim_scope(p, sizeof(*(p)), label)
#define scoped_user_rw_access(p, label) shim_scope(p, sizeof(*(p)), label)

#define SHIM_PASTE(a, b) a##b
#define SHIM_NAMED(number) SHIM_PASTE(held, number)
void *shim_hold(void *lock);
#define guard(kind) SHIM_CLEANUP void *SHIM_NAMED(__COUNTER__) = shim_hold
#define scoped_guard(kind, lock) \
	for (SHIM_CLEANUP void *held = shim_hold(lock), *once = held; once; once = NULL)
#define __free(kind) SHIM_CLEANUP

struct mutex { int held; };
typedef struct { int held; } spinlock_t;
void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
void cond_resched(void);
void schedule(void);
void msleep(unsigned int ms);
void might_sleep(void);
void might_fault(void);
void *kmalloc(size_t size, int flags);
void kfree(const void *at);
#define GFP_KERNEL 0
int printk(const char *format, ...);
#define pr_warn(...) printk(__VA_ARGS__)
#define WARN_ON_ONCE(wrong) ((wrong) && printk("wrong\n"))
u32 readl(const volatile void *at);
u64 ktime_get_ns(void);
