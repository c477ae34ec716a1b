/* SPDX-License-Identifier: MIT */
/*
 * cmd_top.c - xm top: the domains by the CPU time they use, again and again.
 *
 * CPU use is the difference of two readings of /status/domain/NAME/cpu_time_ns, which xend renews
 * on request, over the time between them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"
#include "request.h"

static const struct cli_opt options[] = {
	{ 'b', "batch", NULL, "print table after table, as when the output is a file" },
	{ 'd', "delay", "TIME", "between two tables (200ms, 5s; 3s)" },
	{ 'i', "iterations", "N", "leave after N tables" },
	{ 0 },
};

struct row {
	struct domain dom;
	double percent; /* of one CPU; < 0: not known yet */
	unsigned int nr_vbds, nr_vifs;
};

struct top {
	struct xm *xm;
	bool json, screen; /* screen: redraw in place */
	int64_t delay_ns;
	long left; /* tables still to print; < 0: no limit */
	struct domains before;
	int64_t before_ns;
	long long total_kib;
};

static double cpu_percent(const struct top *top, const struct domain *dom, int64_t now_ns)
{
	for (size_t i = 0; i < top->before.nr; i++) {
		const struct domain *old = &top->before.at[i];

		if (old->domid == dom->domid && strcmp(old->name, dom->name) == 0)
			return 100.0 * (double)(dom->cpu_time_ns - old->cpu_time_ns) /
			       (double)(now_ns - top->before_ns);
	}
	return -1;
}

