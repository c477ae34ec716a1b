/* SPDX-License-Identifier: MIT */
/* sandbox.c - user, capabilities and system call filter. Runs once, before clients are served. */
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

/*
 * What the daemon and its worker use. No execve, no socket but pairs, no ptrace, no mount, no
 * key or module calls. ioctl has a list of its own below.
 */
static const int allowed[] = {
	/* serving */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(accept4), SCMP_SYS(close),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_create1), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(fcntl), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(signalfd4),
	/* memory and time */
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(memfd_create), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(time), SCMP_SYS(getrandom),
	/* files of the two environments */
	SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(msync),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(flock), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat2),
	SCMP_SYS(link), SCMP_SYS(mkdir), SCMP_SYS(rmdir), SCMP_SYS(umask), SCMP_SYS(getdents64),
	/* the worker, and children that read what may be damaged */
	SCMP_SYS(alarm), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(getsockopt),
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(socketpair),
	SCMP_SYS(close_range), SCMP_SYS(prctl), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	/* signals, threads of the C library, the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(futex),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(tgkill), SCMP_SYS(sched_yield), SCMP_SYS(prlimit64), SCMP_SYS(setsid),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(dup2), SCMP_SYS(chdir),
};

/* Rings: mapping and unmapping a grant, binding and raising an event channel. No hypercall. */
static const unsigned int allowed_ioctls[] = {
	IOCTL_GNTDEV_MAP_GRANT_REF,	   IOCTL_GNTDEV_UNMAP_GRANT_REF,
	IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, IOCTL_EVTCHN_BIND_INTERDOMAIN,
	IOCTL_EVTCHN_UNBIND,		   IOCTL_EVTCHN_NOTIFY,
};

int sandbox_own_dir(const char *dir, uid_t uid, gid_t gid)
{
	struct dirent *e;
	DIR *d;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (chown(dir, uid, gid) < 0)
		return -errno;
	d = opendir(dir);
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		/* Links are not followed: the directory may have been somebody else's. */
		if (e->d_name[0] != '.')
			fchownat(dirfd(d), e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW);
	}
	closedir(d);
	return 0;
}

static int install_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; ret == 0 && i < sizeof(allowed_ioctls) / sizeof(allowed_ioctls[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff,
					       allowed_ioctls[i]));
	/* These would only be tried by code that is not ours any more. */
	if (ret == 0)
		ret = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0);
	if (ret == 0)
		ret = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0);
	if (ret == 0)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}

int sandbox_enter(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Started as that user: its groups are those that whoever started it has given it. */
	if (geteuid() != uid && (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
				 setresuid(uid, uid, uid) < 0))
		return -errno;
	/* The change of user has emptied the capability sets, or there were none: no way back. */
	if (setuid(0) == 0)
		return -EPERM;
	return install_filter();
}
