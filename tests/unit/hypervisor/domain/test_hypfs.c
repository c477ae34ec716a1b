/* SPDX-License-Identifier: MIT */
/* Claims about hypfs_op: what dom0 reads of the CPU's faults, by Xen's own form of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/hypfs.h>

#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/spec_ctrl.h"

#define ROOM 2048

static struct {
	struct xen_hypfs_direntry e;
	char bytes[ROOM];
} *out;

static int setup(void **state)
{
	world_reset();
	world_domain(1, 1);
	out = guest_alloc(sizeof(*out));
	memset(out, 0xaa, sizeof(*out));
	for (unsigned int i = 0; i < ISSUE_NR; i++) {
		spec_plan.issue[i].state = SPEC_NOT_AFFECTED;
		spec_plan.issue[i].what = "not affected";
	}
	spec_plan.issue[ISSUE_MELTDOWN].state = SPEC_MITIGATED;
	spec_plan.issue[ISSUE_MELTDOWN].what = "guests run on tables of their own";
	spec_plan.issue[ISSUE_TSA].state = SPEC_OPEN;
	spec_plan.issue[ISSUE_TSA].what = "turned off";
	return 0;
}

static int teardown(void **state)
{
	return world_end();
}

static long hypfs(u32 op, u64 path, u64 len, u64 to, u64 room)
{
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_hypfs_op, .rdi = op, .rsi = path,
				      .rdx = len, .r10 = to, .r8 = room, .rip = 0x1002 };

	hypercall_entry(&regs);
	return (long)regs.rax;
}

static long read_path(const char *path, u64 room)
{
	char *copy = guest_alloc(XEN_HYPFS_MAX_PATHLEN + 1);
	size_t len = strlen(path) + 1;

	memcpy(copy, path, len);
	return hypfs(XEN_HYPFS_OP_read, GUEST(copy), len, GUEST(out), room);
}

static void test_each_fault_is_a_text(void **state)
{
	assert_int_equal(hypfs(XEN_HYPFS_OP_get_version, 0, 0, 0, 0), XEN_HYPFS_VERSION);
	assert_int_equal(read_path("/vulnerabilities/meltdown", sizeof(*out)), 0);
	assert_int_equal(out->e.type, XEN_HYPFS_TYPE_STRING);
	assert_int_equal(out->e.encoding | out->e.pad | out->e.max_write_len, 0);
	assert_string_equal(out->bytes, "Meltdown (CVE-2017-5754): mitigated: guests run on tables of their own");
	assert_int_equal(out->e.content_len, strlen(out->bytes) + 1);
	assert_int_equal(read_path("/vulnerabilities/tsa", sizeof(*out)), 0);
	assert_string_equal(out->bytes, "TSA (CVE-2024-36350, 36357): open: turned off");
	assert_int_equal(read_path("/vulnerabilities/mds", sizeof(*out)), 0);
	assert_string_equal(out->bytes, "MDS (CVE-2018-12130): not affected");
}

/* As libxenhypfs walks it. */
static void test_directories_list_what_can_be_read(void **state)
{
	static char names[ISSUE_NR + 1][32];
	struct xen_hypfs_dirlistentry *d = (void *)out->bytes;
	unsigned int nr = 0;

	assert_int_equal(read_path("/", sizeof(*out)), 0);
	assert_int_equal(out->e.type, XEN_HYPFS_TYPE_DIR);
	assert_string_equal(d->name, "vulnerabilities");
	assert_int_equal(d->e.type, XEN_HYPFS_TYPE_DIR);
	assert_int_equal(d->off_next, 0);
	nr = d->e.content_len;
	assert_int_equal(read_path("/vulnerabilities", sizeof(*out)), 0);
	assert_int_equal(out->e.content_len, nr);
	for (nr = 0;; d = (void *)((u8 *)d + d->off_next)) {
		assert_true(nr < ISSUE_NR);
		assert_int_equal(d->e.type, XEN_HYPFS_TYPE_STRING);
		strlcpy(names[nr], d->name, sizeof(names[0]));
		nr++;
		if (!d->off_next)
			break;
	}
	assert_int_equal(nr, ISSUE_NR);
	for (unsigned int i = 0; i < nr; i++) {
		char path[700];

		snprintf(path, sizeof(path), "/vulnerabilities/%s", names[i]);
		assert_int_equal(read_path(path, sizeof(*out)), 0);
	}
}

static void test_a_small_buffer_learns_the_length(void **state)
{
	assert_int_equal(read_path("/vulnerabilities/mds", sizeof(out->e) - 1), -EINVAL);
	assert_int_equal((u8)out->bytes[0], 0xaa);
	assert_int_equal(read_path("/vulnerabilities/mds", sizeof(out->e)), -ENOBUFS);
	assert_int_equal(out->e.content_len, strlen("MDS (CVE-2018-12130): not affected") + 1);
	assert_int_equal(read_path("/vulnerabilities/mds", sizeof(out->e) + out->e.content_len - 1), -ENOBUFS);
	assert_int_equal((u8)out->bytes[0], 0xaa);
	assert_int_equal(read_path("/vulnerabilities/mds", sizeof(out->e) + out->e.content_len), 0);
	assert_int_equal((u8)out->bytes[out->e.content_len], 0xaa);
}

static void test_bad_paths_are_refused(void **state)
{
	static const char *const none[] = { "/vulnerabilities/", "/vulnerabilities/none", "/vulnerabilitiesx",
					    "/params", "/vulnerabilities/mds/x", "/vulnerabilities/mdsx" };
	char *path = guest_alloc(16);

	assert_int_equal(read_path(none[0], sizeof(*out)), 0); /* the directory */
	for (size_t i = 1; i < ARRAY_SIZE(none); i++)
		assert_int_equal(read_path(none[i], sizeof(*out)), -ENOENT);
	assert_int_equal(read_path("", sizeof(*out)), -EINVAL);
	assert_int_equal(read_path("vulnerabilities", sizeof(*out)), -EINVAL);
	memcpy(path, "/\0/x", 4);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 4, GUEST(out), ROOM), -EINVAL);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 1, GUEST(out), ROOM), -EINVAL);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 0, GUEST(out), ROOM), -EINVAL);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 1025, GUEST(out), ROOM), -EINVAL);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 1024, GUEST(out), ROOM), -ENOENT);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, 16, 2, GUEST(out), ROOM), -EFAULT);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 2, 16, ROOM), -EFAULT);
}

static void test_it_is_for_dom0_to_read_only(void **state)
{
	char *path = guest_alloc(2);

	memcpy(path, "/", 2);
	assert_int_equal(hypfs(XEN_HYPFS_OP_write_contents, GUEST(path), 2, GUEST(out), 1), -EACCES);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(hypfs(XEN_HYPFS_OP_get_version, i == 0, i == 1, i == 2, i == 3), -EINVAL);
	assert_int_equal(hypfs(XEN_HYPFS_OP_get_version, 0, 0, 0, 0), 1);
	assert_int_equal(hypfs(3, GUEST(path), 2, GUEST(out), ROOM), -EOPNOTSUPP);
	world_run(world_domain(2, 1)->vcpu[0]);
	assert_int_equal(hypfs(XEN_HYPFS_OP_read, GUEST(path), 2, GUEST(out), ROOM), -EPERM);
	world_run(dom0->vcpu[0]);
}

#define CLAIM(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_each_fault_is_a_text),
		CLAIM(test_directories_list_what_can_be_read),
		CLAIM(test_a_small_buffer_learns_the_length),
		CLAIM(test_bad_paths_are_refused),
		CLAIM(test_it_is_for_dom0_to_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
