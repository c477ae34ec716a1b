/* SPDX-License-Identifier: MIT */
/*
 * given_up.c - long calls that an event stops, and that the guest then does not go on with as it
 * began: it gives them up, or goes on with other arguments. What they left half done is played
 * with; then the guest shows that it can end all of it and lives. Drawn from one seed
 * ("given_up=N" on the command line); "knock=1" there: the second vcpu makes events, too, wherever
 * the first one is.
 */
#include "claim.h"
#include "draw.h"

#define ROUNDS 12
#define CALLS 64 /* a round */
#define TABLES 24
#define USED 24 /* entries of each */
#define BATCH 8
#define PORTS 200 /* a reset closes 64, then it may stop */
#define TIMER_NS 20000 /* until an event, when it does not come at once */
#define PASSES 8
#define PLACES 4
#define PLACE(i) ((void *)(0x8000000000UL * (64 + (i)))) /* level-4 slots that are empty */
#define SYSCALL 0x050f

enum kind { PIN, UPDATE, OPERATIONS, MANY, MEMORY, GRANT, COPY, RESET, START, KINDS };
static const char *const kind_name[KINDS] = {
	"pin", "mmu_update", "mmuext_op", "multicall", "memory_op", "grant map", "grant copy",
	"reset", "start of a vcpu",
};

static enum kind kind; /* of the call under way */
static u64 stops[KINDS], given_up[KINDS];
static u64 *request, nr_words; /* what it may go on with otherwise */

static u64 *table[TABLES], *data, *loose[BATCH], *view[BATCH];
static grant_ref_t ref[BATCH];
static domid_t self;

/* --- what comes of an event --- */

static u64 an_entry(void)
{
	u64 *t = table[draw_below(TABLES)];

	switch (draw_below(6)) {
	case 0: return 0;
	case 1: return pte_make(virt_to_mfn(t), PTE_RO);
	case 2: return pte_make(virt_to_mfn(data), PTE_DATA);
	default: return pte_make(virt_to_mfn(t), PTE_TABLE);
	}
}

static u64 an_entry_address(void)
{
	u64 *t = table[draw_below(TABLES)];

	if (draw_below(8) == 0)
		return pte_maddr(PLACE(draw_below(PLACES)), 4);
	return virt_to_mfn(t) << PAGE_SHIFT | draw_below(USED) * sizeof(u64);
}

static void timer_set(void)
{
	struct vcpu_set_singleshot_timer timer = { 0 };

	timer.timeout_abs_ns = clock_ns() + draw_below(TIMER_NS);
	hc_vcpu(VCPUOP_set_singleshot_timer, 0, &timer);
}

static void events_forget(void)
{
	struct vcpu_info *vi = &shared_info->vcpu_info[0];

	vi->evtchn_upcall_pending = 0;
	vi->evtchn_pending_sel = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(shared_info->evtchn_pending); i++)
		shared_info->evtchn_pending[i] = 0;
}

/* The call is stopped where the instruction is to be done again. */
static bool on_event(struct trap_frame *f)
{
	if (f->vector != ENTRY_EVENT)
		return false;
	events_forget();
	if (*(const u16 *)f->rip != SYSCALL)
		return true;
	stops[kind]++;
	switch (draw_below(4)) {
	case 0: /* goes on, and is stopped again */
		timer_set();
		break;
	case 1:
		if (request)
			request[draw_below(nr_words)] =
				draw_below(2) ? an_entry() : an_entry_address();
		break;
	default:
		given_up[kind]++;
		f->rip += sizeof(u16);
		f->rax = (u64)-EINTR;
	}
	return true;
}

/* The other vcpu: an event whenever it likes, and the first one does something between two. */
static void knock(void *unused)
{
	for (u64 n = 1;; n = n * 6364136223846793005UL + 1442695040888963407UL) {
		for (volatile u64 i = 0; i < n >> 48; i++)
			;
		WRITE_ONCE(shared_info->vcpu_info[0].evtchn_upcall_pending, 1);
	}
}

