/* SPDX-License-Identifier: MIT */
/*
 * test_control.c - CONTROL's sub-commands, one claim each: what C xenstored has as C xenstored
 * answers it, and ours. Also that the checker notices what it is there to notice.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"
#include "store.h"
#include "snapshot_name.h"
#include "watch.h"

static struct server *srv;
static struct conn *dom0, *guest;
static char out[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	dom0 = t_client(srv, 0);
	guest = t_client(srv, 1);
	assert_int_equal(t_mkdir(dom0, 0, "/local/domain/1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/local/domain/1", "n1"), 0);
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

#define CONTROL(...) t_call(dom0, XS_CONTROL, out, __VA_ARGS__, NULL)

static void says(const char *text)
{
	if (!strstr(out, text))
		fail_msg("\"%s\" is not in: %s", text, out);
}

static void test_unknown_and_misused_commands_are_EINVAL(void **state)
{
	assert_int_equal(CONTROL("nonsense"), EINVAL);
	assert_int_equal(CONTROL(""), EINVAL);
	assert_int_equal(CONTROL("check", "extra"), EINVAL);
	assert_int_equal(CONTROL("logfile"), EINVAL);
	assert_int_equal(CONTROL("log", "maybe"), EINVAL);
	assert_int_equal(CONTROL("quota", "set", "nodes"), EINVAL);
	assert_int_equal(CONTROL("quota", "set", "nonsense", "1"), EINVAL);
	assert_int_equal(CONTROL("quota", "set", "nodes", "-1"), EINVAL);
	assert_int_equal(CONTROL("quota-soft", "set", "nodes", "1"), EINVAL);
	assert_int_equal(CONTROL("live-update"), EINVAL);
	assert_int_equal(CONTROL("live-update", "-x"), EINVAL);
	assert_int_equal(CONTROL("quota", "max", "x"), EINVAL);
	assert_int_equal(CONTROL("monitor", "on"), EINVAL);
}

/* All that is said is looked at before any of it is done. */
static void test_a_live_update_that_cannot_be_is_not_begun(void **state)
{
	static const char *const files[] = { "/nowhere/xenstored", "/bin", "/etc/passwd", "/bin/true",
					     "/bin/sleep", "/dev/null", "" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (CONTROL("live-update", "-f", files[i], "-s") == 0)
			fail_msg("went on as \"%s\"", files[i]);
		assert_false(srv->want_live_update);
	}
	assert_int_equal(CONTROL("live-update", "-s", "-x"), EINVAL);
	assert_int_equal(CONTROL("live-update", "-s", "-f"), EINVAL);
	assert_int_equal(CONTROL("live-update", "-s", "-t", "soon"), EINVAL);
	assert_int_equal(CONTROL("live-update", "-s", "-a"), EINVAL);
	assert_int_equal(CONTROL("live-update", "-s", "-c", "--verbose"), EINVAL);
	assert_false(srv->want_live_update);
	assert_int_equal(CONTROL("live-update", "-s", "-t", "60", "-F"), 0);
	assert_true(srv->want_live_update);
	assert_int_equal(CONTROL("live-update", "-a"), 0);
	assert_false(srv->want_live_update);
}

static void test_snapshots_are_not_called_like_something_else(void **state)
{
	static const char *const bad[] = { "",	".mdb",	   "../x", "../x.mdb", ".x.mdb",  ".",
					   "..", "a b.mdb", "a\n",  "x.mdb.old", "a/b.mdb" };
	char name[SNAPSHOT_NAME_BUF];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(snapshot_name(bad[i], name));
	assert_true(snapshot_name("before-the-73_change.mdb", name));
	assert_string_equal(name, "before-the-73_change");
	assert_true(snapshot_name("lock", name));
	assert_string_equal(name, "lock");
}

static void test_nothing_is_written_over_the_store(void **state)
{
	static const char *const names[] = { "store/data.mdb", "store/generations/1.mdb",
					     "live/data.mdb", "lock", "new" };
	static const char *const dirs[] = { "store", "store/generations", "live" };
	char dir[] = "/tmp/xs-control-XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	srv->cfg.state_dir = dir;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(CONTROL("memreport", path), EINVAL);
		assert_int_equal(CONTROL("logfile", path), EINVAL);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_int_equal(CONTROL("memreport", "report"), EINVAL);
	assert_int_equal(CONTROL("memreport", "/dev/null"), EINVAL);
	srv->cfg.state_dir = NULL;
	assert_int_equal(files_remove(dir), 0);
}

