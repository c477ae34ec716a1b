/* SPDX-License-Identifier: MIT */
/* saved_xl.c - see saved_xl.h. The file is not trusted: every length is checked. No lock. */
#include "saved_xl.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read_whole.h"
#include "write_whole.h"

#define BYTE_ORDER_MARK 0x01020304u
#define LIBXL_IDENT 0x4c6962786c466d74u	/* "LibxlFmt" */
#define LIBXL_VERSION 2u
#define RECORD_LIBXC 1u

/* Flags that who does not know them may not pass by. */
#define FLAG_JSON 1u			/* what the domain was is JSON, not the text of a file */
#define FLAG_STREAM 2u			/* of release 4.6 and later */
/* One that xl passes by, and only xm sets: each record of the memory has a checksum. */
#define FLAG_CHECKED 0x53560000u

/* Little-endian, behind SAVED_XL_MAGIC. */
struct xl_head {
	char magic[16];
	uint32_t byte_order, mandatory, optional, config_len;
};

struct libxl_head {			/* big-endian */
	uint64_t ident;
	uint32_t version, options;
	uint32_t type, length;		/* the first record's: little-endian */
};

/* The magic's second half. */
static const char magic_end[16] = ", xl format\n \0 \r";

static int take_config(int fd, uint32_t len, struct saved_head *h)
{
	uint32_t text;
	int err;

	if (!len)
		return 0;
	if (len < sizeof(text) || len > SAVED_RECORD_MAX)
		return -EINVAL;
	err = read_whole(fd, &text, sizeof(text));
	len -= sizeof(text);
	if (err || text > len)
		return err ? err : -EINVAL;
	h->config = malloc(len + 1u);
	if (!h->config)
		return -ENOMEM;
	h->config[text] = '\0';
	err = read_whole(fd, h->config, len);
	h->config[text] = '\0';
	return err;
}

int saved_xl_take(int fd, struct saved_head *h)
{
	struct xl_head xl;
	struct libxl_head libxl;
	int err = read_whole(fd, &xl, sizeof(xl));

	if (err)
		return err;
	if (memcmp(xl.magic, magic_end, sizeof(magic_end)) || xl.byte_order != BYTE_ORDER_MARK ||
	    (xl.mandatory & ~FLAG_JSON) != FLAG_STREAM)
		return -EINVAL;
	h->is_xl = true;
	h->config_is_json = xl.mandatory & FLAG_JSON;
	h->version = xl.optional == FLAG_CHECKED ? SAVED_VERSION : SAVED_UNCHECKED;
	err = take_config(fd, xl.config_len, h);
	if (!err)
		err = read_whole(fd, &libxl, sizeof(libxl));
	if (err)
		return err;
	return be64toh(libxl.ident) != LIBXL_IDENT || be32toh(libxl.version) != LIBXL_VERSION ||
	       libxl.options || libxl.type != RECORD_LIBXC || libxl.length ? -EINVAL : 0;
}

int saved_xl_write(int fd)
{
	struct {
		char magic[16];
		struct xl_head xl;
		struct libxl_head libxl;
	} all = {
		.xl = { .byte_order = BYTE_ORDER_MARK, .mandatory = FLAG_STREAM,
			.optional = FLAG_CHECKED },
		.libxl = { .ident = htobe64(LIBXL_IDENT), .version = htobe32(LIBXL_VERSION),
			   .type = RECORD_LIBXC },
	};

	memcpy(all.magic, SAVED_XL_MAGIC, sizeof(all.magic));
	memcpy(all.xl.magic, magic_end, sizeof(magic_end));
	return write_whole(fd, &all, sizeof(all));
}

int saved_xl_write_end(int fd)
{
	static const uint32_t end[2];	/* type 0, of no length */

	return write_whole(fd, end, sizeof(end));
}
