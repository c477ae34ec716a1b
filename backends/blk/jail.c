/* SPDX-License-Identifier: MIT */
/*
 * jail.c - see jail.h. The files are shown by mounts of what is open already, so that no path is
 * looked up twice; the one capability that is left opens them, and there is nothing else to open.
 */
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <seccomp.h>

#include "confine.h"
#include "write_whole.h"

#define MEMORY_MAX (2ull << 30) /* of data; QEMU's threads have stacks of 8 MiB */
#define PATH_LEN 4096

/* --- the root directory --------------------------------------------------------------------- */

/*
 * Where programs and their libraries are, and nothing that an administrator put beside them: an
 * image's header can name what is here. A link stays one, what is not there is left out.
 */
static const char *const host_dirs[] = { "usr/bin", "usr/lib", "usr/lib64", "lib", "lib64" };

static int show_host_dir(const char *root, const char *name)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV };
	char from[64], to[PATH_LEN], link[256];
	struct stat st;
	ssize_t n;

	snprintf(from, sizeof(from), "/%s", name);
	snprintf(to, sizeof(to), "%s/%s", root, name);
	if (lstat(from, &st) < 0)
		return 0;
	n = readlink(from, link, sizeof(link) - 1);
	if (n > 0) {
		link[n] = '\0';
		return symlink(link, to);
	}
	/* With what is mounted below it: that is as read only as the rest. */
	if (mkdir(to, 0755) < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return mount_setattr(AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof(attr));
}

/* The directories above @path, as far as they are not there. */
static int make_parents(const char *path)
{
	char dir[PATH_LEN];

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/*
 * A copy of the mount that @f is on, of this file alone: to be made before the name space is ours.
 */
static int copy_mount(const struct jail_file *f)
{
	return open_tree(f->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/* Its root directory is ours already: no name below leads out of it, whatever links /usr has. */
static int show_file(const struct jail_file *f, int tree)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	int fd;

	if (f->readonly)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    make_parents(f->path) < 0)
		return -1;
	fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Below /usr it is there already, and cannot be written. */
	if (fd >= 0)
		close(fd);
	else if (errno != EROFS)
		return -1;
	return move_mount(tree, "", AT_FDCWD, f->path, MOVE_MOUNT_F_EMPTY_PATH);
}

/*
 * Into @root, and the host's mounts are let go of: as long as a process had them, what dom0
 * unmounts would stay in use. Only the kernel's first root cannot be left, which is a host's that
 * runs from its initramfs: there they stay, out of reach. Source: pivot_root(2).
 */
static int leave_host(const char *root)
{
	if (chdir(root) < 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return -1;
	} else if (errno != EINVAL || chroot(".") < 0) {
		return -1;
	}
	return chdir("/");
}

/* The jail is one process: whoever that becomes reads it. */
static int write_secret(const char *secret)
{
	int fd = open(JAIL_SECRET, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444), rc;

	if (fd < 0)
		return -1;
	rc = write_whole(fd, secret, strlen(secret));
	if (rc == 0)
		rc = fchmod(fd, 0444);
	close(fd);
	return rc ? -1 : 0;
}

static int make_root(const struct jail *jail, const int *tree, const char **step)
{
	char usr[PATH_LEN];

	*step = "its root directory";
	snprintf(usr, sizeof(usr), "%s/usr", jail->dir);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("jail", jail->dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") < 0 ||
	    mkdir(usr, 0755) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(host_dirs) / sizeof(host_dirs[0]); i++)
		if (show_host_dir(jail->dir, host_dirs[i]) < 0)
			return -1;
	if (leave_host(jail->dir) < 0)
		return -1;
	for (unsigned int i = 0; i < jail->nr_files; i++)
		if (jail->file[i].path && show_file(&jail->file[i], tree[i]) < 0)
			return -1;
	if (jail->secret && write_secret(jail->secret) < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, "size=64k");
}

/* --- rights --------------------------------------------------------------------------------- */

/* Whether there is a file to open, whose mode need not let the user. */
static bool has_file(const struct jail *jail)
{
	for (unsigned int i = 0; i < jail->nr_files; i++)
		if (jail->file[i].path)
			return true;
	return false;
}

/* Opening files whatever their modes, and nothing else. */
static int keep_one_capability(void)
{
	const uint32_t one = 1u << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { one, one, one }, { 0, 0, 0 } };

	if (syscall(SYS_capset, &head, data) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0);
}