static void test_guests_are_refused(void **state)
{
	assert_int_equal(t_call(guest, XS_CONTROL, out, "help", NULL), EACCES);
	assert_int_equal(t_call(guest, XS_CONTROL, out, "print", NULL), EACCES);
}

static void test_help_names_every_command(void **state)
{
	static const char *const names[] = { "check", "log", "logfile", "memreport", "print", "quota",
					     "quota-soft", "help", "stat", "metrics", "watches",
					     "live-update", "snapshot", "restore", "monitor", "json",
					     "lost" };

	assert_int_equal(CONTROL("help"), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		says(names[i]);
}

/* --- what a value is in JSON: a mark that only CONTROL json sees and sets --- */

#define JSON(id, ...) CONTROL("json", id_text(id), __VA_ARGS__)

static const char *id_text(uint32_t id)
{
	static char text[16];

	snprintf(text, sizeof(text), "%u", id);
	return text;
}

static void set_kind(const char *path, const char *kind)
{
	uint32_t t = t_begin(dom0);

	assert_int_equal(JSON(t, path, kind), 0);
	assert_int_equal(t_end(dom0, t, true), 0);
}

static void has_kind(const char *path, const char *kind_and_value)
{
	assert_int_equal(JSON(0, path), 0);
	assert_string_equal(out, kind_and_value);
}

static void test_a_kind_is_kept_beside_the_value(void **state)
{
	assert_int_equal(t_write(dom0, 0, "/k", "1.10"), 0);
	has_kind("/k", "01.10");
	set_kind("/k", "1");
	has_kind("/k", "11.10");
	assert_int_equal(t_setp(dom0, 0, "/k", "n0 r1"), 0);
	assert_int_equal(t_write(dom0, 0, "/k", "2"), 0);
	has_kind("/k", "12");
	assert_int_equal(t_rm(dom0, 0, "/k"), 0);
	assert_int_equal(t_write(dom0, 0, "/k", "3"), 0);
	has_kind("/k", "03");
}

static void test_a_kind_is_no_event_and_no_conflict(void **state)
{
	uint32_t t;

	assert_int_equal(t_write(dom0, 0, "/k", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/k", "n0 r1"), 0);
	assert_int_equal(t_watch(dom0, "/k", "token"), 0);
	t_expect_event(dom0, "/k", "token");
	t = t_begin(guest);
	assert_int_equal(t_read(guest, t, "/k", out), 0);
	set_kind("/k", "1");
	assert_null(t_next(dom0));
	assert_int_equal(t_end(guest, t, true), 0);
}

static void test_a_kind_of_a_transaction_is_of_its_end(void **state)
{
	uint32_t t = t_begin(dom0);

	assert_int_equal(t_write(dom0, t, "/k", "1"), 0);
	assert_int_equal(JSON(t, "/k", "1"), 0);
	assert_int_equal(JSON(t, "/k"), 0);
	assert_string_equal(out, "11");
	assert_int_equal(JSON(0, "/k"), ENOENT);
	assert_int_equal(t_end(dom0, t, true), 0);
	has_kind("/k", "11");
	t = t_begin(dom0);
	assert_int_equal(JSON(t, "/k", "2"), 0);
	assert_int_equal(t_end(dom0, t, false), 0);
	has_kind("/k", "11");
}

static void test_a_kind_is_set_in_a_transaction_of_ones_own_only(void **state)
{
	uint32_t t = t_begin(dom0);

	assert_int_equal(t_write(dom0, 0, "/k", "1"), 0);
	assert_int_equal(JSON(0, "/k", "1"), EINVAL);
	assert_int_equal(JSON(t + 1, "/k", "1"), ENOENT);
	assert_int_equal(JSON(t, "/k", "6"), EINVAL);
	assert_int_equal(JSON(t, "/k", "x"), EINVAL);
	assert_int_equal(JSON(t, "/none", "1"), ENOENT);
	assert_int_equal(JSON(t, "none"), ENOENT);
	assert_int_equal(CONTROL("json", "x", "/k"), EINVAL);
	assert_int_equal(t_call(guest, XS_CONTROL, out, "json", "0", "/k", NULL), EACCES);
	assert_int_equal(t_end(dom0, t, true), 0);
	has_kind("/k", "01");
}

static void test_quota_shows_sets_and_counts(void **state)
{
	assert_int_equal(CONTROL("quota"), 0);
	says("nodes            :     1000");
	assert_int_equal(CONTROL("quota", "set", "nodes", "3"), 0);
	assert_int_equal(CONTROL("quota"), 0);
	says("nodes            :        3");
	assert_int_equal(t_write(guest, 0, "data/a", "1"), 0);
	assert_int_equal(t_write(guest, 0, "data/b", "1"), ENOSPC);
	assert_int_equal(CONTROL("quota", "1"), 0);
	says("nodes            :        3 of        3");
	assert_int_equal(CONTROL("quota", "4711"), ENOENT);
	assert_int_equal(CONTROL("quota", "max"), 0);
	says("nodes            :        3");
	assert_int_equal(CONTROL("quota", "max", "-r"), 0);
	assert_int_equal(CONTROL("quota", "max"), 0);
	says("nodes            :        0");
}

static void test_soft_quota_shows_and_sets(void **state)
{
	assert_int_equal(CONTROL("quota-soft"), 0);
	says("memory           :  2097152");
	assert_int_equal(CONTROL("quota-soft", "set", "memory", "4096"), 0);
	assert_int_equal(CONTROL("quota-soft"), 0);
	says("memory           :     4096");
}

static void test_log_goes_where_it_is_told(void **state)
{
	char path[64] = "/tmp/xs-control-XXXXXX", text[4096] = "";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(CONTROL("log"), 0);
	assert_string_equal(out, "off");
	assert_int_equal(CONTROL("logfile", path), 0);
	assert_int_equal(CONTROL("log"), 0);
	assert_string_equal(out, "on");
	assert_int_equal(t_write(dom0, 0, "/logged/node", "1"), 0);
	assert_int_equal(CONTROL("log", "off"), 0);
	assert_int_equal(t_write(dom0, 0, "/unlogged/node", "1"), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "/logged/node"));
	assert_null(strstr(text, "/unlogged"));
	assert_int_equal(CONTROL("logfile", "/nowhere/at/all"), ENOENT);
	close(fd);
	unlink(path);
}

static void test_memreport_answers_or_fills_a_file(void **state)
{
	char path[64] = "/tmp/xs-control-XXXXXX", text[4096] = "";
	int fd = mkstemp(path);

	assert_int_equal(CONTROL("memreport"), 0);
	says("nodes ");
	assert_int_equal(CONTROL("memreport", path), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "nodes "));
	close(fd);
	unlink(path);
}

/* As C xenstored: for the log, and for nothing else. */
static void test_print_puts_a_text_into_the_log_with_bytes_made_harmless(void **state)
{
	char path[64] = "/tmp/xs-control-XXXXXX", text[4096] = "";
	int fd = mkstemp(path), err = dup(2);

	assert_true(fd >= 0 && err >= 0);
	dup2(fd, 2);
	assert_int_equal(CONTROL("print", "hello /p \033[31m\n"), 0);
	dup2(err, 2);
	close(err);
	assert_string_equal(out, "OK");
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, "hello /p .[31m."));
	assert_int_equal(CONTROL("print"), EINVAL);
	close(fd);
	unlink(path);
}

