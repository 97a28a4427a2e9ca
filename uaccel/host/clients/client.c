// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first program of a booted kernel: it calls SNDRV_PCM_IOCTL_SYNC_PTR in known ways and says
 * what came back, or runs another program.  Each line for a machine begins with "uaccel-client: ".
 *
 *   client calls N [time64]   N calls of each kind; time64: as a 32-bit program with 64-bit time
 *   client run PROGRAM ...    PROGRAM as a child, then its exit status
 *
 * Without arguments they are the lines of the file /uaccel.arguments.
 *
 * A debugger stops at uaccel_before, which is the instruction that enters the kernel, and at
 * uaccel_after, which is the next one; the n-th stop belongs to the n-th line "call=".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((uintptr_t)getpagesize())
#define MARK "uaccel-client: "
#define DEVICE "/dev/snd/pcmC0D0p"
#define FILLED 0xa5 /* what the kernel leaves alone keeps this value */

/*
 * The interface of Linux (include/uapi/sound/asound.h) in our own words: sizes and offsets.
 * The numbers of requests are written out: the library's macros would take the sizes of its own structs.
 */

struct interval {
	uint32_t min, max;
	uint32_t open_min : 1, open_max : 1, integer : 1, empty : 1;
};

struct hw_params {
	uint32_t flags;
	uint32_t masks[3][8]; /* access, format, subformat */
	uint32_t more_masks[5][8];
	struct interval intervals[12], more_intervals[9];
	uint32_t requested, changed, info, msbits, rate_num, rate_den;
	unsigned long fifo_size;
	unsigned char reserved[64];
};

enum { ACCESS_RW_INTERLEAVED = 3, FORMAT_S16_LE = 2 };
enum { CHANNELS = 2, RATE = 3, PERIOD_SIZE = 5, PERIODS = 7 };
enum { GROUP = 'A', REQUEST_HW_PARAMS = 0x11, REQUEST_SYNC_PTR = 0x23 };
enum { REQUEST_PREPARE = 0x40 };
enum { HWSYNC = 1, ASKS_APPL = 2, ASKS_AVAIL_MIN = 4, ASKS = ASKS_APPL | ASKS_AVAIL_MIN };

struct layout {
	int size, appl_ptr, avail_min; /* bytes; -1 where it is not for us to set */
	int end; /* behind the last field that has a meaning */
};

static const struct layout own_time = {
	.size = sizeof(long) + 128,
	.appl_ptr = sizeof(long) + 64,
	.avail_min = 2 * sizeof(long) + 64,
	.end = 3 * sizeof(long) + 64,
};
static const struct layout time64 = { .size = 136, .appl_ptr = -1, .avail_min = -1, .end = 88 };

static unsigned long request(int number, int size)
{
	/* On powerpc a request without data has a bit of its own. */
#if defined(__powerpc__)
	unsigned long none = 1ul << 29;
#else
	unsigned long none = 0;
#endif
	unsigned long both = size ? 3ul << 30 : none;

	return both | (unsigned long)size << 16 | GROUP << 8 | number;
}

/* The system call itself: returns what the kernel does, a negative errno or not. */
#define LABELLED(instruction) \
	".globl uaccel_before, uaccel_after\nuaccel_before: " instruction "\nuaccel_after:\n"

