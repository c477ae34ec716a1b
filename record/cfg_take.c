/* SPDX-License-Identifier: MIT */
/*
 * cfg_take.c - see cfg_take.h. Each function checks type and range at the setting's own place.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_take.h"
#include "cfg_keys.h"
#include "cpu_list.h"
#include "schema.h"
#include "vdev.h"

static int fail(struct reading *r, const struct cfg_setting *s, const char *text)
{
	cfg_error_at(r->rep, &s->value.pos, "%s: %s", s->key, text);
	return -EINVAL;
}

/* A string or a number's own text; NULL after reporting. */
static const char *as_text(struct reading *r, const struct cfg_setting *s)
{
	if (s->value.type == CFG_STRING || s->value.type == CFG_INT)
		return s->value.text;
	fail(r, s, "must be a string in quotes");
	return NULL;
}

/*
 * The number of a setting; strings of digits too, as xm and xl take them. false after reporting:
 * the limits are those of the registry for record key @key.
 */
static bool as_number(struct reading *r, const struct cfg_setting *s, const char *key,
		      uint64_t *out)
{
	const struct schema_row *row;
	long long num = s->value.num;
	char path[128], *end;

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	row = schema_find(path);
	if (s->value.type == CFG_STRING && *s->value.text) {
		errno = 0;
		num = strtoll(s->value.text, &end, 0);
		if (*end || errno)
			num = LLONG_MIN;
	} else if (s->value.type != CFG_INT) {
		num = LLONG_MIN;
	}
	*out = (uint64_t)num;
	if (num >= row->min && num <= row->max)
		return true;
	cfg_error_at(r->rep, &s->value.pos, "%s: must be a whole number from %lld to %lld", s->key,
		     (long long)row->min, (long long)row->max);
	*out = 0;
	return false;
}

static int take_u64(struct reading *r, const struct cfg_setting *s, uint64_t *out)
{
	return as_number(r, s, s->key, out) ? 0 : -EINVAL;
}

static int take_uint(struct reading *r, const struct cfg_setting *s, const char *key,
		     unsigned int *out)
{
	uint64_t n;

	if (!as_number(r, s, key, &n))
		return -EINVAL;
	*out = (unsigned int)n;
	return 0;
}

static int keep_text(struct reading *r, const struct cfg_setting *s, char **out)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	free(*out);
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

/* @out: DISK_PATH_MAX + 1 bytes. */
static int take_path(struct reading *r, const struct cfg_setting *s, char *out)
{
	const char *text = as_text(r, s);
	int n;

	if (!text)
		return -EINVAL;
	if (!*text)
		return 0; /* ramdisk = '' means none */
	if (*text != '/' && !r->base)
		return fail(r, s, "must be an absolute path, as seen in Domain-0");
	n = snprintf(out, DISK_PATH_MAX + 1, "%s%s%s", *text == '/' ? "" : r->base,
		     *text == '/' ? "" : "/", text);
	if (n <= DISK_PATH_MAX)
		return 0;
	out[0] = '\0';
	return fail(r, s, "is longer than 1023 characters");
}

static int take_name(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s), *problem;

	if (!text)
		return -EINVAL;
	problem = domain_name_problem(text);
	if (problem) {
		cfg_error_at(r->rep, &s->value.pos, "name: '%.80s' %s", text, problem);
		return -EINVAL;
	}
	strcpy(r->rec->name, text);
	return 0;
}

static int take_uuid(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	if (vdev_uuid_parse(text, r->rec->uuid))
		return fail(r, s, "must be a uuid such as 1b4e28ba-2fa1-4d2b-883f-0016d3cca427");
	vdev_uuid_format(r->rec->uuid, r->rec->uuid_text);
	return 0;
}

static int take_kernel(struct reading *r, const struct cfg_setting *s)
{
	return take_path(r, s, r->rec->kernel);
}

static int take_ramdisk(struct reading *r, const struct cfg_setting *s)
{
	return take_path(r, s, r->rec->ramdisk);
}

