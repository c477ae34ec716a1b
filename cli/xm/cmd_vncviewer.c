/* SPDX-License-Identifier: MIT */
/*
 * cmd_vncviewer.c - xm vncviewer: shows a domain's screen.
 *
 * Where it is, its process says in the store (fbback); the viewer is the host's own program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"

#define SCREEN "/local/domain/0/backend/vfb/%d/0/%s"
#define VIEWER "vncviewer"

static const struct cli_opt options[] = {
	{ 'a', "autopass", NULL, "give the viewer the password (-autopass)" },
	{ 'p', "print", NULL, "only say where the screen is, ADDRESS::PORT" },
	{ 0 },
};

/* The viewer's standard input is the password: no command line shows it. */
static int give_password(struct xm *xm, int domid)
{
	char *password = store_read(xm->xs, XBT_NULL, SCREEN, domid, "vncpasswd");
	int fd = memfd_create("password", MFD_CLOEXEC), rc = 0;

	if (fd < 0 || (password && dprintf(fd, "%s\n", password) < 0) ||
	    lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0)
		rc = xm_fail(xm, "cannot hand over the password: %s", strerror(errno));
	free(password);
	return rc;
}

static int run_viewer(struct xm *xm, struct cli_args *args, int domid, const char *where)
{
	bool password = cli_has(args, "autopass");

	if (password && give_password(xm, domid))
		return 1;
	if (password)
		execlp(VIEWER, VIEWER, where, "-autopass", (char *)NULL);
	else
		execlp(VIEWER, VIEWER, where, (char *)NULL);
	return xm_fail(xm, "cannot run " VIEWER " (%s): the screen is at %s, for any viewer of VNC",
		       strerror(errno), where);
}

static int show(struct xm *xm, struct cli_args *args, const struct domain *dom, const char *address,
		long long port)
{
	char where[80];

	if (args->json)
		return json_say(&xm->voice,
				json_pack("{s:s, s:s, s:I}", "name", dom->name, "address", address,
					  "port", (json_int_t)port),
				JSON_ANSWER);
	snprintf(where, sizeof(where), strchr(address, ':') ? "[%s]::%lld" : "%s::%lld", address,
		 port);
	if (!cli_has(args, "print"))
		return run_viewer(xm, args, dom->domid, where);
	fprintf(xm->out, "%s\n", where);
	return 0;
}

static int run_vncviewer(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domain dom;
	long long port;
	char *address;
	int rc;

	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	address = store_read(xm->xs, XBT_NULL, SCREEN, dom.domid, "vnclisten");
	if (!address || !store_read_number(xm->xs, XBT_NULL, &port, SCREEN, dom.domid, "vnc-port"))
		rc = xm_fail(xm, "'%s' has no screen: its record's vfb/vnc=1, or vfb = [ 'vnc=1' ] "
			     "in its file, gives it one at its next start", dom.name);
	else
		rc = show(xm, args, &dom, address, port);
	free(address);
	return rc;
}

const struct cli_cmd cmd_vncviewer = {
	.name = "vncviewer",
	.args = "DOMAIN",
	.help = "Show a domain's screen",
	.more = "Runs the host's vncviewer (packages tigervnc-viewer, xtightvncviewer).",
	.opts = options,
	.min_args = 1,
	.max_args = 1,
	.example = "xm vncviewer --print web",
	.run = run_vncviewer,
};
