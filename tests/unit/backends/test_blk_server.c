/* SPDX-License-Identifier: MIT */
/*
 * test_blk_server.c - images of other formats, made by qemu-img and read by a qemu-nbd in its jail:
 * every operation and format, what is refused in which words, what an image's contents can name and
 * not reach, and a server that is killed under load. Needs root, as the processes themselves do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <log.h>

#include "blk_served_kit.h"
#include "confine.h"

static char base[96];

static int set_up(void **state)
{
	make_folder("blk-server");
	snprintf(base, sizeof(base), "%s/base", dir);
	server = (struct blk_server_want){ .image = file, .format = DISK_FORMAT_QCOW2,
					   .backing = "", .user = NOBODY };
	shell("qemu-img create -q -f qcow2 %s 1M", file);
	return 0;
}

static int tear_down(void **state)
{
	close_disk();
	shell("rm -r %s", dir);
	return 0;
}

/* What qemu-img finds in the image. */
static uint8_t byte_in(const char *format, uint64_t block)
{
	char raw[128];
	uint8_t byte;
	int fd;

	snprintf(raw, sizeof(raw), "%s/raw", dir);
	shell("qemu-img convert -f %s -O raw %s %s", format, file, raw);
	fd = open(raw, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(block * BLOCK)), 1);
	close(fd);
	return byte;
}

/* --- operations ----------------------------------------------------------------------------- */

static void test_each_format_is_read_and_written(void **state)
{
	for (int f = DISK_FORMAT_QCOW2; disk_format_words[f]; f++) {
		const char *driver = disk_format_driver((enum disk_format)f);

		/* A VHD's size is one of cylinders. */
		shell("rm %s; qemu-img create -q -f %s %s%s 16M", file, driver,
		      f == DISK_FORMAT_VHD ? "-o force_size=on " : "", file);
		server.format = (enum disk_format)f;
		open_disk(false);
		assert_int_equal(image.sectors, (16 << 20) / BLK_SECTOR);
		fill(7, 0x42);
		assert_int_equal(first_byte(7), 0x42);
		assert_int_equal(one(BLK_IO_SYNC, NULL, 0), 0);
		close_disk();
		assert_int_equal(byte_in(driver, 7), 0x42);
	}
}

static void test_what_is_discarded_is_given_back(void **state)
{
	struct stat before, after;

	open_disk(false);
	assert_true(image.can_discard);
	assert_true(image.needs_flush);
	for (unsigned int i = 0; i < BLOCKS; i++)
		fill(i, 1);
	one(BLK_IO_SYNC, NULL, 0);
	assert_int_equal(stat(file, &before), 0);
	for (unsigned int i = 0; i < BLOCKS; i += 16) {
		const struct blk_io_op op = { BLK_IO_PUNCH, 0, NULL, 16 * BLOCK,
					      (uint64_t)i * BLOCK };
		int32_t res[BLK_IO_DEPTH];

		blk_io_add(io, &op);
		blk_io_start(io);
		collect(1, res);
		assert_int_equal(res[0], 0);
	}
	one(BLK_IO_SYNC, NULL, 0);
	close_disk();
	assert_int_equal(stat(file, &after), 0);
	assert_true(after.st_blocks < before.st_blocks - 1024);
}

static void test_each_cache_mode_is_a_servers(void **state)
{
	for (int c = DISK_CACHE_DEFAULT; disk_cache_words[c]; c++) {
		server.cache = (enum disk_cache)c;
		if (try_disk()) /* tmpfs before Linux 6.6 */
			assert_non_null(strstr(why, "O_DIRECT"));
		else
			fill(1, (uint8_t)c);
		close_disk();
	}
}

static void test_one_that_is_only_read_has_many_readers(void **state)
{
	struct blk_nbd_want w;
	struct blk_image other;
	struct blk_io *io2;

	server.readonly = true;
	chmod(file, 0400);
	open_disk(false);
	w = want();
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), 0);
	blk_io_close(io2);
	blk_image_close(&other);
	assert_int_equal(first_byte(3), 0);
}

/* --- who else has it ------------------------------------------------------------------------ */

