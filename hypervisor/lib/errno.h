/* SPDX-License-Identifier: MIT */
/* errno.h - the ABI's error numbers (plain EINVAL, ENOMEM, ...) from the public header. */
#ifndef HV_LIB_ERRNO_H
#define HV_LIB_ERRNO_H

#include <xen/errno.h>

/* The public list is prefixed; one short name each for what the hypervisor returns. */
#define EPERM XEN_EPERM
#define ENOENT XEN_ENOENT
#define ESRCH XEN_ESRCH
#define EINTR XEN_EINTR
#define EIO XEN_EIO
#define ENXIO XEN_ENXIO
#define E2BIG XEN_E2BIG
#define ENOEXEC XEN_ENOEXEC
#define EBADF XEN_EBADF
#define EAGAIN XEN_EAGAIN
#define EWOULDBLOCK XEN_EWOULDBLOCK
#define ENOMEM XEN_ENOMEM
#define EACCES XEN_EACCES
#define EFAULT XEN_EFAULT
#define EBUSY XEN_EBUSY
#define EEXIST XEN_EEXIST
#define EXDEV XEN_EXDEV
#define ENODEV XEN_ENODEV
#define EINVAL XEN_EINVAL
#define ENOSPC XEN_ENOSPC
#define EROFS XEN_EROFS
#define EMLINK XEN_EMLINK
#define EDOM XEN_EDOM
#define ERANGE XEN_ERANGE
#define EDEADLK XEN_EDEADLK
#define ENAMETOOLONG XEN_ENAMETOOLONG
#define ENOLCK XEN_ENOLCK
#define ENOSYS XEN_ENOSYS
#define ENODATA XEN_ENODATA
#define ETIME XEN_ETIME
#define EBADMSG XEN_EBADMSG
#define EOVERFLOW XEN_EOVERFLOW
#define EILSEQ XEN_EILSEQ
#define ERESTART 85 /* the public header shows it to the hypervisor only */
#define EOPNOTSUPP XEN_EOPNOTSUPP
#define ENOBUFS XEN_ENOBUFS
#define ETIMEDOUT XEN_ETIMEDOUT
#define ECONNREFUSED XEN_ECONNREFUSED

#endif
