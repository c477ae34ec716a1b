/* SPDX-License-Identifier: MIT */
/* disk_log.c - see disk_log.h. Layout: docs/store-disk.md. */
#include "disk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "crc32c.h"
#include "disk_copy.h"
#include "log.h"

/* The file: magic, base, which store it is of, checksum of these. A frame: length, checksum. */
#define MAGIC "SVchg004"
#define MAGIC_LEN 8
#define FILE_HEAD (MAGIC_LEN + 8 + DISK_ID + 4)
/* The release before does not say which store. */
#define MAGIC_003 "SVchg003"
#define FILE_HEAD_003 (MAGIC_LEN + 8 + 4)
#define FRAME_HEAD 8
/* A change in a frame: revision, index, length, then the value. None: the end mark. */
#define ENTRY_HEAD 16

const struct numbered disk_log_name = { .prefix = "log-", .suffix = "" };

static void write_head(uint64_t base, const unsigned char id[DISK_ID], unsigned char out[FILE_HEAD])
{
	memcpy(out, MAGIC, MAGIC_LEN);
	put_le64(out + MAGIC_LEN, base);
	memcpy(out + MAGIC_LEN + 8, id, DISK_ID);
	put_le32(out + FILE_HEAD - 4, crc32c(0, out, FILE_HEAD - 4));
}

struct log_head {
	size_t len;
	uint64_t base;
	unsigned char id[DISK_ID];
};

/* What the beginning of a file says. False: it is not that of a log, or not whole. */
static bool read_head(const unsigned char *p, size_t len, struct log_head *out)
{
	*out = (struct log_head){ 0 };
	if (len >= FILE_HEAD && memcmp(p, MAGIC, MAGIC_LEN) == 0)
		out->len = FILE_HEAD;
	else if (len >= FILE_HEAD_003 && memcmp(p, MAGIC_003, MAGIC_LEN) == 0)
		out->len = FILE_HEAD_003;
	if (out->len == 0 || get_le32(p + out->len - 4) != crc32c(0, p, out->len - 4))
		return false;
	out->base = get_le64(p + MAGIC_LEN);
	if (out->len == FILE_HEAD)
		memcpy(out->id, p + MAGIC_LEN + 8, DISK_ID);
	return true;
}

/* The same of an open file. */
static bool head_of(int fd, struct log_head *out)
{
	unsigned char bytes[FILE_HEAD];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	return n > 0 && read_head(bytes, (size_t)n, out);
}

/* Whether it says that it is of another store than @id. */
static bool is_foreign(const struct log_head *h, const unsigned char id[DISK_ID])
{
	return disk_id_known(h->id) && disk_id_known(id) && memcmp(h->id, id, DISK_ID) != 0;
}

bool disk_log_id(const char *path, unsigned char id[DISK_ID])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct log_head h;
	bool known = fd >= 0 && head_of(fd, &h) && disk_id_known(h.id);

	if (known)
		memcpy(id, h.id, DISK_ID);
	if (fd >= 0)
		close(fd);
	return known;
}

static int write_all(int fd, const unsigned char *data, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && (errno == ENOSPC || errno == EDQUOT) ? -ENOSPC : -EIO;
		data += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* What has changes may be all that has them. It gets a name that no start reads. */
static int put_aside(const char *path, const char *store_dir)
{
	char to[NUMBERED_PATH + 32];
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -EIO;
	/* Nobody made it to be a log. */
	if (!S_ISREG(st.st_mode))
		return -EIO;
	if (st.st_size <= FILE_HEAD + FRAME_HEAD)
		return 0;
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(to, sizeof(to), "%.500s/unread-%u-%s", store_dir, i,
			 strrchr(path, '/') + 1);
		if (stat(to, &st) == 0 || errno != ENOENT)
			continue;
		/* Not link(): not every file system has that, nor is it let for every owner. */
		if (rename(path, to) < 0)
			return errno == ENOSPC || errno == EDQUOT ? -ENOSPC : -EIO;
		log_errorx("%s has changes that do not follow on what there is: it has been put "
			   "aside as %s",
			   path, to);
		return 0;
	}
	return -EIO;
}

