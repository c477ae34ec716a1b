/* SPDX-License-Identifier: MIT */
/* disk_kit.c - see disk_kit.h. */
#include "disk_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "storage/packed_perms.h"
#include "storage/stored_node.h"

void kit_init(struct kit *k)
{
	*k = (struct kit){ .d = NULL };
	strcpy(k->state, "/dev/shm/xs-disk-XXXXXX");
	strcpy(k->run, "/dev/shm/xs-run-XXXXXX");
	assert_non_null(mkdtemp(k->state));
	assert_non_null(mkdtemp(k->run));
}

void kit_fini(struct kit *k)
{
	kit_close(k, true);
	files_remove(k->state);
	files_remove(k->run);
}

int kit_try(struct kit *k)
{
	const struct disk_config cfg = {
		.state_dir = k->state, .run_dir = k->run, .told = k->told,
		.map_size = k->map_size ? k->map_size : 64u << 20,
	};

	return disk_open(&cfg, &k->d, &k->found);
}

void kit_open(struct kit *k)
{
	assert_int_equal(kit_try(k), 0);
}

void kit_close(struct kit *k, bool orderly)
{
	disk_close(k->d, orderly);
	k->d = NULL;
}

void kit_change(const char *text, struct change *c)
{
	static unsigned char perms[2 * PACKED_PERM];
	const char *value = strchr(text, '=');

	packed_perm_put(perms, 0, &(struct xs_perm){ .domid = 0, .access = 0 });
	packed_perm_put(perms, 1, &(struct xs_perm){ .domid = 5, .access = 1 });
	*c = (struct change){
		.op = text[0] == '+' ? CHANGE_PUT : text[0] == '-' ? CHANGE_REMOVE : CHANGE_RESET,
		.time_ns = (uint64_t)time(NULL) * 1000000000u,
		.who = { .uid = 1000, .pid = 42, .program = "kit" },
		.path = text[0] == '*' ? "/" : text + 1,
	};
	c->path_len = (uint16_t)(value ? (size_t)(value - c->path) : strlen(c->path));
	if (text[0] != '+')
		return;
	c->perms = perms;
	c->nr_perms = 2;
	c->value = value ? value + 1 : "";
	c->value_len = (uint32_t)strlen(c->value);
}

static int try_rev(struct kit *k, uint64_t rev, uint64_t prev, const char *text, bool lean)
{
	char *words = strdup(text), *rest = words, *word;
	uint32_t index = 0;
	int ret = lean ? disk_begin_lean(k->d) : disk_begin(k->d);

	while (ret == 0 && (word = strtok_r(rest, " ", &rest))) {
		struct change c;

		kit_change(word, &c);
		c.prev = prev;
		ret = disk_change(k->d, rev, index++, &c);
	}
	free(words);
	if (ret == 0)
		return disk_commit(k->d);
	disk_abort(k->d);
	return ret;
}

int kit_try_rev(struct kit *k, uint64_t rev, uint64_t prev, const char *text)
{
	return try_rev(k, rev, prev, text, false);
}

int kit_try_lean(struct kit *k, uint64_t rev, uint64_t prev, const char *text)
{
	return try_rev(k, rev, prev, text, true);
}

uint64_t kit_rev(struct kit *k, const char *text)
{
	uint64_t last = disk_applied(k->d);

	/* Revisions of the other part lie between. */
	assert_int_equal(kit_try_rev(k, last + 3, last, text), 0);
	return last + 3;
}

static struct text {
	char *data;
	size_t len;
} nodes, lost;

static void text_add(struct text *t, const char *a, size_t a_len, char sep, const char *b,
		     size_t b_len)
{
	t->data = realloc(t->data, t->len + a_len + b_len + 3);
	assert_non_null(t->data);
	memcpy(t->data + t->len, a, a_len);
	t->data[t->len + a_len] = sep;
	if (b_len)
		memcpy(t->data + t->len + a_len + 1, b, b_len);
	t->len += a_len + b_len + 1;
	t->data[t->len++] = ' ';
	t->data[t->len] = '\0';
}

static void text_clear(struct text *t)
{
	free(t->data);
	*t = (struct text){ strdup(""), 0 };
}

static int add_node(void *arg, const struct stored_node *n)
{
	text_add(arg, n->path, n->path_len, '=', n->value, n->value_len);
	return 0;
}

static int add_lost(void *arg, const struct disk_lost *l)
{
	char kind[40];

	snprintf(kind, sizeof(kind), "%d@%llu", l->loss, (unsigned long long)l->rev);
	text_add(arg, l->path, l->path_len, '?', kind, strlen(kind));
	return 0;
}

const char *kit_nodes(struct kit *k)
{
	text_clear(&nodes);
	assert_int_equal(disk_nodes(k->d, add_node, &nodes), 0);
	return nodes.data;
}

const char *kit_lost(struct kit *k)
{
	text_clear(&lost);
	assert_int_equal(disk_lost(k->d, add_lost, &lost), 0);
	return lost.data;
}

static unsigned int find(struct kit *k, const char *pattern, char *last, size_t room)
{
	char path[300];
	unsigned int nr;
	glob_t g;

	snprintf(path, sizeof(path), "%s/store/%s", k->state, pattern);
	if (glob(path, 0, NULL, &g) != 0)
		return 0;
	nr = (unsigned int)g.gl_pathc;
	if (nr)
		snprintf(last, room, "%s", g.gl_pathv[nr - 1]);
	globfree(&g);
	return nr;
}

const char *kit_file(struct kit *k, const char *pattern)
{
	static char path[300];

	if (!find(k, pattern, path, sizeof(path)))
		fail_msg("no file %s", pattern);
	return path;
}

unsigned int kit_count(struct kit *k, const char *pattern)
{
	char path[300];

	return find(k, pattern, path, sizeof(path));
}

void kit_filled(struct kit *k)
{
	kit_init(k);
	kit_open(k);
	kit_rev(k, "+/config= +/config/a=1 +/config/b=2");
	kit_rev(k, "+/config/c=3 -/config/a");
	kit_close(k, true);
	kit_open(k);
	kit_rev(k, "+/config/d=4");
	kit_rev(k, "+/config/b=5");
}

void kit_scribble(const char *path, off_t at, size_t len)
{
	static unsigned char junk[65536];
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0 && len <= sizeof(junk));
	memset(junk, 0, len);
	assert_true(pread(fd, junk, len, at) >= 0);
	/* Another than it was, each: a store's id is made by chance. */
	for (size_t i = 0; i < len; i++)
		junk[i] = junk[i] == 0x5a ? 0xa5 : 0x5a;
	assert_int_equal(pwrite(fd, junk, len, at), len);
	close(fd);
}

void kit_filled_and_lost(struct kit *k)
{
	kit_filled(k);
	kit_close(k, true);
	kit_scribble(kit_file(k, "data.mdb"), 0, 65536);
	while (kit_count(k, "log-*"))
		unlink(kit_file(k, "log-*"));
}
