/* SPDX-License-Identifier: MIT */
/* fake_hv_priv.h - what the files of the fake hypervisor share: its machine. */
#ifndef TEST_FAKE_HV_PRIV_H
#define TEST_FAKE_HV_PRIV_H

#include <pthread.h>
#include "fake_hv.h"

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#define MAX_DOMAINS 16
#define MAX_WINDOWS 64
#define PAGE 4096u

struct fake_domain {
	struct hv_domain info;
	uint64_t max_kib;
	uint64_t grant[64];
	uint32_t next_port;
	struct vcpu_guest_context ctx;
	bool pinned, has_msrs;
	struct hv_affinity affinity[4];
	struct hv_credit credit;
	bool noted;			/* what it writes is */
	uint32_t seen[130 * 256 + 1];	/* a checksum of each frame, when it was last looked at */
};

struct window {
	uint8_t *bounce;
	uint64_t *mfn;
	size_t nr;
	int domid;
};

struct hv {
	uint64_t nr_frames;
	uint8_t **frame;
	int *owner;			/* domid, or -1 when free */
	uint64_t next;			/* where the scattered search goes on */
	struct fake_domain *domain[MAX_DOMAINS];
	uint16_t last_domid;
	struct window window[MAX_WINDOWS];
	char fail_name[32];
	int fail_err;
	bool hold;
	uint8_t *region;		/* of a machine that outlives a process: all its frames */
	bool *had;			/* of such a machine: whether somebody has had that frame */
	struct fake_domain pool[MAX_DOMAINS];	/* and its domains */
};

extern struct hv *the_hv;
/* Whose frame is whose: a save's worker maps beside xend's own thread. Of one process: who is killed leaves it free. */
extern pthread_mutex_t fake_hv_lock;

/* What fake_hv_fail() said of the operation @name; 0: it works. */
int fake_hv_failing(const char *name);
struct fake_domain *fake_hv_find(int domid);
/* A free frame, now @domid's and zero; -1: none. Never the one behind the last. */
int64_t fake_hv_take_frame(int domid);

#endif
