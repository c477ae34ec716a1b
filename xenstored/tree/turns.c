/* SPDX-License-Identifier: MIT */
/* turns.c - see turns.h: the clock of both kinds. */
#include "turns.h"

#include "server.h"

/* So much too late is not worth another system call. */
#define SLACK_NS 1000000u

void turns_init(struct turns *t)
{
	for (unsigned int i = 0; i < 2; i++)
		precedence_init(&t->precedence[i]);
}

static void due(void *arg, short events)
{
	struct server *srv = arg;

	loop_timer_seen(&srv->turns.timer);
	srv->turns.timer_ns = 0;
	server_turn(srv);
}

int turns_up(struct server *srv)
{
	srv->turns.timer = (struct loop_fd){ .ready = due, .arg = srv };
	return loop_add_timer(srv->loop, &srv->turns.timer);
}

/* The one that ends first may have begun last: a lease lasts 5 ms, precedence of domain 0's 100. */
void turns_tick(struct server *srv)
{
	struct turns *t = &srv->turns;
	long long ns, other;
	uint64_t at;

	if (!t->leases.nr && !t->precedence[0].until_ns && !t->precedence[1].until_ns)
		return;
	ns = lease_tick(srv);
	other = precedence_tick(srv);
	if (other > 0 && (ns <= 0 || other < ns))
		ns = other;
	if (ns <= 0 || !loop_has(&t->timer))
		return;
	at = now_ns() + (uint64_t)ns;
	if (t->timer_ns && t->timer_ns <= at + SLACK_NS)
		return;
	t->timer_ns = at;
	loop_timer_set(&t->timer, (uint64_t)ns, 0);
}
