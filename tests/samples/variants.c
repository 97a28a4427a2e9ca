/* SPDX-License-Identifier: GPL-2.0-only */
/* One program, two ways of writing it: a guard around every field, or one guard around all of them.
 *
 * `variants ROUNDS fieldwise|window`: the work beside it is the same in both.  See test_compare_record.py
 */
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))
#define FIELDS 9

struct lamp {
	unsigned int field[FIELDS];
};

static unsigned int guard;

/* As dear as opening user memory is: an atomic exchange waits for all stores before it. */
static inline void toggle(unsigned int value)
{
	__atomic_exchange_n(&guard, value, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

NOINLINE void lamp_ioctl(struct lamp *to, const unsigned int *from, int window)
{
	int i;

	if (window) {
		toggle(1);
		for (i = 0; i < FIELDS; i++)
			to->field[i] = from[i] + 1;
		toggle(0);
		return;
	}
	for (i = 0; i < FIELDS; i++) {
		toggle(1);
		to->field[i] = from[i] + 1;
		toggle(0);
	}
}

/* What else there is to do: several functions, so that one of them is not all the rest. */
#define WORK(name, seed)						\
	NOINLINE unsigned int name(unsigned int value)			\
	{								\
		int i;							\
									\
		for (i = 0; i < 16; i++)				\
			value = value * 1664525u + (value >> 7) + seed;	\
		return value;						\
	}

WORK(lamp_mix, 1)
WORK(lamp_fade, 2)
WORK(lamp_blink, 3)
WORK(lamp_glow, 4)
WORK(lamp_dim, 5)
WORK(lamp_flash, 6)
WORK(lamp_hold, 7)
WORK(lamp_ramp, 8)
WORK(lamp_pulse, 9)
WORK(lamp_shine, 10)

static unsigned int work(unsigned int value)
{
	value = lamp_mix(value);
	value = lamp_fade(value);
	value = lamp_blink(value);
	value = lamp_glow(value);
	value = lamp_dim(value);
	value = lamp_flash(value);
	value = lamp_hold(value);
	value = lamp_ramp(value);
	value = lamp_pulse(value);
	value = lamp_shine(value);
	return value;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1;
	int window = argc > 2 && !strcmp(argv[2], "window");
	unsigned int from[FIELDS] = { 0 }, value = (unsigned int)argc;
	struct lamp lamp = { { 0 } };

	while (rounds-- > 0) {
		value = work(value);
		from[rounds % FIELDS] = value;
		lamp_ioctl(&lamp, from, window);
		value += lamp.field[rounds % FIELDS];
	}
	return value == 0;
}
