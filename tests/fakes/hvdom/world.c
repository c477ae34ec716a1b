/* SPDX-License-Identifier: MIT */
/* world.c - the fakes of x86/ and pv/ that domain/ and hypercall/ run on in host tests. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot/boot.h"
#include "domain/evtchn.h"
#include "domain/gnttab.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/machine.h"
#include "x86/smp.h"

struct world world;
unsigned char *fake_ram;
unsigned char guest_mem[64 * 4096] __attribute__((aligned(4096)));
static size_t guest_used;
static struct frame *table;
static u64 *m2p;
static u64 frames_before;

struct e820_map machine_e820 = {.nr = 1, .entry = {{0, (u64)WORLD_FRAMES << PAGE_SHIFT, E820_RAM}}};
struct boot_options boot_options = {.noreboot = true, .cmdline = "loglvl=all"};
char cpu_vendor[13] = "FakeCPUVendo";
unsigned int cpu_maxphys_bits = 40;
bool cpu_has_xsave;

/* --- life --- */

static void dom0_make(void)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = 1, .max_evtchn_port = 4095, .max_grant_frames = -1,
		.max_maptrack_frames = -1, .grant_opts = 1};

	if (domain_create(0, &config, &dom0) || vcpu_create(dom0, 0))
		abort();
	dom0->max_pages = WORLD_FRAMES;
	dom0->vcpu[0]->is_initialised = true;
	domain_unpause_by_controller(dom0);
	vcpu_up(dom0->vcpu[0]);
	sched_softirq(); /* no effect without current: the queue is filled */
	world_run(credit_pick(0));
	current->is_running = true;
	vcpu_runstate_change(current, RUNSTATE_running, world.now);
	memset(world.softirqs, 0, sizeof(world.softirqs));
}

static void machine_make(void)
{
	fake_ram = aligned_alloc(PAGE_SIZE, WORLD_FRAMES * PAGE_SIZE);
	memset(fake_ram, 0, WORLD_FRAMES * PAGE_SIZE);
	table = calloc(WORLD_FRAMES, sizeof(*table));
	m2p = calloc(WORLD_FRAMES, sizeof(*m2p));
	frame_table_init(table, m2p, WORLD_FRAMES);
	frame_mark_xen(_mfn(0), _mfn(16));
	page_alloc_add(_mfn(16), _mfn(WORLD_FRAMES - 64)); /* the last 64: device memory */
	sched_init();
}

void world_reset(void)
{
	s_time_t now = world.now; /* never goes backwards: timers outlive a test */

	memset(&world, 0, sizeof(world));
	memset(guest_mem, 0, sizeof(guest_mem));
	guest_used = 0;
	world.now = now + 1000;
	if (!dom0) {
		machine_make();
		dom0_make();
	}
	memset(world.softirqs, 0, sizeof(world.softirqs));
	frames_before = page_alloc_free_frames();
}

u64 world_end(void)
{
	/* Back to dom0, by hand: whoever runs may be about to die. */
	current->is_running = false;
	if (dom0->vcpu[0]->runstate.state == RUNSTATE_runnable)
		credit_remove(dom0->vcpu[0]);
	dom0->vcpu[0]->pause_flags = 0;
	world_run(dom0->vcpu[0]);
	vcpu_runstate_change(current, RUNSTATE_running, world.now);
	current->is_running = true;
	gnttab_release_mappings(dom0);
	dom0->gnttab->release_cursor = 0;
	for (struct domain *d = domain_list->next, *next; d; d = next) {
		next = d->next;
		while (domain_kill(d) == -ERESTART)
			;
	}
	if (domain_list->next)
		return WORLD_FRAMES; /* one is not gone: everything counts as lost */
	evtchn_reset(dom0);
	for (u64 i = 0; i < frame_table_nr; i++)
		if (!(table[i].ref & FRAME_FREE) && table[i].owner == 0)
			domain_frame_release(&table[i]);
	return frames_before - page_alloc_free_frames();
}

void world_run(struct vcpu *v)
{
	if (current)
		current->state_cpu = NO_CPU;
	current = v;
	v->state_cpu = v->last_cpu = fake_cpu_id;
}

struct domain *world_domain(domid_t domid, unsigned int nr_vcpus)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = nr_vcpus, .max_evtchn_port = 1023, .max_grant_frames = 4,
		.max_maptrack_frames = 8, .grant_opts = 1};
	struct domain *d;

	if (domain_create(domid, &config, &d))
		abort();
	d->max_pages = 512;
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		if (vcpu_create(d, i))
			abort();
		d->vcpu[i]->is_initialised = true;
	}
	vcpu_up(d->vcpu[0]);
	domain_unpause_by_controller(d);
	return d;
}

struct frame *world_page(struct domain *d)
{
	struct frame *f;

	if (domain_frames_alloc(d, 0, 0, &f))
		abort();
	return f;
}

