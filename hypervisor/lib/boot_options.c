/* SPDX-License-Identifier: MIT */
/* boot_options.c - the hypervisor's command line: one table row an option. */
#include "lib/boot_options.h"

#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"

struct boot_options boot_options = {
	.log_level = LOG_INFO,
	.guest_log_level = LOG_WARN,
	.com1_baud = 115200,
	.watchdog_timeout = 5,
	.console_com1 = true,
};

static bool set_dom0_mem(struct boot_options *o, const char *value)
{
	/* Forms: SIZE, min:SIZE, max:SIZE, separated by commas; the bare size counts. */
	while (*value) {
		const char *comma = strchr(value, ',');
		const char *size = value;
		u64 bytes;

		if (!strncmp(value, "min:", 4) || !strncmp(value, "max:", 4))
			size += 4;
		if (!cmdline_size(size, &bytes))
			return false;
		if (size == value || !o->dom0_mem_bytes)
			o->dom0_mem_bytes = bytes;
		if (!comma)
			break;
		value = comma + 1;
	}
	return true;
}

static bool set_dom0_max_vcpus(struct boot_options *o, const char *value)
{
	const char *end;
	u64 n = strtou64(value, &end);

	/* Also N-M, as Xen: the upper number. */
	if (*end == '-')
		n = strtou64(end + 1, &end);
	if (*end || !n || n > 32)
		return false;
	o->dom0_max_vcpus = (unsigned int)n;
	return true;
}

static bool set_max_cpus(struct boot_options *o, const char *value)
{
	const char *end;
	u64 n = strtou64(value, &end);

	if (*end || !n || n > 32)
		return false;
	o->max_cpus = (unsigned int)n;
	return true;
}

static bool set_console(struct boot_options *o, const char *value)
{
	o->console_com1 = strncmp(value, "none", 4) != 0;
	o->console_vga = false;
	for (; *value; value++)
		if (!strncmp(value, "vga", 3))
			o->console_vga = true;
	return true;
}

static bool set_com1(struct boot_options *o, const char *value)
{
	const char *end;
	u64 baud = strtou64(value, &end);

	if (end == value)
		return !strncmp(value, "auto", 4) || *value == ',';
	if (baud < 300 || baud > 115200)
		return false;
	o->com1_baud = (u32)baud;
	return true;
}

/* error, warning, info, debug or all, none; of THRESHOLD/RATELIMITED only the first counts. */
static bool parse_level(const char *value, int *level)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{ "none", -1 },	    { "error", LOG_ERROR }, { "warning", LOG_WARN },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { "all", LOG_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t len = strlen(names[i].name);

		if (strncmp(value, names[i].name, len) || (value[len] && value[len] != '/'))
			continue;
		*level = names[i].level;
		return true;
	}
	return false;
}

static bool set_loglvl(struct boot_options *o, const char *value)
{
	return parse_level(value, &o->log_level);
}

static bool set_guest_loglvl(struct boot_options *o, const char *value)
{
	return parse_level(value, &o->guest_log_level);
}

static bool set_noreboot(struct boot_options *o, const char *value)
{
	enum option_choice choice;

	if (!option_choice_parse(value, &choice))
		return false;
	o->noreboot = choice == OPTION_ON;
	return true;
}

static bool set_smep(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->smep);
}

static bool set_smap(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->smap);
}

static bool set_x2apic(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->x2apic);
}

static bool set_watchdog(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->watchdog);
}

static bool set_watchdog_timeout(struct boot_options *o, const char *value)
{
	const char *end;
	u64 n = strtou64(value, &end);

	if (*end || !n || n > 600)
		return false;
	o->watchdog_timeout = (unsigned int)n;
	return true;
}

