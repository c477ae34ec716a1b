/* SPDX-License-Identifier: MIT */
/*
 * ring.pml - a guest's requests through its store ring, and a daemon that is killed between any two
 * steps: each request is carried out once, and the guest reads each reply whole, once, in order.
 *
 * Mirrors take_in(), carry_out(), request_done(), deliver(), ring_attach(), conn_ring_replay()
 * (xenstored/conn_ring.c), ring_slot_switch() (ring_slot.c: one store, so one step here) and the
 * commit of a change together with its request's number and reply (change.c, journal.c). Memory of
 * the daemon itself is lost when it is killed; the page, the slot and the store are not.
 *
 * FAULT: 1 req_cons published before the bytes are in the slot; 2 rsp_prod published before the
 * slot knows; 3 the change is committed without its reply; 4 a reply is replayed whatever the request's
 * number; 5 a request ends in two switches of the slot.
 */
#ifndef FAULT
#define FAULT 0
#endif
#define REQUESTS 3
#define LEN 2  /* bytes of a request, and of a reply */
#define RING 3 /* bytes of each ring */
#define KILLS 2

/* the page */
byte req[RING], rsp[RING];
byte req_prod, req_cons, rsp_prod, rsp_cons;

/* the slot: struct ring_state, and its two areas */
byte msg_seq = 1, in_cons, in_len, slot_prod, out_first, out_len;
byte in[LEN], out[LEN];

/* the store */
byte executed[REQUESTS + 1];
byte done_seq, done_reply;

bool kill;

inline request_done(reply)
{
	out[0] = reply;
	out[1] = reply;
#if FAULT == 5
	d_step { in_len = 0; msg_seq++ }
	d_step { out_first = 0; out_len = LEN }
#else
	d_step { out_first = 0; out_len = LEN; in_len = 0; msg_seq++ }
#endif
}

inline ring_attach()
{
	req_cons = in_cons;
	rsp_prod = slot_prod;
	if
#if FAULT == 4
	:: done_seq != 0 -> request_done(done_reply)
#else
	:: done_seq == msg_seq -> request_done(done_reply)
#endif
	:: else
	fi
}

inline take_in()
{
	in[in_len] = req[in_cons % RING];
#if FAULT == 1
	req_cons = in_cons + 1;
#endif
	d_step { in_cons++; in_len++ }
	req_cons = in_cons
}

inline carry_out()
{
	assert(in[0] == msg_seq && in[1] == msg_seq);
	d_step {
		executed[msg_seq]++;
		assert(executed[msg_seq] == 1);
#if FAULT != 3
		done_seq = msg_seq;
		done_reply = msg_seq
#endif
	}
	request_done(msg_seq)
}

inline deliver()
{
	rsp[slot_prod % RING] = out[out_first];
#if FAULT == 2
	rsp_prod = slot_prod + 1;
#endif
	d_step { slot_prod++; out_first++; out_len-- }
	rsp_prod = slot_prod
}

proctype daemon()
{
again:	{
		ring_attach();
end:		do
		:: out_len > 0 && slot_prod - rsp_cons < RING -> deliver()
		:: out_len == 0 && in_len < LEN && req_prod != in_cons -> take_in()
		:: out_len == 0 && in_len == LEN -> carry_out()
		od
	} unless {
		atomic { kill -> kill = false; goto again }
	}
}

proctype guest()
{
	byte sent, got;

	do
	:: sent < REQUESTS * LEN && req_prod - req_cons < RING ->
		req[req_prod % RING] = sent / LEN + 1;
		sent++;
		req_prod++
	:: rsp_prod != rsp_cons ->
		assert(rsp_prod - rsp_cons <= RING);
		assert(rsp[rsp_cons % RING] == got / LEN + 1);
		got++;
		rsp_cons++
	:: sent == REQUESTS * LEN && got == REQUESTS * LEN -> break
	od;
	assert(executed[1] == 1 && executed[REQUESTS] == 1)
}

proctype killer()
{
	byte kills;

	do
	:: kills < KILLS && !kill -> kills++; kill = true
	:: break
	od
}

init
{
	atomic {
		run daemon();
		run guest();
		run killer()
	}
}
