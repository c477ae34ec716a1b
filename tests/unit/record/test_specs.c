/* SPDX-License-Identifier: MIT */
/*
 * test_specs.c - claims about the spellings of disks, network cards and screens.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "disk_spec.h"
#include "screen_spec.h"
#include "vif_spec.h"

static char why[SPEC_ERROR_LEN];

struct disk_case {
	const char *text;
	enum vdev_backend backend;
	const char *path, *vdev, *mode;
};

static void check_disks(const struct disk_case *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct disk_spec disk;

		why[0] = '\0';
		if (disk_spec_parse(cases[i].text, NULL, &disk, why))
			fail_msg("%s: %s", cases[i].text, why);
		assert_int_equal(disk.backend, cases[i].backend);
		assert_string_equal(disk.path, cases[i].path);
		assert_string_equal(disk.vdev, cases[i].vdev);
		assert_string_equal(disk_mode_name(&disk), cases[i].mode);
	}
}

static void test_xms_spelling_of_disks_is_understood(void **state)
{
	static const struct disk_case cases[] = {
		{ "file:/x/y.img,xvda,w", VDEV_FILE, "/x/y.img", "xvda", "w" },
		{ "file:/x,xvda1,r", VDEV_FILE, "/x", "xvda1", "r" },
		{ "phy:/dev/vg/lv,xvdb,w!", VDEV_PHY, "/dev/vg/lv", "xvdb", "w!" },
		{ "phy:vg/lv,sda1,w", VDEV_PHY, "/dev/vg/lv", "sda1", "w" },
		{ "tap:aio:/x,hda,w", VDEV_FILE, "/x", "hda", "w" },
		{ "tap2:aio:/x,/dev/xvda,w", VDEV_FILE, "/x", "xvda", "w" },
		{ " file:/x , xvda , w ", VDEV_FILE, "/x", "xvda", "w" },
		{ "/plain,xvda,rw", VDEV_UNKNOWN, "/plain", "xvda", "w" },
		{ "file:/x,xvda:disk,w", VDEV_FILE, "/x", "xvda", "w" },
	};

	(void)state;
	check_disks(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_xls_spelling_of_disks_is_understood(void **state)
{
	static const struct disk_case cases[] = {
		{ "/x,raw,xvda,rw", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "/x,,xvda,r", VDEV_UNKNOWN, "/x", "xvda", "r" },
		{ "/x,raw,xvda", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "format=raw, vdev=xvda, access=rw, target=/x", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "vdev=xvdb,access=ro,target=/a,b=c", VDEV_UNKNOWN, "/a,b=c", "xvdb", "r" },
		{ "raw:/x,vdev=xvda", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "vdev=d0p1,backendtype=phy,target=/dev/sdb", VDEV_PHY, "/dev/sdb", "d0p1", "w" },
		{ "backendtype=qdisk,discard,vdev=xvda,target=/x", VDEV_FILE, "/x", "xvda", "w" },
		{ "/with=equals,raw,xvda,w", VDEV_UNKNOWN, "/with=equals", "xvda", "w" },
	};

	(void)state;
	check_disks(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_cache_has_libvirts_words(void **state)
{
	char text[80];
	struct disk_spec disk;

	(void)state;
	for (int i = 0; disk_cache_words[i]; i++) {
		snprintf(text, sizeof(text), "/x,raw,xvda,rw,cache=%s", disk_cache_words[i]);
		assert_int_equal(disk_spec_parse(text, NULL, &disk, why), 0);
		assert_int_equal(disk.cache, i);
	}
	assert_int_equal(disk_spec_parse("vdev=xvda,cache=default,target=/x", NULL, &disk, why), 0);
	assert_int_equal(disk.cache, DISK_CACHE_DEFAULT);
	assert_int_equal(disk_spec_parse("/x,raw,xvda,w,cache=fast", NULL, &disk, why), -EINVAL);
	assert_non_null(strstr(why, "cache 'fast' is not known: none, writeback"));
	assert_int_equal(disk_spec_parse("vdev=xvda,cache=none,target=nbd:h:10809", NULL, &disk, why),
			 -EINVAL);
	assert_non_null(strstr(why, "its server decides"));
}

static void test_a_format_is_said_in_each_way(void **state)
{
	static const struct {
		const char *text;
		enum disk_format format;
		enum vdev_backend backend;
	} cases[] = {
		{ "/x,qcow2,xvda,w", DISK_FORMAT_QCOW2, VDEV_UNKNOWN },
		{ "format=vhd, vdev=xvda, access=rw, target=/x", DISK_FORMAT_VHD, VDEV_UNKNOWN },
		{ "qcow:/x,xvda,w", DISK_FORMAT_QCOW, VDEV_UNKNOWN },
		{ "tap:qcow2:/x,xvda,w", DISK_FORMAT_QCOW2, VDEV_FILE },
		{ "tap2:vhd:/x,xvda,w", DISK_FORMAT_VHD, VDEV_FILE },
		{ "tap:vdi:/x,vdi,xvda,w", DISK_FORMAT_VDI, VDEV_FILE },
		{ "tap2:raw:/x,xvda,w", DISK_FORMAT_RAW, VDEV_FILE },
		{ "vmdk:/x,xvda,w", DISK_FORMAT_VMDK, VDEV_UNKNOWN },
		{ "/x,vhdx,xvda,w", DISK_FORMAT_VHDX, VDEV_UNKNOWN },
		{ "/x,qed,xvda,w", DISK_FORMAT_QED, VDEV_UNKNOWN },
		{ "file:/x,xvda,w", DISK_FORMAT_RAW, VDEV_FILE },
	};
	struct disk_spec disk;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (disk_spec_parse(cases[i].text, NULL, &disk, why))
			fail_msg("%s: %s", cases[i].text, why);
		assert_int_equal(disk.format, cases[i].format);
		assert_int_equal(disk.backend, cases[i].backend);
		assert_string_equal(disk.path, "/x");
	}
}

static void test_what_an_image_stands_on_is_named_once_for_each(void **state)
{
	struct disk_spec disk;

	(void)state;
	assert_int_equal(disk_spec_parse("/x,qcow2,xvda,w,backing=/a,backing=b", "/srv", &disk, why), 0);
	assert_string_equal(disk.backing, "/a,/srv/b");
}

static void disk_refused(const char *text, int code, const char *message)
{
	struct disk_spec disk;

	assert_int_equal(disk_spec_parse(text, NULL, &disk, why), code);
	if (!strstr(why, message))
		fail_msg("for %s: '%s' does not say '%s'", text, why, message);
}

static void test_what_old_files_say_of_disks_is_understood(void **state)
{
	static const struct disk_case cases[] = {
		{ "file:/srv/x.img,ioemu:hda,w", VDEV_FILE, "/srv/x.img", "hda", "w" },
		{ "file:/srv/x.img,hdc:cdrom,w", VDEV_FILE, "/srv/x.img", "hdc", "r" },
		{ "/x,raw,xvdc,rw,cdrom", VDEV_UNKNOWN, "/x", "xvdc", "r" },
		{ "vdev=xvdc,devtype=cdrom,target=/x", VDEV_UNKNOWN, "/x", "xvdc", "r" },
		{ "phy:/dev/vg/x,51712,r", VDEV_PHY, "/dev/vg/x", "51712", "r" },
		{ "phy:/dev/vg/x,0xca01,w", VDEV_PHY, "/dev/vg/x", "0xca01", "w" },
		{ "phy:/dev/vg/x,xvda,", VDEV_PHY, "/dev/vg/x", "xvda", "w" },
		{ "phy:/dev/vg/x,xvda", VDEV_PHY, "/dev/vg/x", "xvda", "w" },
		{ "phy:/dev/vg/x,xvda,w,", VDEV_PHY, "/dev/vg/x", "xvda", "w" },
		{ "phy:/dev/vg/x,xvda,w,0", VDEV_PHY, "/dev/vg/x", "xvda", "w" },
		{ "/x,,xvda", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "/x,,xvda,", VDEV_UNKNOWN, "/x", "xvda", "w" },
		{ "tap2:tapdisk:aio:/x,xvda,w", VDEV_FILE, "/x", "xvda", "w" },
		{ "/x,raw,xvda,rw,trusted=0", VDEV_UNKNOWN, "/x", "xvda", "w" },
	};
	struct disk_spec disk;

	(void)state;
	check_disks(cases, sizeof(cases) / sizeof(cases[0]));
	assert_int_equal(disk_spec_parse("file:images/x,xvda,w", "/srv", &disk, why), 0);
	assert_string_equal(disk.path, "/srv/images/x");
	assert_int_equal(disk_spec_parse("phy:vg/x,xvda,w", "/srv", &disk, why), 0);
	assert_string_equal(disk.path, "/dev/vg/x");
	assert_int_equal(disk_spec_parse("file:/x,hdc:cdrom,r", NULL, &disk, why), 0);
	assert_non_null(strstr(why, "a CD-ROM is a read-only disk"));
	assert_int_equal(disk_spec_parse(",hdc:cdrom,r", NULL, &disk, why), DISK_SPEC_NOTHING);
	assert_non_null(strstr(why, "an empty drive has no effect"));
}

static void test_disks_on_other_machines_are_understood(void **state)
{
	static const struct disk_case cases[] = {
		/* The line of the first Xen's manual. */
		{ "nbd:10.0.0.7 20001,hda1,w", VDEV_NBD, "nbd://10.0.0.7:20001", "hda1", "w" },
		{ "nbd:nas:10809,xvda,r", VDEV_NBD, "nbd://nas", "xvda", "r" },
		{ "nbd:nas:010:web,xvda,w!", VDEV_NBD, "nbd://nas:10/web", "xvda", "w!" },
		{ "nbd:nas:10:exportname=web/a:b,xvda,w", VDEV_NBD, "nbd://nas:10/web/a:b", "xvda",
		  "w" },
		{ "nbd:[fe80::1%eth0]:10:a b,xvda,w", VDEV_NBD, "nbd://[fe80::1%eth0]:10/a%20b",
		  "xvda", "w" },
		{ "nbd://nas,xvda,w", VDEV_NBD, "nbd://nas", "xvda", "w" },
		{ "nbd://nas/,raw,xvda,rw", VDEV_NBD, "nbd://nas", "xvda", "w" },
		{ "nbd://[::1]:5/a%2Cb%2fc,xvda,w", VDEV_NBD, "nbd://[::1]:5/a%2Cb/c", "xvda", "w" },
		{ "vdev=xvda,backendtype=qdisk,target=nbd://nas:1/x,y", VDEV_NBD,
		  "nbd://nas:1/x%2Cy", "xvda", "w" },
		{ "nbd://nas/x,vdev=xvdb,backendtype=phy,access=ro", VDEV_NBD, "nbd://nas/x", "xvdb",
		  "r" },
		{ "nbd+unix:///?socket=/run/s,xvda,w", VDEV_NBD, "nbd+unix:///?socket=/run/s",
		  "xvda", "w" },
		{ "nbd+unix:///e%3f?socket=/run/a%20b,,xvda", VDEV_NBD,
		  "nbd+unix:///e%3F?socket=/run/a%20b", "xvda", "w" },
		{ "nbd:unix:/run/s,xvda,w", VDEV_NBD, "nbd+unix:///?socket=/run/s", "xvda", "w" },
		{ "nbd:unix:/run/s:exportname=e,xvda,w", VDEV_NBD, "nbd+unix:///e?socket=/run/s",
		  "xvda", "w" },
		{ "iscsi://nas:3260/iqn.2026-01.org.example:a/1,xvda,w", VDEV_ISCSI,
		  "iscsi://nas/iqn.2026-01.org.example:a/1", "xvda", "w" },
		{ "iscsi://[fe80::1]:10/iqn.a/007,raw,xvda,r", VDEV_ISCSI,
		  "iscsi://[fe80::1]:10/iqn.a/7", "xvda", "r" },
		{ "drbd:mail,xvda,w", VDEV_SCRIPT, "script:block-drbd:mail", "xvda", "w" },
		{ "script=block-drbd,vdev=xvda,access=r,target=mail", VDEV_SCRIPT, "script:block-drbd:mail",
		  "xvda", "r" },
		{ "mail,raw,xvda,rw,script=block-drbd", VDEV_SCRIPT, "script:block-drbd:mail", "xvda", "w" },
		{ "vdev=xvda, script = block-iscsi, target=iqn=a,portal=10.0.0.1", VDEV_SCRIPT,
		  "script:block-iscsi:iqn=a,portal=10.0.0.1", "xvda", "w" },
		{ "script=/opt/make,cache=none,backendtype=phy,vdev=xvda,target=dummy:/x", VDEV_SCRIPT,
		  "script:/opt/make:dummy:/x", "xvda", "w" },
		{ "script:block-drbd:mail,xvda,w!", VDEV_SCRIPT, "script:block-drbd:mail", "xvda", "w!" },
		{ "vdev=xvdb,backendtype=phy,target=iscsi://10.0.0.7/eui.02/0", VDEV_ISCSI,
		  "iscsi://10.0.0.7/eui.02/0", "xvdb", "w" },
	};
	struct disk_spec disk;
	char text[DISK_PATH_MAX + 64];

	(void)state;
	check_disks(cases, sizeof(cases) / sizeof(cases[0]));
	/* What is written is read as the same, where a comma is none of the name's. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "vdev=xvda,target=%s", cases[i].path);
		assert_int_equal(disk_spec_parse(text, NULL, &disk, why), 0);
		assert_string_equal(disk.path, cases[i].path);
	}
}

static void test_a_wrong_disk_is_told_which_part_is_wrong(void **state)
{
	(void)state;
	disk_refused("", -EINVAL, "the path of the image is missing");
	disk_refused("file:,xvda,w", -EINVAL, "the path of the image is missing");
	disk_refused("file:x.img,xvda,w", -EINVAL, "'x.img' must be an absolute path");
	disk_refused("file:/x,xvda,x", -EINVAL, "'x' is not an access mode");
	disk_refused("file:/x,zzz,w", -EINVAL, "'zzz' is not a disk name");
	disk_refused("file:/x", -EINVAL, "guest's name for the disk is missing");
	disk_refused("/x,qcow3,xvda,w", -ENOTSUP, "format 'qcow3' is not known: raw, qcow2,");
	disk_refused("qcow2:/x,raw,xvda,w", -EINVAL, "it cannot be qcow2 and raw");
	disk_refused("tap:qcow3:/x,xvda,w", -ENOTSUP, "no backend for 'tap:'");
	disk_refused("tap:qcow2:/x,xvda,w!", -EINVAL, "w! is for raw images");
	disk_refused("/x,qcow2,xvda,w,backing=b", -EINVAL, "'b' must be an absolute path");
	disk_refused("/x,raw,xvda,w,backing=/b", -EINVAL, "backing= is for images of a format");
	disk_refused("vdev=xvda,format=vhd,target=nbd://h/x", -EINVAL, "another machine's disk is raw");
	disk_refused("rbd:host,xvda,w", -ENOTSUP, "no backend for 'rbd:'");
	disk_refused("iscsi:host,xvda,w", -EINVAL, "write iscsi://HOST[:PORT]/TARGET/LUN");
	disk_refused("iscsi://host,xvda,w", -EINVAL, "its target is missing: write iscsi://");
	disk_refused("iscsi://host/iqn.a:b,xvda,w", -EINVAL, "its number is missing");
	disk_refused("iscsi://host//1,xvda,w", -EINVAL, "its target is to be a name");
	disk_refused("iscsi://host/iqn.a b/1,xvda,w", -EINVAL, "its target is to be a name");
	disk_refused("iscsi://host/iqn.a/x,xvda,w", -EINVAL, "its number (LUN) is to be");
	disk_refused("iscsi://host/iqn.a/16384,xvda,w", -EINVAL, "its number (LUN) is to be");
	disk_refused("iscsi://host/iqn.a/1/2,xvda,w", -EINVAL, "its number (LUN) is to be");
	disk_refused("iscsi://:1/iqn.a/1,xvda,w", -EINVAL, "its host is to be");
	disk_refused("iscsi://host:0/iqn.a/1,xvda,w", -EINVAL, "its port is to be");
	disk_refused("iscsi://me%secret@host/iqn.a/1,xvda,w", -EINVAL, "a user and a password");
	disk_refused("iscsi://host/iqn.a/1,qcow2,xvda,w", -EINVAL, "another machine's disk is raw");
	disk_refused("nbd:host,xvda,w", -EINVAL, "its port is missing: write nbd:HOST:PORT");
	disk_refused("nbd:,xvda,w", -EINVAL, "its host is to be");
	disk_refused("nbd:/a,xvda,w", -EINVAL, "its host is to be");
	disk_refused("nbd:[-x]:1,xvda,w", -EINVAL, "its host is to be");
	disk_refused("nbd:[a%b]:1,xvda,w", -EINVAL, "its host is to be");
	disk_refused("nbd:[::1,xvda,w", -EINVAL, "its host is to be");
	disk_refused("nbd:host 0,xvda,w", -EINVAL, "its port is to be");
	disk_refused("nbd:host:65536,xvda,w", -EINVAL, "its port is to be");
	disk_refused("nbd:host:1x,xvda,w", -EINVAL, "its port is to be");
	disk_refused("nbd://host:/x,xvda,w", -EINVAL, "its port is to be");
	disk_refused("nbd://host/%zz,xvda,w", -EINVAL, "its export is to be");
	disk_refused("nbd://host/x?tls=1,xvda,w", -EINVAL, "nbd+unix:///EXPORT?socket=PATH");
	disk_refused("nbd+unix:///x,xvda,w", -EINVAL, "nbd+unix:///EXPORT?socket=PATH");
	disk_refused("nbd+unix:///x?socket=s,xvda,w", -EINVAL, "its socket is to be");
	disk_refused("nbd:unix:s,xvda,w", -EINVAL, "its socket is to be");
	disk_refused("nbds://host/x,xvda,w", -EINVAL, "encrypted connections");
	disk_refused("nbd:host:1", -EINVAL, "write 'nbd://host:1,xvda,w'");
	disk_refused("/x,raw,xvda,w,more", -EINVAL, "one part too many");
	disk_refused("vdevs=xvda,target=/x", -EINVAL, "unknown key 'vdevs'; did you mean 'vdev'?");
	disk_refused("script=a b,vdev=xvda,target=iqn", -EINVAL, "the script must be a file name");
	disk_refused("script=../make,vdev=xvda,target=iqn", -EINVAL, "the script must be a file name");
	disk_refused("script=block-iscsi,vdev=xvda,target=", -EINVAL, "is missing");
	disk_refused("script=block-iscsi,vdev=xvda", -EINVAL, "the path of the image is missing");
	disk_refused("script:block-drbd,xvda,w", -EINVAL, "write script:SCRIPT:WHAT");
	disk_refused("drbd:,xvda,w", -EINVAL, "is missing");
	disk_refused("script=make,format=qcow2,vdev=xvda,target=x", -EINVAL, "what a script makes is raw");
	disk_refused("colour=red,target=/x", -EINVAL, "unknown key 'colour'");
	disk_refused("vdev=xvda,backend=drv,target=/x", -ENOTSUP, "served by Domain-0 only");
	disk_refused("vdev=xvda,devtype=floppy,target=/x", -ENOTSUP, "disks only");
	disk_refused("file:/x,xvda:tape,r", -ENOTSUP, "disks only");
	disk_refused("file:/x,ioemu:zzz,w", -EINVAL, "'zzz' is not a disk name");
}

static void test_paths_of_any_length_are_taken_or_refused_whole(void **state)
{
	char text[DISK_PATH_MAX + 64], path[DISK_PATH_MAX + 16];
	struct disk_spec disk;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[DISK_PATH_MAX] = '\0';
	snprintf(text, sizeof(text), "file:%s,xvda,w", path);
	assert_int_equal(disk_spec_parse(text, NULL, &disk, why), 0);
	assert_string_equal(disk.path, path);

	path[DISK_PATH_MAX] = 'x';
	path[DISK_PATH_MAX + 1] = '\0';
	snprintf(text, sizeof(text), "file:%s,xvda,w", path);
	disk_refused(text, -EINVAL, "longer than 1023");
	snprintf(text, sizeof(text), "phy:%s,xvda,w", path + 1);
	disk_refused(text, -EINVAL, "longer than 1023");
}

static void test_network_cards_are_understood(void **state)
{
	struct vif_spec vif;

	(void)state;
	assert_int_equal(
		vif_spec_parse("mac=00:16:3E:0a:0B:0c, bridge=xenbr0,script=vif-bridge,"
			       "ip=10.0.0.2 fe80::1/64,vifname=web0,type=vif,model=e1000,backend=0",
			       &vif, why),
		0);
	assert_string_equal(vif.mac, "00:16:3e:0a:0b:0c");
	assert_string_equal(vif.bridge, "xenbr0");
	assert_string_equal(vif.script, "vif-bridge");
	assert_string_equal(vif.ip, "10.0.0.2 fe80::1/64");
	assert_string_equal(vif.vifname, "web0");
	assert_string_equal(vif.gatewaydev, "");
	assert_int_equal(vif_spec_parse("script=vif-route,ip=10.0.0.2,gatewaydev=ens3", &vif, why), 0);
	assert_string_equal(vif.gatewaydev, "ens3");
	assert_int_equal(vif_spec_parse("netdev=eth1.7", &vif, why), 0);
	assert_string_equal(vif.gatewaydev, "eth1.7");
}

static void test_an_empty_card_has_every_default(void **state)
{
	struct vif_spec vif;

	(void)state;
	assert_int_equal(vif_spec_parse("", &vif, why), 0);
	assert_string_equal(vif.mac, "");
	assert_string_equal(vif.bridge, "");
	assert_int_equal(vif_spec_parse("rate=10Mb/s", &vif, why), 0);
	assert_string_equal(why, "");
	assert_string_equal(vif.rate, "10Mb/s");
	assert_int_equal(vif_spec_parse("rate=fast", &vif, why), -EINVAL);
	assert_non_null(strstr(why, "rate 'fast' is not a speed such as 10Mb/s"));
	assert_int_equal(vif_spec_parse(" , ", &vif, why), 0);
	assert_string_equal(why, "");
}

/* Keys of xl and xm that are nothing here: no reason to refuse the guest. */
static void test_what_has_no_effect_on_a_card_is_told(void **state)
{
	static const char *const words[] = { "mtu=9000", "devid=1", "trusted=0",
					     "accel=sfc_netfront", "policy=x",
					     "uuid=1b4e28ba-2fa1-4d2b-883f-0016d3cca427" };
	struct vif_spec vif;
	char text[96];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), "%s,bridge=br1", words[i]);
		assert_int_equal(vif_spec_parse(text, &vif, why), 0);
		assert_string_equal(vif.bridge, "br1");
		assert_non_null(strstr(why, "has no effect: "));
	}
}

