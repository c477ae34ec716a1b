/* SPDX-License-Identifier: MIT */
/* watch_resume.c - see watch_resume.h. The state goes through a file without a name, as JSON. */
#include "watch_resume.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "die.h"
#include "json_out.h"
#include "watch_conf.h"
#include "watch_session.h"

#define VARIABLE "XS_WATCH_RESUME" /* the file's descriptor */
#define WORDS_MAX 1024

#define LOOK_MS 500

static volatile sig_atomic_t wanted;
static bool listening; /* one thread */

static void on_usr1(int sig)
{
	(void)sig;
	wanted = 1;
}

static void block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(how, &set, NULL);
}

void resume_listen(void)
{
	/* without SA_RESTART: who waits for events shall notice */
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_usr1 }, NULL);
	block(SIG_UNBLOCK);
	listening = true;
}

bool resume_wanted(void)
{
	return wanted;
}

int resume_look_ms(void)
{
	return listening ? LOOK_MS : -1;
}

/* ---- leaving ---- */

static json_t *seen_json(const struct session *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->map.nr_buckets; i++)
		for (const struct seen *e = s->map.buckets[i]; e; e = e->next)
			json_array_append_new(list, json_pack("[s, o, o]", e->path,
				e->value ? json_value(e->value, e->len) : json_null(),
				e->perms ? json_value(e->perms, e->perms_len) : json_null()));
	return list;
}

static int leave(const struct session *s)
{
	json_t *paths = json_array(), *all;
	int fd = memfd_create("xs-watch", 0);

	for (const struct watcher *w = s->watchers; w; w = w->next)
		json_array_append_new(paths, json_string(w->path));
	all = json_pack("{s:o, s:o, s:o, s:I}", "paths", paths, "seen", seen_json(s), "waiting",
			sink_waiting(s->sink), "left", (json_int_t)s->left);
	if (fd >= 0 && (!all || json_dumpfd(all, fd, JSON_COMPACT) != 0 ||
			lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	json_decref(all);
	return fd;
}

/* The words this program was started with, NULL at the end; false: they are not to be had. */
static bool own_words(char *words[WORDS_MAX + 1])
{
	static char text[65536];
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0, nr = 0;

	if (f)
		fclose(f);
	for (size_t at = 0; at < len && nr < WORDS_MAX; at += strlen(text + at) + 1)
		words[nr++] = text + at;
	words[nr] = NULL;
	if (nr && len < sizeof(text) - 1)
		return true;
	errno = E2BIG;
	return false;
}

void resume_exec(struct session *s)
{
	static char *words[WORDS_MAX + 1];
	char number[16];
	int fd;

	wanted = 0;
	/*
	 * It may be another one than that which was right when the signal was sent, and again
	 * another, or none, when the process that comes looks: what is judged here is what that one
	 * gets.
	 */
	if (watch_conf_file() && (!watch_conf_keep(watch_conf_file()) ||
				  !watch_conf_is_right(watch_conf_file()))) {
		cli_warn("%s: goes on as it was", watch_conf_file());
		watch_conf_forget();
		return;
	}
	fd = leave(s);
	snprintf(number, sizeof(number), "%d", fd);
	if (fd >= 0 && own_words(words) && setenv(VARIABLE, number, 1) == 0) {
		fflush(stdout);
		block(SIG_BLOCK); /* the next one comes when it is heard */
		execv("/proc/self/exe", words);
		block(SIG_UNBLOCK);
	}
	cli_warn("the file cannot be read anew: %s", strerror(errno));
	unsetenv(VARIABLE);
	watch_conf_forget();
	if (fd >= 0)
		close(fd);
}

/* ---- going on ---- */

bool resume_is(void)
{
	return getenv(VARIABLE) != NULL;
}

static void take_seen(struct session *s, const json_t *all)
{
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(all, "seen"), i, e) {
		const char *path = json_string_value(json_array_get(e, 0));
		size_t len = 0, perms_len = 0;
		char *value = json_bytes(json_array_get(e, 1), &len);
		char *perms = json_bytes(json_array_get(e, 2), &perms_len);
		bool fresh;

		if (path)
			seen_set(seen_put(&s->map, path, &fresh), value, len, perms, perms_len);
		free(value);
		free(perms);
	}
}

/* What was watched before has told its state; what is new has not. */
static void take_paths(struct session *s, const json_t *all)
{
	size_t i;
	json_t *e;

	for (struct watcher *w = s->watchers; w; w = w->next)
		json_array_foreach(json_object_get(all, "paths"), i, e)
			if (!w->started && strcmp(json_string_value(e), w->path) == 0) {
				w->started = true;
				s->unsynced--;
			}
}

void resume_take(struct session *s)
{
	const char *number = getenv(VARIABLE);
	int fd = number ? atoi(number) : -1;
	json_t *all, *e;
	size_t i;

	if (fd < 0)
		return;
	unsetenv(VARIABLE);
	all = json_loadfd(fd, 0, NULL);
	close(fd);
	if (!all)
		cli_warn("what waited and was seen before cannot be read: it is lost");
	take_seen(s, all);
	take_paths(s, all);
	if (json_is_integer(json_object_get(all, "left")))
		s->left = json_integer_value(json_object_get(all, "left"));
	json_array_foreach(json_object_get(all, "waiting"), i, e)
		sink_event(s->sink, json_incref(e), false);
	json_decref(all);
}
