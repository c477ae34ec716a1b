/* SPDX-License-Identifier: MIT */
/*
 * sched_credit.c - the policy: credits in nanoseconds of CPU time, given to domains by weight
 * every period, burnt by running. Priorities: BOOST (just woke to handle an event), UNDER (has
 * credit), OVER (spent it). Work-conserving but for caps. With one runnable vcpu no timer runs at
 * all.
 *
 * Owns the run queue (vcpu.sched_next) and struct sched_vcpu.
 */
#include "domain/sched.h"

#include "lib/errno.h"
#include "x86/machine.h"

#define SLICE_NS 30000000LL  /* at most this long while others of the same priority wait */
#define BOOST_NS 10000000LL  /* a boosted vcpu loses its boost after running this long */
#define PERIOD_NS 30000000LL /* accounting */
/*
 * Debts and savings survive a few periods (a whole slice may cost more than a period's share),
 * not more.
 */
#define CREDIT_MIN (-4 * PERIOD_NS)
#define CREDIT_MAX (2 * PERIOD_NS)

enum credit_prio { PRIO_BOOST, PRIO_UNDER, PRIO_OVER, PRIO_PARKED };

struct sched_vcpu {
	s_time_t credit; /* CREDIT_MIN..CREDIT_MAX */
	s_time_t started_ns;
	s_time_t boost_left;
	u8 prio;
	bool is_queued;
	bool is_active; /* ran or was runnable since the last accounting */
};

static struct vcpu *queue;   /* ascending prio; FIFO within one */
static struct vcpu *running; /* the one picked last, while it runs */
static struct timer slice_timer, account_timer;
static bool is_accounting; /* two want the CPU, or a capped one runs: account_timer is armed */

static void account(void *arg);

static void slice_end(void *arg)
{
	softirq_raise(SOFTIRQ_SCHEDULE);
}

void credit_init(void)
{
	timer_init(&slice_timer, slice_end, NULL);
	timer_init(&account_timer, account, NULL);
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
	if (running == v)
		running = NULL;
	xfree(v->sched);
	v->sched = NULL;
}

static void queue_insert(struct vcpu *v)
{
	struct vcpu **link = &queue;

	while (*link && (*link)->sched->prio <= v->sched->prio)
		link = &(*link)->sched_next;
	v->sched_next = *link;
	*link = v;
	v->sched->is_queued = true;
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

static void accounting_ensure(s_time_t now)
{
	if (is_accounting)
		return;
	is_accounting = true;
	/* What the runner used alone is not charged to it. */
	if (running)
		running->sched->started_ns = now;
	timer_set(&account_timer, now + PERIOD_NS);
}

static s_time_t slice_left(const struct vcpu *v, s_time_t now)
{
	s_time_t slice = v->sched->prio == PRIO_BOOST ? v->sched->boost_left : SLICE_NS;

	return v->sched->started_ns + slice - now;
}

/* Two want the CPU: the running one gets no more than the rest of its slice. */
static void contention_begin(s_time_t now)
{
	accounting_ensure(now);
	if (running && !timer_is_armed(&slice_timer))
		timer_set(&slice_timer, now + MAX(slice_left(running, now), 1));
}

/* It waited while others ran: its debt is paid. */
static void forgive(struct sched_vcpu *s)
{
	s->credit = MAX(s->credit, 0);
	s->prio = PRIO_UNDER;
}

bool credit_insert(struct vcpu *v, bool after_block, s_time_t now)
{
	struct sched_vcpu *s = v->sched;

	if (s->is_queued)
		return false;
	s->is_active = true;
	if (!is_accounting)
		forgive(s);
	if (after_block && s->prio == PRIO_UNDER) {
		s->prio = PRIO_BOOST;
		s->boost_left = BOOST_NS;
	}
	queue_insert(v);
	if (!running)
		return s->prio != PRIO_PARKED;
	contention_begin(now);
	return s->prio < running->sched->prio;
}

void credit_charge(struct vcpu *v, s_time_t now)
{
	struct sched_vcpu *s = v->sched;
	s_time_t ran = now - s->started_ns;

	if (running == v)
		running = NULL;
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

void credit_requeue(struct vcpu *v, bool yield)
{
	if (v->sched->is_queued)
		return;
	/* A yield gives everybody a turn who could run now. */
	if (yield && v->sched->prio < PRIO_OVER && queue)
		v->sched->prio = MAX(v->sched->prio, MIN(queue->sched->prio, PRIO_OVER));
	queue_insert(v);
}

struct vcpu *credit_pick(s_time_t now)
{
	struct vcpu *v = queue;

	timer_stop(&slice_timer);
	if (!v || v->sched->prio == PRIO_PARKED)
		return NULL;
	credit_remove(v);
	v->sched->started_ns = now;
	running = v;
	if (queue)
		contention_begin(now);
	if (v->domain->scheduler_cap)
		accounting_ensure(now);
	return v;
}

/* --- accounting --- */

static unsigned int active_vcpus(const struct domain *d)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		nr += d->vcpu[i] && d->vcpu[i]->sched->is_active;
	return nr;
}

/*
 * @share: what each active vcpu of @d gets. A capped vcpu without credit parks until it has some.
 */
static void domain_account(struct domain *d, s_time_t share)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		struct vcpu *v = d->vcpu[i];
		struct sched_vcpu *s = v ? v->sched : NULL;
		u8 prio;

		if (!s)
			continue;
		if (!s->is_active) {
			forgive(s);
			continue;
		}
		s->credit = MIN(s->credit + share, CREDIT_MAX);
		prio = s->credit < 0 ? PRIO_OVER : PRIO_UNDER;
		if (prio == PRIO_OVER && d->scheduler_cap)
			prio = PRIO_PARKED;
		if (s->prio != PRIO_BOOST || prio != PRIO_UNDER)
			s->prio = prio;
		if (s->is_queued) {
			credit_remove(v);
			queue_insert(v);
		}
		s->is_active = s->is_queued || v == running;
	}
}

static s_time_t domain_share(const struct domain *d, u64 total_weight)
{
	s_time_t share = PERIOD_NS * d->scheduler_weight / (s_time_t)total_weight;

	if (d->scheduler_cap)
		share = MIN(share, PERIOD_NS * d->scheduler_cap / 100);
	return share;
}

static void account(void *arg)
{
	s_time_t now = now_ns();
	u64 total_weight = 0;
	bool capped = false;

	if (running) { /* charge what it used so far */
		struct vcpu *v = running;

		credit_charge(v, now);
		running = v;
	}
	for (struct domain *d = domain_list; d; d = d->next)
		if (active_vcpus(d))
			total_weight += d->scheduler_weight;
	for (struct domain *d = domain_list; d; d = d->next) {
		unsigned int nr = active_vcpus(d);

		capped |= nr && d->scheduler_cap;
		domain_account(d, nr ? domain_share(d, total_weight) / nr : 0);
	}
	is_accounting = queue || capped;
	if (is_accounting)
		timer_set(&account_timer, now + PERIOD_NS);
	/* Somebody better may wait now, or the runner is parked. */
	if (!running ? queue != NULL :
		       running->sched->prio == PRIO_PARKED ||
			       (queue && queue->sched->prio < running->sched->prio))
		softirq_raise(SOFTIRQ_SCHEDULE);
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
