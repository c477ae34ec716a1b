/* SPDX-License-Identifier: MIT */
/*
 * xs_wire.h - the bytes of a xenstore message: header, strings, error names.
 *
 * Pure functions on caller's memory, for the store daemon, the client library and freestanding
 * guests alike: no allocation, no input or output, no state. What the strings mean is not known
 * here. Constants and the header structure are those of <xen/io/xs_wire.h>.
 */
#ifndef XS_WIRE_CODEC_H
#define XS_WIRE_CODEC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

#define XS_WIRE_HDR_LEN		sizeof(struct xsd_sockmsg)
#define XS_WIRE_MSG_MAX		(XS_WIRE_HDR_LEN + XENSTORE_PAYLOAD_MAX)

/*
 * Operations that later Xen releases added after the ones of <xen/io/xs_wire.h> (Xen 4.17);
 * docs/misc/xenstore.txt of Xen: GET_FEATURE, SET_FEATURE, GET_QUOTA, SET_QUOTA.
 */
enum xs_wire_late_op {
	XS_WIRE_GET_FEATURE = XS_DIRECTORY_PART + 1,
	XS_WIRE_SET_FEATURE,
	XS_WIRE_GET_QUOTA,
	XS_WIRE_SET_QUOTA,
	XS_WIRE_OP_NR,
};

/* Writes a message header to @buf (at least XS_WIRE_HDR_LEN bytes, any alignment). */
void xs_wire_put_hdr(void *buf, uint32_t type, uint32_t req_id, uint32_t tx_id, uint32_t len);

/*
 * Reads the header of the message that starts at @buf, of which @have bytes are there.
 * Returns the length of the whole message, header included, when the header is complete (the
 * payload may not be); 0 when more bytes are needed; -E2BIG when the length field is above
 * XENSTORE_PAYLOAD_MAX, after which the stream cannot be followed any more. @buf is untrusted.
 */
int xs_wire_get_hdr(const void *buf, size_t have, struct xsd_sockmsg *out);

/* Name of operation @type as the protocol text spells it ("DIRECTORY_PART"), or "UNKNOWN". */
const char *xs_wire_op_name(uint32_t type);

/*
 * The error string that goes into an XS_ERROR message for errno value @err (positive). Values the
 * protocol cannot express become "EIO".
 */
const char *xs_wire_error_name(int err);

/*
 * The errno value of an XS_ERROR payload of @len bytes, NUL-terminated or not. Unknown names and
 * empty payloads are EIO. @payload is untrusted.
 */
int xs_wire_error_code(const char *payload, size_t len);

/* Number of NUL-terminated strings in the payload; bytes after the last NUL do not count. */
unsigned int xs_wire_count_strings(const char *payload, size_t len);

/*
 * Splits the payload into its first @max NUL-terminated strings, storing the start of each in
 * @strings. Returns how many there were (at most @max); *@rest (if not NULL) is the offset of the
 * first byte after the last string taken, so that binary data behind the strings can be found.
 */
unsigned int xs_wire_get_strings(const char *payload, size_t len, const char **strings,
				 unsigned int max, size_t *rest);

/*
 * Parses a decimal number that fills the string @s exactly: no sign, no blanks, no more than
 * @max. Returns 0, or -EINVAL.
 */
int xs_wire_get_number(const char *s, uint64_t max, uint64_t *out);

#endif
