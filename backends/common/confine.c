/* SPDX-License-Identifier: MIT */
/* confine.c - drop to an unprivileged user and a system call allow-list: see confine.h. */
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <seccomp.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include <log.h>

#define NOBODY 65534

/*
 * All that event loop, grants, events, store, disk, tap and pty need once everything is open.
 * ioctl has a list of its own below; mmap/munmap: ring grants; clone3 and clone are absent: the
 * store library's reader thread runs already.
 */
static const int allowed[] = {
	SCMP_SYS(read),		  SCMP_SYS(write),
	SCMP_SYS(readv),	  SCMP_SYS(writev),
	SCMP_SYS(pread64),	  SCMP_SYS(pwrite64),
	SCMP_SYS(preadv),	  SCMP_SYS(pwritev),
	SCMP_SYS(fdatasync),	  SCMP_SYS(fallocate),
	SCMP_SYS(ftruncate),	  SCMP_SYS(lseek),
	SCMP_SYS(sendfile),	  SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),	  SCMP_SYS(fcntl),
	SCMP_SYS(close),
	SCMP_SYS(mmap),		  SCMP_SYS(munmap),
	SCMP_SYS(mprotect),	  SCMP_SYS(mremap),
	SCMP_SYS(madvise),	  SCMP_SYS(brk),
	SCMP_SYS(poll),		  SCMP_SYS(ppoll),
	SCMP_SYS(epoll_wait),	  SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),	  SCMP_SYS(futex),
	SCMP_SYS(sched_yield),	  SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),	  SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),	  SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),	  SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),	  SCMP_SYS(gettid),
	SCMP_SYS(tgkill),	  SCMP_SYS(exit),
	SCMP_SYS(exit_group),	  SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),		  SCMP_SYS(getrandom),
};

/* Grants, event channels, and what a network frontend's features switch on the tap. */
static const unsigned int allowed_ioctls[] = {
	IOCTL_GNTDEV_MAP_GRANT_REF,	    IOCTL_GNTDEV_UNMAP_GRANT_REF,
	IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,  IOCTL_GNTDEV_SET_MAX_GRANTS,
	IOCTL_GNTDEV_SET_UNMAP_NOTIFY,	    IOCTL_GNTDEV_GRANT_COPY,
	IOCTL_EVTCHN_BIND_INTERDOMAIN,	    IOCTL_EVTCHN_UNBIND,
	IOCTL_EVTCHN_NOTIFY,		    TUNSETOFFLOAD,
};

static int drop_user(const char *user)
{
	struct passwd *pw = getpwnam(user);
	uid_t uid = pw ? pw->pw_uid : NOBODY;
	gid_t gid = pw ? pw->pw_gid : NOBODY;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	/* Leaving uid 0 cleared the capability sets; this makes it final. */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int load_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = 0;

	if (!ctx)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; rc == 0 && i < sizeof(allowed_ioctls) / sizeof(allowed_ioctls[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, allowed_ioctls[i]));
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int confine(const char *user)
{
	int rc = drop_user(user);

	if (rc < 0) {
		log_errorx("cannot become %s: error %d", user, -rc);
		return rc;
	}
	rc = load_filter();
	if (rc < 0)
		log_errorx("cannot load the system call filter: error %d", -rc);
	return rc;
}
