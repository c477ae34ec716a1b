/* SPDX-License-Identifier: MIT */
/* saved_head.c - see saved_head.h. The file is not trusted: every length is checked. No lock. */
#include "saved_head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "read_whole.h"
#include "saved_xl.h"
#include "write_whole.h"

/* As it stands in the file, little-endian; the record follows, padded to 8 bytes. */
struct on_disk {
	char magic[16];
	uint32_t version, record_len;
	char name[72];
	char uuid[40];
	uint64_t nr_pages;
	uint32_t nr_vcpus;
	uint32_t crc;			/* of all, itself as 0; 0 before version 2 */
};

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* The padding is looked at when it is read. */
static uint32_t crc_of(const struct on_disk *d, const char *record, size_t len)
{
	struct on_disk without = *d;

	without.crc = 0;
	return crc32c(crc32c(0, &without, sizeof(without)), record, len);
}

int saved_head_write(int fd, const struct saved_head *h)
{
	static const char zeros[8];
	struct on_disk d = { .version = h->version, .record_len = (uint32_t)h->record_len,
			     .nr_pages = h->nr_pages, .nr_vcpus = h->nr_vcpus };
	int err;

	if (h->record_len > SAVED_RECORD_MAX)
		return -E2BIG;
	memcpy(d.magic, SAVED_MAGIC, sizeof(d.magic));
	strncpy(d.name, h->name, sizeof(d.name) - 1);
	strncpy(d.uuid, h->uuid, sizeof(d.uuid) - 1);
	if (h->version != SAVED_UNCHECKED)
		d.crc = crc_of(&d, h->record, h->record_len);
	err = write_whole(fd, &d, sizeof(d));
	if (!err)
		err = write_whole(fd, h->record, h->record_len);
	if (!err)
		err = write_whole(fd, zeros, padded(h->record_len) - h->record_len);
	return err;
}

/* An even number of strings, the last one ended. */
static int check_pairs(const struct saved_head *h)
{
	size_t strings = 0;

	for (size_t i = 0; i < h->record_len; i++)
		strings += h->record[i] == '\0';
	if (strings % 2 || (h->record_len && h->record[h->record_len - 1]))
		return -EINVAL;
	return 0;
}

static int check_sum(const struct on_disk *d, const struct saved_head *h)
{
	if (h->version == SAVED_UNCHECKED)
		return d->crc ? -EINVAL : 0;
	for (size_t i = h->record_len; i < padded(h->record_len); i++) {
		if (h->record[i])
			return -EINVAL;
	}
	return d->crc == crc_of(d, h->record, h->record_len) ? 0 : -EINVAL;
}

/* What is said of it goes to a terminal, too. */
static bool is_word(const char *s)
{
	while (*s > ' ' && *s <= '~')
		s++;
	return !*s;
}

/* Behind the magic. */
static int read_head(int fd, struct on_disk d, struct saved_head *h)
{
	int err = read_whole(fd, (char *)&d + sizeof(d.magic), sizeof(d) - sizeof(d.magic));

	if (err)
		return err;
	if (memcmp(d.magic, SAVED_MAGIC, sizeof(d.magic)) ||
	    (d.version != SAVED_VERSION && d.version != SAVED_UNCHECKED) ||
	    d.record_len > SAVED_RECORD_MAX || d.name[SAVED_NAME_MAX] || d.uuid[36] ||
	    !is_word(d.name) || !is_word(d.uuid))
		return -EINVAL;
	h->version = d.version;
	memcpy(h->name, d.name, sizeof(h->name));
	memcpy(h->uuid, d.uuid, sizeof(h->uuid));
	h->nr_pages = d.nr_pages;
	h->nr_vcpus = d.nr_vcpus;
	h->record_len = d.record_len;
	h->record = malloc(padded(h->record_len) + 1);
	if (!h->record)
		return -ENOMEM;
	err = read_whole(fd, h->record, padded(h->record_len));
	if (!err)
		err = check_sum(&d, h);
	return err ? err : check_pairs(h);
}

static int take(int fd, struct saved_head *h, bool may_be_xl)
{
	struct on_disk d;
	int err = read_whole(fd, d.magic, sizeof(d.magic));

	*h = (struct saved_head){ .record = NULL };
	if (!err && may_be_xl && !memcmp(d.magic, SAVED_XL_MAGIC, sizeof(d.magic)))
		err = saved_xl_take(fd, h);
	else if (!err)
		err = read_head(fd, d, h);
	if (err)
		saved_head_free(h);
	return err;
}

int saved_head_take(int fd, struct saved_head *h)
{
	return take(fd, h, false);
}

int saved_head_read(const char *path, struct saved_head *h, int *fd)
{
	int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	*h = (struct saved_head){ .record = NULL };
	if (in < 0)
		return -errno;
	err = take(in, h, true);
	if (err || !fd)
		close(in);
	else
		*fd = in;
	return err == -EISDIR ? -EINVAL : err;
}

void saved_head_free(struct saved_head *h)
{
	free(h->record);
	free(h->config);
	h->record = h->config = NULL;
	h->record_len = 0;
}

int saved_head_each(const struct saved_head *h,
		    int (*each)(void *arg, const char *key, const char *value), void *arg)
{
	const char *p = h->record, *end = h->record + h->record_len;

	while (p < end) {
		const char *value = p + strlen(p) + 1;
		int err = each(arg, p, value);

		if (err)
			return err;
		p = value + strlen(value) + 1;
	}
	return 0;
}
