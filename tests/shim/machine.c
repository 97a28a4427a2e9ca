// SPDX-License-Identifier: GPL-2.0-only
/* Run every variant of every case whatever faults; print what no permission covers. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include "machine.h"

/* What a variant may do otherwise than the original; tests/permits.py has the sentences. */
enum {
	KEEP = 1,	/* get_user() leaves its target alone on a fault */
	WHOLE = 2,	/* a range check covers the whole object */
	CHECK = 4,	/* accessors without a range check make one */
	STOP = 8,	/* after a fault no access is tried until a foreign call */
	NARROW = 16,	/* a begin checks nothing, each access its own range */
	ZERO = 32,	/* unsafe reads set their target to 0 on a fault */
	LEFT = 64,	/* a copy that faults gives -EFAULT, not how many bytes are left */
	TAIL = 128,	/* copy_from_user() leaves alone what it did not reach */
	RUNNABLE = 255,
	BYTES = 256,	/* bytes are compared, not how many go at once */
	LOOK = 512,	/* what differs is looked at by a function of tests/permits.py */
	EARLY = 1024,	/* a range is found bad by an access before the one that reaches it */
	NOUGHT = 2048,	/* what a cluster has read is 0 when it faults later */
	MASKS = 4096,
};

enum { NONE, ONCE, STICKY, FROM, BELOW, RANGE, NULLED, PARTIAL };
static const char *const kinds[] = {
	"no fault", "fault once", "fault from then on", "unmapped from", "unmapped below",
	"pointer outside", "null pointer", "object ends outside",
};

#define ENTRIES 400
#define USER_BYTES (OBJECTS * OBJECT_BYTES)
#define BYTE_ENTRIES 4000
#define NOTES 4
#define TIMES 2		/* ranges found bad, and clusters that fault, that one run tells apart */
#define EARLIEST 14	/* accesses that may be the first to find a range bad */
#define OTHERS 500	/* ways of the original that a function is shown */
#define MOST 2000	/* differences of one variant that are printed */

struct scenario {
	int data;	/* which contents and numbers */
	int kind;
	int at;		/* number of an access, or offset in the user's memory */
	int object;
};

struct entry {
	u8 kind;	/* r, w: an access; c: a call */
	u8 faulted;
	u16 size;
	u32 at;		/* offset in the user's memory; which function */
	u64 value;	/* what went over; an argument */
};

struct seen {
	long result;
	int entries, bytes, attempts, notes, crashed;
	int refused;	/* checks that failed, of ranges that lie within their object */
	int faults;	/* accesses that failed first, or first since a foreign call */
	int fault_at[TIMES];	/* their numbers */
	u8 user[USER_BYTES];
	u8 kernel[USER_BYTES];
	struct entry entry[ENTRIES];
	u32 byte[BYTE_ENTRIES];
	const char *note[NOTES];
	u32 note_at[NOTES];
};

static u8 user[USER_BYTES] __attribute__((aligned(4096)));
static u8 kernel[USER_BYTES] __attribute__((aligned(64)));
static const struct shim_case *this_case;
static const struct shim_variant *this_variant;	/* whose permissions hold */
static struct scenario now;
static unsigned int knobs;
static unsigned int gated = ~0U;	/* those that hold only there */
static bool outside;		/* they hold everywhere else */
static int most_calls;	/* of accessors, without a fault */
static int ordinal, knobs_from, knobs_to = ENTRIES;	/* calls of accessors; where the knobs hold */
static struct seen *seen;
static unsigned long less;	/* bytes that a copy stops short of the end of user space */
static int early[TIMES];	/* numbers of accesses that find their range bad; 0 for none */
static const char *nought;	/* targets that a cluster sets to 0 when it faults */
static int nought_from[TIMES], nought_to[TIMES];	/* first access of one, and that which faults */
static int faulted_once;
static bool not_tried;	/* the access that is made now is left out */
static int open_mode;
static const u8 *open_at;
static unsigned long open_size;
static struct { const u8 *at; unsigned long size; } ranges[16];
static int nranges;
static u64 state;
static sigjmp_buf way_out;
static long skipped, runs, permitted[MASKS];
static int printed, printed_here[64];
static volatile int running;

static void note(const char *text, const void *at)
{
	if (seen->notes < NOTES) {
		seen->note_at[seen->notes] = (u32)((const u8 *)at - user);
		seen->note[seen->notes++] = text;
	}
}

static u64 mix(u64 value)
{
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	return value ^ value >> 33;
}

