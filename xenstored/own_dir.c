/* SPDX-License-Identifier: MIT */
/* own_dir.c - see own_dir.h. Runs once; no lock. */
#include "own_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confined.h"
#include "log.h"
#include "sandbox.h"
#include "server.h"

/* How long a daemon that is just ending may take, and how often to look. */
#define ENDING_TRIES	500
#define PAUSE_NS	10000000
/* How long the disk may take to open one file, before others are served without it. */
#define ASK_MS		2000

/* A record lock: it ends with the process, and no fork inherits it. */
static bool lock(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &all) == 0;
}

/* The file whose lock keeps the directory, or -Exxx. */
static int open_in(const char *dir)
{
	char path[512];
	int fd;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make the directory %s", dir);
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* @fd, with its lock, or -EBUSY. */
static int keep(int fd, const char *dir, int tries)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	while (!lock(fd)) {
		if (--tries == 0) {
			log_errorx("another xenstored uses %s", dir);
			close(fd);
			return -EBUSY;
		}
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* --- STATE, by a process that may wait for the disk --- */

/* One number, and a descriptor with it. */
struct letter {
	int number;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg;
};

static void letter_init(struct letter *l)
{
	memset(l, 0, sizeof(*l));
	l->iov = (struct iovec){ &l->number, sizeof(l->number) };
	l->msg = (struct msghdr){
		.msg_iov = &l->iov, .msg_iovlen = 1,
		.msg_control = l->control.bytes, .msg_controllen = sizeof(l->control.bytes),
	};
}

/* @fd: a descriptor, or -Exxx. */
static bool send_file(int to, int fd)
{
	struct letter l;

	letter_init(&l);
	l.number = fd < 0 ? fd : 0;
	if (fd < 0) {
		l.msg.msg_control = NULL;
		l.msg.msg_controllen = 0;
	} else {
		*CMSG_FIRSTHDR(&l.msg) = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(fd)),
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&l.msg)), &fd, sizeof(fd));
	}
	return sendmsg(to, &l.msg, MSG_NOSIGNAL) == sizeof(l.number);
}

/* What send_file() was told; -ECONNRESET: nobody is there who could say. */
static int take_file(int from)
{
	struct letter l;
	struct cmsghdr *c;
	int fd;

	letter_init(&l);
	if (recvmsg(from, &l.msg, MSG_CMSG_CLOEXEC) != sizeof(l.number))
		return -ECONNRESET;
	c = CMSG_FIRSTHDR(&l.msg);
	if (l.number < 0 || !c || c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return l.number < 0 ? l.number : -EIO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* A state directory that cannot be changed is served from, but takes nothing. */
static void give_state(const struct server_config *cfg)
{
	static const char *const below[] = { "", "/store", "/store/generations", "/snapshots" };
	char path[512];

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", cfg->state_dir, below[i]);
		if (access(path, F_OK) == 0 && sandbox_own_dir(path, cfg->uid, cfg->gid) < 0)
			log_warn("cannot give %s to user %u", path, (unsigned int)cfg->uid);
	}
}

/* Opens it; when the daemon has the lock, gives it to the user that the daemon is going to be. */
static _Noreturn void ask_disk(const struct server_config *cfg, int daemon)
{
	int go = 0;

	confined_keep(3, &daemon, 1);
	if (send_file(daemon, open_in(cfg->state_dir)) &&
	    recv(daemon, &go, sizeof(go), 0) == sizeof(go)) {
		if (cfg->uid != 0 && cfg->uid != geteuid())
			give_state(cfg);
		send_file(daemon, -EALREADY);
	}
	_exit(0);
}

/* A grandchild, so that nobody has to wait for its end. Our end of a pair, or -Exxx. */
static int start_asking(const struct server_config *cfg)
{
	int pair[2], status = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			ask_disk(cfg, pair[1]);
		_exit(pid < 0);
	}
	close(pair[1]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return pair[0];
	close(pair[0]);
	return -EAGAIN;
}

static bool is_answered(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ASK_MS) > 0;
}

static int take_state(struct server *srv, int tries)
{
	const int go = 1;

	srv->state_lock = take_file(srv->state_asked.fd);
	if (srv->state_lock >= 0)
		srv->state_lock = keep(srv->state_lock, srv->cfg.state_dir, tries);
	if (srv->state_lock == -ECONNRESET)
		log_errorx("who asked for %s was killed", srv->cfg.state_dir);
	if (srv->state_lock == -EBUSY || srv->state_lock == -ECONNRESET)
		return srv->state_lock;
	if (srv->state_lock < 0) {
		errno = -srv->state_lock;
		log_error("%s cannot be written: the persistent part takes no changes",
			  srv->cfg.state_dir);
		return 0;
	}
	return send(srv->state_asked.fd, &go, sizeof(go), MSG_NOSIGNAL) == sizeof(go) ? 1 : 0;
}

static void asked_no_more(struct server *srv)
{
	loop_remove(&srv->state_asked);
	close(srv->state_asked.fd);
	srv->state_asked.fd = -1;
}

/* The disk has answered after all. */
static void answered_late(void *arg, short events)
{
	struct server *srv = arg;
	int ret = srv->state_lock >= 0 ? 0 : take_state(srv, 1);

	/*
	 * Two that write to one directory are one too many. Where nobody is left to say whether
	 * there are two, the next start asks anew: a daemon that is confined cannot.
	 */
	if (ret < 0)
		srv->stop = true;
	if (ret <= 0)
		asked_no_more(srv);
}

static int own_state(struct server *srv)
{
	int ret;

	srv->state_lock = -EAGAIN;
	srv->state_asked = (struct loop_fd){
		.fd = start_asking(&srv->cfg), .ready = answered_late, .arg = srv,
	};
	if (srv->state_asked.fd < 0) {
		log_errorx("cannot ask for %s: %s", srv->cfg.state_dir,
			   strerror(-srv->state_asked.fd));
		return srv->state_asked.fd;
	}
	ret = is_answered(srv->state_asked.fd) ? take_state(srv, ENDING_TRIES) : -EAGAIN;
	/* It is the new user's before that has to open it; unless the disk hangs now. */
	if (ret == 1)
		ret = is_answered(srv->state_asked.fd) ? 0 : -EAGAIN;
	if (ret != -EAGAIN) {
		asked_no_more(srv);
		return ret;
	}
	log_errorx("the disk of %s does not answer: serving without it until it does",
		   srv->cfg.state_dir);
	return loop_add(srv->loop, &srv->state_asked, LOOP_READ);
}

bool own_dir_is_lost(const struct server *srv)
{
	return srv->state_lock == -EBUSY || srv->state_lock == -ECONNRESET;
}

int own_dirs(struct server *srv)
{
	int fd = open_in(srv->cfg.run_dir);

	srv->run_lock = fd < 0 ? fd : keep(fd, srv->cfg.run_dir, ENDING_TRIES);
	if (srv->run_lock < 0) {
		log_errorx("cannot have %s for this daemon", srv->cfg.run_dir);
		return srv->run_lock;
	}
	return own_state(srv);
}
