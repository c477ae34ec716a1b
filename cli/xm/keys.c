/* SPDX-License-Identifier: MIT */
/*
 * keys.c - the walk over all settings, and what concerns several of them. See keys.h. What each key
 * means is in keys_take.c; the keys that are refused or have no effect are rows of keys_other.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "keys_other.h"
#include "keys_take.h"
#include "nearest.h"

const char *keys_taken_name(size_t i)
{
	const struct key *key = keys_taken_at(i);

	return key ? key->name : NULL;
}

static int unknown_key(const struct cfg_setting *s, struct cfg_error *err)
{
	struct nearest near = {0};

	for (size_t i = 0; keys_taken_at(i); i++)
		nearest_offer(&near, s->key, keys_taken_at(i)->name);
	for (size_t i = 0; !near.word && keys_other_at(i); i++)
		nearest_offer(&near, s->key, keys_other_at(i)->name);
	if (near.word)
		cfg_error_at(err, &s->pos, "unknown key '%s'; did you mean '%s'?", s->key,
			     near.word);
	else
		cfg_error_at(err, &s->pos, "unknown key '%s' (xm.cfg(5) lists the known ones)",
			     s->key);
	return -EINVAL;
}

static int take_other(const struct cfg_setting *s, keys_warn_fn warn, void *data,
		      struct cfg_error *err)
{
	const struct key_other *other = keys_other_find(s->key);
	struct cfg_error text;

	if (!other)
		return unknown_key(s, err);
	if (other->verdict == KEY_REFUSED) {
		/* Asking for nothing (pci = [], nestedhvm = 0) is not asking for it. */
		if ((s->value.type == CFG_LIST && !s->value.nr_items) ||
		    (s->value.type == CFG_INT && !s->value.num) ||
		    (s->value.type == CFG_STRING && !*s->value.text))
			return 0;
		cfg_error_at(err, &s->pos, "%s: %s", s->key, other->reason);
		return -ENOTSUP;
	}
	cfg_error_at(&text, &s->pos, "%s has no effect: %s", s->key, other->reason);
	warn(data, text.text);
	return 0;
}

static int take_setting(struct reading *r, const struct cfg_setting *s, keys_warn_fn warn,
			void *data)
{
	struct cfg_error text;

	if (s->shadowed_line > 0) {
		cfg_error_at(&text, &s->pos,
			     "%s is set twice; this value replaces the one of line %d", s->key,
			     s->shadowed_line);
		warn(data, text.text);
	}
	for (size_t i = 0; keys_taken_at(i); i++) {
		const struct key *key = keys_taken_at(i);

		if (strcmp(s->key, key->name) != 0)
			continue;
		/* None: as if the line were not there. */
		return s->value.type == CFG_NONE ? 0 : key->take(r, s);
	}
	if (s->value.type == CFG_NONE && keys_other_find(s->key))
		return 0;
	return take_other(s, warn, data, r->err);
}

/* cmdline, or else "root=ROOT EXTRA": xl's rule. */
static int join_cmdline(struct reading *r, const struct cfg *cfg, keys_warn_fn warn, void *data)
{
	struct record *rec = r->rec;
	struct cfg_error text;
	const struct cfg_setting *s;

	if (rec->cmdline && (r->root || r->extra)) {
		s = cfg_find(cfg, r->root ? "root" : "extra");
		cfg_error_at(&text, &s->pos, "%s has no effect: cmdline is set too", s->key);
		warn(data, text.text);
	} else if (!rec->cmdline && (r->root || r->extra)) {
		const char *root = r->root ? r->root : "", *extra = r->extra ? r->extra : "";

		if (asprintf(&rec->cmdline, "%s%s%s%s", *root ? "root=" : "", root,
			     *root && *extra ? " " : "", extra) < 0) {
			rec->cmdline = NULL;
			return -ENOMEM;
		}
	}
	if (rec->cmdline && strlen(rec->cmdline) > RECORD_CMDLINE_MAX) {
		s = cfg_find(cfg, "cmdline");
		if (!s)
			s = cfg_find(cfg, r->extra ? "extra" : "root");
		cfg_error_at(r->err, &s->value.pos,
			     "%s: the kernel's command line is %zu bytes long; %d is "
			     "the limit",
			     s->key, strlen(rec->cmdline), RECORD_CMDLINE_MAX);
		return -EINVAL;
	}
	return 0;
}

static int require(const struct cfg *cfg, bool present, const char *what, struct cfg_error *err)
{
	if (present)
		return 0;
	snprintf(err->text, sizeof(err->text), "%.400s: %s",
		 cfg->nr_sources ? cfg->sources[0] : "(no file)", what);
	return -EINVAL;
}

static int check_whole(const struct cfg *cfg, struct record *rec, struct cfg_error *err)
{
	int ret = require(cfg, rec->name[0], "no name: add a line such as name = 'web'", err);

	if (!ret)
		ret = require(cfg, rec->memory, "no memory: add a line such as memory = 128 (MiB)",
			      err);
	if (!ret)
		ret = require(cfg, rec->kernel,
			      "no kernel: add a line such as kernel = '/boot/vmlinuz' "
			      "(or grub-xen's image to boot from the guest's own disk)",
			      err);
	if (!ret && rec->maxmem && rec->maxmem < rec->memory) {
		cfg_error_at(err, &cfg_find(cfg, "maxmem")->pos,
			     "maxmem: %ld is less than memory, %ld", rec->maxmem, rec->memory);
		ret = -EINVAL;
	}
	if (!ret && rec->maxvcpus && rec->maxvcpus < rec->vcpus) {
		cfg_error_at(err, &cfg_find(cfg, "maxvcpus")->pos,
			     "maxvcpus: %ld is less than vcpus, "
			     "%ld",
			     rec->maxvcpus, rec->vcpus);
		ret = -EINVAL;
	}
	return ret;
}

int keys_to_record(const struct cfg *cfg, struct record *rec, keys_warn_fn warn, void *data,
		   struct cfg_error *err)
{
	struct reading r = {.rec = rec, .err = err};
	int ret = 0;

	snprintf(err->text, sizeof(err->text), "out of memory or randomness");
	for (size_t i = 0; i < cfg->nr_settings && !ret; i++)
		ret = take_setting(&r, &cfg->settings[i], warn, data);
	if (!ret)
		ret = join_cmdline(&r, cfg, warn, data);
	if (!ret)
		ret = check_whole(cfg, rec, err);
	if (!ret)
		ret = record_complete(rec);
	free(r.root);
	free(r.extra);
	return ret;
}
