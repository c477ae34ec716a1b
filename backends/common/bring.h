/* SPDX-License-Identifier: MIT */
/*
 * bring.h - the backend's half of one shared request/response ring.
 *
 * Owns every access to the ring's shared memory: indices are read once and checked, requests are
 * copied before anybody looks at them, responses are published in request order. Knows nothing of
 * what a request means. ABI: xen/io/ring.h (the shared header is the same for every ring type).
 *
 * A process that takes over after a kill -9 has to know which requests are finished. There are
 * two ways. Answers in request order (bring_respond): then `rsp_prod` alone says it. Answers in any
 * order (bring_take, bring_answer): then each request is first copied to a table, and what is in
 * the table is not answered yet. Either way a response takes the slot of a request, so a kill
 * between "slot written" and "rsp_prod moved" would leave half an answer where the successor
 * expects a request; the response is therefore noted first in a struct rsp_record. Record and
 * table live in a file that survives the process.
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
	uint32_t taken; /* bring_answer() only: ring index of the request it answers */
	uint8_t bytes[BRING_MAX_GROUP * BRING_MAX_RSP];
};

/* The most requests that may be taken at once, and the longest of them. */
#define BRING_TAKEN 32
#define BRING_MAX_REQ 112

/* Requests taken off a ring and not answered, as they were when they were taken. */
struct bring_table {
	struct {
		uint32_t used; /* written last when taking, first when answering */
		uint32_t index; /* of the request in the ring; free-running */
		uint8_t raw[BRING_MAX_REQ];
	} e[BRING_TAKEN];
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

/*
 * For answers in any order, after bring_attach() with the same @resume: with it finishes what the
 * dead process was doing with @table (whose content may be anything) and has the ring go on
 * behind what it took; else empties the table. 0, or -EPROTO.
 */
int bring_attach_table(struct bring *r, struct bring_table *table, bool resume);

/*
 * Takes request req_cons, which bring_pending() said is there. Returns its entry in the table, or
 * -ENOSPC while all are in use. Survives kill -9 at any instruction: taken or not.
 */
int bring_take(struct bring *r, struct bring_table *table);

/* Publishes response @rsp to the request of @entry and frees that. Likewise. */
void bring_answer(struct bring *r, struct bring_table *table, unsigned int entry, const void *rsp);

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
