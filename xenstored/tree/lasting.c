/* SPDX-License-Identifier: MIT */
/* lasting.c - see lasting.h. */
#include "lasting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "durable.h"
#include "durable_priv.h"
#include "server.h"
#include "store.h"
#include "xs_path.h"

#define SAID_MAX 64

/* One path that was named; within it, it lasts, or not. */
struct said {
	char path[XS_PATH_BUF];
	size_t len;
	bool lasts;
};

static struct said said[SAID_MAX];	/* one thread; set before it serves */
static size_t nr_said;

/* What daemons write while the machine runs: of no use in the next boot. */
static const char *const running[] = { "/local", "/vm",	     "/libxl", "/tool",
				       "/status", "/request", "/host" };
static const char *const always[] = { "/config", "/history" };

static bool within(const char *path, size_t len, const char *top, size_t top_len)
{
	return len >= top_len && memcmp(path, top, top_len) == 0 &&
	       (len == top_len || path[top_len] == '/');
}

static bool within_any(const char *path, size_t len, const char *const *tops, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (within(path, len, tops[i], strlen(tops[i])))
			return true;
	return false;
}

#define WITHIN_ANY(path, len, tops) within_any(path, len, tops, sizeof(tops) / sizeof((tops)[0]))

static int say(const char *path, bool lasts)
{
	struct xs_path canonical;

	if (path[0] != '/' || xs_path_canonical(path, strlen(path), 0, 0, &canonical) < 0)
		return -EINVAL;
	if (lasts ? canonical.len > 1 && strchr(canonical.text + 1, '/') : canonical.len == 1)
		return -EINVAL;
	if (nr_said == SAID_MAX)
		return -ENOSPC;
	memcpy(said[nr_said].path, canonical.text, canonical.len + 1);
	said[nr_said].len = canonical.len;
	said[nr_said++].lasts = lasts;
	return 0;
}

int lasting_persist(const char *path)
{
	return say(path, true);
}

int lasting_volatile(const char *path)
{
	return say(path, false);
}

void lasting_forget(void)
{
	nr_said = 0;
}

bool lasting_is(const char *path, size_t len)
{
	bool lasts;

	if (path[0] != '/' || len < 2)
		return false;
	lasts = WITHIN_ANY(path, len, always);
	for (size_t i = 0; i < nr_said; i++) {
		const struct said *s = &said[i];
		bool in = s->len == 1 ? !WITHIN_ANY(path, len, running) :
					within(path, len, s->path, s->len);

		if (in && !s->lasts)
			return false;
		lasts |= in;
	}
	return lasts;
}

/* A number for all that was said, 0 for nothing (FNV-1a). */
static uint64_t stamp(void)
{
	uint64_t hash = nr_said ? 0xcbf29ce484222325u : 0;

	for (size_t i = 0; i < nr_said; i++)
		for (size_t k = 0; k <= said[i].len; k++) {
			hash ^= k < said[i].len ? (unsigned char)said[i].path[k] : said[i].lasts;
			hash *= 0x100000001b3u;
		}
	return hash;
}

int lasting_tops(const struct server *srv, struct buf *out)
{
	char path[XS_PATH_BUF];
	struct child c;
	bool more = child_first(&srv->tree, NODE_ID_ROOT, &c);
	int ret = 0;

	for (; more && ret == 0; more = child_next(&srv->tree, &c)) {
		int len = snprintf(path, sizeof(path), "/%.*s", (int)c.len, c.name);

		if (lasting_is(path, (size_t)len))
			ret = buf_append(out, path, (size_t)len + 1);
	}
	return ret;
}

int lasting_settle(struct server *srv, bool fresh)
{
	static const char key[] = "lasting";
	unsigned char now[STORE_HEAD + 8];
	struct store_bytes rec;
	uint64_t before = 0;
	int ret = 0;

	if (store_get(srv->tree.store, STORE_META, key, strlen(key), &rec) && rec.len == 8)
		before = get_le64(rec.data);
	if (before == stamp() || srv->durable.loading)
		return 0;
	/* Nothing is written over a disk before it is known whose it is. */
	if (!fresh)
		ret = durable_wait_ready(srv);
	if (ret == 0 && !fresh)
		ret = durable_reset(srv);
	if (ret == 0)
		ret = store_room(srv->tree.store, 2, sizeof(now), true);
	if (ret < 0)
		return ret;
	put_le64(now + STORE_HEAD, stamp());
	store_put(srv->tree.store, STORE_META, key, strlen(key), now, sizeof(now));
	return 0;
}