/* Without KEEPCAPS a change of the user drops all. */
static int drop_rights(uid_t uid, gid_t gid, bool files)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return -1;
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((cap != CAP_DAC_OVERRIDE || !files) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (prctl(PR_SET_KEEPCAPS, files, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
	    (files && keep_one_capability() < 0))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * A mount that is read only keeps nobody from writing to a device. Where one is to be read, files
 * are written only that may be: by Landlock, or not at all. Source: landlock(7).
 */
static bool has_device_to_read(const struct jail *jail)
{
	struct stat st;

	for (unsigned int i = 0; i < jail->nr_files; i++)
		if (jail->file[i].path && jail->file[i].readonly &&
		    (fstat(jail->file[i].fd, &st) < 0 || !S_ISREG(st.st_mode)))
			return true;
	return false;
}

static int write_only_what_may_be(const struct jail *jail)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs =
							    LANDLOCK_ACCESS_FS_WRITE_FILE };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), rc = 0;

	if (rules < 0)
		return -1;
	for (unsigned int i = 0; rc == 0 && i < jail->nr_files; i++) {
		const struct landlock_path_beneath_attr file = {
			.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
			.parent_fd = jail->file[i].fd,
		};

		if (jail->file[i].path && !jail->file[i].readonly)
			rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
					  &file, 0);
	}
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return rc;
}

/*
 * What no server of a disk asks of the kernel: other processes (its user has some), name spaces,
 * keys, and what has been ways into kernels. A list of what it may would be QEMU's to change.
 */
static const int refused[] = {
	SCMP_SYS(kill),		     SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo),   SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_open),	     SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),  SCMP_SYS(process_vm_writev),
	SCMP_SYS(kcmp),		     SCMP_SYS(setpriority),
	SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sched_setattr),     SCMP_SYS(sched_setparam),
	SCMP_SYS(ioprio_set),	     SCMP_SYS(migrate_pages),
	SCMP_SYS(move_pages),	     SCMP_SYS(flock), /* the lock is its disk's process's, too */
	SCMP_SYS(fork),		     SCMP_SYS(vfork),
	SCMP_SYS(unshare),	     SCMP_SYS(setns),
	SCMP_SYS(mount),	     SCMP_SYS(umount2),
	SCMP_SYS(move_mount),	     SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),	     SCMP_SYS(mount_setattr),
	SCMP_SYS(pivot_root),	     SCMP_SYS(chroot),
	SCMP_SYS(mknod),	     SCMP_SYS(mknodat),
	SCMP_SYS(add_key),	     SCMP_SYS(keyctl),
	SCMP_SYS(request_key),	     SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),   SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),    SCMP_SYS(personality),
};

static const int refused_without_network[] = {
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
};

static int refuse(scmp_filter_ctx ctx, const int *call, size_t nr)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < nr; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call[i], 0);
	return rc;
}

/*
 * Ways to other processes that are not calls of their own: who is sent a descriptor's signals,
 * which the kernel sends to whoever has the same user, and whose limits are set. And the end with
 * the disk's process, which a server that lived on would have put off.
 */
static const struct {
	int call;
	unsigned int at;
	unsigned int value;
} refused_values[] = {
	{ SCMP_SYS(fcntl), 1, F_SETOWN },      { SCMP_SYS(fcntl), 1, F_SETOWN_EX },
	{ SCMP_SYS(fcntl), 1, F_SETSIG },      { SCMP_SYS(ioctl), 1, FIOSETOWN },
	{ SCMP_SYS(ioctl), 1, SIOCSPGRP },     { SCMP_SYS(prctl), 0, PR_SET_PDEATHSIG },
};

