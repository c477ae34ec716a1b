/* SPDX-License-Identifier: MIT */
/*
 * screen_spec.h - the entry of vfb = [ ... ]: "vnc=1, vnclisten=..., vncdisplay=...,
 * vncpasswd=...". Pure. Source: xl.cfg(5); xm's example configurations.
 */
#ifndef STOREVISOR_SCREEN_SPEC_H
#define STOREVISOR_SCREEN_SPEC_H

#include <stdbool.h>

#include "screen.h"
#include "spec_error.h"

struct screen_spec {
	bool said; /* the record speaks of one, perhaps to say that there is none */
	bool vnc;  /* there is one, which VNC shows */
	char listen[SCREEN_ADDRESS_MAX + 1];
	bool any;  /* of an entry that is read: vncunused=1, so its vncdisplay counts for nothing */
	char display[3]; /* 0 to 99, or "" = the first that is free */
	char password[SCREEN_PASSWORD_MAX + 1];
};

/*
 * Returns and errors as vif_spec_parse(): 0, with a remark in @err or none; -EINVAL, -ENOTSUP. An
 * entry is a screen, unless it says vnc=0.
 */
int screen_spec_parse(const char *text, struct screen_spec *screen, char err[SPEC_ERROR_LEN]);

/*
 * Whether @screen can be as a whole: 0; -EINVAL with @err, and @key says which of its keys is
 * wrong.
 */
int screen_spec_check(const struct screen_spec *screen, const char **key, char err[SPEC_ERROR_LEN]);

#endif
