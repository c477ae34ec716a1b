/* SPDX-License-Identifier: MIT */
/*
 * test_fb_ring.c - a screen's shared page and a keyboard's, as a guest may leave them, and what
 * viewers do as events.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

#include "fb_input.h"
#include "fb_message.h"
#include "fb_ring.h"
#include "input_pipe.h"
#include "kbd_ring.h"
#include "keysym.h"

#define WIDTH 800u
#define HEIGHT 600u
#define BYTES (WIDTH * HEIGHT * 4)

static union {
	struct xenfb_page fb;
	struct xenkbd_page kbd;
	uint8_t bytes[4096];
} page;

static struct fb_shape shape;
static struct fb_rect seen[64];
static unsigned int nr_seen, nr_resized;
static int resize_says;

static void on_update(void *arg, const struct fb_rect *rect)
{
	seen[nr_seen++ % 64] = *rect;
}

static int on_resize(void *arg, const struct fb_shape *to)
{
	nr_resized++;
	return resize_says;
}

static const struct fb_events events = { on_update, on_resize, NULL };

static int set_up(void **state)
{
	memset(&page, 0, sizeof(page));
	page.fb.width = WIDTH;
	page.fb.height = HEIGHT;
	page.fb.line_length = WIDTH * 4;
	page.fb.mem_length = BYTES;
	page.fb.depth = 32;
	shape = (struct fb_shape){ WIDTH, HEIGHT, WIDTH * 4, 0 };
	nr_seen = nr_resized = 0;
	resize_says = 0;
	return 0;
}

/* --- the picture --------------------------------------------------------------------------- */

static void test_the_picture_is_what_the_page_says(void **state)
{
	uint32_t bytes;

	assert_int_equal(fb_ring_shape(&page.fb, &shape, &bytes), 0);
	assert_int_equal(shape.width, WIDTH);
	assert_int_equal(shape.stride, WIDTH * 4);
	assert_int_equal(bytes, BYTES);
}

