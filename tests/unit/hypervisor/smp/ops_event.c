/* SPDX-License-Identifier: MIT */
/* ops_event.c - event channels between guests, and a guest's own vcpus: timers, waiting. */
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "guest.h"
#include "x86/clock.h"

#define TIMEOUT_NS 50000
#define MANY 80 /* ports */

static u32 any_port(const struct guest *g)
{
	u32 port = LOAD(g->port[cpu_random(PORTS)]);

	return cpu_random(10) ? port : cpu_random(40);
}

static bool event(struct guest_vcpu *gv, u32 cmd)
{
	gv->place = cpu_random(PORTS);
	return call(__HYPERVISOR_event_channel_op, cmd, GUEST_PTR(gv->args), 0, 0);
}

static bool port_keep(struct guest *g, struct guest_vcpu *gv, u32 port)
{
	/* the one that was there stays open, for a guessed number */
	STORE(g->port[gv->place], port);
	return true;
}

static bool alloc_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_alloc_unbound *)gv->args = (struct evtchn_alloc_unbound){
		.dom = DOMID_SELF, .remote_dom = (domid_t)LOAD(any_guest()->domid)};
	return event(gv, EVTCHNOP_alloc_unbound);
}

static bool alloc_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 && port_keep(g, gv, ((struct evtchn_alloc_unbound *)gv->args)->port);
}

/* More than a reset closes without a look whether others wait, in one call. */
static bool many_start(struct guest *g, struct guest_vcpu *gv)
{
	struct multicall_entry *list = (struct multicall_entry *)gv->args;
	struct evtchn_alloc_unbound *arg = (struct evtchn_alloc_unbound *)(list + MANY);

	for (u32 i = 0; i < MANY; i++) {
		arg[i] = (struct evtchn_alloc_unbound){ .dom = DOMID_SELF,
							.remote_dom = (domid_t)LOAD(any_guest()->domid) };
		list[i] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op,
						    .args = { EVTCHNOP_alloc_unbound, GUEST_PTR(&arg[i]) } };
	}
	return call(__HYPERVISOR_multicall, GUEST_PTR(list), MANY, 0, 0);
}

static bool bind_start(struct guest *g, struct guest_vcpu *gv)
{
	struct guest *other = any_guest();

	*(struct evtchn_bind_interdomain *)gv->args = (struct evtchn_bind_interdomain){
		.remote_dom = (domid_t)LOAD(other->domid), .remote_port = any_port(other)};
	return event(gv, EVTCHNOP_bind_interdomain);
}

static bool bind_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 &&
	       port_keep(g, gv, ((struct evtchn_bind_interdomain *)gv->args)->local_port);
}

static bool ipi_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_bind_ipi *)gv->args = (struct evtchn_bind_ipi){ .vcpu = cpu_random(3) };
	return event(gv, EVTCHNOP_bind_ipi);
}

static bool ipi_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 && port_keep(g, gv, ((struct evtchn_bind_ipi *)gv->args)->port);
}

static bool virq_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_bind_virq *)gv->args =
		(struct evtchn_bind_virq){ .virq = cpu_random(4), .vcpu = cpu_random(2) };
	return event(gv, EVTCHNOP_bind_virq);
}

static bool virq_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 && port_keep(g, gv, ((struct evtchn_bind_virq *)gv->args)->port);
}

static bool send_start(struct guest *g, struct guest_vcpu *gv)
{
	((struct evtchn_send *)gv->args)->port = any_port(g);
	return event(gv, EVTCHNOP_send);
}

static bool close_start(struct guest *g, struct guest_vcpu *gv)
{
	((struct evtchn_close *)gv->args)->port = any_port(g);
	return event(gv, EVTCHNOP_close);
}

static bool unmask_start(struct guest *g, struct guest_vcpu *gv)
{
	((struct evtchn_unmask *)gv->args)->port = any_port(g);
	return event(gv, EVTCHNOP_unmask);
}

static bool bind_vcpu_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_bind_vcpu *)gv->args =
		(struct evtchn_bind_vcpu){ .port = any_port(g), .vcpu = cpu_random(3) };
	return event(gv, EVTCHNOP_bind_vcpu);
}

