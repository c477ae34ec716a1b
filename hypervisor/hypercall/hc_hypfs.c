/* SPDX-License-Identifier: MIT */
/*
 * hc_hypfs.c - hypfs_op: dom0 reads what the CPU is vulnerable to and what is done about it, as
 * text, in the hypervisor's file system: /vulnerabilities/NAME. There is nothing else in it and
 * nothing to write. ABI: xen/hypfs.h; Xen 4.17 common/hypfs.c for which error comes first.
 */
#include <xen/hypfs.h>

#include "domain/hc_args.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/guest_access.h"
#include "x86/spec_ctrl.h"

#define DIRECTORY "vulnerabilities"
#define PATH_MAX 64 /* longer than any that there is */
#define TEXT_MAX 128
#define ENTRY_NAME offsetof(struct xen_hypfs_dirlistentry, name)

/* The contents of an entry, put together. The largest is the directory of all faults. */
struct contents {
	u8 type;
	u32 len;
	u8 bytes[ISSUE_NR * (ENTRY_NAME + 32)] __attribute__((aligned(4)));
};

/* What is said of @issue, and its length with the NUL. */
static u32 text_of(enum spec_issue issue, char text[static TEXT_MAX])
{
	u32 len = (u32)spec_issue_text(&spec_plan, issue, text, TEXT_MAX);

	return MIN(len, (u32)TEXT_MAX - 1) + 1;
}

/* @len: of what the entry called @name holds. */
static void add_entry(struct contents *c, const char *name, u8 type, u32 len, bool is_last)
{
	struct xen_hypfs_dirlistentry e = { .e = { .type = type, .content_len = len } };
	u32 size = (u32)((ENTRY_NAME + strlen(name) + 1 + 3) & ~3UL);

	e.off_next = is_last ? 0 : (u16)size;
	BUG_ON(c->len + size > sizeof(c->bytes)); /* names are constants */
	memcpy(c->bytes + c->len, &e, ENTRY_NAME);
	strlcpy((char *)c->bytes + c->len + ENTRY_NAME, name, size - ENTRY_NAME);
	c->len += size;
}

static void put_directory(struct contents *c)
{
	for (unsigned int i = 0; i < ISSUE_NR; i++) {
		char text[TEXT_MAX];

		add_entry(c, spec_issue_key(i), XEN_HYPFS_TYPE_STRING, text_of(i, text),
			  i == ISSUE_NR - 1);
	}
}

static void put_root(struct contents *c)
{
	struct contents inner = { .len = 0 };

	put_directory(&inner);
	add_entry(c, DIRECTORY, XEN_HYPFS_TYPE_DIR, inner.len, true);
}

/* -ENOENT: no such path. */
static int find(const char *path, struct contents *c)
{
	const char *name = path + 1 + strlen(DIRECTORY);

	c->type = XEN_HYPFS_TYPE_DIR;
	if (!path[1]) {
		put_root(c);
		return 0;
	}
	if (strncmp(path + 1, DIRECTORY, strlen(DIRECTORY)))
		return -ENOENT;
	if (!name[0] || (name[0] == '/' && !name[1])) {
		put_directory(c);
		return 0;
	}
	for (unsigned int i = 0; name[0] == '/' && i < ISSUE_NR; i++) {
		if (strcmp(name + 1, spec_issue_key(i)))
			continue;
		c->type = XEN_HYPFS_TYPE_STRING;
		c->len = text_of(i, (char *)c->bytes);
		return 0;
	}
	return -ENOENT;
}

/* The path at @va of @len bytes, its NUL among them. -EINVAL, -EFAULT; -ENOENT: longer than any. */
static int take_path(char *path, u64 va, u64 len)
{
	if (!len || len > XEN_HYPFS_MAX_PATHLEN)
		return -EINVAL;
	if (len > PATH_MAX)
		return -ENOENT;
	if (copy_from_guest(path, va, len))
		return -EFAULT;
	return strnlen(path, len) + 1 == len && path[0] == '/' ? 0 : -EINVAL;
}

static long read_entry(const char *path, u64 va, u64 room)
{
	struct contents c = { .len = 0 };
	struct xen_hypfs_direntry e = { .encoding = XEN_HYPFS_ENC_PLAIN };
	int rc = find(path, &c);

	if (rc)
		return rc;
	if (room < sizeof(e))
		return -EINVAL;
	e.type = c.type;
	e.content_len = c.len;
	if (copy_to_guest(va, &e, sizeof(e)))
		return -EFAULT;
	if (room - sizeof(e) < c.len)
		return -ENOBUFS;
	return copy_to_guest(va + sizeof(e), c.bytes, c.len);
}

long hc_hypfs_op(struct hc_args *a)
{
	char path[PATH_MAX];
	struct contents c = { .len = 0 };
	int rc;

	if ((u32)a->a[0] == XEN_HYPFS_OP_get_version) {
		if (a->a[1] || a->a[2] || a->a[3] || a->a[4])
			return -EINVAL;
		a->value = XEN_HYPFS_VERSION;
		return 0;
	}
	if ((u32)a->a[0] != XEN_HYPFS_OP_read && (u32)a->a[0] != XEN_HYPFS_OP_write_contents)
		return -EOPNOTSUPP;
	rc = take_path(path, a->a[1], a->a[2]);
	if (rc)
		return rc;
	if ((u32)a->a[0] == XEN_HYPFS_OP_read)
		return read_entry(path, a->a[3], a->a[4]);
	rc = find(path, &c);
	return rc ? rc : -EACCES; /* all of it is for reading */
}
