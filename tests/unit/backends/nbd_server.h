/* SPDX-License-Identifier: MIT */
/*
 * nbd_server.h - real servers of the Network Block Device protocol. Each is given a socket that the
 * test listens on already: who connects before the server is up waits for it, and nothing polls.
 */
#ifndef TESTS_NBD_SERVER_H
#define TESTS_NBD_SERVER_H

#include <sys/types.h>

/* Of the socket: "nbd:127.0.0.1:PORT", or "nbd:unix:PATH" in @dir. */
#define NBD_SERVER_NAME 160

struct nbd_server {
	int listens; /* -1: nobody can connect */
	pid_t pid;   /* 0: no server */
	char name[NBD_SERVER_NAME];
};

void nbd_server_listen_tcp(struct nbd_server *s);
void nbd_server_listen_unix(struct nbd_server *s, const char *dir);
/* Runs @argv[0] with its arguments. */
void nbd_server_start(struct nbd_server *s, const char *const *argv);
/* Kills it by SIGKILL and waits for its end. */
void nbd_server_kill(struct nbd_server *s);
/* Asks it to end, for one that has files to remove; nobody is connected any more. */
void nbd_server_stop(struct nbd_server *s);
/* It says nothing more, until it is killed or goes on. Returns when that is so. */
void nbd_server_freeze(struct nbd_server *s);
void nbd_server_go_on(struct nbd_server *s);
/* Nobody listens any more. */
void nbd_server_end(struct nbd_server *s);

#endif
