/* SPDX-License-Identifier: MIT */
/*
 * test_bring.c - the ring engine against hostile indices, and against being killed at every
 * single instruction of publishing a response.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bring.h"

/* A ring like the block ring: 32 slots of 112 bytes, responses of 16. */
static const struct bring_geometry geo = {
	.stride = 112, .req_len = 112, .rsp_len = 16, .nr_ents = 32};

struct shared {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
	uint8_t pad[48];
	uint8_t slot[32][112];
};

struct world {
	struct shared ring;
	struct rsp_record rec;
	struct bring_table table;
};

static struct world *w;
static struct bring ring;

static int set_up(void **state)
{
	if (!w)
		w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0);
	memset(w, 0, sizeof(*w));
	w->ring.req_event = w->ring.rsp_event = 1;
	return 0;
}

static void attach_at(uint32_t index)
{
	w->ring.rsp_prod = w->ring.req_prod = index;
	assert_int_equal(bring_attach(&ring, &w->ring, &geo, &w->rec, false), 0);
}

static void ask(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		memset(w->ring.slot[(w->ring.req_prod + i) & 31], 0x11 + (int)i, 112);
	w->ring.req_prod += count;
}

/* --- indices ------------------------------------------------------------------------------ */

static void test_empty_ring_has_nothing_pending(void **state)
{
	attach_at(0);
	assert_int_equal(bring_pending(&ring), 0);
}

static void test_full_ring_is_all_pending(void **state)
{
	attach_at(7);
	ask(32);
	assert_int_equal(bring_pending(&ring), 32);
}

static void refused_with_prod(uint32_t at, uint32_t prod)
{
	attach_at(at);
	w->ring.req_prod = prod;
	assert_int_equal(bring_pending(&ring), -EPROTO);
}

static void test_prod_one_past_full_is_refused(void **state)
{
	refused_with_prod(0, 33);
}

static void test_prod_one_before_answers_is_refused(void **state)
{
	refused_with_prod(0, UINT32_MAX);
}

static void test_prod_half_the_index_space_away_is_refused(void **state)
{
	refused_with_prod(5, 5u + (1u << 31));
}

static void test_indices_wrap_without_loss(void **state)
{
	uint8_t req[112], rsp[16] = { 0xaa };

	attach_at(UINT32_MAX - 1);
	ask(4);
	assert_int_equal(bring_pending(&ring), 4);
	for (int i = 0; i < 4; i++) {
		bring_copy(&ring, 0, req);
		assert_int_equal(req[0], 0x11 + i);
		bring_respond(&ring, rsp, 1);
	}
	assert_int_equal(w->ring.rsp_prod, 2);
	assert_int_equal(bring_pending(&ring), 0);
}

static void test_attach_refuses_more_requests_than_slots(void **state)
{
	w->ring.req_prod = 33;
	assert_int_equal(bring_attach(&ring, &w->ring, &geo, &w->rec, false), -EPROTO);
}

static void test_request_changed_after_copy_does_not_matter(void **state)
{
	uint8_t req[112];

	attach_at(0);
	ask(1);
	bring_copy(&ring, 0, req);
	memset(w->ring.slot[0], 0xff, 112);
	assert_int_equal(req[111], 0x11);
}

static void test_rsp_prod_rewritten_by_the_guest_is_ignored(void **state)
{
	uint8_t rsp[16] = { 0 };

	attach_at(0);
	ask(2);
	w->ring.rsp_prod = 1000;
	assert_int_equal(bring_pending(&ring), 2);
	bring_respond(&ring, rsp, 1);
	assert_int_equal(w->ring.rsp_prod, 1);
}

static void test_response_touches_only_its_own_bytes(void **state)
{
	uint8_t rsp[16];

	memset(rsp, 0xaa, sizeof(rsp));
	attach_at(0);
	ask(2);
	bring_respond(&ring, rsp, 1);
	assert_int_equal(w->ring.slot[0][15], 0xaa);
	assert_int_equal(w->ring.slot[0][16], 0x11);
	assert_int_equal(w->ring.slot[1][0], 0x12);
}

/* --- notification ------------------------------------------------------------------------- */

static void test_notify_only_when_asked_for(void **state)
{
	uint8_t rsp[16] = { 0 };

	attach_at(0);
	ask(4);
	w->ring.rsp_event = 2;
	bring_respond(&ring, rsp, 1);
	assert_false(bring_must_notify(&ring));
	bring_respond(&ring, rsp, 1);
	assert_true(bring_must_notify(&ring));
	bring_respond(&ring, rsp, 1);
	assert_false(bring_must_notify(&ring));
}

static void test_more_arms_the_event_and_sees_late_requests(void **state)
{
	attach_at(0);
	assert_false(bring_more(&ring));
	assert_int_equal(w->ring.req_event, 1);
	ask(1);
	assert_true(bring_more(&ring));
}

static void test_want_waits_for_that_many(void **state)
{
	attach_at(0);
	ask(2);
	assert_false(bring_want(&ring, 3));
	assert_int_equal(w->ring.req_event, 3);
	ask(1);
	assert_true(bring_want(&ring, 3));
}