/* Xen's words: a number, scan, nmi (how CPUs are held when it comes late: here it does not). */
static bool take_ucode_word(struct boot_options *o, const char *word)
{
	bool is_negative = *word == '-';
	const char *value = cmdline_value(word, "scan"), *end;
	enum option_choice choice;
	u64 n;

	if (value && option_choice_parse(value, &choice))
		return o->ucode_scan = choice == OPTION_ON, true;
	value = cmdline_value(word, "nmi");
	if (value)
		return option_choice_parse(value, &choice);
	n = strtou64(word + is_negative, &end);
	if (*end || !n || n > 99)
		return false;
	o->ucode_module = is_negative ? -(int)n : (int)n;
	return true;
}

static bool set_ucode(struct boot_options *o, const char *value)
{
	char word[16];

	do {
		size_t len = 0;

		while (value[len] && value[len] != ',')
			len++;
		if (len >= sizeof(word))
			return false;
		strlcpy(word, value, len + 1);
		if (!take_ucode_word(o, word))
			return false;
		value += len + (value[len] == ',');
	} while (*value);
	return true;
}

static bool set_spec_ctrl(struct boot_options *o, const char *value)
{
	return spec_options_parse(&o->spec, value);
}

static bool set_xpti(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->spec.xpti);
}

static bool set_pv_l1tf(struct boot_options *o, const char *value)
{
	return option_choice_parse(value, &o->spec.l1tf);
}

static bool set_nmi(struct boot_options *o, const char *value)
{
	static const struct {
		const char *name;
		enum nmi_action action;
	} names[] = { { "report", NMI_REPORT }, { "fatal", NMI_FATAL }, { "ignore", NMI_IGNORE } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(value, names[i].name))
			return o->nmi = names[i].action, true;
	return false;
}

/* Accepted and without effect: what Debian's GRUB scripts and habits add to Xen's line. */
static bool ignore(struct boot_options *o, const char *value)
{
	return true;
}

static const struct option {
	const char *name;
	bool (*set)(struct boot_options *o, const char *value);
	const char *wanted;
} table[] = {
	{ "dom0_mem", set_dom0_mem, "a size such as 1024M" },
	{ "dom0_max_vcpus", set_dom0_max_vcpus, "a number from 1 to 32" },
	{ "maxcpus", set_max_cpus, "a number from 1 to 32" },
	{ "console", set_console, "com1, vga or none" },
	{ "com1", set_com1, "a speed from 300 to 115200" },
	{ "loglvl", set_loglvl, "none, error, warning, info, debug or all" },
	{ "guest_loglvl", set_guest_loglvl, "none, error, warning, info, debug or all" },
	{ "noreboot", set_noreboot, "1 or 0" },
	{ "watchdog", set_watchdog, "1 or 0" },
	{ "watchdog_timeout", set_watchdog_timeout, "seconds from 1 to 600" },
	{ "nmi", set_nmi, "report, fatal or ignore" },
	{ "smep", set_smep, "1 or 0" },
	{ "smap", set_smap, "1 or 0" },
	{ "x2apic", set_x2apic, "1 or 0" },
	{ "spec-ctrl", set_spec_ctrl, "words of docs/command-line.md, separated by commas" },
	{ "xpti", set_xpti, "1 or 0" },
	{ "pv-l1tf", set_pv_l1tf, "1 or 0" },
	{ "ucode", set_ucode, "scan, or a module's number" },
	{ "placeholder", ignore, "" },
	{ "no-real-mode", ignore, "" },
	{ "edd", ignore, "" },
	{ "sync_console", ignore, "" },
};

static void take_word(struct boot_options *o, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *value = cmdline_value(word, table[i].name);

		if (!value)
			continue;
		if (!table[i].set(o, value))
			log_warn("command line: '%s' ignored: %s wants %s", word, table[i].name,
				 table[i].wanted);
		return;
	}
	if (word[0] != '/') /* some loaders put the image's path first */
		log_warn("command line: unknown option '%s' ignored", word);
}

void options_parse(struct boot_options *o, const char *line)
{
	char word[128];

	strlcpy(o->cmdline, line, sizeof(o->cmdline));
	while (cmdline_next(&line, word, sizeof(word)))
		take_word(o, word);
}
