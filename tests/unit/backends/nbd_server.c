/* SPDX-License-Identifier: MIT */
/* nbd_server.c - see nbd_server.h. Source: sd_listen_fds(3), which nbdkit and qemu-nbd follow. */
#include "nbd_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_LISTENED 3

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "nbd_server: %s: %s\n", what, strerror(errno));
	abort();
}

void nbd_server_listen_tcp(struct nbd_server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->pid = 0;
	s->listens = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->listens >= 0 && bind(s->listens, (struct sockaddr *)&at, len) == 0 &&
		     listen(s->listens, 16) == 0 &&
		     getsockname(s->listens, (struct sockaddr *)&at, &len) == 0, "TCP");
	snprintf(s->name, sizeof(s->name), "nbd:127.0.0.1:%u", ntohs(at.sin_port));
}

void nbd_server_listen_unix(struct nbd_server *s, const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	s->pid = 0;
	snprintf(at.sun_path, sizeof(at.sun_path), "%.80s/socket", dir);
	unlink(at.sun_path);
	s->listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->listens >= 0 && bind(s->listens, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		     listen(s->listens, 16) == 0, "socket");
	snprintf(s->name, sizeof(s->name), "nbd:unix:%s", at.sun_path);
}

static void run(const struct nbd_server *s, const char *const *argv)
{
	char pid[16];

	/* A test that fails leaves none behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	if (s->listens == FIRST_LISTENED)
		fcntl(FIRST_LISTENED, F_SETFD, 0);
	else
		dup2(s->listens, FIRST_LISTENED);
	execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "nbd_server: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void nbd_server_start(struct nbd_server *s, const char *const *argv)
{
	s->pid = fork();
	must(s->pid >= 0, "fork");
	if (s->pid == 0)
		run(s, argv);
}

static void end_by(struct nbd_server *s, int sig)
{
	if (!s->pid)
		return;
	kill(s->pid, sig);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

void nbd_server_kill(struct nbd_server *s)
{
	end_by(s, SIGKILL);
}

void nbd_server_stop(struct nbd_server *s)
{
	end_by(s, SIGTERM);
}

void nbd_server_freeze(struct nbd_server *s)
{
	int status;

	must(kill(s->pid, SIGSTOP) == 0 && waitpid(s->pid, &status, WUNTRACED) == s->pid &&
		     WIFSTOPPED(status), "freeze");
}

void nbd_server_go_on(struct nbd_server *s)
{
	must(kill(s->pid, SIGCONT) == 0, "go on");
}

void nbd_server_end(struct nbd_server *s)
{
	nbd_server_kill(s);
	if (s->listens >= 0)
		close(s->listens);
	s->listens = -1;
}
