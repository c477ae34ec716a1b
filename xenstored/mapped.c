/* SPDX-License-Identifier: MIT */
/*
 * mapped.c - see mapped.h. The handler runs at any instruction: it reads only what was set up
 * before and calls only write() and _exit().
 */
#include "mapped.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define MAPPINGS 4

static struct mapping {
	const char *what;
	uintptr_t addr;
	size_t len;
} mappings[MAPPINGS];

static const char *env_name;
static int env_status;

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;	/* there is nobody else to tell */
}

static _Noreturn void end(const char *what, int status)
{
	say("xenstored: error: ");
	say(what);
	say(" has lost bytes that were in use (truncated, or cannot be read): ending\n");
	_exit(status);
}

void mapped_lost(const char *what)
{
	end(what, MAPPED_LOST);
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	for (int i = 0; i < MAPPINGS; i++) {
		if (mappings[i].what && at - mappings[i].addr < mappings[i].len)
			end(mappings[i].what, MAPPED_LOST);
	}
	if (env_name)
		end(env_name, env_status);
	/* Not a file of ours: the instruction is tried again, and the default ends us. */
	signal(sig, SIG_DFL);
}

void mapped_init(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &sa, NULL);
}

void mapped_name(const char *what, const void *addr, size_t len)
{
	struct mapping *free_one = NULL;

	for (int i = 0; i < MAPPINGS; i++) {
		struct mapping *m = &mappings[i];

		if (m->what == what || (!m->what && !free_one))
			free_one = m;
		if (m->what == what)
			break;
	}
	if (free_one)
		*free_one = (struct mapping){ addr ? what : NULL, (uintptr_t)addr, len };
}

void mapped_env(const char *what, unsigned int env)
{
	env_name = what;
	env_status = MAPPED_LOST + 1 + (int)env;
}