/* The next call is stopped, at the first place where it may be or at a later one. */
static void begin(enum kind k, void *words, size_t size)
{
	kind = k;
	request = words;
	nr_words = size / sizeof(u64);
	if (draw_below(2))
		shared_info->vcpu_info[0].evtchn_upcall_pending = 1;
	else
		timer_set();
	shared_info->vcpu_info[0].evtchn_upcall_mask = 0;
}

static void end(void)
{
	shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
	events_forget();
}

/* --- page tables --- */

static void an_operation(struct mmuext_op *op)
{
	static const unsigned int cmd[] = {
		MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE,
		MMUEXT_UNPIN_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_USER_BASEPTR,
		MMUEXT_TLB_FLUSH_LOCAL,
	};

	*op = (struct mmuext_op){ .cmd = cmd[draw_below(ARRAY_SIZE(cmd))] };
	op->arg1.mfn = virt_to_mfn(table[draw_below(TABLES)]);
}

static void some_operations(enum kind k, unsigned int nr)
{
	static struct mmuext_op op[BATCH];

	for (unsigned int i = 0; i < nr; i++)
		an_operation(&op[i]);
	if (k == PIN)
		op[0].cmd = MMUEXT_PIN_L2_TABLE + (unsigned int)draw_below(3);
	begin(k, op, nr * sizeof(op[0]));
	hypercall(mmuext_op, op, nr, 0, DOMID_SELF);
	end();
}

static void some_updates(void)
{
	static struct mmu_update req[BATCH];

	for (unsigned int i = 0; i < BATCH; i++)
		req[i] = (struct mmu_update){ an_entry_address(), an_entry() };
	begin(UPDATE, req, sizeof(req));
	hypercall(mmu_update, req, BATCH, 0, DOMID_SELF);
	end();
}

static void many_calls(void)
{
	static struct multicall_entry call[BATCH];
	static struct mmuext_op op[BATCH];

	for (unsigned int i = 0; i < BATCH; i++) {
		an_operation(&op[i]);
		call[i] = (struct multicall_entry){ .op = __HYPERVISOR_mmuext_op,
						    .args = { (u64)&op[i], 1, 0, DOMID_SELF } };
	}
	begin(MANY, op, sizeof(op));
	hypercall(multicall, call, BATCH);
	end();
}

/* What it is half of is made whole or refused, and ended. False: another still names it. */
static bool is_plain(u64 *t)
{
	u64 mfn = virt_to_mfn(t);

	while (hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0) == 0)
		;
	for (unsigned int level = 0; level < 4; level++) {
		if (page_writable(t) == 0)
			return true;
		if (hc_mmuext(MMUEXT_PIN_L1_TABLE + level, mfn, 0) == 0)
			need(hc_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	}
	return page_writable(t) == 0;
}

static void tables_end(void)
{
	unsigned int nr_left = TABLES;

	for (unsigned int i = 0; i < PLACES; i++)
		need(hc_mmu_update(pte_maddr(PLACE(i), 4), 0));
	need(hc_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	for (unsigned int pass = 0; nr_left && pass < PASSES; pass++) {
		nr_left = 0;
		for (unsigned int i = 0; i < TABLES; i++)
			nr_left += !is_plain(table[i]);
	}
	check_is(nr_left, 0);
	memset(data, 0x5a, PAGE_SIZE);
	for (unsigned int i = 0; i < TABLES; i++)
		for (unsigned int j = 0; j < USED; j++)
			check(table[i][j] != 0x5a5a5a5a5a5a5a5a);
}

/* Half are to be of level 1, a quarter of level 2, and so on; now and then another entry. */
static void tables_begin(void)
{
	unsigned int first = 0, below_first = 0;

	for (unsigned int i = 0; i < TABLES; i++) {
		if (i == TABLES / 2 || i == TABLES * 3 / 4 || i == TABLES * 7 / 8) {
			below_first = first;
			first = i;
		}
		memset(table[i], 0, PAGE_SIZE);
		for (unsigned int j = 0; j < USED; j++) {
			u64 *below = table[below_first + draw_below(first - below_first + !first)];

			table[i][j] = first ? pte_make(virt_to_mfn(below), PTE_TABLE) :
					      pte_make(virt_to_mfn(data), PTE_RO);
			if (draw_below(256) == 0)
				table[i][j] = an_entry();
		}
	}
	for (unsigned int i = 0; i < TABLES; i++)
		need(page_readonly(table[i]));
}

/* --- memory --- */

/* The page has the frame @given, or the one that it had, or a new one: the frames know. */
static void loose_settle(unsigned int i, xen_pfn_t given)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	xen_pfn_t frame = virt_to_pfn(loose[i]);

	if (mfn_to_pfn(given) == frame)
		p2m_set(frame, given);
	if (mfn_to_pfn(virt_to_mfn(loose[i])) == frame && page_writable(loose[i]) == 0)
		return;
	set_xen_guest_handle(r.extent_start, &frame);
	check_is(hc_memory(XENMEM_populate_physmap, &r), 1);
	p2m_set(virt_to_pfn(loose[i]), frame);
	need(page_writable(loose[i]));
}

