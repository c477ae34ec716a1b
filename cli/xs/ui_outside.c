/* SPDX-License-Identifier: MIT */
/* ui_outside.c - see ui_outside.h. */
#include "ui_outside.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"
#include "store.h"
#include "ui.h"
#include "write_whole.h"

#define NOT_FOUND 127 /* sh: there is no such command */
#define VALUE_MAX (16 << 20) /* of what an editor may leave, against one gone wild */

/* A file of its own for @text; its name into @name. Returns a descriptor at its start, or -1. */
static int file_of(const char *text, size_t len, char *name, size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd, rc;

	snprintf(name, size, "%s/xs-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	rc = fd < 0 ? 0 : write_whole(fd, text, len);
	if (rc) {
		unlink(name);
		close(fd);
		errno = -rc;
		return -1;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Until @pid ends; what the store has to say is taken, not to be thrown off its connection. */
static int wait_for(pid_t pid)
{
	int status = 0, ended = pidfd_open(pid, 0);
	struct pollfd fds[2] = { { .fd = ended, .events = POLLIN },
				 { .fd = xs_client_fd(store()), .events = POLLIN } };

	while (ended >= 0 && !(fds[0].revents & POLLIN))
		if (poll(fds, 2, -1) > 0 && fds[1].revents && xs_client_dispatch(store()) != 0)
			fds[1].fd = -1;
	if (ended >= 0)
		close(ended);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* `sh -c @command sh @file` on the whole terminal, with @input (-1: the terminal) as its input. */
static int lend_terminal(const char *command, const char *file, int input)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old[2];
	pid_t pid;
	int rc = -1;

	def_prog_mode();
	endwin();
	/* Ctrl-C there is not for us; an own handler there is made by the program itself */
	sigaction(SIGINT, &ignore, &old[0]);
	sigaction(SIGQUIT, &ignore, &old[1]);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGINT, &old[0], NULL);
		sigaction(SIGQUIT, &old[1], NULL);
		if (input >= 0)
			dup2(input, STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", command, "sh", file, (char *)NULL);
		_exit(NOT_FOUND);
	}
	if (pid > 0)
		rc = wait_for(pid);
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGQUIT, &old[1], NULL);
	reset_prog_mode();
	clearok(curscr, TRUE);
	return rc;
}

static const char *setting(const char *name, const char *instead)
{
	const char *s = getenv(name);

	return s && *s ? s : instead;
}

void ui_outside_page(struct ui *u, const char *text, size_t len)
{
	const char *pager = setting("PAGER", "pager");
	char name[UI_OUTSIDE_NAME];
	int fd = file_of(text, len, name, sizeof(name)), rc;

	if (fd < 0) {
		ui_say(u, "%s: %s", name, strerror(errno));
		return;
	}
	unlink(name);
	rc = lend_terminal(pager, "", fd);
	close(fd);
	if (rc)
		ui_say(u, "%s: status %d: set PAGER to another one", pager, rc);
}

static bool take_file(const char *name, char **out, size_t *len)
{
	FILE *f = fopen(name, "re");
	struct stat st;
	bool ok = f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode);

	if (ok && st.st_size > VALUE_MAX) {
		errno = EFBIG;
		ok = false;
	}
	if (ok) {
		*out = must(malloc((size_t)st.st_size + 1));
		*len = fread(*out, 1, (size_t)st.st_size, f);
		(*out)[*len] = '\0';
		ok = !ferror(f);
		if (!ok)
			free(*out);
	}
	if (f)
		fclose(f);
	return ok;
}

bool ui_outside_keep(const char *text, size_t len, char name[UI_OUTSIDE_NAME])
{
	int fd = file_of(text, len, name, UI_OUTSIDE_NAME);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool ui_outside_edit(struct ui *u, const char *text, size_t len, char **out, size_t *out_len)
{
	const char *editor = setting("VISUAL", setting("EDITOR", "editor"));
	char name[UI_OUTSIDE_NAME], *command;
	int fd = file_of(text, len, name, sizeof(name)), rc;
	bool ok;

	if (fd < 0) {
		ui_say(u, "%s: %s", name, strerror(errno));
		return false;
	}
	close(fd);
	if (asprintf(&command, "%s \"$1\"", editor) < 0)
		cli_die(CLI_FAIL, "out of memory");
	rc = lend_terminal(command, name, -1);
	free(command);
	ok = rc == 0 && take_file(name, out, out_len);
	if (rc)
		ui_say(u, "%s: status %d: nothing was written", editor, rc);
	else if (!ok)
		ui_say(u, "%s: %s: nothing was written", name, strerror(errno));
	unlink(name);
	if (ok && *out_len && (*out)[*out_len - 1] == '\n' && (!len || text[len - 1] != '\n'))
		(*out)[--*out_len] = '\0';
	return ok;
}
