/* SPDX-License-Identifier: MIT */
/*
 * device.h - one backend directory and the process that serves it.
 *
 * Owns starting, adopting, restarting with back-off, and cleaning up after the device. What the
 * store says about a device is looked up here; which devices to look at is backendd.c's.
 */
#ifndef BACKENDS_DEVICE_H
#define BACKENDS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>
#include <xenstore.h>

#include "disk_script.h"
#include "grant.h"
#include "vif_script.h"

struct supervisor {
	struct xs_handle *xs;
	struct event_base *base;
	const char *libdir; /* where the device programs are */
	const char *sysfs;
	bool verbose;
	struct device *devices;
	bool clears_again; /* device_clear_disks(), soon */
};

enum device_phase {
	DEVICE_RUNNING, /* a process serves it (ours or adopted) */
	DEVICE_WAITING, /* its process died; the next starts when the timer fires */
	DEVICE_DONE,	/* closed for good; the directory is about to go */
	DEVICE_FAILED,	/* the record must change first */
};

struct device {
	struct device *next;
	struct supervisor *sv;
	const struct device_kind *kind;
	unsigned int domid, devid;
	char path[128];
	char journal[256];
	enum device_phase phase;
	pid_t pid;    /* 0: none */
	bool adopted; /* not our child: watched through adopted_exit */
	struct event *adopted_exit;
	struct event *timer; /* restart, or the end of the grace after the directory went */
	bool gone;	     /* the directory vanished */
	bool noted;	     /* an event was about it: device_check_noted() */
	uint64_t started_ns;
	unsigned int backoff_ms;
	struct grant grant;	  /* its process's connections to the store */
	struct vif_script script; /* vif only: to run "offline" when the keys are gone */
	struct disk_script disk;  /* vbd only: to run "remove" then, if a script makes it */
};

/* What scripts have made for disks that went while no supervisor ran is taken away. */
void device_clear_disks(struct supervisor *sv);

/* All classes, NULL at the end of the list. */
const char *device_type(unsigned int i);

/* Looks at one backend directory and takes the step due: start, restart, stop, forget. */
void device_check(struct supervisor *sv, const char *type, unsigned int domid, unsigned int devid);

/*
 * Something of that directory changed: it is looked at by device_check_noted(), however often this
 * is said until then. At once, if there is no such device yet.
 */
void device_note(struct supervisor *sv, const char *type, unsigned int domid, unsigned int devid);
void device_check_noted(struct supervisor *sv);

/* Looks at all devices known, for those whose directories vanished. */
void device_check_known(struct supervisor *sv);

/* A child of ours ended with wait status @status. Unknown pids are ignored. */
void device_exited(struct supervisor *sv, pid_t pid, int status);

#endif
