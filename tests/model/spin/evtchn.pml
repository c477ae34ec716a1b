/* SPDX-License-Identifier: MIT */
/*
 * evtchn.pml - an event channel between a sender and a receiver that masks, unmasks, closes, opens
 * again, resets and dies: no event of an open port is lost, and nobody follows a port that is gone.
 *
 * Mirrors evtchn_send(), evtchn_set_pending(), raise_selector(), vcpu_mark_events_pending(),
 * evtchn_unmask(), evtchn_alloc_unbound(), evtchn_bind_interdomain(), port_close(), evtchn_reset(),
 * evtchn_destroy() (domain/evtchn.c). Hypercalls hold hv_lock (decision 0008). Outside it are the
 * words of shared_info and vcpu_info that a receiving guest changes at any time.
 *
 * FAULT: 1 a sender without the lock, which close does not wait for; 2 the upcall flag before the
 * selector; 3 close leaves the other end as it was; 4 unmask raises nothing; 5 a domain's table is
 * freed with its ports open.
 */
#ifndef FAULT
#define FAULT 0
#endif
#define SENDS 3
#define OPS 3 /* hypercalls of the receiver */

mtype = { FREE, UNBOUND, INTERDOMAIN };

mtype near = FREE, far = FREE; /* the sender's port; the receiver's, which it names */
bool is_gone; /* the receiver's domain was freed */
bool lock;

bool pending, mask, sel, upcall; /* the receiver's */
bool is_over; /* nothing more will be sent */

inline enter()
{
	atomic { !lock -> lock = true }
}

inline leave()
{
	lock = false
}

/* --- raising --- */

inline mark()
{
	if
	:: !upcall -> upcall = true
	:: else
	fi
}

inline raise_selector()
{
#if FAULT == 2
	mark();
	sel = true
#else
	d_step { was = sel; sel = true }
	if
	:: !was -> mark()
	:: else
	fi
#endif
}

inline notify()
{
	d_step { was = pending; pending = true }
	if
	:: !was ->
		if
		:: !mask -> raise_selector()
		:: else
		fi
	:: else
	fi
}

/* --- the sender --- */

inline send()
{
#if FAULT != 1
	enter();
#endif
	if
	:: near == INTERDOMAIN ->
		assert(!is_gone && far == INTERDOMAIN);
		notify()
	:: else
	fi;
#if FAULT != 1
	leave()
#endif
}

inline bind()
{
	enter();
	if
	:: near == FREE && far == UNBOUND && !is_gone ->
		d_step { near = INTERDOMAIN; far = INTERDOMAIN }
	:: else
	fi;
	leave()
}

inline close_near()
{
	enter();
	if
	:: near == INTERDOMAIN -> assert(!is_gone && far == INTERDOMAIN); far = UNBOUND
	:: else
	fi;
	near = FREE;
	leave()
}

proctype sender()
{
	byte sends;
	bool was;

	do
	:: sends < SENDS ->
		sends++;
		if
		:: send()
		:: bind(); send()
		:: close_near()
		fi
	:: else -> break
	od;
	is_over = true
}

/* --- the receiver --- */

inline port_close()
{
	if
	:: far == INTERDOMAIN ->
#if FAULT != 3
		near = UNBOUND
#else
		skip
#endif
	:: else
	fi;
	far = FREE;
	pending = false
}

inline unmask()
{
	enter();
	if
	:: mask ->
		mask = false;
#if FAULT != 4
		if
		:: pending -> raise_selector()
		:: else
		fi
#else
		skip
#endif
	:: else
	fi;
	leave()
}

inline alloc_unbound()
{
	enter();
	if
	:: far == FREE -> far = UNBOUND
	:: else
	fi;
	leave()
}

inline close_far()
{
	enter();
	port_close();
	leave()
}

inline destroy()
{
	enter();
#if FAULT != 5
	port_close();
#endif
	is_gone = true;
	leave()
}

/* What a guest's upcall handler does (Linux, FIFO-less). */
inline handle()
{
	upcall = false;
	d_step { was = sel; sel = false }
	if
	:: was && pending && !mask -> pending = false
	:: else
	fi
}

proctype receiver()
{
	byte ops;
	bool was;

	do
	:: upcall -> handle()
	:: ops < OPS ->
		ops++;
		if
		:: mask = true
		:: unmask()
		:: alloc_unbound()
		:: close_far(); alloc_unbound()
		fi
	:: ops == OPS && is_over && !upcall ->
		/* nothing runs any more: what is pending and open to it was announced */
		assert(!(pending && !mask));
		unmask();
		if
		:: pending -> assert(upcall && sel)
		:: else
		fi;
		break
	:: ops < OPS && !is_gone -> destroy(); break
	od
}

init
{
	atomic {
		far = UNBOUND;
		run sender();
		run receiver()
	}
}
