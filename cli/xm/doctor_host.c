/* SPDX-License-Identifier: MIT */
/*
 * doctor_host.c - see doctor.h: what is wrong with a host before any domain is looked at.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "card.h"
#include "doctor.h"
#include "notify.h"
#include "store.h"

/* Without them nobody can ask the hypervisor anything, or see what a guest grants. */
static void check_nodes(struct doctor *d)
{
	static const char *const nodes[] = { "privcmd", "evtchn", "gntdev" };
	char path[DOCTOR_PATH];

	if (access(doctor_at(path, "/proc/xen/capabilities"), F_OK))
		return; /* no Domain-0, which has been told */
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (access(doctor_at(path, "/dev/xen/%s", nodes[i]), F_OK))
			doctor_found(d, false, "/dev/xen/%s is not there: modprobe xen-%s, and see that "
				     "something loads it", nodes[i], nodes[i]);
}

static bool is_process(const char *pid, const char *name)
{
	char path[DOCTOR_PATH], comm[32] = "";
	FILE *f = fopen(doctor_at(path, "/proc/%.32s/comm", pid), "re");

	if (!f)
		return false;
	if (fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(f);
	return strcmp(comm, name) == 0;
}

/* Nothing in the store says that somebody watches there. */
static void check_backendd(struct doctor *d)
{
	char path[DOCTOR_PATH];
	DIR *dir = opendir(doctor_at(path, "/proc"));
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir)))
		found = isdigit((unsigned char)e->d_name[0]) && is_process(e->d_name, "backendd");
	if (dir)
		closedir(dir);
	if (found)
		doctor_found(d, true, "backendd runs");
	else
		doctor_found(d, false, "backendd does not run: no disk, card or console will be served: "
			     "start it, or see %s", notify_log_of("backendd"));
}

/* Dom0's kernel would take the backend directories, too: backendd refuses to share. */
static void check_backends(struct doctor *d)
{
	static const struct {
		const char *driver, *module;
	} kernel[] = {
		{ "vbd", "xen-blkback" },
		{ "vif", "xen-netback" },
	};
	char path[DOCTOR_PATH];

	for (size_t i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		if (access(doctor_at(path, "/sys/bus/xen-backend/drivers/%s", kernel[i].driver), F_OK) == 0)
			doctor_found(d, false, "the kernel's %s is loaded and would serve domains beside "
			      "backendd: rmmod %s, and see that nothing loads it",
				     kernel[i].module, kernel[i].module);
	}
}

static void check_memory(struct doctor *d)
{
	long long free_kib;

	if (store_read_number(d->xm->xs, XBT_NULL, &free_kib, "/host/free_kib"))
		doctor_found(d, free_kib >= 16 * 1024, "%lld MiB of memory are free for domains%s",
		      free_kib / 1024,
		      free_kib >= 16 * 1024 ? ""
					    : ": end a domain, or give Domain-0 less (dom0_mem=)");
}

static void check_faults(struct doctor *d)
{
	unsigned int nr = 0, nr_open = 0;
	char **keys = store_list(d->xm->xs, XBT_NULL, &nr, "/host/vulnerabilities");

	for (unsigned int i = 0; i < nr; i++) {
		char *text = store_read(d->xm->xs, XBT_NULL, "/host/vulnerabilities/%s", keys[i]);

		if (text && strstr(text, ": open: ")) {
			doctor_noted(d, "%s", text);
			nr_open++;
		}
		free(text);
	}
	if (nr_open)
		doctor_noted(d, "what is open lets one guest learn another's secrets: newer microcode, "
			 "or what spec-ctrl= turns off (xm info | grep commandline)");
	else if (nr)
		doctor_found(d, true, "nothing is open of %u known faults of CPUs", nr);
	free(keys);
}

#define SPACE_MIN_MIB 16

