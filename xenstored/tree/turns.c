/* SPDX-License-Identifier: MIT */
/* turns.c - see turns.h: the clock of both kinds. */
#include "turns.h"

#include "server.h"

void turns_init(struct turns *t)
{
	for (unsigned int i = 0; i < 2; i++)
		precedence_init(&t->precedence[i]);
}

static void due(void *arg, short events)
{
	struct server *srv = arg;

	loop_timer_seen(&srv->turns.timer);
	srv->turns.timer_set = false;
	server_turn(srv);
}

int turns_up(struct server *srv)
{
	srv->turns.timer = (struct loop_fd){ .ready = due, .arg = srv };
	return loop_add_timer(srv->loop, &srv->turns.timer);
}

/* One lasts 5 ms at most; whoever waits for it goes on then. */
void turns_tick(struct server *srv)
{
	struct turns *t = &srv->turns;
	long long ns, other;

	if (!t->leases.nr && !t->precedence[0].until_ns && !t->precedence[1].until_ns)
		return;
	ns = lease_tick(srv);
	other = precedence_tick(srv);
	if (other > 0 && (ns <= 0 || other < ns))
		ns = other;
	if (ns <= 0 || !loop_has(&t->timer) || t->timer_set)
		return;
	t->timer_set = true;
	loop_timer_set(&t->timer, (uint64_t)ns, 0);
}
