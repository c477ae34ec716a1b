/* SPDX-License-Identifier: MIT */
/* move_msg.c - see move_msg.h. What comes in is a stranger's: checked, and its texts printable. */
#include "move_msg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "write_whole.h"

_Static_assert(sizeof(struct move_msg) == 512, "move_msg.h: as on the line");

static uint32_t crc_of(const struct move_msg *m)
{
	struct move_msg without = *m;

	without.crc = 0;
	return crc32c(0, &without, sizeof(without));
}

bool move_epoch_ok(const char *epoch)
{
	return strlen(epoch) == MOVE_EPOCH_MAX &&
	       strspn(epoch, "0123456789abcdef-") == MOVE_EPOCH_MAX;
}

int move_send(int fd, enum move_type type, const char *epoch, const char *text)
{
	struct move_msg m = { .type = type };

	memcpy(m.magic, MOVE_MAGIC, sizeof(m.magic));
	snprintf(m.epoch, MOVE_EPOCH_MAX + 1, "%s", epoch);
	snprintf(m.text, MOVE_TEXT_MAX + 1, "%s", text);
	m.crc = crc_of(&m);
	return write_whole(fd, &m, sizeof(m));
}

static bool is_ours(const struct move_msg *m)
{
	return !memcmp(m->magic, MOVE_MAGIC, sizeof(m->magic)) && m->type &&
	       m->type < MOVE_TYPES_END && m->crc == crc_of(m) && !m->epoch[MOVE_EPOCH_MAX] &&
	       !m->text[MOVE_TEXT_MAX];
}

/* It will be shown on terminals and in logs. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int move_take(int fd, struct move_in *in, int wait_ms, struct move_msg *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, wait_ms) <= 0)
		return 0;
	n = read(fd, (char *)&in->msg + in->have, sizeof(in->msg) - in->have);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 :
		       errno == ECONNRESET		 ? -EPIPE :
							   -errno;
	if (n == 0)
		return -EPIPE;
	in->have += (size_t)n;
	if (in->have < sizeof(in->msg))
		return 0;
	*out = in->msg;
	*in = (struct move_in){ .have = 0 };
	if (!is_ours(out))
		return -EBADMSG;
	make_printable(out->epoch);
	make_printable(out->text);
	return 1;
}