void *guest_alloc(size_t len)
{
	void *p = guest_mem + guest_used;

	guest_used += ALIGN_UP(len, (size_t)8);
	if (guest_used > sizeof(guest_mem))
		abort();
	return p;
}

long hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct cpu_user_regs regs = {
		.rax = nr, .rdi = a0, .rsi = a1, .rdx = a2, .r10 = a3, .rip = 0x1002};

	do {
		regs.rip = 0x1002;
		hypercall_entry(&regs);
	} while (regs.rip == 0x1000);
	return (long)regs.rax;
}

void world_softirqs(void)
{
	hv_lock();
	softirq_process();
	hv_unlock();
}

/* --- x86 --- */

s_time_t now_ns(void)
{
	return world.now;
}

void apic_timer_set(s_time_t deadline_ns)
{
	world.hw_timer[fake_cpu_id] = deadline_ns > 0 ? deadline_ns : 0;
}

void softirq_raise(enum softirq nr)
{
	world.softirqs[fake_cpu_id] |= 1u << nr;
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	world.softirqs[cpu] |= 1u << nr;
}

void smp_kick(unsigned int cpu)
{
	world.kicks[cpu]++;
}

bool softirq_is_pending(void)
{
	return world.softirqs[fake_cpu_id] != 0 || world.preempt;
}

void softirq_process(void)
{
	while (world.softirqs[fake_cpu_id]) {
		unsigned int pending = world.softirqs[fake_cpu_id];

		world.softirqs[fake_cpu_id] = 0;
		if (pending & 1u << SOFTIRQ_TIMER)
			timer_softirq();
		if (pending & 1u << SOFTIRQ_SCHEDULE)
			sched_softirq();
	}
}

void irq_window(void)
{
}

void cpu_idle_wait(void)
{
	world.idle_waits++;
	if (hv_lock_is_held())
		abort(); /* nobody else could do anything meanwhile */
	if (world.on_idle) {
		world.on_idle();
	} else if (world.hw_timer[fake_cpu_id]) {
		world.now = MAX(world.now, world.hw_timer[fake_cpu_id]);
		softirq_raise(SOFTIRQ_TIMER);
	} else {
		fprintf(stderr, "idle for ever\n");
		abort();
	}
}

void clock_get_params(struct clock_params *out)
{
	*out = (struct clock_params){.tsc_base = 5, .ns_base = 7, .mul = 1u << 31, .shift = 1};
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	*sec = 1700000000;
	*nsec = 5;
}

void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns)
{
}

void return_to_guest(void)
{
	abort();
}

unsigned int gsi_count(void)
{
	return 24;
}

int gsi_setup(unsigned int gsi, bool level, bool active_low)
{
	return 0;
}

int gsi_bind_guest(unsigned int gsi)
{
	if (world.gsi_bound[gsi])
		return -EBUSY;
	world.gsi_bound[gsi] = 1;
	return 0;
}

void gsi_unbind_guest(unsigned int gsi)
{
	world.gsi_bound[gsi] = 0;
}

void gsi_guest_eoi(unsigned int gsi)
{
}

bool gsi_needs_eoi(unsigned int gsi)
{
	return gsi >= 9;
}

int ioapic_guest_read(u64 base, u32 reg, u32 *value)
{
	*value = reg;
	return 0;
}

int acpi_enter_sleep(u16 a, u16 b, u8 state)
{
	world.machine_stops++;
	return 0;
}

static _Noreturn void machine_stop(void)
{
	world.machine_stops++;
	if (!world.on_stop)
		abort();
	longjmp(*world.on_stop, 1);
}

void machine_halt(void)
{
	machine_stop();
}

void machine_reboot(void)
{
	machine_stop();
}

void machine_power_off(void)
{
	machine_stop();
}

void console_write_guest(const struct vcpu *v, const char *buf, size_t len)
{
}

size_t console_read(char *buf, size_t len)
{
	return 0;
}

size_t conring_read(char *buf, size_t len, u32 *idx)
{
	return 0;
}

void conring_clear(void)
{
}

int fpu_vcpu_init(struct vcpu *v)
{
	v->fpu_area = xzalloc(1024);
	return v->fpu_area ? 0 : -ENOMEM;
}

void fpu_vcpu_fini(struct vcpu *v)
{
	xfree(v->fpu_area);
}

void fpu_switch_out(struct vcpu *v)
{
}

void fpu_switch_in(struct vcpu *v)
{
}

u64 fpu_xcr0_mask(void)
{
	return 3;
}

size_t fpu_area_size(void)
{
	return 1024;
}

u32 tlb_clock(void)
{
	return 1;
}

void tlb_flush_stale(u32 stamp)
{
}

/* --- guest copies --- */

bool guest_range_ok(u64 va, u64 n, u64 size)
{
	u64 len = n * size;

	if (size && len / size != n)
		return false;
	return va + len >= va && (va + len <= HV_HOLE_START || va >= HV_HOLE_END) &&
	       (s64)(va << 16) >> 16 == (s64)va;
}