static void test_a_picture_that_cannot_be_is_refused(void **state)
{
	static const struct {
		int32_t width, height;
		uint32_t stride, bytes;
		uint8_t depth;
		int want;
	} cases[] = {
		{ 1, 1, 4, 4, 32, 0 },
		{ 1, 1, 4, 3, 32, -EINVAL },
		{ 0, 1, 4, 4, 32, -EINVAL },
		{ 1, 0, 4, 4, 32, -EINVAL },
		{ -1, 1, 4, 4, 32, -EINVAL },
		{ 1, -1, 4, 4, 32, -EINVAL },
		{ 1, 1, 3, 4, 32, -EINVAL },
		{ 1, 1, 4, 4, 24, -EINVAL },
		{ 4096, 1, 16384, 16384, 32, 0 },
		{ 4097, 1, 16388, 16388, 32, -EINVAL },
		{ 1, 4096, 4, 16384, 32, 0 },
		{ 1, 4097, 4, 16388, 32, -EINVAL },
		{ 1, 2, UINT32_MAX, BYTES, 32, -EINVAL },
		{ 2, 4096, UINT32_MAX / 4095, BYTES, 32, -EINVAL },
		{ 2048, 4096, 8192, FB_MEMORY_MAX, 32, 0 },
		{ 2048, 4096, 8192, FB_MEMORY_MAX + 1, 32, -EINVAL },
		{ INT32_MIN, 1, 4, 4, 32, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t bytes;

		page.fb.width = cases[i].width;
		page.fb.height = cases[i].height;
		page.fb.line_length = cases[i].stride;
		page.fb.mem_length = cases[i].bytes;
		page.fb.depth = cases[i].depth;
		if (fb_ring_shape(&page.fb, &shape, &bytes) != cases[i].want)
			fail_msg("case %zu is not %d", i, cases[i].want);
	}
}

/* --- what changed -------------------------------------------------------------------------- */

static union xenfb_out_event *next(uint8_t type)
{
	union xenfb_out_event *e = &XENFB_OUT_RING_REF(&page.fb, page.fb.out_prod);

	page.fb.out_prod++;
	memset(e, 0, sizeof(*e));
	e->type = type;
	return e;
}

static void update(int32_t x, int32_t y, int32_t width, int32_t height)
{
	union xenfb_out_event *e = next(XENFB_TYPE_UPDATE);

	e->update.x = x;
	e->update.y = y;
	e->update.width = width;
	e->update.height = height;
}

static void test_updates_are_cut_to_the_picture(void **state)
{
	static const struct {
		int32_t x, y, width, height;
		struct fb_rect want; /* width 0: nothing */
	} cases[] = {
		{ 0, 0, 800, 600, { 0, 0, 800, 600 } },
		{ 10, 20, 30, 40, { 10, 20, 30, 40 } },
		{ 799, 599, 5, 5, { 799, 599, 1, 1 } },
		{ 800, 0, 1, 1, { 0 } },
		{ 0, 600, 1, 1, { 0 } },
		{ -5, -5, 10, 10, { 0, 0, 5, 5 } },
		{ -5, 0, 5, 10, { 0 } },
		{ 0, 0, 0, 10, { 0 } },
		{ 0, 0, -1, 10, { 0 } },
		{ 0, 0, INT32_MAX, INT32_MAX, { 0, 0, 800, 600 } },
		{ INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, { 0 } },
		{ INT32_MIN, 0, INT32_MAX, 1, { 0 } },
		{ 1, 1, INT32_MIN, INT32_MIN, { 0 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		nr_seen = 0;
		update(cases[i].x, cases[i].y, cases[i].width, cases[i].height);
		assert_int_equal(fb_ring_take(&page.fb, &shape, BYTES, &events), 1);
		if (nr_seen != (cases[i].want.width ? 1 : 0) ||
		    (nr_seen && memcmp(&seen[0], &cases[i].want, sizeof(seen[0]))))
			fail_msg("case %zu: %u of %u,%u %ux%u", i, nr_seen, seen[0].x, seen[0].y,
				 seen[0].width, seen[0].height);
	}
}

static void test_a_whole_ring_is_taken_across_the_wrap(void **state)
{
	page.fb.out_cons = page.fb.out_prod = UINT32_MAX - 10;
	for (unsigned int i = 0; i < XENFB_OUT_RING_LEN; i++)
		update((int32_t)i, 0, 1, 1);
	assert_int_equal(fb_ring_take(&page.fb, &shape, BYTES, &events), XENFB_OUT_RING_LEN);
	assert_int_equal(nr_seen, XENFB_OUT_RING_LEN);
	assert_int_equal(page.fb.out_cons, page.fb.out_prod);
	assert_int_equal(fb_ring_take(&page.fb, &shape, BYTES, &events), 0);
}

static void test_indices_that_cannot_be_end_the_connection(void **state)
{
	static const uint32_t bad[] = { XENFB_OUT_RING_LEN + 1, UINT32_MAX, 1u << 31 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		page.fb.out_prod = bad[i];
		assert_int_equal(fb_ring_take(&page.fb, &shape, BYTES, &events), -EPROTO);
	}
	assert_int_equal(nr_seen, 0);
}

static void resize(int32_t width, int32_t height, int32_t stride, int32_t depth, int32_t offset)
{
	union xenfb_out_event *e = next(XENFB_TYPE_RESIZE);

	e->resize.width = width;
	e->resize.height = height;
	e->resize.stride = stride;
	e->resize.depth = depth;
	e->resize.offset = offset;
}

static void test_a_new_size_counts_for_what_comes_after_it(void **state)
{
	update(700, 500, 50, 50);
	resize(640, 480, 2560, 32, 4096);
	update(600, 400, 100, 100);
	assert_int_equal(fb_ring_take(&page.fb, &shape, BYTES, &events), 3);
	assert_int_equal(nr_resized, 1);
	assert_int_equal(shape.width, 640);
	assert_int_equal(shape.offset, 4096);
	assert_int_equal(nr_seen, 2);
	assert_int_equal(seen[1].width, 40);
	assert_int_equal(seen[1].height, 80);
}

static void test_a_new_size_that_cannot_be_is_passed_over(void **state)
{
	static const int32_t bad[][5] = {
		{ 800, 600, 3200, 24, 0 },	  { 800, 600, 3200, 32, 4 },
		{ 800, 601, 3200, 32, 0 },	  { 801, 600, 3200, 32, 0 },
		{ 0, 0, 0, 32, 0 },		  { -1, -1, -1, 32, -1 },
		{ 800, 600, 3200, 32, INT32_MIN }, { 1, 1, INT32_MIN, 32, -1 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		resize(bad[i][0], bad[i][1], bad[i][2], bad[i][3], bad[i][4]);
	fb_ring_take(&page.fb, &shape, BYTES, &events);
	assert_int_equal(nr_resized, 0);
	assert_int_equal(shape.width, WIDTH);
	resize_says = -ENOMEM;
	resize(640, 480, 2560, 32, 0);
	fb_ring_take(&page.fb, &shape, BYTES, &events);
	assert_int_equal(nr_resized, 1);
	assert_int_equal(shape.width, WIDTH);
}

static void test_other_events_are_passed_over(void **state)
{
	for (unsigned int type = 0; type < 256; type += 5)
		if (type != XENFB_TYPE_UPDATE && type != XENFB_TYPE_RESIZE && type < 250)
			next((uint8_t)type);
	assert_true(fb_ring_take(&page.fb, &shape, BYTES, &events) > 0);
	assert_int_equal(nr_seen + nr_resized, 0);
}

/* --- the keyboard's page ------------------------------------------------------------------- */

static void test_events_fill_the_ring_and_no_more(void **state)
{
	union xenkbd_in_event e = { .key = { XENKBD_TYPE_KEY, 1, KEY_A } };
	unsigned int nr = 0;

	page.kbd.in_cons = page.kbd.in_prod = UINT32_MAX - 3;
	for (; kbd_ring_room(&page.kbd) > 0; nr++)
		kbd_ring_put(&page.kbd, &e);
	assert_int_equal(nr, XENKBD_IN_RING_LEN);
	assert_int_equal(XENKBD_IN_RING_REF(&page.kbd, UINT32_MAX).key.keycode, KEY_A);
	page.kbd.in_cons++;
	assert_int_equal(kbd_ring_room(&page.kbd), 1);
}

static void test_a_keyboards_indices_that_cannot_be(void **state)
{
	page.kbd.in_cons = 1;
	assert_int_equal(kbd_ring_room(&page.kbd), -EPROTO);
	page.kbd.in_cons = 0;
	page.kbd.in_prod = XENKBD_IN_RING_LEN + 1;
	assert_int_equal(kbd_ring_room(&page.kbd), -EPROTO);
}

static void test_a_place_becomes_a_way(void **state)
{
	union xenkbd_in_event e = { .pos = { XENKBD_TYPE_POS, KBD_RANGE / 2, KBD_RANGE - 1, -1 } };
	int32_t x = 0, y = 0;

	kbd_to_motion(&e, &x, &y);
	assert_int_equal(e.motion.type, XENKBD_TYPE_MOTION);
	assert_int_equal(e.motion.rel_x, KBD_MOTION / 2);
	assert_int_equal(e.motion.rel_y, KBD_MOTION - 1);
	assert_int_equal(e.motion.rel_z, -1);
	memset(&e, 0, sizeof(e));
	e.pos.type = XENKBD_TYPE_POS;
	kbd_to_motion(&e, &x, &y);
	assert_int_equal(e.motion.rel_x, -KBD_MOTION / 2);
	assert_int_equal(x, 0);
}

/* --- what viewers do ----------------------------------------------------------------------- */

static union xenkbd_in_event put[32];
static unsigned int nr_put;

static void on_put(void *arg, const union xenkbd_in_event *e)
{
	put[nr_put++ % 32] = *e;
}

static struct fb_held held;
static struct fb_input in = { .held = &held };

static int set_up_input(void **state)
{
	memset(&held, 0, sizeof(held));
	in.put = on_put;
	nr_put = 0;
	return 0;
}

static void is_key(unsigned int i, uint32_t key, bool down)
{
	assert_true(i < nr_put);
	assert_int_equal(put[i].key.type, XENKBD_TYPE_KEY);
	assert_int_equal(put[i].key.keycode, key);
	assert_int_equal(put[i].key.pressed, down);
}

static void test_signs_are_keys_of_a_us_keyboard(void **state)
{
	static const struct {
		uint32_t keysym;
		uint16_t key;
	} cases[] = {
		{ XK_a, KEY_A },	     { XK_A, KEY_A },	       { XK_space, KEY_SPACE },
		{ XK_at, KEY_2 },	     { XK_asciitilde, KEY_GRAVE }, { XK_Return, KEY_ENTER },
		{ XK_F12, KEY_F12 },	     { XK_Delete, KEY_DELETE }, { XK_KP_5, KEY_KP5 },
		{ XK_Shift_L, KEY_LEFTSHIFT }, { XK_Udiaeresis, 0 },   { 0, 0 },
		{ UINT32_MAX, 0 },	     { 0x10000 + XK_a, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(keysym_to_key(cases[i].keysym), cases[i].key);
	/* All signs of ASCII are on some key. */
	for (uint32_t c = ' '; c < 0x7f; c++)
		assert_int_not_equal(keysym_to_key(c), 0);
}

static void test_nothing_stays_pressed_when_all_have_left(void **state)
{
	fb_input_key(&in, XK_Control_L, true);
	fb_input_key(&in, XK_c, true);
	fb_input_key(&in, XK_c, false);
	fb_input_pointer(&in, 0, 0, WIDTH, HEIGHT, 1);
	nr_put = 0;
	fb_input_release(&in);
	assert_int_equal(nr_put, 2);
	is_key(0, KEY_LEFTCTRL, false);
	is_key(1, BTN_LEFT, false);
	fb_input_release(&in);
	assert_int_equal(nr_put, 2);
}

static void test_the_pointer_reaches_all_ends(void **state)
{
	fb_input_pointer(&in, 0, HEIGHT - 1, WIDTH, HEIGHT, 0);
	assert_int_equal(nr_put, 1);
	assert_int_equal(put[0].pos.type, XENKBD_TYPE_POS);
	assert_int_equal(put[0].pos.abs_x, 0);
	assert_int_equal(put[0].pos.abs_y, KBD_RANGE - 1);
	fb_input_pointer(&in, 0, 0, 1, 1, 0);
	assert_int_equal(put[1].pos.abs_x, 0);
}

static void test_buttons_and_the_wheel(void **state)
{
	fb_input_pointer(&in, 5, 5, WIDTH, HEIGHT, 1 | 4 | 8);
	assert_int_equal(nr_put, 3);
	assert_int_equal(put[0].pos.rel_z, 1);
	is_key(1, BTN_LEFT, true);
	is_key(2, BTN_RIGHT, true);
	nr_put = 0;
	/* Held, it turns no further. */
	fb_input_pointer(&in, 5, 5, WIDTH, HEIGHT, 4 | 8 | 16);
	assert_int_equal(put[0].pos.rel_z, -1);
	is_key(1, BTN_LEFT, false);
	assert_int_equal(nr_put, 2);
}

/* --- the way to the keyboard --------------------------------------------------------------- */

static void test_the_pipe_carries_events_whole(void **state)
{
	union xenkbd_in_event e = { .key = { XENKBD_TYPE_KEY, 1, KEY_Z } }, got;
	char dir[] = "/tmp/test-fb-XXXXXX", name[128];
	int reader, writer;

	assert_non_null(mkdtemp(dir));
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	assert_int_equal(input_pipe_open(7, false), -EAGAIN);
	writer = input_pipe_open(7, true);
	reader = input_pipe_open(7, false);
	assert_true(writer >= 0 && reader >= 0);
	assert_false(input_pipe_get(reader, &got));
	input_pipe_put(writer, &e);
	assert_true(input_pipe_get(reader, &got));
	assert_memory_equal(&got, &e, sizeof(e));
	/* Nobody takes them: what does not fit is lost, nobody waits. */
	for (int i = 0; i < 100000; i++)
		input_pipe_put(writer, &e);
	assert_true(input_pipe_get(reader, &got));
	input_pipe_drain(reader);
	assert_false(input_pipe_get(reader, &got));
	/* Part of one, from a process that was taken over. */
	assert_int_equal(write(writer, &e, 7), 7);
	assert_false(input_pipe_get(reader, &got));
	close(writer);
	close(reader);
	snprintf(name, sizeof(name), "%s/vfb-7-0.input", dir);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(symlink("/dev/null", name), 0);
	assert_true(input_pipe_open(7, true) < 0);
	unlink(name);
	assert_int_equal(rmdir(dir), 0);
}

static void test_a_message_ends_where_it_says(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t len;
		enum fb_message what;
		uint32_t size;
	} cases[] = {
		{ { 0 }, 0, FB_MESSAGE_PART, 0 },
		{ { 4, 1 }, 7, FB_MESSAGE_PART, 0 },
		{ { 4, 1 }, 8, FB_MESSAGE_WHOLE, 8 },
		{ { 5 }, 6, FB_MESSAGE_WHOLE, 6 },
		{ { 2, 0, 0, 2 }, 8, FB_MESSAGE_PART, 0 },
		{ { 2, 0, 0, 1 }, 8, FB_MESSAGE_WHOLE, 8 },
		{ { 2, 0, 1, 1 }, 8, FB_MESSAGE_NEVER, 0 }, /* 257 encodings */
		{ { 6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff }, 8, FB_MESSAGE_PASSED, 0x80000007 },
		{ { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc }, 8, FB_MESSAGE_PASSED, 12 },
		{ { 6, 0, 0, 0, 0x80, 0, 0, 0 }, 8, FB_MESSAGE_PASSED, 0x80000008 },
		{ { 8, 2 }, 4, FB_MESSAGE_PASSED, 4 },
		{ { 1 }, 8, FB_MESSAGE_NEVER, 0 },
		{ { 7 }, 8, FB_MESSAGE_NEVER, 0 },
		{ { 255 }, 8, FB_MESSAGE_NEVER, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t size = 0;

		assert_int_equal(fb_message_next(cases[i].bytes, cases[i].len, &size),
				 cases[i].what);
		if (cases[i].size)
			assert_int_equal(size, cases[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_picture_is_what_the_page_says, set_up),
		cmocka_unit_test_setup(test_a_picture_that_cannot_be_is_refused, set_up),
		cmocka_unit_test_setup(test_updates_are_cut_to_the_picture, set_up),
		cmocka_unit_test_setup(test_a_whole_ring_is_taken_across_the_wrap, set_up),
		cmocka_unit_test_setup(test_indices_that_cannot_be_end_the_connection, set_up),
		cmocka_unit_test_setup(test_a_new_size_counts_for_what_comes_after_it, set_up),
		cmocka_unit_test_setup(test_a_new_size_that_cannot_be_is_passed_over, set_up),
		cmocka_unit_test_setup(test_other_events_are_passed_over, set_up),
		cmocka_unit_test_setup(test_events_fill_the_ring_and_no_more, set_up),
		cmocka_unit_test_setup(test_a_keyboards_indices_that_cannot_be, set_up),
		cmocka_unit_test_setup(test_a_place_becomes_a_way, set_up),
		cmocka_unit_test_setup(test_signs_are_keys_of_a_us_keyboard, set_up_input),
		cmocka_unit_test_setup(test_nothing_stays_pressed_when_all_have_left, set_up_input),
		cmocka_unit_test_setup(test_the_pointer_reaches_all_ends, set_up_input),
		cmocka_unit_test_setup(test_buttons_and_the_wheel, set_up_input),
		cmocka_unit_test(test_the_pipe_carries_events_whole),
		cmocka_unit_test(test_a_message_ends_where_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