/* A cluster that was rewritten may stand among others that were not. */
static bool may(unsigned int knob)
{
	if (!(knobs & knob))
		return false;
	return !(gated & knob) ||
	       (ordinal >= knobs_from && ordinal < knobs_to) != outside;
}

static void runaway(void)
{
	note("it does not come to an end", user);
	siglongjmp(way_out, 1);
}

static struct entry *enter(u8 kind, u32 at, unsigned long size)
{
	struct entry *made;

	if (seen->entries == ENTRIES)
		runaway();
	made = &seen->entry[seen->entries++];
	memset(made, 0, sizeof(*made));
	made->kind = kind;
	made->at = at;
	made->size = (u16)size;
	return made;
}

static void enter_byte(u8 kind, u32 at, u8 value)
{
	if (seen->bytes == BYTE_ENTRIES)
		runaway();
	seen->byte[seen->bytes++] = (u32)kind << 24 | (at & 0xffff) << 8 | value;
}

/* The part of user space that a null pointer reaches: inside the range, never mapped. */
static bool low(const void *at)
{
	return (uintptr_t)at < 4096;
}

static const u8 *limit(void)
{
	return now.kind == PARTIAL ? user + now.at : user + USER_BYTES;
}

static bool in_range(const void *at, unsigned long size)
{
	const u8 *first = at;

	if (low(at))
		return true;
	if (now.kind == PARTIAL) {	/* only that object lies at the end of user space */
		const u8 *object = user + now.object * OBJECT_BYTES;

		if (first >= object && first < object + OBJECT_BYTES)
			return first + size <= limit();
	}
	return first >= user && first + size <= user + USER_BYTES;
}

static bool whole_in_range(const void *at, unsigned long size)
{
	unsigned long object = ((const u8 *)at - user) / OBJECT_BYTES;

	if (!may(WHOLE) || low(at) || object >= OBJECTS || (const u8 *)at < user)
		return in_range(at, size);
	return in_range(user + object * OBJECT_BYTES, this_case->sizes[object]) &&
	       in_range(at, size);
}

/* Return how many of `size` bytes at `at` can be reached now, counting an attempt. */
static unsigned long reach(const void *at, unsigned long size)
{
	u32 offset = (u32)((const u8 *)at - user), object = offset / OBJECT_BYTES;
	int attempt = ++seen->attempts;

	if (low(at))
		return 0;
	if (now.kind == ONCE || now.kind == STICKY) {
		bool hit = attempt == now.at || (now.kind == STICKY && attempt > now.at);

		return hit ? (size > 8 ? size / 2 : 0) : size;
	}
	if (now.kind == FROM && object == (u32)now.object && offset + size > (u32)now.at)
		return offset >= (u32)now.at ? 0 : now.at - offset;
	if (now.kind == BELOW && object == (u32)now.object && offset < (u32)now.at)
		return 0;
	return size;
}

static bool stopped(void)
{
	return may(STOP) && faulted_once;
}

static void faulted(void)
{
	if (!faulted_once && seen->faults < TIMES)
		seen->fault_at[seen->faults++] = ordinal;
	faulted_once = 1;
}

/* Is it one that is to find its range bad, though it might be good? */
static bool is_early(void)
{
	int i;

	for (i = 0; i < TIMES; i++)
		if (ordinal == early[i])
			return true;
	return false;
}

/* Remember that a range is bad, when it is one that may be asked for. */
static void refused(const void *at, unsigned long size)
{
	uintptr_t plain = (uintptr_t)at & ~((uintptr_t)1 << 62);
	unsigned long offset = plain - (uintptr_t)user, object = offset / OBJECT_BYTES;

	if (object < (unsigned long)this_case->objects &&
	    offset % OBJECT_BYTES + size <= this_case->sizes[object])
		seen->refused++;
}

static long move(u8 kind, void *to, const void *from, const void *at, unsigned long size)
{
	unsigned long reached = reach(at, size), scalar = size <= 8 ? size : 0;
	struct entry *made = enter(kind, (u32)((const u8 *)at - user), size);
	unsigned long i;

	made->faulted = reached < size;
	if (reached < size)
		faulted();
	for (i = 0; i < reached; i++) {
		((u8 *)to)[i] = ((const u8 *)from)[i];
		enter_byte(kind, made->at + (u32)i, ((u8 *)to)[i]);
		made->value = scalar ? made->value | (u64)((u8 *)to)[i] << 8 * i :
				       mix(made->value * 257 + ((u8 *)to)[i] + 1);
	}
	return (long)(size - reached);
}

