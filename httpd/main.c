/* SPDX-License-Identifier: MIT */
/*
 * main.c - xs-httpd: the store by HTTP, for this machine, and the web console. One process, without
 * rights of its own: what it may do is what the store's table of rights gives its user.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "access.h"
#include "conn.h"
#include "events.h"
#include "feed.h"
#include "httpd.h"
#include "listen.h"
#include "log.h"
#include "notify.h"
#include "side.h"

static const char usage[] =
	"Usage: xs-httpd [OPTION]...\n"
	"The store by HTTP, for this machine, and a web console.\n\n"
	"  -s, --socket PATH        listen on a unix socket (/run/xs-httpd/socket)\n"
	"  -p, --port N             listen on this port of 127.0.0.1 instead; needs --token\n"
	"  -t, --token FILE         who asks has to know the token in FILE, a private file\n"
	"  -a, --allow WHO          who else may use the unix socket: a user, or @GROUP; often\n"
	"  -r, --read-only          change nothing\n"
	"  -u, --user USER          become this user after start\n"
	"  -c, --connections N      at most so many at once (64)\n"
	"  -b, --body KIB           at most so much in a request (2048)\n"
	"  -V, --verbose            log more\n"
	"  -h, --help               print this\n"
	"Environment: XENSTORED_PATH, XENSTORED_RUNDIR.\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "port", required_argument, NULL, 'p' },
	{ "token", required_argument, NULL, 't' },
	{ "allow", required_argument, NULL, 'a' },
	{ "read-only", no_argument, NULL, 'r' },
	{ "user", required_argument, NULL, 'u' },
	{ "connections", required_argument, NULL, 'c' },
	{ "body", required_argument, NULL, 'b' },
	{ "verbose", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

#define SOCKET_PATH "/run/xs-httpd/socket"
#define BEAT_S 15
#define USAGE_STATUS 2

struct options {
	const char *socket;
	uint16_t port;
	bool has_port, verbose;
	const char *user;
};

static _Noreturn void bad(const char *what, const char *value)
{
	fprintf(stderr, "xs-httpd: %s: \"%s\" (see --help)\n", what, value);
	exit(USAGE_STATUS);
}

static unsigned long number(const char *text, unsigned long least, unsigned long most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < least || n > most)
		bad("not such a number", text);
	return n;
}

static void read_token(struct httpd *srv, const char *file)
{
	const char *why;
	int rc = access_token(srv, file, &why);

	if (!rc)
		return;
	fprintf(stderr, "xs-httpd: --token %s: %s\n", file, why ? why : strerror(-rc));
	exit(USAGE_STATUS);
}

static void set_option(struct httpd *srv, struct options *o, int opt)
{
	switch (opt) {
	case 's':
		o->socket = optarg;
		break;
	case 'p':
		o->port = (uint16_t)number(optarg, 0, 65535);
		o->has_port = true;
		break;
	case 't':
		read_token(srv, optarg);
		break;
	case 'a':
		if (access_allow(srv, optarg))
			bad("no such user or group", optarg);
		break;
	case 'r':
		srv->read_only = true;
		break;
	case 'u':
		o->user = optarg;
		break;
	case 'c':
		srv->max_conns = (unsigned int)number(optarg, 1, 4096);
		break;
	case 'b':
		srv->body_max = number(optarg, 1, 65536) * 1024;
		break;
	case 'V':
		o->verbose = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		exit(USAGE_STATUS);
	}
}

static void parse(int argc, char **argv, struct httpd *srv, struct options *o)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "s:p:t:a:ru:c:b:Vh", long_options, NULL)) != -1)
		set_option(srv, o, opt);
	if (optind < argc)
		bad("unexpected argument", argv[optind]);
	if (o->has_port && o->socket)
		bad("it is either --port or --socket", o->socket);
	if (o->has_port && !srv->has_token)
		bad("a port is open to every user: it needs --token", "--port");
	if (!o->socket)
		o->socket = SOCKET_PATH;
	srv->local = !o->has_port;
}

/* Root reads and changes everything, whatever the table of rights says: nobody is that here. */
static void become(const char *user)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;

	if (geteuid() != 0) {
		if (user)
			bad("only root becomes another user", user);
		return;
	}
	if (!user)
		bad("it does not run as root: name a user", "--user");
	if (!pw || pw->pw_uid == 0)
		bad("no such user, or one with all rights", user);
	if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		bad(strerror(errno), user);
}

static int open_listener(struct options *o)
{
	int fd = o->has_port ? listen_port(&o->port) : listen_unix(o->socket);

	if (fd < 0) {
		fprintf(stderr, "xs-httpd: %s: %s\n", o->has_port ? "the port" : o->socket,
			strerror(-fd));
		exit(1);
	}
	return fd;
}

static void on_end(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	event_base_loopbreak(((struct httpd *)arg)->base);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	streams_beat(arg);
	notify_service("WATCHDOG=1");
}

static void run(struct httpd *srv)
{
	struct event *term = evsignal_new(srv->base, SIGTERM, on_end, srv);
	struct event *interrupt = evsignal_new(srv->base, SIGINT, on_end, srv);
	const struct timeval beat = { BEAT_S, 0 };

	srv->heartbeat = event_new(srv->base, -1, EV_PERSIST, on_beat, srv);
	if (term && interrupt && srv->heartbeat) {
		event_add(term, NULL);
		event_add(interrupt, NULL);
		event_add(srv->heartbeat, &beat);
		event_base_dispatch(srv->base);
		event_free(srv->heartbeat);
		event_free(interrupt);
		event_free(term);
	}
}

static void end(struct httpd *srv)
{
	evconnlistener_free(srv->listener);
	srv->listener = NULL;
	while (srv->conns)
		conn_destroy(srv->conns);
	feed_destroy(srv->feed);
	changes_fini(&srv->changes);
	for (struct allowed *a; (a = srv->allowed);) {
		srv->allowed = a->next;
		free(a);
	}
	/* what is closed is freed in the loop */
	event_base_loop(srv->base, EVLOOP_NONBLOCK);
	event_base_free(srv->base);
	libevent_global_shutdown();
}

int main(int argc, char **argv)
{
	struct httpd srv = { .max_conns = 64, .body_max = 2u << 20 };
	struct options o = { 0 };
	int fd;

	parse(argc, argv, &srv, &o);
	log_init("xs-httpd", o.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO, 0);
	signal(SIGPIPE, SIG_IGN);
	fd = open_listener(&o);
	become(o.user);
	side_init();
	srv.base = event_base_new();
	if (!srv.base || changes_init(&srv.changes) || !(srv.feed = feed_create(&srv)) ||
	    listen_begin(&srv, fd)) {
		log_errorx("there is no memory");
		return 1;
	}
	if (o.has_port)
		log_info("serving http://127.0.0.1:%u/", o.port);
	else
		log_info("serving %s", o.socket);
	notify_service("READY=1");
	run(&srv);
	end(&srv);
	return 0;
}
