/* SPDX-License-Identifier: MIT */
/*
 * xs_ops.c - data operations of the libxenstore API: values, children, permissions, transactions.
 * Each is one request; only a directory too large for one message takes several.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs_handle.h"
#include "xs_listing.h"

/* ---- children ---- */

static unsigned int strings_in(const char *p, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n += p[i] == '\0';
	return n;
}

/* One block: the vector, then the names it points to. */
static char **names_vector(const char *names, size_t len, unsigned int *num)
{
	unsigned int n = strings_in(names, len);
	char **out = malloc(n * sizeof(*out) + len + 1);
	char *p;

	if (!out)
		return NULL;
	p = memcpy(out + n, names, len);
	for (unsigned int i = 0; i < n; i++) {
		out[i] = p;
		p += strlen(p) + 1;
	}
	*num = n;
	return out;
}

static int parts_read(struct xs_handle *h, xs_transaction_t t, const char *path,
		      struct xs_listing *l)
{
	int rc = 0;

	while (rc == 0) {
		char offset[24];
		struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { offset, 0 } };
		unsigned int len;
		char *reply;

		iov[1].iov_len = snprintf(offset, sizeof(offset), "%zu", l->len) + 1;
		reply = xs_talk(h, t, XS_DIRECTORY_PART, iov, 2, &len);
		if (!reply)
			return -errno;
		rc = xs_listing_add(l, reply, len);
		free(reply);
	}
	return rc < 0 ? rc : 0;
}

static char **directory_parts(struct xs_handle *h, xs_transaction_t t, const char *path,
			      unsigned int *num)
{
	struct xs_listing l = { 0 };
	int rc = parts_read(h, t, path, &l);
	char **out = NULL;

	if (!rc)
		out = names_vector(l.names, l.len, num);
	free(l.names);
	if (rc)
		errno = -rc;
	return out;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	unsigned int len;
	char *names = xs_talk_str(h, t, XS_DIRECTORY, path, &len);
	char **out;

	if (!names)
		return errno == E2BIG ? directory_parts(h, t, path, num) : NULL;
	out = names_vector(names, len, num);
	free(names);
	return out;
}

/* ---- values ---- */

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	return xs_talk_str(h, t, XS_READ, path, len);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)data, len } };

	return xs_ack(xs_talk(h, t, XS_WRITE, iov, 2, NULL));
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return xs_ack(xs_talk_str(h, t, XS_MKDIR, path, NULL));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return xs_ack(xs_talk_str(h, t, XS_RM, path, NULL));
}

/* ---- permissions ---- */

struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t,
					  const char *path, unsigned int *num)
{
	unsigned int len, n;
	char *text = xs_talk_str(h, t, XS_GET_PERMS, path, &len);
	struct xs_permissions *out;

	if (!text)
		return NULL;
	n = strings_in(text, len);
	out = malloc((n + !n) * sizeof(*out));
	if (out && !xs_strings_to_perms(out, n, text)) {
		free(out);
		out = NULL;
	}
	free(text);
	if (out)
		*num = n;
	return out;
}

static char perm_letter(unsigned int bits)
{
	static const char letters[] = {
		[XS_PERM_NONE] = 'n',
		[XS_PERM_READ] = 'r',
		[XS_PERM_WRITE] = 'w',
		[XS_PERM_READ | XS_PERM_WRITE] = 'b',
	};

	return bits < sizeof(letters) ? letters[bits] : '\0';
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num_perms)
{
	char text[XENSTORE_PAYLOAD_MAX];
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { text, 0 } };
	size_t len = 0;

	for (unsigned int i = 0; i < num_perms; i++) {
		char letter = perm_letter(perms[i].perms);

		if (!letter || perms[i].id > UINT16_MAX || len + 8 > sizeof(text)) {
			errno = letter ? E2BIG : EINVAL;
			return false;
		}
		len += sprintf(text + len, "%c%u", letter, perms[i].id) + 1;
	}
	iov[1].iov_len = len;
	return xs_ack(xs_talk(h, t, XS_SET_PERMS, iov, 2, NULL));
}

/* ---- transactions: the caller's id is the client's, which comes once only ---- */

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	char *reply = xs_talk_str(h, 0, XS_TRANSACTION_START, "", NULL);
	xs_transaction_t t = reply ? strtoul(reply, NULL, 10) : XBT_NULL;

	free(reply);
	return t;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	return xs_ack(xs_talk_str(h, t, XS_TRANSACTION_END, abort ? "F" : "T", NULL));
}

/* Kept in the API; rights can no longer be given up by one connection. */
bool xs_restrict(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	(void)domid;
	errno = ENOSYS;
	return false;
}
