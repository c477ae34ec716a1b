/* SPDX-License-Identifier: MIT */
/*
 * cfg_keys.c - the walk over all settings, and what concerns several of them. See cfg_keys.h. What
 * each key means is in cfg_take.c; the keys that are refused or have no effect are rows of
 * cfg_other.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_keys.h"
#include "cfg_other.h"
#include "cfg_take.h"
#include "nearest.h"

const char *cfg_keys_taken_name(size_t i)
{
	const struct key *key = cfg_taken_at(i);

	return key ? key->name : NULL;
}

/*
 * A slip of the finger in a key that counts would change what the guest is; what is far from any
 * key is somebody's own.
 */
static int unknown_key(const struct cfg_setting *s, struct cfg_report *rep)
{
	const char *what = "it is no known key (xm.cfg(5) lists them)";
	struct nearest near = { 0 };

	for (size_t i = 0; cfg_taken_at(i); i++)
		nearest_offer(&near, s->key, cfg_taken_at(i)->name);
	for (size_t i = 0; cfg_other_at(i); i++)
		if (cfg_other_at(i)->verdict == KEY_REFUSED || cfg_other_is_hvm(cfg_other_at(i)))
			nearest_offer(&near, s->key, cfg_other_at(i)->name);
	if (near.word && nearest_is_slip(&near)) {
		cfg_error_at(rep, &s->pos, "unknown key '%s'; did you mean '%s'?", s->key,
			     near.word);
		return -EINVAL;
	}
	if (near.word)
		cfg_remark_at(rep, &s->pos, "%s has no effect: %s; did you mean '%s'?", s->key,
			      what, near.word);
	else
		cfg_remark_at(rep, &s->pos, "%s has no effect: %s", s->key, what);
	return 0;
}

/* Asking for nothing (pci = [], nestedhvm = 0) is not asking for it. */
static bool asks_for_nothing(const struct cfg_value *v)
{
	return v->type == CFG_NONE || (v->type == CFG_LIST && !v->nr_items) ||
	       (v->type == CFG_INT && !v->num) || (v->type == CFG_STRING && !*v->text);
}

static int take_other(const struct reading *r, const struct cfg_setting *s)
{
	const struct key_other *other = cfg_other_find(s->key);

	if (!other)
		return unknown_key(s, r->rep);
	/* Of a guest that is not of this kind that is said once. */
	if (cfg_other_is_hvm(other) && (r->other_kind || asks_for_nothing(&s->value)))
		return 0;
	if (other->verdict == KEY_NO_EFFECT) {
		cfg_remark_at(r->rep, &s->pos, "%s has no effect: %s", s->key, other->reason);
		return 0;
	}
	if (asks_for_nothing(&s->value))
		return 0;
	cfg_error_at(r->rep, &s->pos, "%s: %s", s->key, other->reason);
	return -ENOTSUP;
}

static int take_setting(struct reading *r, const struct cfg_setting *s)
{
	const struct key *key = cfg_taken_find(s->key);

	if (s->wrong)
		return 0;
	if (s->shadowed_line > 0)
		cfg_remark_at(r->rep, &s->pos,
			      "%s is set twice; this value replaces the one of line %d", s->key,
			      s->shadowed_line);
	/* None: as if the line were not there. */
	if (s->value.type == CFG_NONE && (key || cfg_other_find(s->key)))
		return 0;
	return key ? key->take(r, s) : take_other(r, s);
}

/* A file for another kind of guest is told that, before all that follows from it. */
static int take_kind(struct reading *r, const struct cfg *cfg)
{
	static const char *const kinds[] = { "type", "builder" };
	int ret = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct cfg_setting *s = cfg_find(cfg, kinds[i]);

		if (s && s->value.type != CFG_NONE && cfg_take_kind(r, s))
			ret = -EINVAL;
	}
	r->other_kind = ret != 0;
	return ret;
}

/* cmdline, or else "root=ROOT EXTRA": xl's rule. */
static void join_cmdline(struct reading *r, const struct cfg *cfg)
{
	const struct cfg_setting *s = cfg_find(cfg, "cmdline");
	const char *root = r->root ? r->root : "", *extra = r->extra ? r->extra : "";
	struct record *rec = r->rec;
	int len = r->cmdline ? (int)strlen(r->cmdline) : 0;

	if (r->bootloader)
		return;
	if (r->cmdline && (r->root || r->extra)) {
		const struct cfg_setting *other = cfg_find(cfg, r->root ? "root" : "extra");

		cfg_remark_at(r->rep, &other->pos, "%s has no effect: cmdline is set too",
			      other->key);
	}
	if (r->cmdline)
		snprintf(rec->cmdline, sizeof(rec->cmdline), "%s", r->cmdline);
	else
		len = snprintf(rec->cmdline, sizeof(rec->cmdline), "%s%s%s%s",
			       *root ? "root=" : "", root, *root && *extra ? " " : "", extra);
	if (len <= RECORD_CMDLINE_MAX)
		return;
	if (!s)
		s = cfg_find(cfg, r->extra ? "extra" : "root");
	cfg_error_at(r->rep, &s->value.pos,
		     "%s: the kernel's command line is %d bytes long; %d is the limit", s->key, len,
		     RECORD_CMDLINE_MAX);
}

