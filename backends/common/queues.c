/* SPDX-License-Identifier: MIT */
/* queues.c - see queues.h. */
#include "queues.h"

#include <errno.h>
#include <stdio.h>

#define MAX_KEY "multi-queue-max-queues"
#define NUM_KEY "multi-queue-num-queues"
#define VCPUS_MAX 4096 /* more than a domain can have */

unsigned int queues_to_offer(struct backend *be)
{
	const struct journal_page *page = be->journal.page;
	uint64_t vcpus;
	unsigned int nr;

	if (store_read_num(be->xs, be->path, "vcpus", VCPUS_MAX, &vcpus) < 0 || vcpus == 0)
		vcpus = 1;
	nr = vcpus < JOURNAL_QUEUES ? (unsigned int)vcpus : JOURNAL_QUEUES;
	if (page->open && page->nr_queues > nr && page->nr_queues <= JOURNAL_QUEUES)
		nr = page->nr_queues;
	return nr;
}

int queues_offer(struct backend *be, xs_transaction_t t, unsigned int max)
{
	return store_write(be->xs, t, be->path, MAX_KEY, "%u", max);
}

static int read_queue(struct backend *be, const char *dir, const char *const *keys,
		      unsigned int nr_rings, struct backend_queue *out)
{
	uint64_t value;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < nr_rings; i++) {
		rc = store_read_num(be->xs, dir, keys[i], UINT32_MAX, &value);
		out->ref[i] = rc ? 0 : (uint32_t)value;
	}
	if (rc == 0)
		rc = store_read_num(be->xs, dir, "event-channel", UINT32_MAX, &value);
	out->port = rc ? 0 : (uint32_t)value;
	return rc;
}

int queues_read(struct backend *be, const char *const *keys, unsigned int nr_rings, unsigned int max,
		struct backend_queue *out)
{
	char dir[sizeof(be->frontend) + 16];
	uint64_t nr = 1;
	int rc = store_read_num(be->xs, be->frontend, NUM_KEY, UINT32_MAX, &nr);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (nr == 0 || nr > max)
		return -ERANGE;
	if (nr == 1) {
		rc = read_queue(be, be->frontend, keys, nr_rings, out);
		return rc ? rc : 1;
	}
	for (unsigned int q = 0; q < nr; q++) {
		snprintf(dir, sizeof(dir), "%s/queue-%u", be->frontend, q);
		rc = read_queue(be, dir, keys, nr_rings, &out[q]);
		if (rc < 0)
			return rc;
	}
	return (int)nr;
}
