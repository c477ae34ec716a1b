/* SPDX-License-Identifier: MIT */
/*
 * probe.c - what the hypervisor costs a dom0 process, as one static program.
 *
 * probe tsc: the time stamp counter, which under -icount counts instructions since power-on.
 * probe costs: lines "NAME VALUE", VALUE in nanoseconds a turn (instructions under -icount).
 * Source of the device interfaces: Linux's <xen/privcmd.h> and <xen/evtchn.h>.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xen/xen.h> /* before Linux's two, which want its types */
#include <xen/evtchn.h>
#include <xen/privcmd.h>
#include <xen/version.h>

#define WARM_UP 50

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* One turn of a measured thing; arg is the measurement's own. */
typedef void (*turn_fn)(void *arg);

static double measure(turn_fn turn, void *arg, unsigned int turns)
{
	uint64_t start;
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		turn(arg);
	start = now_ns();
	for (i = 0; i < turns; i++)
		turn(arg);
	return (double)(now_ns() - start) / turns;
}

static void report(const char *name, double value)
{
	printf("%s %.0f\n", name, value);
	fflush(stdout);
}

static void turn_syscall(void *arg)
{
	syscall(SYS_getppid);
}

static void turn_refused_ioctl(void *arg)
{
	ioctl(*(int *)arg, 0, 0);
}

static void turn_hypercall(void *arg)
{
	struct privcmd_hypercall call = {
		.op = __HYPERVISOR_xen_version,
		.arg = { XENVER_version, 0 },
	};

	if (ioctl(*(int *)arg, IOCTL_PRIVCMD_HYPERCALL, &call) < 0)
		fail("privcmd hypercall");
}

/* The hypercall's own share: what the same way into the kernel costs without it is taken off. */
static void hypercalls(void)
{
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	double refused;

	if (fd < 0)
		fail("/dev/xen/privcmd");
	refused = measure(turn_refused_ioctl, &fd, 20000);
	report("null_hypercall", measure(turn_hypercall, &fd, 20000) - refused);
	close(fd);
}

struct pair {
	int in, out;
	unsigned int in_port; /* event channels only */
};

static void turn_pipe(void *arg)
{
	struct pair *p = arg;
	char byte = 0;

	if (write(p->out, &byte, 1) != 1 || read(p->in, &byte, 1) != 1)
		fail("pipe");
}

/* Two processes hand a byte to and fro: two context switches a turn. */
static void context_switches(void)
{
	int to[2], from[2];
	struct pair mine, theirs;
	pid_t child;

	if (pipe(to) < 0 || pipe(from) < 0)
		fail("pipe");
	mine = (struct pair){ .in = from[0], .out = to[1] };
	theirs = (struct pair){ .in = to[0], .out = from[1] };
	child = fork();
	if (child == 0) {
		char byte;

		while (read(theirs.in, &byte, 1) == 1 && write(theirs.out, &byte, 1) == 1)
			;
		_exit(0);
	}
	report("context_switch", measure(turn_pipe, &mine, 5000) / 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void event_send(struct pair *p)
{
	struct ioctl_evtchn_notify notify = { .port = p->in_port };

	if (ioctl(p->in, IOCTL_EVTCHN_NOTIFY, &notify) < 0)
		fail("evtchn notify");
}

static void event_take(struct pair *p)
{
	uint32_t port;

	if (read(p->in, &port, sizeof(port)) != sizeof(port) ||
	    write(p->in, &port, sizeof(port)) != sizeof(port))
		fail("evtchn");
}

static void turn_event(void *arg)
{
	event_send(arg);
	event_take(arg);
}


/* Two processes of dom0, joined by an interdomain channel that both ends of dom0 hold. */
static void event_round_trip(void)
{
	struct pair mine = { .in = open("/dev/xen/evtchn", O_RDWR) };
	struct pair theirs = { .in = open("/dev/xen/evtchn", O_RDWR) };
	struct ioctl_evtchn_bind_unbound_port offer = { .remote_domain = 0 /* dom0, both ends */ };
	struct ioctl_evtchn_bind_interdomain bind = { .remote_domain = 0 /* dom0, both ends */ };
	pid_t child;
	int port;

	port = ioctl(mine.in, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &offer);
	if (mine.in < 0 || theirs.in < 0 || port < 0)
		fail("/dev/xen/evtchn");
	mine.in_port = port;
	bind.remote_port = port;
	port = ioctl(theirs.in, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
	if (port < 0)
		fail("bind interdomain");
	theirs.in_port = port;
	event_take(&theirs); /* binding raises the new port once */
	child = fork();
	if (child == 0) {
		for (;;) {
			event_take(&theirs);
			event_send(&theirs);
		}
	}
	close(theirs.in);
	report("event_round_trip", measure(turn_event, &mine, 3000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void turn_fork(void *arg)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void costs(void)
{
	report("null_system_call", measure(turn_syscall, NULL, 50000));
	hypercalls();
	context_switches();
	report("fork_and_exit", measure(turn_fork, NULL, 200));
	event_round_trip();
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "tsc") == 0) {
		printf("%llu\n", (unsigned long long)__builtin_ia32_rdtsc());
		return 0;
	}
	if (strcmp(what, "costs") == 0) {
		costs();
		return 0;
	}
	fprintf(stderr, "usage: probe tsc|costs\n");
	return 2;
}