/* --- taking over -------------------------------------------------------------------------- */

static void test_takeover_after_clean_publication_goes_on(void **state)
{
	uint8_t rsp[16] = { 0 };
	struct bring next;

	attach_at(0);
	ask(3);
	bring_respond(&ring, rsp, 1);
	assert_int_equal(bring_attach(&next, &w->ring, &geo, &w->rec, true), 0);
	assert_int_equal(next.rsp_prod, 1);
	assert_int_equal(bring_pending(&next), 2);
}

static void test_takeover_announces_what_may_not_have_been(void **state)
{
	uint8_t rsp[16] = { 0 };
	struct bring next;

	attach_at(0);
	ask(1);
	bring_respond(&ring, rsp, 1); /* killed before the notify */
	assert_int_equal(bring_attach(&next, &w->ring, &geo, &w->rec, true), 0);
	assert_true(bring_must_notify(&next));
}

static void test_takeover_refuses_a_rewound_ring(void **state)
{
	uint8_t rsp[16] = { 0 };
	struct bring next;

	attach_at(0);
	ask(3);
	bring_respond(&ring, rsp, 1);
	bring_respond(&ring, rsp, 1);
	w->ring.rsp_prod = 0; /* the guest wants request 0 done again */
	assert_int_equal(bring_attach(&next, &w->ring, &geo, &w->rec, true), -EPROTO);
}

static void test_takeover_refuses_a_damaged_record(void **state)
{
	struct bring next;

	attach_at(0);
	w->rec.count = BRING_MAX_GROUP + 1;
	assert_int_equal(bring_attach(&next, &w->ring, &geo, &w->rec, true), -EPROTO);
}

/* All of the group is out after the takeover, or the requests are untouched: never between. */
static void check_all_or_nothing(struct world *left, uint32_t first, uint32_t group)
{
	struct bring next;
	uint32_t out;

	assert_int_equal(bring_attach(&next, &left->ring, &geo, &left->rec, true), 0);
	assert_int_equal(next.req_cons, left->ring.rsp_prod);
	out = left->ring.rsp_prod - first;
	assert_true(out == 0 || out == group);
	for (uint32_t i = 0; i < group; i++) {
		const uint8_t *slot = left->ring.slot[first + i];

		assert_int_equal(slot[0], out ? 0xa0 + (int)i : 0x11 + (int)i);
		assert_int_equal(slot[15], out ? 0xa0 + (int)i : 0x11 + (int)i);
	}
}

static void publish_traced(uint32_t group)
{
	uint8_t rsps[4 * 16];

	for (uint32_t i = 0; i < group; i++)
		memset(rsps + 16 * i, 0xa0 + (int)i, 16);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	bring_respond(&ring, rsps, group);
	_exit(0);
}

/*
 * Steps a child through publishing. After each instruction what lies in the shared memory is what
 * a kill there would leave: a successor is tried on a copy of it.
 */
static void kill_everywhere(uint32_t first, uint32_t group)
{
	unsigned int steps = 0, replayed = 0;
	int status;
	pid_t pid;

	attach_at(0);
	for (uint32_t i = 0; i < first; i++) {
		uint8_t old[16] = { 0x55 };

		ask(1);
		bring_respond(&ring, old, 1);
	}
	ask(group);
	pid = fork();
	if (pid == 0)
		publish_traced(group);
	waitpid(pid, &status, 0);
	for (; WIFSTOPPED(status); steps++) {
		struct world left = *w;
		bool unpublished = left.ring.rsp_prod == first;

		check_all_or_nothing(&left, first, group);
		replayed += unpublished && left.ring.rsp_prod == first + group;
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
	}
	assert_int_equal(w->ring.rsp_prod, first + group);
	/* The dangerous window was really met. */
	assert_true(steps > 50);
	assert_true(replayed > 0);
}

static void test_kill_at_any_instruction_loses_and_repeats_no_response(void **state)
{
	kill_everywhere(0, 1);
	set_up(NULL);
	kill_everywhere(3, 1); /* with an older note in the way */
}

static void test_kill_at_any_instruction_keeps_a_group_whole(void **state)
{
	kill_everywhere(0, 4);
	set_up(NULL);
	kill_everywhere(2, 4);
}

/* --- answers in any order ----------------------------------------------------------------- */

#define ASKED 5

static void answer(int entry, uint32_t request)
{
	uint8_t rsp[16];

	memset(rsp, 0xa0 + (int)request, sizeof(rsp));
	bring_answer(&ring, &w->table, (unsigned int)entry, rsp);
}

/* Takes some, answers a later one first, takes more into the freed entry, and so on to the end. */
static void play_table(void)
{
	int e[ASKED];

	for (int i = 0; i < 3; i++)
		e[i] = bring_take(&ring, &w->table);
	answer(e[1], 1);
	e[3] = bring_take(&ring, &w->table);
	answer(e[3], 3);
	answer(e[0], 0);
	e[4] = bring_take(&ring, &w->table);
	answer(e[4], 4);
	answer(e[2], 2);
}

