/* SPDX-License-Identifier: MIT */
/*
 * test_move.c - a domain that moves to another host: what cli_xm/move.py cannot bring about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "move_in.h"
#include "move_msg.h"
#include "move_out.h"
#include "restore_priv.h"
#include "restore_pv.h"
#include "save_live.h"
#include "save_priv.h"
#include "save_pv.h"
#include "world.h"

#define EPOCH "01234567-89ab-cdef-0123-456789abcdef"

/* --- a thread that does not get its turn --- */

static int no_turn = 1;			/* what worker_start() says instead of beginning; 1: it begins */
static unsigned int nr_began;		/* before the disk was asked to come to rest */

#define VBD "/local/domain/0/backend/vbd/1/51712/"

int __real_worker_start(struct worker *w, int wake_fd);
int __wrap_worker_start(struct worker *w, int wake_fd);
int __wrap_worker_start(struct worker *w, int wake_fd)
{
	nr_began += !fake_get(VBD "drain");
	return no_turn < 1 ? no_turn : __real_worker_start(w, wake_fd);
}

/* --- the other host --- */

static char channel[80];

static bool next(int fd, struct move_msg *m)
{
	struct move_in in = { .have = 0 };
	int got = 0;

	while (got == 0)
		got = move_take(fd, &in, 1000, m);
	return got == 1;
}

/* Says RUNS to who asks; 1 if it then hears DONE. */
static int says_that_it_runs(int fd)
{
	struct move_msg m;

	if (!next(fd, &m) || m.type != MOVE_ASK || strcmp(m.epoch, EPOCH) ||
	    move_send(fd, MOVE_RUNS, EPOCH, ""))
		return 2;
	return next(fd, &m) && m.type == MOVE_DONE;
}

/* Takes what comes, saying beforehand all that will have to be said; 1 if DONE was the end. */
static int takes_all(int fd)
{
	static char buf[65536 + sizeof(struct move_msg)];
	struct move_msg m;
	size_t kept = 0;
	ssize_t n;

	if (!next(fd, &m) || m.type != MOVE_OFFER || move_send(fd, MOVE_ACCEPT, m.epoch, "") ||
	    move_send(fd, MOVE_READY, m.epoch, "") || move_send(fd, MOVE_RUNS, m.epoch, ""))
		return 2;
	while ((n = read(fd, buf + kept, 65536)) > 0) {
		kept += (size_t)n;
		if (kept > sizeof(m)) {
			memmove(buf, buf + kept - sizeof(m), sizeof(m));
			kept = sizeof(m);
		}
	}
	memcpy(&m, buf, sizeof(m));
	return m.type == MOVE_DONE;
}

/* A process at the other end of the channel; what @does returns is what it ends with. */
static pid_t other_host(int (*does)(int fd))
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	memcpy(at.sun_path, channel, sizeof(channel));
	unlink(channel);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(does(accept(fd, NULL, NULL)));
	}
	close(fd);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	unlink(channel);
	return WEXITSTATUS(status);
}

static int setup(void **state)
{
	int err = world_setup(state);
	struct world *w = *state;

	snprintf(channel, sizeof(channel), "%s/channel", w->dir);
	return err;
}

static void handed_over(struct world *w)
{
	world_record(w, "a");
	fake_set("/config/domain/a/power", "off");
	fake_set("/config/domain/a/moved", EPOCH " b");
	world_run(w, 1);
	fake_set("/request/r1", NULL);
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
}

/* --- it is there --- */

/* What the other host still knows keeps the copy here from ever being started. */
static void store_fails(struct world *w, enum fake_failure failure)
{
	pid_t other = other_host(says_that_it_runs);

	handed_over(w);
	fake_set("/request/r1/domain", "a");
	fake_set("/request/r1/op", "migrate");
	world_steps(w, 1);
	fake_store_fail(failure);
	world_steps(w, 3);
	assert_int_equal(end_of(other), 0);
	fake_store_fail(FAKE_WORKS);

	fake_set("/config/domain/a/power", "on");
	world_run(w, 5);
	assert_string_equal(state_of("a"), "failed");
	assert_non_null(strstr(error_of("a"), "it was handed over"));
	assert_int_equal(fake_hv_domains(), 0);

	handed_over(w);
	other = other_host(says_that_it_runs);
	request(w, "migrate", "a");
	assert_int_equal(end_of(other), 1);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_null(fake_get("/config/domain/a/moved"));
	assert_string_equal(state_of("a"), "none");
}

static void test_other_host_does_not_forget_while_the_store_is_away(void **state)
{
	store_fails(*state, FAKE_AWAY);
}

