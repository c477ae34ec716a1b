/* SPDX-License-Identifier: MIT */
/* record.c - encodes and decodes what the store keeps. Layouts: docs/store-format.md. */
#include "record.h"

#include <errno.h>
#include <string.h>

#include "tree.h"

/* Fixed part of a node's value; then 3 bytes a permission entry, the name, the value. */
struct node_hdr {
	uint64_t parent;
	uint16_t name_len;
	uint16_t value_len;
	uint16_t nr_perms;
	uint16_t zero;
};

_Static_assert(sizeof(struct node_hdr) == 16, "docs/store-format.md: node record");

#define PERM_LEN 3

static size_t put_be64(char *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (char)(v >> (56 - 8 * i));
	return 8;
}

static uint64_t get_be64(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static size_t put_be32(char *out, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (char)(v >> (24 - 8 * i));
	return 4;
}

static uint32_t get_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t record_key(char *out, enum record_kind kind, uint64_t a, uint64_t b)
{
	size_t len = 1;

	out[0] = (char)kind;
	switch (kind) {
	case RECORD_META:
		out[len++] = (char)a;
		break;
	case RECORD_NODE:
	case RECORD_SESSION:
		len += put_be64(out + len, a);
		break;
	case RECORD_DOMAIN:
	case RECORD_REPLY:
		len += put_be32(out + len, a);
		break;
	case RECORD_WATCH:
	case RECORD_TXN:
		len += put_be32(out + len, a);
		len += put_be64(out + len, b);
		break;
	}
	return len;
}

int record_key_parse(const void *key, size_t len, enum record_kind *kind, uint64_t *a,
		     uint64_t *b)
{
	const unsigned char *p = key;

	*a = 0;
	*b = 0;
	if (len == 0)
		return -EBADMSG;
	*kind = p[0];
	switch (p[0]) {
	case RECORD_META:
		if (len != 2)
			return -EBADMSG;
		*a = p[1];
		return 0;
	case RECORD_NODE:
	case RECORD_SESSION:
		if (len != 9)
			return -EBADMSG;
		*a = get_be64(p + 1);
		return 0;
	case RECORD_DOMAIN:
	case RECORD_REPLY:
		if (len != 5)
			return -EBADMSG;
		*a = get_be32(p + 1);
		return 0;
	case RECORD_WATCH:
	case RECORD_TXN:
		if (len != 13)
			return -EBADMSG;
		*a = get_be32(p + 1);
		*b = get_be64(p + 5);
		return 0;
	default:
		return -EBADMSG;
	}
}

size_t record_node_len(size_t name_len, size_t value_len, unsigned int nr_perms)
{
	return sizeof(struct node_hdr) + nr_perms * PERM_LEN + name_len + value_len;
}

void record_node_write(const struct node *n, void *out)
{
	struct node_hdr hdr = {
		.parent = n->parent ? node_parent(n)->id : 0,
		.name_len = n->name_len,
		.value_len = n->value_len,
		.nr_perms = (uint16_t)node_perms(n)->nr,
	};
	char *p = out;

	memcpy(p, &hdr, sizeof(hdr));
	p += sizeof(hdr);
	for (unsigned int i = 0; i < node_perms(n)->nr; i++, p += PERM_LEN) {
		memcpy(p, &node_perms(n)->e[i].domid, 2);
		p[2] = (char)node_perms(n)->e[i].access;
	}
	memcpy(p, n->name, n->name_len);
	memcpy(p + n->name_len, node_value(n), n->value_len);
}

int record_node_parse(const void *data, size_t len, struct node_record *out)
{
	const char *p = data;
	struct node_hdr hdr;

	if (len < sizeof(hdr))
		return -EBADMSG;
	memcpy(&hdr, p, sizeof(hdr));
	if (len != record_node_len(hdr.name_len, hdr.value_len, hdr.nr_perms))
		return -EBADMSG;
	if (hdr.nr_perms == 0 || hdr.name_len > XENSTORE_ABS_PATH_MAX ||
	    hdr.value_len > XENSTORE_PAYLOAD_MAX)
		return -EBADMSG;
	out->parent = hdr.parent;
	out->name_len = hdr.name_len;
	out->value_len = hdr.value_len;
	out->nr_perms = hdr.nr_perms;
	out->perms = (const unsigned char *)p + sizeof(hdr);
	out->name = p + sizeof(hdr) + hdr.nr_perms * PERM_LEN;
	out->value = out->name + hdr.name_len;
	return 0;
}

void record_node_perm(const struct node_record *r, unsigned int i, struct xs_perm *out)
{
	memcpy(&out->domid, r->perms + i * PERM_LEN, 2);
	out->access = r->perms[i * PERM_LEN + 2] & 3;
}