static bool is_mapped(u64 va, size_t len)
{
	return va >= GUEST(guest_mem) && va - GUEST(guest_mem) <= sizeof(guest_mem) &&
	       len <= sizeof(guest_mem) - (va - GUEST(guest_mem));
}

int copy_from_guest(void *dst, u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	if (len)
		memcpy(dst, (const void *)va, len);
	return 0;
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	if (len)
		memcpy((void *)va, src, len);
	return 0;
}

int clear_guest(u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	memset((void *)va, 0, len);
	return 0;
}

/* --- memory of the hypervisor --- */

void *xzalloc(size_t size)
{
	return calloc(1, size ? size : 1);
}

void xfree(void *p)
{
	free(p);
}

void *xen_pages_alloc(unsigned int order)
{
	struct frame *f = frames_alloc(order, 0);

	if (!f)
		return NULL;
	memset(mfn_to_virt(frame_to_mfn(f)), 0, PAGE_SIZE << order);
	return mfn_to_virt(frame_to_mfn(f));
}

void xen_pages_free(void *va, unsigned int order)
{
	frames_free(virt_to_frame(va), order);
}

/* --- pv --- */

int frame_type_get(struct frame *f, enum frame_type type)
{
	if (frame_type_count(f) && frame_type_of(f) != type)
		return -EBUSY;
	f->type = ((u64)type << FT_SHIFT) | FT_VALID | (frame_type_count(f) + 1);
	return 0;
}

void frame_type_put(struct frame *f)
{
	BUG_ON(frame_type_count(f) == 0);
	f->type--;
}

int frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type)
{
	int rc;

	if (!frame_get(f, d))
		return -EPERM;
	rc = frame_type_get(f, type);
	if (rc)
		frame_put(f);
	return rc;
}

void frame_put_and_type(struct frame *f)
{
	frame_type_put(f);
	frame_put(f);
}

int pv_domain_init(struct domain *d)
{
	return 0;
}

void pv_domain_fini(struct domain *d)
{
}

int pv_vcpu_init(struct vcpu *v)
{
	return 0;
}

void pv_vcpu_fini(struct vcpu *v)
{
}

int pv_domain_relinquish(struct domain *d)
{
	for (u64 i = 0; i < frame_table_nr; i++)
		if (!(frame_table[i].ref & FRAME_FREE) && frame_table[i].owner == d->domain_id)
			domain_frame_release(&frame_table[i]);
	return 0;
}

int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	v->is_initialised = true;
	return 0;
}

void pv_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c)
{
	memset(c, 0, sizeof(*c));
}

void pv_vcpu_switch_out(struct vcpu *v)
{
}

void pv_tables_leave(void)
{
}

void pv_vcpu_switch_in(struct vcpu *v)
{
	world.switches_in++;
}

bool vcpu_event_is_deliverable(const struct vcpu *v)
{
	return world.event_deliverable ||
	       (v->vcpu_info->evtchn_upcall_pending && !v->vcpu_info->evtchn_upcall_mask);
}

int pv_audit(unsigned int *nr_wrong)
{
	world.audits++;
	*nr_wrong = 0;
	return 0;
}

int pv_grant_map_pte(u64 host_addr, u32 flags, mfn_t frame)
{
	if (world.pte_map_fails)
		return -EINVAL;
	world.pte_maps++;
	return 0;
}

int pv_grant_unmap_pte(u64 host_addr, u64 new_addr, u32 flags, mfn_t frame)
{
	if (world.pte_unmap_fails)
		return -EINVAL;
	world.pte_maps--;
	return 0;
}

void tlb_flush_domain(const struct domain *d)
{
	world.flushes++;
}

void pv_cpuid(const struct domain *d, u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *dd)
{
	*a = leaf == 0 ? 0xd : leaf == 0x80000000 ? 0x80000008 : 0;
	*b = *c = *dd = 0;
}

#define FAKE_HC(n)                                                                                 \
	long hc_##n(struct hc_args *a)                                                             \
	{                                                                                          \
		return -ENOSYS;                                                                    \
	}
FAKE_HC(set_trap_table)
FAKE_HC(mmu_update)
FAKE_HC(set_gdt)
FAKE_HC(stack_switch)
FAKE_HC(set_callbacks)
FAKE_HC(fpu_taskswitch)
FAKE_HC(set_debugreg)
FAKE_HC(get_debugreg)
FAKE_HC(update_descriptor)
FAKE_HC(update_va_mapping)
FAKE_HC(update_va_mapping_otherdomain)
FAKE_HC(set_segment_base)
FAKE_HC(mmuext_op)
FAKE_HC(callback_op)

long hc_iret(struct hc_args *a)
{
	return HC_REGS_SET;
}

/* --- lib --- */

void hv_log(enum log_level level, const char *fmt, ...)
{
}

void hv_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		memcpy(dst, src, MIN(len, size - 1));
		dst[MIN(len, size - 1)] = 0;
	}
	return len;
}