static void test_other_host_does_not_forget_while_the_record_is_here(void **state)
{
	store_fails(*state, FAKE_KEEPS);
}

/* --- it is not --- */

static int never_heard_of_it(int fd)
{
	struct move_msg m;

	return next(fd, &m) && m.type == MOVE_ASK ? move_send(fd, MOVE_NO, EPOCH, "it never arrived") : 2;
}

/* A host that it was never handed to knows nothing of it, and it may run on the one that it was. */
static void test_only_who_it_was_handed_to_is_asked(void **state)
{
	struct world *w = *state;
	pid_t other;

	handed_over(w);
	fake_set("/request/r1/args/host", "c");
	other = other_host(never_heard_of_it);
	request(w, "migrate", "a");
	assert_non_null(fake_get("/config/domain/a/moved"));
	assert_non_null(strstr(fake_get("/request/r1/error"), "it was handed over to b"));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);

	handed_over(w);
	other = other_host(never_heard_of_it);
	request(w, "migrate", "a");
	assert_int_equal(end_of(other), 0);
	assert_null(fake_get("/config/domain/a/moved"));
	assert_non_null(strstr(fake_get("/request/r1/error"), "it is here as before"));
}

/* --- what it writes meanwhile --- */

static void runs(struct world *w)
{
	world_record(w, "a");
	world_run(w, 1);
	assert_string_equal(state_of("a"), "running");
}

static void test_what_an_ended_xend_had_noted_is_noted_no_more(void **state)
{
	struct world *w = *state;

	runs(w);
	assert_int_equal(hv_dirty_begin(w->hv, 1), 0);
	world_kill(w);
	world_start(w);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(hv_dirty_begin(w->hv, 1), 0);
}

static void test_rounds_begin_where_writes_are_noted_already(void **state)
{
	struct world *w = *state;
	char why[WORKER_WHY] = "";
	struct save *s;

	runs(w);
	assert_int_equal(save_alloc(&w->x, domain_find(&w->x, "a"), &s, why), 0);
	s->fd = open("/dev/null", O_WRONLY);
	s->live.max_stop_ms = 60000;
	assert_int_equal(save_find_domain(s), 0);
	assert_int_equal(hv_dirty_begin(w->hv, 1), 0);
	if (save_put_rounds(s))
		fail_msg("%s", s->worker.why);
	save_release(s);
	assert_int_equal(hv_dirty_begin(w->hv, 1), 0);
}

/* It would stand still for as long as its memory is large, and nobody had asked for that. */
static void test_who_writes_faster_than_the_link_takes_is_slowed_down(void **state)
{
	struct world *w = *state;
	const struct hv_credit own = { 512, 80 };
	char why[WORKER_WHY] = "";
	struct save_rounds now;
	struct hv_credit c;
	struct save *s;

	runs(w);
	assert_int_equal(hv_credit_set(w->hv, 1, &own), 0);
	assert_int_equal(save_alloc(&w->x, domain_find(&w->x, "a"), &s, why), 0);
	s->fd = open("/dev/null", O_WRONLY);
	s->live.max_kib_s = 1024;
	assert_int_equal(save_find_domain(s), 0);
	fake_hv_least_cap = 100;
	fake_hv_writes = 64;
	if (save_put_rounds(s))
		fail_msg("%s", s->worker.why);
	fake_hv_writes = 0;
	save_rounds(s, &now);
	assert_int_equal(now.slow_percent, 5);
	assert_int_equal(fake_hv_least_cap, 4);
	/* For its suspension, and wherever it goes on. */
	assert_int_equal(hv_credit_get(w->hv, 1, &c), 0);
	assert_int_equal(c.cap, 80);
	assert_int_equal(c.weight, 512);
	save_release(s);
}

static struct save *rounds_of(struct world *w, int fd, uint64_t max_stop_ms)
{
	char why[WORKER_WHY] = "";
	struct save *s;

	runs(w);
	assert_int_equal(save_alloc(&w->x, domain_find(&w->x, "a"), &s, why), 0);
	s->fd = fd;
	s->is_channel = true;
	s->live.max_stop_ms = max_stop_ms;
	assert_int_equal(save_find_domain(s), 0);
	if (save_put_rounds(s))
		fail_msg("%s", s->worker.why);
	return s;
}

