/* SPDX-License-Identifier: MIT */
/*
 * xm_run.h - running xm inside a test: over the store in memory, with the real xend on a host in
 * memory (host.h) or without any, in a scratch directory that holds a kernel, a disk image and demo.cfg.
 */
#ifndef TEST_XM_RUN_H
#define TEST_XM_RUN_H

/* cmocka's setup and teardown of one test: an empty store and xend running (bare: no xend). */
int xm_setup(void **state);
int xm_setup_bare(void **state);
int xm_teardown(void **state);

/* Of a whole group: the scratch directory; signals that tests send are blocked in every thread. */
int xm_group_setup(void **state);
int xm_group_teardown(void **state);

/* The last run: everything printed. */
extern char xm_out[16384], xm_err[16384];

/* Runs "xm WORDS..." (NULL ends them); returns the exit status. */
int xm_run(const char *word, ...) __attribute__((sentinel));

/* The same as "xl". */
int xl_run(const char *word, ...) __attribute__((sentinel));

/* What the next run reads from standard input ("" again afterwards). */
void xm_input(const char *text);

/* What happens as soon as the next run complains, before it goes on. */
void xm_when_it_complains(void (*fn)(void));

/* Where things are: "DIR/NAME"; overwritten by the sixth call after. */
const char *xm_file(const char *name);

/* Writes a file into the scratch directory. */
void xm_write_file(const char *name, const char *text);

/* Fail the test, showing what was printed, unless... */
void expect_status(int status, int expected);
void expect_out(const char *part);
void expect_err(const char *part);
void expect_key(const char *path, const char *value); /* value NULL: absent */

/* Waits up to 5 s for a key to have a value (NULL: to be gone). */
void wait_key(const char *path, const char *value);

/* Sends SIGINT to this process as soon as the key has that value, from a thread. */
void interrupt_when(const char *path, const char *value);

/* Empties the key, as a guest does, as soon as it has that value, from a thread. */
void take_when(const char *path, const char *value);

#define OK(...) expect_status(xm_run(__VA_ARGS__, NULL), 0)
#define FAILS(...) expect_status(xm_run(__VA_ARGS__, NULL), 1)
#define NO_STORE(...) expect_status(xm_run(__VA_ARGS__, NULL), 3)
#define NO_RIGHT(...) expect_status(xm_run(__VA_ARGS__, NULL), 4)
#define WRONG(...) expect_status(xm_run(__VA_ARGS__, NULL), 2) /* the line itself is */

#endif