static void test_two_do_not_write_one_image(void **state)
{
	int fd = open(file, O_RDONLY);

	open_disk(false);
	/* As a disk of raw bytes asks. */
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1);
	close_disk();
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	refused(-EAGAIN, "already in use by another domain");
	close(fd);
	open_disk(false);
}

/* Its process may be killed: the lock is the server's as long as that writes. */
static void test_the_lock_lasts_as_long_as_the_server(void **state)
{
	int fd = open(file, O_RDONLY);

	open_disk(false);
	blk_image_close(&image);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), -1);
	close_disk();
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	close(fd);
}

/* The first line that @command says. */
static void line_of(const char *command, char *line, int len)
{
	FILE *f = popen(command, "r");

	assert_non_null(f);
	assert_non_null(fgets(line, len, f));
	assert_int_equal(pclose(f), 0);
	line[strcspn(line, "\n")] = '\0';
}

/* What is mounted is a file system's, and another node of a device has a lock of its own. */
static void test_a_device_in_use_is_refused(void **state)
{
	char command[192], device[64];
	int fd, kept;

	/* Unlike a file, it does not grow. */
	shell("truncate -s 4M %s", file);
	snprintf(command, sizeof(command), "/sbin/losetup -f --show %s", file);
	line_of(command, device, sizeof(device));
	kept = open(device, O_RDONLY);
	shell("/sbin/losetup -d %s", device); /* when nobody has it */
	server.image = device;
	fd = open(device, O_RDONLY | O_EXCL);
	refused(-EAGAIN, "is in use: unmount it in dom0 first");
	close(fd);
	open_disk(false);
	fill(3, 0x33);
	assert_int_equal(first_byte(3), 0x33);
	/* The server has it, too. */
	blk_image_close(&image);
	assert_int_equal(open(device, O_RDONLY | O_EXCL), -1);
	assert_int_equal(errno, EBUSY);
	close_disk();
	close(kept);
}

/* --- what an image's contents can name ------------------------------------------------------ */

static void make_overlay(const char *options)
{
	shell("truncate -s 1M %s && printf A | dd of=%s conv=notrunc status=none", base, base);
	shell("rm %s; qemu-img create -q -f qcow2 %s %s", file, options, file);
}

static void test_a_backing_file_that_is_not_allowed_is_refused(void **state)
{
	char options[256];

	snprintf(options, sizeof(options), "-b %s -F raw", base);
	make_overlay(options);
	refused(-EHOSTUNREACH, "backing=");
	assert_non_null(strstr(why, base));
}

static void test_one_that_is_allowed_is_read_and_not_written(void **state)
{
	char options[256];
	int fd;

	snprintf(options, sizeof(options), "-b base -F raw"); /* beside the image */
	make_overlay(options);
	server.backing = base;
	open_disk(false);
	assert_int_equal(first_byte(0), 'A');
	fill(0, 'B');
	/* Another domain that wrote to it would change this one's disk. */
	fd = open(base, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	close_disk();
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	shell("printf A | cmp -n 1 - %s", base);
	open_disk(false);
	assert_int_equal(first_byte(0), 'B');
}

static void test_a_chain_needs_each_of_its_files(void **state)
{
	char options[256], chain[256];

	snprintf(options, sizeof(options), "-b %s -F raw", base);
	make_overlay(options);
	shell("mv %s %s/middle && qemu-img create -q -f qcow2 -b %s/middle -F qcow2 %s", file, dir,
	      dir, file);
	snprintf(chain, sizeof(chain), "%s/middle", dir);
	server.backing = chain;
	refused(-EHOSTUNREACH, "base");
	snprintf(chain, sizeof(chain), "%s/middle,%s", dir, base);
	open_disk(false);
	assert_int_equal(first_byte(0), 'A');
}

/*
 * The contents of a disk of raw bytes are its guest's: these say that it is an image of dom0's
 * files.
 */
static void test_a_header_reaches_nothing_of_the_hosts(void **state)
{
	static const char *const made[] = {
		"-u -b /etc/passwd -F raw", "-u -b /proc/1/environ -F raw",
		"-u -b nbd://127.0.0.1:10809 -F raw", "-u -b /dev/mem -F raw",
		"-u -b /usr/share/common-licenses/GPL-3 -F raw", "-u -b fat:/usr/local -F raw",
		"-u -b 'json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":"
		"\"/etc/shadow\"}}' -F raw",
	};

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		shell("rm -f %s; qemu-img create -q -f qcow2 %s %s 1M", file, made[i], file);
		refused(-EHOSTUNREACH, "backing file");
	}
	shell("echo secret >%s/other; rm %s; qemu-img create -q -f qcow2 -o data_file=%s/data,"
	      "data_file_raw=on %s 1M", dir, file, dir, file);
	refused(-EHOSTUNREACH, "data");
	/* An image whose first extent is another file. */
	shell("rm %s; qemu-img create -q -f vmdk -o subformat=monolithicFlat %s.vmdk 1M && "
	      "mv %s.vmdk %s", file, file, file, file);
	server.format = DISK_FORMAT_VMDK;
	refused(-EHOSTUNREACH, "image-flat.vmdk");
}

