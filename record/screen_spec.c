/* SPDX-License-Identifier: MIT */
/* screen_spec.c - see screen_spec.h. One table of keys. */
#include "screen_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

static int set_bool(bool *out, const char *key, const char *value, char *err)
{
	*out = strcmp(value, "1") == 0;
	if (*out || strcmp(value, "0") == 0)
		return 0;
	return spec_error(err, -EINVAL, "%s '%.32s' is neither 0 nor 1", key, value);
}

static int set_vnc(struct screen_spec *s, const char *value, char *err)
{
	return set_bool(&s->vnc, "vnc", value, err);
}

static int set_unused(struct screen_spec *s, const char *value, char *err)
{
	return set_bool(&s->any, "vncunused", value, err);
}

static int set_type(struct screen_spec *s, const char *value, char *err)
{
	if (strcmp(value, "vnc") != 0)
		return spec_error(err, -ENOTSUP, "type '%.32s': a screen is shown by VNC", value);
	s->vnc = true;
	return 0;
}

static int set_display(struct screen_spec *s, const char *value, char *err)
{
	size_t len = strspn(value, "0123456789");
	unsigned long n = strtoul(value, NULL, 10);

	if (!len || value[len] || len > 5 || n >= SCREEN_DISPLAYS)
		return spec_error(err, -EINVAL, "vncdisplay '%.32s' is not a number below %u",
				  value, SCREEN_DISPLAYS);
	s->display[0] = (char)('0' + n / 10);
	s->display[n < 10 ? 0 : 1] = (char)('0' + n % 10);
	s->display[n < 10 ? 1 : 2] = '\0';
	return 0;
}

/* "ADDRESS:DISPLAY", as xl takes it; an IPv6 address with colons of its own is one alone. */
static int set_listen(struct screen_spec *s, const char *value, char *err)
{
	const char *colon = strchr(value, ':');
	size_t len = colon && !strchr(colon + 1, ':') ? (size_t)(colon - value) : strlen(value);

	if (len > SCREEN_ADDRESS_MAX)
		len = 0;
	memcpy(s->listen, value, len);
	s->listen[len] = '\0';
	if (!screen_address_ok(s->listen))
		return spec_error(err, -EINVAL, "vnclisten '%.64s' is not an address such as "
				  "127.0.0.1 or ::1", value);
	return value[len] ? set_display(s, value + len + 1, err) : 0;
}

static int set_password(struct screen_spec *s, const char *value, char *err)
{
	if (strlen(value) > SCREEN_PASSWORD_MAX)
		return spec_error(err, -EINVAL, "vncpasswd: VNC has passwords of at most %d "
				  "characters", SCREEN_PASSWORD_MAX);
	strcpy(s->password, value);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct screen_spec *s, const char *value, char *err); /* NULL: no effect */
} keys[] = {
	{ "vnc", set_vnc },	       { "vnclisten", set_listen }, { "vncdisplay", set_display },
	{ "vncunused", set_unused }, { "vncpasswd", set_password }, { "type", set_type },
	{ "sdl", NULL },	       { "opengl", NULL },	    { "display", NULL },
	{ "xauthority", NULL },     { "keymap", NULL },
};

static int set_named(void *data, const char *name, const char *value, char *err)
{
	struct screen_spec *s = data;
	struct nearest near = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(name, keys[i].name) == 0)
			return keys[i].set ? keys[i].set(s, value, err) :
					     spec_error(err, 0, "%s has no effect", name);
		nearest_offer(&near, name, keys[i].name);
	}
	return spec_error(err, -EINVAL, "unknown key '%.32s'%s%s%s", name,
			  near.word ? "; did you mean '" : ": a screen has vnc, vnclisten, "
							   "vncdisplay, vncunused, vncpasswd",
			  near.word ? near.word : "", near.word ? "'?" : "");
}

/* One that an entry can say, whose parts end at commas and begin and end without blanks. */
static bool can_be_said(const char *password)
{
	const size_t len = strlen(password);

	for (size_t i = 0; i < len; i++)
		if (password[i] == ',' || (unsigned char)password[i] < ' ' || password[i] == 0x7f)
			return false;
	return !len || (password[0] != ' ' && password[len - 1] != ' ');
}

int screen_spec_check(const struct screen_spec *screen, const char **key, char err[SPEC_ERROR_LEN])
{
	*key = "vnclisten";
	if (!screen->vnc)
		return 0;
	if (!screen_address_ok(screen->listen))
		return spec_error(err, -EINVAL, "vnclisten '%.64s' is not an address such as "
				  "127.0.0.1 or ::1", screen->listen);
	if (!screen->password[0] && !screen_is_local(screen->listen))
		return spec_error(err, -EINVAL, "vnclisten=%s needs vncpasswd: else anybody who "
				  "can reach it has the screen", screen->listen);
	*key = "vncpasswd";
	if (!can_be_said(screen->password))
		return spec_error(err, -EINVAL, "vncpasswd has a comma, a control character or a "
				  "blank at an end");
	return 0;
}

int screen_spec_parse(const char *text, struct screen_spec *screen, char err[SPEC_ERROR_LEN])
{
	const char *key;
	int ret;

	err[0] = '\0';
	memset(screen, 0, sizeof(*screen));
	screen->said = screen->vnc = true;
	strcpy(screen->listen, SCREEN_ADDRESS);
	ret = spec_each(text, "vfb", "vnc=1, vncdisplay=1", set_named, screen, err);
	if (ret)
		return ret;
	if (screen->any)
		screen->display[0] = '\0';
	return screen_spec_check(screen, &key, err);
}
