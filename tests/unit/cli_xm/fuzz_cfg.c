/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cfg.c - libFuzzer target: any bytes as a configuration file, as one disk, one card, one word
 * of the command line. Claims: no crash, no leak; and what is taken can be printed and taken again.
 *
 * Built when the compiler is clang: CC=clang meson setup B -Db_lundef=false && B/.../fuzz_cfg
 * -dict=cfg.dict
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "record_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *data, const char *text)
{
	(void)data;
	(void)text;
}

static int take(const char *text, size_t len, struct record *rec)
{
	struct cfg cfg = {0};
	struct cfg_error err;
	int ret;

	record_init(rec);
	ret = cfg_parse(&cfg, "fuzz", text, len, &err);
	if (!ret)
		ret = keys_to_record(&cfg, rec, warn, NULL, &err);
	if (ret && !strlen(err.text))
		abort();
	cfg_fini(&cfg);
	return ret;
}

/* Printing and reading back is the identity on records. */
static void check_print(const struct record *rec)
{
	char *text = NULL, *again = NULL;
	size_t len = 0, again_len = 0;
	FILE *f = open_memstream(&text, &len);
	struct record second;

	record_print_cfg(rec, f);
	fclose(f);
	if (take(text, len, &second))
		abort();
	f = open_memstream(&again, &again_len);
	record_print_cfg(&second, f);
	fclose(f);
	if (len != again_len || memcmp(text, again, len) != 0)
		abort();
	record_fini(&second);
	free(text);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SPEC_ERROR_LEN], *text = malloc(size + 1);
	struct cfg_error err;
	struct disk_spec disk;
	struct vif_spec vif;
	struct cfg cfg = {0};
	struct record rec;

	memcpy(text, data, size);
	text[size] = '\0';
	if (take(text, size, &rec) == 0)
		check_print(&rec);
	record_fini(&rec);
	disk_spec_parse(text, &disk, why);
	vif_spec_parse(text, &vif, why);
	cfg_override(&cfg, text, &err);
	cfg_fini(&cfg);
	free(text);
	return 0;
}