/* It ends on the screen of who starts the guest, and in the log. */
static void test_a_name_in_a_header_is_said_as_text(void **state)
{
	shell("rm %s; qemu-img create -q -f qcow2 -u -b \"$(printf '/no\\033]0;x\\007\\177where')\" "
	      "-F raw %s 1M", file, file);
	refused(-EHOSTUNREACH, "/no?]0;x??where");
	assert_null(strpbrk(why, "\033\007\177"));
}

static void test_what_cannot_be_opened_is_said_in_one_line(void **state)
{
	char many[1024];

	shell("truncate -s 1M %s", file);
	shell("dd if=/dev/zero of=%s bs=4k count=1 conv=notrunc status=none", file);
	refused(-EHOSTUNREACH, "not in qcow2 format");
	server.backing = "base";
	refused(-EINVAL, "no absolute path");
	shell("truncate -s 1M %s", base);
	snprintf(many, sizeof(many), "%s,%s,%s,%s,%s,%s,%s,%s,%s", base, base, base, base, base,
		 base, base, base, base);
	server.backing = many;
	refused(-EINVAL, "backing= has more than 8 files");
	server.backing = "/nowhere";
	refused(-EINVAL, "/nowhere: No such file");
	server.backing = "";
	server.user = "nobody-of-that-name";
	refused(-EHOSTUNREACH, "cannot confine it: its user");
	server.user = NOBODY;
	shell("rm %s; mkfifo %s", file, file);
	refused(-EINVAL, "neither a file nor a block device");
}

/* In a child, as if the package were not there. */
static void refused_without_package(void)
{
	const struct blk_nbd_want w = want();

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("x", "/usr/bin", "tmpfs", 0, NULL))
		_exit(1);
	if (!blk_nbd_open(&image, &io, &w, why, sizeof(why)))
		_exit(2);
	_exit(strstr(why, "apt-get install qemu-utils") ? 0 : 3);
}