/* The most that was wished for is not what it has to be: short rounds leave less and less. */
static void test_rounds_go_on_while_they_leave_less(void **state)
{
	struct save_rounds now;
	struct save *s;

	fake_hv_writes = 64;
	fake_hv_calms = true;
	s = rounds_of(*state, open("/dev/null", O_WRONLY), 60000);
	save_rounds(s, &now);
	assert_in_range(now.left_kib, 1, 32 * 4);
	assert_int_equal(now.slow_percent, 0);
	save_release(s);
	fake_hv_calms = false;
	fake_hv_writes = 0;
}

/* Of the list of frames only what was written is read again; it is as if all of it were. */
static void test_frames_that_change_places_are_sent_again(void **state)
{
	const struct start_info *si;
	uint64_t *list, a, b, frame;
	struct save *s;

	s = rounds_of(*state, open("/dev/null", O_WRONLY), 60000);
	si = (const void *)fake_hv_guest_memory(1, fake_hv_guest_reg(1, "rsi"));
	list = (uint64_t *)fake_hv_guest_memory(1, si->mfn_list);
	a = si->nr_pages < 512 ? si->nr_pages - 1 : 511;
	b = a - 1;
	frame = list[a];
	list[a] = list[b];
	list[b] = frame;
	fake_hv_suspend(1);
	if (save_write_memory(s))
		fail_msg("%s", s->worker.why);
	assert_int_equal(save_mfn_of(s, a), list[a]);
	assert_int_equal(save_mfn_of(s, b), list[b]);
	assert_int_equal(save_pfn_of(s, list[a]), a);
	assert_int_equal(save_pfn_of(s, list[b]), b);
	assert_true(s->live.dirty[a / 8] >> a % 8 & 1 && s->live.dirty[b / 8] >> b % 8 & 1);
	for (uint64_t pfn = 0; pfn < s->nr_pfns; pfn++) {
		if (PAGE_LEVEL(save_sent_as(s, pfn)))
			assert_true(s->live.dirty[pfn / 8] >> pfn % 8 & 1);
	}
	save_release(s);
}

/* Whoever takes the stream to another host is woken by each write. */
static void test_small_records_go_together(void **state)
{
	static char buf[1 << 18];
	int pair[2], room = sizeof(buf);
	struct save *s;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	s = rounds_of(*state, open("/dev/null", O_WRONLY), 60000);
	close(s->fd);
	s->fd = pair[0];
	for (int i = 0; i < 12; i++)
		assert_int_equal(save_put_record(s, STREAM_VCPU_MSRS, buf, 24, buf, 100), 0);
	assert_int_equal(recv(pair[1], buf, sizeof(buf), 0), -1);
	assert_int_equal(save_flush(s), 0);
	n = recv(pair[1], buf, sizeof(buf), 0);
	assert_in_range(n, 12 * 124, 12 * 200);
	assert_int_equal(recv(pair[1], buf, sizeof(buf), 0), -1);
	save_release(s);
	close(pair[1]);
}

static void test_what_an_ended_xend_had_slowed_down_is_not(void **state)
{
	struct world *w = *state;
	struct hv_credit c = { 256, 5 };

	runs(w);
	world_kill(w);
	assert_int_equal(hv_dirty_begin(w->hv, 1), 0);
	assert_int_equal(hv_credit_set(w->hv, 1, &c), 0);
	world_start(w);
	assert_int_equal(hv_credit_get(w->hv, 1, &c), 0);
	assert_int_equal(c.cap, 0);
}

/* --- a store that does not say how it ended --- */

static void test_what_was_written_down_is_handed_over_whatever_is_heard_of_it(void **state)
{
	struct world *w = *state;
	pid_t other;

	runs(w);
	fake_set("/local/domain/1/control/feature-suspend", "1");
	other = other_host(takes_all);
	fake_lose_answer("/config/domain/a/moved");
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
	fake_set("/request/r1/domain", "a");
	fake_set("/request/r1/op", "migrate");
	for (int i = 0; i < 10 && strcmp(fake_get("/local/domain/1/control/shutdown"), "suspend"); i++)
		world_steps(w, 1);
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	w->x.check_domains = true;
	for (int i = 0; i < 10 && !fake_get("/config/domain/a/moved"); i++)
		world_steps(w, 1);
	assert_non_null(fake_get("/config/domain/a/moved"));
	fake_set("/request/r1", NULL);
	world_run(w, 30);
	assert_int_equal(fake_hv_domains(), 0);
	assert_string_equal(state_of("a"), "none");
	assert_int_equal(end_of(other), 1);
}

/* --- a record that changes --- */