static bool status_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_status *)gv->args =
		(struct evtchn_status){ .dom = DOMID_SELF, .port = any_port(g) };
	return event(gv, EVTCHNOP_status);
}

static bool reset_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct evtchn_reset *)gv->args = (struct evtchn_reset){ .dom = DOMID_SELF };
	return event(gv, EVTCHNOP_reset);
}

/* --- vcpus --- */

static bool timer_start(struct guest *g, struct guest_vcpu *gv)
{
	return call(__HYPERVISOR_set_timer_op, (u64)now_ns() + cpu_random(TIMEOUT_NS), 0, 0, 0);
}

static bool yield_start(struct guest *g, struct guest_vcpu *gv)
{
	return call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0);
}

/* Never without an end: the timer it set before, or this one. */
static bool poll_start(struct guest *g, struct guest_vcpu *gv)
{
	struct sched_poll *op = (struct sched_poll *)gv->args;
	evtchn_port_t *ports = (evtchn_port_t *)(gv->args + 64);

	ports[0] = any_port(g);
	ports[1] = any_port(g);
	*op = (struct sched_poll){ .nr_ports = 1 + cpu_random(2),
				   .timeout = (u64)now_ns() + cpu_random(TIMEOUT_NS) };
	set_xen_guest_handle(op->ports, ports);
	return call(__HYPERVISOR_sched_op, SCHEDOP_poll, GUEST_PTR(op), 0, 0);
}

/* It never takes itself down, so a guest is never all asleep. */
static bool sibling_start(struct guest *g, struct guest_vcpu *gv)
{
	u32 other = !current->vcpu_id;

	if (current->vcpu_id)
		return call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, other, 0, 0);
	return call(__HYPERVISOR_vcpu_op, cpu_random(3) ? VCPUOP_up : VCPUOP_down, other, 0, 0);
}

/* To be saved, as it believes; dom0 lets it go on, or ends it. */
static bool suspend_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct sched_shutdown *)gv->args = (struct sched_shutdown){ .reason = SHUTDOWN_suspend };
	return call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, GUEST_PTR(gv->args), 0, 0);
}

static bool info_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct vcpu_register_vcpu_info *)gv->args = (struct vcpu_register_vcpu_info){
		.mfn = any_frame(g), .offset = 64 * cpu_random(40)};
	return call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, current->vcpu_id,
		    GUEST_PTR(gv->args), 0);
}

/* Areas by virtual address: the hypervisor writes them through the guest's tables. */
static bool area_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 *addr = (u64 *)gv->args;

	*addr = va_of(cpu_random(NR_VAS)) + 64;
	return call(__HYPERVISOR_vcpu_op,
		    cpu_random(2) ? VCPUOP_register_runstate_memory_area :
				    VCPUOP_register_vcpu_time_memory_area,
		    current->vcpu_id, GUEST_PTR(addr), 0);
}

struct op event_ops[] = {
	{ "evtchn_alloc", 3, 2, alloc_start, alloc_done },
	{ "evtchn_many", 1, 0, many_start, NULL },
	{ "evtchn_bind", 6, 4, bind_start, bind_done },
	{ "evtchn_ipi", 1, 1, ipi_start, ipi_done },
	{ "evtchn_virq", 1, 1, virq_start, virq_done },
	{ "evtchn_send", 10, 6, send_start, NULL },
	{ "evtchn_close", 3, 2, close_start, NULL },
	{ "evtchn_unmask", 2, 1, unmask_start, NULL },
	{ "evtchn_bind_vcpu", 1, 1, bind_vcpu_start, NULL },
	{ "evtchn_status", 1, 1, status_start, NULL },
	{ "evtchn_reset", 1, 0, reset_start, NULL },
	{ "timer", 2, 1, timer_start, NULL },
	{ "yield", 1, 1, yield_start, NULL },
	{ "poll", 2, 1, poll_start, NULL },
	{ "sibling", 1, 1, sibling_start, NULL },
	{ "suspend", 1, 0, suspend_start, NULL },
	{ "vcpu_info", 1, 1, info_start, NULL },
	{ "vcpu_area", 1, 1, area_start, NULL },
	{ .name = NULL },
};
