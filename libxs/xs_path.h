/* SPDX-License-Identifier: MIT */
/*
 * xs_path.h - node names and permission strings of the xenstore protocol.
 *
 * One canonicaliser with one set of limits, used by every operation (rule C3: limits apply to the
 * final form only). Pure functions, no allocation. Who may use a path is not decided here.
 */
#ifndef XS_PATH_H
#define XS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

/* Room for the longest absolute path and its NUL. */
#define XS_PATH_BUF	(XENSTORE_ABS_PATH_MAX + 1)

/*
 * For buffers of which only the written part is ever looked at: the compiler clears all others
 * (-ftrivial-auto-var-init), and 3 KB at each request are a tenth of its instructions.
 */
#define XS_NOT_CLEARED __attribute__((uninitialized))

/* A canonical path: absolute or "@special", NUL-terminated in @text, @len without the NUL. */
struct xs_path {
	size_t len;
	char text[XS_PATH_BUF];
};

/*
 * Makes the canonical form of the path of @len bytes (no NUL inside) that domain @domid sent:
 * a name without leading '/' is below /local/domain/@domid. The result is absolute, at most
 * XENSTORE_ABS_PATH_MAX bytes, its part below /local/domain/N at most @rel_max bytes (0: no such
 * limit), has no empty component, no trailing '/' and only [A-Za-z0-9-/_@] in it.
 * @in is untrusted. Returns 0, or -EINVAL.
 */
int xs_path_canonical(const char *in, size_t len, unsigned int domid, size_t rel_max,
		      struct xs_path *out);

/* As xs_path_canonical(), but names that start with '@' are accepted too, and kept as they are. */
int xs_path_canonical_watch(const char *in, size_t len, unsigned int domid, size_t rel_max,
			    struct xs_path *out);

/* Whether the @len bytes at @p are a canonical absolute path. */
bool xs_path_is_absolute(const char *p, size_t len);

/* Length of the parent's path: of "/a/b" it is 2, of "/a" it is 1, of "/" it is 0. */
size_t xs_path_parent_len(const char *p, size_t len);

/* The last component: of "/a/b" it is "b", of "/" it is "". */
const char *xs_path_leaf(const char *p, size_t len);

/* Whether @p is @dir or below it; both canonical. */
bool xs_path_is_within(const char *p, size_t len, const char *dir, size_t dir_len);

/* Number of components of @p below @dir ("/a/b/c" below "/a" is 2); call only if it is within. */
unsigned int xs_path_depth_below(const char *p, size_t len, size_t dir_len);

/* Length of the prefix "/local/domain/N/" that @p starts with, or 0. */
size_t xs_path_domain_prefix(const char *p, size_t len);

#define XS_PERM_BIT_READ	1
#define XS_PERM_BIT_WRITE	2
#define XS_PERM_TEXT_BUF	8

/* Numbers of people (xenstored/tree/people.h) are above every domid. */
#define XS_PERM_PERSON_FIRST	0x8000u
#define XS_PERM_ID_MAX		0xfffeu

/* One permission entry: what @domid may do. Entry 0 names the owner and everybody else's rights. */
struct xs_perm {
	uint16_t domid;
	uint8_t access;
};

/*
 * Parses one permission string, "n0", "r12", "w5" or "b3". Returns 0, or -EINVAL for anything
 * else, domids that Xen reserves included (from DOMID_FIRST_RESERVED on, below people's). @s is
 * untrusted, NUL-terminated.
 */
int xs_perm_parse(const char *s, struct xs_perm *out);

/* Writes the string of @perm, NUL-terminated, to @buf. Returns its length with the NUL. */
size_t xs_perm_format(const struct xs_perm *perm, char buf[XS_PERM_TEXT_BUF]);

#endif
