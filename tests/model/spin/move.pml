/* SPDX-License-Identifier: MIT */
/*
 * move.pml - a domain handed from one host to another, with everything that can be cut off: the
 * connection at any time, either manager, either machine. It never runs on both, nor again where it
 * was after it ran on the other; without a machine
 * that crashed it is not lost; and once the hosts can talk again it is known where it is.
 *
 * Mirrors xend/requests/request_migrate.c, xend/save/move_in.c, cli/xm/arrival.c and
 * xend/recover.c. What is on a disk (moved, arriving, marker, record) outlives all; what the
 * hypervisor has (src_mem, dst_mem) outlives a manager; the rest goes with the manager.
 *
 * FAULT: 1 the source hands over before it has written that down; 2 the target runs before it has
 * written down that it took over; 3 the source resumes when the connection is lost; 4 the target
 * answers "no" to a question without taking arriving away; 5 the target forgets the epoch at once;
 * 6 DONE is said before the source has forgotten the domain; 7 a target's new manager goes on with
 * what is not arriving, without looking whether it still has a record.
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef KILLS
#define KILLS 3
#endif

mtype = { GONE, SUSPENDED, RUNS };	/* what a hypervisor has */
mtype = { READY, HANDOVER, YES, NO, DONE };

mtype src_mem = RUNS, dst_mem = GONE;
bool moved, arriving, marker, record = true, dst_record; /* on disks */
bool crashed;			/* a machine: what it had may be lost */
byte kills = KILLS;
bool src_up = true, dst_up = true; /* the managers serve this connection */
bool is_asking, over;

chan to_dst = [2] of { mtype };
chan to_src = [2] of { mtype };

bool ran_there;			/* since then the disks are not what the source's memory knows */

inline at_most_one()
{
	assert(!(src_mem == RUNS && dst_mem == RUNS));
	assert(!(src_mem == RUNS && ran_there))
}

/* An end is gone. The other one hears of it when it has read what was said before. */
#define src_lost (!src_up || (!dst_up && empty(to_src)))
#define dst_lost (!dst_up || (!src_up && empty(to_dst)))

/* --- the source's manager, with a connection --- */

inline take_back()
{
	atomic {
		moved = false;
		if
		:: src_mem == SUSPENDED -> src_mem = RUNS
		:: else
		fi;
		at_most_one()
	}
}

inline forget()
{
#if FAULT == 6
	to_dst ! DONE;
#endif
	atomic { if :: src_up -> src_mem = GONE :: else fi }
	atomic { if :: src_up -> record = false; moved = false :: else fi }
#if FAULT != 6
	atomic { if :: src_up -> to_dst ! DONE :: else fi }
#endif
}

proctype source()
{
	mtype m;

	atomic { if :: src_up -> src_mem = SUSPENDED :: else -> goto lost fi }
	if
	:: to_src ? m
	:: src_lost -> goto lost
	fi;
	if
	:: m == NO -> take_back(); goto out
	:: else
	fi;
#if FAULT != 1
	atomic { if :: src_up -> moved = true :: else -> goto lost fi }
#endif
	atomic { if :: src_up -> to_dst ! HANDOVER :: else -> goto lost fi }
#if FAULT == 1
	atomic { if :: src_up -> moved = true :: else -> goto lost fi }
#endif
	if
	:: to_src ? m
	:: src_lost -> goto lost
	fi;
	if
	:: m == YES -> forget()
	:: else -> take_back()
	fi;
	goto out;
lost:
	/* xend's rule: what is not written down as handed over goes on here */
	atomic {
		if
#if FAULT == 3
		:: src_mem == SUSPENDED && record -> src_mem = RUNS
#else
		:: src_mem == SUSPENDED && !moved && record -> src_mem = RUNS
#endif
		:: else
		fi;
		at_most_one()
	}
out:
	src_up = false;
	over = true
}

/* --- the target's --- */

proctype target()
{
	mtype m;

	atomic {
		if
		:: dst_up -> arriving = true; dst_record = true; dst_mem = SUSPENDED
		:: else -> goto lost
		fi
	}
	atomic { if :: dst_up -> to_src ! READY :: else -> goto lost fi }
	if
	:: to_dst ? m
	:: dst_lost -> goto lost
	fi;
#if FAULT == 2
	atomic { if :: dst_mem == SUSPENDED -> dst_mem = RUNS; ran_there = true; at_most_one() :: else fi }
#endif
	/* one transaction: only if nobody took arriving away */
	atomic {
		if
		:: dst_up && arriving -> arriving = false;
#if FAULT != 5
			marker = true
#else
			skip
#endif
		:: else -> goto lost
		fi
	}
	atomic { if :: dst_mem == SUSPENDED -> dst_mem = RUNS; ran_there = true; at_most_one() :: else fi }
	atomic { if :: dst_up -> to_src ! YES :: else fi }
	if
	:: to_dst ? m -> marker = false
	:: dst_lost
	fi;
	goto out;
lost:
	/* xend's rule: what has not arrived is undone, what has goes on */
	atomic {
		if
		:: arriving -> dst_mem = GONE
#if FAULT == 7
		:: !arriving && dst_mem == SUSPENDED ->
#else
		:: !arriving && dst_record && dst_mem == SUSPENDED ->
#endif
			dst_mem = RUNS; ran_there = true; at_most_one()
		:: !arriving && !dst_record -> dst_mem = GONE
		:: else
		fi
	}
out:
	skip
}

/* --- whatever can happen, and a person who asks until it is known --- */

inline ask()
{
	/* arrival_end(): one transaction on the target's disk; its manager sees to the memory later */
	atomic {
		if
		:: marker -> m = YES
		:: else ->
			m = NO;
#if FAULT != 4
			if
			:: arriving -> arriving = false; dst_record = false
			:: else
			fi
#endif
		fi
	}
	if
	:: m == YES ->
		src_mem = GONE;
		atomic { record = false; moved = false }
		marker = false
	:: else -> take_back()
	fi
}

proctype world()
{
	mtype m;

	do
	:: kills > 0 ->
		kills--;
		if
		:: src_up = false	/* xend, or ssh */
		:: dst_up = false
		:: atomic { crashed = true; src_up = false; src_mem = GONE }
		:: atomic {
			crashed = true; dst_up = false; dst_mem = GONE;
			if
			:: arriving -> arriving = false; dst_record = false
			:: else
			fi
		   }
		:: over && moved -> ask()
		fi
	:: timeout -> break
	od;
	/* the connection is there again */
	if
	:: moved -> ask()
	:: else
	fi;
	/* a host without it starts its record: only if the other does not have the domain */
	assert(!(record && !moved && dst_record && !arriving));
	assert(crashed || src_mem == RUNS || dst_mem == RUNS);
	at_most_one()
}

init
{
	atomic { run source(); run target(); run world() }
}
