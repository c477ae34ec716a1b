/* SPDX-License-Identifier: MIT */
/*
 * restore_serve.c - xend's side of restore_link.h. Of what the reader says, lengths and numbers are
 * checked here; everything else goes to the hypervisor as the new domain's, which checks it as it
 * would the domain's own.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"
#include "restore_link_priv.h"
#include "restore_priv.h"

#define LOOK_MS 100			/* how often r->worker.stop is looked at */
#define READER_SCRATCH (64ull << 20)	/* a record, the list of frames, and room to spare */
#define READER_PER_PAGE 64u		/* bytes that the reader may use for a page of the domain */
#define READER_CPU_S 3600u
#define READER_CPU_LIVE_S (24 * 3600u)	/* xm migrate waits no longer */

/* Each page is given, written, perhaps pinned; the rest are lists and virtual CPUs. */
#define ASKS_PER_PAGE 8u
#define ASKS_PER_PAGE_LIVE 128u		/* rounds that send it again */
#define ASKS_MORE (4u * RECORD_VCPUS_MAX + 64)

typedef int (*answer_fn)(struct restore *r, const struct restore_question *q);

static int on_populate(struct restore *r, const struct restore_question *q)
{
	uint64_t frame[STREAM_BATCH];
	int err;

	memcpy(frame, r->window->frame, q->nr * sizeof(frame[0]));
	err = hv_populate_frames(r->hv, r->domid, frame, q->nr, frame);
	if (!err)
		memcpy(r->window->frame, frame, q->nr * sizeof(frame[0]));
	return err;
}

static int on_read(struct restore *r, const struct restore_question *q)
{
	const uint64_t mfn = q->arg;
	void *page = hv_map(r->hv, r->domid, &mfn, 1);

	/* It has read the stream to its end, and begins to finish. */
	r->times.read_ns = move_clock_ns();
	if (!page)
		return errno ? -errno : -EFAULT;
	memcpy(r->window->page[0], page, PAGE);
	hv_unmap(r->hv, page, 1);
	return 0;
}

static int on_write(struct restore *r, const struct restore_question *q)
{
	uint64_t frame[STREAM_BATCH];
	void *pages;

	memcpy(frame, r->window->frame, q->nr * sizeof(frame[0]));
	pages = hv_map(r->hv, r->domid, frame, q->nr);
	if (!pages)
		return errno ? -errno : -EFAULT;
	memcpy(pages, r->window->page, q->nr * PAGE);
	hv_unmap(r->hv, pages, q->nr);
	return 0;
}

static int on_pin(struct restore *r, const struct restore_question *q)
{
	return hv_pin(r->hv, r->domid, q->nr, q->arg);
}

static int on_vcpu(struct restore *r, const struct restore_question *q)
{
	struct vcpu_guest_context ctx;

	memcpy(&ctx, r->window->page, sizeof(ctx));
	return hv_domain_set_vcpu(r->hv, r->domid, (unsigned int)q->arg, &ctx);
}

static int on_callbacks(struct restore *r, const struct restore_question *q)
{
	uint8_t ext[HV_CALLBACKS_SIZE];

	memcpy(ext, r->window->page, sizeof(ext));
	return hv_vcpu_set_callbacks(r->hv, r->domid, (unsigned int)q->arg, ext);
}

static int on_fpu(struct restore *r, const struct restore_question *q)
{
	void *state = malloc(q->nr);
	int err;

	if (!state)
		return -ENOMEM;
	memcpy(state, r->window->page, q->nr);
	err = hv_vcpu_set_fpu(r->hv, r->domid, (unsigned int)q->arg, state, q->nr);
	free(state);
	return err;
}

static int on_msrs(struct restore *r, const struct restore_question *q)
{
	uint8_t msrs[HV_MSRS_MAX * HV_MSR_SIZE];

	memcpy(msrs, r->window->page, q->nr);
	return hv_vcpu_set_msrs(r->hv, r->domid, (unsigned int)q->arg, msrs, q->nr);
}

/* What a question may be about: from @least to @most of .nr; a virtual CPU's number in .arg. */
static const struct {
	answer_fn answer;
	uint32_t least, most;
	bool of_vcpu, of_frames;	/* .arg; .nr */
} ops[] = {
	[RESTORE_POPULATE] = { on_populate, 1, STREAM_BATCH, .of_frames = true },
	[RESTORE_READ] = { on_read, 1, 1 },
	[RESTORE_WRITE] = { on_write, 1, STREAM_BATCH, .of_frames = true },
	[RESTORE_PIN] = { on_pin, 1, 4 },
	[RESTORE_VCPU] = { on_vcpu, sizeof(struct vcpu_guest_context),
			   sizeof(struct vcpu_guest_context), .of_vcpu = true },
	[RESTORE_CALLBACKS] = { on_callbacks, HV_CALLBACKS_SIZE, HV_CALLBACKS_SIZE,
				.of_vcpu = true },
	[RESTORE_FPU] = { on_fpu, 1, sizeof(((struct restore_window *)0)->page),
			  .of_vcpu = true },
	[RESTORE_MSRS] = { on_msrs, HV_MSR_SIZE, HV_MSRS_MAX * HV_MSR_SIZE, .of_vcpu = true },
};

