/* SPDX-License-Identifier: MIT */
/* mend_kit.c - see mend_kit.h. */
#include "mend_kit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"
#include "live.h"
#include "store.h"

struct mend_kit mk;

static void mend_path(unsigned int i, char *path)
{
	if (i % 3 == 0)
		sprintf(path, "/local/domain/%u/device/vif/%u/state", i % 7, i);
	else if (i % 3 == 1)
		sprintf(path, "/vm/%08u-aaaa/name", i * 7919u);
	else
		sprintf(path, "/tool/some/%u/where-%u", i % 11, i);
}

static size_t mend_value(unsigned int i, char *value)
{
	size_t len = i % 50 == 0 ? 2500 : i % 13;

	memset(value, 'a' + (int)(i % 26), len);
	return len;
}

struct server *mend_open(void)
{
	struct server *srv = calloc(1, sizeof(*srv));
	struct server_config cfg = { .run_dir = mk.run, .state_dir = mk.run };
	enum store_found found;
	struct store *store;

	if (server_init(srv, &cfg, mk.hv) < 0 || store_open(mk.run, &store, &found) < 0 ||
	    server_take_store(srv, store, found == STORE_MENDED) < 0)
		return NULL;
	srv->durable.off = true;
	srv->durable.rev = UINT64_MAX;
	srv->keep_rings = true;
	return server_standard_nodes(srv) == 0 ? srv : NULL;
}

void mend_close(struct server *srv)
{
	live_quiet = true;
	server_fini(srv);
	free(srv);
}

void mend_file(char *name)
{
	sprintf(name, "%s/live/data.mdb", mk.run);
}

/* Which commit is the last one, as the daemon has left it. */
static void put_mark(void)
{
	char name[100];
	int fd;

	snprintf(name, sizeof(name), "%s/live/commit", mk.run);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, mk.mark, mk.mark_len), mk.mark_len);
	close(fd);
}

static void keep_mark(void)
{
	char name[100];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/live/commit", mk.run);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, mk.mark, sizeof(mk.mark));
	mk.mark_len = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
}

/* The file as it is in `whole`, and a log with nothing in it. */
void mend_lay_out(size_t len)
{
	char name[100], dir[80];
	int fd;

	snprintf(dir, sizeof(dir), "%s/log", mk.run);
	unlink(dir);
	snprintf(dir, sizeof(dir), "%s/live.damaged", mk.run);
	files_remove(dir);
	snprintf(dir, sizeof(dir), "%s/live", mk.run);
	files_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	mend_file(name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, mk.whole, len), len);
	close(fd);
	if (mk.mark_len)
		put_mark();
}

int mend_setup(void **state)
{
	struct server *srv;
	struct conn *c;
	char name[100], path[100], data[2700];
	int fd;

	strcpy(mk.run, "/dev/shm/xs-mend-XXXXXX");
	assert_non_null(mkdtemp(mk.run));
	sprintf(name, "%s/fake", mk.run);
	mk.hv = fake_hv_open(name);
	srv = mend_open();
	assert_non_null(srv);
	c = t_client(srv, 0);
	for (unsigned int i = 0; i < MEND_NODES; i++) {
		size_t len;

		mend_path(i, path);
		len = strlen(path) + 1;
		memcpy(data, path, len);
		len += mend_value(i, data + len);
		assert_non_null(t_req(c, XS_WRITE, 0, data, len));
	}
	mend_close(srv);
	mend_file(name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	mk.used = (size_t)read(fd, mk.whole, sizeof(mk.whole));
	close(fd);
	/* The margin behind what is in use is zeros. */
	while (mk.used > MEND_PAGE && mk.whole[mk.used - 1] == 0)
		mk.used--;
	mk.used = (mk.used + MEND_PAGE - 1) / MEND_PAGE * MEND_PAGE;
	assert_true(mk.used < sizeof(mk.whole));
	keep_mark();
	return 0;
}

int mend_teardown(void **state)
{
	mk.hv->close(mk.hv);
	return files_remove(mk.run);
}

static bool is_named(const char *log, const char *path)
{
	char up[100];

	if (strstr(log, "error: /: "))
		return true;

	/* The name of something above it says it, too. */
	strcpy(up, path);
	while (up[0]) {
		const char *leaf = xs_path_leaf(up, strlen(up));
		char line[120];

		snprintf(line, sizeof(line), "%s: lost", up);
		if (strstr(log, line))
			return true;
		snprintf(line, sizeof(line), "error: /%s: lost", leaf);
		if (strstr(log, line))
			return true;
		up[xs_path_parent_len(up, strlen(up)) == 1 ? 0 : xs_path_parent_len(up, strlen(up))] =
			'\0';
	}
	return false;
}

/* Whether every node is whole, or said to be lost: how many are not; -1: nobody says so. */
static int count_missing(struct server *srv, const char *log)
{
	char path[100], value[2600];
	int missing = 0;

	for (unsigned int i = 0; i < MEND_NODES; i++) {
		size_t len = mend_value(i, value);
		struct node n;

		mend_path(i, path);
		if (tree_find(&srv->tree, path, strlen(path), &n) && n.value_len == len &&
		    memcmp(n.value, value, len) == 0)
			continue;
		missing++;
		if (!is_named(log, path)) {
			fprintf(stderr, "%s is not whole, and nobody says so\n", path);
			return -1;
		}
	}
	return missing;
}

static int look(struct server *srv, int log_fd)
{
	char *log = calloc(1, 1 << 20);
	struct buf text = { 0 };
	int missing;

	if (check_all(srv, &text)) {
		fprintf(stderr, "%.*s", (int)buf_len(&text), buf_front(&text));
		return 3;
	}
	if (pread(log_fd, log, (1 << 20) - 1, 0) < 0)
		return 4;
	missing = count_missing(srv, log);
	free(log);
	return missing < 0 ? 5 : missing > 0;
}

/* Starts on what is there; in a process of its own, because it must not end by a signal. */
static int start_and_look(const char *log_name)
{
	int fd = open(log_name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600), ret;
	struct server *srv;

	dup2(fd, STDERR_FILENO);
	srv = mend_open();
	if (!srv)
		return 2;
	ret = look(srv, fd);
	if (ret > 1 || !mk.more)
		return ret;
	mk.more(srv);
	ret = look(srv, fd);
	if (ret > 1)
		return ret;
	mend_close(srv);
	/* What the work after the start has come upon a second start would find. */
	srv = mend_open();
	return srv ? look(srv, fd) : 6;
}

void mend_try(const char *what, size_t at)
{
	char log_name[100], cmd[140];
	int status;
	pid_t pid;

	sprintf(log_name, "%s/log", mk.run);
	pid = fork();
	if (pid == 0)
		_exit(start_and_look(log_name));
	waitpid(pid, &status, 0);
	snprintf(cmd, sizeof(cmd), "grep -q 'error: /: ' %s", log_name);
	mk.gone_back += system(cmd) == 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
		mk.lost += (unsigned int)WEXITSTATUS(status);
		return;
	}
	snprintf(cmd, sizeof(cmd), "tail -20 %s", log_name);
	if (system(cmd))
		print_message("no log\n");
	fail_msg("%s %zu: status %x", what, at, (unsigned int)status);
}