static void vif_refused(const char *text, int code, const char *message)
{
	struct vif_spec vif;

	assert_int_equal(vif_spec_parse(text, &vif, why), code);
	if (!strstr(why, message))
		fail_msg("for %s: '%s' does not say '%s'", text, why, message);
}

static void test_a_wrong_card_is_told_which_part_is_wrong(void **state)
{
	(void)state;
	vif_refused("mac=00:16:3e:00:00", -EINVAL, "is not the address of one card");
	vif_refused("mac=01:16:3e:00:00:01", -EINVAL, "the first even");
	vif_refused("mac=00:00:00:00:00:00", -EINVAL, "is not the address");
	vif_refused("mac=00:16:3e:00:00:0g", -EINVAL, "is not the address");
	vif_refused("brige=xenbr0", -EINVAL, "unknown key 'brige'; did you mean 'bridge'?");
	vif_refused("colour=red", -EINVAL, "a vif has mac, bridge");
	vif_refused("xenbr0", -EINVAL, "'xenbr0' has no '='");
	vif_refused("bridge=", -EINVAL, "1 to 15 characters");
	vif_refused("bridge=a-name-that-is-too-long", -EINVAL, "1 to 15 characters");
	vif_refused("bridge=a b", -EINVAL, "letters, digits");
	vif_refused("gatewaydev=eth0;reboot", -EINVAL, "gatewaydev 'eth0;reboot'");
	vif_refused("script=vif-bridge; reboot", -EINVAL, "shell characters");
	vif_refused("ip=10.0.0.256", -EINVAL, "is not an IPv4 or IPv6 address");
	vif_refused("ip=10.0.0.1/999", -EINVAL, "is not an IPv4");
	vif_refused("type=ioemu", -ENOTSUP, "fully virtualised");
	vif_refused("backend=drv", -ENOTSUP, "Domain-0 only");
}

