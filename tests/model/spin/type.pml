/* SPDX-License-Identifier: MIT */
/*
 * type.pml - one frame's type, and what two CPUs remember of it: it is never trusted as a page
 * table while a CPU can still write it, and never written while a CPU still walks through it.
 *
 * Mirrors frame_type_get(), frame_type_put_preemptible(), flush_old_type() (hypervisor/pv/ptval.c);
 * tlb_flush_local_all(), tlb_flush_stale(), tlb_clock() (x86/tlb.c); smp_request(),
 * smp_serve_requests() (x86/smp_request.c). Granularity as decision 0008 has it: hypercalls
 * exclude each other (hv_lock), a CPU's walker and a guest's accesses do not, nor does a CPU that
 * answers a flush while it runs a guest or spins for the lock. With -DSPLIT hypercalls interleave
 * at each access of the type word, as they would with the compare-and-swap loops of
 * security.md D4: the order claim - flush - look then is all that keeps the promise.
 *
 * Both CPUs run the frame's owner: that others need no flush (decision 0027) is not in here, but in
 * unit/hypervisor/smp and unit/hypervisor/pv/test_ptval.c.
 *
 * FAULT, harmless without SPLIT: 1 flush before the claim; 4 type dropped before the entry is.
 * Always: 2 no flush when a writable frame becomes a table; 3 none when a table becomes writable;
 * 5 the other CPU's answer is not waited for; 6 no stamp when the last reference goes.
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef OPS
#define OPS 3 /* hypercalls of each CPU */
#endif
#define OTHER (1 - me)

mtype = { NONE, WR, L1 };

mtype type = NONE;
byte count, stamp;
bool valid, looked_at;	/* looked_at: contents were checked, and are trusted */
bool pte;		/* a level-1 entry maps the frame writable */
bool link;		/* a level-2 entry names the frame */

byte clock = 1;
byte time[2];
bool writable[2];	/* the CPU's TLB has a writable translation */
bool path[2];		/* the CPU's walker remembers the frame as a table */
bool request[2];
bool lock;

inline flush_here()
{
	d_step { clock++; mine = clock; }
	d_step { writable[me] = false; path[me] = false; }
	time[me] = mine;
}

inline serve()
{
	flush_here();
	request[me] = false;
}

inline flush_stale()
{
	if
	:: time[OTHER] <= stamp -> request[OTHER] = true;
	:: else
	fi;
	if
	:: time[me] <= stamp -> flush_here();
	:: else
	fi;
#if FAULT != 5
	do
	:: !request[OTHER] -> break
#ifdef SPLIT
	:: request[me] -> serve()
#endif
	od
#endif
}

/* frame_type_get(): ok says whether the reference was taken. */
inline type_get(wanted)
{
#if FAULT == 1
	skip;
	if
	:: count == 0 && type != wanted && type != NONE -> flush_stale()
	:: else
	fi;
	skip;
#endif
	d_step {
		old = type;
		is_new = false;
		ok = false;
		if
		:: count == 0 && type == wanted && valid -> count = 1; ok = true
		:: count == 0 && !(type == wanted && valid) ->
			type = wanted; count = 1; valid = false; is_new = true; ok = true
		:: count > 0 && type == wanted && valid -> count++; ok = true
		:: else
		fi
	}
	if
	:: is_new ->
#if FAULT != 1
		if
#if FAULT == 2
		:: old == L1 && wanted == WR -> flush_stale()
#elif FAULT == 3
		:: old == WR && wanted == L1 -> flush_stale()
#else
		:: old != wanted && old != NONE -> flush_stale()
#endif
		:: else
		fi;
#endif
		if
		:: wanted == L1 -> looked_at = true /* table_validate() */
		:: else
		fi;
		valid = true
	:: else
	fi
}

inline type_put()
{
	if
	:: type == L1 && count == 1 ->
		valid = false; /* locked for devalidation */
		looked_at = false
	:: else
	fi;
	d_step {
		if
#if FAULT != 6
		:: count == 1 -> stamp = clock
#endif
		:: else
		fi;
		assert(count > 0);
		count--
	}
}

inline map()
{
	type_get(WR);
	if
	:: ok ->
		d_step {
			is_mine = !pte;
			pte = true
		}
		if
		:: !is_mine -> type_put()
		:: else
		fi
	:: else
	fi
}

inline unmap()
{
#if FAULT == 4
	if
	:: pte -> type_put(); pte = false
	:: else
	fi
#else
	d_step { is_mine = pte; pte = false }
	if
	:: is_mine -> type_put()
	:: else
	fi
#endif
}

inline name_table()
{
	type_get(L1);
	if
	:: ok ->
		d_step {
			is_mine = !link;
			link = true
		}
		if
		:: !is_mine -> type_put()
		:: else
		fi
	:: else
	fi
}

inline unname_table()
{
	d_step { is_mine = link; link = false }
	if
	:: is_mine -> type_put()
	:: else
	fi
}

inline hypercall()
{
#ifndef SPLIT
	do
	:: atomic { !lock -> lock = true; break }
	:: request[me] -> serve()
	od;
#endif
	if
	:: map()
	:: unmap()
	:: name_table()
	:: unname_table()
	fi;
	d_step { mine = 0; old = NONE; is_new = false; ok = false; is_mine = false }
#ifndef SPLIT
	lock = false
#endif
}

proctype cpu(bit me)
{
	byte mine, ops;
	mtype old = NONE;
	bool is_new, ok, is_mine;

end:	do
	:: atomic { pte && !writable[me] -> writable[me] = true } /* the walker */
	:: atomic { link && !path[me] -> path[me] = true }
	:: atomic { writable[me] -> assert(!(type == L1 && looked_at)) } /* the guest writes */
	:: atomic { path[me] -> assert(!(type == WR && valid)) } /* its walker goes through it */
	:: request[me] -> serve()
	:: ops < OPS -> ops++; hypercall()
	od
}

init
{
	atomic {
		run cpu(0);
		run cpu(1)
	}
}
