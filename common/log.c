/* SPDX-License-Identifier: MIT */
/*
 * log.c - writes one line a message to standard error in one write(2), so that lines of
 * several processes sharing a log file never mix. No lock: daemons are single-threaded, and
 * libxs does not log.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LINE_MAX_LEN 1024

static const char *log_name = "storevisor";
static enum log_level log_max = LOG_LVL_INFO;
static int log_stamped, log_waits = 1;
static unsigned long log_lost;

static const char *const level_word[] = {
	[LOG_LVL_ERROR] = "error: ",
	[LOG_LVL_WARN] = "warning: ",
	[LOG_LVL_INFO] = "",
	[LOG_LVL_DEBUG] = "debug: ",
};

void log_init(const char *name, enum log_level max, int stamped)
{
	log_name = name;
	log_max = max;
	log_stamped = stamped;
}

void log_never_wait(void)
{
	log_waits = 0;
}

/* Whether a line can be written now. A pipe or socket that can be has room for one. */
static int has_room(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return log_waits || poll(&p, 1, 0) != 0;
}

/* Bytes snprintf really put into @room, the terminator excluded. */
static size_t clamp_len(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

static void log_line(enum log_level level, int err, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN];
	size_t len = 0, room = sizeof(line) - 1;
	unsigned long lost = log_lost;
	ssize_t written;

	if (level > log_max)
		return;
	if (!has_room()) {
		log_lost++;
		return;
	}
	if (log_stamped) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		len += clamp_len(snprintf(line, room, "%6ld.%03ld ", (long)now.tv_sec,
					  now.tv_nsec / 1000000), room);
	}
	len += clamp_len(snprintf(line + len, room - len, "%s: %s", log_name, level_word[level]),
			 room - len);
	if (lost)
		len += clamp_len(snprintf(line + len, room - len, "(%lu lines before it were lost) ",
					  lost), room - len);
	len += clamp_len(vsnprintf(line + len, room - len, fmt, ap), room - len);
	if (err)
		len += clamp_len(snprintf(line + len, room - len, ": %s", strerror(err)),
				 room - len);
	line[len++] = '\n';
	written = write(STDERR_FILENO, line, len);
	/* Another one who has the file may have said that nobody waits for it. */
	log_lost = written < 0 && errno == EAGAIN ? lost + 1 : 0;
}

#define LOG_FUNC(func, level, err)                                                                 \
	void func(const char *fmt, ...)                                                            \
	{                                                                                          \
		int saved = errno;                                                                 \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		log_line(level, err, fmt, ap);                                                     \
		va_end(ap);                                                                        \
		errno = saved;                                                                     \
	}

LOG_FUNC(log_error, LOG_LVL_ERROR, saved)
LOG_FUNC(log_warn, LOG_LVL_WARN, saved)
LOG_FUNC(log_errorx, LOG_LVL_ERROR, 0)
LOG_FUNC(log_warnx, LOG_LVL_WARN, 0)
LOG_FUNC(log_info, LOG_LVL_INFO, 0)
LOG_FUNC(log_debug, LOG_LVL_DEBUG, 0)
