/* SPDX-License-Identifier: MIT */
/* lasting.c - see lasting.h. */
#include "lasting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "durable.h"
#include "durable_priv.h"
#include "last_rule.h"
#include "log.h"
#include "server.h"
#include "store.h"
#include "xs_path.h"

/* All that can be said, in bytes. */
#define RULE_MAX 8192u

/* As last_rule.h has it; what is said follows what always is. One thread; set before it serves. */
static char rule[RULE_MAX] = "+/config\0+/history";
#define ALWAYS sizeof("+/config\0+/history")
static size_t rule_len = ALWAYS;
/*
 * Most paths are asked about twice a change and begin as no rule does: bytes that one begins with.
 */
static bool begins[256] = { ['c'] = true, ['h'] = true }, begins_any;

/* What daemons write while the machine runs: of no use in the next boot. */
static const char running[] = "*\0!/local\0!/vm\0!/libxl\0!/tool\0!/status\0!/request\0!/host";

static int add(char kind, const void *text, size_t len)
{
	if (rule_len + 1 + len > sizeof(rule))
		return -ENOSPC;
	if (kind)
		rule[rule_len++] = kind;
	memcpy(rule + rule_len, text, len);
	rule_len += len;
	return 0;
}

static int say(const char *path, bool lasts)
{
	struct xs_path canonical;

	if (path[0] != '/' || xs_path_canonical(path, strlen(path), 0, 0, &canonical) < 0)
		return -EINVAL;
	if (lasts ? canonical.len > 1 && strchr(canonical.text + 1, '/') : canonical.len == 1)
		return -EINVAL;
	begins[(unsigned char)canonical.text[1]] = true;
	begins_any |= canonical.len == 1;
	if (lasts && canonical.len == 1)
		return add('\0', running, sizeof(running));
	return add(lasts ? '+' : '-', canonical.text, canonical.len + 1);
}

int lasting_persist(const char *path)
{
	return say(path, true);
}

int lasting_volatile(const char *path)
{
	return say(path, false);
}


bool lasting_is(const char *path, size_t len)
{
	return path[0] == '/' && len > 1 && (begins_any || begins[(unsigned char)path[1]]) &&
	       last_rule(rule, rule_len, path, len);
}

const char *lasting_rule(size_t *len)
{
	*len = rule_len;
	return rule;
}

/* No rule's: a start has been made with another one, and is not done with it. */
#define UNSETTLED UINT64_MAX

