/* SPDX-License-Identifier: MIT */
/* access.c - see access.h. */
#include "access.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/bufferevent.h>

#include "conn.h"
#include "httpd.h"
#include "routes.h"

#define TOKEN_MIN 16
#define TOKEN_MAX 256
#define GROUPS_MAX 1024

/* ---- what main is told ---- */

int access_token(struct httpd *srv, const char *file, const char **why)
{
	char text[TOKEN_MAX + 2];
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* a pipe: at once */
	struct stat st;
	ssize_t len;
	int rc = fd < 0 ? -errno : 0;

	*why = NULL;
	if (rc)
		return rc;
	len = fstat(fd, &st) == 0 ? read(fd, text, sizeof(text)) : -1;
	close(fd);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len < 0)
		*why = "it cannot be read";
	else if (!S_ISREG(st.st_mode))
		*why = "it is no file";
	else if (st.st_mode & 077)
		*why = "others may read it: chmod 600 it";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		*why = "it is another user's";
	else if (len < TOKEN_MIN || len > TOKEN_MAX)
		*why = "a token has 16 to 256 bytes: openssl rand -hex 32 makes one";
	if (*why)
		return -EINVAL;
	sha256(text, (size_t)len, srv->token);
	srv->has_token = true;
	explicit_bzero(text, sizeof(text));
	return 0;
}

int access_allow(struct httpd *srv, const char *who)
{
	bool group = who[0] == '@';
	const char *name = who + group;
	const struct passwd *pw = group ? NULL : getpwnam(name);
	const struct group *gr = group ? getgrnam(name) : NULL;
	char *end;
	unsigned long id = strtoul(name, &end, 10);
	struct allowed *a;

	if (!pw && !gr && (*end || end == name))
		return -ENOENT;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	if (pw)
		id = pw->pw_uid;
	else if (gr)
		id = gr->gr_gid;
	*a = (struct allowed){ srv->allowed, group, (unsigned int)id };
	srv->allowed = a;
	return 0;
}

/* ---- who ---- */

/* The groups are the kernel's word, of when the peer connected. */
static bool in_group(const struct conn *c, gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (c->peer.gid == gid)
		return true;
	if (getsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool peer_allowed(const struct conn *c)
{
	if (c->peer.uid == 0 || c->peer.uid == geteuid())
		return true;
	for (const struct allowed *a = c->srv->allowed; a; a = a->next)
		if (a->group ? in_group(c, a->id) : c->peer.uid == a->id)
			return true;
	return false;
}

/* Of digests, each byte whatever the ones before were: no time tells how much of it was right. */
static bool token_allowed(const struct conn *c)
{
	static const char scheme[] = "Bearer ";
	const char *given = c->head.authorization;
	unsigned char sum[SHA256_LEN], differs = 0;

	if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
		return false;
	given += sizeof(scheme) - 1;
	sha256(given, strlen(given), sum);
	for (size_t i = 0; i < SHA256_LEN; i++)
		differs |= sum[i] ^ c->srv->token[i];
	return differs == 0;
}

/* Whether none is wanted, or the request has it: then the connection is no stranger's. */
static bool token_is_known(struct conn *c)
{
	bool known = !c->srv->has_token || token_allowed(c);

	if (known)
		conn_let_in(c);
	return known;
}

/* ---- from where ---- */

/* Whether @name is one of this machine's own, with a port or without: no other resolves there. */
static bool is_own_name(const char *name)
{
	static const char *const own[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		size_t len = strlen(own[i]);

		if (strncasecmp(name, own[i], len) != 0)
			continue;
		name += len;
		if (name[0] == ':' && name[1])
			name += 1 + strspn(name + 1, "0123456789");
		return !*name;
	}
	return false;
}

static bool is_own_page(const struct conn *c)
{
	static const char scheme[] = "http://";
	const char *origin = c->head.origin, *site = c->head.fetch_site;

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	return !origin || (c->head.host && strncmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
			   strcasecmp(origin + sizeof(scheme) - 1, c->head.host) == 0);
}

bool access_peer(struct conn *c)
{
	if (!c->srv->local || peer_allowed(c))
		return true;
	conn_error(c, 403, "the peer's user", "start xs-httpd with --allow USER or @GROUP",
		   "user %u is not let in", c->peer.uid);
	return false;
}

bool access_check(struct conn *c)
{
	/* a browser comes to a socket, too, by ssh -L */
	if (c->head.host ? !is_own_name(c->head.host) : !c->srv->local)
		conn_error(c, 421, "Host", "use localhost or 127.0.0.1, from elsewhere by ssh -L",
			   "this is no name of this machine's own");
	else if (!is_own_page(c))
		conn_error(c, 403, "Origin", "open the console at this address itself",
			   "a page of another place asks");
	else if (token_is_known(c) || routes_is_open(c))
		return true;
	else
		conn_error(c, 401, "Authorization",
			   "send Authorization: Bearer TOKEN, as the file of --token has it", "%s",
			   c->head.authorization ? "this is not the token" :
						   "a token is needed");
	return false;
}
