/* SPDX-License-Identifier: MIT */
/*
 * blk_server.c - see blk_server.h. The server is handed a socket that listens, as sd_listen_fds(3)
 * has it, with our connection in it and its name removed. Of an iSCSI disk it connects to the
 * target anew by itself, and nobody is told: so it has each write safe before that ends, or a
 * target that forgets would not be noticed. Source: qemu-nbd(8), qemu-block-drivers(7).
 */
#include "blk_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blk_image.h"
#include "iscsi_name.h"
#include "iscsi_options.h"
#include "jail.h"

#define PROGRAM "/usr/bin/qemu-nbd"
#define FIRST_LISTENED 3
#define FIRST_FILE 4 /* the server's, and all behind it are those of its files */
#define ARGS_MAX 14
#define MODULE_HINT " (apt-get install qemu-block-extra)"

/* --- its files ------------------------------------------------------------------------------ */

/*
 * Its lock goes with the descriptor: to the server, whose end is the lock's too. So does a device,
 * which is taken as blk_image.c takes it: mounted, or in use by another of its names?
 */
static int open_file(struct jail_file *f, char *why, size_t len)
{
	int flags = (f->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, rc = 0;
	struct stat st;

	if (!f->readonly && stat(f->path, &st) == 0 && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	f->fd = open(f->path, flags);
	if (f->fd < 0 && errno == EBUSY)
		return blk_explain(-EAGAIN, why, len, "device %s is in use: unmount it in dom0 first",
				   f->path);
	if (f->fd < 0)
		return blk_explain(-EINVAL, why, len, "%s: %s", f->path, strerror(errno));
	if (fstat(f->fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		rc = blk_explain(-EINVAL, why, len, "%s is neither a file nor a block device", f->path);
	else if (flock(f->fd, (f->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		rc = blk_explain(-EAGAIN, why, len, "%s is already in use by another domain", f->path);
	if (rc == 0)
		return 0;
	close(f->fd);
	f->fd = -1;
	return rc;
}

static void close_files(struct jail *jail, unsigned int first)
{
	for (unsigned int i = first; i < jail->nr_files; i++)
		close(jail->file[i].fd);
}

static int add_file(struct jail *jail, const char *path, bool readonly, char *why, size_t len)
{
	struct jail_file f = { .path = path, .readonly = readonly };
	int rc;

	if (path[0] != '/')
		return blk_explain(-EINVAL, why, len, "%s is no absolute path", path);
	if (jail->nr_files == JAIL_FILES_MAX)
		return blk_explain(-EINVAL, why, len, "backing= has more than %d files",
				   JAIL_FILES_MAX - 1);
	rc = open_file(&f, why, len);
	if (rc == 0)
		jail->file[jail->nr_files++] = f;
	return rc;
}

/* @names: @want's backing, to be cut. */
static int open_files(struct jail *jail, const struct blk_server_want *want, char *names, char *why,
		      size_t len)
{
	char *rest = NULL;
	int rc = add_file(jail, want->image, want->readonly, why, len);

	for (char *name = strtok_r(names, ",", &rest); name && rc == 0;
	     name = strtok_r(NULL, ",", &rest))
		rc = add_file(jail, name, true, why, len);
	if (rc < 0)
		close_files(jail, 0);
	return rc;
}

/* --- the process ---------------------------------------------------------------------------- */

/* A socket that listens, at which only *@conn has come in and nobody else can. */
static int listen_for_one(const char *dir, int *conn)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	*conn = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* One process a disk, and one disk of that number. */
	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/server-%d", dir, (int)getpid()) >=
	    (int)sizeof(at.sun_path))
		rc = -ENAMETOOLONG;
	unlink(at.sun_path);
	if (rc == 0 && (fd < 0 || *conn < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
			chmod(at.sun_path, 0600) < 0 || listen(fd, 1) < 0 ||
			connect(*conn, (struct sockaddr *)&at, sizeof(at)) < 0))
		rc = -errno;
	unlink(at.sun_path);
	if (rc == 0)
		return fd;
	close(fd);
	close(*conn);
	*conn = -1;
	return rc;
}

static const char *const caching[] = {
	[DISK_CACHE_DEFAULT] = "--cache=writeback",
	[DISK_CACHE_NONE] = "--cache=none",
	[DISK_CACHE_WRITEBACK] = "--cache=writeback",
	[DISK_CACHE_WRITETHROUGH] = "--cache=writethrough",
	[DISK_CACHE_DIRECTSYNC] = "--cache=directsync",
	[DISK_CACHE_UNSAFE] = "--cache=unsafe",
};

/* @options: of an iSCSI disk; "": the image is one. */
static void words(const struct blk_server_want *want, const char *options, const char *secret,
		  const char *argv[ARGS_MAX])
{
	unsigned int n = 0;

	argv[n++] = "qemu-nbd";
	argv[n++] = options[0] ? "--image-opts" : "-f";
	if (!options[0])
		argv[n++] = disk_format_driver(want->format);
	argv[n++] = options[0] ? "--cache=writethrough" : caching[want->cache];
	argv[n++] = "--discard=unmap";
	/* Not the password: a process's words are anybody's to read. */
	if (secret) {
		argv[n++] = "--object";
		argv[n++] = "secret,id=" ISCSI_SECRET ",file=" JAIL_SECRET;
	}
	if (want->readonly)
		argv[n++] = "--read-only";
	argv[n++] = "--";
	argv[n++] = options[0] ? options : want->image;
	argv[n] = NULL;
}

/* Numbers as the server knows them; above all that is ours, so that none is in another's way. */
static int arrange(const struct jail *jail, int listens)
{
	int at = FIRST_FILE, above[JAIL_FILES_MAX + 1];

	above[0] = fcntl(listens, F_DUPFD, FIRST_FILE + JAIL_FILES_MAX);
	for (unsigned int i = 0; i < jail->nr_files; i++)
		above[i + 1] = fcntl(jail->file[i].fd, F_DUPFD, FIRST_FILE + JAIL_FILES_MAX);
	if (dup2(above[0], FIRST_LISTENED) < 0)
		return -errno;
	for (unsigned int i = 0; i < jail->nr_files; i++)
		if (dup2(above[i + 1], at++) < 0)
			return -errno;
	return close_range((unsigned int)at, ~0u, 0) < 0 ? -errno : 0;
}

static void run(const struct jail *jail, const char *const *argv, int listens, int says, pid_t parent)
{
	const char *step = "its descriptors";
	char pid[32];
	char *const env[] = { (char *)"LC_ALL=C", (char *)"LISTEN_FDS=1", pid, NULL };
	sigset_t none;
	int nothing = open("/dev/null", O_RDWR), rc;

	snprintf(pid, sizeof(pid), "LISTEN_PID=%d", (int)getpid());
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(nothing, 0);
	dup2(nothing, 1);
	dup2(says, 2);
	rc = jail_enter(jail, parent, &step);
	if (rc == 0)
		rc = arrange(jail, listens);
	if (rc < 0) {
		dprintf(2, "cannot confine it: %s: %s\n", step, strerror(-rc));
		_exit(1);
	}
	rc = jail_run(jail, (char *const *)argv, env);
	dprintf(2, "%s: %s\n", PROGRAM, strerror(-rc));
	_exit(1);
}

static int spawn(struct blk_server *s, const struct jail *jail, const char *const *argv)
{
	pid_t parent = getpid();
	int says[2], listens = listen_for_one(jail->dir, &s->conn);

	if (listens < 0)
		return listens;
	/* Nobody reads it while it serves: what has no room is not said. */
	if (pipe2(says, O_CLOEXEC | O_NONBLOCK) < 0) {
		close(listens);
		return -errno;
	}
	s->pid = fork();
	if (s->pid == 0)
		run(jail, argv, listens, says[1], parent);
	close(listens);
	close(says[1]);
	s->says = says[0];
	if (s->pid > 0)
		return 0;
	s->pid = 0;
	return -EAGAIN;
}

/* The jail with the image's files, or with the network. */
static int fill_jail(struct jail *jail, const struct blk_server_want *want, char *names,
		     char options[ISCSI_OPTIONS_MAX], struct iscsi_login *login, char *why, size_t len)
{
	int rc;

	if (!iscsi_name_is(want->image))
		return open_files(jail, want, names, why, len);
	jail->network = true;
	jail->file[0] = (struct jail_file){ .fd = want->lock };
	jail->nr_files = 1;
	rc = iscsi_options(want->image, options, login, why, len);
	jail->secret = rc == 0 && login->user[0] ? login->password : NULL;
	return rc;
}

int blk_server_start(struct blk_server *s, const struct blk_server_want *want, const char *dir,
		     char *why, size_t len)
{
	struct jail jail = { .dir = dir, .user = want->user, .program = PROGRAM };
	char *names = strdup(want->backing), options[ISCSI_OPTIONS_MAX] = "";
	struct iscsi_login login = { "", "" };
	const char *argv[ARGS_MAX];
	int rc = -ENOMEM;

	*s = (struct blk_server)BLK_SERVER_NONE;
	if (access(PROGRAM, X_OK) < 0)
		rc = blk_explain(-EINVAL, why, len, "it is read by qemu-nbd, which is not there: "
			     "apt-get install qemu-utils");
	else if (names)
		rc = fill_jail(&jail, want, names, options, &login, why, len);
	if (rc == 0) {
		words(want, options, jail.secret, argv);
		s->image = jail.network ? -1 : jail.file[0].fd;
		rc = spawn(s, &jail, argv);
		close_files(&jail, 1);
		if (rc < 0)
			blk_explain(rc, why, len, "its server: %s", strerror(-rc));
	} else if (rc == -ENOMEM) {
		blk_explain(rc, why, len, "%s", strerror(-rc));
	}
	free(names);
	explicit_bzero(&login, sizeof(login));
	if (rc < 0)
		blk_server_close(s);
	return rc;
}

/* Its name, and that of the image, which is said already. */
static const char *without_prefix(const char *line)
{
	static const char opening[] = "qemu-nbd: Failed to blk_new_open '";
	const char *end = strstr(line, "': ");

	if (!strncmp(line, opening, strlen(opening)) && end)
		return end + 3;
	return strncmp(line, "qemu-nbd: ", 10) ? line : line + 10;
}

/* It says names that an image's contents have: what a terminal would do is not theirs to say. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

bool blk_server_last_words(struct blk_server *s, int ms, char *text, size_t len)
{
	struct pollfd p = { .fd = s->says, .events = POLLIN };
	char said[4096], *line;
	size_t n = 0;
	ssize_t got = -1;

	text[0] = '\0';
	while (s->says >= 0 && n < sizeof(said) - 1 && poll(&p, 1, ms) > 0) {
		got = read(s->says, said + n, sizeof(said) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	said[n] = '\0';
	while (n && said[n - 1] == '\n')
		said[--n] = '\0';
	line = strrchr(said, '\n');
	line = line ? line + 1 : said;
	snprintf(text, len, "%s%s", without_prefix(line),
		 strstr(line, "Unknown driver 'iscsi'") ? MODULE_HINT : "");
	make_printable(text);
	return got == 0;
}

void blk_server_close(struct blk_server *s)
{
	if (s->pid) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	if (s->image >= 0)
		close(s->image);
	if (s->conn >= 0)
		close(s->conn);
	if (s->says >= 0)
		close(s->says);
	*s = (struct blk_server)BLK_SERVER_NONE;
}
