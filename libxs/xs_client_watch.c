/* SPDX-License-Identifier: MIT */
/*
 * xs_client_watch.c - watches of the asynchronous client. The token on the wire is the watch's
 * slot and serial number, so an event finds its owner without a search.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs_client_priv.h"

#define TOKEN_LEN 24

static int slot_find(struct xs_client *c, uint32_t *slot)
{
	struct xs_client_watch **grown;
	uint32_t i = 0, n;

	while (i < c->nr_watches && c->watches[i])
		i++;
	*slot = i;
	if (i < c->nr_watches)
		return 0;
	n = c->nr_watches ? c->nr_watches * 2 : 8;
	grown = realloc(c->watches, n * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + i, 0, (n - i) * sizeof(*grown));
	c->watches = grown;
	c->nr_watches = n;
	return 0;
}

static struct iovec token_of(const struct xs_client_watch *w, char buf[TOKEN_LEN])
{
	int len;

	if (w->token)
		return (struct iovec){ (void *)w->token, strlen(w->token) + 1 };
	len = snprintf(buf, TOKEN_LEN, "%x.%x", w->slot, w->serial);
	return (struct iovec){ buf, (size_t)len + 1 };
}

static void forget(struct xs_client_watch *w)
{
	w->c->watches[w->slot] = NULL;
	free(w);
}

static int submit_watch(struct xs_client *c, struct xs_client_watch *w, xs_done_fn *fn)
{
	char token[TOKEN_LEN], depth[16];
	struct iovec iov[3] = { { w->path, strlen(w->path) + 1 },
				token_of(w, token), { depth, 0 } };

	/* an older daemon ignores the third field or refuses it: see watch_done */
	if (w->depth >= 0)
		iov[2].iov_len = snprintf(depth, sizeof(depth), "%d", w->depth) + 1;
	return xs_submit(c, XS_WATCH, 0, iov, w->depth >= 0 ? 3 : 2, fn, w);
}

static void watch_done(void *arg, int rc, const char *data, size_t len)
{
	struct xs_client_watch *w = arg;
	struct xs_client *c = w->c;

	if (rc == -EINVAL && w->depth >= 0) {
		w->depth = -1;
		if (submit_watch(c, w, watch_done) == 0)
			return;
	}
	w->registered = rc == 0;
	if (w->done)
		w->done(w->arg, rc, data, len);
	/* unwatched meanwhile, or refused: nobody refers to it any more */
	if (!w->fn || rc)
		forget(w);
}

static void again_done(void *arg, int rc, const char *data, size_t len)
{
	struct xs_client_watch *w = arg;

	(void)data;
	(void)len;
	w->again = false;
	if (!w->fn) {
		forget(w); /* unwatched meanwhile */
		return;
	}
	if (rc == 0 || rc == -ECONNRESET || rc == -ECANCELED)
		return;
	if (rc == -EINVAL && w->depth >= 0) {
		w->depth = -1; /* a daemon that is older than the last one */
		rc = xs_watch_again(w->c, w);
	}
	/* Somebody waits for what would never come: better a connection that is lost once more. */
	if (rc)
		w->c->broken = rc;
}

int xs_watch_again(struct xs_client *c, struct xs_client_watch *w)
{
	struct xs_req **at = c->reqs_tail;
	int rc = submit_watch(c, w, again_done);

	if (!rc)
		w->again = (*at)->rewatch = true;
	return rc;
}

static int watch(struct xs_client *c, const char *path, const char *token, int depth,
		 xs_event_fn *fn, void *arg, xs_done_fn *done, struct xs_client_watch **out)
{
	size_t len = strlen(path) + 1, token_len = token ? strlen(token) + 1 : 0;
	struct xs_client_watch *w = malloc(sizeof(*w) + len + token_len);
	uint32_t slot;
	int rc;

	if (!w)
		return -ENOMEM;
	rc = slot_find(c, &slot);
	if (rc)
		goto out_free;
	*w = (struct xs_client_watch){
		.slot = slot, .serial = ++c->next_serial, .depth = depth,
		.fn = fn, .arg = arg, .done = done, .c = c,
	};
	memcpy(w->path, path, len);
	if (token)
		w->token = memcpy(w->path + len, token, token_len);
	rc = submit_watch(c, w, watch_done);
	if (rc)
		goto out_free;
	c->watches[slot] = w;
	if (out)
		*out = w;
	return 0;

out_free:
	free(w);
	return rc;
}

int xs_client_watch(struct xs_client *c, const char *path, int depth, xs_event_fn *fn, void *arg,
		    xs_done_fn *done, struct xs_client_watch **out)
{
	return watch(c, path, NULL, depth, fn, arg, done, out);
}

void xs_client_unwatch(struct xs_client *c, struct xs_client_watch *w)
{
	char token[TOKEN_LEN];
	struct iovec iov[2] = { { w->path, strlen(w->path) + 1 }, token_of(w, token) };
	bool settled = w->registered && !w->again;

	xs_submit(c, XS_UNWATCH, 0, iov, 2, NULL, NULL);
	w->fn = NULL;
	w->done = NULL;
	w->registered = false;
	if (settled)
		forget(w);
	/* else watch_done or again_done, still to come, does */
}

/* ---- under the caller's token ---- */

static void raw_event(void *arg, const char *path)
{
	(void)arg;
	(void)path; /* raw_fn has it */
}

int xs_client_watch_as(struct xs_client *c, const char *path, const char *token, int depth,
		       xs_done_fn *done, void *arg)
{
	return watch(c, path, token, depth, raw_event, arg, done, NULL);
}

static struct xs_client_watch *find_as(struct xs_client *c, const char *path, const char *token)
{
	for (uint32_t i = 0; i < c->nr_watches; i++) {
		struct xs_client_watch *w = c->watches[i];

		if (w && w->token && w->registered && !w->leaving && strcmp(w->path, path) == 0 &&
		    strcmp(w->token, token) == 0)
			return w;
	}
	return NULL;
}

/* Up to this it is made again on every connection: the daemon may be asked more than once. */
static void unwatch_done(void *arg, int rc, const char *data, size_t len)
{
	struct xs_client_watch *w = arg;

	w->leaving = false;
	w->done(w->arg, rc, data, len);
	if (rc)
		return;
	w->registered = false;
	w->fn = NULL;
	if (!w->again) /* else again_done does */
		forget(w);
}

int xs_client_unwatch_as(struct xs_client *c, const char *path, const char *token,
			 xs_done_fn *done, void *arg)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 },
				{ (void *)token, strlen(token) + 1 } };
	struct xs_client_watch *w = find_as(c, path, token);
	int rc;

	if (!w)
		return xs_submit(c, XS_UNWATCH, 0, iov, 2, done, arg);
	rc = xs_submit(c, XS_UNWATCH, 0, iov, 2, unwatch_done, w);
	if (rc)
		return rc;
	w->leaving = true;
	w->done = done;
	w->arg = arg;
	return 0;
}

void xs_watch_event(struct xs_client *c, const char *body, size_t len)
{
	size_t path_len = strnlen(body, len);
	unsigned int slot, serial;
	struct xs_client_watch *w;

	if (c->raw_fn) {
		c->raw_fn(c->raw_arg, body, len);
		return;
	}
	if (path_len >= len || sscanf(body + path_len + 1, "%x.%x", &slot, &serial) != 2)
		return;
	w = slot < c->nr_watches ? c->watches[slot] : NULL;
	if (w && w->serial == serial && w->fn)
		w->fn(w->arg, body);
}
