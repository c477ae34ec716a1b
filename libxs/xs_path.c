/* SPDX-License-Identifier: MIT */
/*
 * xs_path.c - canonical node names and permission strings. Owns nothing; every function is pure.
 * Source: docs/misc/xenstore.txt of Xen ("Permitted characters", SET_PERMS).
 */
#include "xs_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include "xs_wire.h"

static const char local_domain[] = "/local/domain/";
#define LOCAL_DOMAIN_LEN (sizeof(local_domain) - 1)

/* What a byte may be in a path; 0: nothing. A table because this is the inner loop of requests. */
#define CLASS_NAME 1u
#define CLASS_SLASH 2u

static const unsigned char char_class[256] = {
	['a' ... 'z'] = CLASS_NAME, ['A' ... 'Z'] = CLASS_NAME, ['0' ... '9'] = CLASS_NAME,
	['-'] = CLASS_NAME, ['_'] = CLASS_NAME, ['@'] = CLASS_NAME, ['/'] = CLASS_SLASH,
};

bool xs_path_is_absolute(const char *p, size_t len)
{
	unsigned int before = CLASS_SLASH;

	if (len == 0 || len > XENSTORE_ABS_PATH_MAX || p[0] != '/')
		return false;
	if (len == 1)
		return true;
	for (size_t i = 1; i < len; i++) {
		unsigned int class = char_class[(unsigned char)p[i]];

		/* Not allowed at all, or the second slash in a row. */
		if (class == 0 || (class & before & CLASS_SLASH))
			return false;
		before = class;
	}
	return before == CLASS_NAME;
}

size_t xs_path_domain_prefix(const char *p, size_t len)
{
	size_t i = LOCAL_DOMAIN_LEN;

	if (len <= i || memcmp(p, local_domain, i) != 0)
		return 0;
	while (i < len && i < LOCAL_DOMAIN_LEN + 5 && p[i] >= '0' && p[i] <= '9')
		i++;
	if (i == LOCAL_DOMAIN_LEN || i >= len || p[i] != '/')
		return 0;
	return i + 1;
}

int xs_path_canonical(const char *in, size_t len, unsigned int domid, size_t rel_max,
		      struct xs_path *out)
{
	size_t prefix = 0;

	if (len == 0 || len > XENSTORE_ABS_PATH_MAX || in[0] == '@')
		return -EINVAL;
	if (in[0] != '/')
		prefix = (size_t)snprintf(out->text, XS_PATH_BUF, "%s%u/", local_domain, domid);
	if (prefix + len > XENSTORE_ABS_PATH_MAX)
		return -EINVAL;
	memcpy(out->text + prefix, in, len);
	out->len = prefix + len;
	out->text[out->len] = '\0';

	if (!xs_path_is_absolute(out->text, out->len))
		return -EINVAL;
	prefix = xs_path_domain_prefix(out->text, out->len);
	if (rel_max && prefix && out->len - prefix > rel_max)
		return -EINVAL;
	return 0;
}

int xs_path_canonical_watch(const char *in, size_t len, unsigned int domid, size_t rel_max,
			    struct xs_path *out)
{
	if (len == 0 || in[0] != '@')
		return xs_path_canonical(in, len, domid, rel_max, out);
	if (len > XENSTORE_REL_PATH_MAX)
		return -EINVAL;
	for (size_t i = 1; i < len; i++) {
		if (char_class[(unsigned char)in[i]] == 0)
			return -EINVAL;
	}
	memcpy(out->text, in, len);
	out->text[len] = '\0';
	out->len = len;
	return 0;
}

size_t xs_path_parent_len(const char *p, size_t len)
{
	if (len <= 1)
		return 0;
	while (p[len - 1] != '/')
		len--;
	return len == 1 ? 1 : len - 1;
}

const char *xs_path_leaf(const char *p, size_t len)
{
	while (len > 0 && p[len - 1] != '/')
		len--;
	return p + len;
}

bool xs_path_is_within(const char *p, size_t len, const char *dir, size_t dir_len)
{
	if (len < dir_len || memcmp(p, dir, dir_len) != 0)
		return false;
	return len == dir_len || dir_len == 1 || p[dir_len] == '/';
}

unsigned int xs_path_depth_below(const char *p, size_t len, size_t dir_len)
{
	unsigned int depth = 0;

	if (len == dir_len)
		return 0;
	for (size_t i = dir_len == 1 ? 0 : dir_len; i < len; i++)
		depth += p[i] == '/';
	return depth;
}

/* Index = the access bits. */
static const char perm_letters[] = "nrwb";

int xs_perm_parse(const char *s, struct xs_perm *out)
{
	const char *letter = *s ? strchr(perm_letters, *s) : NULL;
	uint64_t domid;

	if (!letter || xs_wire_get_number(s + 1, XS_PERM_ID_MAX, &domid) < 0 ||
	    (domid >= DOMID_FIRST_RESERVED && domid < XS_PERM_PERSON_FIRST))
		return -EINVAL;
	out->access = (uint8_t)(letter - perm_letters);
	out->domid = (uint16_t)domid;
	return 0;
}

size_t xs_perm_format(const struct xs_perm *perm, char buf[XS_PERM_TEXT_BUF])
{
	int n = snprintf(buf, XS_PERM_TEXT_BUF, "%c%u", perm_letters[perm->access & 3],
			 (unsigned int)perm->domid);

	return (size_t)n + 1;
}