/* Until it is about to be given away, and @key of its record is @value by then. */
static int moves(struct world *w, int domid, const char *key, const char *value)
{
	char home[80], path[80];
	pid_t other = other_host(takes_all);

	snprintf(home, sizeof(home), "/local/domain/%d/control/feature-suspend", domid);
	fake_set(home, "1");
	fake_set("/request/r1", NULL);
	world_run(w, 0);
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
	fake_set("/request/r1/domain", "a");
	fake_set("/request/r1/op", "migrate");
	snprintf(home, sizeof(home), "/local/domain/%d/control/shutdown", domid);
	for (int i = 0; i < 10 && (!fake_get(home) || strcmp(fake_get(home), "suspend")); i++)
		world_steps(w, 1);
	assert_string_equal(fake_get(home), "suspend");
	fake_set(home, "");
	snprintf(path, sizeof(path), "/config/domain/a/%s", key);
	fake_set(path, value);
	fake_hv_suspend(domid);
	w->x.check_domains = true;
	world_run(w, 30);
	return end_of(other);
}

/* The other host would have had it as it was before, and nobody the change. */
static void test_what_changed_while_it_moved_is_not_lost(void **state)
{
	static const char *const keys[][2] = {
		{ "memory", "24" }, { "disk/0/target", "file:/data/other.img" }, { "on_crash", "destroy" },
		{ "vif/0/ip", NULL }, { "vif/1", "" },
	};
	struct world *w = *state;

	runs(w);
	fake_set("/config/domain/a/vif/0/ip", "10.0.0.9");
	world_run(w, 1);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(moves(w, 1, keys[i][0], keys[i][1]), 0);
		assert_non_null(strstr(fake_get("/request/r1/error"), "its record was changed while it "
				       "moved"));
		assert_null(fake_get("/config/domain/a/moved"));
		assert_string_equal(state_of("a"), "running");
		assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	}
	assert_int_equal(moves(w, 1, "memory", "24"), 1);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_string_equal(state_of("a"), "none");
}

/* It is to go down: the other host would not know. */
static void test_what_is_switched_off_while_it_moves_is_off(void **state)
{
	struct world *w = *state;

	runs(w);
	assert_int_equal(moves(w, 1, "power", "off"), 0);
	assert_non_null(strstr(fake_get("/request/r1/error"), "its record was changed"));
	assert_null(fake_get("/config/domain/a/moved"));
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
}

/* "It was not taken over" is for good: who is told that lets it run on the other host. */
static void test_a_silent_store_is_no_sign_that_it_was_not_taken_over(void **state)
{
	struct world *w = *state;
	struct restore r = { .is_channel = true, .is_handed = true };
	struct domain d = { .restore = &r, .deadline_ns = 1, .name = "a" };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r.fd = pair[0];
	snprintf(d.rec.arriving, sizeof(d.rec.arriving), EPOCH);
	fake_set("/config/domain/a/arriving", EPOCH);
	fake_store_fail(FAKE_AWAY);
	assert_int_equal(move_in_step(&w->x, &d), -EINPROGRESS);
	fake_store_fail(FAKE_WORKS);
	fake_lose_answer("/config/move/");
	assert_int_equal(move_in_step(&w->x, &d), -EINPROGRESS);
	assert_null(fake_get("/config/domain/a/arriving"));
	/* It is this host's, and the only copy: no clock ends it before the store has said so. */
	assert_true(d.deadline_ns > w->x.now_ns);
	assert_int_equal(move_in_step(&w->x, &d), 0);
	assert_string_equal(d.error, "");
	close(pair[0]);
	close(pair[1]);
}

/*
 * That is an answer: who waits for a full disk keeps a guest still that could go on where it was.
 */
static void test_a_full_disk_gives_it_back(void **state)
{
	struct world *w = *state;
	struct restore r = { .is_channel = true, .is_handed = true };
	struct domain d = { .restore = &r, .deadline_ns = 1, .name = "a" };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	r.fd = pair[0];
	snprintf(d.rec.arriving, sizeof(d.rec.arriving), EPOCH);
	fake_set("/config/domain/a/arriving", EPOCH);
	fake_fail_writes("/config/move/");
	assert_int_equal(move_in_step(&w->x, &d), -ENOSPC);
	assert_non_null(strstr(d.error, "no room"));
	/* So the no that follows is true. */
	assert_string_equal(fake_get("/config/domain/a/arriving"), EPOCH);
	assert_null(fake_get("/config/move/" EPOCH));
	fake_fail_writes(NULL);
	close(pair[0]);
	close(pair[1]);
}

