/* SPDX-License-Identifier: MIT */
/* host_cfg.c - see host_cfg.h. */
#include "host_cfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "schema.h"

static const char at_bridge[] = "/config/network/bridge";
static const char at_min_mem[] = "/config/host/dom0_min_mem";

static const char why_server[] = "nothing listens: tools meet in the store, xm migrate goes by ssh";
static const char why_ballooning[] = "/config/host/dom0_min_mem says how far Domain-0 is made "
				     "smaller for a domain; without it, it is not";
static const char why_script[] = "script= of a card; /etc/xen/scripts are called as they were";
static const char why_bridge[] = "storevisor-network(8) makes bridges, as the store describes them "
				 "in /config/network";
static const char why_log[] = "the journal, or the system's log, has what is said";
static const char why_vnc[] = "each domain's vfb says where its screen is shown: on this host alone, if it says nothing";
static const char why_limits[] = "the hypervisor's own limits apply";
static const char why_cpus[] = "cpus= of a domain, xm vcpu-pin";
static const char why_hotplug[] = "backendd runs the scripts and waits for them";
static const char why_backend[] = "Domain-0 serves all devices";
static const char why_remus[] = "there is no replication (Remus, COLO)";
static const char why_pci[] = "devices are not given to guests";
static const char why_hvm[] = "guests are paravirtual";

struct host_name {
	const char *name;
	enum host_fate fate;
	const char *says;
};

