/* SPDX-License-Identifier: MIT */
/*
 * owner.h - one owner a backend directory: our device processes, or drivers of dom0's kernel.
 *
 * Linux offers every backend directory on its bus xen-backend, udev loads the driver for its kind
 * (xen-blkback, xen-netback), and that one takes the directory as well. Two backends of a disk
 * destroy it. So who starts first tells: the directory of our journals keeps udev from loading a
 * driver (60-storevisor-backends.rules looks for it), and a driver that is there keeps us away.
 */
#ifndef BACKENDS_OWNER_H
#define BACKENDS_OWNER_H

/* From now on our directories are ours. 0; -errno when the mark cannot be made. */
int owner_claim(void);

/* We end. The mark goes unless a device of ours is left. */
void owner_leave(void);

/*
 * The kernel's module that would serve directories of @type ("vbd") besides us, as of now; NULL:
 * none. @sysfs: where sysfs is, "/sys". Static.
 */
const char *owner_other(const char *sysfs, const char *type);

#endif