static void some_memory(void)
{
	static xen_pfn_t in[BATCH], out[BATCH];
	struct xen_memory_reservation r = { .nr_extents = BATCH, .domid = DOMID_SELF };
	struct xen_memory_exchange exchange = { .in = r, .out = r };

	for (unsigned int i = 0; i < BATCH; i++) {
		need(map_page(loose[i], 0));
		in[i] = virt_to_mfn(loose[i]);
		out[i] = virt_to_pfn(loose[i]);
	}
	set_xen_guest_handle(r.extent_start, in);
	set_xen_guest_handle(exchange.in.extent_start, in);
	set_xen_guest_handle(exchange.out.extent_start, out);
	begin(MEMORY, NULL, 0);
	if (draw_below(2)) {
		hc_memory(XENMEM_exchange, &exchange);
	} else if (hc_memory(XENMEM_decrease_reservation, &r) == BATCH) {
		set_xen_guest_handle(r.extent_start, out);
		begin(MEMORY, NULL, 0);
		hc_memory(XENMEM_populate_physmap, &r);
	}
	end();
	for (unsigned int i = 0; i < BATCH; i++)
		loose_settle(i, out[i]);
}

/* --- grants --- */

static void some_grants(void)
{
	static struct gnttab_map_grant_ref map[BATCH];
	static struct gnttab_unmap_grant_ref unmap[BATCH];

	for (unsigned int i = 0; i < BATCH; i++) {
		need(map_page(view[i], 0));
		map[i] = (struct gnttab_map_grant_ref){ .host_addr = (u64)view[i],
							.flags = GNTMAP_host_map,
							.ref = ref[i],
							.dom = self,
							.status = GNTST_general_error };
	}
	begin(GRANT, NULL, 0);
	hc_gnttab(GNTTABOP_map_grant_ref, map, BATCH);
	end();
	for (unsigned int i = 0; i < BATCH; i++) {
		unmap[i] = (struct gnttab_unmap_grant_ref){ .host_addr = (u64)view[i],
							    .handle = ~0u,
							    .status = GNTST_eagain };
		if (!map[i].status)
			unmap[i].handle = map[i].handle;
	}
	begin(GRANT, NULL, 0);
	hc_gnttab(GNTTABOP_unmap_grant_ref, unmap, BATCH);
	end();
	for (unsigned int i = 0; i < BATCH; i++) {
		if (!map[i].status && unmap[i].status == GNTST_eagain)
			check_is(grant_unmap(map[i].handle, view[i]), GNTST_okay);
		check(!(grants_table()[ref[i]].flags & (GTF_reading | GTF_writing)));
		need(page_writable(view[i]));
	}
}

static void some_copies(void)
{
	static struct gnttab_copy copy[BATCH];

	for (unsigned int i = 0; i < BATCH; i++) {
		copy[i] = (struct gnttab_copy){ .len = PAGE_SIZE,
						.flags = GNTCOPY_source_gref,
						.source = { .domid = self },
						.dest = { .domid = self } };
		copy[i].source.u.ref = ref[i];
		copy[i].dest.u.gmfn = virt_to_mfn(view[i]);
	}
	begin(COPY, NULL, 0);
	hc_gnttab(GNTTABOP_copy, copy, BATCH);
	end();
	for (unsigned int i = 0; i < BATCH; i++)
		check(!(grants_table()[ref[i]].flags & (GTF_reading | GTF_writing)));
}

/* --- event channels --- */

