/* SPDX-License-Identifier: MIT */
/*
 * fuzz_saved.c - from a file that somebody hands to the manager to the hypercalls it makes of it:
 * xend's own steps of a start, over libraries that judge each hypercall (fuzz_privcmd.h).
 *
 * What the first letter of an input says, the rest is:
 *   S  a saved domain's file, read by xend's reader
 *   Q  what a reader that was taken over asks of xend: questions, and bytes for the shared window
 *   K  a kernel, for a domain that is made anew
 * Runs of zeros are short in an input: ZEROS n stands for n times ZEROS_LEN.
 *
 * The helper process is a thread here, so that sanitizers and coverage see both sides.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_pv.h"
#include "fuzz.h"
#include "fuzz_privcmd.h"
#include "helper.h"
#include "restore_link_priv.h"
#include "restore_priv.h"
#include "restore_pv.h"
#include "xend.h"

#define ZEROS 0xe5
#define ZEROS_LEN 64u
#define FILE_MAX (1u << 20)
#define MEMORY_MIB (PRIVCMD_PAGES / 256)
#define QUESTION_LEN 16u /* of a window's bytes with each question */

/* --- the helper is a thread --- */

static struct {
	struct helper h;
	pthread_t thread;
	int link, result;
} reader;

static const uint8_t *asked; /* mode Q: what is still to be asked */
static size_t nr_asked;

static void *read_in_thread(void *arg)
{
	reader.result = reader.h.work(reader.h.arg);
	close(reader.link);
	return NULL;
}

pid_t __wrap_helper_start(const struct helper *h);
pid_t __wrap_helper_start(const struct helper *h)
{
	struct restore *r = h->arg;

	/* the caller closes its own */
	reader.h = *h;
	reader.link = r->link = dup(r->link);
	FUZZ_CHECK(reader.link >= 0 && !pthread_create(&reader.thread, NULL, read_in_thread, NULL));
	return getpid();
}

int __wrap_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig)
{
	return shutdown(reader.link, SHUT_RDWR);
}

int __wrap_helper_end(pid_t pid, const atomic_bool *stop);
int __wrap_helper_end(pid_t pid, const atomic_bool *stop)
{
	struct restore *r = reader.h.arg;

	pthread_join(reader.thread, NULL);
	/* what goes with a process */
	free(r->p2m_frame);
	free(r->body);
	free(r->unpacked);
	restore_frames_fini(&r->frames);
	for (int i = 0; i < RECORD_VCPUS_MAX; i++)
		free(r->vcpu[i].fpu);
	return reader.result;
}

int __wrap_helper_run(const struct helper *h, const atomic_bool *stop);
int __wrap_helper_run(const struct helper *h, const atomic_bool *stop)
{
	return h->work(h->arg);
}

/* --- a reader that is somebody else's --- */

static void ask_next(struct restore *r)
{
	struct restore_question q = { .op = asked[0] % 9, .nr = asked[1] | (uint32_t)asked[2] << 8 };
	struct restore_answer a;

	/* often what would be sensible */
	if (asked[3] & 1)
		q.nr = q.op == RESTORE_VCPU ? sizeof(struct vcpu_guest_context) :
		       q.op == RESTORE_CALLBACKS ? HV_CALLBACKS_SIZE : 1;
	memcpy(&q.arg, asked + 4, sizeof(q.arg));
	if (asked[3] & 2)
		q.arg = r->window->frame[asked[4]];
	if (asked[3] & 4)
		memcpy(r->window->page[asked[5] % 4] + asked[6] * 16u, asked, QUESTION_LEN);
	if (asked[3] & 8)
		memcpy(r->window->frame + asked[5], asked + 4, sizeof(uint64_t));
	if (send(r->link, &q, sizeof(q), MSG_NOSIGNAL) == sizeof(q))
		recv(r->link, &a, sizeof(a), 0);
}

