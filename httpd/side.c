/* SPDX-License-Identifier: MIT */
/* side.c - see side.h. */
#include "side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xs.h>

#include "conn.h"
#include "die.h"
#include "document.h"
#include "feed.h"
#include "httpd.h"
#include "name.h"
#include "store.h"

#define PATIENCE_MS 2000
#define SILENCE_MS 5000
#define UNSURE_MS 200 /* for both, of a store that gave no answer the last time */
#define SAID_MAX 50
#define WAITING_MAX (2 * (size_t)DOCUMENT_MAX)

static struct {
	char *line[SAID_MAX];
	size_t nr;
} said; /* one thread */

/* A question was not understood: the client may think that no such is (xs_submit_stream()). */
static bool refused;
static bool unsure; /* the last request got no answer; one thread */

/* While one request waits for the store, all do. */
static void bound_waiting(void)
{
	xs_client_set_patience(store(), unsure ? UNSURE_MS : PATIENCE_MS);
	xs_client_set_silence(store(), unsure ? UNSURE_MS : SILENCE_MS);
}

static void say(const char *text)
{
	if (said.nr < SAID_MAX)
		said.line[said.nr++] = must(strdup(text));
}

static void forget_said(void)
{
	while (said.nr)
		free(said.line[--said.nr]);
}

void side_init(void)
{
	cli_voice()->say = say;
}

bool side_connect(void)
{
	if (store_connect() == 0 && xs_client_error(store()))
		store_hang_up();
	if (store_connect() != 0)
		return false;
	bound_waiting();
	/* an answer to this is one of a connection that is there now */
	return xs_sync_str(store(), XS_READ, 0, "/", NULL, NULL) != -EIO;
}

/* Nobody is let wait for a store that is known to be away. */
bool side_begin(struct conn *c)
{
	int rc = feed_is_up(c->srv->feed) ? store_connect() : feed_error(c->srv->feed);

	forget_said();
	/* whatever is asked, its answer may be as large as those */
	if (conns_waiting(c->srv) > WAITING_MAX) {
		conn_error(c, 503, "other connections", "ask again when they have taken it",
			   "too much waits to be taken");
		return false;
	}
	if (!feed_is_up(c->srv->feed) || rc) {
		conn_error(c, 503, xs_daemon_socket(), rc == -EACCES ?
			   "let the user of xs-httpd in, by the socket's group" :
			   "is xenstored running? ask again then",
			   "the store does not answer: %s", strerror(rc ? -rc : ECONNRESET));
		return false;
	}
	bound_waiting();
	return true;
}

void side_end(void)
{
	/* it gave up, or may think that this daemon has no streams: the next request begins anew */
	unsure = xs_client_error(store());
	if (unsure || refused)
		store_hang_up();
	refused = false;
}

char *side_typed(struct conn *c, const char *text)
{
	char *path = name_typed(text);
	size_t len = strlen(path);

	if (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	if (path[0] == '/' && len <= XENSTORE_ABS_PATH_MAX && !strstr(path, "//") &&
	    !strchr(path, '*'))
		return path;
	free(path);
	conn_error(c, 400, "the path", "a name is not empty and has no '*' (write @2a); all of "
		   "them have at most 3072 bytes", "this is no path of the store");
	return NULL;
}

char *side_path(struct conn *c, const char *rest)
{
	char *text, *path = NULL;

	if (asprintf(&text, "/%s", rest) < 0)
		cli_die(CLI_FAIL, "out of memory");
	if (head_unescape(text))
		path = side_typed(c, text);
	else
		conn_error(c, 400, "the path", "write %XX with two hexadecimal digits, not %00",
			   "a %% is followed by no number");
	free(text);
	return path;
}

static const struct {
	int rc, status;
	const char *cure;
} causes[] = {
	{ -ENOENT, 404, "GET what is above it to see what there is" },
	{ -EACCES, 403, "xs access gives the user of xs-httpd more rights" },
	{ -EPERM, 403, "xs access gives the user of xs-httpd more rights" },
	{ -EROFS, 403, "xs access lets the user of xs-httpd change things" },
	{ -EINVAL, 400, "see xs(1), Paths" },
	{ -E2BIG, 413, "ask for a part of it: ?depth=1, or a path below" },
	{ -EAGAIN, 409, "read it anew, and try again" },
	{ -ENOSPC, 507, "xs quota, and df, say what is used up" },
	{ -ESTALE, 410, "GET /v1/history/ says what is kept" },
	{ -EOPNOTSUPP, 501, "the daemon of Storevisor keeps a history" },
	{ -ENOSYS, 501, "the daemon of Storevisor can" },
	{ -ENOTRECOVERABLE, 503, "read it to learn whether it came true" },
};

void side_error(struct conn *c, const char *path, int rc)
{
	int status = cli_code(rc) == CLI_NO_STORE ? 503 : 500;
	const char *cure = status == 503 ? "is xenstored running? ask again then" : NULL;

	refused = rc == -EINVAL || rc == -EOPNOTSUPP;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].rc == rc) {
			status = causes[i].status;
			cure = causes[i].cure;
		}
	conn_error(c, status, path, cure, "%s", rc == -ESTALE ?
		   "what was there at that revision is not known any more" : cli_words(rc));
}

void side_document_error(struct conn *c)
{
	const char *first = said.nr ? said.line[0] : "body: it is no document";
	const char *text = strstr(first, ": ");
	size_t where = text ? (size_t)(text - first) : 0;
	json_t *list = json_array(), *o = json_object();
	char *body;

	for (size_t i = 0; i < said.nr; i++)
		json_array_append_new(list, conn_text(said.line[i]));
	json_object_set_new(o, "error", conn_text(text ? text + 2 : first));
	json_object_set_new(o, "where", where ? json_stringn(first, where) : json_string("body"));
	json_object_set_new(o, "cure", json_string("nothing was changed: mend the document"));
	json_object_set_new(o, "problems", list);
	body = must(json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS));
	json_decref(o);
	conn_answer_own(c, 400, CONN_TYPE_JSON, NULL, body, strlen(body));
}
