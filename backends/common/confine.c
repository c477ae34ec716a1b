/* SPDX-License-Identifier: MIT */
/* confine.c - drop to an unprivileged user and a system call allow-list: see confine.h. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <linux/if_tun.h>
#include <seccomp.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include <log.h>

/* More than any device process has open at once. */
#define DESCRIPTORS 64

/*
 * All that event loop, grants, events, store, disk, its server, tap and pty need once everything is
 * open. ioctl, fcntl, mmap, mprotect, tgkill, sendto and recvfrom have limits of their own below;
 * mmap/munmap: ring grants; recvmsg: a new connection to the store, handed over (store_ask.h);
 * clone3 and clone are absent: the store library's reader thread runs already.
 */
static const int allowed[] = {
	SCMP_SYS(read),		  SCMP_SYS(write),
	SCMP_SYS(readv),	  SCMP_SYS(writev),
	SCMP_SYS(pread64),	  SCMP_SYS(pwrite64),
	SCMP_SYS(preadv),	  SCMP_SYS(pwritev),
	SCMP_SYS(fdatasync),	  SCMP_SYS(fallocate),
	SCMP_SYS(ftruncate),	  SCMP_SYS(lseek),
	SCMP_SYS(sendfile),	  SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),	  SCMP_SYS(close),
	SCMP_SYS(recvmsg),	  SCMP_SYS(flock),
	SCMP_SYS(fadvise64),
	SCMP_SYS(shutdown), /* says good-bye to the server */
	SCMP_SYS(io_uring_enter), /* setup and register are absent: blk_io_uring.c did both */
	SCMP_SYS(munmap),	  SCMP_SYS(mremap),
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
	SCMP_SYS(exit),
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
	TUNSETQUEUE,
};

/*
 * Of a connected socket: the disk's server. Neither has a place for an address, so nothing gets to
 * where the socket is not connected to.
 */
static const int allowed_without_address[] = { SCMP_SYS(sendto), SCMP_SYS(recvfrom) };

/* fcntl without what makes the kernel send signals (F_SETOWN, F_SETSIG) or drops a lock. */
static const unsigned int allowed_fcntls[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL };

int confine_find_user(const char *user, uid_t *uid, gid_t *gid)
{
	struct passwd *pw = getpwnam(user);
	char *end;

	if (pw) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
		return 0;
	}
	*uid = (uid_t)strtoul(user, &end, 10);
	*gid = *end == ':' && end > user ? (gid_t)strtoul(end + 1, &end, 10) : *uid;
	return *end || end == user || *uid == 0 || *gid == 0 ? -ENOENT : 0;
}

static int drop_user(const char *user)
{
	const struct rlimit files = { DESCRIPTORS, DESCRIPTORS }, none = { 0, 0 };
	uid_t uid;
	gid_t gid;

	if (confine_find_user(user, &uid, &gid) < 0)
		return -ENOENT;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	/* Leaving uid 0 cleared the capability sets; this makes it final. */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int allow_values(scmp_filter_ctx ctx, int call, const unsigned int *value, size_t nr)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < nr; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, value[i]));
	return rc;
}

/* Memory that is never executed; signals to nobody but oneself. */
static int allow_with_limits(scmp_filter_ctx ctx)
{
	static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));

	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, mapping[i], 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_without_address[i], 1,
				      SCMP_A4(SCMP_CMP_EQ, 0));
	return rc;
}

static int allow_more(scmp_filter_ctx ctx, const struct confine_more *more)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && more->calls[i] != -1; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, more->calls[i], 0);
	for (size_t i = 0; rc == 0 && more->ioctls[i]; i++)
		rc = allow_values(ctx, SCMP_SYS(ioctl), &more->ioctls[i], 1);
	if (rc == 0 && more->nodelay)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, IPPROTO_TCP),
				      SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff, TCP_NODELAY));
	return rc;
}

static int load_filter(const struct confine_more *more)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = 0;

	if (!ctx)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = allow_values(ctx, SCMP_SYS(ioctl), allowed_ioctls,
				  sizeof(allowed_ioctls) / sizeof(allowed_ioctls[0]));
	if (rc == 0)
		rc = allow_values(ctx, SCMP_SYS(fcntl), allowed_fcntls,
				  sizeof(allowed_fcntls) / sizeof(allowed_fcntls[0]));
	if (rc == 0)
		rc = allow_with_limits(ctx);
	if (rc == 0 && more)
		rc = allow_more(ctx, more);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int confine_with(const char *user, const struct confine_more *more)
{
	int rc = drop_user(user);

	if (rc < 0) {
		log_errorx("cannot become %s: %s", user,
			   rc == -ENOENT ? "there is no such user" : strerror(-rc));
		return rc;
	}
	rc = load_filter(more);
	if (rc < 0)
		log_errorx("cannot load the system call filter: error %d", -rc);
	return rc;
}

int confine(const char *user)
{
	return confine_with(user, NULL);
}