/* After a takeover each request is answered, or in the table, or still to be taken: once. */
static void check_each_once(struct world *left)
{
	unsigned int times[ASKED] = { 0 };
	struct bring next;

	assert_int_equal(bring_attach(&next, &left->ring, &geo, &left->rec, true), 0);
	assert_int_equal(bring_attach_table(&next, &left->table, true), 0);
	for (uint32_t i = 0; i < left->ring.rsp_prod; i++) {
		int of = left->ring.slot[i][0] - 0xa0;

		assert_in_range(of, 0, ASKED - 1);
		assert_int_equal(left->ring.slot[i][15], left->ring.slot[i][0]);
		times[of]++;
	}
	for (unsigned int i = 0; i < BRING_TAKEN; i++) {
		const uint8_t *raw = left->table.e[i].raw;

		if (!left->table.e[i].used)
			continue;
		/* As it was asked, whole, though its slot may be an answer's by now. */
		assert_in_range(raw[0], 0x11, 0x11 + ASKED - 1);
		assert_int_equal(raw[111], raw[0]);
		assert_int_equal(left->table.e[i].index, raw[0] - 0x11);
		times[raw[0] - 0x11]++;
	}
	for (uint32_t i = next.req_cons; i < left->ring.req_prod; i++)
		times[i]++;
	for (int i = 0; i < ASKED; i++)
		assert_int_equal(times[i], 1);
}

static void test_kill_at_any_instruction_loses_and_repeats_no_request(void **state)
{
	unsigned int steps = 0;
	int status;
	pid_t pid;

	attach_at(0);
	assert_int_equal(bring_attach_table(&ring, &w->table, false), 0);
	ask(ASKED);
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		play_table();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	for (; WIFSTOPPED(status); steps++) {
		struct world left = *w;

		check_each_once(&left);
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
	}
	assert_int_equal(w->ring.rsp_prod, ASKED);
	assert_true(steps > 200);
}

static void test_a_full_table_takes_no_more(void **state)
{
	attach_at(0);
	bring_attach_table(&ring, &w->table, false);
	ask(32);
	for (int i = 0; i < BRING_TAKEN; i++)
		assert_int_equal(bring_take(&ring, &w->table), i);
	assert_int_equal(bring_take(&ring, &w->table), -ENOSPC);
	assert_int_equal(bring_pending(&ring), 0);
}

static void test_takeover_refuses_more_taken_than_asked(void **state)
{
	struct bring next;

	attach_at(0);
	bring_attach_table(&ring, &w->table, false);
	ask(2);
	for (int i = 0; i < 3; i++)
		w->table.e[i].used = 1;
	assert_int_equal(bring_attach(&next, &w->ring, &geo, &w->rec, true), 0);
	assert_int_equal(bring_attach_table(&next, &w->table, true), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty_ring_has_nothing_pending, set_up),
		cmocka_unit_test_setup(test_full_ring_is_all_pending, set_up),
		cmocka_unit_test_setup(test_prod_one_past_full_is_refused, set_up),
		cmocka_unit_test_setup(test_prod_one_before_answers_is_refused, set_up),
		cmocka_unit_test_setup(test_prod_half_the_index_space_away_is_refused, set_up),
		cmocka_unit_test_setup(test_indices_wrap_without_loss, set_up),
		cmocka_unit_test_setup(test_attach_refuses_more_requests_than_slots, set_up),
		cmocka_unit_test_setup(test_request_changed_after_copy_does_not_matter, set_up),
		cmocka_unit_test_setup(test_rsp_prod_rewritten_by_the_guest_is_ignored, set_up),
		cmocka_unit_test_setup(test_response_touches_only_its_own_bytes, set_up),
		cmocka_unit_test_setup(test_notify_only_when_asked_for, set_up),
		cmocka_unit_test_setup(test_more_arms_the_event_and_sees_late_requests, set_up),
		cmocka_unit_test_setup(test_want_waits_for_that_many, set_up),
		cmocka_unit_test_setup(test_takeover_after_clean_publication_goes_on, set_up),
		cmocka_unit_test_setup(test_takeover_announces_what_may_not_have_been, set_up),
		cmocka_unit_test_setup(test_takeover_refuses_a_rewound_ring, set_up),
		cmocka_unit_test_setup(test_takeover_refuses_a_damaged_record, set_up),
		cmocka_unit_test_setup(test_kill_at_any_instruction_loses_and_repeats_no_response,
				       set_up),
		cmocka_unit_test_setup(test_kill_at_any_instruction_keeps_a_group_whole, set_up),
		cmocka_unit_test_setup(test_kill_at_any_instruction_loses_and_repeats_no_request,
				       set_up),
		cmocka_unit_test_setup(test_a_full_table_takes_no_more, set_up),
		cmocka_unit_test_setup(test_takeover_refuses_more_taken_than_asked, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