static bool is_sensible(const struct restore *r, const struct restore_question *q)
{
	return q->op < sizeof(ops) / sizeof(ops[0]) && q->nr >= ops[q->op].least &&
	       q->nr <= ops[q->op].most && (!ops[q->op].of_vcpu || q->arg < r->head.nr_vcpus);
}

/* -EBADMSG: it has asked for more than any file needs. *@left: what it may still ask for. */
static int answer(struct restore *r, const struct restore_question *q, uint64_t *left, int *err)
{
	bool ok = is_sensible(r, q);
	uint64_t cost = ok && ops[q->op].of_frames ? q->nr : 1;

	if (cost > *left)
		return -EBADMSG;
	*left -= cost;
	*err = ok ? ops[q->op].answer(r, q) : -EINVAL;
	return 0;
}

/*
 * Until the reader has closed its end: 0; -EBADMSG: it does what no reader of ours does; -EPIPE: the
 * other host is gone, or never says another word. It is not heard of by the reader, which may hang.
 */
static int serve(struct restore *r, int fd)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = r->is_channel ? r->fd : -1, .events = POLLRDHUP },
	};
	uint64_t left = r->max_pages * (r->is_channel ? ASKS_PER_PAGE_LIVE : ASKS_PER_PAGE) +
			ASKS_MORE;
	struct restore_question q;
	struct restore_answer a;
	ssize_t n;

	while (!atomic_load(&r->worker.stop)) {
		if (poll(p, 2, LOOK_MS) <= 0)
			continue;
		if (p[1].revents)
			return -EPIPE;
		n = recv(fd, &q, sizeof(q), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (n != sizeof(q) || answer(r, &q, &left, &a.err))
			return -EBADMSG;
		atomic_fetch_add(&r->asks, 1);
		/* There is room, unless it does not take the answers. */
		if (send(fd, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return errno == EAGAIN ? -EBADMSG : 0;
	}
	return 0;
}

/* The reader's words are a stranger's. */
static void take_words(struct restore *r)
{
	char *why = r->worker.why;

	memcpy(why, r->window->why, WORKER_WHY);
	why[WORKER_WHY - 1] = '\0';
	for (; *why; why++) {
		if (!isascii(*why) || !isprint(*why))
			*why = '?';
	}
}

/* The guest's words, by way of the reader: anything but a 0, which ends a text. */
static void take_console(struct restore *r)
{
	const uint32_t len = __atomic_load_n(&r->window->console_len, __ATOMIC_RELAXED);
	size_t n = 0;

	if (!len || len > STREAM_CONSOLE_MAX)
		return;
	r->console = malloc(len + 1u);
	for (uint32_t i = 0; r->console && i < len; i++) {
		char c = ((volatile char *)r->window->console)[i];

		if (c)
			r->console[n++] = c;
	}
	if (r->console)
		r->console[n] = '\0';
}

static int outcome(struct restore *r, int err)
{
	switch (err) {
	case 0:
		r->made.store_mfn = r->window->store_mfn;
		r->made.console_mfn = r->window->console_mfn;
		take_console(r);
		return 0;
	case -EBADMSG:
		return restore_damaged(r, "what reads it crashed, or did what it may not");
	case -EAGAIN:
		return worker_fail(&r->worker, err, "the process that read it was killed");
	case -EPIPE:
		return worker_fail(&r->worker, err, "the connection to the other host was lost");
	default:
		take_words(r);
		return err;
	}
}

/* In the reader. */
static int read_file(void *arg)
{
	struct restore *r = arg;
	int err = restore_read_stream(r);

	if (!err)
		err = restore_finish(r);
	memcpy(r->window->why, r->worker.why, WORKER_WHY);
	r->window->store_mfn = r->made.store_mfn;
	r->window->console_mfn = r->made.console_mfn;
	return err;
}

static int run_reader(struct restore *r, const int pair[2])
{
	const struct helper h = {
		.work = read_file, .arg = r, .keep = { r->fd, pair[1] }, .nr_keep = 2,
		.limits = { READER_SCRATCH + r->max_pages * READER_PER_PAGE, 0,
			    r->is_channel ? READER_CPU_LIVE_S : READER_CPU_S },
	};
	int err = 0, end;
	pid_t pid;

	r->link = pair[1];
	pid = helper_start(&h);
	close(pair[1]);
	if (pid > 0)
		err = serve(r, pair[0]);
	close(pair[0]);
	if (pid < 0)
		return restore_fail(r, pid, "what reads it could not begin");
	if (err)
		kill(pid, SIGKILL);
	end = helper_end(pid, &r->worker.stop);
	return outcome(r, err ? err : end);
}

int restore_serve(struct restore *r)
{
	int pair[2];

	r->window = mmap(NULL, sizeof(*r->window), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->window == MAP_FAILED) {
		r->window = NULL;
		return restore_fail(r, -ENOMEM, "dom0 has not enough memory to restore a domain");
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return restore_fail(r, -errno, "no process to read it");
	return run_reader(r, pair);
}
