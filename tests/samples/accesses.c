/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the emulator is tried on: functions that reach user memory, with exception tables.
 * No kernel code: the accessors imitate the kernel's, one way for each machine.
 *
 * PUT and GET are one guarded instruction each; a fault sets `error` to -14, and GET's value to 0.
 * WINDOW_OPEN and WINDOW_CLOSE are what opens and closes on that machine, where anything does.
 */
typedef unsigned int u32;
typedef unsigned long word;

#define TABLE(entry) ".pushsection __ex_table, \"a\"\n\t.balign 4\n\t" entry "\n\t.popsection\n"
#define BESIDE(at, to) ".long " at " - .\n\t.long " to " - .\n\t"

#if defined(__x86_64__) || defined(__i386__)
/* type 17 sets register 1 (cx) to the number above bit 16 */
#define WINDOW_OPEN() asm volatile("stac" ::: "memory")
#define WINDOW_CLOSE() asm volatile("clac" ::: "memory")
#define EFAULT_CX TABLE(BESIDE("1b", "2b") ".long 0xfff20111")
#define PUT(error, value, to) do {					\
	register int e asm("ecx") = error;				\
	asm volatile("1: movl %1, %2\n2:\n" EFAULT_CX			\
		     : "+r"(e) : "r"(value), "m"(*(to)) : "memory");	\
	error = e;							\
} while (0)
#define GET(error, value, from) do {					\
	register int e asm("ecx") = error;				\
	u32 v = 0;							\
	asm volatile("1: movl %2, %1\n2:\n" EFAULT_CX			\
		     : "+r"(e), "+r"(v) : "m"(*(from)));		\
	error = e; value = v;						\
} while (0)
#elif defined(__aarch64__)
#if defined(SOFTWARE)
#define WINDOW_OPEN() asm volatile("msr ttbr0_el1, %0" :: "r"(0x12345000L) : "memory")
#define WINDOW_CLOSE() asm volatile("msr ttbr0_el1, %0" :: "r"(0x23455000L) : "memory")
#else
#define WINDOW_OPEN() do { } while (0)
#define WINDOW_CLOSE() do { } while (0)
#endif
/* type 2: -14 in register w5; zero in the other one: w31, which is none, or w6 */
#define PUT(error, value, to) do {					\
	register int e asm("w5") = error;				\
	asm volatile("1: sttr %w1, [%2]\n2:\n"				\
		     TABLE(BESIDE("1b", "2b") ".short 2, 5 | 31 << 5")	\
		     : "+r"(e) : "r"(value), "r"(to) : "memory");	\
	error = e;							\
} while (0)
#define GET(error, value, from) do {					\
	register int e asm("w5") = error;				\
	register u32 v asm("w6");					\
	asm volatile("1: ldtr %w1, [%2]\n2:\n"				\
		     TABLE(BESIDE("1b", "2b") ".short 2, 5 | 6 << 5")	\
		     : "+r"(e), "=r"(v) : "r"(from));			\
	error = e; value = v;						\
} while (0)
#elif defined(__riscv)
#define WINDOW_OPEN() asm volatile("csrs sstatus, %0" :: "r"(0x40000) : "memory")
#define WINDOW_CLOSE() asm volatile("csrc sstatus, %0" :: "r"(0x40000) : "memory")
/* type 3: -14 in register x15; zero in the other one: x0, which is none, or x16 */
#define PUT(error, value, to) do {					\
	register int e asm("x15") = error;				\
	asm volatile("1: sw %1, %2\n2:\n"				\
		     TABLE(BESIDE("1b", "2b") ".short 3, 15")		\
		     : "+r"(e) : "r"(value), "m"(*(to)) : "memory");	\
	error = e;							\
} while (0)
#define GET(error, value, from) do {					\
	register int e asm("x15") = error;				\
	register u32 v asm("x16");					\
	asm volatile("1: lw %1, %2\n2:\n"				\
		     TABLE(BESIDE("1b", "2b") ".short 3, 15 | 16 << 5")	\
		     : "+r"(e), "=r"(v) : "m"(*(from)));		\
	error = e; value = v;						\
} while (0)
#elif defined(__s390x__)
#define WINDOW_OPEN() do { } while (0)
#define WINDOW_CLOSE() do { } while (0)
/* type 3: -14 in register 1; type 4: that, and 4 bytes of zeros at the address in register 2 */
#define PUT(error, value, to) do {					\
	register int e asm("1") = error;				\
	u32 v = value;							\
	asm volatile("llilh 0, 0x81\n1: mvcos %1, %2, %3\n2:\n"		\
		     TABLE(BESIDE("1b", "2b") ".short 3, 1")		\
		     : "+d"(e) : "Q"(*(to)), "Q"(v), "d"(4L) : "0", "cc", "memory"); \
	error = e;							\
} while (0)
#define GET(error, value, from) do {					\
	register int e asm("1") = error;				\
	u32 v; register u32 *p asm("2") = &v;				\
	asm volatile("llill 0, 0x81\n1: mvcos 0(%1), %2, %3\n2:\n"	\
		     TABLE(BESIDE("1b", "2b") ".short 4, 0x421")	\
		     : "+d"(e) : "a"(p), "Q"(*(from)), "d"(4L) : "0", "cc", "memory"); \
	error = e; value = v;						\
} while (0)
#else /* a fault goes on elsewhere, and that code sets what there is to set */
#if defined(__arm__)
#define WINDOW_OPEN() asm volatile("mcr p15, 0, %0, c3, c0, 0" :: "r"(0x55) : "memory")
#define WINDOW_CLOSE() asm volatile("mcr p15, 0, %0, c3, c0, 0" :: "r"(0x51) : "memory")
#define STORE "strt %1, [%2]"
#define LOAD "ldrt %1, [%2]"
#define SET(register, number) "mov " register ", #" number "\n\t"
#define ENTRY TABLE(".long 1b, 3b")
#define ADDRESS "r"
#else
#if defined(__powerpc64__)
#define WINDOW_OPEN() asm volatile("mtspr 29, %0" :: "r"(0L) : "memory")
#define WINDOW_CLOSE() asm volatile("mtspr 29, %0" :: "r"(-1L) : "memory")
#elif defined(SEGMENTS)
#define WINDOW_OPEN() asm volatile("mtsrin %0, %1" :: "r"(0x20000000), "r"(0) : "memory")
#define WINDOW_CLOSE() asm volatile("mtsrin %0, %1" :: "r"(0x60000000), "r"(0) : "memory")
#else
#define WINDOW_OPEN() asm volatile("mtspr 794, %0" :: "r"(0xdc000000) : "memory")
#define WINDOW_CLOSE() asm volatile("mtspr 794, %0" :: "r"(0xde000000) : "memory")
#endif
#define STORE "stw %1, 0(%2)"
#define LOAD "lwz %1, 0(%2)"
#define SET(register, number) "li " register ", " number "\n\t"
#define ENTRY TABLE(BESIDE("1b", "3b"))
#define ADDRESS "b"
#endif
#define ELSEWHERE(sets) ".pushsection .fixup, \"ax\"\n3: " sets "b 2b\n\t.popsection\n" ENTRY
#define PUT(error, value, to)						\
	asm volatile("1: " STORE "\n2:\n" ELSEWHERE(SET("%0", "-14"))	\
		     : "+r"(error) : "r"(value), ADDRESS (to) : "memory")