/* A record's, which xm export shall be able to write so that xm new reads the same. */
static void test_a_password_that_no_entry_can_say_is_refused(void **state)
{
	static const char *const wrong[] = { "a,b", ",", " ab", "ab ", "a\nb", "\t" };
	struct screen_spec s = { .vnc = true, .listen = SCREEN_ADDRESS };
	const char *key;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(s.password, wrong[i]);
		assert_int_equal(screen_spec_check(&s, &key, why), -EINVAL);
		assert_non_null(strstr(why, "vncpasswd"));
	}
	strcpy(s.password, "a b='\"\\");
	assert_int_equal(screen_spec_check(&s, &key, why), 0);
	assert_int_equal(screen_spec_parse("vncpasswd=a b='\"\\", &s, why), 0);
	assert_string_equal(s.password, "a b='\"\\");
}

static void test_vncunused_counts_wherever_it_stands(void **state)
{
	struct screen_spec s;

	assert_int_equal(screen_spec_parse("vncdisplay=5, vncunused=1", &s, why), 0);
	assert_string_equal(s.display, "");
	assert_int_equal(screen_spec_parse("vncunused=1, vncdisplay=5", &s, why), 0);
	assert_string_equal(s.display, "");
	assert_int_equal(screen_spec_parse("vncunused=1, vnclisten=127.0.0.1:5", &s, why), 0);
	assert_string_equal(s.display, "");
	assert_int_equal(screen_spec_parse("vncunused=0, vncdisplay=5", &s, why), 0);
	assert_string_equal(s.display, "5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xms_spelling_of_disks_is_understood),
		cmocka_unit_test(test_xls_spelling_of_disks_is_understood),
		cmocka_unit_test(test_cache_has_libvirts_words),
		cmocka_unit_test(test_a_format_is_said_in_each_way),
		cmocka_unit_test(test_what_an_image_stands_on_is_named_once_for_each),
		cmocka_unit_test(test_what_old_files_say_of_disks_is_understood),
		cmocka_unit_test(test_disks_on_other_machines_are_understood),
		cmocka_unit_test(test_a_wrong_disk_is_told_which_part_is_wrong),
		cmocka_unit_test(test_paths_of_any_length_are_taken_or_refused_whole),
		cmocka_unit_test(test_network_cards_are_understood),
		cmocka_unit_test(test_an_empty_card_has_every_default),
		cmocka_unit_test(test_what_has_no_effect_on_a_card_is_told),
		cmocka_unit_test(test_a_wrong_card_is_told_which_part_is_wrong),
		cmocka_unit_test(test_vncunused_counts_wherever_it_stands),
		cmocka_unit_test(test_a_password_that_no_entry_can_say_is_refused),
	};

	return cmocka_run_group_tests_name("record: disks and cards", tests, NULL, NULL);
}