/* A number for all that was said, 0 for nothing (FNV-1a). */
static uint64_t stamp(void)
{
	uint64_t hash = rule_len > ALWAYS ? 0xcbf29ce484222325u : 0;

	for (size_t i = ALWAYS; i < rule_len; i++) {
		hash ^= (unsigned char)rule[i];
		hash *= 0x100000001b3u;
	}
	return hash == UNSETTLED ? 0 : hash;
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

/* --- what has lasted in this boot --- */

#define NOW "lasting"		/* the stamp of what is said, as of the last start that settled */
#define BEFORE "lasted"		/* each rule of this boot until then: its length, its bytes */
/* Of more than a person tries, the first are forgotten: the disk knows what was removed. */
#define BEFORE_MAX 65536u
#define KEPT "kept"		/* the same for all by which the disk may have something */

/* The same for as long as something is fetched. */
static struct buf lasted;
/* Each path that has been removed since that was asked for: its length, its bytes. */
static struct buf removed;
#define REMOVED_MAX 16384u

/* The one at @at of either. False: there is none, or only a part of it. */
static bool text_at(const struct buf *b, size_t at, const char **text, size_t *len)
{
	const unsigned char *head;

	/* Not buf_front(): compilers take what an empty one points at for what is read. */
	if (!b->data || buf_len(b) < at + 2)
		return false;
	head = (const unsigned char *)b->data + b->start + at;
	*len = get_le16(head);
	*text = (const char *)head + 2;
	return buf_len(b) >= at + 2 + *len;
}

static int text_add(struct buf *b, const char *text, size_t len)
{
	unsigned char head[2];

	put_le16(head, (uint16_t)len);
	return buf_append(b, head, 2) < 0 || buf_append(b, text, len) < 0 ? -ENOMEM : 0;
}

static bool text_has(const struct buf *b, const char *wanted, size_t len)
{
	const char *text;
	size_t n;

	for (size_t at = 0; text_at(b, at, &text, &n); at += 2 + n)
		if (n == len && memcmp(text, wanted, n) == 0)
			return true;
	return false;
}

/* Whether a rule of @b says that the path lasts. */
static bool rule_has(const struct buf *b, const char *path, size_t len)
{
	const char *text;
	size_t n;

	for (size_t at = 0; text_at(b, at, &text, &n); at += 2 + n)
		if (last_rule(text, n, path, len))
			return true;
	return false;
}

static bool is_removed(const char *path, size_t len)
{
	const char *top;
	size_t n;

	for (size_t at = 0; text_at(&removed, at, &top, &n); at += 2 + n)
		if (xs_path_is_within(path, len, top, n))
			return true;
	return false;
}

int lasting_removed(const char *path, size_t len)
{
	if (is_removed(path, len))
		return 0;
	return buf_len(&removed) + 2 + len > REMOVED_MAX ? -ENOSPC : text_add(&removed, path, len);
}

bool lasting_was(const char *path, size_t len)
{
	return rule_has(&lasted, path, len) || is_removed(path, len);
}

static int lasted_add(const char *text, size_t len)
{
	const char *first;
	size_t n;

	if (text_has(&lasted, text, len))
		return 0;
	while (buf_len(&lasted) + 2 + len > BEFORE_MAX && text_at(&lasted, 0, &first, &n))
		buf_take(&lasted, 2 + n);
	return text_add(&lasted, text, len);
}

/* @before: the stamp of the rule that was the last one. */
static int lasted_read(struct server *srv, uint64_t before)
{
	struct store_bytes rec;

	buf_fini(&lasted);
	if (store_get(srv->tree.store, STORE_META, BEFORE, strlen(BEFORE), &rec))
		return buf_append(&lasted, rec.data, rec.len);
	/* As long as nothing is said nothing is written down. */
	return before ? 0 : lasted_add(rule, ALWAYS);
}

/* --- what the disk may have that does not last now --- */

/* Each rule by which something may have come there, of this boot; what is left of others. */
static struct buf kept;
/* They could not be remembered: it may have anything. */
static bool kept_all;

static void kept_add(const char *text, size_t len)
{
	if (kept_all || text_has(&kept, text, len))
		return;
	kept_all = buf_len(&kept) + 2 + len > BEFORE_MAX || text_add(&kept, text, len) < 0;
}

static void kept_add_all(const struct buf *b)
{
	const char *text;
	size_t n;

	for (size_t at = 0; text_at(b, at, &text, &n); at += 2 + n)
		kept_add(text, n);
}

static void kept_forget(void)
{
	buf_fini(&kept);
	kept_all = false;
}

void lasting_left(const char *path, size_t len)
{
	char top[XS_PATH_BUF + 1] = "+";
	size_t n = 1;

	while (n < len && path[n] != '/')
		n++;
	/* What always lasts is no reason to let all others wait for the disk. */
	if (last_rule(rule, ALWAYS, path, n)) {
		kept_add(rule, ALWAYS);
		return;
	}
	/* One of most is as good as all of these: what they have is seldom removed. */
	if (last_rule(running, sizeof(running), path, n)) {
		kept_add(running, sizeof(running));
		return;
	}
	memcpy(top + 1, path, n);
	kept_add(top, n + 2);
}

bool lasting_may_be_kept(const char *path, size_t len)
{
	return path[0] == '/' && len > 1 && (kept_all || rule_has(&kept, path, len));
}

/* What a record with one text of no length says: a rule of none is one of everything. */
static void kept_read_record(struct server *srv, const char *name)
{
	struct store_bytes rec;
	struct buf b = { 0 };

	if (!store_get(srv->tree.store, STORE_META, name, strlen(name), &rec))
		return;
	if (buf_append(&b, rec.data, rec.len) < 0)
		kept_all = true;
	kept_add_all(&b);
	buf_fini(&b);
}

void lasting_read_kept(struct server *srv)
{
	kept_forget();
	kept_read_record(srv, KEPT);
	/* A daemon before this one wrote nothing else. */
	kept_read_record(srv, BEFORE);
}

/* A record of texts. store_room() has been asked. */
static int put_texts(struct server *srv, const char *name, const struct buf *b)
{
	size_t len = STORE_HEAD + buf_len(b);
	unsigned char *all = malloc(len);

	if (!all)
		return -ENOMEM;
	if (len > STORE_HEAD)
		memcpy(all + STORE_HEAD, buf_front(b), len - STORE_HEAD);
	store_put(srv->tree.store, STORE_META, name, strlen(name), all, len);
	free(all);
	return 0;
}

int lasting_write_kept(struct server *srv)
{
	if (kept_all) {
		buf_fini(&kept);
		if (text_add(&kept, "", 0) < 0)
			return -ENOMEM;
	}
	if (buf_len(&kept) == 0)
		return 0;
	if (store_room(srv->tree.store, 2, STORE_HEAD + buf_len(&kept), true) < 0)
		return -ENOSPC;
	return put_texts(srv, KEPT, &kept);
}

void lasting_forget(void)
{
	rule_len = ALWAYS;
	kept_forget();
}

/* --- bringing both together --- */

static int write_down(struct server *srv, uint64_t stamp_now)
{
	unsigned char now[STORE_HEAD + 8];
	int ret = lasting_write_kept(srv);

	if (ret == 0)
		ret = store_room(srv->tree.store, 4, sizeof(now) + STORE_HEAD + buf_len(&lasted),
				 true);
	if (ret == 0)
		ret = put_texts(srv, BEFORE, &lasted);
	if (ret < 0)
		return ret;
	put_le64(now + STORE_HEAD, stamp_now);
	store_put(srv->tree.store, STORE_META, NOW, strlen(NOW), now, sizeof(now));
	return 0;
}

/* The stamp of what was said when it was last settled. */
static uint64_t stamp_before(struct server *srv)
{
	struct store_bytes rec;

	return store_get(srv->tree.store, STORE_META, NOW, strlen(NOW), &rec) && rec.len == 8 ?
		       get_le64(rec.data) : 0;
}

/*
 * Until it is settled whoever starts next has it to do, whatever is said to him; and the disk hears
 * of what is removed that it may have by what is said now, whatever is said then. Before anything
 * comes that was left there.
 */
static int note_unsettled(struct server *srv)
{
	uint64_t before = stamp_before(srv);
	int ret = 0;

	buf_fini(&lasted);
	if (before == UNSETTLED || srv->durable.settling == SETTLE_FETCH)
		ret = lasted_read(srv, before);
	kept_add_all(&lasted);
	kept_add(rule, rule_len);
	return ret < 0 || before == UNSETTLED ? ret : write_down(srv, UNSETTLED);
}

static int finish(struct server *srv)
{
	/* What was left there while it was not to last has come before the disk gets all anew. */
	int ret = srv->durable.settling == SETTLE_FETCH ? durable_reset(srv) : 0;

	if (ret == 0)
		ret = lasted_add(rule, rule_len);
	if (ret == 0)
		ret = write_down(srv, stamp());
	if (ret == 0)
		srv->durable.settling = SETTLED;
	return ret;
}

/* True: it is settled. */
static bool ended(struct server *srv, int err)
{
	struct durable *d = &srv->durable;

	buf_fini(&lasted);
	buf_fini(&removed);
	d->settle_again_ns = 0;
	if (err == 0)
		return true;
	log_errorx("the disk cannot be given what is to last now (%s): it is tried again",
		   strerror(-err));
	d->settle_again_ns = now_ns() + DURABLE_RETRY_NS;
	return false;
}

bool lasting_fetched(struct server *srv, int err)
{
	return ended(srv, err ? err : finish(srv));
}

void lasting_go_on(struct server *srv)
{
	struct durable *d = &srv->durable;
	int ret;

	/* Nothing is written over a disk before it is known whose it is. */
	if (!d->settling || d->loading || d->fetching || d->foreign || !d->ready ||
	    now_ns() < d->settle_again_ns)
		return;
	ret = note_unsettled(srv);
	if (ret == 0 && d->settling == SETTLE_FETCH) {
		buf_fini(&removed);
		if (durable_fetch(srv))
			d->settle_again_ns = 0;
		return;
	}
	ended(srv, ret ? ret : finish(srv));
}

int lasting_settle(struct server *srv, bool fresh)
{
	struct durable *d = &srv->durable;
	int ret;

	d->settling = SETTLED;
	if (stamp_before(srv) == stamp())
		return 0;
	d->settling = fresh ? SETTLE_NOTE : SETTLE_FETCH;
	d->settle_again_ns = 0;
	ret = note_unsettled(srv);
	if (ret < 0)
		return ret;
	lasting_go_on(srv);
	if (!d->loading)
		durable_wait_settled(srv);
	return d->settling && !d->loading ? -EIO : 0;
}