/* One scalar: all of it or nothing. */
static long move_scalar(u8 kind, void *to, const void *from, const void *at, unsigned long size)
{
	unsigned long reached = reach(at, size);
	struct entry *made;

	seen->attempts--;
	if (reached == size)
		return move(kind, to, from, at, size) ? -EFAULT : 0;
	seen->attempts++;
	made = enter(kind, (u32)((const u8 *)at - user), size);
	made->faulted = 1;
	faulted();
	return -EFAULT;
}

static bool plain_ok(const void *at, unsigned long size, bool checked)
{
	ordinal++;
	not_tried = stopped();
	if (not_tried)
		return false;
	if (open_mode)
		note("an ordinary accessor inside a window", at);
	if (!checked && !may(CHECK)) {
		if (!in_range(at, size)) {
			note("an access outside user space that nothing checked", at);
			return false;
		}
		if (!is_early())
			return true;
	}
	if (!is_early() && whole_in_range(at, size))
		return true;
	faulted();
	return false;
}

static bool covered(const u8 *at, unsigned long size)
{
	int i;

	if ((open_mode & MASKED) && at >= open_at && at + size <= open_at + 4096)
		return true;
	if (at >= open_at && at + size <= open_at + open_size)
		return true;
	for (i = 0; i < nranges; i++)
		if (at >= ranges[i].at && at + size <= ranges[i].at + ranges[i].size)
			return true;
	return false;
}

static bool unsafe_ok(const void *at, unsigned long size, int mode)
{
	ordinal++;
	if (!open_mode) {
		note("an unsafe access outside a window", at);
		return false;
	}
	if (!(open_mode & mode))
		note("an unsafe access in a window of the other mode", at);
	if (!covered(at, size))
		note("an access that the range check of its window does not cover", at);
	if (is_early()) {
		faulted();
		return false;
	}
	if (knobs & NARROW ? whole_in_range(at, size) : in_range(at, size))
		return true;
	if (!(open_mode & MASKED) && !(knobs & NARROW))
		note("an access outside user space that nothing checked", at);
	return false;
}

long shim_get(void *value, const void *at, unsigned long size, bool checked)
{
	if (!plain_ok(at, size, checked))
		return -EFAULT;
	return move_scalar('r', value, at, at, size);
}

long shim_put(const void *value, void *at, unsigned long size, bool checked)
{
	if (!plain_ok(at, size, checked))
		return -EFAULT;
	return move_scalar('w', at, value, at, size);
}

long shim_unsafe_get(void *value, const void *at, unsigned long size)
{
	return unsafe_ok(at, size, READS) ? move_scalar('r', value, at, at, size) : -EFAULT;
}

long shim_unsafe_put(const void *value, void *at, unsigned long size)
{
	return unsafe_ok(at, size, WRITES) ? move_scalar('w', at, value, at, size) : -EFAULT;
}

/* How much of a copy is checked, where each of its parts checks its own range. */
static unsigned long within(const void *at, unsigned long size)
{
	const u8 *first = at;

	if (!may(NARROW) || now.kind != PARTIAL || in_range(at, size) || !in_range(at, 0))
		return size;
	return (unsigned long)(limit() - first) > less ? limit() - first - less : 0;
}

/* A range without a byte is no fault of a copy; where its check stands alone it may be. */
static unsigned long is_found_bad(void)
{
	return is_early() && !not_tried ? (unsigned long)-EFAULT : 0;
}

static unsigned long remaining(unsigned long left)
{
	return left && may(LEFT) ? (unsigned long)-EFAULT : left;
}

unsigned long shim_copy_from(void *to, const void *from, unsigned long size, bool checked)
{
	unsigned long inside = within(from, size), left = size;

	if (plain_ok(from, inside, checked))
		left = size - inside + (unsigned long)move('r', to, from, from, inside);
	else if (!in_range(from, size))
		refused(from, size);
	if (!size)
		return is_found_bad();
	if (left && checked && !not_tried && !may(TAIL))
		memset((u8 *)to + size - left, 0, left);
	return remaining(left);
}

unsigned long shim_copy_to(void *to, const void *from, unsigned long size, bool checked)
{
	unsigned long inside = within(to, size);

	if (plain_ok(to, inside, checked))
		return remaining(size - inside + (unsigned long)move('w', to, from, to, inside));
	if (!in_range(to, size))
		refused(to, size);
	return size ? remaining(size) : is_found_bad();
}

long shim_unsafe_copy_from(void *to, const void *from, unsigned long size)
{
	unsigned long left = size;

	if (unsafe_ok(from, size, READS))
		left = move('r', to, from, from, size);
	if (left && may(ZERO))
		memset((u8 *)to + size - left, 0, left);
	return left ? -EFAULT : 0;
}

