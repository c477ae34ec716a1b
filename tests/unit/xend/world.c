/* SPDX-License-Identifier: MIT */
/*
 * world.c - a small host for xend's tests.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "make_elf.h"

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	fwrite(data, 1, len, f);
	fclose(f);
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);

	log_init("test", LOG_LVL_ERROR, 0);
	snprintf(w->dir, sizeof(w->dir), "/tmp/xend-test.XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	snprintf(w->kernel, sizeof(w->kernel), "%s/kernel", w->dir);
	snprintf(w->ramdisk, sizeof(w->ramdisk), "%s/ramdisk", w->dir);
	write_file(w->kernel, elf, len);
	write_file(w->ramdisk, "this is the initial ramdisk", 27);
	free(elf);
	w->xs = fake_store_new();
	w->hv = fake_hv_new(64);
	w->now = 1000 * NS_PER_S;
	world_start(w);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;

	if (w->running)
		world_kill(w);
	fake_hv_free();
	fake_store_free();
	unlink(w->kernel);
	unlink(w->ramdisk);
	rmdir(w->dir);
	free(w);
	return 0;
}

void world_start(struct world *w)
{
	if (xend_start(&w->x, w->xs, w->hv, -1, w->now))
		abort();
	w->running = true;
}

void world_kill(struct world *w)
{
	xend_stop(&w->x);
	fake_store_disconnect();
	w->running = false;
}

static void serve(struct world *w, const char *dir)
{
	char key[320], path[320];
	const char *state, *status;

	snprintf(key, sizeof(key), "%s/hotplug-status", dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	state = fake_get(path);
	status = fake_get(key);
	if (status && !strcmp(status, "error")) {
		return;	/* its process has ended: nobody is there to close it */
	} else if (state && !strcmp(state, "5") && w->backends != BACKENDS_NEVER_CLOSE) {
		fake_set(path, "6");
	} else if (!status && w->backends == BACKENDS_BROKEN && strstr(dir, "/vif/")) {
		fake_set(key, "error");
		snprintf(path, sizeof(path), "%s/hotplug-error", dir);
		fake_set(path, w->words ? w->words : "bridge nosuch does not exist");
	} else if (!status && w->backends != BACKENDS_SILENT) {
		fake_set(key, "connected");
	}
}

/* All that the guest wrote is on the disk. */
static void drain(const struct world *w, const char *dir)
{
	char key[320];
	const char *token, *done;

	snprintf(key, sizeof(key), "%s/drain", dir);
	token = fake_get(key);
	snprintf(key, sizeof(key), "%s/drained", dir);
	done = fake_get(key);
	if (token && !w->disks_hang && (!done || strcmp(done, token)))
		fake_set(key, token);
}

static void serve_all(struct world *w)
{
	static const char *const kinds[] = { "vbd", "vif", "vfb", "vkbd", "console" };
	char path[256];

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		unsigned int nr, nr_ids;
		char **ids, **list;

		snprintf(path, sizeof(path), "/local/domain/0/backend/%s", kinds[k]);
		list = xs_directory(w->xs, 0, path, &nr);
		for (unsigned int i = 0; i < nr; i++) {
			snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%s", kinds[k],
				 list[i]);
			ids = xs_directory(w->xs, 0, path, &nr_ids);
			for (unsigned int j = 0; j < nr_ids; j++) {
				snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%s/%s",
					 kinds[k], list[i], ids[j]);
				serve(w, path);
				drain(w, path);
			}
			free(ids);
		}
		free(list);
	}
}

static bool deliver(struct world *w)
{
	bool any = false;
	char **ev;

	while ((ev = xs_check_watch(w->xs))) {
		xend_event(&w->x, ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
		free(ev);
		any = true;
	}
	return any;
}

void world_run(struct world *w, unsigned int seconds)
{
	uint64_t end = w->now + seconds * NS_PER_S;

	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t again;

		serve_all(w);
		deliver(w);
		again = xend_run(&w->x, w->now);
		serve_all(w);
		if (again <= w->now || deliver(w))
			continue;
		if (again > end)
			break;
		w->now = again;
	}
	w->now = end;
}

void world_steps(struct world *w, unsigned int n)
{
	while (n--) {
		serve_all(w);
		deliver(w);
		xend_run(&w->x, w->now);
	}
}

void world_record(struct world *w, const char *name)
{
	const char *const keys[][2] = {
		{ "memory", "16" }, { "vcpus", "1" }, { "kernel", w->kernel },
		{ "ramdisk", w->ramdisk }, { "cmdline", "console=hvc0" },
		{ "disk/0/target", "file:/data/disk.img" }, { "disk/0/vdev", "xvda" },
		{ "disk/0/mode", "w" }, { "vif/0/bridge", "xenbr0" }, { "power", "on" },
	};
	char path[256];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "/config/domain/%s/%s", name, keys[i][0]);
		fake_set(path, keys[i][1]);
	}
}

const char *state_of(const char *name)
{
	char path[128];
	const char *s;

	snprintf(path, sizeof(path), "/status/domain/%s/state", name);
	s = fake_get(path);
	return s ? s : "none";
}

const char *error_of(const char *name)
{
	char path[128];
	const char *s;

	snprintf(path, sizeof(path), "/status/domain/%s/error", name);
	s = fake_get(path);
	return s ? s : "";
}

void request(struct world *w, const char *op, const char *domain)
{
	fake_set("/request/r1/domain", domain);
	fake_set("/request/r1/op", op);
	world_run(w, 1);
}

/* Nothing of any guest is left in machine or store. */
void assert_clean(uint64_t free_kib)
{
	assert_int_equal(fake_hv_domains(), 0);
	assert_true(fake_hv_free_kib() == free_kib);
	assert_int_equal(fake_hv_windows(), 0);
	assert_int_equal(fake_introduced(), 0);
	assert_int_equal(fake_count("/local/domain/0/backend"), 6);
	assert_int_equal(fake_count("/local/domain"), 1 + fake_count("/local/domain/0"));
	assert_int_equal(fake_count("/vm"), 4);		/* dom0's */
}