/* "pygrub", or where Debian or Xen put it. */
static int take_bootloader(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s), *name;

	if (!text)
		return -EINVAL;
	name = strrchr(text, '/');
	name = name ? name + 1 : text;
	if (*text && strcmp(name, "pygrub") != 0)
		return fail(r, s, "must be 'pygrub': no other program reads a guest's disk here");
	r->bootloader = *text ? s : NULL;
	return 0;
}

static int take_cmdline(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->cmdline);
}

static int take_root(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->root);
}

static int take_extra(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->extra);
}

static int take_memory(struct reading *r, const struct cfg_setting *s)
{
	return take_u64(r, s, &r->rec->memory_mib);
}

static int take_maxmem(struct reading *r, const struct cfg_setting *s)
{
	return take_u64(r, s, &r->rec->maxmem_mib);
}

static int take_vcpus(struct reading *r, const struct cfg_setting *s)
{
	return take_uint(r, s, "vcpus", &r->rec->vcpus);
}

static int take_maxvcpus(struct reading *r, const struct cfg_setting *s)
{
	return take_uint(r, s, "maxvcpus", &r->rec->maxvcpus);
}

static int take_cpu_weight(struct reading *r, const struct cfg_setting *s)
{
	return take_uint(r, s, "cpu_weight", &r->rec->cpu_weight);
}

static int take_cap(struct reading *r, const struct cfg_setting *s)
{
	return take_uint(r, s, "cap", &r->rec->cap);
}

/* Of one list alone: what the virtual CPUs behind it get. */
#define FLOATING " all"

/* Adds @value to the lists; blanks at commas mean nothing. -EINVAL for what cannot be one. */
static int add_cpus(struct reading *r, const struct cfg_value *value)
{
	char *cpus = r->rec->cpus, *end = cpus + strlen(cpus);
	bool blank = end > cpus;

	if ((value->type != CFG_STRING && value->type != CFG_INT) || !*value->text)
		return -EINVAL;
	for (const char *c = value->text; *c; c++) {
		if (*c == ' ' || *c == '\t') {
			blank = blank || (end > cpus && end[-1] != ',');
			continue;
		}
		/* Room for a blank, this, and what take_cpus() puts behind. */
		if (end + sizeof(FLOATING) + 2 > cpus + sizeof(r->rec->cpus))
			return -EINVAL;
		if (blank && *c != ',')
			*end++ = ' ';
		blank = false;
		*end++ = *c;
	}
	*end = '\0';
	return 0;
}

/* "0-3,^2" for all virtual CPUs, ["2", "3"] for one each: those beyond the list float. */
static int take_cpus(struct reading *r, const struct cfg_setting *s)
{
	const struct cfg_value *v = &s->value;
	uint8_t map[CPU_LIST_BYTES];
	int ret = 0;

	r->rec->cpus[0] = '\0';
	if (v->type != CFG_LIST && !(v->type == CFG_STRING && !*v->text))
		ret = add_cpus(r, v);
	for (size_t i = 0; i < v->nr_items && !ret; i++)
		ret = add_cpus(r, &v->items[i]);
	if (ret || (r->rec->cpus[0] && cpu_list_of(r->rec->cpus, 0, map)))
		return fail(r, s, "must be a list of CPUs such as 'all', '0-3,^2', or one a "
				  "virtual CPU: ['2', '3']");
	if (v->nr_items == 1)
		strcat(r->rec->cpus, FLOATING);
	if (!r->rec->cpus[0])
		strcpy(r->rec->cpus, "all");
	return 0;
}

static bool action_parse(const char *text, enum record_action *out)
{
	for (enum record_action a = ACTION_DESTROY; a <= ACTION_PRESERVE; a++) {
		if (strcmp(text, record_action_word(a)) == 0) {
			*out = a;
			return true;
		}
	}
	return false;
}

