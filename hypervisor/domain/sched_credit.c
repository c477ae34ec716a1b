/* SPDX-License-Identifier: MIT */
/*
 * sched_credit.c - the policy: credits in nanoseconds of CPU time, given to domains by weight
 * every period (sched_share.c), burnt by running. Priorities: BOOST (just woke to handle an event),
 * UNDER (has credit), OVER (spent it). Work-conserving but for caps. While no vcpu waits for a CPU
 * no timer runs at all.
 *
 * Owns the run queue (vcpu.sched_next) and struct sched_vcpu. One queue serves all CPUs, so nothing
 * ever has to be balanced; a vcpu prefers the CPU it ran on. Lock: the hypervisor's.
 */
#include "domain/sched.h"

#include "domain/sched_share.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "x86/clock.h"
#include "x86/smp.h"
#include "x86/softirq.h"

#define SLICE_NS 30000000LL  /* at most this long while others of the same priority wait */
#define BOOST_NS 10000000LL  /* a boosted vcpu loses its boost after running this long */
/*
 * A vcpu that has just got its CPU keeps it this long though one more urgent wakes up: else two
 * that hand each other small things, a card's packets, change places for each.
 */
#define GRACE_NS 200000LL
#define PERIOD_NS 30000000LL /* accounting */
/*
 * Debts and savings survive a few periods (a whole slice may cost more than a period's share),
 * not more.
 */
#define CREDIT_MIN (-4 * PERIOD_NS)
#define CREDIT_MAX (2 * PERIOD_NS)
#define ELAPSED_MAX (10 * PERIOD_NS) /* after a longer stop all begin anew */

enum credit_prio { PRIO_BOOST, PRIO_UNDER, PRIO_OVER, PRIO_PARKED };

struct sched_vcpu {
	s_time_t credit; /* CREDIT_MIN..CREDIT_MAX */
	s_time_t started_ns;
	s_time_t boost_left;
	u8 prio;
	bool is_queued;
	bool is_active; /* ran or was runnable since the last accounting */
	struct share share; /* of the time since the last accounting; while it is under way */
};

static struct vcpu *queue; /* ascending prio, descending credit; for all CPUs */
static struct {
	struct vcpu *running; /* the one picked last, while it runs; NULL: idle */
	s_time_t since_ns;    /* it runs */
	struct timer slice_timer;
	bool is_called; /* idle, and told to look at the queue */
} cpus[NR_CPUS];
static struct timer account_timer;
static bool is_accounting; /* two want a CPU, or a capped one runs: account_timer is armed */
static s_time_t accounted_ns; /* the time until then has been divided */

static void account(void *arg);

static void slice_end(void *arg)
{
	softirq_raise_on((unsigned int)(uintptr_t)arg, SOFTIRQ_SCHEDULE);
}

void credit_init(void)
{
	for (unsigned int i = 0; i < NR_CPUS; i++)
		timer_init(&cpus[i].slice_timer, slice_end, (void *)(uintptr_t)i);
	timer_init(&account_timer, account, NULL);
}

static bool may_run_on(const struct vcpu *v, unsigned int cpu)
{
	return v->affinity >> cpu & 1;
}

static bool is_on_a_cpu(const struct vcpu *v)
{
	return v->last_cpu < NR_CPUS && cpus[v->last_cpu].running == v;
}

int credit_vcpu_init(struct vcpu *v)
{
	v->sched = xzalloc_obj(struct sched_vcpu);
	if (!v->sched)
		return -ENOMEM;
	v->sched->prio = PRIO_UNDER;
	return 0;
}

void credit_vcpu_fini(struct vcpu *v)
{
	if (!v->sched)
		return;
	credit_remove(v);
	if (is_on_a_cpu(v))
		cpus[v->last_cpu].running = NULL;
	xfree(v->sched);
	v->sched = NULL;
}

static void queue_link(struct vcpu *v, struct vcpu **link)
{
	v->sched_next = *link;
	*link = v;
	v->sched->is_queued = true;
}

/* Behind all of its priority. */
static void queue_append(struct vcpu *v)
{
	struct vcpu **link = &queue;

	while (*link && (*link)->sched->prio <= v->sched->prio)
		link = &(*link)->sched_next;
	queue_link(v, link);
}

/*
 * Behind all of its priority that have as much credit: who was given more than it could use goes
 * first, and who owes least.
 */