static void test_watches_lists_those_of_a_domain(void **state)
{
	assert_int_equal(t_watch(guest, "data", "tok"), 0);
	assert_int_equal(t_watch(dom0, "/elsewhere", "tok"), 0);
	assert_int_equal(CONTROL("watches", "1x"), EINVAL);
	assert_int_equal(CONTROL("watches", "1"), 0);
	says("/local/domain/1/data");
	assert_null(strstr(out, "/elsewhere"));
	assert_int_equal(CONTROL("watches"), 0);
	says("/elsewhere");
}

/* More than a message has room for: each part says that there is more, and from where on. */
static void test_a_long_answer_says_that_it_is_cut_and_can_be_had_in_parts(void **state)
{
	unsigned int nr = 0, parts = 0, more, from = 0;
	char path[100], number[16];
	const char *cut;

	for (unsigned int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/a/path/that/is/not/short/%u", i);
		assert_int_equal(t_watch(dom0, path, "tok"), 0);
	}
	do {
		snprintf(number, sizeof(number), "%u", from);
		assert_int_equal(CONTROL("watches", "0", "from", number), 0);
		for (const char *at = out; (at = strstr(at, "/short/")); at++)
			nr++;
		cut = strstr(out, "... ");
		if (cut)
			assert_int_equal(sscanf(cut, "... %u more lines (from %u)", &more, &from), 2);
		assert_true(!cut || nr + more == 500);
		parts++;
	} while (cut && parts < 20);
	assert_int_equal(nr, 500);
	assert_true(parts > 2);
	assert_int_equal(CONTROL("watches", "from", "x"), EINVAL);
	assert_int_equal(CONTROL("watches", "from"), EINVAL);
	assert_int_equal(CONTROL("watches", "0", "1", "2"), EINVAL);
}