/* It is looked at a thousand times a second. */
static void test_a_silent_store_fills_no_log(void **state)
{
	struct world *w = *state;
	struct restore r = { .is_channel = true, .is_handed = true };
	struct domain d = { .restore = &r, .deadline_ns = 1, .name = "a" };
	int before = dup(STDERR_FILENO), to = memfd_create("log", MFD_CLOEXEC);
	char said[4096] = "";

	snprintf(d.rec.arriving, sizeof(d.rec.arriving), EPOCH);
	log_init("test", LOG_LVL_WARN, 0);
	dup2(to, STDERR_FILENO);
	fake_store_fail(FAKE_AWAY);
	for (int i = 0; i < 1000; i++)
		move_in_step(&w->x, &d);
	fake_store_fail(FAKE_WORKS);
	dup2(before, STDERR_FILENO);
	close(before);
	log_init("test", LOG_LVL_ERROR, 0);
	assert_true(pread(to, said, sizeof(said) - 1, 0) > 0);
	close(to);
	assert_non_null(strchr(said, '\n'));
	assert_null(strchr(strchr(said, '\n') + 1, '\n'));
}

/* --- packed where the link is slow --- */

static void test_what_the_link_takes_faster_is_not_packed(void **state)
{
	static uint8_t page[STREAM_PAGES_MAX], back[STREAM_PAGES_MAX];
	struct stream_pack p = { .is_wanted = true };
	size_t len;

	(void)state;
	/* Nothing is known of it. */
	assert_int_equal(stream_pack(&p, page, sizeof(page)), 0);
	/* A GiB in a millisecond; then a MiB in ten seconds. */
	stream_pack_measure(&p, 1 << 30, 1000000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(stream_pack(&p, page, sizeof(page)), 0);
	for (int i = 0; i < 20; i++)
		stream_pack_measure(&p, 1 << 20, 10000000000);
	for (int i = 0; i < 16 && !(len = stream_pack(&p, page, sizeof(page))); i++)
		;
	assert_true(len > 8 && len < sizeof(page) / 100);
	assert_int_equal(stream_unpacked_len(p.to, len, sizeof(back)), sizeof(page));
	memset(back, 1, sizeof(back));
	assert_true(stream_unpack(p.to, len, back, sizeof(back)));
	assert_memory_equal(back, page, sizeof(page));
	/* A stranger's. */
	assert_false(stream_unpack(p.to, len - 1, back, sizeof(back)));
	assert_false(stream_unpack(p.to, len, back, sizeof(back) - 1));
	assert_int_equal(stream_unpacked_len(p.to, len, sizeof(back) - 1), 0);
	assert_int_equal(stream_unpacked_len(p.to, 8, sizeof(back)), 0);
	/* Who does not know it gets none. */
	p.is_wanted = false;
	assert_int_equal(stream_pack(&p, page, sizeof(page)), 0);
	stream_pack_fini(&p);
}

static void test_what_packs_badly_goes_as_it_is(void **state)
{
	static uint8_t noise[1 << 20];
	struct stream_pack p = { .is_wanted = true };
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	stream_pack_limit(&p, 1024);
	assert_int_equal(stream_pack(&p, noise, sizeof(noise)), 0);
	stream_pack_fini(&p);
}

/* --- what others say and want meanwhile --- */

static void test_words_of_the_other_host_are_printable(void **state)
{
	struct move_msg m;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(move_send(pair[0], MOVE_NO, "\x1b[2J", "no\x1b]0;owned\a\n\x9b~ "), 0);
	assert_true(next(pair[1], &m));
	assert_string_equal(m.epoch, "?[2J");
	assert_string_equal(m.text, "no?]0;owned???~ ");
	close(pair[0]);
	close(pair[1]);
}

static void test_device_and_pause_stay_while_it_moves(void **state)
{
	static const char *const ops[] = { "attach", "detach", "unpause" };
	struct world *w = *state;

	runs(w);
	fake_set("/config/domain/a/moved", EPOCH " b");
	world_run(w, 1);
	domain_find(&w->x, "a")->handed = true;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		fake_set("/request/r1", NULL);
		world_run(w, 0);
		request(w, ops[i], "a");
		assert_string_equal(fake_get("/request/r1/error"),
				    "a was handed over to another host");
	}
}

/* --- what a guest that arrives stands still for --- */

#define UUID "5fbf0e0a-6c5c-4a29-8f1d-0a6b3f6f8f11"

/* 1: room was made for it. */
static int offers(int fd)
{
	const struct saved_head h = { .version = SAVED_VERSION, .name = "a", .uuid = UUID,
				      .nr_vcpus = 1, .nr_pages = 16 * 256 };
	struct move_msg m;

	return saved_head_write(fd, &h) ? 2 : next(fd, &m) && m.type == MOVE_ACCEPT;
}