int disk_log_start(struct disk_log *l, const char *store_dir, uint64_t base,
		   const unsigned char id[DISK_ID])
{
	unsigned char head[FILE_HEAD];
	char path[NUMBERED_PATH];
	int ret;

	disk_log_end(l, false);
	numbered_path(&disk_log_name, store_dir, base, path);
	ret = put_aside(path, store_dir);
	if (ret == 0) {
		l->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (l->fd < 0)
			ret = errno == ENOSPC || errno == EDQUOT ? -ENOSPC : -EIO;
	}
	if (ret < 0) {
		l->failed = true;
		return ret;
	}
	write_head(base, id, head);
	ret = write_all(l->fd, head, FILE_HEAD, 0);
	/* It has to be there for good: else the one before it would look like the last. */
	if (ret == 0 && (fsync(l->fd) < 0 || disk_sync_dir(store_dir) < 0))
		ret = -EIO;
	l->base = base;
	l->size = FILE_HEAD;
	l->failed = ret < 0;
	return ret;
}

int disk_log_note(struct disk_log *l, uint64_t rev, uint32_t index, const void *value, size_t len)
{
	size_t need = (l->frame_len ? l->frame_len : FRAME_HEAD) + ENTRY_HEAD + len;
	unsigned char *p;

	if (need > l->frame_cap) {
		p = realloc(l->frame, need + need / 2);
		if (!p)
			return -ENOMEM;
		l->frame = p;
		l->frame_cap = need + need / 2;
	}
	p = l->frame + need - ENTRY_HEAD - len;
	put_le64(p, rev);
	put_le32(p + 8, index);
	put_le32(p + 12, (uint32_t)len);
	memcpy(p + ENTRY_HEAD, value, len);
	l->frame_len = need;
	return 0;
}

static void write_frame(struct disk_log *l, unsigned char *frame, size_t len)
{
	if (l->fd < 0 || l->failed)
		return;
	put_le32(frame, (uint32_t)(len - FRAME_HEAD));
	put_le32(frame + 4, crc32c(0, frame + FRAME_HEAD, len - FRAME_HEAD));
	if (write_all(l->fd, frame, len, l->size) == 0) {
		l->size += len;
		return;
	}
	/* The commit itself is on the disk; only its second copy is missing. */
	log_warn("the log of changes cannot be written: the next earlier state makes up for it");
	l->failed = true;
	if (ftruncate(l->fd, (off_t)l->size) < 0)
		log_warn("the log of changes cannot be cut back");
}

void disk_log_commit(struct disk_log *l)
{
	if (l->frame_len)
		write_frame(l, l->frame, l->frame_len);
	disk_log_abort(l);
}

/* A large commit's memory is not kept for the small ones behind it. */
void disk_log_abort(struct disk_log *l)
{
	l->frame_len = 0;
	if (l->frame_cap > 1u << 20) {
		free(l->frame);
		l->frame = NULL;
		l->frame_cap = 0;
	}
}

void disk_log_end(struct disk_log *l, bool orderly)
{
	unsigned char mark[FRAME_HEAD];

	if (l->fd >= 0 && orderly)
		write_frame(l, mark, FRAME_HEAD);
	if (l->fd >= 0)
		close(l->fd);
	free(l->frame);
	*l = (struct disk_log){ .fd = -1 };
}

/* --- reading --- */

struct replay {
	const char *store_dir;
	const unsigned char *id;
	disk_each_change *each;
	void *arg;
	bool ended, broken;
	uint64_t commit;
};

/* The changes of one whole frame. */
static int replay_frame(struct replay *r, const unsigned char *p, size_t len)
{
	r->ended = len == 0;
	r->commit++;
	while (len >= ENTRY_HEAD) {
		size_t value_len = get_le32(p + 12);
		const struct logged c = {
			.commit = r->commit, .rev = get_le64(p), .index = get_le32(p + 8),
			.value = p + ENTRY_HEAD, .len = value_len,
		};
		int ret;

		if (value_len > len - ENTRY_HEAD)
			break;
		ret = r->each(r->arg, &c);
		if (ret)
			return ret;
		p += ENTRY_HEAD + value_len;
		len -= ENTRY_HEAD + value_len;
	}
	r->broken |= len > 0;
	return 0;
}

static int replay_bytes(struct replay *r, uint64_t base, const unsigned char *p, size_t len)
{
	struct log_head head;
	bool whole = read_head(p, len, &head);

	if (whole && is_foreign(&head, r->id))
		return 0;
	r->ended = false;
	if (!whole || head.base != base) {
		r->broken = true;
		return 0;
	}
	p += head.len;
	len -= head.len;
	while (len > 0) {
		size_t n = len < FRAME_HEAD ? 0 : get_le32(p);
		int ret;

		if (len < FRAME_HEAD || n > len - FRAME_HEAD ||
		    get_le32(p + 4) != crc32c(0, p + FRAME_HEAD, n)) {
			r->broken = true;
			return 0;
		}
		ret = replay_frame(r, p + FRAME_HEAD, n);
		if (ret)
			return ret;
		p += FRAME_HEAD + n;
		len -= FRAME_HEAD + n;
	}
	return 0;
}

