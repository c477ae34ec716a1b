/* SPDX-License-Identifier: MIT */
/*
 * test_ui.c - the parts of xs browse that need no terminal: tree, log, pace, search, meanings.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meaning.h"
#include "schema.h"
#include "ui.h"

static void fill(struct ui_model *m)
{
	static const char top[] = "b\0a\0";
	static const char numbers[] = "10\0x\0009\0";

	model_init(m, "/");
	model_set_children(m, m->root, top, sizeof(top) - 1);
	model_set_children(m, model_find(m, "/b"), numbers, sizeof(numbers) - 1);
}

static void test_numbers_come_by_value_before_words(void **state)
{
	struct ui_model m;
	const struct ui_node *b;

	fill(&m);
	b = model_find(&m, "/b");

	assert_string_equal(b->children[0]->name, "9");
	assert_string_equal(b->children[1]->name, "10");
	assert_string_equal(b->children[2]->name, "x");
	model_fini(&m);
}

static void test_only_opened_nodes_have_lines(void **state)
{
	struct ui_model m;

	fill(&m);
	model_lines(&m);
	assert_int_equal(m.nr_lines, 3);
	model_open(&m, model_find(&m, "/b"), true);
	model_lines(&m);
	assert_int_equal(m.nr_lines, 6);
	model_fini(&m);
}

static void test_a_flat_view_has_a_line_for_all_that_is_known(void **state)
{
	struct ui_model m;

	fill(&m);
	model_set_view(&m, VIEW_FLAT);
	model_lines(&m);
	assert_int_equal(m.nr_lines, 6);
	model_set_view(&m, VIEW_TREE);
	model_lines(&m);
	assert_int_equal(m.nr_lines, 3);
	model_fini(&m);
}

static void test_a_view_of_some_paths_has_the_way_to_them_and_what_is_in_them(void **state)
{
	struct ui_model m;

	fill(&m);
	model_set_view(&m, VIEW_SHOWN);
	model_show(&m, "/*/10");
	model_show(&m, "/a/below");
	model_lines(&m);
	assert_int_equal(m.nr_lines, 4);
	assert_string_equal(m.line[1]->name, "a");
	assert_string_equal(m.line[3]->name, "10");
	model_set_view(&m, VIEW_SHOWN);
	model_show(&m, "/ab");
	model_lines(&m);
	assert_int_equal(m.nr_lines, 1);
	model_fini(&m);
}

static void test_a_cursor_whose_node_goes_moves_to_the_neighbour(void **state)
{
	static const char left[] = "9\0";
	struct ui_model m;

	fill(&m);
	m.cursor = model_find(&m, "/b/x");
	model_set_children(&m, model_find(&m, "/b"), left, sizeof(left) - 1);
	assert_string_equal(m.cursor->name, "9");
	model_set_children(&m, model_find(&m, "/b"), NULL, 0);
	assert_string_equal(m.cursor->name, "b");
	model_remove(&m, m.cursor);
	assert_string_equal(m.cursor->name, "a");
	model_fini(&m);
}

static void test_a_change_asks_for_the_node_and_all_known_below(void **state)
{
	struct ui_model m;
	struct ui_node *b, *nine;

	fill(&m);
	b = model_find(&m, "/b");
	nine = model_find(&m, "/b/9");
	b->stale_value = b->stale_list = nine->stale_value = false;
	model_touch(&m, "/b");
	model_settle(&m);
	assert_true(b->stale_value && b->stale_list && nine->stale_value);
	model_fini(&m);
}

static void test_a_new_node_asks_for_its_directory_only(void **state)
{
	struct ui_model m;
	struct ui_node *b;

	fill(&m);
	b = model_find(&m, "/b");
	b->stale_value = b->stale_list = false;
	model_touch(&m, "/b/new/deep");
	model_settle(&m);
	assert_true(b->stale_list && !b->stale_value);
	model_fini(&m);
}

static void test_the_first_value_is_no_change_the_next_is(void **state)
{
	struct ui_model m;
	struct ui_node *n;

	fill(&m);
	n = model_find(&m, "/a");
	model_set_value(&m, n, "1", 1, 0, 100);
	assert_int_equal(n->changed_ms, 0);
	model_set_value(&m, n, "1", 1, 0, 200);
	assert_int_equal(n->changed_ms, 0);
	model_set_value(&m, n, "2", 1, 0, 300);
	assert_int_equal(n->changed_ms, 300);
	model_fini(&m);
}

