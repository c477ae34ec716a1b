/* SPDX-License-Identifier: MIT */
/*
 * fuzz_args.c - any bytes, cut at newlines, as a command line, and as values on their way to a
 * terminal and through JSON: an answer or an exit status with a meaning, never a crash, never a
 * control byte for the terminal.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd.h"
#include "die.h"
#include "fuzz.h"
#include "glob.h"
#include "json_out.h"
#include "schema.h"
#include "text.h"

#define WORDS_MAX 40

static jmp_buf out;
static int status;
static bool trying;

/* cli_die() ends a program; here it ends one input (linked with --wrap=exit). */
_Noreturn void __wrap_exit(int code);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code)
{
	if (!trying) /* the fuzzer's own end */
		__real_exit(code);
	status = code;
	longjmp(out, 1);
}

/* What a message told of is lost with it, as at the end of a program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static int run_any(struct cli_args *a)
{
	cli_num(a, "number", -5, 1000, 7);
	cli_ms(a, "time", 5);
	cli_str(a, "text", "");
	for (int i = 0; i < a->argc; i++)
		glob_match(a->argv[i], i ? a->argv[i - 1] : "/a/b/c");
	return a->argc > 60 ? CLI_FAIL : CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'n', "number", "N", "" }, { 't', "time", "TIME", "" }, { 0, "text", "TEXT", "" },
	{ 'f', NULL, NULL, "" },    { 0 },
};

static const struct cli_cmd plain = {
	.name = "plain", .args = "WORD...", .help = "h", .opts = opts, .min_args = 1,
	.max_args = 30, .run = run_any,
};
static const struct cli_cmd runs = {
	.name = "runs", .alias = "alias", .args = "WORD...", .help = "h", .opts = opts,
	.max_args = -1, .stop_at_exec = true, .run = run_any,
};
static const struct cli_cmd first = {
	.name = "first", .args = "WORD...", .help = "h", .max_args = -1, .stop_at_first = true,
	.run = run_any,
};
static const struct cli_cmd *const cmds[] = { &plain, &runs, &first, NULL };
static const struct cli_tool tool = { .name = "fuzz", .summary = "", .cmds = cmds };

static void try_line(char *text)
{
	static const int known[] = { CLI_OK, CLI_FAIL, CLI_USAGE };
	char *argv[WORDS_MAX + 2] = { (char *)"fuzz" }, *save = NULL;
	int argc = 1;
	bool ok = false;

	for (char *w = strtok_r(text, "\n", &save); w && argc < WORDS_MAX;
	     w = strtok_r(NULL, "\n", &save))
		argv[argc++] = w;
	trying = true;
	if (setjmp(out) == 0)
		status = cli_run(&tool, argc, argv);
	trying = false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ok = ok || status == known[i];
	FUZZ_CHECK(ok);
}

static void try_value(const uint8_t *data, size_t size)
{
	char *shown = text_escape(data, size), *bytes, why[SCHEMA_WHY_LEN];
	json_t *v = json_value(data, size);
	size_t len = 0;

	for (const unsigned char *s = (unsigned char *)shown; *s; s++)
		FUZZ_CHECK(*s >= 0x20 && *s != 0x7f);
	FUZZ_CHECK(text_is_text(shown, strlen(shown)));
	free(shown);
	bytes = json_bytes(v, &len);
	FUZZ_CHECK(bytes && len == size && memcmp(bytes, data, size) == 0);
	json_decref(v);
	for (size_t i = 0; schema_at(i); i++)
		if (!schema_check(schema_at(i), bytes, size, why))
			FUZZ_CHECK(why[0] && memchr(why, '\0', sizeof(why)));
	schema_find(bytes);
	free(bytes);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static bool quiet;
	char *text = malloc(size + 1);

	/* what commands say; libFuzzer speaks through descriptors of its own */
	if (!quiet)
		quiet = freopen("/dev/null", "w", stdout) && (stderr = fopen("/dev/null", "w"));
	memcpy(text, data, size);
	text[size] = '\0';
	try_value(data, size);
	text_unescape_xenstore(text);
	memcpy(text, data, size);
	try_line(text);
	free(text);
	return 0;
}
