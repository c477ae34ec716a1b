/* SPDX-License-Identifier: MIT */
#include "claim.h"

/*
 * C57, XSA-100: every byte an operation fills in beyond its answer must be the guest's own or
 * zero.
 */
GUEST_TEST(no_leak, "the hypervisor's answers carry nothing but the answer", 0)
{
	static u8 text[1024];
	size_t end;

	memset(text, 0xa5, sizeof(text));
	check_is(hc_version(XENVER_commandline, text), 0);
	for (end = 0; end < sizeof(text) && text[end] && text[end] != 0xa5; end++)
		;
	check_is(memcmp(text, "<denied>", 8), 0);
	check_is(end, 8);
	for (; end < sizeof(text); end++)
		check(text[end] == 0 || text[end] == 0xa5);
}