bool doctor_has_space(const char *path, unsigned long long *mib)
{
	struct statvfs fs;

	*mib = 0;
	if (statvfs(path, &fs) < 0 || fs.f_blocks == 0 || fs.f_flag & ST_RDONLY)
		return true;
	*mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	/* Of files there may be no more either. */
	return *mib >= SPACE_MIN_MIB && (fs.f_files == 0 || fs.f_favail > 0);
}

static void check_space(struct doctor *d)
{
	static const struct {
		const char *dir, *then;
	} filling[] = {
		{ "/var/lib/xenstored", "no record can be changed" },
		{ "/run", "the store has no room" },
		{ "/var/log", "nothing is logged" },
	};
	int before = d->nr_bad;
	unsigned long long mib;

	for (size_t i = 0; i < sizeof(filling) / sizeof(filling[0]); i++)
		if (!doctor_has_space(filling[i].dir, &mib))
			doctor_found(d, false,
				     "%s: its file system is full (%llu MiB left): %s: make room",
				     filling[i].dir, mib, filling[i].then);
	if (d->nr_bad == before)
		doctor_found(d, true, "the store and the logs have room");
}

/* Whoever installed it wants to know before the machine comes up without it. */
static void check_boot(struct doctor *d)
{
	static const char without[] = "by default: without";
	char path[DOCTOR_PATH], command[DOCTOR_PATH + 32], line[128] = "";
	FILE *f;

	if (access(doctor_at(path, "/usr/sbin/storevisor-boot"), X_OK) ||
	    access(doctor_at(path, "/boot/storevisor.gz"), F_OK))
		return;
	doctor_at(path, "/usr/sbin/storevisor-boot");
	snprintf(command, sizeof(command), "'%s' --status 2>/dev/null", path);
	f = popen(command, "re");
	if (!f)
		return;
	if (fgets(line, sizeof(line), f) && strncmp(line, without, sizeof(without) - 1) == 0)
		doctor_noted(d, "the machine boots without the hypervisor unless it is told otherwise: "
			     "storevisor-boot --default");
	while (fgets(line, sizeof(line), f))
		;
	pclose(f);
}

/* A switch of Open vSwitch is an interface of its name; VLANs may be behind that. */
bool doctor_bridge_exists(const char *name, const char *script)
{
	bool is_switch = strchr(name, ':') || strstr(script, "openvswitch");
	int len = is_switch ? (int)strcspn(name, ".:") : CARD_IFNAME_MAX;
	char path[DOCTOR_PATH];

	doctor_at(path, "/sys/class/net/%.*s%s", len > CARD_IFNAME_MAX ? CARD_IFNAME_MAX : len, name,
		  is_switch ? "" : "/bridge");
	return access(path, F_OK) == 0;
}

static void check_bridge(struct doctor *d)
{
	char *bridge = store_read(d->xm->xs, XBT_NULL, "/config/network/bridge");
	const char *name = bridge && *bridge ? bridge : "xenbr0";

	if (doctor_bridge_exists(name, ""))
		doctor_found(d, true, "bridge %s exists", name);
	else
		doctor_found(d, false,
		      "bridge %s does not exist: storevisor-network bridge %s makes it from the NIC, "
		      "storevisor-network nat one with a net of its own", name, name);
	free(bridge);
}

/* As xend has it from the store; a store of another kind knows nothing of the sort. */
static void check_store(struct doctor *d)
{
	char *state = store_read(d->xm->xs, XBT_NULL, "/status/store");

	if (state && strcmp(state, "degraded") == 0)
		doctor_found(d, false,
			     "the store has lost something, or brought it back from an earlier state: "
			     "xs control lost says what; for such records nothing is started or "
			     "stopped before xs control lost known");
	else if (state)
		doctor_found(d, true, "the store has lost nothing");
	free(state);
}

void doctor_host(struct doctor *d)
{
	check_store(d);
	check_nodes(d);
	check_backendd(d);
	check_backends(d);
	check_memory(d);
	check_faults(d);
	check_space(d);
	check_boot(d);
	check_bridge(d);
}
