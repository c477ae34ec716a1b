/* SPDX-License-Identifier: MIT */
/* test_cpio.c - a file is found in any archive of a row, and nothing behind the bytes is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cpio.h"

#define NAME "kernel/x86/microcode/GenuineIntel.bin"

static char archive[4096];
static size_t len;

static void pad(void)
{
	while (len % 4)
		archive[len++] = '\0';
}

static void add(const char *magic, const char *name, const char *text)
{
	len += (size_t)sprintf(archive + len,
			       "%s%08X%08X%08X%08X%08X%08X%08x%08X%08X%08X%08X%08X%08X", magic, 1,
			       0x81a4, 0, 0, 1, 0, (unsigned int)strlen(text), 0, 0, 0, 0,
			       (unsigned int)strlen(name) + 1, 0);
	len += (size_t)sprintf(archive + len, "%s", name) + 1;
	pad();
	len += (size_t)sprintf(archive + len, "%s", text);
	pad();
}

static void begin(void)
{
	memset(archive, 0, sizeof(archive));
	len = 0;
}

/* Of the first @n bytes, which lie at the end of their memory. */
static const char *find_in(size_t n, char found[64])
{
	char *copy = malloc(n ? n : 1);
	const char *at;
	u64 size = 0;

	memcpy(copy, archive, n);
	at = cpio_find(copy, n, NAME, &size);
	if (at) {
		assert_true(at >= copy && at + size <= copy + n);
		snprintf(found, 64, "%.*s", (int)size, at);
	}
	free(copy);
	return at ? found : NULL;
}

static void test_a_file_is_found_behind_others_and_in_a_later_archive(void **state)
{
	char found[64];

	begin();
	add("070701", "kernel", "");
	add("070701", "kernel/x86/microcode/AuthenticAMD.bin", "amd");
	add("070701", NAME, "intel's words");
	add("070701", "TRAILER!!!", "");
	assert_string_equal(find_in(len, found), "intel's words");
	begin();
	add("070701", "kernel/x86/microcode/AuthenticAMD.bin", "amd");
	add("070701", "TRAILER!!!", "");
	len += 512;
	add("070702", NAME, "in the second");
	assert_string_equal(find_in(len, found), "in the second");
}

static void test_what_is_no_archive_ends_the_search(void **state)
{
	char found[64];

	begin();
	add("070701", "kernel", "");
	strcpy(archive + len, "\x1f\x8b compressed");
	len += 16;
	add("070701", NAME, "not seen");
	assert_null(find_in(len, found));
	begin();
	add("070701", NAME "2", "another name");
	add("070701", "TRAILER!!!", "");
	assert_null(find_in(len, found));
	begin();
	add("070707", NAME, "another kind");
	assert_null(find_in(len, found));
	begin();
	assert_null(find_in(1024, found));
}

static void test_nothing_behind_the_bytes_is_read_wherever_they_end(void **state)
{
	size_t whole;
	char found[64];

	begin();
	add("070701", "kernel", "x");
	add("070701", NAME, "words");
	whole = len;
	for (size_t n = 0; n < whole; n++) /* its last bytes are what fills the last word */
		assert_true(!find_in(n, found) == (n < whole - 3));
	for (size_t i = 0; i < whole; i++) {
		char was = archive[i];

		for (unsigned int c = 0; c < 256; c += 5) {
			archive[i] = (char)c;
			find_in(whole, found);
		}
		archive[i] = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_found_behind_others_and_in_a_later_archive),
		cmocka_unit_test(test_what_is_no_archive_ends_the_search),
		cmocka_unit_test(test_nothing_behind_the_bytes_is_read_wherever_they_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