static void test_a_package_that_is_missing_is_named(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		refused_without_package();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* --- a server that dies --------------------------------------------------------------------- */

static void test_nothing_told_is_lost_when_it_is_killed(void **state)
{
	static uint8_t buf[BLK_IO_DEPTH][BLOCK], told[BLOCKS];
	uint32_t block[BLK_IO_DEPTH];

	open_disk(false);
	for (volatile unsigned int round = 1; round <= 5; round++) {
		volatile unsigned int ended = 0;

		if (setjmp(lost_to) == 0) {
			for (uint32_t t = 0;; t = (t + 1) % BLK_IO_DEPTH) {
				int32_t res[BLK_IO_DEPTH];

				block[t] = ended * 7 % BLOCKS;
				memset(buf[t], (int)(round * 40 + ended % 40), BLOCK);
				add(BLK_IO_WRITE, t, buf[t], block[t]);
				blk_io_start(io);
				if (ended == round * 50)
					kill(server_pid(), SIGKILL);
				collect(1, res);
				assert_int_equal(res[t], BLOCK);
				told[block[t]] = buf[t][0];
				ended++;
			}
		}
		assert_true(ended >= round * 50);
		assert_int_not_equal(lost_why[0], '\0');
		close_disk();
		open_disk(true);
		for (uint32_t i = 0; i < BLOCKS; i++) {
			uint8_t is = first_byte(i);

			/* The one that was out may be there or not. */
			if (is != told[i] && i != ended * 7 % BLOCKS)
				fail_msg("block %u has %u, and %u was told", i, is, told[i]);
			told[i] = is;
		}
	}
	assert_int_equal(one(BLK_IO_SYNC, NULL, 0), 0);
	close_disk();
	shell("qemu-img check -q %s || [ $? = 3 ]", file); /* 3: clusters that nobody uses */
}

/* However its process ends: a server that serves nobody would keep the image. */
static void test_it_ends_with_the_disks_process(void **state)
{
	int fd = open(file, O_RDONLY), status, told[2];
	pid_t pid, its;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		open_disk(false);
		its = server_pid();
		kill(its, SIGSTOP); /* not of its own will */
		if (write(told[1], &its, sizeof(its)) != sizeof(its))
			_exit(1);
		pause();
	}
	close(told[1]);
	assert_int_equal(read(told[0], &its, sizeof(its)), sizeof(its));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* Waits until nobody has it. */
	assert_int_equal(flock(fd, LOCK_EX), 0);
	close(fd);
	close(told[0]);
}

/* --- its process's own rights --------------------------------------------------------------- */

static void serve_confined(void)
{
	static uint8_t buf[BLOCK];
	const struct blk_nbd_want w = want();

	if (blk_nbd_open(&image, &io, &w, why, sizeof(why)) || confine(NOBODY))
		_exit(2);
	if (one(BLK_IO_WRITE, buf, 1) != BLOCK || one(BLK_IO_SYNC, NULL, 0))
		_exit(3);
	blk_io_close(io); /* waits for its end, without a right to do so by waitpid() */
	_exit(0);
}

static void test_a_confined_process_is_served_to_the_end(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		serve_confined();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_the_server_has_one_right_and_no_other_files(void **state)
{
	char path[64], line[256];
	bool caps = false, uid = false;
	struct stat st;
	FILE *f;

	open_disk(false);
	snprintf(path, sizeof(path), "/proc/%d/status", server_pid());
	f = fopen(path, "r");
	while (fgets(line, sizeof(line), f)) {
		caps = caps || !strcmp(line, "CapBnd:\t0000000000000002\n");
		uid = uid || !strcmp(line, "Uid:\t65534\t65534\t65534\t65534\n");
		if (!strncmp(line, "NoNewPrivs:", 11))
			assert_string_equal(line + 12, "1\n");
		if (!strncmp(line, "Seccomp:", 8))
			assert_string_equal(line + 9, "2\n");
	}
	fclose(f);
	assert_true(caps && uid);
	snprintf(path, sizeof(path), "/proc/%d/root/etc", server_pid());
	assert_int_equal(stat(path, &st), -1);
	snprintf(path, sizeof(path), "/proc/%d/root/proc", server_pid());
	assert_int_equal(stat(path, &st), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_format_is_read_and_written),
		T(test_what_is_discarded_is_given_back),
		T(test_each_cache_mode_is_a_servers),
		T(test_one_that_is_only_read_has_many_readers),
		T(test_two_do_not_write_one_image),
		T(test_the_lock_lasts_as_long_as_the_server),
		T(test_a_device_in_use_is_refused),
		T(test_a_backing_file_that_is_not_allowed_is_refused),
		T(test_one_that_is_allowed_is_read_and_not_written),
		T(test_a_chain_needs_each_of_its_files),
		T(test_a_header_reaches_nothing_of_the_hosts),
		T(test_a_name_in_a_header_is_said_as_text),
		T(test_what_cannot_be_opened_is_said_in_one_line),
		T(test_a_package_that_is_missing_is_named),
		T(test_nothing_told_is_lost_when_it_is_killed),
		T(test_it_ends_with_the_disks_process),
		T(test_a_confined_process_is_served_to_the_end),
		T(test_the_server_has_one_right_and_no_other_files),
	};

	if (geteuid()) {
		print_message("needs root\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