static void test_monitor_streams_operations_with_domain_and_result(void **state)
{
	assert_int_equal(CONTROL("monitor"), 0);
	assert_int_equal(t_write(guest, 0, "data/seen", "1"), 0);
	assert_int_equal(t_read(guest, 0, "data/unseen", NULL), ENOENT);
	assert_int_equal(CONTROL("monitor"), 0);
	says("WRITE");
	says("READ");
	says("ENOENT");
	assert_int_equal(CONTROL("monitor", "off"), 0);
}

static void test_what_needs_a_disk_says_so_without_one(void **state)
{
	assert_int_equal(CONTROL("snapshot"), ENOSYS);
	assert_int_equal(CONTROL("restore"), ENOSYS);
}

static void test_read_only_clients_change_nothing_by_control(void **state)
{
	dom0->read_only = true;
	assert_int_equal(CONTROL("check"), 0);
	assert_int_equal(CONTROL("stat"), 0);
	assert_int_equal(CONTROL("logfile", "/tmp/none"), EROFS);
	assert_int_equal(CONTROL("memreport", "/tmp/xs-none"), EROFS);
	assert_int_equal(access("/tmp/xs-none", F_OK), -1);
	assert_int_equal(CONTROL("log", "on"), EROFS);
	/* It asks for the past, as "at" does; there is none without a disk. */
	assert_int_equal(CONTROL("log", "/config"), ENOSYS);
	assert_int_equal(CONTROL("quota", "set", "nodes", "1"), EROFS);
	assert_int_equal(CONTROL("quota", "max", "-r"), EROFS);
	assert_int_equal(CONTROL("quota-soft", "set", "memory", "1"), EROFS);
	assert_int_equal(CONTROL("live-update", "-s"), EROFS);
	assert_int_equal(CONTROL("restore"), EROFS);
	assert_int_equal(CONTROL("lost", "known"), EROFS);
}

/* --- OpenMetrics 1.0: what a scraper insists on --- */

static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalpha((unsigned char)s[i]) && s[i] != '_' && s[i] != ':' &&
		    !(i && isdigit((unsigned char)s[i])))
			return false;
	}
	return len > 0;
}

/* A sample belongs to the family declared last; a counter's has "_total". */
static void check_sample(const char *line, const char *family, bool counter)
{
	size_t name = strcspn(line, "{ "), fam = strlen(family);
	const char *value = line + name;
	char *end;

	if (!is_name(line, name) || strncmp(line, family, fam) != 0 ||
	    name != fam + (counter ? 6 : 0) || (counter && strncmp(line + fam, "_total", 6) != 0))
		fail_msg("sample outside its family %s: %s", family, line);
	if (*value == '{') {
		value = strchr(value, '}');
		assert_non_null(value);
		value++;
	}
	assert_int_equal(*value, ' ');
	strtod(value + 1, &end);
	if (end == value + 1 || *end)
		fail_msg("not a number: %s", line);
}

static void test_metrics_are_open_metrics(void **state)
{
	char family[100] = "", seen[8192] = "", *save, type[20];
	unsigned int samples = 0;
	bool ended = false;

	assert_int_equal(CONTROL("metrics"), 0);
	assert_int_equal(out[strlen(out) - 1], '\n');
	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char mark[110];

		assert_false(ended);
		if (strcmp(line, "# EOF") == 0) {
			ended = true;
		} else if (line[0] == '#') {
			assert_int_equal(sscanf(line, "# TYPE %99s %19s", family, type), 2);
			assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0);
			snprintf(mark, sizeof(mark), " %s ", family);
			if (strstr(seen, mark))
				fail_msg("family %s is there twice", family);
			strcat(seen, mark);
		} else {
			check_sample(line, family, strcmp(type, "counter") == 0);
			samples++;
		}
	}
	assert_true(ended);
	assert_true(samples > 10);
}

static void test_stat_counts_requests_and_errors(void **state)
{
	assert_int_equal(t_read(dom0, 0, "/no/such", NULL), ENOENT);
	assert_int_equal(CONTROL("stat"), 0);
	says("READ 1 errors 1");
	says("nodes ");
}

/* --- the checker --- */

