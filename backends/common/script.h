/* SPDX-License-Identifier: MIT */
/*
 * script.h - runs the scripts of /etc/xen/scripts, by which dom0's end of a device is made: what
 * vif_script.h and disk_script.h have in common.
 */
#ifndef BACKENDS_SCRIPT_H
#define BACKENDS_SCRIPT_H

#define SCRIPT_PATH 256
#define SCRIPT_SAID 200

struct script_word {
	const char *name, *value; /* NULL: it is not in the environment */
};

struct script {
	const char *path;
	const char *action, *word; /* its arguments; @word may be NULL */
	const struct script_word *env; /* ends with no name */
	unsigned int seconds; /* then it is killed, and what it has started */
};

/* The script of that name or path: the operator's, else ours. It need not be there. */
void script_find(const char *name, char out[SCRIPT_PATH]);

/*
 * Runs it and waits. What it says on standard error goes to ours, the last line of it to @said
 * ("": nothing; cut where it does not fit). Returns 0; -ENOENT: there is no such script;
 * -ETIMEDOUT: killed; -EIO: it failed. Call before threads exist or privileges go.
 */
int script_run(const struct script *s, char said[SCRIPT_SAID]);

#endif
