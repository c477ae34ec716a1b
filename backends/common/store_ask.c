/* SPDX-License-Identifier: MIT */
/* store_ask.c - see store_ask.h. */
#include "store_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "backend_exit.h"

/* A message of one byte, with room for one descriptor. */
struct letter {
	char byte;
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
	l->iov = (struct iovec){ &l->byte, 1 };
	l->msg = (struct msghdr){
		.msg_iov = &l->iov,
		.msg_iovlen = 1,
		.msg_control = l->control.bytes,
		.msg_controllen = sizeof(l->control.bytes),
	};
}

bool store_ask_possible(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(STORE_ASK_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET)
		return false;
	return fcntl(STORE_ASK_FD, F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(STORE_ANSWER_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static int receive_answer(void)
{
	struct cmsghdr *c;
	struct letter l;
	int fd;

	letter_init(&l);
	if (recvmsg(STORE_ASK_FD, &l.msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&l.msg);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EAGAIN;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int store_source_connect(void *source)
{
	struct store_source *s = source;
	int fd;

	if (s->may_connect)
		return store_confined_connect(&s->scope);
	if (!s->supervised || (!s->asked && write(STORE_ASK_FD, "?", 1) != 1))
		_exit(BACKEND_EXIT_RETRY);
	s->asked = true;
	fd = receive_answer();
	if (fd >= 0)
		s->asked = false;
	return fd;
}

bool store_ask_take(int fd, bool *closed)
{
	unsigned int nr = 0;
	ssize_t n = 1;
	char byte;

	/* Whoever never stops asking is not listened to for ever: the rest is for the next time. */
	while (nr < STORE_ASK_TAKE && (n = recv(fd, &byte, 1, MSG_DONTWAIT)) == 1)
		nr++;
	*closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	return nr > 0;
}

int store_ask_answer(int fd, int conn)
{
	struct cmsghdr *c;
	struct letter l;

	letter_init(&l);
	c = CMSG_FIRSTHDR(&l.msg);
	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(conn)),
	};
	memcpy(CMSG_DATA(c), &conn, sizeof(conn));
	return sendmsg(fd, &l.msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -errno;
}
