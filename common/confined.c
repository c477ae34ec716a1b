/* SPDX-License-Identifier: MIT */
/* confined.c - see confined.h. */
#include "confined.h"

#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOBODY 65534

/* The least of @keep that is @from or more; -1: none. */
static int next_kept(int from, const int *keep, size_t nr)
{
	int next = -1;

	for (size_t i = 0; i < nr; i++) {
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	}
	return next;
}

void confined_keep(int first, const int *keep, size_t nr)
{
	int next;

	while ((next = next_kept(first, keep, nr)) >= 0) {
		if (next > first)
			close_range((unsigned int)first, (unsigned int)next - 1, 0);
		first = next + 1;
	}
	close_range((unsigned int)first, ~0u, 0);
}

/* Bytes of address space in use. */
static int address_space(uint64_t *bytes)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages;
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%llu", &pages);
	fclose(f);
	if (n != 1)
		return -EIO;
	*bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* Not above what somebody else has limited it to. */
static int lower(int what, uint64_t to)
{
	struct rlimit now;

	if (getrlimit(what, &now) < 0)
		return -errno;
	if (to < now.rlim_max)
		now.rlim_max = to;
	now.rlim_cur = now.rlim_max;
	return setrlimit(what, &now) < 0 ? -errno : 0;
}

int confined_limit(const struct confined_limits *l)
{
	uint64_t used;
	int ret = address_space(&used);

	if (ret == 0)
		ret = lower(RLIMIT_AS, used + l->memory);
	if (ret == 0)
		ret = lower(RLIMIT_FSIZE, l->file);
	if (ret == 0)
		ret = lower(RLIMIT_CPU, l->cpu_s);
	return ret ? ret : lower(RLIMIT_CORE, 0);
}

int confined_become_nobody(void)
{
	if (getuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	/* Its memory and descriptors are nobody's, also not those of who has the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int allow(scmp_filter_ctx ctx, int call)
{
	if (call != SCMP_SYS(mmap) && call != SCMP_SYS(mprotect))
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 0);
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

int confined_filter(const int *calls, size_t nr, const struct confined_ioctl *one)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < nr; i++)
		ret = allow(ctx, calls[i]);
	if (ret == 0 && one)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)one->fd),
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, one->request));
	if (ret == 0)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}
