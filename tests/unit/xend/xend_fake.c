/* SPDX-License-Identifier: MIT */
/*
 * xend_fake.c - the real xend as a process over a real store, on the machine in memory of
 * fake_hv.c: what a test of a whole program meets. Backends and guests do here what they are
 * asked: a device is connected and closed, a guest follows control/shutdown.
 *
 * xend_fake KERNEL MIB: writes a kernel that can be built to KERNEL, has a machine of MIB, says
 * "ready" and ends with its standard input. The machine outlives the manager: when that is killed,
 * another is started on it.
 *
 * A line N on standard input, with a word of the test's behind it: N noticeable deeds later -
 * writes to the store, messages to the other host, hypercalls that end, wake or stop a domain, each
 * before and after it is done - the manager is killed; 0: it lives on. "told WORD" says that this
 * holds from here; who reads "ready" instead has to say it to the next manager. To KERNEL.life goes
 * a line whenever a guest may run ("+") or may not any more ("-"): time in ns, sign, uuid, a
 * checksum of the memory that the guest writes. From a line -1 to a line -2 the hypervisor cannot
 * note what it writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crc32c.h"
#include "fake_hv.h"
#include "log.h"
#include "make_elf.h"
#include "move_msg.h"
#include "xend.h"

struct machine {
	struct xend x;
	struct xs_handle *world; /* what is not xend reads and writes by this */
};

/* The daemon has no guest's ring to map: being told of a domain is all that can be seen of it. */
bool __wrap_xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
				unsigned int port);
bool __wrap_xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
				unsigned int port)
{
	(void)h;
	return domid && mfn && port;
}

bool __wrap_xs_release_domain(struct xs_handle *h, unsigned int domid);
bool __wrap_xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	return domid;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* --- lives and deaths --- */

static int life = -1;			/* KERNEL.life */
static atomic_long *deeds_left;		/* shared with the next manager; 0: it lives on */
static bool in_world;			/* what is done now is not the manager's */

static void deed(void)
{
	if (!in_world && atomic_load(deeds_left) > 0 && atomic_fetch_sub(deeds_left, 1) == 1)
		kill(getpid(), SIGKILL);
}

#define WRITES 3			/* pages that a guest writes between two looks */

/* What it wrote so far. */
static uint32_t sum_of(int domid)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < WRITES; i++)
		sum = crc32c(sum, fake_hv_guest_memory(domid, make_elf_linux.vbase +
							  make_elf_linux.paddr + i * 4096), 4096);
	return sum;
}

/* Where a guest keeps its number: behind its kernel's first instructions. */
static uint8_t *number_of(int domid)
{
	return fake_hv_guest_memory(domid, make_elf_linux.vbase + make_elf_linux.paddr + 8);
}

static void note(int domid, char sign)
{
	struct hv_domain info;
	char line[160];
	int n;

	/* One that never ran has no memory to look at. */
	if (hv_domain_info(NULL, (uint16_t)domid, &info) || (sign == '-' && info.paused))
		return;
	n = snprintf(line, sizeof(line), "%" PRIu64 " %c ", now_ns(), sign);
	for (int i = 0; i < 16; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%02x", info.uuid[i]);
	n += snprintf(line + n, sizeof(line) - (size_t)n, " %u\n", sum_of(domid));
	if (write(life, line, (size_t)n) != n)
		abort();
}

#define DEED(type, name, params, args)                                                             \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		type ret;                                                                          \
                                                                                                   \
		deed();                                                                            \
		ret = __real_##name args;                                                          \
		deed();                                                                            \
		return ret;                                                                        \
	}

DEED(bool, xs_write,
     (struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
      unsigned int len),
     (h, t, path, data, len))
DEED(bool, xs_rm, (struct xs_handle *h, xs_transaction_t t, const char *path), (h, t, path))
DEED(bool, xs_transaction_end, (struct xs_handle *h, xs_transaction_t t, bool abort), (h, t, abort))
DEED(int, move_send, (int fd, enum move_type type, const char *epoch, const char *text),
     (fd, type, epoch, text))

/* What begins or ends a time in which the guest may run. */
#define TURN(name, sign)                                                                           \
	int __real_##name(struct hv *hv, uint16_t domid);                                          \
	int __wrap_##name(struct hv *hv, uint16_t domid);                                          \
	int __wrap_##name(struct hv *hv, uint16_t domid)                                           \
	{                                                                                          \
		int ret;                                                                           \
                                                                                                   \
		deed();                                                                            \
		note(domid, sign);                                                                 \
		ret = __real_##name(hv, domid);                                                    \
		deed();                                                                            \
		return ret;                                                                        \
	}

TURN(hv_domain_unpause, '+')
TURN(hv_domain_resume, '+')
TURN(hv_domain_destroy, '-')

/* --- the world --- */

static char *get(struct machine *m, const char *dir, const char *key)
{
	char path[512];
	unsigned int len;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return xs_read(m->world, XBT_NULL, path, &len);
}

static void put(struct machine *m, const char *dir, const char *key, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	xs_write(m->world, XBT_NULL, path, value, (unsigned int)strlen(value));
}

/* One backend directory; while there is /test/hold nothing is connected. */
static void serve(struct machine *m, const char *dir)
{
	char *state = get(m, dir, "state"), *status = get(m, dir, "hotplug-status");

	char *hold = get(m, "/test", "hold"), *drain;

	if (state && !strcmp(state, "5"))
		put(m, dir, "state", "6");
	else if (state && !status && !hold)
		put(m, dir, "hotplug-status", "connected");
	drain = get(m, dir, "drain");
	if (drain)
		put(m, dir, "drained", drain);
	free(drain);
	free(hold);
	free(state);
	free(status);
}