static int refuse_values(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
				  SCMP_A0(SCMP_CMP_NE, 0));

	for (size_t i = 0; rc == 0 && i < sizeof(refused_values) / sizeof(refused_values[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused_values[i].call, 1,
				      SCMP_CMP(refused_values[i].at, SCMP_CMP_MASKED_EQ, 0xffffffff,
					       refused_values[i].value));
	return rc;
}

/*
 * Threads, and no processes; signals to itself. clone3 hides what it asks for: libc has clone too.
 */
static int refuse_with_limits(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
				      SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
	return rc;
}

/* No socket but those of IPv4 and IPv6: others lead to this host's programs and drivers. */
static int refuse_other_families(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				  SCMP_A0(SCMP_CMP_LT, AF_INET));

	for (unsigned int family = AF_INET + 1; rc == 0 && family < AF_INET6; family++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, family));
	return rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
					  SCMP_A0(SCMP_CMP_GT, AF_INET6));
}

/*
 * A thread that becomes another program has no end with its parent: that is a thread's own. A
 * filter sees where a program's name is, not what it says; so the one name that may be is where
 * only root can have memory (vm.mmap_min_addr), which is gone with the first program. Source:
 * execve(2), mmap(2).
 */
#define NAME_AT 0x1000ul

static int place_name(const char *program)
{
	void *at = (void *)NAME_AT;
	size_t len = strlen(program) + 1;

	if (len > 4096 || mmap(at, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		return -1;
	memcpy(at, program, len);
	return mprotect(at, 4096, PROT_READ);
}

static int refuse_programs(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execveat), 0);

	return rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execve), 1,
					  SCMP_A0(SCMP_CMP_NE, NAME_AT));
}

static int load_filter(bool network)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx ? refuse(ctx, refused, sizeof(refused) / sizeof(refused[0])) : -ENOMEM;

	if (rc == 0 && !network)
		rc = refuse(ctx, refused_without_network,
			    sizeof(refused_without_network) / sizeof(refused_without_network[0]));
	if (rc == 0 && network)
		rc = refuse_other_families(ctx);
	if (rc == 0)
		rc = refuse_with_limits(ctx);
	if (rc == 0)
		rc = refuse_values(ctx);
	if (rc == 0)
		rc = refuse_programs(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int jail_enter(const struct jail *jail, pid_t parent, const char **step)
{
	int spaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (jail->network ? 0 : CLONE_NEWNET);
	const struct rlimit data = { MEMORY_MAX, MEMORY_MAX };
	int tree[JAIL_FILES_MAX], rc;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	*step = "its user";
	if (jail->user && confine_find_user(jail->user, &uid, &gid) < 0)
		return -ENOENT;
	*step = "its files";
	for (unsigned int i = 0; i < jail->nr_files; i++) {
		tree[i] = jail->file[i].path ? copy_mount(&jail->file[i]) : 0;
		if (tree[i] < 0)
			return -errno;
	}
	*step = "name spaces of its own";
	if (unshare(spaces) < 0 || make_root(jail, tree, step) < 0)
		return -errno;
	*step = "its program's name";
	if (jail->program && place_name(jail->program) < 0)
		return -errno;
	*step = "its rights";
	if (drop_rights(uid, gid, has_file(jail)) < 0)
		return -errno;
	*step = "a device that it may only read (Landlock)";
	if (has_device_to_read(jail) && write_only_what_may_be(jail) < 0)
		return -errno;
	*step = "its rights";
	/* Changing the user has cleared it: so now, and then a look whether it is too late. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	*step = "its system calls";
	rc = load_filter(jail->network);
	/* The last: this process may have more, as one does that a sanitizer watches. */
	if (rc == 0 && setrlimit(RLIMIT_DATA, &data) < 0)
		rc = -errno;
	return rc;
}

int jail_run(const struct jail *jail, char *const *argv, char *const *env)
{
	if (!jail->program)
		return -ENOENT;
	execve((const char *)NAME_AT, argv, env);
	return -errno;
}