static int take_action(struct reading *r, const struct cfg_setting *s, enum record_action *out)
{
	static const char dump[] = "coredump-";
	const char *text = as_text(r, s);
	size_t len = sizeof(dump) - 1;

	if (!text)
		return -EINVAL;
	if (action_parse(text, out))
		return 0;
	if (strncmp(text, dump, len) == 0 && action_parse(text + len, out)) {
		cfg_remark_at(r->rep, &s->value.pos,
			      "%s: core dumps are not written here: '%s' is done", s->key,
			      text + len);
		return 0;
	}
	if (strcmp(text, "rename-restart") == 0)
		return fail(r, s,
			    "the dead domain is not kept beside its successor here: use 'preserve' "
			    "or 'restart'");
	return fail(r, s, "must be 'destroy', 'restart' or 'preserve'");
}

static int take_on_poweroff(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_poweroff);
}

static int take_on_reboot(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_reboot);
}

static int take_on_crash(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_crash);
}

bool cfg_autostart_parse(const char *word, enum record_autostart *out)
{
	static const struct {
		const char *word;
		enum record_autostart value;
	} words[] = {
		{ "0", AUTOSTART_NO },	  { "no", AUTOSTART_NO },	    { "off", AUTOSTART_NO },
		{ "never", AUTOSTART_NO },  { "ignore", AUTOSTART_NO }, { "1", AUTOSTART_YES },
		{ "yes", AUTOSTART_YES },	  { "on", AUTOSTART_YES },    { "always", AUTOSTART_YES },
		{ "start", AUTOSTART_YES }, { "last", AUTOSTART_LAST },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) == 0) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

/* autostart, and xm's on_xend_start = 'start' | 'ignore'. */
static int take_autostart(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	if (!cfg_autostart_parse(text, &r->rec->autostart))
		return fail(r, s, "must be 0, 1 or 'last' (as it was when the host went down)");
	return 0;
}

int cfg_take_kind(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	/* builder: linux and generic are xm's words for a paravirtual guest */
	if (strcmp(text, "pv") == 0 || strcmp(text, "linux") == 0 || strcmp(text, "generic") == 0)
		return 0;
	if (strcmp(text, "hvm") == 0 || strcmp(text, "pvh") == 0)
		return fail(r, s, "this host runs paravirtual guests (type = 'pv') only");
	return fail(r, s, "must be 'pv'");
}

/* type and builder were judged before. */
static int take_type(struct reading *r, const struct cfg_setting *s)
{
	(void)r;
	(void)s;
	return 0;
}

static const struct key taken[] = {
	{ "name", take_name },
	{ "type", take_type },
	{ "builder", take_type },
	{ "uuid", take_uuid },
	{ "kernel", take_kernel },
	{ "ramdisk", take_ramdisk },
	{ "bootloader", take_bootloader },
	{ "cmdline", take_cmdline },
	{ "root", take_root },
	{ "extra", take_extra },
	{ "memory", take_memory },
	{ "maxmem", take_maxmem },
	{ "vcpus", take_vcpus },
	{ "maxvcpus", take_maxvcpus },
	{ "cpus", take_cpus },
	{ "cpu_weight", take_cpu_weight },
	{ "cap", take_cap },
	{ "cpu_cap", take_cap },
	{ "disk", cfg_take_disk },
	{ "vif", cfg_take_vif },
	{ "vfb", cfg_take_vfb },
	{ "on_poweroff", take_on_poweroff },
	{ "on_reboot", take_on_reboot },
	{ "on_crash", take_on_crash },
	{ "autostart", take_autostart },
	{ "on_xend_start", take_autostart },
};

#define NR_TAKEN (sizeof(taken) / sizeof(taken[0]))

const struct key *cfg_taken_at(size_t i)
{
	return i < NR_TAKEN ? &taken[i] : NULL;
}

const struct key *cfg_taken_find(const char *name)
{
	for (size_t i = 0; i < NR_TAKEN; i++)
		if (strcmp(taken[i].name, name) == 0)
			return &taken[i];
	return NULL;
}