/* What a guest's kernel does when it is asked to go down. */
static void guest(struct machine *m, const char *dir)
{
	static const struct {
		const char *wish;
		enum hv_shutdown_reason reason;
	} ends[] = {
		{ "poweroff", HV_SHUTDOWN_POWEROFF },
		{ "reboot", HV_SHUTDOWN_REBOOT },
		{ "crash", HV_SHUTDOWN_CRASH }, /* only a test asks for it */
	};
	const char *name = strrchr(dir, '/') + 1;
	char *wish = get(m, dir, "control/shutdown"), *feature;
	int domid = atoi(name);

	for (size_t i = 0; domid > 0 && wish && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(wish, ends[i].wish))
			continue;
		put(m, dir, "control/shutdown", "");
		fake_hv_shutdown(domid, ends[i].reason);
		note(domid, '-');
		m->x.check_domains = true;
	}
	if (domid > 0 && wish && !strcmp(wish, "suspend")) {
		++*number_of(domid);
		put(m, dir, "control/shutdown", "");
		fake_hv_suspend(domid);
		note(domid, '-');
		m->x.check_domains = true;
	}
	feature = get(m, dir, "control/feature-suspend");
	if (domid > 0 && wish && (!feature || strcmp(feature, "1")))
		put(m, dir, "control/feature-suspend", "1");
	free(feature);
	free(wish);
}

/* Calls @fn for what is @depth levels below @dir. */
static void each(struct machine *m, const char *dir, unsigned int depth,
		 void (*fn)(struct machine *m, const char *dir))
{
	unsigned int nr = 0;
	char path[512], **names;

	if (!depth) {
		fn(m, dir);
		return;
	}
	names = xs_directory(m->world, XBT_NULL, dir, &nr);
	for (unsigned int i = 0; names && i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		each(m, path, depth - 1, fn);
	}
	free(names);
}

/* Until nothing is to be done at once; the time of the next look in ms. */
static int turn(struct machine *m)
{
	for (;;) {
		uint64_t now = now_ns(), again;
		char **ev;

		while ((ev = xs_check_watch(m->x.xs))) {
			xend_event(&m->x, ev[XS_WATCH_PATH], ev[XS_WATCH_TOKEN]);
			free(ev);
		}
		while ((ev = xs_check_watch(m->world)))
			free(ev);
		again = xend_run(&m->x, now);
		in_world = true;
		each(m, "/local/domain/0/backend", 3, serve);
		each(m, "/local/domain", 1, guest);
		in_world = false;
		if (again > now && !m->x.check_domains)
			return again - now > 100 * NS_PER_MS ? 100 :
							       (int)((again - now) / NS_PER_MS) + 1;
	}
}

static int write_kernel(const char *path)
{
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);
	FILE *f = fopen(path, "we");
	int ret = f && fwrite(elf, 1, len, f) == len ? 0 : -1;

	if (f && fclose(f))
		ret = -1;
	free(elf);
	return ret;
}

/* A line of the test: the manager's life from here. False: there will be none. */
static bool take_line(void)
{
	char lines[256], *last, *word;
	ssize_t n = read(0, lines, sizeof(lines) - 1);

	if (n <= 0)
		return false;
	lines[n - 1] = '\0';
	last = strrchr(lines, '\n');
	last = last ? last + 1 : lines;
	n = strtol(last, &word, 10);
	if (n < 0)
		fake_hv_fail(n == -1 ? "dirty_begin" : "", -EOPNOTSUPP);
	atomic_store(deeds_left, n < 0 ? 0 : n);
	printf("told%s\n", word);
	fflush(stdout);
	return true;
}

/* One life of the manager. */
static int manage(struct hv *hv)
{
	struct machine m = { 0 };
	struct xs_handle *xs = xs_open(0);
	struct pollfd fds[4] = { { .fd = 0, .events = POLLIN } };
	int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t n;

	m.world = xs_open(0);
	log_init("xend", LOG_LVL_INFO, 1);
	if (!xs || !m.world || wake < 0 || !xs_watch(m.world, "/local/domain", "world") ||
	    xend_start(&m.x, xs, hv, wake, now_ns())) {
		fprintf(stderr, "cannot start\n");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	fds[1] = (struct pollfd){ .fd = xs_fileno(xs), .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = xs_fileno(m.world), .events = POLLIN };
	fds[3] = (struct pollfd){ .fd = wake, .events = POLLIN };
	while (!fds[0].revents || take_line()) {
		poll(fds, 4, turn(&m));
		if (fds[3].revents && read(wake, &n, sizeof(n)) < 0)
			break;
	}
	xend_stop(&m.x);
	xs_close(xs);
	xs_close(m.world);
	return 0;
}

int main(int argc, char **argv)
{
	struct hv *hv;
	char path[256];
	int status = 0;
	pid_t pid;

	if (argc != 3 || write_kernel(argv[1])) {
		fprintf(stderr, "cannot start\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "%s.life", argv[1]);
	life = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	deeds_left = mmap(NULL, sizeof(*deeds_left), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	hv = fake_hv_new_shared((unsigned int)atoi(argv[2]));
	fake_hv_writes = WRITES;
	do {
		fake_hv_unmap_all();
		pid = fork();
		if (pid == 0)
			return manage(hv);
	} while (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		 WTERMSIG(status) == SIGKILL);
	/* A test that waits for answers then says why there are none. */
	fprintf(stderr, "xend_fake: xend has ended, with wait status %#x\n", status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
