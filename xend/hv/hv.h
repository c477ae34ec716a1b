/* SPDX-License-Identifier: MIT */
/*
 * hv.h - the hypervisor as xend sees it.
 *
 * One thin call an operation, over Debian's libxencall and libxenforeignmemory; structures are
 * those of libxen-dev's <xen/...>. Works on Xen 4.17 and on our own hypervisor (same ABI).
 * Every function returns 0 or a negative errno of the hypercall unless said otherwise.
 * The unit tests link a fake in place of hv*.c.
 */
#ifndef XEND_HV_H
#define XEND_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hv;
struct vcpu_guest_context;

int hv_open(struct hv **out);
void hv_close(struct hv *hv);

/* --- the machine (hv_host.c) --- */

struct hv_host {
	uint32_t nr_cpus, nr_nodes, cores_per_socket, threads_per_core, cpu_khz;
	uint64_t total_kib, free_kib;	/* free: unused and not promised to anybody */
	uint32_t hw_cap[8];
	const char *scheduler;		/* its name; NULL: not told */
	unsigned int major, minor;
	char extra[64], caps[1024], changeset[64], commandline[1024];
	char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
	uint64_t virt_start;
	uint32_t page_size;
};

int hv_host_info(struct hv *hv, struct hv_host *info);

/* A fault of the CPU: a word for a key, and in a sentence what is done about it. */
struct hv_fault {
	char key[32], text[160];
};
#define HV_FAULTS_MAX 64
/* At most @max of them to @list. How many there are; 0: the hypervisor does not tell. */
size_t hv_cpu_faults(struct hv *hv, struct hv_fault *list, size_t max);

/*
 * Reads the hypervisor's console ring; *text is a NUL-terminated allocation the caller frees.
 * With @clear the ring is emptied.
 */
int hv_console_read(struct hv *hv, bool clear, char **text);

/*
 * Presses the hypervisor's debug keys, each a letter of @keys; what they print is in the console
 * ring. -E2BIG: more than HV_DEBUG_KEYS_MAX; else the hypervisor's error.
 */
#define HV_DEBUG_KEYS_MAX 16
int hv_debug_keys(struct hv *hv, const char *keys);

/* --- domains (hv_domain.c) --- */

/* Values: xen/sched.h SHUTDOWN_* */
enum hv_shutdown_reason {
	HV_SHUTDOWN_POWEROFF, HV_SHUTDOWN_REBOOT, HV_SHUTDOWN_SUSPEND, HV_SHUTDOWN_CRASH,
	HV_SHUTDOWN_WATCHDOG, HV_SHUTDOWN_SOFT_RESET,
};

struct hv_domain {
	uint16_t domid;
	bool dying, shutdown, paused, blocked, running;
	unsigned int reason;		/* enum hv_shutdown_reason, valid with shutdown */
	uint64_t tot_kib, max_kib;
	uint64_t cpu_time_ns;
	uint32_t nr_vcpus;
	uint64_t shared_info_mfn;
	uint8_t uuid[16];
};

/* -ENOENT when no such domain. */
int hv_domain_info(struct hv *hv, uint16_t domid, struct hv_domain *info);
/* All domains, dom0 first; *list is an allocation the caller frees. */
int hv_domain_list(struct hv *hv, struct hv_domain **list, size_t *nr);

/* Creates a paused PV domain without memory; the hypervisor picks *domid. */
int hv_domain_create(struct hv *hv, const uint8_t uuid[16], unsigned int max_vcpus,
		     uint16_t *domid);
int hv_domain_max_mem(struct hv *hv, uint16_t domid, uint64_t kib);
int hv_domain_native_tsc(struct hv *hv, uint16_t domid);
int hv_domain_hypercall_page(struct hv *hv, uint16_t domid, uint64_t mfn);
int hv_domain_set_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       const struct vcpu_guest_context *ctx);
int hv_domain_get_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       struct vcpu_guest_context *ctx);
int hv_domain_pause(struct hv *hv, uint16_t domid);
int hv_domain_unpause(struct hv *hv, uint16_t domid);
/* Goes on until the hypervisor has let go of everything nobody else still maps. */
int hv_domain_destroy(struct hv *hv, uint16_t domid);
/* An unbound event channel in @domid for dom0 to bind. */
int hv_evtchn_alloc(struct hv *hv, uint16_t domid, uint32_t *port);

/* --- its virtual CPUs (hv_vcpu.c) --- */

#define HV_CPUS_MAX 256

struct hv_vcpu {
	bool online, blocked, running;
	uint64_t cpu_time_ns;
	uint32_t cpu;			/* where it ran last */
};

/* Bit n: physical CPU n. Hard: where it may run; soft: where it had better. */
struct hv_affinity {
	uint8_t hard[HV_CPUS_MAX / 8], soft[HV_CPUS_MAX / 8];
};

struct hv_credit {
	uint16_t weight;		/* 1-65535, 256 usual */
	uint16_t cap;			/* percent of one CPU, 0: none */
};

