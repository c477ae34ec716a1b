/* SPDX-License-Identifier: MIT */
/* blk_nbd.c - connecting to a disk on another machine: see blk_nbd.h. Source: libnbd(3). */
#include "blk_nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "blk_nbd_io.h"
#include "journal.h"
#include "nbd_name.h"

#define CONNECT_MS 5000
#define OPEN_MS 20000	 /* a server of ours opens its image before it says anything */
#define LAST_WORDS_MS 2000 /* for a server of ours that has ended the connection to end, too */
#define SILENCE_MS 10000 /* a machine that says nothing for so long is gone */

static int explain(const struct blk_nbd_want *w, int rc, char *why, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static int explain(const struct blk_nbd_want *w, int rc, char *why, size_t len, const char *fmt, ...)
{
	int n = snprintf(why, len, "disk %s: ", w->name);
	va_list ap;

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < len)
		vsnprintf(why + n, len - (size_t)n, fmt, ap);
	va_end(ap);
	return rc;
}

/* --- one user of this host ------------------------------------------------------------------ */

/* FNV-1a: two disks with one lock are two that cannot be used at once, not two that are one. */
static unsigned long long digest(const char *text)
{
	unsigned long long h = 14695981039346656037ull;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ull;
	return h;
}

static int take_lock(const struct blk_nbd_want *w, int *fd, char *why, size_t len)
{
	char file[512];

	snprintf(file, sizeof(file), "%s/" JOURNAL_LOCK "%016llx", w->dir, digest(w->name));
	*fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return explain(w, -errno, why, len, "its lock %s: %s", file, strerror(errno));
	if (w->shared || flock(*fd, (w->readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
		return 0;
	close(*fd);
	*fd = -1;
	return explain(w, -EAGAIN, why, len, "already in use by another domain");
}

/* --- the connection ------------------------------------------------------------------------- */

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* @s has a connection, or @name says where to. */
static int begin_to_connect(const struct nbd_lib *lib, struct nbd_handle *h,
			    const struct nbd_name *name, struct blk_server *s)
{
	int conn = s->conn;

	s->conn = -1; /* the library's, whatever becomes of it */
	if (conn >= 0)
		return lib->nbd_aio_connect_socket(h, conn);
	return name->host[0] ? lib->nbd_aio_connect_tcp(h, name->host, name->port)
			     : lib->nbd_aio_connect_unix(h, name->socket);
}

static int connect_to(const struct nbd_lib *lib, struct nbd_handle *h, const struct nbd_name *name,
		      struct blk_server *s)
{
	long until = now_ms() + (s->conn >= 0 ? OPEN_MS : CONNECT_MS);
	int rc = lib->nbd_set_tls(h, LIBNBD_TLS_DISABLE);

	if (rc == 0)
		rc = lib->nbd_set_export_name(h, name->export);
	if (rc == 0)
		rc = begin_to_connect(lib, h, name, s);
	while (rc == 0 && lib->nbd_aio_is_ready(h) == 0) {
		long left = until - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		if (lib->nbd_aio_is_dead(h) || lib->nbd_aio_is_closed(h) ||
		    lib->nbd_poll(h, (int)left) < 0)
			rc = -1;
	}
	return rc < 0 ? -EHOSTUNREACH : 0;
}

/* A machine that is gone says nothing, and its silence is to have an end. */
static void bound_silence(int fd)
{
	const int on = 1, idle_s = 4, every_s = 2, times = 3, ms = SILENCE_MS;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof(every_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/* --- what is served ------------------------------------------------------------------------- */

static int measure(struct blk_image *img, const struct blk_nbd_want *w, const struct nbd_lib *lib,
		   struct nbd_handle *h, char *why, size_t len)
{
	int64_t size = lib->nbd_get_size(h);
	int64_t least = lib->nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);
	int64_t likes = lib->nbd_get_block_size(h, LIBNBD_SIZE_PREFERRED);

	if (size < 0)
		return explain(w, -EINVAL, why, len, "its size: %s", nbd_lib_error(lib));
	if (size == 0)
		return explain(w, -EINVAL, why, len, "it is empty");
	if (size % BLK_SECTOR)
		return explain(w, -EINVAL, why, len, "its size, %lld bytes, is not a multiple of 512",
			       (long long)size);
	if ((uint64_t)size / BLK_SECTOR < w->least_sectors)
		return explain(w, -EINVAL, why, len, "it has %lld sectors now, and had %llu",
			       (long long)size / BLK_SECTOR, (unsigned long long)w->least_sectors);
	if (least > (int64_t)BLK_SECTOR)
		return explain(w, -EINVAL, why, len, "its server takes requests of %lld bytes and "
			       "more: a guest's are of 512", (long long)least);
	if (!w->readonly && lib->nbd_is_read_only(h) != 0)
		return explain(w, -EINVAL, why, len, "its server does not let it be written: "
			       "give it with mode r");
	img->sectors = (uint64_t)size / BLK_SECTOR;
	img->physical_sector = likes == 1024 || likes == 2048 || likes >= 4096 ?
				       (uint32_t)(likes < 4096 ? likes : 4096) : BLK_SECTOR;
	img->needs_flush = lib->nbd_can_flush(h) == 1;
	img->can_discard = !w->readonly && lib->nbd_can_trim(h) == 1;
	return 0;
}

static int open_io(struct blk_image *img, struct blk_io **io, const struct blk_nbd_want *w,
		   const struct nbd_lib *lib, struct nbd_handle *h, char *why, size_t len)
{
	/*
	 * Without a flush, what is acknowledged is safe: but not what another server had taken
	 * before. Who shares a disk might undo another's.
	 */
	bool keeps = !w->readonly && !w->shared &&
		     (img->needs_flush || access(w->log, F_OK) == 0);
	int rc;

	*io = blk_nbd_io_open(lib, h, w->lost);
	if (!*io)
		return explain(w, -errno, why, len, "%s", strerror(errno));
	rc = keeps ? blk_nbd_io_keep(*io, w->log, w->name, w->resume) : 0;
	if (rc == 0) {
		blk_nbd_io_serve(*io);
		return 0;
	}
	if (rc == -EBADMSG)
		explain(w, rc, why, len, "the log of its last writes, %s, is damaged: end the guest "
			"or detach the disk", w->log);
	else if (w->resume)
		explain(w, rc, why, len, "what was written before its server went: %s",
			strerror(-rc));
	else
		explain(w, rc, why, len, "a log of its writes, %s: %s", w->log, strerror(-rc));
	blk_io_close(*io);
	*io = NULL;
	return rc;
}

/* Somebody is there to connect to, and the disk is ours. */
static int find_server(struct blk_image *img, const struct blk_nbd_want *w, struct nbd_name *name,
		       struct blk_server *s, char *why, size_t len)
{
	struct blk_server_want server;
	char text[1024];
	const char *wrong;
	int rc;

	wrong = w->server ? NULL : nbd_name_parse(w->name, name);
	if (wrong)
		return explain(w, -EINVAL, why, len, "%s", wrong);
	/* A file has a lock of its own. */
	rc = w->name[0] == '/' ? 0 : take_lock(w, &img->fd, why, len);
	if (rc < 0 || !w->server)
		return rc;
	server = *w->server;
	server.lock = img->fd;
	rc = blk_server_start(s, &server, w->dir, text, sizeof(text));
	if (img->fd < 0)
		img->fd = s->image;
	s->image = -1;
	return rc < 0 ? explain(w, rc, why, len, "%s", text) : 0;
}

/* Of a server of ours that ended at once: what it said is why. */
static int explain_connect(const struct blk_nbd_want *w, int rc, const struct nbd_lib *lib,
			   struct blk_server *s, char *why, size_t len)
{
	char said[768] = "";

	if (rc == -ETIMEDOUT)
		return explain(w, rc, why, len, "its server did not answer within %d s",
			       (w->server ? OPEN_MS : CONNECT_MS) / 1000);
	if (!w->server)
		return explain(w, rc, why, len, "%s", nbd_lib_error(lib));
	explain(w, rc, why, len, "%s", nbd_lib_error(lib));
	blk_server_last_words(s, LAST_WORDS_MS, said, sizeof(said));
	if (!said[0])
		return rc;
	return explain(w, rc, why, len, "%s%s", said,
		       strstr(said, "backing file") ?
			       " (a disk opens no other files than those that its backing= names)" :
			       "");
}

static int open_disk(struct blk_image *img, struct blk_io **io, const struct blk_nbd_want *w,
		     const struct nbd_lib *lib, const struct nbd_name *name, struct blk_server *s,
		     char *why, size_t len)
{
	struct nbd_handle *h = lib->nbd_create();
	int rc = h ? connect_to(lib, h, name, s) : -ENOMEM;

	if (rc < 0)
		explain_connect(w, rc, lib, s, why, len);
	if (rc == 0)
		rc = measure(img, w, lib, h, why, len);
	if (rc == 0 && name->host[0])
		bound_silence(lib->nbd_aio_get_fd(h));
	if (rc == 0) {
		rc = open_io(img, io, w, lib, h, why, len);
		h = NULL; /* the io's, or closed with it */
	}
	if (h)
		lib->nbd_close(h);
	return rc;
}

int blk_nbd_open(struct blk_image *img, struct blk_io **io, const struct blk_nbd_want *w, char *why,
		 size_t len)
{
	struct blk_server server = BLK_SERVER_NONE;
	struct nbd_name name = { .export = "" };
	const struct nbd_lib *lib;
	int rc;

	*img = (struct blk_image){ .fd = -1, .readonly = w->readonly, .is_remote = true };
	*io = NULL;
	lib = nbd_lib_load();
	if (!lib)
		return explain(w, -EINVAL, why, len, "libnbd.so.0 is not there: apt-get install "
			       "libnbd0");
	rc = find_server(img, w, &name, &server, why, len);
	if (rc == 0)
		rc = open_disk(img, io, w, lib, &name, &server, why, len);
	if (rc == 0)
		blk_nbd_io_own_server(*io, &server);
	blk_server_close(&server);
	if (rc < 0)
		blk_image_close(img);
	return rc;
}
