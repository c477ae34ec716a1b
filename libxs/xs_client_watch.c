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

static size_t token_of(const struct xs_client_watch *w, char token[TOKEN_LEN])
{
	return snprintf(token, TOKEN_LEN, "%x.%x", w->slot, w->serial) + 1;
}

static int submit_watch(struct xs_client *c, struct xs_client_watch *w, xs_done_fn *fn)
{
	char token[TOKEN_LEN], depth[16];
	struct iovec iov[3] = { { w->path, strlen(w->path) + 1 },
				{ token, token_of(w, token) },
				{ depth, 0 } };

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
	if (!w->fn || rc) {
		/* unwatched meanwhile, or refused: nobody refers to it any more */
		c->watches[w->slot] = NULL;
		free(w);
	}
}

static void again_done(void *arg, int rc, const char *data, size_t len)
{
	(void)arg;
	(void)rc;
	(void)data;
	(void)len;
}

int xs_watch_again(struct xs_client *c, struct xs_client_watch *w)
{
	struct xs_req **at = c->reqs_tail;
	int rc = submit_watch(c, w, again_done);

	if (!rc)
		(*at)->rewatch = true;
	return rc;
}

int xs_client_watch(struct xs_client *c, const char *path, int depth, xs_event_fn *fn, void *arg,
		    xs_done_fn *done, struct xs_client_watch **out)
{
	size_t len = strlen(path) + 1;
	struct xs_client_watch *w = malloc(sizeof(*w) + len);
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

void xs_client_unwatch(struct xs_client *c, struct xs_client_watch *w)
{
	char token[TOKEN_LEN];
	struct iovec iov[2] = { { w->path, strlen(w->path) + 1 },
				{ token, token_of(w, token) } };
	bool settled = w->registered;

	xs_submit(c, XS_UNWATCH, 0, iov, 2, NULL, NULL);
	w->fn = NULL;
	w->done = NULL;
	w->registered = false;
	if (settled) {
		c->watches[w->slot] = NULL;
		free(w);
	} /* else watch_done, still to come, frees it */
}

void xs_watch_event(struct xs_client *c, const char *body, size_t len)
{
	size_t path_len = strnlen(body, len);
	unsigned int slot, serial;
	struct xs_client_watch *w;

	if (path_len >= len || sscanf(body + path_len + 1, "%x.%x", &slot, &serial) != 2)
		return;
	w = slot < c->nr_watches ? c->watches[slot] : NULL;
	if (w && w->serial == serial && w->fn)
		w->fn(w->arg, body);
}
