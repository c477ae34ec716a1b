/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cfg.c - any bytes as a configuration file: either errors that name their places, or a record
 * that, written as a file again, is read as the same record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_keys.h"
#include "fuzz.h"
#include "host_cfg.h"
#include "record_out.h"

static void count(void *data, bool wrong, const char *text)
{
	unsigned int *nr = data;

	FUZZ_CHECK(text[0]);
	*nr += wrong;
}

/* 0 and the record, or something wrong was told: never both. */
static int read_record(const char *text, size_t len, struct record *rec)
{
	unsigned int told = 0;
	struct cfg_report rep = { .say = count, .data = &told };
	struct cfg cfg = { 0 };
	int rc;

	cfg_parse(&cfg, "fuzz", text, len, &rep);
	rc = cfg_to_record(&cfg, "/", rec, &rep);
	FUZZ_CHECK((rc == 0) == (told == 0));
	FUZZ_CHECK(told <= CFG_WRONG_MAX);
	cfg_fini(&cfg);
	return rc;
}

static void check_round(const struct record *rec)
{
	struct record_keys keys = { 0 }, back = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct record again;

	FUZZ_CHECK(record_format(rec, &keys) == 0);
	FUZZ_CHECK(record_parse(&again, rec->name, &keys, NULL, NULL) == 0);
	record_print_cfg(rec->name, &keys, f);
	fclose(f);
	FUZZ_CHECK(read_record(text, len, &again) == 0);
	again.persistent = rec->persistent;
	FUZZ_CHECK(record_format(&again, &back) == 0);
	FUZZ_CHECK(record_keys_equal(&keys, &back));
	record_keys_free(&keys);
	record_keys_free(&back);
	free(text);
}

/* One disk, one card, one word of the command line. */
static void check_words(const char *text)
{
	unsigned int told = 0;
	struct cfg_report rep = { .say = count, .data = &told };
	char why[SPEC_ERROR_LEN];
	struct disk_spec disk;
	struct vif_spec vif;
	struct cfg cfg = { 0 };

	disk_spec_parse(text, "/", &disk, why);
	vif_spec_parse(text, &vif, why);
	cfg_override(&cfg, text, &rep);
	cfg_fini(&cfg);
}

/* Each setting has its fate, or something wrong was told. */
static void check_host(const char *text, size_t len)
{
	unsigned int told = 0;
	struct cfg_report rep = { .say = count, .data = &told };
	struct host_cfg host = { 0 };

	host_cfg_read(&host, "fuzz", text, len, &rep);
	host_cfg_judge(&host, &rep);
	FUZZ_CHECK(told || host.nr == host.cfg.nr_settings);
	for (size_t i = 0; i < host.nr; i++)
		FUZZ_CHECK(host.settings[i].says[0]);
	host_cfg_fini(&host);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct record rec;

	if (read_record((const char *)data, size, &rec) == 0)
		check_round(&rec);
	check_words(text);
	check_host((const char *)data, size);
	free(text);
	return 0;
}