long shim_unsafe_copy_to(void *to, const void *from, unsigned long size)
{
	return unsafe_ok(to, size, WRITES) ? move('w', to, from, to, size) : -EFAULT;
}

unsigned long shim_clear(void *to, unsigned long size, bool checked)
{
	static const u8 zeros[OBJECT_BYTES];

	if (!plain_ok(to, size, checked))
		return size;
	return move('w', to, zeros, to, size);
}

static void opened(const void *at, unsigned long size, int mode)
{
	if (open_mode)
		note("a window inside a window", at);
	open_mode = mode;
	open_at = at;
	open_size = size;
}

bool shim_begin(const void *at, unsigned long size, int mode)
{
	ordinal++;
	if (open_mode)
		note("a window inside a window", at);
	if (is_early() || (!may(NARROW) && !in_range(at, size))) {
		refused(at, size);
		faulted();
		return false;
	}
	open_mode = 0;
	opened(at, size, mode);
	return true;
}

void *shim_masked(const void *at, int mode)
{
	const u8 *guard = user + USER_BYTES;

	ordinal++;
	if (is_early() || !in_range(at, 1) || !whole_in_range(at, 1)) {
		refused(at, 1);
		at = guard;
	}
	opened(at, 0, mode | MASKED);
	return (void *)at;
}

void shim_end(int mode)
{
	if (!open_mode)
		note("the end of a window that is not open", user);
	else if (!(open_mode & MASKED) && open_mode != mode)
		note("a window that ends in another mode than it began", user);
	open_mode = 0;
}

bool shim_range(const void *at, unsigned long size)
{
	if (!in_range(at, size)) {
		refused(at, size);
		return false;
	}
	if (nranges < 16) {
		ranges[nranges].at = at;
		ranges[nranges++].size = size;
	}
	return true;
}

static bool is_among(const char *names, const char *target)
{
	const char *found = names;
	unsigned long length = strlen(target);

	while (found && (found = strstr(found, target))) {
		if (found > names && found[-1] == '|' && found[length] == '|')
			return true;
		found++;
	}
	return false;
}

bool shim_keeps(const char *target)
{
	return not_tried || (may(KEEP) && is_among(this_variant->kept, target));
}

bool shim_noughts(const char *target)
{
	int i;

	if (!is_among(nought, target))
		return false;
	if (stopped())
		return true;
	for (i = 0; i < TIMES; i++)
		if (ordinal >= nought_from[i] && ordinal <= nought_to[i])
			return true;
	return false;
}

bool shim_zeroes(void)
{
	return may(ZERO);
}

static void call(u32 which, u64 value)
{
	if (open_mode)
		note("a call inside a window", user + which);
	enter('c', which, 0)->value = value;
	enter_byte('c', which, (u8)mix(value));
	/* What comes back depends on the argument alone: an earlier call changes no later one. */
	state = mix(now.data * 1000003 + which + value * 31 + 1);
}

void lamp_tick(u64 value)
{
	call(1, value);
	faulted_once = 0;
}

u32 lamp_next(u64 value)
{
	call(2, value);
	return (u32)state;
}

int lamp_ready(u64 value)
{
	call(3, value);
	return state & 1;
}

u32 lamp_step(u64 value)
{
	call(8, value);
	faulted_once = 0;
	return (u32)state;
}

int lamp_idle(u64 value)
{
	call(9, value);
	faulted_once = 0;
	return state & 1;
}

void lamp_fill(void *at, unsigned long size)
{
	unsigned long i;

	call(4, size);
	for (i = 0; i < size; i++)
		((u8 *)at)[i] = (u8)mix(state + i);
}

void lamp_show(const void *at, unsigned long size)
{
	u64 sum = 0;
	unsigned long i;

	for (i = 0; i < size; i++)
		sum = mix(sum + ((const u8 *)at)[i]);
	call(5, sum);
}

int lamp_lock(int *lock)
{
	call(6, (u64)((u8 *)lock - kernel));
	return 1;
}

void lamp_unlock(int *held)
{
	(void)held;
	call(7, 0);
}

void *shim_user(int object)
{
	if (now.kind == RANGE && now.object == object)
		return (void *)((uintptr_t)user | (uintptr_t)1 << 62);
	if (now.kind == NULLED && now.object == object)
		return NULL;
	return user + object * OBJECT_BYTES;
}

void *shim_kernel(int object)
{
	return kernel + object * OBJECT_BYTES;
}

u32 shim_number(int which)
{
	return (u32)(mix(now.data * 31 + which) % 6);
}

