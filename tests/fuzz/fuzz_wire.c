/* SPDX-License-Identifier: MIT */
/* fuzz_wire.c - any bytes as a stream of messages, as error texts and as numbers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xs_wire.h"

static void as_stream(const char *data, size_t size)
{
	size_t at = 0;

	while (at < size) {
		struct xsd_sockmsg hdr, again;
		char bytes[XS_WIRE_HDR_LEN];
		int total = xs_wire_get_hdr(data + at, size - at, &hdr);

		if (total <= 0)
			break;
		FUZZ_CHECK(hdr.len <= XENSTORE_PAYLOAD_MAX);
		xs_wire_put_hdr(bytes, hdr.type, hdr.req_id, hdr.tx_id, hdr.len);
		FUZZ_CHECK(xs_wire_get_hdr(bytes, sizeof(bytes), &again) == total);
		FUZZ_CHECK(memcmp(&hdr, &again, sizeof(hdr)) == 0);
		FUZZ_CHECK(xs_wire_op_name(hdr.type) != NULL);
		at += (size_t)total;
	}
}

int fuzz_one(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes, *strings[8];
	unsigned int nr, all;
	uint64_t number;
	size_t rest;

	as_stream(data, size);
	all = xs_wire_count_strings(data, size);
	nr = xs_wire_get_strings(data, size, strings, 8, &rest);
	FUZZ_CHECK(nr == (all < 8 ? all : 8) && rest <= size);
	for (unsigned int i = 0; i < nr; i++) {
		FUZZ_CHECK(strings[i] + strlen(strings[i]) < data + size);
		if (xs_wire_get_number(strings[i], 1000, &number) == 0)
			FUZZ_CHECK(number <= 1000);
	}
	FUZZ_CHECK(xs_wire_error_code(data, size) > 0);
	return 0;
}