/*
 * Whatever pygrub would read of the guest's disk in Domain-0, PV GRUB reads of it inside the guest:
 * then it is the kernel, and the menu on the disk has the rest.
 */
static void take_loader(struct reading *r, const struct cfg *cfg)
{
	static const char *const inside[] = { "kernel", "ramdisk" };
	static const char *const menus[] = { "root", "extra", "cmdline" };
	const struct cfg_setting *s;

	if (!r->bootloader)
		return;
	/*
	 * xend's own files name what pygrub had found. Of a file that people wrote, pygrub boots
	 * this one of the disk.
	 */
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		s = cfg_find(cfg, inside[i]);
		if (s && !asks_for_nothing(&s->value))
			cfg_remark_at(r->rep, &s->pos, "%s has no effect: with a bootloader the "
				      "menu on the guest's disk says which file boots", s->key);
	}
	for (size_t i = 0; i < sizeof(menus) / sizeof(menus[0]); i++) {
		s = cfg_find(cfg, menus[i]);
		if (s && !asks_for_nothing(&s->value))
			cfg_remark_at(r->rep, &s->pos, "%s has no effect: with a bootloader the "
				      "menu on the guest's disk has the kernel's arguments", s->key);
	}
	if (!r->rec->nr_disks && !cfg_find(cfg, "disk"))
		cfg_error_at(r->rep, &r->bootloader->pos,
			     "bootloader: there is no disk to boot from");
	strcpy(r->rec->kernel, RECORD_PV_GRUB);
	r->rec->ramdisk[0] = '\0';
}

static void require(const struct reading *r, const struct cfg *cfg, const char *key, bool present,
		    const char *what)
{
	const struct cfg_setting *s = cfg_find(cfg, key);

	/* What is there and wrong has been told. */
	if (!present && (!s || (!s->wrong && asks_for_nothing(&s->value))))
		cfg_error(r->rep, cfg->nr_sources ? cfg->sources[0] : "(no file)", what);
}

static void check_whole(const struct reading *r, const struct cfg *cfg)
{
	const struct record *rec = r->rec;

	require(r, cfg, "name", rec->name[0], "no name: add a line such as name = 'web'");
	require(r, cfg, "memory", rec->memory_mib,
		"no memory: add a line such as memory = 128 (MiB)");
	if (!cfg_find(cfg, "bootloader") && !r->other_kind)
		require(r, cfg, "kernel", rec->kernel[0],
			"no kernel: add a line such as kernel = '/boot/vmlinuz', or bootloader = "
			"'pygrub' to boot from the guest's own disk");
	if (rec->maxmem_mib && rec->maxmem_mib < rec->memory_mib)
		cfg_error_at(r->rep, &cfg_find(cfg, "maxmem")->pos,
			     "maxmem: %llu is less than memory, %llu",
			     (unsigned long long)rec->maxmem_mib,
			     (unsigned long long)rec->memory_mib);
	if (rec->maxvcpus && rec->maxvcpus < rec->vcpus)
		cfg_error_at(r->rep, &cfg_find(cfg, "maxvcpus")->pos,
			     "maxvcpus: %u is less than vcpus, %u", rec->maxvcpus, rec->vcpus);
}

int cfg_to_record(const struct cfg *cfg, const char *base, struct record *rec,
		  struct cfg_report *rep)
{
	struct reading r = { .rec = rec, .rep = rep, .base = base };
	int ret = 0;

	record_init(rec);
	rec->maxvcpus = 0; /* not said yet */
	take_kind(&r, cfg);
	for (size_t i = 0; i < cfg->nr_settings && ret != -ENOMEM; i++)
		ret = take_setting(&r, &cfg->settings[i]);
	if (ret != -ENOMEM) {
		join_cmdline(&r, cfg);
		take_loader(&r, cfg);
		check_whole(&r, cfg);
		ret = rep->nr_wrong ? -EINVAL : record_complete(rec);
	}
	free(r.root);
	free(r.extra);
	free(r.cmdline);
	return ret;
}