static void test_ten_thousand_changes_in_ten_seconds_are_51_drawings(void **state)
{
	struct ui_pace p = { .period_ms = 200, .last_ms = -200 };
	int drawn = 0;

	for (int64_t ms = 0; ms < 10000; ms++) {
		pace_want(&p);
		drawn += pace_due(&p, ms);
	}
	assert_in_range(drawn, 49, 51);
	assert_in_range(pace_wait(&p, 10000), 0, 200);
}

static void test_nothing_new_sleeps_for_ever(void **state)
{
	struct ui_pace p = { .period_ms = 200 };

	assert_false(pace_due(&p, 1000));
	assert_int_equal(pace_wait(&p, 1000), -1);
}

static void test_the_log_folds_repeats_and_forgets_the_oldest(void **state)
{
	static struct ui_log l;
	char path[32];

	log_add(&l, "/a", 1, 16);
	log_add(&l, "/a", 2, 16);
	assert_int_equal(l.nr, 1);
	assert_int_equal(log_at(&l, 0)->count, 2);
	for (int i = 0; i < UI_LOG_MAX; i++) {
		snprintf(path, sizeof(path), "/n/%d", i);
		log_add(&l, path, 3, 16);
	}
	assert_int_equal(l.nr, UI_LOG_MAX);
	assert_null(log_find(&l, "/a"));
	assert_string_equal(log_at(&l, UI_LOG_MAX - 1)->path, path);
	log_remove(&l, "/n/7");
	assert_int_equal(l.nr, UI_LOG_MAX - 1);
	assert_string_equal(log_at(&l, 7)->path, "/n/8");
	log_fini(&l);
}

/* The lines but the root's, as their paths. */
static void assert_lines(struct ui_model *m, const char *expected)
{
	char all[512] = "", path[256];

	model_lines(m);
	for (size_t i = 1; i < m->nr_lines; i++) {
		model_path(m->line[i], path, sizeof(path));
		strcat(strcat(all, i > 1 ? " " : ""), path);
	}
	assert_string_equal(all, expected);
}

static void value_of(struct ui_model *m, const char *path, const char *value)
{
	model_set_value(m, model_find(m, path), value, strlen(value), 0, 1);
}

static void test_a_filter_leaves_what_has_the_text_in_name_or_value_and_the_way_there(void **state)
{
	struct ui_model m;

	fill(&m);
	value_of(&m, "/b/9", "Needle");
	model_set_filter(&m, "need");
	assert_lines(&m, "/b /b/9");
	model_set_filter(&m, "A");
	assert_lines(&m, "/a");
	value_of(&m, "/b/x", "has an a");
	assert_lines(&m, "/a /b /b/x");
	model_set_view(&m, VIEW_FLAT);
	assert_lines(&m, "/a /b/x");
	model_set_view(&m, VIEW_TREE);
	model_set_filter(&m, "");
	assert_lines(&m, "/a /b");
	model_fini(&m);
}

static void test_orders_go_by_all_that_is_below(void **state)
{
	struct ui_model m;

	fill(&m);
	value_of(&m, "/a", "12345");
	value_of(&m, "/b/9", "123");
	value_of(&m, "/b/x", "1234");
	model_open(&m, model_find(&m, "/b"), true);
	model_set_order(&m, ORDER_SIZE);
	assert_lines(&m, "/b /b/x /b/9 /b/10 /a");
	model_set_change(&m, model_find(&m, "/a"), 7);
	model_set_change(&m, model_find(&m, "/b/10"), 3);
	model_set_order(&m, ORDER_CHANGE);
	assert_lines(&m, "/a /b /b/10 /b/9 /b/x");
	/* a change that is seen is later than any the store has told of */
	value_of(&m, "/b/9", "other");
	assert_lines(&m, "/b /b/9 /b/10 /b/x /a");
	model_set_order(&m, ORDER_NAME);
	assert_lines(&m, "/a /b /b/9 /b/10 /b/x");
	model_fini(&m);
}

static void test_a_line_of_the_log_knows_what_was_before(void **state)
{
	static struct ui_log l;
	struct ui_entry *e;

	log_add(&l, "/a", 1, 16);
	e = log_find(&l, "/a");
	assert_null(e->old);
	log_set_old(e, "zero", 4);
	log_set_value(e, "one", 3, 0);
	assert_string_equal(e->old, "zero");
	log_set_value(e, "one", 3, 0);
	assert_string_equal(e->old, "zero");
	log_set_value(e, "two", 3, 0);
	assert_string_equal(e->old, "one");
	log_set_value(e, NULL, 0, -ENOENT);
	assert_string_equal(e->old, "two");
	log_fini(&l);
}