static const struct host_name names[] = {
	/* xl.conf */
	{ "autoballoon", HOST_ELSEWHERE, why_ballooning },
	{ "blkdev_start", HOST_NO_EFFECT, "no disk is mounted in Domain-0 to boot a guest" },
	{ "claim_mode", HOST_NO_EFFECT, "whether there is memory is looked at before a domain is built" },
	{ "colo.default.proxyscript", HOST_NO_EFFECT, why_remus },
	{ "defaultbridge", HOST_TAKEN, at_bridge },
	{ "domid_policy", HOST_NO_EFFECT, "the hypervisor gives the numbers, in order" },
	{ "lockfile", HOST_NO_EFFECT, "transactions of the store take the place of a lock" },
	{ "max_grant_frames", HOST_NO_EFFECT, why_limits },
	{ "max_grant_version", HOST_NO_EFFECT, why_limits },
	{ "max_maptrack_frames", HOST_NO_EFFECT, why_limits },
	{ "output_format", HOST_ELSEWHERE, "xm list -j, xm export -j" },
	{ "remus.default.netbufscript", HOST_NO_EFFECT, why_remus },
	{ "run_hotplug_scripts", HOST_NO_EFFECT, why_hotplug },
	{ "vif.default.backend", HOST_NO_EFFECT, why_backend },
	{ "vif.default.bridge", HOST_TAKEN, at_bridge },
	{ "vif.default.gatewaydev", HOST_ELSEWHERE, "gatewaydev= of a card" },
	{ "vif.default.script", HOST_ELSEWHERE, why_script },
	{ "vifscript", HOST_ELSEWHERE, why_script },
	{ "vm.cpumask", HOST_ELSEWHERE, why_cpus },
	{ "vm.hvm.cpumask", HOST_NO_EFFECT, why_hvm },
	{ "vm.pv.cpumask", HOST_ELSEWHERE, why_cpus },
	/* xend-config.sxp */
	{ "console-limit", HOST_NO_EFFECT, "a console's past is bounded" },
	{ "device-create-timeout", HOST_NO_EFFECT, why_hotplug },
	{ "device-destroy-timeout", HOST_NO_EFFECT, why_hotplug },
	{ "dom0-cpus", HOST_ELSEWHERE, "dom0_max_vcpus= on the hypervisor's command line; xm vcpu-set" },
	{ "dom0-min-mem", HOST_TAKEN, at_min_mem },
	{ "enable-dom0-ballooning", HOST_ELSEWHERE, why_ballooning },
	{ "enable-dump", HOST_NO_EFFECT, "a crashed guest's memory is not written to a file" },
	{ "external-migration-tool", HOST_ELSEWHERE, "xm migrate -s COMMAND" },
	{ "keymap", HOST_NO_EFFECT, why_vnc },
	{ "logfile", HOST_NO_EFFECT, why_log },
	{ "loglevel", HOST_NO_EFFECT, why_log },
	{ "network-script", HOST_ELSEWHERE, why_bridge },
	{ "pci-dev-assign-strict-check", HOST_NO_EFFECT, why_pci },
	{ "pci-passthrough-strict-check", HOST_NO_EFFECT, why_pci },
	{ "resource-label-change-script", HOST_NO_EFFECT, "there are no security labels" },
	{ "total_available_memory", HOST_NO_EFFECT, "memory is not promised twice" },
	{ "vif-script", HOST_ELSEWHERE, why_script },
	{ "vnc-listen", HOST_NO_EFFECT, why_vnc },
	{ "vnc-tls", HOST_NO_EFFECT, why_vnc },
	{ "vnc-x509-cert-dir", HOST_NO_EFFECT, why_vnc },
	{ "vnc-x509-verify", HOST_NO_EFFECT, why_vnc },
	{ "vncpasswd", HOST_NO_EFFECT, why_vnc },
	{ "xen-api-server", HOST_NO_EFFECT, why_server },
	{ "xend-address", HOST_NO_EFFECT, why_server },
	{ "xend-domains-lock-path", HOST_NO_EFFECT, "transactions of the store take the place of a lock" },
	{ "xend-domains-path", HOST_ELSEWHERE, "records are in the store, /config/domain: xm new FILE" },
	{ "xend-http-server", HOST_NO_EFFECT, why_server },
	{ "xend-port", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-address", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-hosts-allow", HOST_ELSEWHERE, "ssh's: who may log in may bring a domain" },
	{ "xend-relocation-port", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-server", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-server-ssl-cert-file", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-server-ssl-key-file", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-ssl", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-ssl-port", HOST_NO_EFFECT, why_server },
	{ "xend-relocation-ssl-server", HOST_NO_EFFECT, why_server },
	{ "xend-tcp-xmlrpc-server", HOST_NO_EFFECT, why_server },
	{ "xend-tcp-xmlrpc-server-address", HOST_NO_EFFECT, why_server },
	{ "xend-tcp-xmlrpc-server-port", HOST_NO_EFFECT, why_server },
	{ "xend-tcp-xmlrpc-server-ssl-cert-file", HOST_NO_EFFECT, why_server },
	{ "xend-tcp-xmlrpc-server-ssl-key-file", HOST_NO_EFFECT, why_server },
	{ "xend-udev-event-server", HOST_NO_EFFECT, why_server },
	{ "xend-unix-path", HOST_NO_EFFECT, why_server },
	{ "xend-unix-server", HOST_NO_EFFECT, why_server },
	{ "xend-unix-xmlrpc-server", HOST_NO_EFFECT, why_server },
};

#define NR (sizeof(names) / sizeof(names[0]))

static const struct host_name *name_find(const char *name)
{
	for (size_t i = 0; i < NR; i++)
		if (!strcmp(name, names[i].name))
			return &names[i];
	return NULL;
}

static int unknown(const struct cfg_setting *s, struct cfg_report *rep)
{
	struct nearest near = { 0 };

	for (size_t i = 0; i < NR; i++)
		nearest_offer(&near, s->key, names[i].name);
	if (near.word)
		cfg_error_at(rep, &s->pos, "unknown name '%s'; did you mean '%s'?", s->key, near.word);
	else
		cfg_error_at(rep, &s->pos,
			     "unknown name '%s': neither xl.conf nor xend-config.sxp has it",
			     s->key);
	return -EINVAL;
}

/* Whether Domain-0 was never to be made smaller, whatever its least size. */
static bool never_balloons(const struct host_cfg *h)
{
	const struct cfg_setting *s = cfg_find(&h->cfg, "enable-dom0-ballooning");

	return s && s->value.text && (!strcmp(s->value.text, "no") || !strcmp(s->value.text, "0"));
}

/* What has no part that the store could have. */
static bool says_nothing(const struct host_cfg *h, struct host_setting *out)
{
	if (out->says != at_min_mem)
		return false;
	if (never_balloons(h))
		out->says = "enable-dom0-ballooning is no: Domain-0 keeps its memory";
	else if (!strcmp(out->from->value.text, "0"))
		out->says = "0: Domain-0 keeps its memory";
	else
		return false;
	out->fate = HOST_NO_EFFECT;
	return true;
}

static int take(const struct host_cfg *h, struct host_setting *out, struct cfg_report *rep)
{
	const struct cfg_setting *s = out->from;
	const char *value = s->value.text;
	char why[SCHEMA_WHY_LEN];

	if (s->value.type == CFG_LIST || !value) {
		cfg_error_at(rep, &s->pos, "%s: one value is expected", s->key);
		return -EINVAL;
	}
	if (says_nothing(h, out))
		return 0;
	if (!schema_check(schema_find(out->says), value, strlen(value), why)) {
		cfg_error_at(rep, &s->pos, "%s=%.64s is not possible: %s is wanted", s->key, value, why);
		return -EINVAL;
	}
	snprintf(out->value, sizeof(out->value), "%s", value);
	return 0;
}

int host_cfg_read(struct host_cfg *h, const char *source, const char *text, size_t len,
		  struct cfg_report *rep)
{
	return cfg_parse_host(&h->cfg, source, text, len, rep);
}

int host_cfg_judge(struct host_cfg *h, struct cfg_report *rep)
{
	int ret = 0;

	h->settings = calloc(h->cfg.nr_settings + 1, sizeof(*h->settings));
	if (!h->settings)
		return -ENOMEM;
	for (size_t i = 0; i < h->cfg.nr_settings; i++) {
		const struct cfg_setting *s = &h->cfg.settings[i];
		const struct host_name *name = name_find(s->key);
		struct host_setting *out = &h->settings[h->nr];

		if (s->wrong)
			continue;
		if (!name) {
			ret = unknown(s, rep);
			continue;
		}
		*out = (struct host_setting){ .from = s, .fate = name->fate, .says = name->says };
		if (out->fate == HOST_TAKEN && take(h, out, rep))
			ret = -EINVAL;
		else
			h->nr++;
	}
	return ret;
}

void host_cfg_fini(struct host_cfg *h)
{
	free(h->settings);
	cfg_fini(&h->cfg);
	*h = (struct host_cfg){ 0 };
}
