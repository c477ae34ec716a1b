/* SPDX-License-Identifier: MIT */
/*
 * vdev.c - disk numbers, disk targets, network addresses, UUIDs as text.
 */
#include "vdev.h"
#include "remote_name.h"
#include "script_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XVD_MAJOR 202u
#define SD_MAJOR 8u
#define EXTENDED (1u << 28)

/* Letters to a disk index: a=0, z=25, aa=26. Moves *s past them. */
static int letters(const char **s, uint32_t *disk)
{
	uint32_t n = 0;
	const char *p = *s;

	for (; *p >= 'a' && *p <= 'z'; p++) {
		n = n * 26 + (uint32_t)(*p - 'a') + 1;
		if (n > 1u << 20)
			return -EINVAL;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	*disk = n - 1;
	return 0;
}

/* An optional decimal number that must end the text. */
static int tail_number(const char *s, uint32_t *n)
{
	char *end;
	unsigned long v;

	*n = 0;
	if (!*s)
		return 0;
	if (!isdigit((unsigned char)*s) || *s == '0')
		return -EINVAL;
	v = strtoul(s, &end, 10);
	if (*end || v > 255)
		return -EINVAL;
	*n = (uint32_t)v;
	return 0;
}

static int xvd_number(uint32_t disk, uint32_t part, uint32_t *number)
{
	if (disk < 16 && part < 16)
		*number = XVD_MAJOR << 8 | disk << 4 | part;
	else if (disk < 1u << 20 && part < 256)
		*number = EXTENDED | disk << 8 | part;
	else
		return -EINVAL;
	return 0;
}

static int sd_number(uint32_t disk, uint32_t part, uint32_t *number)
{
	if (disk >= 16 || part >= 16)
		return -EINVAL;
	*number = SD_MAJOR << 8 | disk << 4 | part;
	return 0;
}

static int hd_number(uint32_t disk, uint32_t part, uint32_t *number)
{
	if (disk >= 4 || part >= 64)
		return -EINVAL;
	*number = (disk < 2 ? 3u : 22u) << 8 | (disk & 1) << 6 | part;
	return 0;
}

static const struct {
	const char *prefix;
	int (*number)(uint32_t disk, uint32_t part, uint32_t *number);
} schemes[] = {
	{ "xvd", xvd_number },
	{ "sd", sd_number },
	{ "hd", hd_number },
};

int vdev_disk_number(const char *name, uint32_t *number)
{
	uint32_t disk, part;
	char *end;

	if (!strncmp(name, "/dev/", 5))
		name += 5;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].prefix);
		const char *s = name + n;

		if (strncmp(name, schemes[i].prefix, n))
			continue;
		if (letters(&s, &disk) || tail_number(s, &part))
			return -EINVAL;
		return schemes[i].number(disk, part, number);
	}
	if (name[0] == 'd' && isdigit((unsigned char)name[1])) {
		unsigned long d = strtoul(name + 1, &end, 10);

		part = 0;
		if (*end == 'p' ? tail_number(end + 1, &part) || !part : *end != '\0')
			return -EINVAL;
		return d < 1u << 20 ? xvd_number((uint32_t)d, part, number) : -EINVAL;
	}
	if (isdigit((unsigned char)name[0])) {
		unsigned long v = strtoul(name, &end, 0);

		if (*end || v >= 1ul << 29)
			return -EINVAL;
		*number = (uint32_t)v;
		return 0;
	}
	return -EINVAL;
}

bool vdev_mac_ok(const char *mac)
{
	bool any = false;

	if (strlen(mac) != 17)
		return false;
	for (unsigned int i = 0; i < 17; i++) {
		if (i % 3 == 2 ? mac[i] != ':' : !isxdigit((unsigned char)mac[i]))
			return false;
		any = any || (i % 3 != 2 && mac[i] != '0');
	}
	/* A group address belongs to no card; the last bit of the first byte says so. */
	return any && strchr("02468aceACE", mac[1]);
}

void vdev_mac_default(const uint8_t uuid[16], unsigned int index, char out[18])
{
	uint32_t h = 2166136261u;	/* FNV-1a: spreads, needs no secrecy */

	for (unsigned int i = 0; i < 16; i++)
		h = (h ^ uuid[i]) * 16777619u;
	h = (h ^ index) * 16777619u;
	snprintf(out, 18, "00:16:3e:%02x:%02x:%02x", h >> 16 & 0x7f, h >> 8 & 0xff, h & 0xff);
}

static int script_target(const char *text, enum vdev_backend *backend, char path[VDEV_PATH_MAX + 1])
{
	struct script_name name;

	if (script_name_parse(text, &name) || strlen(text) > VDEV_PATH_MAX)
		return -EINVAL;
	*backend = VDEV_SCRIPT;
	strcpy(path, text);
	return 0;
}

int vdev_target(const char *text, enum vdev_backend *backend, char path[VDEV_PATH_MAX + 1])
{
	const char *rest = text;
	int n;

	if (remote_name_is(text))
		return remote_name_settle(text, backend, path, VDEV_PATH_MAX + 1) ? -EINVAL : 0;
	if (script_name_is(text))
		return script_target(text, backend, path);
	*backend = strncmp(text, "phy:", 4) ? VDEV_FILE : VDEV_PHY;
	if (!strncmp(text, "file:", 5))
		rest = text + 5;
	else if (*backend == VDEV_PHY)
		rest = text + 4;
	if (!*rest || (*rest != '/' && *backend != VDEV_PHY))
		return -EINVAL;
	/* A disk line of a file cannot say a blank at its end: edited, it would be another path. */
	if (isspace((unsigned char)rest[strlen(rest) - 1]))
		return -EINVAL;
	n = snprintf(path, VDEV_PATH_MAX + 1, "%s%s", *rest == '/' ? "" : "/dev/", rest);
	return n > VDEV_PATH_MAX ? -EINVAL : 0;
}

int vdev_uuid_parse(const char *text, uint8_t uuid[16])
{
	unsigned int n = 0;

	if (strlen(text) != 36)
		return -EINVAL;
	for (unsigned int i = 0; i < 36;) {
		unsigned int byte;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return -EINVAL;
			continue;
		}
		if (!isxdigit((unsigned char)text[i]) || !isxdigit((unsigned char)text[i + 1]))
			return -EINVAL;
		sscanf(text + i, "%2x", &byte);
		uuid[n++] = (uint8_t)byte;
		i += 2;
	}
	return 0;
}

void vdev_uuid_format(const uint8_t u[16], char out[37])
{
	snprintf(out, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
}