/* Read, not mapped: a file that gets shorter meanwhile is an error then, not a signal. */
static int replay_file(void *arg, uint64_t base)
{
	struct replay *r = arg;
	char path[NUMBERED_PATH];
	unsigned char *data = NULL;
	size_t got = 0;
	struct stat st;
	int fd, ret = 0;

	numbered_path(&disk_log_name, r->store_dir, base, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		ret = -EIO;
	else if (!(data = malloc((size_t)st.st_size + 1)))
		ret = -ENOMEM;
	while (ret == 0 && got < (size_t)st.st_size) {
		ssize_t n = read(fd, data + got, (size_t)st.st_size - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	/* What cannot be read is as what is not whole. */
	if (ret == -EIO || (ret == 0 && got < (size_t)st.st_size))
		r->broken = true;
	ret = ret == -EIO ? 0 : ret;
	if (ret == 0 && data)
		ret = replay_bytes(r, base, data, got);
	free(data);
	return ret;
}

int disk_log_replay(const char *store_dir, const unsigned char id[DISK_ID], disk_each_change *each,
		    void *arg, bool *ended)
{
	struct replay r = { .store_dir = store_dir, .id = id, .each = each, .arg = arg };
	int ret = numbered_each(&disk_log_name, store_dir, replay_file, &r);

	*ended = r.ended && !r.broken;
	return ret;
}

/* Where the end mark is, or the end of the file, or what cannot be read. */
static off_t end_of(int fd, bool *marked)
{
	unsigned char head[FRAME_HEAD];
	struct log_head file;
	off_t at = head_of(fd, &file) ? (off_t)file.len : FILE_HEAD;

	*marked = false;
	while (!*marked && pread(fd, head, FRAME_HEAD, at) == FRAME_HEAD) {
		*marked = get_le32(head) == 0;
		at += *marked ? 0 : FRAME_HEAD + (off_t)get_le32(head);
	}
	return at;
}

int disk_log_goes_on(const char *store_dir, const unsigned char id[DISK_ID])
{
	char path[NUMBERED_PATH];
	uint64_t base;
	bool marked;
	off_t at;
	int fd, ret = disk_log_newest(store_dir, id, &base);

	if (ret < 0)
		return ret;
	numbered_path(&disk_log_name, store_dir, base, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* Where there is none there is no end. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return errno == EROFS ? -EROFS : errno == EACCES ? -EACCES : -EIO;
	at = end_of(fd, &marked);
	if (marked && (ftruncate(fd, at) < 0 || fsync(fd) < 0))
		ret = -EIO;
	close(fd);
	return ret;
}

struct newest {
	const char *store_dir;
	const unsigned char *id;
	uint64_t *base;
};

static int note_ours(void *arg, uint64_t base)
{
	unsigned char id[DISK_ID];
	char path[NUMBERED_PATH];
	struct newest *n = arg;

	numbered_path(&disk_log_name, n->store_dir, base, path);
	if (!disk_id_known(n->id) || !disk_log_id(path, id) || memcmp(id, n->id, DISK_ID) == 0)
		*n->base = base;
	return 0;
}

int disk_log_newest(const char *store_dir, const unsigned char id[DISK_ID], uint64_t *base)
{
	struct newest n = { store_dir, id, base };

	*base = 0;
	return numbered_each(&disk_log_name, store_dir, note_ours, &n);
}

struct thinning {
	const char *store_dir;
	uint64_t rev, before;
	bool any;
	bool (*may_go)(void *arg, const char *path);
	void *arg;
};

/* What a log has goes as far as the next one's beginning. */
static int thin_one(void *arg, uint64_t base)
{
	struct thinning *t = arg;
	char path[NUMBERED_PATH];

	if (t->any && base <= t->rev) {
		numbered_path(&disk_log_name, t->store_dir, t->before, path);
		if (t->may_go(t->arg, path) && unlink(path) < 0)
			log_warn("%s: cannot be removed", path);
	}
	t->before = base;
	t->any = true;
	return 0;
}

void disk_log_thin_out(const char *store_dir, uint64_t rev,
		       bool (*may_go)(void *arg, const char *path), void *arg)
{
	struct thinning t = {
		.store_dir = store_dir, .rev = rev, .may_go = may_go, .arg = arg,
	};

	numbered_each(&disk_log_name, store_dir, thin_one, &t);
}
