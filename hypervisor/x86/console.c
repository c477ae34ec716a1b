/* SPDX-License-Identifier: MIT */
/*
 * console.c - the log, and the console as dom0 sees it: output to the serial line and to a ring
 * that `xm dmesg` reads, input from the serial line. Owns both rings; uart.c moves the bytes.
 * Lock: its own, a leaf: lines of several CPUs never mix.
 */
#include <stdarg.h>
#include <xen/xen.h>

#include "lib/boot_options.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/console.h"
#include "x86/lock.h"
#include "x86/uart.h"

#define LINE_MAX 512
#define CONRING_SIZE (128u << 10)
#define INPUT_SIZE 1024u
#define DEBUG_LINES_A_SECOND 20
#define PREFIX "(SV) "
#define SWITCH_KEY 0x01 /* CTRL-a */
#define SWITCH_TIMES 3

/* Everything below is under it; @lock_is_broken: the machine stops, nobody is waited for. */
static struct spinlock console_lock = { .rank = LOCK_CONSOLE };
static bool lock_is_broken;

static char conring[CONRING_SIZE];
static u32 conring_prod, conring_cons; /* free-running; at most CONRING_SIZE apart */

static char input[INPUT_SIZE];
static u32 input_prod, input_cons; /* free-running */

/* What dom0 wrote since its last newline, for the ring only: whole lines read better there. */
static char guest_line[LINE_MAX];
static size_t guest_line_len;

static const struct console_reader *reader; /* fixed after boot */

void console_set_reader(const struct console_reader *who)
{
	reader = who;
}

static void lock(void)
{
	if (!READ_ONCE(lock_is_broken))
		spin_lock(&console_lock);
}

static void unlock(void)
{
	if (!READ_ONCE(lock_is_broken))
		spin_unlock(&console_lock);
}

void console_break_lock(void)
{
	WRITE_ONCE(lock_is_broken, true);
}

static void conring_put(const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		conring[conring_prod++ % CONRING_SIZE] = buf[i];
	if (conring_prod - conring_cons > CONRING_SIZE)
		conring_cons = conring_prod - CONRING_SIZE;
}

/* The serial line wants a carriage return before each newline; Linux's console sends its own. */
static void serial_put(const char *buf, size_t len)
{
	static char last;
	size_t start = 0;

	if (!boot_options.console_com1)
		return;
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == '\n' && last != '\r') {
			uart_write(buf + start, i - start);
			uart_write("\r", 1);
			start = i;
		}
		last = buf[i];
	}
	uart_write(buf + start, len - start);
}

/* A guest may cause DEBUG lines, so they are bounded in number. */
static bool debug_line_allowed(void)
{
	static s_time_t window_start;
	static unsigned int used;
	s_time_t now = now_ns();

	if (now - window_start > 1000000000) {
		window_start = now;
		used = 0;
	}
	return used++ < DEBUG_LINES_A_SECOND;
}

void hv_log(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX] = PREFIX;
	va_list ap;
	int n;

	if ((int)level > boot_options.log_level)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line + strlen(PREFIX), sizeof(line) - strlen(PREFIX) - 1, fmt, ap);
	va_end(ap);
	n = MIN(n, (int)(sizeof(line) - strlen(PREFIX) - 2)) + (int)strlen(PREFIX);
	line[n++] = '\n';
	lock();
	if (level != LOG_DEBUG || debug_line_allowed()) {
		serial_put(line, (size_t)n);
		conring_put(line, (size_t)n);
	}
	unlock();
}

static void ring_line(domid_t domid, char c)
{
	char prefix[16];

	if (c != '\n' && guest_line_len < sizeof(guest_line)) {
		guest_line[guest_line_len++] = c;
		return;
	}
	conring_put(prefix,
		    (size_t)snprintf(prefix, sizeof(prefix), "(d%u) ", domid));
	conring_put(guest_line, guest_line_len);
	conring_put("\n", 1);
	guest_line_len = 0;
	if (c != '\n')
		guest_line[guest_line_len++] = c;
}

void console_write_guest(domid_t domid, const char *buf, size_t len)
{
	lock();
	serial_put(buf, len);
	for (size_t i = 0; i < len; i++)
		if (buf[i] != '\r' && buf[i] != '\0')
			ring_line(domid, buf[i]);
	unlock();
}

/* Three times CTRL-a: what is typed goes to the hypervisor's debug keys, or to dom0 again. */
static bool takes_key(char c)
{
	static unsigned int nr_switch;
	static bool is_ours;

	nr_switch = c == SWITCH_KEY ? nr_switch + 1 : 0;
	if (nr_switch == SWITCH_TIMES) {
		nr_switch = 0;
		is_ours = !is_ours;
		log_info("typed keys go to %s (CTRL-a three times switches)",
			 is_ours ? "the hypervisor: '*' lists them" : "dom0");
		return true;
	}
	if (is_ours && c != SWITCH_KEY)
		reader->debug_key(c);
	return is_ours;
}

void console_input(char c)
{
	if (takes_key(c))
		return;
	lock();
	if (input_prod - input_cons < INPUT_SIZE)
		input[input_prod++ % INPUT_SIZE] = c;
	unlock();
	reader->arrived();
}

size_t console_read(char *buf, size_t len)
{
	size_t n = 0;

	lock();
	while (n < len && input_cons != input_prod)
		buf[n++] = input[input_cons++ % INPUT_SIZE];
	unlock();
	return n;
}

size_t conring_read(char *buf, size_t len, u32 *idx)
{
	size_t n = 0;

	lock();
	if (conring_prod - *idx > conring_prod - conring_cons)
		*idx = conring_cons; /* never written, overwritten or cleared meanwhile */
	while (n < len && *idx != conring_prod)
		buf[n++] = conring[(*idx)++ % CONRING_SIZE];
	unlock();
	return n;
}

void conring_clear(void)
{
	lock();
	conring_cons = conring_prod;
	unlock();
}
