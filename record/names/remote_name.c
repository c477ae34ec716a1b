/* SPDX-License-Identifier: MIT */
/* remote_name.c - see remote_name.h. */
#include "remote_name.h"

#include "iscsi_name.h"
#include "nbd_name.h"

#define TOO_LONG "it is too long"

bool remote_name_is(const char *text)
{
	return nbd_name_is(text) || iscsi_name_is(text);
}

static const char *settle_iscsi(const char *text, char *out, size_t len)
{
	struct iscsi_name name;
	const char *wrong = iscsi_name_parse(text, &name);

	return wrong || iscsi_name_format(&name, out, len) ? wrong : TOO_LONG;
}

static const char *settle_nbd(const char *text, char *out, size_t len)
{
	struct nbd_name name;
	const char *wrong = nbd_name_parse(text, &name);

	return wrong || nbd_name_format(&name, out, len) ? wrong : TOO_LONG;
}

const char *remote_name_settle(const char *text, enum vdev_backend *backend, char *out, size_t len)
{
	*backend = iscsi_name_is(text) ? VDEV_ISCSI : VDEV_NBD;
	return *backend == VDEV_ISCSI ? settle_iscsi(text, out, len) : settle_nbd(text, out, len);
}
