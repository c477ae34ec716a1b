/* SPDX-License-Identifier: MIT */
/* saved_head.c - see saved_head.h. The file is not trusted: every length is checked. No lock. */
#include "saved_head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As it stands in the file, little-endian; the record follows, padded to 8 bytes. */
struct on_disk {
	char magic[16];
	uint32_t version, record_len;
	char name[72];
	char uuid[40];
	uint64_t nr_pages;
	uint32_t nr_vcpus, reserved;
};

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EINVAL;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int saved_head_write(int fd, const struct saved_head *h)
{
	static const char zeros[8];
	struct on_disk d = { .version = SAVED_VERSION, .record_len = (uint32_t)h->record_len,
			     .nr_pages = h->nr_pages, .nr_vcpus = h->nr_vcpus };
	int err;

	if (h->record_len > SAVED_RECORD_MAX)
		return -E2BIG;
	memcpy(d.magic, SAVED_MAGIC, sizeof(d.magic));
	strncpy(d.name, h->name, sizeof(d.name) - 1);
	strncpy(d.uuid, h->uuid, sizeof(d.uuid) - 1);
	err = write_all(fd, &d, sizeof(d));
	if (!err)
		err = write_all(fd, h->record, h->record_len);
	if (!err)
		err = write_all(fd, zeros, padded(h->record_len) - h->record_len);
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

static int read_head(int fd, struct saved_head *h)
{
	struct on_disk d;
	int err = read_all(fd, &d, sizeof(d));

	if (err)
		return err;
	if (memcmp(d.magic, SAVED_MAGIC, sizeof(d.magic)) || d.version != SAVED_VERSION ||
	    d.record_len > SAVED_RECORD_MAX || d.name[SAVED_NAME_MAX] || d.uuid[36])
		return -EINVAL;
	memcpy(h->name, d.name, sizeof(h->name));
	memcpy(h->uuid, d.uuid, sizeof(h->uuid));
	h->nr_pages = d.nr_pages;
	h->nr_vcpus = d.nr_vcpus;
	h->record_len = d.record_len;
	h->record = malloc(padded(h->record_len) + 1);
	if (!h->record)
		return -ENOMEM;
	err = read_all(fd, h->record, padded(h->record_len));
	return err ? err : check_pairs(h);
}

int saved_head_read(const char *path, struct saved_head *h, int *fd)
{
	int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	*h = (struct saved_head){ .record = NULL };
	if (in < 0)
		return -errno;
	err = read_head(in, h);
	if (err || !fd)
		close(in);
	else
		*fd = in;
	if (err)
		saved_head_free(h);
	return err == -EISDIR ? -EINVAL : err;
}

void saved_head_free(struct saved_head *h)
{
	free(h->record);
	h->record = NULL;
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