static void queue_insert(struct vcpu *v)
{
	const struct sched_vcpu *s = v->sched;
	struct vcpu **link = &queue;

	while (*link && ((*link)->sched->prio < s->prio || ((*link)->sched->prio == s->prio &&
							    (*link)->sched->credit >= s->credit)))
		link = &(*link)->sched_next;
	queue_link(v, link);
}

void credit_remove(struct vcpu *v)
{
	struct vcpu **link = &queue;

	if (!v->sched->is_queued)
		return;
	while (*link != v)
		link = &(*link)->sched_next;
	*link = v->sched_next;
	v->sched_next = NULL;
	v->sched->is_queued = false;
}

/* It waited while others ran, or nobody waited at all: its debt is paid. */
static void forgive(struct sched_vcpu *s)
{
	s->credit = MAX(s->credit, 0);
	s->prio = PRIO_UNDER;
}

/* All who owe, but for those in the queue, which keep their places. */
static void forgive_all(void)
{
	for (struct domain *d = domain_list; d; d = d->next)
		for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
			struct sched_vcpu *s = d->vcpu[i] ? d->vcpu[i]->sched : NULL;

			if (s && s->credit < 0 && !s->is_queued)
				forgive(s);
		}
}

static void accounting_ensure(s_time_t now)
{
	if (is_accounting)
		return;
	is_accounting = true;
	if (now - accounted_ns > ELAPSED_MAX)
		forgive_all();
	accounted_ns = now;
	/* What a runner used without contention is not charged to it. */
	for (unsigned int i = 0; i < smp_nr_cpus(); i++)
		if (cpus[i].running)
			cpus[i].running->sched->started_ns = now;
	timer_set(&account_timer, now + PERIOD_NS);
}

static s_time_t slice_left(const struct vcpu *v, s_time_t now)
{
	s_time_t slice = v->sched->prio == PRIO_BOOST ? v->sched->boost_left : SLICE_NS;

	return v->sched->started_ns + slice - now;
}

/* Some wait for a CPU: each running one gets no more than the rest of its slice. */
static void contention_begin(s_time_t now)
{
	accounting_ensure(now);
	for (unsigned int i = 0; i < smp_nr_cpus(); i++)
		if (cpus[i].running && !timer_is_armed(&cpus[i].slice_timer))
			timer_set(&cpus[i].slice_timer,
				  now + MAX(slice_left(cpus[i].running, now), 1));
}

/* An idle CPU for @v, the one it ran on if possible, called to choose; NO_CPU: none. */
static u32 call_idle_cpu(const struct vcpu *v)
{
	u32 cpu = NO_CPU;

	if (v->sched->prio == PRIO_PARKED)
		return NO_CPU;
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		if (cpus[i].running || cpus[i].is_called || !may_run_on(v, i))
			continue;
		if (cpu == NO_CPU || i == v->last_cpu)
			cpu = i;
	}
	if (cpu != NO_CPU)
		cpus[cpu].is_called = true;
	return cpu;
}

void credit_call_idle(void)
{
	for (const struct vcpu *v = queue; v; v = v->sched_next) {
		u32 cpu = call_idle_cpu(v);

		if (cpu != NO_CPU)
			softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
	}
}

/* Where something less urgent than @v runs: least of all, and rather where @v ran. */
static u32 victim_cpu(const struct vcpu *v)
{
	u8 worst = v->sched->prio;
	u32 cpu = NO_CPU;

	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		const struct vcpu *r = cpus[i].running;

		if (!r || !may_run_on(v, i) || r->sched->prio <= v->sched->prio)
			continue;
		if (r->sched->prio > worst || i == v->last_cpu) {
			worst = r->sched->prio;
			cpu = i;
		}
	}
	return cpu;
}

/* The CPU to take from whom it has for @v: now, NO_CPU: not at all, or when its grace is over. */
static u32 preempt(const struct vcpu *v, s_time_t now)
{
	u32 cpu = victim_cpu(v);
	s_time_t grace;

	if (cpu == NO_CPU)
		return NO_CPU;
	grace = cpus[cpu].since_ns + GRACE_NS;
	if (now >= grace)
		return cpu;
	/* Armed already for the end of the slice; whichever comes first. */
	timer_set(&cpus[cpu].slice_timer,
		  MIN(grace, now + MAX(slice_left(cpus[cpu].running, now), 1)));
	return NO_CPU;
}

