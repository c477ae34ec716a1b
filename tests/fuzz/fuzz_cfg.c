/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cfg.c - any bytes as a configuration file: either one error that names its place, or a record
 * that, written as a file again, is read as the same record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cfg.h"
#include "fuzz.h"
#include "keys.h"
#include "record.h"
#include "record_out.h"

static void ignore(void *data, const char *text)
{
	(void)data;
	FUZZ_CHECK(text[0]);
}

/* 0 and the record, or the error: never both. */
static int read_record(const char *text, size_t len, struct record *rec)
{
	struct cfg cfg = { 0 };
	struct cfg_error err = { "" };
	int rc = cfg_parse(&cfg, "fuzz", text, len, &err);

	record_init(rec);
	if (!rc)
		rc = keys_to_record(&cfg, rec, ignore, NULL, &err);
	FUZZ_CHECK(rc != -22 /* EINVAL */ || err.text[0]);
	cfg_fini(&cfg);
	if (!rc)
		rc = record_complete(rec);
	return rc;
}

static void check_round(const struct record *rec)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct record again;
	json_t *a, *b;

	record_print_cfg(rec, f);
	fclose(f);
	FUZZ_CHECK(read_record(text, len, &again) == 0);
	a = record_json(rec);
	b = record_json(&again);
	FUZZ_CHECK(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	record_fini(&again);
	free(text);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct record rec;

	if (read_record((const char *)data, size, &rec) == 0)
		check_round(&rec);
	record_fini(&rec);
	return 0;
}
