// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU (interface version 1) that counts how often each instruction is executed.
 *
 *   -plugin FILE,out=FILE[,begin=ADDRESS]...[,end=ADDRESS][,code=HEX][,repeats=on]
 *
 * A stretch goes from the first execution of a `begin`, which counts, to that of `end`, which does
 * not; without them it is the whole run.  `code` are the bytes from `begin` on, for
 * addresses that mean something else in another mode.  With `repeats` a string instruction of x86
 * that repeats itself counts once, however often it does.  Of each stretch `out` gets
 *
 *   stretch N INSTRUCTIONS
 *   ADDRESS BYTES COUNT       numbers in hexadecimal but for N, INSTRUCTIONS and COUNT
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What QEMU offers, as far as it is used here: its header is in no package. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_cb)(unsigned int cpu, void *given);
typedef void (*ended_cb)(qemu_plugin_id_t id, void *given);
enum { READS_NO_REGISTERS = 0, ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_cb cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_cb cb,
					    int flags, void *given);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
						void *counter, uint64_t added);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended_cb cb, void *given);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

/* One instruction; the same address may hold another one later, or in another mode. */
struct row {
	struct row *next; /* of its bucket */
	uint64_t address, count;
	uint64_t seen; /* how many others had been executed when it last was; of repeating ones */
	unsigned char size, bytes[16];
};

enum { BUCKETS = 1 << 16 };
static struct row *buckets[BUCKETS];
static FILE *out;
static bool has_end, counting, has_repeats;
static uint64_t others = 1; /* executions of instructions that do not repeat themselves */
enum { BEGINS = 4096 };
static uint64_t begin[BEGINS], end;
static int begins;
static unsigned char code[16];
static size_t code_size;
static unsigned int stretches;

static bool is_begin(const struct row *row)
{
	size_t known = row->size < code_size ? row->size : code_size;

	for (int i = 0; i < begins; i++)
		if (row->address == begin[i])
			return !memcmp(row->bytes, code, known);
	return false;
}

static struct row *row_of(const struct qemu_plugin_insn *insn)
{
	const uint64_t address = qemu_plugin_insn_vaddr(insn);
	const void *bytes = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);
	struct row **bucket = &buckets[(address ^ address >> 16) % BUCKETS], *row;

	if (size > sizeof(row->bytes))
		size = sizeof(row->bytes);
	for (row = *bucket; row; row = row->next)
		if (row->address == address && row->size == size && !memcmp(row->bytes, bytes, size))
			return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		abort();
	row->next = *bucket;
	row->address = address;
	row->size = size;
	memcpy(row->bytes, bytes, size);
	*bucket = row;
	return row;
}

static void forget(void)
{
	for (int i = 0; i < BUCKETS; i++)
		for (struct row *row = buckets[i]; row; row = row->next)
			row->count = row->seen = 0;
}

/* f2 or f3, a prefix of 64 bits, and one of movs, cmps, stos, lods, scas. */
static bool repeats(const struct row *row)
{
	const unsigned char *byte = row->bytes, *last = row->bytes + row->size - 1;

	if (!has_repeats || row->size < 2 || row->size > 3 || (*byte != 0xf2 && *byte != 0xf3))
		return false;
	if (row->size == 3 && byte[1] >> 4 != 4)
		return false;
	return *last >= 0xa4 && *last <= 0xaf && *last != 0xa8 && *last != 0xa9;
}

static void at_repeat(unsigned int cpu, void *given)
{
	struct row *row = given;

	(void)cpu;
	row->count += row->seen != others;
	row->seen = others;
}

static void write_stretch(void)
{
	uint64_t total = 0;

	for (int i = 0; i < BUCKETS; i++)
		for (struct row *row = buckets[i]; row; row = row->next)
			total += row->count;
	fprintf(out, "stretch %u %" PRIu64 "\n", stretches++, total);
	for (int i = 0; i < BUCKETS; i++)
		for (struct row *row = buckets[i]; row; row = row->next) {
			if (!row->count)
				continue;
			fprintf(out, "%" PRIx64 " ", row->address);
			for (int byte = 0; byte < row->size; byte++)
				fprintf(out, "%02x", row->bytes[byte]);
			fprintf(out, " %" PRIu64 "\n", row->count);
		}
	fflush(out);
}

static void at_begin(unsigned int cpu, void *given)
{
	(void)cpu;
	(void)given;
	if (counting)
		return;
	forget();
	counting = true;
}

static void at_end(unsigned int cpu, void *given)
{
	(void)cpu;
	(void)given;
	if (counting)
		write_stretch();
	counting = false;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct row *row = row_of(insn);

		/* What is called comes before what is added to. */
		if (is_begin(row))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_begin, READS_NO_REGISTERS, NULL);
		if (has_end && row->address == end)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_end, READS_NO_REGISTERS, NULL);
		if (repeats(row)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_repeat, READS_NO_REGISTERS, row);
			continue;
		}
		qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &row->count, 1);
		if (has_repeats)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD_U64, &others, 1);
	}
}

static void ended(qemu_plugin_id_t id, void *given)
{
	(void)id;
	(void)given;
	if (counting)
		write_stretch();
	fclose(out);
}

static bool take(const char *word)
{
	const char *value = strchr(word, '=');

	if (!value++)
		return false;
	if (!strncmp(word, "out=", 4)) {
		out = fopen(value, "w");
	} else if (!strncmp(word, "begin=", 6) && begins < BEGINS) {
		begin[begins++] = strtoull(value, NULL, 16);
	} else if (!strncmp(word, "end=", 4)) {
		has_end = true;
		end = strtoull(value, NULL, 16);
	} else if (!strncmp(word, "code=", 5)) {
		for (; code_size < sizeof(code) && sscanf(value, "%2hhx", &code[code_size]) == 1; value += 2)
			code_size++;
	} else if (!strcmp(word, "repeats=on")) {
		has_repeats = true;
	} else {
		return false;
	}
	return true;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *machine, int argc, char **argv)
{
	(void)machine;
	for (int i = 0; i < argc; i++)
		if (!take(argv[i])) {
			fprintf(stderr, "uaccel_count: %s is not known\n", argv[i]);
			return -1;
		}
	if (!out) {
		fprintf(stderr, "uaccel_count: out=FILE is missing or cannot be written\n");
		return -1;
	}
	counting = !begins;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
