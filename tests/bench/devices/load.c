/* SPDX-License-Identifier: MIT */
/*
 * load.c - loads a disk or a card and says what a request cost, as one static program for dom0 and
 * for a guest, in which it is also the first process. Table of commands; the work is load_*.c's.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name, *args;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "disk", "DEVICE read|write|rread|rwrite|swrite BYTES DEPTH COUNT", load_disk },
	{ "buffered", "DEVICE BYTES COUNT", load_buffered },
	{ "sink", "PORT", load_sink },
	{ "source", "ADDRESS PORT KIB", load_source },
	{ "count", "PORT", load_count },
	{ "flood", "ADDRESS PORT COUNT", load_flood },
	{ "echo", "PORT", load_echo },
	{ "ping", "ADDRESS PORT COUNT", load_ping },
	{ "serve", "", load_serve },
	{ "ask", "ADDRESS COMMAND...", load_ask },
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		load_as_init();
	for (size_t i = 0; argc > 1 && i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(stderr, "usage: load %s %s\n", commands[i].name, commands[i].args);
	return 2;
}