int __real_restore_read_stream(struct restore *r);
int __wrap_restore_read_stream(struct restore *r);
int __wrap_restore_read_stream(struct restore *r)
{
	if (!asked)
		return __real_restore_read_stream(r);
	for (; nr_asked >= QUESTION_LEN; asked += QUESTION_LEN, nr_asked -= QUESTION_LEN)
		ask_next(r);
	r->made.store_mfn = r->window->frame[0];
	r->made.console_mfn = r->window->frame[1];
	return 0;
}

int __real_restore_finish(struct restore *r);
int __wrap_restore_finish(struct restore *r);
int __wrap_restore_finish(struct restore *r)
{
	return asked ? 0 : __real_restore_finish(r);
}

/* --- the steps of a start --- */

/* An empty file in memory, and its name in @path. */
static int file_new(char *path, size_t room)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0);
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}

/* What @data stands for. */
static void file_fill(int fd, const uint8_t *data, size_t size)
{
	static uint8_t whole[FILE_MAX];
	size_t len = 0;

	for (size_t i = 0; i < size && len + 256 * ZEROS_LEN < FILE_MAX; i++) {
		if (data[i] == ZEROS && i + 1 < size && data[i + 1]) {
			size_t n = data[++i] * ZEROS_LEN;

			memset(whole + len, 0, n);
			len += n;
		} else {
			whole[len++] = data[i];
			i += data[i] == ZEROS; /* by itself: with a zero behind it */
		}
	}
	FUZZ_CHECK(write(fd, whole, len) == (ssize_t)len);
}

/* Whose head fits the record; what follows it is not read. */
static void file_fill_head(int fd, const struct domain *d)
{
	struct saved_head h = { .version = SAVED_UNCHECKED, .name = "a", .nr_vcpus = 1, .nr_pages = 1 };

	snprintf(h.uuid, sizeof(h.uuid), "%s", d->rec.uuid_text);
	FUZZ_CHECK(!saved_head_write(fd, &h));
}

static void start(struct xend *x, struct domain *d, int (*const steps[4])(struct xend *, struct domain *))
{
	int err = 0;

	for (int i = 0; !err && i < 4; i++)
		err = steps[i](x, d);
	FUZZ_CHECK(err != -EINPROGRESS);
	/* Whatever it was, it is said in the user's words. */
	FUZZ_CHECK(!err == !d->error[0]);
	for (const char *c = d->error; *c; c++)
		FUZZ_CHECK(*c >= ' ' && *c <= '~');
}

static int (*const restore_steps[4])(struct xend *, struct domain *) = {
	restore_image, restore_populate, restore_load, restore_tables
};
static int (*const build_steps[4])(struct xend *, struct domain *) = {
	build_image, build_populate, build_load, build_tables
};

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct domain d;
	struct xend x = { .wake_fd = -1 };
	int fd;

	if (!size || !strchr("SQK", data[0]))
		return 0;
	memset(&d, 0, sizeof(d));
	d.domid = PRIVCMD_DOMID;
	d.rec.memory_mib = d.rec.maxmem_mib = MEMORY_MIB;
	d.rec.maxvcpus = PRIVCMD_VCPUS;
	snprintf(d.rec.uuid_text, sizeof(d.rec.uuid_text), "00000000-0000-0000-0000-000000000000");
	privcmd_reset(data[0] != 'Q');
	asked = data[0] == 'Q' ? data + 1 : NULL;
	nr_asked = size - 1;
	FUZZ_CHECK(!hv_open(&x.hv));
	fd = file_new(data[0] == 'K' ? d.rec.kernel : d.rec.saved, sizeof(d.rec.saved));
	if (asked)
		file_fill_head(fd, &d);
	else
		file_fill(fd, data + 1, size - 1);
	start(&x, &d, data[0] == 'K' ? build_steps : restore_steps);
	restore_free(d.restore);
	build_free(d.build);
	close(fd);
	hv_close(x.hv);
	FUZZ_CHECK(privcmd_done() < 16ul * PRIVCMD_PAGES);
	return 0;
}