#define GET(error, value, from) do {					\
	u32 v;								\
	asm volatile("1: " LOAD "\n2:\n"				\
		     ELSEWHERE(SET("%0", "-14") SET("%1", "0"))		\
		     : "+&r"(error), "=&r"(v) : ADDRESS (from));		\
	value = v;							\
} while (0)
#endif

int outside(int a, int b);
extern u32 shared[4];
static volatile u32 hits;
struct kept { u32 first, second; };

int put_two(u32 *to, u32 a, u32 b)
{
	int error = 0;

	WINDOW_OPEN();
	PUT(error, a, &to[0]);
	if (!error)
		PUT(error, b, &to[1]);
	WINDOW_CLOSE();
	return error;
}

int get_two(u32 *from, struct kept *kept)
{
	int error = 0;
	u32 a, b;

	WINDOW_OPEN();
	GET(error, a, &from[0]);
	GET(error, b, &from[1]);
	WINDOW_CLOSE();
	kept->first = a;
	kept->second = b;
	return error;
}

int left_open(u32 *to)
{
	int error = 0;

	WINDOW_OPEN();
	PUT(error, 7, to);
	if (error)
		return error;
	WINDOW_CLOSE();
	return 0;
}

int call_inside(u32 *to)
{
	int error = 0, found;

	WINDOW_OPEN();
	found = outside(11, 22);
	PUT(error, found, to);
	WINDOW_CLOSE();
	return outside(error, found);
}

int never_opened(u32 *to)
{
	int error = 0;

	PUT(error, 9, to);
	return error;
}

int unguarded(volatile u32 *to)
{
	*to = 5;
	return 0;
}

int counts(void)
{
	hits++;
	shared[1] = 3;
	return hits;
}

int through(int (*called)(int, int))
{
	return called(1, 2) + 1;
}

int spins(void)
{
	for (;;)
		asm volatile("" ::: "memory");
}

int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

int rounds(u32 *kernel, int n)
{
	int i;

	for (i = 0; i < n; i++)
		kernel[i] = i;
	return n;
}

int breaks(void)
{
	__builtin_trap();
}

/* What the machine counts while it runs; 7 where nothing is read for it here. */
unsigned long ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low + high;
#elif defined(__aarch64__)
	unsigned long now;

	asm volatile("mrs %0, cntvct_el0" : "=r"(now));
	return now;
#elif defined(__riscv)
	unsigned long now;

	asm volatile("rdtime %0" : "=r"(now));
	return now;
#else
	return 7;
#endif
}

int elapsed(void)
{
	unsigned long first = ticks();

	return ticks() - first;
}

#ifdef __s390x__
/* type 11: goes on at the move itself, with a shorter length */
long copy_out(char *to, char *from, unsigned long size)
{
	unsigned long all = size, moved = 0;
	int more;

	do {
		size = all - moved;
		asm volatile("llilh 0, 0x81\n1: mvcos 0(%2), 0(%3), %0\n2: nopr 7\n\t"
			     "ipm %1\n\tsrl %1, 28\n"
			     TABLE(BESIDE("1b", "1b") ".short 11, 0")
			     TABLE(BESIDE("2b", "1b") ".short 11, 0")
			     : "+d"(size), "=d"(more)
			     : "a"(to + moved), "a"(from + moved) : "0", "cc", "memory");
		moved += more ? 4096 : size;
	} while (more);
	return all - moved;
}
#endif
