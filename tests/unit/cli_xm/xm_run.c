/* SPDX-License-Identifier: MIT */
/*
 * xm_run.c - see xm_run.h.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdbool.h>
#include <cmocka.h>

#include "fake_store.h"
#include "host.h"
#include "make_elf.h"
#include "xm.h"
#include "xm_run.h"

char xm_out[16384], xm_err[16384];

static char dir[] = "/tmp/xm-test-XXXXXX";
static char input[1024];
static void (*when_it_complains)(void);

const char *xm_file(const char *name)
{
	static char paths[6][320];
	static unsigned int at;

	at = (at + 1) % 6;
	snprintf(paths[at], sizeof(paths[at]), "%s/%s", dir, name);
	return paths[at];
}

void xm_write_file(const char *name, const char *text)
{
	FILE *f = fopen(xm_file(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void write_kernel(void)
{
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);
	FILE *f = fopen(xm_file("kernel"), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(elf, 1, len, f), len);
	fclose(f);
	free(elf);
}

int xm_group_setup(void **state)
{
	sigset_t set;
	char text[1024];

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	unsetenv("NO_COLOR");
	if (!mkdtemp(dir))
		return -1;
	write_kernel();
	xm_write_file("disk.img", "disk");
	snprintf(text, sizeof(text),
		 "name = 'demo'\nmemory = 128\nkernel = '%s/kernel'\n"
		 "extra = 'quiet'\ndisk = [ 'file:%s/disk.img,xvda,w' ]\nvif = [ 'bridge=br7' ]\n",
		 dir, dir);
	xm_write_file("demo.cfg", text);
	return 0;
}

int xm_group_teardown(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	(void)state;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlink(xm_file(e->d_name));
	if (d)
		closedir(d);
	return rmdir(dir);
}

int xm_setup_bare(void **state)
{
	(void)state;
	fake_store_reset();
	input[0] = '\0';
	return 0;
}

int xm_setup(void **state)
{
	xm_setup_bare(state);
	host_start();
	return 0;
}

int xm_teardown(void **state)
{
	(void)state;
	host_stop();
	/* Whatever a command did to a record, it did to one that was there. */
	if (fake_store_loose()) {
		fprintf(stderr, "a record was written to outside a transaction\n");
		return -1;
	}
	/* A leaked connection would be a leaked thread and descriptor in a script's loop. */
	return fake_store_handles() == 0 ? 0 : -1;
}

void xm_input(const char *text)
{
	snprintf(input, sizeof(input), "%s", text);
}

void xm_when_it_complains(void (*fn)(void))
{
	when_it_complains = fn;
}

static ssize_t complain(void *err, const char *text, size_t len)
{
	void (*fn)(void) = when_it_complains;

	when_it_complains = NULL;
	if (fn)
		fn();
	return (ssize_t)fwrite(text, 1, len, err);
}

static void slurp(FILE *f, char *out, size_t size)
{
	rewind(f);
	out[fread(out, 1, size - 1, f)] = '\0';
	fclose(f);
}

static int run(const char *prog, const char *word, va_list ap)
{
	FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
	FILE *heard = NULL;
	char *argv[40] = { (char *)prog };
	int argc = 1, status;

	for (; word; word = va_arg(ap, const char *))
		argv[argc++] = (char *)word;
	fputs(input, in);
	rewind(in);
	/* A file shared by position: what console reads by descriptor must start at 0. */
	lseek(fileno(in), 0, SEEK_SET);
	input[0] = '\0';
	if (when_it_complains) {
		heard = fopencookie(err, "w", (cookie_io_functions_t){ .write = complain });
		setvbuf(heard, NULL, _IONBF, 0);
	}
	status = xm_main(argc, argv, in, out, heard ? heard : err);
	if (heard)
		fclose(heard);
	when_it_complains = NULL;
	fclose(in);
	slurp(out, xm_out, sizeof(xm_out));
	slurp(err, xm_err, sizeof(xm_err));
	return status;
}

int xm_run(const char *word, ...)
{
	va_list ap;
	int status;

	va_start(ap, word);
	status = run("/usr/sbin/xm", word, ap);
	va_end(ap);
	return status;
}

int xl_run(const char *word, ...)
{
	va_list ap;
	int status;

	va_start(ap, word);
	status = run("xl", word, ap);
	va_end(ap);
	return status;
}

void expect_status(int status, int expected)
{
	if (status != expected)
		fail_msg("exit status %d, not %d\nout: %s\nerr: %s", status, expected, xm_out,
			 xm_err);
}

void expect_out(const char *part)
{
	if (!strstr(xm_out, part))
		fail_msg("'%s' was not printed\nout: %s\nerr: %s", part, xm_out, xm_err);
}

void expect_err(const char *part)
{
	if (!strstr(xm_err, part))
		fail_msg("'%s' was not said\nout: %s\nerr: %s", part, xm_out, xm_err);
}

static bool key_is(const char *path, const char *value)
{
	char *now = fake_store_get(path);
	bool is = value ? now && strcmp(now, value) == 0 : !now;

	free(now);
	return is;
}

void expect_key(const char *path, const char *value)
{
	char *now = fake_store_get(path);

	if (!key_is(path, value)) {
		char text[256];

		snprintf(text, sizeof(text), "%s", now ? now : "(absent)");
		free(now);
		fail_msg("%s is %s, not %s", path, text, value ? value : "absent");
	}
	free(now);
}

static bool wait_for(const char *path, const char *value)
{
	for (int i = 0; i < 5000; i++) {
		if (key_is(path, value))
			return true;
		usleep(1000);
	}
	return false;
}

void wait_key(const char *path, const char *value)
{
	if (!wait_for(path, value))
		expect_key(path, value);
}

struct later {
	char path[128], value[32];
	bool take; /* else interrupt */
};

static void *act_later(void *data)
{
	struct later *l = data;

	if (wait_for(l->path, l->value)) {
		if (l->take)
			fake_store_set(l->path, "");
		else
			kill(getpid(), SIGINT);
	}
	free(l);
	return NULL;
}

static void later(const char *path, const char *value, bool take)
{
	struct later *l = calloc(1, sizeof(*l));
	pthread_t thread;

	snprintf(l->path, sizeof(l->path), "%s", path);
	snprintf(l->value, sizeof(l->value), "%s", value);
	l->take = take;
	pthread_create(&thread, NULL, act_later, l);
	pthread_detach(thread);
}

void interrupt_when(const char *path, const char *value)
{
	later(path, value, false);
}

void take_when(const char *path, const char *value)
{
	later(path, value, true);
}
