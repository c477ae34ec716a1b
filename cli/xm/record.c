/* SPDX-License-Identifier: MIT */
/*
 * record.c - defaults, names, identities of a record. See record.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "record.h"

void record_init(struct record *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->vcpus = 1;
	rec->on_poweroff = "destroy";
	rec->on_reboot = "restart";
	rec->on_crash = "destroy";
	rec->autostart = "0";
}

void record_fini(struct record *rec)
{
	free(rec->kernel);
	free(rec->ramdisk);
	free(rec->cmdline);
	rec->kernel = rec->ramdisk = rec->cmdline = NULL;
}

const char *record_name_problem(const char *name)
{
	bool only_digits = true;

	if (!*name)
		return "is empty";
	if (strlen(name) > RECORD_NAME_MAX)
		return "is longer than 64 characters";
	for (const char *s = name; *s; s++) {
		if (!isascii((unsigned char)*s) ||
		    (!isalnum((unsigned char)*s) && !strchr("-_", *s)))
			return "has a character the store does not allow in a path: "
			       "use letters, digits, '-' and '_'";
		only_digits = only_digits && isdigit((unsigned char)*s);
	}
	if (only_digits)
		return "is a number, which would be taken for a domain ID: add a letter";
	if (strcmp(name, "Domain-0") == 0)
		return "belongs to the host's own domain";
	return NULL;
}

const char *record_action(const char *word)
{
	static const char *const actions[] = {"destroy", "restart", "preserve"};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(word, actions[i]) == 0)
			return actions[i];
	return NULL;
}

const char *record_autostart(const char *word)
{
	static const struct {
		const char *word, *value;
	} words[] = {
		{"0", "0"},	 {"no", "0"},	 {"off", "0"},	   {"never", "0"},
		{"ignore", "0"}, {"1", "1"},	 {"yes", "1"},	   {"on", "1"},
		{"always", "1"}, {"start", "1"}, {"last", "last"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].value;
	return NULL;
}

bool record_uuid_parse(const char *text, char out[RECORD_UUID_LEN + 1])
{
	if (strlen(text) != RECORD_UUID_LEN)
		return false;
	for (int i = 0; i < RECORD_UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[RECORD_UUID_LEN] = '\0';
	return true;
}

static int random_bytes(unsigned char *buf, size_t len)
{
	return getrandom(buf, len, 0) == (ssize_t)len ? 0 : -EIO;
}

/* RFC 4122, version 4. */
static int uuid_make(char out[RECORD_UUID_LEN + 1])
{
	unsigned char b[16];

	if (random_bytes(b, sizeof(b)) < 0)
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(out, RECORD_UUID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	return 0;
}

/* Xen's own prefix; the upper half of the range is kept free, as Xen's tools always did. */
static int mac_make(char out[VIF_MAC_LEN + 1])
{
	unsigned char b[3];

	if (random_bytes(b, sizeof(b)) < 0)
		return -EIO;
	snprintf(out, VIF_MAC_LEN + 1, "00:16:3e:%02x:%02x:%02x", b[0] & 0x7f, b[1], b[2]);
	return 0;
}

int record_complete(struct record *rec)
{
	if (!rec->uuid[0]) {
		if (uuid_make(rec->uuid) < 0)
			return -EIO;
		rec->uuid_is_new = true;
	}
	for (size_t i = 0; i < rec->nr_vifs; i++)
		if (!rec->vifs[i].mac[0] && mac_make(rec->vifs[i].mac) < 0)
			return -EIO;
	if (!rec->maxmem)
		rec->maxmem = rec->memory;
	if (!rec->maxvcpus)
		rec->maxvcpus = rec->vcpus;
	if (!rec->cmdline)
		rec->cmdline = strdup("");
	return rec->cmdline ? 0 : -ENOMEM;
}
