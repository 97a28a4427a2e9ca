/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of a kernel as the module asks for, in a program: user memory is one array. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What an access of a bad pointer gives; a kernel that is right has -EFAULT. */
#ifndef FAULTS
#define FAULTS -EFAULT
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef unsigned long cycles_t;
typedef unsigned int uint;

#define __user
#define __init
#define __exit
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define noinline __attribute__((noinline))
#define unlikely(x) (x)
#define barrier() __asm__ volatile("" ::: "memory")
#define static_assert _Static_assert
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), "BUILD_BUG_ON")
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define IS_ENABLED(option) 0
#define BITS_PER_LONG 64
#define PAGE_SIZE 4096UL
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define GFP_KERNEL 0
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= -4095UL)
#define module_param(name, type, mode)
#define MODULE_PARM_DESC(name, text)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define module_init(start) int main(void) { return start() ? 1 : 0; }
#define module_exit(end) void (*unused_exit)(void) = end;
#define pr_info(format, ...) printf("[    1.000000] " pr_fmt(format), ##__VA_ARGS__)
#define pr_warn pr_info

static u8 memory[PAGE_SIZE] __aligned(4096);

static bool is_user(const void *place, size_t size)
{
	return (u8 *)place >= memory && (u8 *)place + size <= memory + PAGE_SIZE;
}

struct task { void *mm; };
static struct task task = { &task };
#define current (&task)
struct names { const char *machine, *release; };
static struct names names = { "toy", "6.12.0-toy" };
#define init_utsname() (&names)
#define num_online_cpus() 1U
#define raw_smp_processor_id() 0
#define cond_resched()
#define fatal_signal_pending(task) 0
#define vm_mmap(...) ((unsigned long)memory)
#define kzalloc(size, flags) calloc(1, size)
#define kcalloc(n, size, flags) calloc(n, size)
#define kvcalloc(n, size, flags) calloc(n, size)
#define kfree free
#define kvfree free
#define sort(base, n, size, compare, swap) qsort(base, n, size, compare)

static int vm_munmap(unsigned long place, size_t size)
{
	return place && size ? 0 : -EINVAL;
}

static u64 ktime_get_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return 1000000000ULL * now.tv_sec + now.tv_nsec;
}

#define ktime_get_real_ns() 0x1234abcdULL
/* COUNTS: what get_cycles() counts in a nanosecond; 0: it stands still. */
#define get_cycles() ((cycles_t)(COUNTS * ktime_get_ns()))

static int put(void *place, const void *value, size_t size)
{
	if (!is_user(place, size))
		return FAULTS;
	memcpy(place, value, size);
	return 0;
}

static int get(void *value, const void *place, size_t size)
{
	if (!is_user(place, size))
		return -EFAULT;
	memcpy(value, place, size);
	return 0;
}

#define access_ok(place, size) ((unsigned long)(place) < -PAGE_SIZE)
#define put_user(value, place) put(place, &(value), sizeof(*(place)))
#define get_user(value, place) get(&(value), place, sizeof(*(place)))
#define __put_user put_user
#define __get_user get_user
#define unsafe_put_user(value, place, label) do { if (put_user(value, place)) goto label; } while (0)
#define unsafe_get_user(value, place, label) do { if (get_user(value, place)) goto label; } while (0)
#define user_access_begin(place, size) access_ok(place, size)
#define user_access_end() do { } while (0)
#define copy_to_user(place, value, size) put(place, value, size)
#define copy_from_user(value, place, size) get(value, place, size)
#define clear_user(place, size) (memset(place, 0, size), 0)
