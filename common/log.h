/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line of diagnostics for every daemon and tool.
 *
 * Levels name who is at fault: error = our bug or the hardware, warn = the operator must act,
 * info = lifecycle, debug = one line a request. Guest-controlled bytes must be escaped by the
 * caller before they get here.
 */
#ifndef STOREVISOR_LOG_H
#define STOREVISOR_LOG_H

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/*
 * Names the program and sets the highest level printed. Call once, before the first line.
 * @name is kept, not copied. Lines go to standard error with a monotonic time stamp when
 * @stamped, so that a redirected daemon log can be read beside the console log.
 */
void log_init(const char *name, enum log_level max, int stamped);

/*
 * From here on a line that standard error has no room for is lost, and the next one says how many
 * were: whoever reads them may be waiting for a disk, and who logs is not to wait with him.
 */
void log_never_wait(void);

/* Appends strerror(errno), as it was on entry. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Without errno. */
void log_errorx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
