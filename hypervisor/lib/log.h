/* SPDX-License-Identifier: MIT */
/*
 * log.h - the hypervisor's voice: serial console and the console ring (`xm dmesg`).
 *
 * Levels name who is at fault: ERROR our bug or the hardware, WARN the operator must act, INFO
 * lifecycle, DEBUG details. What a guest causes goes by domain_log() (domain/domain.h), whatever
 * its
 * level: a guest has so many lines a second.
 */
#ifndef HV_LIB_LOG_H
#define HV_LIB_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Prints one line (the newline is added). Never fails; truncates at 512 bytes. */
void hv_log(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) hv_log(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) hv_log(LOG_WARN, __VA_ARGS__)
#define log_info(...) hv_log(LOG_INFO, __VA_ARGS__)
#define log_debug(...) hv_log(LOG_DEBUG, __VA_ARGS__)

/* Prints the reason and stops or restarts the machine. Only for broken hypervisor invariants. */
void hv_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!!(cond), 0))                                                 \
			hv_panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond);                   \
	} while (0)

/*
 * What a release survives by ending the domain in whose name it happened: checked builds
 * (-DHV_CHECKED, every host test) stop there, so that the cause is seen.
 */
#ifdef HV_CHECKED
#define CHECKED_BUG() hv_panic("BUG at %s:%d", __FILE__, __LINE__)
#else
#define CHECKED_BUG() ((void)0)
#endif

#endif