/* The first grant that is mapped takes 57 ms: it runs elsewhere until none of that is left. */
static void test_room_for_grants_is_there_before_any_memory_is_asked_for(void **state)
{
	struct world *w = *state;
	unsigned int before;
	pid_t other;

	/* One that is made here waits for nothing. */
	before = fake_hv_grant_rooms;
	runs(w);
	assert_int_equal(fake_hv_grant_rooms, before);
	fake_set("/config/domain/a/power", "off");
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	w->x.check_domains = true;
	world_run(w, 5);
	assert_int_equal(fake_hv_domains(), 0);

	other = other_host(offers);
	w->backends = BACKENDS_SILENT;
	fake_set("/config/domain/a/uuid", UUID);
	fake_set("/config/domain/a/arriving", EPOCH);
	fake_set("/config/domain/a/saved", channel);
	fake_set("/config/domain/a/power", "on");
	world_steps(w, 20);
	assert_int_equal(fake_hv_domains(), 1);
	assert_int_equal(fake_hv_grant_rooms, before + 1);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	w->backends = BACKENDS_GOOD;
	world_steps(w, 20);
	assert_int_equal(end_of(other), 1);
	assert_int_equal(fake_hv_grant_rooms, before + 1);
}

/* A new thread waits for the CPU while the loop asks them, a few turns for each. */
static void test_its_memory_does_not_wait_for_its_disks(void **state)
{
	struct world *w = *state;

	runs(w);
	nr_began = 0;
	assert_int_equal(moves(w, 1, "memory", "16"), 1);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	/* The offer and the memory; the hand-over not. */
	assert_int_equal(nr_began, 2);
}

static bool heard(int fd, enum move_type type)
{
	struct move_in in = { .have = 0 };
	struct move_msg m;

	return move_take(fd, &in, 0, &m) == 1 && m.type == type && !strcmp(m.epoch, EPOCH);
}

/*
 * Until a new thread gets the CPU the loop reads the whole record again, for the store told it of
 * moved=.
 */
static void test_the_hand_over_does_not_wait_for_a_thread(void **state)
{
	struct world *w = *state;
	struct save s = { .is_channel = true, .epoch = EPOCH };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[0];
	no_turn = 0;
	assert_int_equal(move_hand_over(&s, &w->x), 0);
	no_turn = 1;
	assert_true(heard(pair[1], MOVE_HANDOVER));
	/* Once. */
	assert_int_equal(move_send(pair[1], MOVE_RUNS, EPOCH, ""), 0);
	assert_int_equal(s.worker.run(&s.worker), 0);
	assert_false(heard(pair[1], MOVE_HANDOVER));
	close(pair[0]);
	close(pair[1]);
}

/* Whoever then goes on here has given nothing away. */
static void test_without_a_thread_nothing_is_handed_over(void **state)
{
	struct world *w = *state;
	struct save s = { .is_channel = true, .epoch = EPOCH };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[0];
	no_turn = -EAGAIN;
	assert_int_equal(move_hand_over(&s, &w->x), -EAGAIN);
	no_turn = 1;
	assert_false(heard(pair[1], MOVE_HANDOVER));
	close(pair[0]);
	close(pair[1]);
}

/* The loop waits for nobody; the thread does. */
static void test_the_loop_hands_over_nothing_that_is_not_taken(void **state)
{
	static char full[4096];
	struct world *w = *state;
	struct save s = { .is_channel = true, .epoch = EPOCH };
	int pair[2];
	size_t sent = 0;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[0];
	while ((n = send(pair[0], full, sizeof(full), MSG_DONTWAIT)) > 0)
		sent += (size_t)n;
	no_turn = 0;
	alarm(10);
	assert_int_equal(move_hand_over(&s, &w->x), 0);
	alarm(0);
	no_turn = 1;
	while (sent && (n = read(pair[1], full, sent < sizeof(full) ? sent : sizeof(full))) > 0)
		sent -= (size_t)n;
	assert_false(heard(pair[1], MOVE_HANDOVER));
	assert_int_equal(move_send(pair[1], MOVE_RUNS, EPOCH, ""), 0);
	assert_int_equal(s.worker.run(&s.worker), 0);
	assert_true(heard(pair[1], MOVE_HANDOVER));
	close(pair[0]);
	close(pair[1]);
}

/* --- how long it may take --- */