/* -ENOENT when there is no such vcpu. */
int hv_vcpu_info(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_vcpu *info);
int hv_vcpu_get_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_affinity *a);
/* Sets the maps that @hard, @soft say. -EINVAL: no CPU of the machine is among them. */
int hv_vcpu_set_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, bool hard, bool soft,
			 const struct hv_affinity *a);
/* -EOPNOTSUPP: the scheduler in use has no weights. */
int hv_credit_get(struct hv *hv, uint16_t domid, struct hv_credit *c);
int hv_credit_set(struct hv *hv, uint16_t domid, const struct hv_credit *c);

/* --- its memory (hv_memory.c) --- */

/*
 * Gives frames for pfns [@pfn, @pfn + @nr) and stores their mfns in p2m[pfn...].
 * -ENOMEM when the machine has no more.
 */
int hv_populate(struct hv *hv, uint16_t domid, uint64_t pfn, uint64_t nr, uint64_t *p2m);
/* The memory map the guest may ask for: RAM up to @kib. -ENOSYS is not an error for PV. */
int hv_set_memory_map(struct hv *hv, uint16_t domid, uint64_t kib);
/* Pins the frame @mfn as one of the domain's page tables of @level, 1 to 4. */
int hv_pin(struct hv *hv, uint16_t domid, unsigned int level, uint64_t mfn);
/* Maps frames of another domain; NULL with errno. Undone by hv_unmap(). */
void *hv_map(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr);
void hv_unmap(struct hv *hv, void *addr, size_t nr);
/* Writes grant @ref (v1) of @domid: dom0 may map frame @mfn. For the two reserved ones. */
int hv_grant_seed(struct hv *hv, uint16_t domid, uint32_t ref, uint64_t mfn);
/*
 * What Linux makes when the first grant is mapped, by whomever, since dom0 started: 128 MiB of page
 * frames without memory, 57 million instructions of it. Afterwards it is there, and this does nothing.
 */
void hv_grant_room(struct hv *hv);

/* --- what a saved domain is made of (hv_save.c) --- */

/* The highest mfn of the machine. */
int hv_max_page(struct hv *hv, uint64_t *mfn);
#define HV_TYPES_MAX 1024
/*
 * Kinds of up to HV_TYPES_MAX frames: 0 data, 1 to 4 a page table of that level, 8 more when it is
 * pinned, 15 not the domain's. xen/domctl.h: XEN_DOMCTL_PFINFO_*, less the shift.
 */
int hv_page_types(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr, uint32_t *types);
/* Gives a frame for each of @pfn, at most HV_TYPES_MAX. -ENOMEM: not for all of them. */
int hv_populate_frames(struct hv *hv, uint16_t domid, const uint64_t *pfn, size_t nr,
		       uint64_t *mfn);
/* As hv_map(), not writable: page tables can be mapped so. */
const void *hv_map_read(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr);

/* struct xen_domctl_ext_vcpucontext as bytes: entries of system calls and more. */
#define HV_CALLBACKS_SIZE 64
int hv_vcpu_get_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, uint8_t *ext);
int hv_vcpu_set_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, const uint8_t *ext);
/* FPU state, XSAVE's form. *@len: room, then used; 0: the machine has no XSAVE. -E2BIG. */
int hv_vcpu_get_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len);
int hv_vcpu_set_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *state,
		    size_t len);
/*
 * MSRs that a guest owns beyond its context, as struct xen_domctl_vcpu_msr: those that are not as
 * after a reset. *@len: room in bytes, then used. -E2BIG: more than there is room for.
 */
#define HV_MSR_SIZE 16
#define HV_MSRS_MAX 32
int hv_vcpu_get_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len);
/* @len: a multiple of HV_MSR_SIZE. -EINVAL: not of this machine, or a value that is none. */
int hv_vcpu_set_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *msrs,
		     size_t len);

/* --- what a guest writes while it runs (hv_dirty.c) --- */

/* From here on it is noted. -EOPNOTSUPP: this hypervisor cannot; -EINVAL: it is noted already. */
int hv_dirty_begin(struct hv *hv, uint16_t domid);
/*
 * A bit for each pfn below @nr_pfns that was written since the last call, or since the beginning;
 * @bits has whole groups of 64. *@nr: how many are set.
 */
int hv_dirty_take(struct hv *hv, uint16_t domid, uint8_t *bits, uint64_t nr_pfns, uint64_t *nr);
/* Not any more; 0 also if it was not. */
int hv_dirty_end(struct hv *hv, uint16_t domid);

struct hv_clock {
	uint32_t mode, khz;
	uint64_t elapsed_ns;
	uint32_t incarnation;
};
int hv_domain_get_clock(struct hv *hv, uint16_t domid, struct hv_clock *clock);
/* A domain that shut down to be suspended goes on where it was, and knows it. */
int hv_domain_resume(struct hv *hv, uint16_t domid);

#endif
