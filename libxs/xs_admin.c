/* SPDX-License-Identifier: MIT */
/*
 * xs_admin.c - what only dom0 asks: domains coming and going, control commands, features, quotas.
 * Sources: xenstore.txt of Xen; VERS_4.1 and VERS_4.2 functions as Xen 4.21 and later have them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"
#include "xs_handle.h"

#define MAX_NUMBERS 3

/* Sends @nr numbers as NUL-terminated decimal strings. */
static char *talk_numbers(struct xs_handle *h, enum xsd_sockmsg_type type,
			  const unsigned long *values, unsigned int nr)
{
	char text[MAX_NUMBERS][MAX_STRLEN(unsigned long)];
	struct iovec iov[MAX_NUMBERS];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(text[i], sizeof(text[i]), "%lu", values[i]);

		iov[i] = (struct iovec){ text[i], len + 1 };
	}
	return xs_talk(h, 0, type, iov, nr, NULL);
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
			 unsigned int eventchn)
{
	unsigned long v[] = { domid, mfn, eventchn };

	return xs_ack(talk_numbers(h, XS_INTRODUCE, v, 3));
}

bool xs_set_target(struct xs_handle *h, unsigned int domid, unsigned int target)
{
	unsigned long v[] = { domid, target };

	return xs_ack(talk_numbers(h, XS_SET_TARGET, v, 2));
}

bool xs_resume_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return xs_ack(talk_numbers(h, XS_RESUME, &v, 1));
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return xs_ack(talk_numbers(h, XS_RELEASE, &v, 1));
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return talk_numbers(h, XS_GET_DOMAIN_PATH, &v, 1);
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;
	char *reply = talk_numbers(h, XS_IS_DOMAIN_INTRODUCED, &v, 1);
	bool yes = reply && strcmp(reply, "T") == 0;

	free(reply);
	return yes;
}

int xs_suspend_evtchn_port(int domid)
{
	struct xs_handle *h = xs_open(0);
	char path[64], *value;
	int port = -1;

	if (!h)
		return -1;
	snprintf(path, sizeof(path), "/local/domain/%d/device/suspend/event-channel", domid);
	value = xs_read(h, XBT_NULL, path, NULL);
	if (value)
		port = atoi(value);
	free(value);
	xs_close(h);
	return port;
}

/* ---- control ---- */

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	struct iovec iov[2] = { { (void *)cmd, strlen(cmd) + 1 }, { data, len } };

	return xs_talk(h, 0, XS_CONTROL, iov, 2, NULL);
}

char *xs_debug_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	return xs_control_command(h, cmd, data, len);
}

/* ---- features and quotas ---- */

static bool take_number(char *reply, unsigned int *value)
{
	if (!reply)
		return false;
	*value = strtoul(reply, NULL, 10);
	free(reply);
	return true;
}

bool xs_get_features_supported(struct xs_handle *h, unsigned int *features)
{
	return take_number(xs_talk(h, 0, (enum xsd_sockmsg_type)XS_OP_GET_FEATURE, NULL, 0, NULL),
			   features);
}

bool xs_get_features_domain(struct xs_handle *h, unsigned int domid, unsigned int *features)
{
	unsigned long v = domid;

	return take_number(talk_numbers(h, (enum xsd_sockmsg_type)XS_OP_GET_FEATURE, &v, 1),
			   features);
}

bool xs_set_features_domain(struct xs_handle *h, unsigned int domid, unsigned int features)
{
	unsigned long v[] = { domid, features };

	return xs_ack(talk_numbers(h, (enum xsd_sockmsg_type)XS_OP_SET_FEATURE, v, 2));
}

const char **xs_get_quota_names(struct xs_handle *h, unsigned int *num)
{
	unsigned int len, n = 1;
	char *reply = xs_talk(h, 0, (enum xsd_sockmsg_type)XS_OP_GET_QUOTA, NULL, 0, &len);
	const char **out;
	char *p, *save;

	if (!reply)
		return NULL;
	for (unsigned int i = 0; i < len; i++)
		n += reply[i] == ' ';
	out = malloc(n * sizeof(*out) + len + 1);
	if (!out) {
		free(reply);
		return NULL;
	}
	p = memcpy(out + n, reply, len + 1);
	free(reply);
	n = 0;
	for (p = strtok_r(p, " ", &save); p; p = strtok_r(NULL, " ", &save))
		out[n++] = p;
	*num = n;
	return out;
}

/* [domid NUL] name NUL [value NUL] */
static char *talk_quota(struct xs_handle *h, unsigned int op, const unsigned int *domid,
			const char *name, const unsigned int *value)
{
	char domid_text[16], value_text[16];
	struct iovec iov[3];
	unsigned int nr = 0;

	if (domid) {
		int len = snprintf(domid_text, sizeof(domid_text), "%u", *domid);

		iov[nr++] = (struct iovec){ domid_text, len + 1 };
	}
	iov[nr++] = (struct iovec){ (void *)name, strlen(name) + 1 };
	if (value) {
		int len = snprintf(value_text, sizeof(value_text), "%u", *value);

		iov[nr++] = (struct iovec){ value_text, len + 1 };
	}
	return xs_talk(h, 0, (enum xsd_sockmsg_type)op, iov, nr, NULL);
}

bool xs_get_global_quota(struct xs_handle *h, const char *quota, unsigned int *value)
{
	return take_number(talk_quota(h, XS_OP_GET_QUOTA, NULL, quota, NULL), value);
}

bool xs_set_global_quota(struct xs_handle *h, const char *quota, unsigned int value)
{
	return xs_ack(talk_quota(h, XS_OP_SET_QUOTA, NULL, quota, &value));
}

bool xs_get_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
			 unsigned int *value)
{
	return take_number(talk_quota(h, XS_OP_GET_QUOTA, &domid, quota, NULL), value);
}

bool xs_set_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
			 unsigned int value)
{
	return xs_ack(talk_quota(h, XS_OP_SET_QUOTA, &domid, quota, &value));
}