static unsigned int count(struct xs_handle *xs, const char *kind, int domid)
{
	unsigned int nr;

	free(store_list(xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d", kind, domid));
	return nr;
}

static int by_use(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->percent != y->percent)
		return x->percent < y->percent ? 1 : -1;
	return x->dom.domid - y->dom.domid;
}

static void print_row(const struct top *top, const struct row *row)
{
	FILE *to = top->xm->out;
	char percent[16] = "-";

	if (row->percent >= 0)
		snprintf(percent, sizeof(percent), "%.1f", row->percent);
	fprintf(to, "%-20.20s %s %10lld %6s %10lld %6.1f %5lld %4u %4u\n", row->dom.name,
		domain_flags(&row->dom), row->dom.cpu_time_ns / 1000000000, percent,
		row->dom.memory_kib,
		top->total_kib ? 100.0 * (double)row->dom.memory_kib / (double)top->total_kib : 0.0,
		row->dom.vcpus, row->nr_vifs, row->nr_vbds);
}

static json_t *row_json(const struct row *row)
{
	return json_pack("{s:s, s:i, s:s, s:f, s:o, s:I, s:I, s:i, s:i}", "name", row->dom.name,
			 "domid", row->dom.domid, "state", row->dom.state_word, "cpu_seconds",
			 (double)row->dom.cpu_time_ns / 1e9, "cpu_percent",
			 row->percent < 0 ? json_null() : json_real(row->percent), "memory_kib",
			 (json_int_t)row->dom.memory_kib, "vcpus", (json_int_t)row->dom.vcpus,
			 "vifs", (int)row->nr_vifs, "vbds", (int)row->nr_vbds);
}

static void print_table(struct top *top, const struct row *rows, size_t nr)
{
	FILE *to = top->xm->out;
	json_t *list = top->json ? json_array() : NULL;

	if (top->screen)
		fputs("\033[H\033[J", to);
	if (!list)
		fprintf(to, "%-20s %-6s %10s %6s %10s %6s %5s %4s %4s\n", "NAME", "STATE",
			"CPU(sec)", "CPU(%)", "MEM(k)", "MEM(%)", "VCPUS", "NETS", "VBDS");
	for (size_t i = 0; i < nr; i++) {
		if (list)
			json_array_append_new(list, row_json(&rows[i]));
		else
			print_row(top, &rows[i]);
	}
	if (list) {
		json_say(&top->xm->voice, list, JSON_LINE);
	} else if (!top->screen) {
		fputc('\n', to);
	}
	fflush(to);
}

static int one_table(struct top *top)
{
	struct xs_handle *xs = top->xm->xs;
	struct domains now;
	struct row *rows;
	int64_t now_ns;
	size_t nr = 0;
	int ret;

	request_refresh(top->xm);
	now_ns = store_now();
	ret = domains_load(xs, &now);
	if (ret)
		return xm_fail_store(top->xm, "reading the list of domains", -ret);
	rows = calloc(now.nr + 1, sizeof(*rows));
	if (!rows) {
		domains_fini(&now);
		return xm_fail(top->xm, "out of memory");
	}
	for (size_t i = 0; i < now.nr; i++) {
		const struct domain *dom = &now.at[i];

		if (domain_is_live(dom))
			rows[nr++] = (struct row){ *dom, cpu_percent(top, dom, now_ns),
						   count(xs, "vbd", dom->domid),
						   count(xs, "vif", dom->domid) };
	}
	qsort(rows, nr, sizeof(*rows), by_use);
	print_table(top, rows, nr);
	free(rows);
	domains_fini(&top->before);
	top->before = now;
	top->before_ns = now_ns;
	return 0;
}

/* Sleeps; false when the user typed q or Ctrl-C. */
static bool pause_until(struct top *top, int64_t deadline_ns, int interrupt_fd)
{
	int keys = top->screen ? fileno(top->xm->in) : -1;

	for (;;) {
		struct pollfd fds[] = { { .fd = interrupt_fd, .events = POLLIN },
					{ .fd = keys, .events = POLLIN } };
		int64_t left_ms = (deadline_ns - store_now() + 999999) / 1000000;
		char key = 0;

		if (left_ms <= 0)
			return true;
		if (left_ms > 60000)
			left_ms = 60000;
		if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			return false;
		if (fds[1].revents && (read(keys, &key, 1) <= 0 || key == 'q' || key == 'Q'))
			return false;
		if (key == ' ')
			return true;
	}
}

static int run_loop(struct top *top)
{
	struct interrupts interrupts;
	int ret;

	interrupts_open(&interrupts);
	do {
		ret = one_table(top);
		if (top->left > 0)
			top->left--;
	} while (!ret && top->left != 0 && !ferror(top->xm->out) &&
		 pause_until(top, store_deadline(top->delay_ns), interrupts.fd));
	interrupts_close(&interrupts);
	return ret;
}

/* Single keys without Enter, while the screen is ours. */
static int run_on_screen(struct top *top)
{
	struct termios before, keys;
	int in = fileno(top->xm->in), ret;

	tcgetattr(in, &before);
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(in, TCSANOW, &keys);
	ret = run_loop(top);
	tcsetattr(in, TCSADRAIN, &before);
	return ret;
}

static int run_top(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *delay = cli_str(args, "delay", NULL), *iterations = cli_str(args, "iterations", NULL);
	struct top top = {
		.xm = xm, .json = args->json, .left = -1, .delay_ns = INT64_C(3000000000)};
	char *end;
	int ret;

	if (delay) {
		long ms;

		if (!cli_ms_of(delay, &ms) || ms < 10)
			return cli_refuse(args, "-d %s: " CLI_MS_WANTED ", 10ms at least", delay);
		top.delay_ns = ms * STORE_MS;
	}
	if (iterations) {
		top.left = strtol(iterations, &end, 10);
		if (*end || top.left < 1)
			return cli_refuse(args, "-i: '%s' is not a number of tables", iterations);
	}
	if (!xm_store(xm))
		return 1;
	store_read_number(xm->xs, XBT_NULL, &top.total_kib, "/host/memory_kib");
	top.screen = xm->out_tty && isatty(fileno(xm->in)) && !cli_has(args, "batch") && !top.json;
	ret = top.screen ? run_on_screen(&top) : run_loop(&top);
	domains_fini(&top.before);
	return ret;
}

const struct cli_cmd cmd_top = {
	.name = "top",
	.help = "Show which domains use the CPU, again and again",
	.more = "Space shows the next table at once, q leaves. With -j one JSON array a line.",
	.opts = options,
	.example = "xm top -b -i 1",
	.run = run_top,
};
