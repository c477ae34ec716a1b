/* SPDX-License-Identifier: MIT */
/*
 * xs_wire.c - codec of xenstore messages. Owns nothing; every function is pure.
 * Source: <xen/io/xs_wire.h>, docs/misc/xenstore.txt of Xen.
 */
#include "xs_wire.h"

#include <string.h>

_Static_assert(sizeof(struct xsd_sockmsg) == 16, "xen/io/xs_wire.h: struct xsd_sockmsg");

static const char *const op_names[XS_WIRE_OP_NR] = {
	[XS_CONTROL] = "CONTROL",
	[XS_DIRECTORY] = "DIRECTORY",
	[XS_READ] = "READ",
	[XS_GET_PERMS] = "GET_PERMS",
	[XS_WATCH] = "WATCH",
	[XS_UNWATCH] = "UNWATCH",
	[XS_TRANSACTION_START] = "TRANSACTION_START",
	[XS_TRANSACTION_END] = "TRANSACTION_END",
	[XS_INTRODUCE] = "INTRODUCE",
	[XS_RELEASE] = "RELEASE",
	[XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
	[XS_WRITE] = "WRITE",
	[XS_MKDIR] = "MKDIR",
	[XS_RM] = "RM",
	[XS_SET_PERMS] = "SET_PERMS",
	[XS_WATCH_EVENT] = "WATCH_EVENT",
	[XS_ERROR] = "ERROR",
	[XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
	[XS_RESUME] = "RESUME",
	[XS_SET_TARGET] = "SET_TARGET",
	[XS_RESET_WATCHES] = "RESET_WATCHES",
	[XS_DIRECTORY_PART] = "DIRECTORY_PART",
	[XS_WIRE_GET_FEATURE] = "GET_FEATURE",
	[XS_WIRE_SET_FEATURE] = "SET_FEATURE",
	[XS_WIRE_GET_QUOTA] = "GET_QUOTA",
	[XS_WIRE_SET_QUOTA] = "SET_QUOTA",
};

void xs_wire_put_hdr(void *buf, uint32_t type, uint32_t req_id, uint32_t tx_id, uint32_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = req_id, .tx_id = tx_id, .len = len };

	memcpy(buf, &hdr, sizeof(hdr));
}

int xs_wire_get_hdr(const void *buf, size_t have, struct xsd_sockmsg *out)
{
	if (have < XS_WIRE_HDR_LEN)
		return 0;
	memcpy(out, buf, XS_WIRE_HDR_LEN);
	if (out->len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	return (int)(XS_WIRE_HDR_LEN + out->len);
}

const char *xs_wire_op_name(uint32_t type)
{
	if (type >= XS_WIRE_OP_NR || !op_names[type])
		return "UNKNOWN";
	return op_names[type];
}

#define NR_ERRORS (sizeof(xsd_errors) / sizeof(xsd_errors[0]))

const char *xs_wire_error_name(int err)
{
	for (size_t i = 0; i < NR_ERRORS; i++) {
		if (xsd_errors[i].errnum == err)
			return xsd_errors[i].errstring;
	}
	return "EIO";
}

int xs_wire_error_code(const char *payload, size_t len)
{
	while (len > 0 && payload[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < NR_ERRORS; i++) {
		const char *name = xsd_errors[i].errstring;

		if (strlen(name) == len && memcmp(name, payload, len) == 0)
			return xsd_errors[i].errnum;
	}
	return EIO;
}

unsigned int xs_wire_count_strings(const char *payload, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n += payload[i] == '\0';
	return n;
}

unsigned int xs_wire_get_strings(const char *payload, size_t len, const char **strings,
				 unsigned int max, size_t *rest)
{
	unsigned int n = 0;
	size_t pos = 0;

	while (n < max && pos < len) {
		const char *end = memchr(payload + pos, '\0', len - pos);

		if (!end)
			break;
		strings[n++] = payload + pos;
		pos = (size_t)(end - payload) + 1;
	}
	if (rest)
		*rest = pos;
	return n;
}

int xs_wire_get_number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (*s == '\0')
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -EINVAL;
	}
	if (value > max)
		return -EINVAL;
	*out = value;
	return 0;
}
