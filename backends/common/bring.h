/* SPDX-License-Identifier: MIT */
/*
 * bring.h - the backend's half of one shared request/response ring.
 *
 * Owns every access to the ring's shared memory: indices are read once and checked, requests are
 * copied before anybody looks at them, responses are published in request order. Knows nothing of
 * what a request means. ABI: xen/io/ring.h (the shared header is the same for every ring type).
 *
 * Why responses leave strictly in request order: then `rsp_prod` alone says which requests are
 * finished, and a process that takes over after a kill -9 knows where to resume. A response shares
 * its slot with the request it answers, so a kill between "slot written" and "rsp_prod moved"
 * would leave half an answer where the successor expects a request; the response is therefore
 * noted first in a struct rsp_record, which lives in a file that survives the process.
 */
#ifndef BACKENDS_BRING_H
#define BACKENDS_BRING_H

#include <stdbool.h>
#include <stdint.h>

/* The most responses published together: a network packet of 64 KiB and its extra slots. */
#define BRING_MAX_GROUP 32
#define BRING_MAX_RSP 16

/* The write-ahead note of the responses being published. Written by bring_respond() only. */
struct rsp_record {
	uint32_t start; /* ring index (free-running) of the first response noted */
	uint32_t count; /* 0: nothing noted; written last when noting */
	uint8_t bytes[BRING_MAX_GROUP * BRING_MAX_RSP];
};

/* Sizes of one ring type. All multiples of 4. */
struct bring_geometry {
	uint32_t stride;  /* bytes from one slot to the next */
	uint32_t req_len; /* bytes of a request that carry meaning */
	uint32_t rsp_len; /* at most BRING_MAX_RSP */
	uint32_t nr_ents; /* slots, a power of two */
};

struct bring {
	void *page; /* shared with the frontend, which writes it at any time */
	struct bring_geometry geo;
	struct rsp_record *rec;
	uint32_t req_cons;	/* next request to copy; free-running */
	uint32_t rsp_prod;	/* responses published; free-running */
	uint32_t notified_prod; /* rsp_prod when the frontend was last considered for a notify */
};

/*
 * Takes up work on a mapped ring.
 * @page: the ring page, mapped writable; contents untrusted; stays owned by the caller.
 * @rec: the connection's record, kept, not copied. @resume: the ring was already served by a
 * process that died: finish its last publication and go on after it. Without, @rec is reset.
 * Returns 0, or -EPROTO when the indices in the page cannot come from an honest frontend.
 */
int bring_attach(struct bring *r, void *page, const struct bring_geometry *geo,
		 struct rsp_record *rec, bool resume);

/*
 * Reads how many requests wait behind req_cons. Returns 0..nr_ents, or -EPROTO when the frontend
 * claims more requests than the ring holds (the caller then gives the connection up).
 */
int bring_pending(struct bring *r);

/* Copies request req_cons + @ahead (< the last bring_pending()) into @req, geo.req_len bytes. */
void bring_copy(const struct bring *r, uint32_t ahead, void *req);

/*
 * Publishes @count (1..BRING_MAX_GROUP) responses of geo.rsp_len bytes each as one unit, in answer
 * to the next @count unanswered requests, and advances req_cons over those. Survives kill -9 at
 * any instruction: a successor sees all of them or none.
 */
void bring_respond(struct bring *r, const void *rsps, uint32_t count);

/* True if the frontend asked to hear of a response published since the last call. */
bool bring_must_notify(struct bring *r);

/*
 * Asks the frontend to notify at its next request. Returns true if one is already there (or the
 * indices are broken, which bring_pending() will say): work on instead of sleeping.
 */
bool bring_more(struct bring *r);

/* Asks the frontend to notify only once @ahead more requests than now consumed are there. */
bool bring_want(struct bring *r, uint32_t ahead);

#endif
