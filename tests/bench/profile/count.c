/* SPDX-License-Identifier: MIT */
/*
 * count.c - a plugin for QEMU's translator that counts the executed instructions of everything that
 * runs in the machine, by address, between the marks of tests/bench/system/probe.c: one mark begins
 * a measured stretch, the other ends it and writes "section N" and lines "ADDRESS INSTRUCTIONS".
 *
 * Arguments: out=FILE. Made and read by tests/bench/profile/run. Debian packages no header for
 * QEMU 7.2's plugins: what is used of it is declared here.
 * Source: QEMU's documentation, "QEMU TCG Plugins".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define PLUGIN_API 1 /* of QEMU 7.2 */
#define INLINE_ADD_U64 0
#define CB_NO_REGS 0

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef uint64_t plugin_id;
typedef void (*translate_cb)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int cpu, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translate_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter,
					      uint64_t by);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb, int flags,
					    void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t nr);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);

/* nopl of eight bytes; the displacement is the mark (tests/bench/system/probe.c). */
static const unsigned char mark_code[] = { 0x0f, 0x1f, 0x84, 0x00, 'M', 'A', 'R' };
#define MARK_SIZE 8

#define SLOTS (1u << 21)
/* A translated block, found by its address; never moves: translated code adds to count. */
static struct slot {
	uint64_t address, count;
} *slots;
static unsigned int nr_used;
static FILE *out;

static uint64_t *counter_of(uint64_t address)
{
	uint64_t i = (address * UINT64_C(0x9e3779b97f4a7c15)) >> 43;

	while (slots[i].address && slots[i].address != address)
		i = (i + 1) % SLOTS;
	if (!slots[i].address) {
		if (++nr_used > SLOTS / 2) {
			fprintf(stderr, "count.so: more than %u blocks of code\n", SLOTS / 2);
			exit(1);
		}
		slots[i].address = address;
	}
	return &slots[i].count;
}

static void section_begin(unsigned int cpu, void *arg)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		slots[i].count = 0;
}

static void section_end(unsigned int cpu, void *arg)
{
	static unsigned int nr;

	fprintf(out, "section %u\n", ++nr);
	for (unsigned int i = 0; i < SLOTS; i++)
		if (slots[i].count)
			fprintf(out, "%016lx %lu\n", (unsigned long)slots[i].address,
				(unsigned long)slots[i].count);
	fflush(out);
}

static void look_for_mark(struct qemu_plugin_insn *insn)
{
	const unsigned char *code = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != MARK_SIZE ||
	    memcmp(code, mark_code, sizeof(mark_code)))
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(
		insn, code[MARK_SIZE - 1] == 'B' ? section_begin : section_end, CB_NO_REGS, NULL);
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t nr = qemu_plugin_tb_n_insns(tb);

	qemu_plugin_register_vcpu_tb_exec_inline(
		tb, INLINE_ADD_U64, counter_of(qemu_plugin_tb_vaddr(tb)), nr);
	for (size_t i = 0; i < nr; i++)
		look_for_mark(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count.so: wants out=FILE\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	slots = calloc(SLOTS, sizeof(*slots));
	if (!out || !slots) {
		perror(argv[0]);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