__attribute__((noinline)) static long enter_ioctl(int fd, unsigned long number, void *pointer)
{
#if defined(__powerpc__)
	register long nr __asm__("r0") = 54;
	register long a __asm__("r3") = fd;
	register long b __asm__("r4") = number;
	register long c __asm__("r5") = (long)pointer;

	__asm__ volatile(LABELLED("sc") "bns+ 1f\nneg 3,3\n1:"
			 : "+r"(nr), "+r"(a), "+r"(b), "+r"(c)
			 :
			 : "memory", "cr0", "ctr", "xer", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
	return a;
#elif defined(__i386__)
	long result;

	__asm__ volatile(LABELLED("int $0x80")
			 : "=a"(result)
			 : "0"(54l), "b"((long)fd), "c"(number), "d"(pointer)
			 : "memory", "cc");
	return result;
#elif defined(__x86_64__)
	long result;

	__asm__ volatile(LABELLED("syscall")
			 : "=a"(result)
			 : "0"(16l), "D"((long)fd), "S"(number), "d"(pointer)
			 : "memory", "cc", "rcx", "r11");
	return result;
#elif defined(__aarch64__)
	register long nr __asm__("x8") = 29;
	register long a __asm__("x0") = fd;
	register unsigned long b __asm__("x1") = number;
	register void *c __asm__("x2") = pointer;

	__asm__ volatile(LABELLED("svc #0") : "+r"(a) : "r"(nr), "r"(b), "r"(c) : "memory", "cc");
	return a;
#elif defined(__arm__)
	/* r7 may be the frame pointer, so it comes back before the compiler misses it. */
	register long a __asm__("r0") = fd;
	register unsigned long b __asm__("r1") = number;
	register void *c __asm__("r2") = pointer;

	__asm__ volatile("mov r12, r7\nmov r7, #54\n" LABELLED("svc #0") "mov r7, r12"
			 : "+r"(a)
			 : "r"(b), "r"(c)
			 : "memory", "cc", "r12");
	return a;
#else
#error "no system call is written for this architecture"
#endif
}

static void leave(int status)
{
	printf(MARK "ends status=%d\n", status);
	fflush(stdout);
	sync();
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	_exit(status);
}

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	printf(MARK "failed what=%s errno=%d\n", what, errno);
	leave(1);
}

static void only(struct hw_params *params, int interval, uint32_t value)
{
	params->intervals[interval] = (struct interval){ .min = value, .max = value, .integer = 1 };
}

static int open_device(void)
{
	struct hw_params params;
	int fd = open(DEVICE, O_RDWR);

	must(fd, "open");
	memset(&params, 0, sizeof(params));
	memset(params.masks, 0xff, sizeof(params.masks));
	for (int i = 0; i < 12; i++)
		params.intervals[i].max = ~0u;
	memset(params.masks[0], 0, 2 * sizeof(params.masks[0]));
	params.masks[0][0] = 1u << ACCESS_RW_INTERLEAVED;
	params.masks[1][0] = 1u << FORMAT_S16_LE;
	only(&params, CHANNELS, 1);
	only(&params, RATE, 8000);
	only(&params, PERIOD_SIZE, 40);
	only(&params, PERIODS, 16);
	params.requested = ~0u;
	must(syscall(SYS_ioctl, fd, request(REQUEST_HW_PARAMS, sizeof(params)), &params), "hw_params");
	must(syscall(SYS_ioctl, fd, request(REQUEST_PREPARE, 0), NULL), "prepare");
	return fd;
}

/* One way of calling: where the struct lies, and what its flags ask for. */
struct kind {
	const char *name;
	uint32_t flags;
	unsigned char *at;
	int readable; /* bytes of it that may be looked at afterwards */
};