static void prepare(const struct scenario *scenario, unsigned int knob, struct seen *result)
{
	unsigned long i;

	now = *scenario;
	knobs = knob;
	seen = result;
	seen->result = 0;
	seen->entries = seen->bytes = seen->attempts = seen->notes = seen->crashed = 0;
	seen->refused = seen->faults = 0;
	for (i = 0; i < USER_BYTES; i += 8) {
		u64 one = mix(now.data * 7919 + i), other = mix(now.data * 104729 + i + 1);

		memcpy(user + i, &one, 8);
		memcpy(kernel + i, &other, 8);
	}
	faulted_once = open_mode = nranges = ordinal = 0;
	state = 0;
}

static void crash(int number)
{
	(void)number;
	siglongjmp(way_out, 2);
}

/* One run that takes more than a second of processor time does not end. */
static void hang(int number)
{
	static long last;

	if (running && runs == last)
		crash(number);
	last = runs;
}

static void execute(const struct shim_variant *variant, const struct scenario *scenario,
		    unsigned int knob, struct seen *result)
{
	int left;

	runs++;
	prepare(scenario, knob, result);
	left = sigsetjmp(way_out, 0);
	running = 1;
	if (!left) {
		seen->result = variant->call();
	} else if (left == 2) {
		seen->crashed = 1;
		note("it crashes or hangs", user);
	}
	running = 0;
	if (open_mode)
		note("a return with the window open", user);
	memcpy(seen->user, user, USER_BYTES);
	memcpy(seen->kernel, kernel, USER_BYTES);
}

/* What breaks a rule is no way of one that does not. */
static bool same(const struct seen *one, const struct seen *other, bool bytes)
{
	if (other->notes && !one->notes)
		return false;
	if (one->result != other->result || memcmp(one->user, other->user, USER_BYTES) ||
	    memcmp(one->kernel, other->kernel, USER_BYTES))
		return false;
	if (bytes)
		return one->bytes == other->bytes &&
		       !memcmp(one->byte, other->byte, one->bytes * sizeof(one->byte[0]));
	return one->entries == other->entries &&
	       !memcmp(one->entry, other->entry, one->entries * sizeof(one->entry[0]));
}

static void hex(const char *name, const u8 *bytes)
{
	int i;

	printf(", \"%s\": \"", name);
	for (i = 0; i < this_case->objects * OBJECT_BYTES || i < OBJECT_BYTES; i++)
		printf("%02x", bytes[i]);
	printf("\"");
}

static void print_seen(const char *name, const struct seen *one)
{
	int i;

	printf(", \"%s\": {\"result\": %ld, \"log\": [", name, one->result);
	for (i = 0; i < one->entries; i++) {
		const struct entry *e = &one->entry[i];

		printf("%s[\"%c\", %u, %u, %llu, %d]", i ? ", " : "", e->kind, e->at, e->size,
		       (unsigned long long)e->value, e->faulted);
	}
	printf("], \"bytes\": [");
	for (i = 0; i < one->bytes; i++)
		printf("%s%u", i ? ", " : "", one->byte[i]);
	printf("], \"notes\": [");
	for (i = 0; i < one->notes; i++)
		printf("%s\"%s (at %d)\"", i ? ", " : "", one->note[i], (int)one->note_at[i]);
	printf("]");
	hex("user", one->user);
	hex("kernel", one->kernel);
	printf("}");
}

/* Print a run that is none of the `count` before it. */
static void print_other(const struct seen *other, int *count)
{
	static u64 known[OTHERS];
	u64 sum = (u64)other->result;
	int i;

	for (i = 0; i < USER_BYTES; i++)
		sum = mix(sum + other->user[i] * 256U + other->kernel[i] + 1);
	for (i = 0; i < other->entries; i++) {
		const struct entry *one = &other->entry[i];

		sum = mix(sum + one->kind + one->faulted * 256U + one->size * 512U);
		sum = mix(mix(sum + one->at) + one->value);
	}
	for (i = 0; i < *count; i++)
		if (known[i] == sum)
			return;
	if (*count == OTHERS)
		return;
	known[(*count)++] = sum;
	printf("%s{\"number\": %d", *count > 1 ? ", " : "", *count);
	print_seen("before", other);
	printf("}");
}

/* Does a permission hold that is for a range found bad sooner than by the original? */
static bool is_bad_range(const struct scenario *scenario, const struct shim_variant *variant,
			 const struct seen *after)
{
	return variant->permits & EARLY && after && after->refused &&
	       (scenario->kind == RANGE || scenario->kind == PARTIAL);
}

