/* SPDX-License-Identifier: MIT */
/*
 * compat_watch.c - xenstore-watch and xenstore-control of the original tools.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "die.h"

struct watching {
	int left; /* events to print; <0: no end */
	const char *path; /* being registered */
};

static void on_event(void *arg, const char *path)
{
	struct watching *w = arg;

	if (w->left == 0)
		return;
	printf("%s\n", path);
	fflush(stdout);
	if (w->left > 0)
		w->left--;
}

static void on_registered(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	if (rc && rc != -ECANCELED) /* that is our own end */
		cli_die(1, "Unable to add watch on %s\n", ((struct watching *)arg)->path);
}

int compat_watch(int n, char **paths, const struct compat_opts *o)
{
	struct watching w = { .left = o->nr_watches };
	struct xs_client *c = store();

	for (int i = 0; i < n; i++) {
		w.path = paths[i];
		if (xs_client_watch(c, paths[i], -1, on_event, &w, on_registered, NULL) != 0)
			cli_die(1, "Unable to add watch on %s\n", paths[i]);
		xs_client_wait(c);
	}
	while (w.left != 0)
		if (xs_client_run(c, -1) != 0)
			cli_die(1, "the connection to the store was lost");
	return 0;
}

/* ---- xenstore-control ---- */

/* live-update goes on for a while and is asked again until the daemon is done with it. */
static int control(const struct iovec *iov, unsigned int nr)
{
	char *answer;
	int rc = xs_sync(store(), XS_CONTROL, 0, iov, nr, &answer, NULL);

	if (rc == -EINVAL || rc == -ENOSYS) {
		struct iovec help = { (void *)"help", 5 };

		fprintf(stderr, "Command not supported. Valid commands are:\n");
		if (xs_sync(store(), XS_CONTROL, 0, &help, 1, &answer, NULL) == 0) {
			fprintf(stderr, "%s\n", answer);
			free(answer);
		}
		return 3;
	}
	if (rc) {
		cli_warn("%s", strerror(-rc));
		return 3;
	}
	printf("%s\n", answer);
	free(answer);
	return 0;
}

int compat_control(int argc, char **argv)
{
	struct iovec iov[16];
	int n = argc - 1;

	if (argc < 2) {
		fprintf(stderr, "Usage:\n%s <command> [<arg>...]\n", argv[0]);
		return 2;
	}
	if (n > (int)(sizeof(iov) / sizeof(iov[0])))
		cli_die(2, "too many arguments");
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ argv[i + 1], strlen(argv[i + 1]) + 1 };
	return control(iov, n);
}
