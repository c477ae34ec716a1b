/* SPDX-License-Identifier: MIT */
/*
 * test_kbdback.c - the keyboard's process: what a viewer did while the guest took nothing is told
 * when it does, and no key stays pressed.
 */
#define main kbdback_main
int kbdback_main(int argc, char **argv);
#include "kbdback.c"
#undef main

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <linux/input-event-codes.h>

#include <log.h>

#include "fake_xen.h"

#define BACK "/local/domain/0/backend/vkbd/7/0"
#define FRONT "/local/domain/7/device/vkbd/0"
#define PAGE 8

static struct backend be;
static char dir[64];
static int pipe_in;
static uint64_t now;

void backend_kick(struct backend *b, unsigned int due)
{
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	return 0;
}

static struct xenkbd_page *page(void)
{
	return (struct xenkbd_page *)fake.page[PAGE];
}

static void look(const char *state)
{
	uint64_t again;

	fake_store_set(FRONT "/state", state);
	assert_int_equal(backend_poll(&be, now += 1000000000, &again), 0);
}

static void new_process(void)
{
	memset(&be, 0, sizeof(be));
	memset(&kbdback, 0, sizeof(kbdback));
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	assert_int_equal(backend_init(&be, &kbd_ops, BACK), 0);
	assert_int_equal(backend_start(&be), 0);
}

static int set_up(void **state)
{
	strcpy(dir, "/tmp/test-kbdback-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	fake_reset();
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(FRONT "/state", "1");
	fake_store_set(FRONT "/page-gref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	fake_store_set(FRONT "/request-abs-pointer", "1");
	pipe_in = input_pipe_open(7, true);
	assert_true(pipe_in >= 0);
	new_process();
	look("3");
	assert_true(be.connected);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	backend_fini(&be, false);
	close(pipe_in);
	assert_int_equal(fake.mapped, 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void key(uint32_t code, bool down)
{
	union xenkbd_in_event e = { .key = { XENKBD_TYPE_KEY, down, code } };

	assert_true(input_pipe_put(pipe_in, &e));
}

static void place(int32_t x)
{
	union xenkbd_in_event e = { .pos = { XENKBD_TYPE_POS, x, x, 1 } };

	assert_true(input_pipe_put(pipe_in, &e));
}

static void work(void)
{
	while (backend_work(&be, BACKEND_ALL_QUEUES) > 0)
		;
}

static void fill(void)
{
	for (unsigned int i = 0; i < XENKBD_IN_RING_LEN; i++)
		place((int32_t)i);
	work();
	assert_int_equal(kbd_ring_room(page()), 0);
}

/* The guest takes all and tells; then one more event of @type is there, or none (0). */
static union xenkbd_in_event guest_takes(unsigned int nr)
{
	union xenkbd_in_event last;
	uint32_t from;

	page()->in_cons = from = page()->in_prod;
	work();
	assert_int_equal(page()->in_prod - from, nr);
	last = XENKBD_IN_RING_REF(page(), page()->in_prod - 1);
	return last;
}

static void test_a_key_let_go_while_the_ring_is_full_is_let_go(void **state)
{
	union xenkbd_in_event e;

	key(KEY_A, true);
	work();
	assert_int_equal(page()->in_prod, 1);
	page()->in_cons = 1;
	fill();
	key(KEY_A, false);
	work();
	e = guest_takes(1);
	assert_int_equal(e.type, XENKBD_TYPE_KEY);
	assert_int_equal(e.key.keycode, KEY_A);
	assert_int_equal(e.key.pressed, 0);
	guest_takes(0);
}

static void test_what_was_pressed_and_let_go_meanwhile_is_nothing(void **state)
{
	fill();
	key(KEY_B, true);
	key(KEY_B, false);
	key(BTN_LEFT, true);
	key(BTN_LEFT, false);
	work();
	guest_takes(0);
}

static void test_what_is_still_pressed_is_told(void **state)
{
	union xenkbd_in_event e;

	fill();
	key(KEY_B, true);
	key(KEY_LEFTSHIFT, true);
	work();
	e = guest_takes(2);
	assert_int_equal(e.key.pressed, 1);
	key(KEY_B, false);
	work();
	guest_takes(0);
}

static void test_the_pointer_is_where_it_was_last(void **state)
{
	union xenkbd_in_event e;

	fill();
	for (int32_t i = 0; i < 500; i++)
		place(1000 + i);
	key(BTN_RIGHT, true);
	work();
	page()->in_cons = page()->in_prod;
	work();
	/* Before the button, which is pressed there; the wheel is not turned again. */
	e = XENKBD_IN_RING_REF(page(), page()->in_prod - 2);
	assert_int_equal(e.type, XENKBD_TYPE_POS);
	assert_int_equal(e.pos.abs_x, 1499);
	assert_int_equal(e.pos.rel_z, 0);
	e = XENKBD_IN_RING_REF(page(), page()->in_prod - 1);
	assert_int_equal(e.key.keycode, BTN_RIGHT);
}

static void test_a_successor_tells_what_the_killed_one_owed(void **state)
{
	union xenkbd_in_event e;

	fake_store_set(FRONT "/state", "4");
	key(KEY_A, true);
	work();
	page()->in_cons = 1;
	fill();
	key(KEY_A, false);
	work();
	journal_close(&be.journal);
	close(kbdback.input);
	fake.mapped = fake.bound = 0;
	new_process();
	look("4");
	assert_true(be.resumed);
	e = guest_takes(1);
	assert_int_equal(e.key.keycode, KEY_A);
	assert_int_equal(e.key.pressed, 0);
}

static void test_a_driver_that_begins_is_owed_nothing(void **state)
{
	fill();
	key(KEY_A, true);
	work();
	look("6");
	look("1");
	memset(page(), 0, FAKE_PAGE);
	look("3");
	assert_true(be.connected);
	guest_takes(0);
}

static void test_keys_that_nobody_has_are_passed_on_and_not_remembered(void **state)
{
	fill();
	key(KBD_OWED_KEYS, true);
	key(UINT32_MAX, true);
	work();
	guest_takes(0);
	key(UINT32_MAX, true);
	work();
	assert_int_equal(XENKBD_IN_RING_REF(page(), page()->in_prod - 1).key.keycode, UINT32_MAX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_key_let_go_while_the_ring_is_full_is_let_go),
		T(test_what_was_pressed_and_let_go_meanwhile_is_nothing),
		T(test_what_is_still_pressed_is_told),
		T(test_the_pointer_is_where_it_was_last),
		T(test_a_successor_tells_what_the_killed_one_owed),
		T(test_a_driver_that_begins_is_owed_nothing),
		T(test_keys_that_nobody_has_are_passed_on_and_not_remembered),
	};

	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
