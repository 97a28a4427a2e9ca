// SPDX-License-Identifier: GPL-2.0-only
/* Run both texts with every access faulting in turn; print what differs. */
struct seen {
	long result;
	int accesses, trace[64];
	struct lamp_sync user;
	u32 kernel[8];
};

static void prepare(void)
{
	static const struct lamp_sync fresh = { 11, 12, { 13, 2 }, { { 3 } } };

	user = fresh;
	the_lamp.level = 21;
	state.when = 22;
	x.y.z = 23;
	table[2] = 24;
	accesses = 0;
	memset(trace, 0, sizeof(trace));
}

static void note(struct seen *seen, long result)
{
	u32 kernel[8] = { the_lamp.level, state.when, x.y.z, table[2] };

	expect(!is_open);
	is_open = 0;
	seen->result = result;
	seen->accesses = accesses;
	seen->user = user;
	memcpy(seen->trace, trace, sizeof(trace));
	/* get_user() zeroes the value on a fault, unsafe_get_user() leaves it. */
	if (fault_at >= 0 || bad_range)
		memset(kernel, 0, sizeof(kernel));
	memcpy(seen->kernel, kernel, sizeof(kernel));
}

int main(void)
{
	static struct seen before, after;
	int differences = 0;

	for (bad_range = 0; bad_range < 2; bad_range++) {
		for (fault_at = -1; fault_at < 16; fault_at++) {
			prepare();
			note(&before, CALL(old_f));
			prepare();
			note(&after, CALL(new_f));
			differences += memcmp(&before, &after, sizeof(before)) != 0;
		}
	}
	printf("%d differences, %d errors\n", differences, errors);
	return 0;
}
