/* SPDX-License-Identifier: MIT */
/* fake_xen.c - stand-ins for libxengnttab, libxenevtchn and libxenstore: see fake_xen.h. */
#include "fake_xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

struct fake_guest fake;

#define MAX_KEYS 256

static struct {
	char path[160];
	char value[1024];
} keys[MAX_KEYS];
static unsigned int nr_keys;

void fake_reset(void)
{
	static uint8_t memory[FAKE_PAGES][FAKE_PAGE] __attribute__((aligned(4096)));

	memset(memory, 0, sizeof(memory));
	memset(&fake, 0, sizeof(fake));
	fake.page = memory;
	for (uint32_t i = 1; i < FAKE_PAGES; i++)
		fake.grant[i] = (struct fake_grant){ .valid = true, .page = i };
	nr_keys = 0;
}

/* --- grants ------------------------------------------------------------------------------- */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xengnttab_handle *)&fake;
}

int xengnttab_close(xengnttab_handle *h)
{
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *h, uint32_t domid, uint32_t ref, int prot)
{
	if (fake.map_fails || ref >= FAKE_PAGES || !fake.grant[ref].valid ||
	    fake.grant[ref].readonly) {
		errno = EINVAL;
		return NULL;
	}
	fake.mapped++;
	return fake.page[fake.grant[ref].page];
}

int xengnttab_unmap(xengnttab_handle *h, void *start, uint32_t count)
{
	fake.mapped -= count;
	return 0;
}

static bool is_own(const xengnttab_grant_copy_segment_t *s, bool source)
{
	return source ? s->flags & GNTCOPY_source_gref && s->source.foreign.domid == DOMID_SELF
		      : s->flags & GNTCOPY_dest_gref && s->dest.foreign.domid == DOMID_SELF;
}

static uint8_t *own_memory(uint32_t ref, uint32_t offset, uint32_t len)
{
	fake.own_copies++;
	if (!fake.own || ref - FAKE_OWN >= FAKE_PAGES || offset + len > FAKE_PAGE)
		return NULL;
	return fake.own + (ref - FAKE_OWN) * FAKE_PAGE + offset;
}

/* The backend's side: by address or by number. */
static uint8_t *backend_side(const xengnttab_grant_copy_segment_t *s, bool source)
{
	if (!is_own(s, source))
		return source ? s->source.virt : s->dest.virt;
	return source ? own_memory(s->source.foreign.ref, s->source.foreign.offset, s->len)
		      : own_memory(s->dest.foreign.ref, s->dest.foreign.offset, s->len);
}

static int16_t copy_one(xengnttab_grant_copy_segment_t *s)
{
	bool from = s->flags & GNTCOPY_source_gref && !is_own(s, true);
	const struct fake_grant *g;
	uint32_t ref = from ? s->source.foreign.ref : s->dest.foreign.ref;
	uint32_t offset = from ? s->source.foreign.offset : s->dest.foreign.offset;
	uint8_t *guest, *ours = backend_side(s, !from);

	if (ref >= FAKE_PAGES || !fake.grant[ref].valid)
		return GNTST_bad_gntref;
	g = &fake.grant[ref];
	if (!from && g->readonly)
		return GNTST_general_error;
	if (offset + s->len > FAKE_PAGE)
		return GNTST_bad_copy_arg;
	if (!ours)
		return GNTST_bad_gntref;
	guest = &fake.page[g->page][offset];
	if (from)
		memcpy(ours, guest, s->len);
	else
		memcpy(guest, ours, s->len);
	return GNTST_okay;
}

int xengnttab_grant_copy(xengnttab_handle *h, uint32_t count, xengnttab_grant_copy_segment_t *segs)
{
	fake.copy_calls++;
	if (fake.copy_fails) {
		errno = EFAULT;
		return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (fake.meanwhile)
			fake.meanwhile();
		fake.copies++;
		if (segs[i].len) /* as the kernel: nobody writes an empty segment's status */
			segs[i].status = copy_one(&segs[i]);
	}
	return 0;
}

/* --- events ------------------------------------------------------------------------------- */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return (xenevtchn_handle *)&fake;
}

int xenevtchn_close(xenevtchn_handle *h)
{
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *h)
{
	return -1;
}

int xenevtchn_notify(xenevtchn_handle *h, evtchn_port_t port)
{
	fake.notified++;
	fake.notified_port = port;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *h, uint32_t domid,
						     evtchn_port_t remote)
{
	if (remote == 0 || remote > 1023) {
		errno = EINVAL;
		return -1;
	}
	fake.bound++;
	return (int)(100 + remote);
}

int xenevtchn_unbind(xenevtchn_handle *h, evtchn_port_t port)
{
	fake.bound--;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *h)
{
	errno = EAGAIN;
	return -1;
}

int xenevtchn_unmask(xenevtchn_handle *h, evtchn_port_t port)
{
	return 0;
}

/* --- store -------------------------------------------------------------------------------- */

static int find(const char *path)
{
	for (unsigned int i = 0; i < nr_keys; i++)
		if (!strcmp(keys[i].path, path))
			return (int)i;
	return -1;
}

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (path[len] == '\0' || path[len] == '/');
}

const char *fake_store_get(const char *path)
{
	int i = find(path);

	return i < 0 ? NULL : keys[i].value;
}

void fake_store_set(const char *path, const char *value)
{
	int i = find(path);

	if (i < 0) {
		if (nr_keys == MAX_KEYS || strlen(path) >= sizeof(keys[0].path))
			abort();
		i = (int)nr_keys++;
		strcpy(keys[i].path, path);
	}
	if (strlen(value) >= sizeof(keys[0].value))
		abort();
	strcpy(keys[i].value, value);
}

void fake_store_rm(const char *path)
{
	for (unsigned int i = 0; i < nr_keys;) {
		if (below(keys[i].path, path))
			keys[i] = keys[--nr_keys];
		else
			i++;
	}
}

struct xs_handle *xs_open(unsigned long flags)
{
	return (struct xs_handle *)&fake;
}

void xs_close(struct xs_handle *h)
{
}

/* A directory exists, with an empty value, as soon as something lies below it. */
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	int i = find(path);
	char *value;

	for (unsigned int k = 0; i < 0 && k < nr_keys; k++)
		if (below(keys[k].path, path)) {
			*len = 0;
			return calloc(1, 1);
		}
	if (i < 0) {
		errno = ENOENT;
		return NULL;
	}
	value = strdup(keys[i].value);
	*len = (unsigned int)strlen(value);
	return value;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	char value[1024];

	if (t && fake.lost_txns) {
		errno = EAGAIN;
		return false;
	}
	memcpy(value, data, len);
	value[len] = '\0';
	fake_store_set(path, value);
	return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort_it)
{
	if (!fake.lost_txns)
		return true;
	fake.lost_txns--;
	errno = EAGAIN;
	return false;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	fake_store_rm(path);
	return true;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	return true;
}

char **xs_check_watch(struct xs_handle *h)
{
	errno = EAGAIN;
	return NULL;
}

int xs_fileno(struct xs_handle *h)
{
	return -1;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	errno = ENOENT;
	return NULL;
}
