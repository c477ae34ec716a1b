/* SPDX-License-Identifier: MIT */
/* document.c - see document.h. */
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xs.h>
#include <xs_past_reader.h>

#include "die.h"
#include "doc_write.h"
#include "json_out.h"
#include "kind.h"
#include "long_value.h"
#include "meaning.h"
#include "schema.h"
#include "../xenstored/storage/sha256.h"
#include "store.h"

#define FLAGS (XS_TREE_VALUES | XS_TREE_KINDS | XS_TREE_SORT)

static int read_tree(const struct document_query *q, uint32_t tx, struct xs_node **root)
{
	unsigned int flags = FLAGS | (q->perms || q->nodes ? XS_TREE_PERMS : 0);
	int rc;

	if (tx || q->depth >= 0)
		return long_tree_read(tx, q->path, q->depth, flags, root);
	if (q->rev != DOCUMENT_NOW)
		rc = xs_past_tree(store(), q->rev, q->path, root);
	else
		rc = xs_tree_snapshot(store(), q->path, -1, flags, root);
	if (!rc)
		long_fold(*root);
	return rc;
}

static json_t *node_json(const struct xs_node *n)
{
	char path[XENSTORE_ABS_PATH_MAX + 1], text[64];
	const struct schema_row *row;
	const char *means;
	json_t *o, *v = json_value(n->value ? n->value : "", n->value_len);
	json_t *b64 = json_object_get(v, "@b64");

	xs_tree_path(n, path, sizeof(path));
	o = json_pack("{s:s}", "path", path);
	if (n->value)
		json_object_set(o, b64 ? "b64" : "value", b64 ? b64 : v);
	if (n->kind)
		json_object_set_new(o, "kind", json_string(kind_name(n->kind)));
	if (n->perms)
		json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	row = schema_find(path);
	means = meaning_decode(path, n->value, n->value_len, text, sizeof(text));
	if (means)
		json_object_set_new(o, "means", json_string(means));
	if (row && row->words[0])
		json_object_set_new(o, "about", json_string(row->words));
	if (row && row->type == SCHEMA_SECRET)
		json_object_set_new(o, "secret", json_true());
	if (n->value_rc || n->list_rc)
		json_object_set_new(o, "error", json_string(cli_words(n->value_rc ? n->value_rc :
								      n->list_rc)));
	json_decref(v);
	return o;
}

static void write_nodes(FILE *f, const struct xs_node *root)
{
	const char *sign = "[\n";

	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n), sign = ",\n") {
		json_t *o = node_json(n);

		fputs(sign, f);
		json_dumpf(o, f, JSON_COMPACT | JSON_SORT_KEYS);
		json_decref(o);
	}
	fputs("\n]", f);
}

/* A node that cannot be read whole is not to be taken for one that is empty. */
static int first_error(const struct xs_node *root)
{
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n))
		if (n->value_rc || n->list_rc)
			return n->value_rc ? n->value_rc : n->list_rc;
	return 0;
}

static void make_tag(const struct document_query *q, struct document *d)
{
	unsigned char sum[SHA256_LEN];
	char *at = d->tag;

	sha256(d->text, d->len, sum);
	at += sprintf(at, "%s\"", q->depth >= 0 ? "W/" : "");
	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%02x", sum[i]);
	strcpy(at, "\"");
}

int document_read(const struct document_query *q, uint32_t tx, struct document *out)
{
	const struct doc_style style = { .perms = q->perms };
	struct xs_node *root;
	int rc = read_tree(q, tx, &root);
	FILE *f;

	*out = (struct document){ 0 };
	if (rc)
		return rc;
	if (!q->nodes)
		rc = first_error(root);
	f = rc ? NULL : must(open_memstream(&out->text, &out->len));
	if (f && q->nodes)
		write_nodes(f, root);
	else if (f)
		doc_write(f, root, q->path, &style);
	if (f) {
		putc('\n', f);
		if (fclose(f) != 0)
			rc = -ENOMEM;
	}
	xs_tree_free(root);
	if (!rc && out->len > DOCUMENT_MAX)
		rc = -E2BIG;
	if (rc)
		document_free(out);
	else
		make_tag(q, out);
	return rc;
}

void document_free(struct document *d)
{
	free(d->text);
	d->text = NULL;
}

bool document_tag_in(const char *list, const char *tag, bool weak)
{
	bool is_weak = tag && strncmp(tag, "W/", 2) == 0;
	const char *opaque = is_weak ? tag + 2 : tag;

	if (strcmp(list, "*") == 0)
		return tag != NULL;
	if (!tag || (is_weak && !weak))
		return false;
	while (*list) {
		bool listed_weak;

		list += strspn(list, ", \t");
		listed_weak = strncmp(list, "W/", 2) == 0;
		list += 2 * listed_weak;
		if (strncmp(list, opaque, strlen(opaque)) == 0 && (!listed_weak || weak))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}
