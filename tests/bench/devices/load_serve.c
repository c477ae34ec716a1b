/* SPDX-License-Identifier: MIT */
/*
 * load_serve.c - a guest does what dom0 asks it over its card, one command a connection, and dom0
 * sees what CPU time each domain had meanwhile.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/domctl.h>

#define PORT 2300
#define LINE 200
#define WORDS 12
#define GUESTS 4 /* domain 0 and three more */

/* --- in the guest --------------------------------------------------------------------------- */

static void read_line(int fd, char *line)
{
	size_t n = 0;

	while (n < LINE - 1 && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
}

static void do_line(int conn)
{
	char line[LINE], *argv[WORDS + 2] = { "load" };
	int argc = 1;

	read_line(conn, line);
	for (char *word = strtok(line, " "); word && argc <= WORDS; word = strtok(NULL, " "))
		argv[argc++] = word;
	dup2(conn, 1);
	dup2(conn, 2);
	execv(getppid() == 1 ? "/init" : "/proc/self/exe", argv);
	fail("exec");
}

int load_serve(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)argc;
	(void)argv;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
		fail("serve");
	for (;;) {
		int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (conn >= 0 && fork() == 0)
			do_line(conn);
		close(conn);
	}
}

static void load_module(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/m/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
		perror(name);
	close(fd);
}

static void set_address(const char *name, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *at = (struct sockaddr_in *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rc;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = inet_addr(address);
	for (int tries = 0; (rc = ioctl(fd, SIOCSIFADDR, &r)) < 0 && tries < 500; tries++)
		usleep(20000);
	at->sin_addr.s_addr = inet_addr("255.255.255.0");
	if (rc < 0 || ioctl(fd, SIOCSIFNETMASK, &r) < 0)
		fail("address");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		fail("up");
	close(fd);
}

void load_as_init(void)
{
	struct dirent **module;
	const char *address = getenv("ADDRESS"); /* of the kernel's command line */
	int nr;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	nr = open("/dev/console", O_RDWR);
	for (int i = 0; nr >= 0 && i < 3; i++)
		dup2(nr, i);
	nr = scandir("/m", &module, NULL, alphasort);
	for (int i = 0; i < nr; i++)
		if (module[i]->d_name[0] != '.')
			load_module(module[i]->d_name);
	set_address("lo", "127.0.0.1");
	set_address("eth0", address ? address : "10.0.0.11");
	printf("load: ready\n");
	fflush(stdout);
	load_serve(0, NULL);
	reboot(RB_POWER_OFF);
	exit(1);
}

/* --- in dom0 -------------------------------------------------------------------------------- */

/* What CPU time domain @domid had, in nanoseconds; 0: there is none, or this is not dom0. */
static uint64_t cpu_time(int privcmd, unsigned int domid)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = (domid_t)domid,
	};
	struct {
		uint64_t op, arg[5];
	} call = { __HYPERVISOR_domctl, { (uintptr_t)&op } };

	/* <xen/privcmd.h>: IOCTL_PRIVCMD_HYPERCALL */
	if (ioctl(privcmd, _IOC(_IOC_NONE, 'P', 0, sizeof(call)), &call) < 0 ||
	    op.u.getdomaininfo.domain != domid)
		return 0;
	return op.u.getdomaininfo.cpu_time;
}

static void send_words(int fd, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (dprintf(fd, "%s%c", argv[i], i == argc - 1 ? '\n' : ' ') < 0)
			fail("ask");
}

/* Prints the answer, then "cpu" and what each domain had. */
int load_ask(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), privcmd;
	uint64_t before[GUESTS];
	char buf[1000];
	ssize_t n;

	if (argc < 3)
		return 2;
	to.sin_addr.s_addr = inet_addr(argv[1]);
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	for (unsigned int i = 0; i < GUESTS; i++)
		before[i] = cpu_time(privcmd, i);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("ask");
	send_words(fd, argc - 2, argv + 2);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	printf("cpu");
	for (unsigned int i = 0; i < GUESTS; i++)
		printf(" %llu", (unsigned long long)(cpu_time(privcmd, i) - before[i]));
	printf("\n");
	return 0;
}