u32 credit_insert(struct vcpu *v, bool after_block, s_time_t now)
{
	struct sched_vcpu *s = v->sched;
	u32 cpu;

	if (s->is_queued)
		return NO_CPU;
	s->is_active = true;
	if (!is_accounting)
		forgive(s);
	if (after_block && s->prio == PRIO_UNDER) {
		s->prio = PRIO_BOOST;
		s->boost_left = BOOST_NS;
	}
	queue_insert(v);
	cpu = call_idle_cpu(v);
	if (cpu != NO_CPU)
		return cpu;
	contention_begin(now);
	return preempt(v, now);
}

static void charge(struct vcpu *v, s_time_t now)
{
	struct sched_vcpu *s = v->sched;
	s_time_t ran = now - s->started_ns;

	s->is_active = true;
	s->started_ns = now;
	/* Without contention no account refills credit: the lone runner pays nothing. */
	if (is_accounting)
		s->credit = MAX(s->credit - ran, CREDIT_MIN);
	if (s->prio == PRIO_BOOST) {
		s->boost_left -= ran;
		if (s->boost_left > 0)
			return;
		s->prio = PRIO_UNDER;
	}
	if (is_accounting && (s->prio != PRIO_PARKED || s->credit >= 0))
		s->prio = s->credit < 0 ? PRIO_OVER : PRIO_UNDER;
}

void credit_charge(struct vcpu *v, s_time_t now)
{
	if (is_on_a_cpu(v))
		cpus[v->last_cpu].running = NULL;
	charge(v, now);
}

void credit_requeue(struct vcpu *v, bool yield)
{
	if (v->sched->is_queued)
		return;
	/* A yield gives everybody a turn who could run now. */
	if (yield && v->sched->prio < PRIO_OVER && queue)
		v->sched->prio = MAX(v->sched->prio, MIN(queue->sched->prio, PRIO_OVER));
	if (yield)
		queue_append(v);
	else
		queue_insert(v);
}

/*
 * The first of the best priority that may run here, rather one that did before. One whose own CPU
 * idles and was called is left to that.
 */
static struct vcpu *choose(unsigned int cpu)
{
	struct vcpu *best = NULL;

	for (struct vcpu *v = queue; v; v = v->sched_next) {
		if (v->sched->prio == PRIO_PARKED || (best && v->sched->prio > best->sched->prio))
			break;
		if (!may_run_on(v, cpu))
			continue;
		if (v->last_cpu == cpu)
			return v;
		if (!best && !(v->last_cpu < NR_CPUS && cpus[v->last_cpu].is_called &&
			       may_run_on(v, v->last_cpu)))
			best = v;
	}
	return best;
}

struct vcpu *credit_pick(s_time_t now)
{
	unsigned int cpu = this_cpu_id();
	struct vcpu *v;

	cpus[cpu].is_called = false;
	timer_stop(&cpus[cpu].slice_timer);
	v = choose(cpu);
	if (v) {
		credit_remove(v);
		v->sched->started_ns = now;
		v->last_cpu = cpu;
		cpus[cpu].running = v;
		cpus[cpu].since_ns = now;
	}
	if (queue && queue->sched->prio != PRIO_PARKED) {
		credit_call_idle();
		contention_begin(now);
	}
	if (v && v->domain->scheduler_cap)
		accounting_ensure(now);
	return v;
}

/* --- accounting --- */

#define WEIGHT_SCALE 256 /* a domain's weight is divided among its vcpus */

/*
 * One that sleeps pays what it owes of its domain's share first: else a domain would use one of its
 * vcpus after the other, each until it owes, and never pay.
 */
static bool gets_share(const struct sched_vcpu *s)
{
	return s->is_active || s->credit < 0;
}

static unsigned int sharing_vcpus(const struct domain *d)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		nr += d->vcpu[i] && gets_share(d->vcpu[i]->sched);
	return nr;
}

/*
 * What each of @d's @nr vcpus that get a share wants of @elapsed, before @list: no more than it
 * could have used, than the cap allows, or than it could save. Savings that would be cut off are
 * the others'.
 */
static struct share *domain_wants(struct domain *d, unsigned int nr, s_time_t elapsed,
				  struct share *list)
{
	s_time_t most = elapsed;

	if (d->scheduler_cap)
		most = MIN(most, elapsed * d->scheduler_cap / 100 / nr);
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		struct sched_vcpu *s = d->vcpu[i] ? d->vcpu[i]->sched : NULL;