/* What the original may do, for a function of tests/permits.py to look at. */
/* Where its knobs may start to hold: a later cluster may be the only one that was rewritten. */
static int last_from(unsigned int knob)
{
	return early[0] ? early[0] : knob & STOP ? EARLIEST : 0;
}

static void print_others(const struct scenario *scenario, const struct shim_variant *variant,
			 const struct seen *after)
{
	static struct seen other;
	unsigned int all = variant->permits & RUNNABLE, knob = all;
	int most = is_bad_range(scenario, variant, after) ? EARLIEST : 0, count = 0;

	do {
		for (early[0] = 0; early[0] <= most; early[0]++)
			for (knobs_from = 0; knobs_from <= last_from(knob);
			     knobs_from += early[0] ? early[0] : 1) {
				nought = NULL;
				execute(&this_case->variant[0], scenario, knob, &other);
				print_other(&other, &count);
				nought = *variant->nought ? variant->nought : NULL;
				nought_to[0] = nought && other.faults ? other.fault_at[0] : 0;
				for (nought_from[0] = 1; nought_from[0] <= nought_to[0]; nought_from[0]++) {
					execute(&this_case->variant[0], scenario, knob, &other);
					print_other(&other, &count);
				}
			}
		knob = (knob - 1) & all;
	} while (knob != all);
	early[0] = knobs_from = nought_to[0] = 0;
	nought = NULL;
}

static void print_difference(const char *what, const struct shim_variant *variant,
			     const struct seen *before, const struct seen *after)
{
	static struct seen other;
	const struct scenario scenario = now, fine = { now.data, NONE, 0, 0 };

	if (printed_here[variant - this_case->variant]++ == MOST)
		printf("{\"what\": \"more\", \"case\": \"%s\", \"variant\": \"%s\"}\n",
		       this_case->name, variant->name);
	if (printed_here[variant - this_case->variant] > MOST)
		return;
	printed++;
	printf("{\"what\": \"%s\", \"case\": \"%s\", \"variant\": \"%s\", \"kind\": \"%s\", "
	       "\"data\": %d, \"at\": %d, \"object\": %d, \"copies\": %d",
	       what, this_case->name, variant->name, kinds[now.kind], now.data, now.at,
	       now.object, !!(variant->permits & BYTES));
	print_seen("before", before);
	if (after)
		print_seen("after", after);
	prepare(&fine, 0, &other);
	memcpy(other.user, user, USER_BYTES);
	memcpy(other.kernel, kernel, USER_BYTES);
	print_seen("start", &other);
	execute(&this_case->variant[0], &fine, 0, &other);
	print_seen("fine", &other);
	printf(", \"others\": [");
	if (variant->permits & LOOK)
		print_others(&scenario, variant, after);
	printf("]}\n");
}

/* Does the original do the same when it may do `knob` from here to there? */
static bool permitted_within(const struct scenario *scenario, unsigned int knob, int from, int to,
			     const struct seen *after, bool bytes)
{
	static struct seen other;

	knobs_from = from;
	knobs_to = to;
	execute(&this_case->variant[0], scenario, knob, &other);
	knobs_from = 0;
	knobs_to = ENTRIES;
	if (!same(&other, after, bytes))
		return false;
	permitted[knob | (early[0] ? EARLY : 0) | (nought ? NOUGHT : 0)]++;
	return true;
}

/* Clusters before and behind may have been rewritten, or one between them. */
static bool is_permitted_between(const struct scenario *scenario, unsigned int all, int calls,
				 const struct seen *after, bool bytes)
{
	bool found = false;
	int from, to, side;

	for (side = 0; side < 2 && !found; side++) {
		outside = side;
		for (from = 1; from <= calls && !found; from++)
			for (to = from + 1; to <= calls && !found; to++)
				found = permitted_within(scenario, all, from, to, after, bytes);
	}
	outside = false;
	return found;
}

static bool is_permitted(const struct scenario *scenario, unsigned int all, int calls,
			 const struct seen *after, bool bytes)
{
	unsigned int knob;
	bool found;
	int at;

	for (knob = 1; knob <= all; knob++)
		if (!(knob & ~all) && permitted_within(scenario, knob, 0, ENTRIES, after, bytes))
			return true;
	for (knob = all; knob; knob = (knob - 1) & all)
		for (at = 1; at <= calls; at++)
			if (permitted_within(scenario, knob, at + 1, ENTRIES, after, bytes) ||
			    permitted_within(scenario, knob, 0, at + 1, after, bytes))
				return true;
	if (gated != ~0U || !(all & (NARROW | ZERO)))
		return false;
	/* A window may be unmade, and only some of its accesses be in a new one. */
	gated = ~(unsigned int)(NARROW | ZERO);
	found = is_permitted(scenario, all, calls, after, bytes);
	gated = ~0U;
	return found;
}