/* A step of the move has ended, and xend goes on. */
static void wait_for_worker(struct world *w)
{
	uint64_t nr;

	assert_int_equal(read(w->x.wake_fd, &nr, sizeof(nr)), sizeof(nr));
	world_steps(w, 5);
}

/* Nobody wants what they do any more; they have ended when nothing here is theirs. */
static void wait_for_no_worker(struct world *w)
{
	unsigned int nr;

	do {
		DIR *tasks = opendir("/proc/self/task");

		for (nr = 0; readdir(tasks); nr++)
			;
		closedir(tasks);
		usleep(1000);
	} while (nr > 3); /* ., .. and this one */
	close(w->x.wake_fd);
	w->x.wake_fd = -1;
}

static void test_arrival_waits_as_long_as_something_comes(void **state)
{
	struct restore r = { .worker.owner = WORKER_WORKING, .is_channel = true };
	struct xend x = { .now_ns = 1000 * NS_PER_S };
	struct domain d = { .restore = &r };

	(void)state;
	assert_int_equal(restore_load(&x, &d), -EINPROGRESS);
	for (int i = 0; i < 100; i++) {
		x.now_ns += 590 * NS_PER_S;
		assert_true(x.now_ns < d.deadline_ns);
		r.asks++;
		assert_int_equal(restore_load(&x, &d), -EINPROGRESS);
	}
	x.now_ns += 601 * NS_PER_S;
	assert_int_equal(restore_load(&x, &d), -EINPROGRESS);
	assert_true(x.now_ns >= d.deadline_ns);
	restore_load_late(&x, &d);
	assert_non_null(strstr(d.error, "nothing came"));
}

static void test_a_host_that_takes_nothing_more_is_not_waited_for(void **state)
{
	struct save s = { .is_channel = true };
	uint64_t now = 1000 * NS_PER_S;

	(void)state;
	/* A password is typed. */
	for (int i = 0; i < 100; i++, now += 100 * NS_PER_S)
		assert_false(save_is_stuck(&s, now));
	for (int i = 0; i < 100; i++, now += 119 * NS_PER_S) {
		s.nr_taken++;
		assert_false(save_is_stuck(&s, now));
	}
	now -= 119 * NS_PER_S;
	assert_false(save_is_stuck(&s, now + 119 * NS_PER_S));
	assert_true(save_is_stuck(&s, now + 120 * NS_PER_S));
}

/* Takes all that comes, and says no word more. */
static int falls_silent(int fd)
{
	static char buf[65536];
	struct move_msg m;

	if (!next(fd, &m) || m.type != MOVE_OFFER || move_send(fd, MOVE_ACCEPT, m.epoch, "") ||
	    move_send(fd, MOVE_READY, m.epoch, ""))
		return 2;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	return 0;
}

/* What hands it over may not even leave: that is no reason to wait for ever. */
static void test_a_host_that_does_not_take_the_hand_over_is_not_waited_for(void **state)
{
	struct world *w = *state;
	pid_t other = other_host(falls_silent);

	runs(w);
	w->x.wake_fd = eventfd(0, EFD_CLOEXEC);
	fake_set("/local/domain/1/control/feature-suspend", "1");
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
	request(w, "migrate", "a");
	wait_for_worker(w); /* the offer */
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	w->x.check_domains = true;
	world_steps(w, 5);
	wait_for_worker(w); /* its memory */
	assert_non_null(fake_get("/config/domain/a/moved"));
	assert_null(fake_get("/request/r1/state"));
	world_run(w, SAVE_STUCK_S + 2);
	assert_non_null(strstr(fake_get("/request/r1/error"), "whether it runs on b is not known, so it "
			       "does not run here"));
	assert_int_equal(end_of(other), 0);
	world_run(w, 30);
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 0);
	wait_for_no_worker(w);
}

/* It may run there, whatever is brought back here of the time before. */
static void test_a_record_of_before_it_was_handed_over_lets_nothing_run(void **state)
{
	struct world *w = *state;
	pid_t other = other_host(falls_silent);

	runs(w);
	w->x.wake_fd = eventfd(0, EFD_CLOEXEC);
	fake_set("/local/domain/1/control/feature-suspend", "1");
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
	request(w, "migrate", "a");
	wait_for_worker(w); /* the offer */
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	w->x.check_domains = true;
	world_steps(w, 5);
	wait_for_worker(w); /* its memory */
	world_run(w, SAVE_STUCK_S + 2);
	assert_int_equal(end_of(other), 0);
	wait_for_no_worker(w);
	assert_non_null(fake_get("/status/domain/a/handed"));
	fake_lost("older 5 0 /config/domain/a/moved\n");
	fake_set("/config/domain/a/moved", NULL);
	w->x.check_domains = true;
	world_run(w, 30);
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 0);
	assert_non_null(fake_get("/status/domain/a/handed"));
	assert_non_null(strstr(error_of("a"), "handed over to another host: look there first"));
	/* Another xend knows as much. */
	world_kill(w);
	world_start(w);
	w->x.check_domains = true;
	world_run(w, 30);
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 0);
	assert_non_null(fake_get("/status/domain/a/handed"));
}