		if (!s || !gets_share(s))
			continue;
		s->share = (struct share){
			.next = list,
			.cpus = d->vcpu[i]->affinity,
			.weight = (s64)d->scheduler_weight * WEIGHT_SCALE / nr,
			.limit = MIN(most, (s->is_active ? CREDIT_MAX : 0) - s->credit),
		};
		list = &s->share;
	}
	return list;
}

/* A capped vcpu without credit parks until it has some. */
static void vcpu_account(struct vcpu *v)
{
	struct sched_vcpu *s = v->sched;
	bool is_capped = v->domain->scheduler_cap;
	s_time_t share = s->share.got;
	u8 prio;

	if (!gets_share(s)) {
		forgive(s);
		return;
	}
	/* Nobody waits for what it uses: more than that, so that it never waits for credit. */
	if (s->share.is_sated && s->is_active && !is_capped)
		share *= 2;
	s->credit = MIN(s->credit + share, CREDIT_MAX);
	prio = s->credit < 0 ? PRIO_OVER : PRIO_UNDER;
	if (prio == PRIO_OVER && is_capped)
		prio = PRIO_PARKED;
	if (s->prio != PRIO_BOOST || prio != PRIO_UNDER || !s->is_active)
		s->prio = prio;
	if (s->is_queued) {
		credit_remove(v);
		queue_insert(v);
	}
	s->is_active = s->is_queued || is_on_a_cpu(v);
}

/* Divides @elapsed of all CPUs. Whether a capped domain is among those who get some. */
static bool divide(s_time_t elapsed)
{
	struct share *list = NULL;
	bool is_capped = false;

	for (struct domain *d = domain_list; d; d = d->next) {
		unsigned int nr = sharing_vcpus(d);

		if (!nr)
			continue;
		is_capped |= !!d->scheduler_cap;
		list = domain_wants(d, nr, elapsed, list);
	}
	shares_divide(list, smp_cpu_mask(), elapsed);
	for (struct domain *d = domain_list; d; d = d->next)
		for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
			if (d->vcpu[i])
				vcpu_account(d->vcpu[i]);
	return is_capped;
}

/* Somebody who may run on @cpu is more urgent than @prio. */
static bool better_waits(unsigned int cpu, u8 prio)
{
	for (const struct vcpu *v = queue; v && v->sched->prio < prio; v = v->sched_next)
		if (v->sched->prio != PRIO_PARKED && may_run_on(v, cpu))
			return true;
	return false;
}

static void account(void *arg)
{
	s_time_t now = now_ns();
	bool is_capped;

	for (unsigned int i = 0; i < smp_nr_cpus(); i++)
		if (cpus[i].running)
			charge(cpus[i].running, now); /* what it used so far */
	/* the time that passed, not a period: a timer may be late, and what was used is charged */
	is_capped = divide(MIN(now - accounted_ns, ELAPSED_MAX));
	accounted_ns = now;
	is_accounting = queue || is_capped;
	if (is_accounting)
		timer_set(&account_timer, now + PERIOD_NS);
	/* Somebody better may wait now, or a runner is parked. */
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		const struct vcpu *r = cpus[i].running;

		if (r && (r->sched->prio == PRIO_PARKED || better_waits(i, r->sched->prio)))
			softirq_raise_on(i, SOFTIRQ_SCHEDULE);
	}
	credit_call_idle();
}

static void vcpu_print(const char *where, unsigned int cpu, const struct vcpu *v)
{
	static const char *const names[] = { "boost", "under", "over", "parked" };

	log_info("%s %u: d%uv%u %s, credit %ld us", where, cpu, v->domain->domain_id, v->vcpu_id,
		 names[v->sched->prio], (long)v->sched->credit / 1000);
}

void credit_print(void)
{
	const struct vcpu *v = queue;

	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		if (cpus[i].running)
			vcpu_print("CPU", i, cpus[i].running);
		else
			log_info("CPU %u: idle%s", i, cpus[i].is_called ? ", called" : "");
	}
	for (unsigned int i = 0; v; v = v->sched_next, i++)
		vcpu_print("waits", i, v);
}

int credit_set_params(struct domain *d, u16 weight, u16 cap)
{
	if (cap != 0xffff && cap > 100 * d->nr_vcpus_max)
		return -EINVAL;
	if (weight)
		d->scheduler_weight = weight;
	if (cap != 0xffff)
		d->scheduler_cap = cap;
	return 0;
}