static bool is_permitted_pairwise(const struct scenario *scenario, unsigned int permits, int calls,
				  const struct seen *after, bool bytes)
{
	unsigned int all = permits & RUNNABLE;
	bool found;

	if (!all || (permits & LOOK) || calls > 14)
		return false;
	found = is_permitted_between(scenario, all, calls, after, bytes);
	gated = ~(unsigned int)(NARROW | ZERO);
	found = found || is_permitted_between(scenario, all, calls, after, bytes);
	gated = ~0U;
	return found;
}

/* With any part of what it may do, everywhere or from an access on. */
static bool is_permitted_from(const struct scenario *scenario, unsigned int all, int from,
			      const struct seen *after, bool bytes)
{
	unsigned int knob = all;

	for (;; knob = (knob - 1) & all) {
		if (permitted_within(scenario, knob, 0, ENTRIES, after, bytes))
			return true;
		if (knob && from > 1 &&
		    permitted_within(scenario, knob, from, ENTRIES, after, bytes))
			return true;
		if (!knob)
			return false;
	}
}

/* The scalars that a copy is taken apart into may end short of where user space does. */
static bool is_permitted_short(const struct scenario *scenario, unsigned int all,
			       const struct seen *after, bool bytes)
{
	unsigned int knob;
	bool found = false;

	if (!bytes || !(all & NARROW) || scenario->kind != PARTIAL)
		return false;
	for (less = 1; less < 8 && !found; less++)
		for (knob = all; knob && !found; knob = (knob - 1) & all)
			found = permitted_within(scenario, knob, 0, ENTRIES, after, bytes);
	less = 0;
	return found;
}

/* A cluster that faults may set to 0 what it has read; where one begins is not known here. */
static bool is_permitted_nought(const struct scenario *scenario, const struct shim_variant *variant,
				const struct seen *after, bool bytes)
{
	static struct seen other;
	unsigned int all = variant->permits & RUNNABLE, knob;
	bool found = false;

	for (knob = all; knob && !found; knob = (knob - 1) & all) {
		nought = NULL;
		execute(&this_case->variant[0], scenario, knob, &other);
		nought = variant->nought;
		nought_to[0] = other.faults > 0 ? other.fault_at[0] : 0;
		nought_to[1] = other.faults > 1 ? other.fault_at[1] : 0;
		for (nought_from[0] = 1; nought_from[0] <= nought_to[0] && !found; nought_from[0]++) {
			nought_from[1] = nought_to[1] ? nought_to[0] + 1 : 1;
			do {
				found = permitted_within(scenario, knob, 0, ENTRIES, after, bytes) ||
					permitted_within(scenario, knob, nought_from[0], ENTRIES,
							 after, bytes) ||
					permitted_within(scenario, knob, nought_from[1], ENTRIES,
							 after, bytes);
			} while (nought_from[1]++ < nought_to[1] && !found);
		}
	}
	nought = NULL;
	return found;
}

static bool is_permitted_early(const struct scenario *scenario, const struct shim_variant *variant,
			       int calls, const struct seen *after, bool bytes)
{
	unsigned int all = variant->permits & RUNNABLE;
	bool found = false;
	int first, second, last = after->refused > 1 ? calls : 0;

	calls = calls < EARLIEST ? calls : EARLIEST;
	for (first = 1; first <= calls && !found; first++)
		for (second = 0; second <= last && !found; second = second ? second + 1 : first + 1) {
			early[0] = first;
			early[1] = second;
			found = is_permitted_from(scenario, all, first, after, bytes) ||
				(*variant->nought &&
				 is_permitted_nought(scenario, variant, after, bytes));
		}
	early[0] = early[1] = 0;
	return found;
}

