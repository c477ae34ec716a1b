/* SPDX-License-Identifier: MIT */
/*
 * disk_format.h - what a disk's image is: by xl's words, and by QEMU's for those that a server
 * reads (blk_server.h). A format is said, never found out: an image's contents are its guest's.
 * Pure.
 */
#ifndef STOREVISOR_DISK_FORMAT_H
#define STOREVISOR_DISK_FORMAT_H

enum disk_format {
	DISK_FORMAT_RAW, /* its bytes are the disk's */
	DISK_FORMAT_QCOW2,
	DISK_FORMAT_QCOW,
	DISK_FORMAT_QED,
	DISK_FORMAT_VHD,
	DISK_FORMAT_VHDX,
	DISK_FORMAT_VMDK,
	DISK_FORMAT_VDI,
};

/* By value; NULL after the last. */
extern const char *const disk_format_words[];

/* All of them, in a sentence. */
extern const char disk_format_list[];

/* How QEMU calls it. */
const char *disk_format_driver(enum disk_format format);

/* 0 and *@format; -1: @len bytes of @word are none of them. */
int disk_format_parse(const char *word, int len, enum disk_format *format);

#endif
