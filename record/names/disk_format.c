/* SPDX-License-Identifier: MIT */
/* disk_format.c - see disk_format.h. Source: xl-disk-configuration(5); qemu-block-drivers(7). */
#include "disk_format.h"

#include <string.h>

const char *const disk_format_words[] = {
	[DISK_FORMAT_RAW] = "raw", [DISK_FORMAT_QCOW2] = "qcow2", [DISK_FORMAT_QCOW] = "qcow",
	[DISK_FORMAT_QED] = "qed", [DISK_FORMAT_VHD] = "vhd",	  [DISK_FORMAT_VHDX] = "vhdx",
	[DISK_FORMAT_VMDK] = "vmdk", [DISK_FORMAT_VDI] = "vdi",	  NULL,
};

const char disk_format_list[] = "raw, qcow2, qcow, qed, vhd, vhdx, vmdk or vdi";

const char *disk_format_driver(enum disk_format format)
{
	return format == DISK_FORMAT_VHD ? "vpc" : disk_format_words[format];
}

int disk_format_parse(const char *word, int len, enum disk_format *format)
{
	for (int i = 0; disk_format_words[i]; i++) {
		if ((int)strlen(disk_format_words[i]) == len &&
		    !strncmp(word, disk_format_words[i], (size_t)len)) {
			*format = (enum disk_format)i;
			return 0;
		}
	}
	return -1;
}