static void test_search_wants_letters_in_order_and_likes_the_last_name(void **state)
{
	assert_int_equal(ui_fuzzy("xyz", "/local/domain/3"), 0);
	assert_int_equal(ui_fuzzy("", "/local"), 0);
	assert_true(ui_fuzzy("ldn", "/local/domain/3/name") > 0);
	assert_true(ui_fuzzy("state", "/a/state") > ui_fuzzy("state", "/a/state/b"));
	assert_true(ui_fuzzy("state", "/a/state/b") > ui_fuzzy("state", "/s/t/a/t/e"));
	assert_true(ui_fuzzy("memtar", "/d/memory/target") > ui_fuzzy("memtar", "/dme/m/tab/or"));
}

static void test_every_row_of_the_registry_is_compiled_in(void **state)
{
	size_t nr = 0;

	for (; schema_at(nr); nr++) {
		assert_int_equal(schema_at(nr)->path[0], '/');
		assert_true(schema_at(nr)->type_text[0] && schema_at(nr)->writer[0] &&
			    schema_at(nr)->readers[0]);
	}
	assert_true(nr > 200);
}

static void test_a_row_without_variables_wins(void **state)
{
	assert_string_equal(schema_find("/local/domain/0/backend/vbd")->path,
			    "/local/domain/0/backend/vbd");
	assert_string_equal(schema_find("/config/domain/web/memory")->path,
			    "/config/domain/$NAME/memory");
	assert_null(schema_find("/config/domain/web/memory/more"));
	assert_null(schema_find("/local/domain/x/name"));
}

static void test_values_are_told_in_people_s_terms(void **state)
{
	static const struct {
		const char *path, *value, *says;
	} cases[] = {
		{ "/local/domain/1/device/vbd/51712/state", "4", "Connected" },
		{ "/local/domain/1/device/vbd/51712/state", "9", NULL },
		{ "/local/domain/1/device/vbd/51729", "", "xvdb1" },
		{ "/local/domain/1/memory/target", "131072", "128 MiB" },
		{ "/local/domain/1/memory/target", "131072x", NULL },
		{ "/config/domain/web/paused", "1", "yes" },
		{ "/host/booted", "1700000000", "2023-11-14T22:13:20Z" },
		{ "/t/anything", "4", NULL },
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *says = meaning_decode(cases[i].path, cases[i].value,
						  strlen(cases[i].value), buf, sizeof(buf));

		if (!cases[i].says)
			assert_null(says);
		else
			assert_string_equal(says, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_come_by_value_before_words),
		cmocka_unit_test(test_only_opened_nodes_have_lines),
		cmocka_unit_test(test_a_flat_view_has_a_line_for_all_that_is_known),
		cmocka_unit_test(test_a_view_of_some_paths_has_the_way_to_them_and_what_is_in_them),
		cmocka_unit_test(test_a_cursor_whose_node_goes_moves_to_the_neighbour),
		cmocka_unit_test(test_a_change_asks_for_the_node_and_all_known_below),
		cmocka_unit_test(test_a_new_node_asks_for_its_directory_only),
		cmocka_unit_test(test_the_first_value_is_no_change_the_next_is),
		cmocka_unit_test(test_ten_thousand_changes_in_ten_seconds_are_51_drawings),
		cmocka_unit_test(test_nothing_new_sleeps_for_ever),
		cmocka_unit_test(test_the_log_folds_repeats_and_forgets_the_oldest),
		cmocka_unit_test(test_a_filter_leaves_what_has_the_text_in_name_or_value_and_the_way_there),
		cmocka_unit_test(test_orders_go_by_all_that_is_below),
		cmocka_unit_test(test_a_line_of_the_log_knows_what_was_before),
		cmocka_unit_test(test_search_wants_letters_in_order_and_likes_the_last_name),
		cmocka_unit_test(test_every_row_of_the_registry_is_compiled_in),
		cmocka_unit_test(test_a_row_without_variables_wins),
		cmocka_unit_test(test_values_are_told_in_people_s_terms),
	};

	return cmocka_run_group_tests_name("xs: browse", tests, NULL, NULL);
}
