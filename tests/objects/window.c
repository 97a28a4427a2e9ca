/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What tests/objects/NAME.o were made from, by gcc 12 for each machine:
 *
 *	TRIPLET-gcc -O2 -g -fno-pic -fdebug-prefix-map=$PWD=/src -c window.c -o NAME.o
 *
 * No kernel code: the accessors imitate the kernel's, one way for each machine.
 * A test counts lines of this file: see the comments that say what is where.
 */
#define unlikely(x) __builtin_expect(!!(x), 0)

#if defined(__powerpc__)
#define open() asm volatile("mtspr 794, %0" :: "r"(0xdc000000) : "memory")
#define close() asm volatile("mtspr 794, %0" :: "r"(0xde000000) : "memory")
#define STORE "stw %0, %1"
#define ENTRY ".long 1b - .\n\t.long %l2 - .\n\t"
#elif defined(__riscv)
#define open() asm volatile("csrs sstatus, %0" :: "r"(0x40000) : "memory")
#define close() asm volatile("csrc sstatus, %0" :: "r"(0x40000) : "memory")
#define STORE "sw %0, %1"
#define ENTRY ".long 1b - .\n\t.long %l2 - .\n\t.short 0\n\t.short 0\n\t"
#elif defined(__x86_64__)
#ifdef OLD_ENTRIES
#define FEATURE ".word 308\n\t"
#else
#define FEATURE ".4byte 308\n\t"
#endif
#define ALTERNATIVE(new)						\
	"661:\n662: .skip 3, 0x90\n663:\n\t"				\
	".pushsection .altinstructions, \"a\"\n\t"			\
	".long 661b - .\n\t.long 664f - .\n\t" FEATURE			\
	".byte 663b - 661b\n\t.byte 665f - 664f\n\t"			\
	".popsection\n\t"						\
	".pushsection .altinstr_replacement, \"ax\"\n"			\
	"664: " new "\n665:\n\t.popsection"
#define open() asm volatile(ALTERNATIVE("stac") ::: "memory")
#define close() asm volatile(ALTERNATIVE("clac") ::: "memory")
#define STORE "movl %0, %1"
#define ENTRY ".long 1b - .\n\t.long %l2 - .\n\t.long 3\n\t"
#elif defined(__arm__)
#define open() asm volatile("mcr p15, 0, %0, c3, c0, 0" :: "r"(0x55) : "memory")
#define close() asm volatile("mcr p15, 0, %0, c3, c0, 0" :: "r"(0x51) : "memory")
#define STORE "str %0, %1"
#define ENTRY ".long 1b, %l2\n\t"
#elif defined(__s390x__)
#define open() do { } while (0)
#define close() do { } while (0)
#define STORE "st %0, %1"
#define ENTRY ".long 1b - .\n\t.long %l2 - .\n\t.short 0\n\t.short 0\n\t"
#elif defined(__aarch64__)
#define open() asm volatile("msr pan, #0" ::: "memory")
#define close() asm volatile("msr pan, #1" ::: "memory")
#define STORE "str %w0, %1"
#define ENTRY ".long 1b - .\n\t.long %l2 - .\n\t.short 0\n\t.short 0\n\t"
#endif

#define unsafe_put(value, pointer, label)				\
	asm goto("1: " STORE "\n\t"					\
		 ".pushsection __ex_table, \"a\"\n\t"			\
		 ENTRY							\
		 ".popsection"						\
		 :: "r"(value), "m"(*(pointer)) :: label)

#define LIMIT 0x7fff0000UL

struct inner {
	const unsigned int flags;
	volatile short pair[2];
};

typedef struct inner inner_t;

struct outer {
	int a;
	union {
		long long big;
		struct {
			char low, high;
		};
	};
	inner_t in;
	unsigned int bit : 3;
	struct outer *next;
	unsigned char rest[3][4];
};

struct outer seen;

static inline __attribute__((always_inline)) int put(int value, int *pointer)
{
	if (unlikely((unsigned long)pointer > LIMIT))
		return -14;
	open();
	unsafe_put(value, pointer, fault);
	close();
	return 0;
fault:
	close();
	return -14;
}

void elsewhere(void);
int __put_user_4(int value, int *pointer);

int fieldwise(int *user, int a, int b)
{
	elsewhere();
	if (put(a, &user[0]) ||		/* lines of the cluster: 108, 109 */
	    put(b, &user[1]))
		return -14;
	return 0;
}

int window(int *user, int a, int b)
{
	elsewhere();
	if (unlikely((unsigned long)user > LIMIT))	/* lines: 117, 119 - 122 */
		return -14;
	open();
	unsafe_put(a, &user[0], fault);
	unsafe_put(b, &user[1], fault);
	close();
	return 0;
fault:
	close();
	return -14;
}

int by_call(int *user, int a, int b)
{
	elsewhere();
	if (__put_user_4(a, &user[0]) ||	/* lines: 132, 133 */
	    __put_user_4(b, &user[1]))
		return -14;
	return 0;
}

#ifdef __x86_64__
asm(".globl __put_user_4\n\t.type __put_user_4, @function\n"
    "__put_user_4:\n\t"
    "mov %rsi, %rax\n\tshr $47, %rax\n\tjne 2f\n\t"
    ALTERNATIVE("stac") "\n"
    "1: movl %edi, (%rsi)\n\txor %eax, %eax\n\t"
    ALTERNATIVE("clac") "\n\t"
    "ret\n"
    "2: mov $-14, %eax\n\tret\n\t"
    ".size __put_user_4, . - __put_user_4\n\t"
    ".pushsection __ex_table, \"a\"\n\t.long 1b - .\n\t.long 2b - .\n\t.long 3\n\t.popsection");
#endif