/* Plants @value in a number, looks, and puts it back. */
#define PLANT(place, value, words)                                                                 \
	do {                                                                                       \
		__typeof__(place) was = place;                                                     \
                                                                                                   \
		place = value;                                                                     \
		assert_int_equal(CONTROL("check"), 0);                                             \
		place = was;                                                                       \
		says(words);                                                                       \
		assert_int_equal(CONTROL("check"), 0);                                             \
		assert_string_equal(out, "OK");                                                    \
	} while (0)

/* What is in memory may be whole all the same. */
static void test_check_says_what_the_disk_says_of_itself(void **state)
{
	PLANT(srv->durable.degraded, true, "disk: something was lost");
	PLANT(srv->durable.refused, -EIO, "disk: it takes no changes: Input/output error");
}

/* Puts the node's record with what @edit makes of it, behind everybody's back. */
static void plant(const char *path, size_t at, unsigned char with)
{
	unsigned char rec[256];
	struct store_bytes old;

	assert_true(store_get(srv->tree.store, STORE_NODE, path, strlen(path), &old));
	memcpy(rec + STORE_HEAD, old.data, old.len);
	rec[STORE_HEAD + at] ^= with;
	store_put(srv->tree.store, STORE_NODE, path, strlen(path), rec, STORE_HEAD + old.len);
}

#define PLANT_IN(path, at, with, words)                                                            \
	do {                                                                                       \
		plant(path, at, with);                                                             \
		assert_int_equal(CONTROL("check"), 0);                                             \
		plant(path, at, with);                                                             \
		says(words);                                                                       \
		assert_int_equal(CONTROL("check"), 0);                                             \
		assert_string_equal(out, "OK");                                                    \
	} while (0)

static void test_check_finds_planted_damage(void **state)
{
	const char *dir = "/local/domain/1/data";
	struct watch *w;

	assert_int_equal(t_write(guest, 0, "data/a", "1"), 0);
	assert_int_equal(t_write(guest, 0, "data/b", "1"), 0);
	assert_int_equal(t_watch(guest, "data", "tok"), 0);
	w = guest->watch_first;
	assert_non_null(w);

	PLANT(srv->tree.nr_nodes, 3, "nodes");
	PLANT_IN(dir, 0, 9, "children counted");
	PLANT_IN(dir, 5, 0x40, "2 children counted, 0 found");
	PLANT_IN(dir, 25, 0x40, "still to come");
	PLANT_IN("/local/domain/1/data/b", 5, 0x40, "not found by domain 1");
	PLANT(guest->domain->used[QUOTA_NODES], 77, "domain 1: nodes is 77");
	PLANT(guest->domain->used[QUOTA_MEMORY], 1, "domain 1: memory is 1");
	PLANT(guest->domain->used[QUOTA_WATCHES], 0, "domain 1: watches is 0");
	PLANT(guest->domain->used[QUOTA_TRANSACTIONS], 1, "domain 1: transactions is 1");
	PLANT(w->on->first, NULL, "watches: empty path");
	PLANT(srv->watches.nr_paths, 5, "two indexes differ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_unknown_and_misused_commands_are_EINVAL),
		T(test_guests_are_refused),
		T(test_a_live_update_that_cannot_be_is_not_begun),
		T(test_snapshots_are_not_called_like_something_else),
		T(test_nothing_is_written_over_the_store),
		T(test_help_names_every_command),
		T(test_a_kind_is_kept_beside_the_value),
		T(test_a_kind_is_no_event_and_no_conflict),
		T(test_a_kind_of_a_transaction_is_of_its_end),
		T(test_a_kind_is_set_in_a_transaction_of_ones_own_only),
		T(test_quota_shows_sets_and_counts),
		T(test_soft_quota_shows_and_sets),
		T(test_log_goes_where_it_is_told),
		T(test_memreport_answers_or_fills_a_file),
		T(test_print_puts_a_text_into_the_log_with_bytes_made_harmless),
		T(test_watches_lists_those_of_a_domain),
		T(test_a_long_answer_says_that_it_is_cut_and_can_be_had_in_parts),
		T(test_a_long_answer_says_that_it_is_cut_and_can_be_had_in_parts),
		T(test_monitor_streams_operations_with_domain_and_result),
		T(test_what_needs_a_disk_says_so_without_one),
		T(test_read_only_clients_change_nothing_by_control),
		T(test_metrics_are_open_metrics),
		T(test_stat_counts_requests_and_errors),
		T(test_check_finds_planted_damage),
		T(test_check_says_what_the_disk_says_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