/* Makes room, takes all that comes, and does not say that it could let it run. */
static int takes_long(int fd)
{
	static char buf[65536];
	struct move_msg m;

	if (!next(fd, &m) || m.type != MOVE_OFFER || move_send(fd, MOVE_ACCEPT, m.epoch, ""))
		return 2;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	return 0;
}

/* However long it would take to send the rest. */
static void test_a_disk_that_refuses_a_flush_ends_the_move_at_once(void **state)
{
	struct world *w = *state;
	pid_t other = other_host(takes_long);
	char answer[64];

	runs(w);
	w->x.wake_fd = eventfd(0, EFD_CLOEXEC);
	w->disks_hang = true;
	fake_set("/local/domain/1/control/feature-suspend", "1");
	fake_set("/request/r1/args/channel", channel);
	fake_set("/request/r1/args/host", "b");
	request(w, "migrate", "a");
	wait_for_worker(w); /* the offer */
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	w->x.check_domains = true;
	world_steps(w, 5);
	assert_non_null(fake_get(VBD "drain"));
	assert_null(fake_get("/request/r1/state"));
	snprintf(answer, sizeof(answer), "failed %s", fake_get(VBD "drain"));
	fake_set(VBD "error", "what was written cannot be flushed: Input/output error");
	fake_set(VBD "drained", answer);
	world_run(w, 1);
	assert_non_null(fake_get("/request/r1/error"));
	assert_non_null(strstr(fake_get("/request/r1/error"), "disk xvda: what was written cannot be flushed"));
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_equal(end_of(other), 0);
	wait_for_no_worker(w);
}

/* It has all but read what was sent before, and said that it runs. */
static void test_nobody_waits_for_who_does_not_take_the_last_word(void **state)
{
	static const char full[4096];
	struct save s = { .is_channel = true };
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	while (send(pair[0], full, sizeof(full), MSG_DONTWAIT) > 0)
		;
	s.fd = pair[0];
	alarm(10);
	move_done(&s);
	alarm(0);
	close(pair[0]);
	close(pair[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_other_host_does_not_forget_while_the_store_is_away),
		T(test_other_host_does_not_forget_while_the_record_is_here),
		T(test_only_who_it_was_handed_to_is_asked),
		T(test_what_an_ended_xend_had_noted_is_noted_no_more),
		T(test_rounds_begin_where_writes_are_noted_already),
		T(test_who_writes_faster_than_the_link_takes_is_slowed_down),
		T(test_rounds_go_on_while_they_leave_less),
		T(test_frames_that_change_places_are_sent_again),
		T(test_small_records_go_together),
		T(test_what_an_ended_xend_had_slowed_down_is_not),
		T(test_what_was_written_down_is_handed_over_whatever_is_heard_of_it),
		T(test_what_changed_while_it_moved_is_not_lost),
		T(test_what_is_switched_off_while_it_moves_is_off),
		T(test_a_silent_store_is_no_sign_that_it_was_not_taken_over),
		T(test_a_full_disk_gives_it_back),
		T(test_a_silent_store_fills_no_log),
		T(test_what_the_link_takes_faster_is_not_packed),
		T(test_what_packs_badly_goes_as_it_is),
		T(test_words_of_the_other_host_are_printable),
		T(test_device_and_pause_stay_while_it_moves),
		T(test_room_for_grants_is_there_before_any_memory_is_asked_for),
		T(test_its_memory_does_not_wait_for_its_disks),
		T(test_the_hand_over_does_not_wait_for_a_thread),
		T(test_without_a_thread_nothing_is_handed_over),
		T(test_the_loop_hands_over_nothing_that_is_not_taken),
		T(test_arrival_waits_as_long_as_something_comes),
		T(test_a_host_that_takes_nothing_more_is_not_waited_for),
		T(test_a_host_that_does_not_take_the_hand_over_is_not_waited_for),
		T(test_a_record_of_before_it_was_handed_over_lets_nothing_run),
		T(test_a_disk_that_refuses_a_flush_ends_the_move_at_once),
		T(test_nobody_waits_for_who_does_not_take_the_last_word),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
