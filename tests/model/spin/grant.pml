/* SPDX-License-Identifier: MIT */
/*
 * grant.pml - a granted frame, its mapper's two CPUs and its owner: who finds his grant unused and
 * takes it back has the frame for himself; references and pins come back to nothing.
 *
 * Mirrors gnttab_map(), gnttab_unmap_prepare(), gnttab_unmap_complete() (domain/gnttab_map.c),
 * gnttab_pin(), gnttab_unpin() (domain/gnttab.c), unmap_batch() (hypercall/hc_gnttab.c). Hypercalls
 * hold hv_lock (decision 0008). Outside it are: the owner's own accesses to his shared entry (a
 * word changed by compare-and-swap on both sides), the walkers and TLBs of the mapper's CPUs, and a
 * CPU that answers a flush in its guest or while it spins.
 *
 * FAULT: 1 references and pin dropped before the flush; 2 only the unmapping CPU flushed; 3 a
 * handle named twice in a batch is undone twice; 4 flags taken by load and store, not in one;
 * 5 the flags say unused while a pin is left.
 */
#ifndef FAULT
#define FAULT 0
#endif
#define OPS 3 /* hypercalls of each CPU of the mapper */
#define ROUNDS 2 /* how often the owner grants */
#define OTHER (1 - me)

bool permit, in_use; /* GTF_permit_access, GTF_writing: one word of the shared entry */
bool is_private; /* the owner counts on being alone */

byte pins, refs; /* grant_active.pins; references of mappings, WR type included */
bool handle[2], pte[2]; /* two mappings of the same reference */
bool tlb[2]; /* a CPU of the mapper has a translation of the frame */
bool request[2];
bool lock;

inline serve()
{
	tlb[me] = false;
	request[me] = false
}

inline flush()
{
#if FAULT != 2
	request[OTHER] = true;
#endif
	tlb[me] = false;
	!request[OTHER]
}

inline pin()
{
	ok = true;
	if
	:: pins > 0
	:: else ->
#if FAULT == 4
		ok = permit;
		if
		:: ok -> d_step { permit = true; in_use = true } /* the word as it was read */
		:: else
		fi
#else
		d_step {
			ok = permit;
			in_use = in_use || ok
		}
#endif
	fi;
	skip;
	if
	:: ok -> d_step { pins++; refs++ }
	:: else
	fi
}

inline unpin()
{
	skip;
	d_step { assert(refs > 0 && pins > 0); refs--; pins-- }
	if
#if FAULT == 5
	:: in_use = false
#else
	:: pins == 0 -> in_use = false
	:: else
#endif
	fi
}

inline map()
{
	h = (handle[0] -> 1 : 0);
	if
	:: !handle[h] ->
		pin();
		if
		:: ok -> pte[h] = true; handle[h] = true
		:: else
		fi
	:: else
	fi
}

/* A batch of two, perhaps of one handle: first all entries go, then one flush, then the rest. */
inline unmap_one(which)
{
	if
	:: handle[which] ->
		pte[which] = false;
#if FAULT != 3
		handle[which] = false;
#endif
		nr_done++
	:: else
	fi
}

inline complete()
{
	do
	:: nr_done > 0 -> unpin(); nr_done--
	:: else -> break
	od
}

inline unmap()
{
	if
	:: h = 0
	:: h = 1
	fi;
	unmap_one(h);
	if
	:: true -> unmap_one(h)
	:: true -> unmap_one((1 - h))
	:: true
	fi;
#if FAULT == 3
	handle[h] = false;
#endif
#if FAULT == 1
	complete();
	flush()
#else
	if
	:: nr_done > 0 -> flush()
	:: else
	fi;
	complete()
#endif
}

inline hypercall()
{
	do
	:: atomic { !lock -> lock = true; break }
	:: request[me] -> serve()
	od;
	if
	:: map()
	:: unmap()
	fi;
	skip;
	d_step { h = 0; ok = false }
	lock = false
}

proctype mapper(bit me)
{
	byte ops, nr_done, h;
	bool ok;

end:	do
	:: atomic { (pte[0] || pte[1]) && !tlb[me] -> tlb[me] = true }
	:: atomic { tlb[me] -> assert(!is_private && refs > 0) }
	:: request[me] -> serve()
	:: ops < OPS -> ops++; hypercall()
	od
}

proctype owner()
{
	byte rounds;

end:	do
	:: rounds < ROUNDS ->
		rounds++;
		is_private = false;
		permit = true;
		/* gnttab_end_access(): only an entry that is not in use, in one access */
		atomic { permit && !in_use -> permit = false }
		is_private = true;
		assert(!pte[0] && !pte[1] && refs == 0 && pins == 0)
	od
}

init
{
	atomic {
		is_private = true;
		run mapper(0);
		run mapper(1);
		run owner()
	}
}
