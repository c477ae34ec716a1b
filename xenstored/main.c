/* SPDX-License-Identifier: MIT */
/*
 * main.c - options and the order of start and end. What each step does is in the file it calls.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "claim.h"
#include "hv.h"
#include "lasting.h"
#include "log.h"
#include "people.h"
#include "server.h"
#include "successor.h"

static const char usage[] =
	"usage: xenstored [options]\n"
	"  -N, --no-fork            stay in the foreground\n"
	"  -D, --no-domain-init     serve the socket only, without a hypervisor\n"
	"  -F, --pid-file FILE      write the process id to FILE\n"
	"  -T, --trace-file FILE    write every operation to FILE\n"
	"  -E, --entry-nb N         limit of nodes a domain\n"
	"  -S, --entry-size N       limit of bytes a node\n"
	"  -W, --watch-nb N         limit of watches a domain\n"
	"  -t, --transaction N      limit of open transactions a domain\n"
	"  -Q, --quota NAME=N       any limit by name\n"
	"  -V, --verbose            log more\n"
	"      --run-dir DIR        sockets and the runtime part (/run/xenstored)\n"
	"      --state-dir DIR      the persistent part (/var/lib/xenstored)\n"
	"      --socket PATH        instead of RUN-DIR/socket\n"
	"      --read-only-socket   also offer RUN-DIR/socket_ro, for the group to read\n"
	"      --group GROUP            let this group use the socket, too: a name or GID\n"
	"      --others WHAT            what people may do of whom /config/access says nothing:\n"
	"                               all (as it is when nothing is said), read, none, or as NUMBER\n"
	"      --user USER          become this user after start: a name, or UID[:GID]\n"
	"      --map-size KIB       limit of the persistent part\n"
	"      --persist PATH       keep this child of /, too, or all of them (/): see the manual\n"
	"      --volatile PATH      do not keep PATH and what is below it\n"
	"      --in-memory          keep nothing (tests)\n"
	"Environment: XENSTORED_RUNDIR, XENSTORED_PATH.\n";

/* Options without a letter. */
enum {
	OPT_RUN_DIR = 256,
	OPT_STATE_DIR,
	OPT_SOCKET,
	OPT_RO,
	OPT_GROUP,
	OPT_OTHERS,
	OPT_USER,
	OPT_MEMORY,
	OPT_MAP,
	OPT_PERSIST,
	OPT_VOLATILE,
	OPT_LIVE,
	OPT_TAKES_OVER,
};

static const struct option long_options[] = {
	{ "no-fork", no_argument, NULL, 'N' },
	{ "no-domain-init", no_argument, NULL, 'D' },
	{ "pid-file", required_argument, NULL, 'F' },
	{ "trace-file", required_argument, NULL, 'T' },
	{ "entry-nb", required_argument, NULL, 'E' },
	{ "entry-size", required_argument, NULL, 'S' },
	{ "watch-nb", required_argument, NULL, 'W' },
	{ "transaction", required_argument, NULL, 't' },
	{ "quota", required_argument, NULL, 'Q' },
	{ "verbose", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "read-only-socket", no_argument, NULL, OPT_RO },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "others", required_argument, NULL, OPT_OTHERS },
	{ "user", required_argument, NULL, OPT_USER },
	{ "in-memory", no_argument, NULL, OPT_MEMORY },
	{ "persist", required_argument, NULL, OPT_PERSIST },
	{ "volatile", required_argument, NULL, OPT_VOLATILE },
	{ "map-size", required_argument, NULL, OPT_MAP },
	{ "live-fd", required_argument, NULL, OPT_LIVE },
	{ "takes-over", required_argument, NULL, OPT_TAKES_OVER },
	{ 0 },
};

/* What the command line says, and the limits it sets. */
struct options {
	struct server_config cfg;
	struct quotas quotas;
	const char *pid_file;
	bool foreground;
	bool read_only_socket;
};

static int bad(const char *what, const char *value)
{
	fprintf(stderr, "xenstored: %s: \"%s\" (see --help)\n", what, value);
	return -EINVAL;
}

static int set_limit(struct options *o, enum quota_kind kind, const char *value)
{
	uint64_t n;

	if (kind == QUOTA_NR || xs_wire_get_number(value, UINT32_MAX, &n) < 0)
		return bad("not a limit", value);
	o->quotas.limit[kind] = n;
	return 0;
}

static int set_quota(struct options *o, const char *arg)
{
	const char *eq = strchr(arg, '=');
	char name[32];

	if (!eq || (size_t)(eq - arg) >= sizeof(name))
		return bad("expected NAME=N", arg);
	memcpy(name, arg, (size_t)(eq - arg));
	name[eq - arg] = '\0';
	return set_limit(o, quota_by_name(name), eq + 1);
}

static int set_user(struct options *o, const char *arg)
{
	const struct passwd *pw = getpwnam(arg);
	char *end;
	unsigned long uid = strtoul(arg, &end, 10);
	unsigned long gid = *end == ':' ? strtoul(end + 1, &end, 10) : uid;

	if (pw) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	} else if (*end || end == arg) {
		return bad("no such user", arg);
	}
	if (uid == 0)
		return bad("this user has all rights", arg);
	o->cfg.uid = (uid_t)uid;
	o->cfg.gid = (gid_t)gid;
	return 0;
}

static int set_group(struct options *o, const char *arg)
{
	const struct group *gr = getgrnam(arg);
	char *end;
	unsigned long gid = strtoul(arg, &end, 10);

	if (!gr && (*end || end == arg))
		return bad("no such group", arg);
	o->cfg.socket_gid = gr ? gr->gr_gid : (gid_t)gid;
	return o->cfg.socket_gid ? 0 : bad("this group has the socket anyway", arg);
}