static void compare(const struct scenario *scenario, const struct shim_variant *variant,
		    const struct seen *before, int calls)
{
	static struct seen after;
	bool bytes = variant->permits & BYTES;

	this_variant = variant;
	if (bytes && (scenario->kind == ONCE || scenario->kind == STICKY))
		return;	/* the numbers of their accesses do not correspond */
	execute(variant, scenario, 0, &after);
	calls = ordinal > calls ? ordinal : calls;
	calls = (calls > most_calls ? calls : most_calls) + 2;
	if (after.notes && is_bad_range(scenario, variant, &after) &&
	    is_permitted_early(scenario, variant, calls, &after, bytes))
		skipped++;	/* so does the original, had it found that out there */
	else if (after.notes)
		print_difference("rule", variant, before, &after);
	else if (!same(before, &after, bytes) &&
		 !is_permitted(scenario, variant->permits & RUNNABLE, calls, &after, bytes) &&
		 !is_permitted_short(scenario, variant->permits & RUNNABLE, &after, bytes) &&
		 !(*variant->nought && is_permitted_nought(scenario, variant, &after, bytes)) &&
		 !(is_bad_range(scenario, variant, &after) &&
		   is_permitted_early(scenario, variant, calls, &after, bytes)) &&
		 !is_permitted_pairwise(scenario, variant->permits, calls, &after, bytes))
		print_difference("difference", variant, before, &after);
}

static void under(const struct scenario *scenario)
{
	static struct seen before;
	int i, calls;

	execute(&this_case->variant[0], scenario, 0, &before);
	calls = ordinal < 40 ? ordinal : 40;
	if (before.notes) {
		skipped++;
		if (scenario->kind < RANGE)
			print_difference("original", &this_case->variant[0], &before, NULL);
		return;
	}
	for (i = 1; i < this_case->variants; i++)
		compare(scenario, &this_case->variant[i], &before, calls);
}

/* A page ends at a multiple of 8 bytes: never within a field that lies aligned. */
static void at_address(struct scenario *scenario, int at, int size, bool whole)
{
	scenario->object = at / OBJECT_BYTES;
	scenario->at = at;
	for (scenario->kind = FROM; scenario->kind <= BELOW; scenario->kind++)
		under(scenario);
	scenario->kind = PARTIAL;
	under(scenario);
	scenario->at = whole ? at + size : at + size / 2;
	under(scenario);
}

static void at_every_address(struct scenario *scenario, const struct seen *fresh)
{
	u8 tried[USER_BYTES + 1] = { 0 };
	int i, at, step;

	for (i = 0; i < fresh->entries; i++) {
		const struct entry *e = &fresh->entry[i];
		int end = (int)e->at + e->size;

		if (e->kind == 'c' || e->at >= USER_BYTES || end > USER_BYTES)
			continue;
		for (at = (int)e->at; at < end; at += step) {
			step = e->size > 8 ? 8 - at % 8 : e->size;
			step = step < end - at ? step : end - at;
			if (!tried[at])
				at_address(scenario, at, step, true);
			if (!tried[at] && e->size > 1 && e->size <= 8)
				at_address(scenario, at, e->size, false);
			tried[at] = 1;
		}
	}
}

static void examine(int data)
{
	static struct seen fresh;
	struct scenario scenario = { data, NONE, 0, 0 };
	int attempts, i;

	execute(&this_case->variant[0], &scenario, 0, &fresh);
	most_calls = ordinal < 40 ? ordinal : 40;
	under(&scenario);
	attempts = fresh.attempts < 24 ? fresh.attempts : 24;
	for (scenario.kind = ONCE; scenario.kind <= STICKY; scenario.kind++)
		for (scenario.at = 1; scenario.at <= attempts; scenario.at++)
			under(&scenario);
	at_every_address(&scenario, &fresh);
	/* Just inside: no range that is declared reaches further. */
	scenario.kind = PARTIAL;
	for (i = 0; i < this_case->objects; i++) {
		scenario.object = i;
		scenario.at = i * OBJECT_BYTES + (int)this_case->sizes[i];
		under(&scenario);
	}
	scenario.at = 0;
	for (scenario.object = 0; scenario.object < this_case->objects; scenario.object++)
		for (scenario.kind = RANGE; scenario.kind <= NULLED; scenario.kind++)
			under(&scenario);
}

int shim_main(const struct shim_case *cases, int number)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE };
	const struct itimerval patience = { { 1, 0 }, { 1, 0 } };
	struct sigaction action = { .sa_handler = crash, .sa_flags = SA_NODEFER };
	int i, data;

	for (i = 0; i < (int)ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
	action.sa_handler = hang;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &patience, NULL);
	for (i = 0; i < number; i++) {
		this_case = &cases[i];
		memset(printed_here, 0, sizeof(printed_here));
		for (data = 0; data < 3; data++)
			examine(data);
	}
	printf("{\"what\": \"sum\", \"runs\": %ld, \"skipped\": %ld, \"printed\": %d, "
	       "\"permitted\": {", runs, skipped, printed);
	for (i = 0, data = 0; i < MASKS; i++)
		if (permitted[i])
			printf("%s\"%d\": %ld", data++ ? ", " : "", i, permitted[i]);
	printf("}}\n");
	return 0;
}