static void timer_bind(void)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER };

	if (hc_evtchn(EVTCHNOP_bind_virq, &bind) == 0)
		shared_info->evtchn_mask[bind.port / 64] &= ~(1UL << bind.port % 64);
}

static void some_ports(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_reset reset = { .dom = DOMID_SELF };

	for (unsigned int i = 0; i < PORTS; i++)
		need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	begin(RESET, NULL, 0);
	hc_evtchn(EVTCHNOP_reset, &reset);
	end();
	for (unsigned int i = (unsigned int)draw_below(PORTS / 2); i; i--)
		need(hc_evtchn(EVTCHNOP_alloc_unbound, &alloc));
	need(hc_evtchn(EVTCHNOP_reset, &reset));
	for (evtchn_port_t port = 1; port < PORTS; port++) {
		struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

		check_is(hc_evtchn(EVTCHNOP_status, &status), 0);
		check_is(status.status, EVTCHNSTAT_closed);
	}
	timer_bind();
}

/* --- */

/* The second vcpu, with tables that may be half done: it is never up. */
static void a_start(void)
{
	static struct vcpu_guest_context ctx;

	if (!ctx.ctrlreg[3])
		vcpu_context(&ctx, 1, NULL, NULL);
	ctx.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(table[TABLES - 1 - draw_below(TABLES / 8)]));
	ctx.ctrlreg[1] = virt_to_mfn(table[TABLES - 1 - draw_below(TABLES / 8)]) << PAGE_SHIFT;
	begin(START, NULL, 0);
	hc_vcpu(VCPUOP_initialise, 1, &ctx);
	end();
}

static void one_call(void)
{
	switch (draw_below(12)) {
	case 0: some_memory(); break;
	case 1: some_grants(); break;
	case 2: some_copies(); break;
	case 3: some_ports(); break;
	case 4: many_calls(); break;
	case 5: some_operations(OPERATIONS, BATCH); break;
	case 6:
	case 7: some_updates(); break;
	default: some_operations(PIN, 1);
	}
}

static void shows_that_it_lives(void)
{
	evtchn_port_t a, b;

	need(port_pair(&a, &b));
	check_is(port_send(a), 0);
	check(port_take(b));
	check_is(port_close(a), 0);
	check_is(port_close(b), 0);
}

GUEST_TEST(given_up, "calls that are given up leave nothing that the guest cannot end", ALSO_DOM0)
{
	u64 seed = draw_option("given_up=", 1), nr_stops = 0, nr_given_up = 0;
	struct evtchn_reset reset = { .dom = DOMID_SELF };

	draw_from(seed);
	self = guest_domid();
	data = page_alloc();
	for (unsigned int i = 0; i < TABLES; i++)
		table[i] = page_alloc();
	for (unsigned int i = 0; i < BATCH; i++) {
		loose[i] = page_alloc();
		view[i] = page_alloc();
		ref[i] = grant_offer(self, virt_to_mfn(page_alloc()), 0);
	}
	for (unsigned int i = 0; i < PLACES; i++)
		need(*pte_find(PLACE(i), 4) != 0);
	timer_bind();
	trap_hook(on_event);
	if (draw_option("knock=", 0))
		need(vcpu_run(1, knock, NULL));
	for (unsigned int round = 0; round < ROUNDS; round++) {
		tables_begin();
		for (unsigned int i = 0; i < CALLS; i++)
			one_call();
		tables_end();
		shows_that_it_lives();
	}
	for (unsigned int k = 0; k < START; k++) {
		say("%s: stopped %lu times, given up %lu\n", kind_name[k], stops[k], given_up[k]);
		nr_stops += stops[k];
		nr_given_up += given_up[k];
	}
	say("given up: %lu of %lu\n", nr_given_up, nr_stops);
	for (unsigned int k = 0; k < START; k++)
		check(given_up[k]);
	trap_hook(NULL);
	need(hc_evtchn(EVTCHNOP_reset, &reset));
	events_init();
	if (guest_is_dom0())
		return;
	trap_hook(on_event);
	timer_bind();
	/* what is left half done now is its end's to undo */
	tables_begin();
	for (unsigned int i = 0; i < CALLS; i++) {
		one_call();
		a_start();
	}
}
