/* SPDX-License-Identifier: MIT */
#include "claim.h"
#include "netfront.h"

#define FRAME 60
#define TRIES 20

/* Who has 10.0.0.1, asks 10.0.0.77: the bridge's own address in dom0. */
static void arp_request(u8 *f, const u8 *mac)
{
	static const u8 fixed[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	static const u8 ours[] = { 10, 0, 0, 77 }, theirs[] = { 10, 0, 0, 1 };

	memset(f, 0, FRAME);
	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	memcpy(f + 12, fixed, sizeof(fixed));
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, ours, 4);
	memcpy(f + 38, theirs, 4);
}

static bool is_answer(const u8 *f, int len, const u8 *mac)
{
	static const u8 theirs[] = { 10, 0, 0, 1 };

	return len >= 42 && !memcmp(f, mac, 6) && f[12] == 8 && f[13] == 6 && f[21] == 2 &&
	       !memcmp(f + 28, theirs, 4);
}

GUEST_TEST(network, "a frame reaches dom0 and the answer comes back", 0)
{
	static struct netfront card;
	static u8 request[NET_FRAME_MAX], frame[NET_FRAME_MAX];

	check_is(netfront_open(&card, 0), 0);
	arp_request(request, card.mac);
	for (unsigned int i = 0; i < TRIES; i++) {
		u64 deadline = clock_ns() + NS_PER_S;

		check_is(netfront_send(&card, request, FRAME), 0);
		while (clock_ns() < deadline) {
			int len = netfront_receive(&card, frame, deadline - clock_ns());

			if (len == -ETIMEDOUT)
				break;
			check(len > 0);
			if (is_answer(frame, len, card.mac))
				return;
		}
	}
	test_failure(__FILE__, __LINE__, "no answer to %d requests", TRIES);
}