/* One option. 0, 1: help was asked for, -EINVAL. */
static int set_option(struct options *o, int opt)
{
	switch (opt) {
	case 'N':
		o->foreground = true;
		return 0;
	case 'D':
		o->cfg.no_domain_init = true;
		return 0;
	case 'F':
		o->pid_file = optarg;
		return 0;
	case 'T':
		o->cfg.trace_path = optarg;
		return 0;
	case 'E':
		return set_limit(o, QUOTA_NODES, optarg);
	case 'S':
		return set_limit(o, QUOTA_NODE_SIZE, optarg);
	case 'W':
		return set_limit(o, QUOTA_WATCHES, optarg);
	case 't':
		return set_limit(o, QUOTA_TRANSACTIONS, optarg);
	case 'Q':
		return set_quota(o, optarg);
	case 'V':
		o->cfg.verbose = true;
		return 0;
	case OPT_RUN_DIR:
		o->cfg.run_dir = optarg;
		return 0;
	case OPT_STATE_DIR:
		o->cfg.state_dir = optarg;
		return 0;
	case OPT_SOCKET:
		o->cfg.socket_path = optarg;
		return 0;
	case OPT_RO:
		o->read_only_socket = true;
		return 0;
	case OPT_GROUP:
		return set_group(o, optarg);
	case OPT_OTHERS:
		return people_parse(optarg, strlen(optarg), &o->cfg.others) < 0 ?
			       bad("not all, read, none or a number of people", optarg) :
			       0;
	case OPT_USER:
		return set_user(o, optarg);
	case OPT_MEMORY:
		o->cfg.in_memory = true;
		return 0;
	case OPT_MAP:
		o->cfg.map_size = (size_t)strtoul(optarg, NULL, 10) * 1024;
		return o->cfg.map_size ? 0 : bad("not a size in KiB", optarg);
	case OPT_PERSIST:
		return lasting_persist(optarg) < 0 ? bad("not / or a child of it", optarg) : 0;
	case OPT_VOLATILE:
		return lasting_volatile(optarg) < 0 ? bad("not a path below /", optarg) : 0;
	case OPT_LIVE:
		o->cfg.live_fd = atoi(optarg);
		return 0;
	case OPT_TAKES_OVER:
		exit(strcmp(optarg, SUCCESSOR_VERSION) == 0 ? SUCCESSOR_YES : 2);
	case 'h':
		fputs(usage, stdout);
		return 1;
	default:
		return -EINVAL;
	}
}

static char *path_in(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int opt, ret = 0;

	*o = (struct options){
		.cfg = { .run_dir = getenv("XENSTORED_RUNDIR"),
			 .state_dir = "/var/lib/xenstored",
			 .socket_path = getenv("XENSTORED_PATH"),
			 .others = { .served = true, .all = true },
			 .live_fd = -1 },
	};
	quotas_init(&o->quotas);
	while (ret == 0 &&
	       (opt = getopt_long(argc, argv, "NDF:T:E:S:W:t:Q:Vh", long_options, NULL)) != -1)
		ret = set_option(o, opt);
	if (ret)
		return ret;
	if (optind < argc)
		return bad("unexpected argument", argv[optind]);
	if (!o->cfg.run_dir)
		o->cfg.run_dir = "/run/xenstored";
	if (!o->cfg.socket_path)
		o->cfg.socket_path = path_in(o->cfg.run_dir, "socket");
	if (o->read_only_socket)
		o->cfg.ro_socket_path = path_in(o->cfg.run_dir, "socket_ro");
	o->cfg.log_path = path_in(o->cfg.run_dir, "trace.log");
	return o->cfg.socket_path && o->cfg.log_path ? 0 : -ENOMEM;
}

/*
 * As many descriptors as the kernel lets us have: each client is one. The half of them is for those
 * who may do everything.
 */
static void raise_fd_limit(struct server_config *cfg)
{
	struct rlimit rl;

	cfg->people_conns = PEOPLE_CONNS_ALL;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
		if (rl.rlim_cur / 2 < PEOPLE_CONNS_ALL)
			cfg->people_conns = (unsigned int)(rl.rlim_cur / 2);
	}
}

/*
 * Goes on in a child of its own session; the caller waits until the child serves, and passes on
 * whether it does. Returns the descriptor to say so on.
 */
static int become_daemon(void)
{
	int pair[2];
	char byte;
	pid_t pid;

	if (pipe(pair) < 0 || (pid = fork()) < 0) {
		log_error("cannot become a daemon");
		exit(1);
	}
	if (pid > 0) {
		close(pair[1]);
		_exit(read(pair[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(pair[0]);
	setsid();
	return pair[1];
}

int main(int argc, char **argv)
{
	/* Until the end of the process: paths in them are in use that long. */
	static struct options o;
	static struct boot boot;
	int ready = -1;
	int ret = parse_options(argc, argv, &o);

	if (ret)
		return ret < 0 ? 2 : 0;
	log_init("xenstored", o.cfg.verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO, 1);
	log_never_wait();
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit(&o.cfg);
	if (!o.foreground)
		ready = become_daemon();
	/* Before rights are given up: the file's directory may be root's. */
	if ((o.pid_file && claim_pid_file(o.pid_file) < 0) || boot_up(&boot, &o.cfg, &o.quotas) < 0)
		return 1;
	if (ready >= 0 && write(ready, "", 1) == 1)
		close(ready);
	ret = boot_serve(&boot, argv);
	return ret < 0 ? 1 : 0;
}