static unsigned char *pages(int count, int protection)
{
	void *got = mmap(NULL, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(got == MAP_FAILED ? -1 : 0, "mmap");
	return got;
}

/* A page that is followed by one that is not there. */
static unsigned char *before_a_hole(void)
{
	unsigned char *two = pages(2, PROT_READ | PROT_WRITE);

	must(munmap(two + PAGE, PAGE), "munmap");
	return two;
}

/* The last page that may be mapped: none above it may. */
static unsigned char *last_page(void)
{
	uintptr_t low = 0x10, high = UINTPTR_MAX / PAGE; /* pages: there may be some, there are none */
	const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	while (high - low > 1) {
		uintptr_t middle = low + (high - low) / 2;
		void *got = mmap((void *)(middle * PAGE), PAGE, PROT_READ | PROT_WRITE, how, -1, 0);
		int taken = got == MAP_FAILED && errno == EEXIST;

		if (got != MAP_FAILED)
			munmap(got, PAGE);
		if (taken || got == (void *)(middle * PAGE))
			low = middle;
		else
			high = middle;
	}
	mmap((void *)(low * PAGE), PAGE, PROT_READ | PROT_WRITE, how, -1, 0);
	return (unsigned char *)(low * PAGE);
}

static void fill(const struct kind *kind, const struct layout *layout)
{
	unsigned long appl_ptr = 0, avail_min = 1;

	memset(kind->at, FILLED, kind->readable);
	if (kind->readable >= (int)sizeof(kind->flags))
		memcpy(kind->at, &kind->flags, sizeof(kind->flags));
	if (layout->appl_ptr < 0 || kind->readable < layout->end)
		return;
	memcpy(kind->at + layout->appl_ptr, &appl_ptr, sizeof(appl_ptr));
	memcpy(kind->at + layout->avail_min, &avail_min, sizeof(avail_min));
}

static void say(const struct kind *kind, int number, long result)
{
	printf(MARK "call=%s number=%d flags=%u result=%ld bytes=", kind->name, number,
	       (unsigned)kind->flags, result);
	for (int i = 0; i < kind->readable; i++)
		printf("%02x", kind->at[i]);
	printf("\n");
}

static void call(int fd, const struct kind *kind, const struct layout *layout, int count)
{
	unsigned long number = request(REQUEST_SYNC_PTR, layout->size);

	for (int i = 0; i < count; i++) {
		long result;

		fill(kind, layout);
		if (!strcmp(kind->name, "read-only"))
			must(mprotect(kind->at, PAGE, PROT_READ), "mprotect");
		result = enter_ioctl(fd, number, kind->at);
		if (!strcmp(kind->name, "read-only"))
			must(mprotect(kind->at, PAGE, PROT_READ | PROT_WRITE), "mprotect");
		say(kind, i, result);
	}
}

static void calls(int count, const struct layout *layout)
{
	unsigned char *good = pages(1, PROT_READ | PROT_WRITE);
	unsigned char *edge = before_a_hole() + PAGE, *last = last_page() + PAGE;
	const int size = layout->size;
	int fd = open_device();
	const struct kind kinds[] = {
		{ "plain", ASKS, good, size },
		{ "HWSYNC", HWSYNC | ASKS, good, size },
		{ "appl_ptr", ASKS_AVAIL_MIN, good, size }, /* sets what it does not ask for */
		{ "avail_min", ASKS_APPL, good, size },
		{ "both", 0, good, size },
		{ "unmapped", ASKS, edge, 0 },
		{ "across-the-edge", ASKS, edge - 8, 8 }, /* its flags are there, nothing else */
		{ "short", ASKS, edge - layout->end, layout->end }, /* all that matters is there */
		{ "end-of-user-space", ASKS, last - 8, 8 },
		{ "kernel", ASKS, (unsigned char *)(~0ul - 4095), 0 },
		{ "read-only", ASKS, good, size },
	};

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (layout->appl_ptr >= 0 || kinds[i].flags >= ASKS)
			call(fd, &kinds[i], layout, count);
}

/* What is executed from here to there is the life of another program. */
__attribute__((noinline)) void uaccel_begin(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void uaccel_end(void)
{
	__asm__ volatile("" ::: "memory");
}

static void run_program(char **argv)
{
	int status = -1;
	pid_t child;

	printf(MARK "runs program=%s\n", argv[0]);
	fflush(stdout);
	uaccel_begin();
	child = fork();
	must(child, "fork");
	if (child == 0) {
		execve(argv[0], argv, (char *[]){ "HOME=/", "PATH=/usr/bin:/bin", "TERM=dumb", NULL });
		printf(MARK "failed what=execve errno=%d\n", errno);
		fflush(stdout);
		_exit(127);
	}
	while (waitpid(child, &status, 0) != child)
		;
	uaccel_end();
	if (WIFSIGNALED(status))
		printf(MARK "killed signal=%d\n", WTERMSIG(status));
	else
		printf(MARK "exited status=%d\n", WEXITSTATUS(status));
}

static void mount_all(void)
{
	int console;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/tmp", 01777);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	console = open("/dev/console", O_RDWR);
	for (int fd = 0; console >= 0 && fd < 3; fd++)
		dup2(console, fd);
}

static char **arguments(void)
{
	static char text[4096], *words[64];
	int fd = open("/uaccel.arguments", O_RDONLY), count = 0;
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	char *rest = text;

	text[length < 0 ? 0 : length] = '\0';
	while (count < 63 && (words[count] = strsep(&rest, "\n")) && *words[count])
		count++;
	words[count] = NULL;
	close(fd);
	return words;
}

int main(int argc, char **argv)
{
	char **words = argv + 1;

	if (getpid() == 1)
		mount_all();
	if (argc < 2)
		words = arguments();
	printf(MARK "begins bits=%d\n", (int)sizeof(long) * 8);
	if (words[0] && words[1] && !strcmp(words[0], "run"))
		run_program(words + 1);
	else if (words[0] && words[1] && !strcmp(words[0], "calls"))
		calls(atoi(words[1]), words[2] && !strcmp(words[2], "time64") ? &time64 : &own_time);
	else
		printf(MARK "failed what=arguments errno=%d\n", EINVAL);
	leave(0);
}
