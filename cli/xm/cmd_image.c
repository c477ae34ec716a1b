/* SPDX-License-Identifier: MIT */
/*
 * cmd_image.c - xm image: a disk for a guest, made or taken as it is, and the record of a domain
 * that boots from it. The disk is guest-disk's work; this judges the line, and writes the record
 * when the disk is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "define.h"
#include "domains.h"
#include "guest_disk.h"
#include "load.h"
#include "record_store.h"

#define FOLDER "/var/lib/storevisor/images"
#define SIZE_MIN (INT64_C(16) << 20)
#define MAX_TIB 16
#define TEXT_LEN (DISK_PATH_MAX + 64)

static const struct cli_opt options[] = {
	{ 0, "debian", "SUITE", "a new Debian, such as bookworm, from its packages (mmdebstrap)" },
	{ 0, "from", "TARBALL", "a root file system in a tar archive, packed or not" },
	{ 0, "from-disk", "PATH", "an image or block device that boots already, as it is" },
	{ 0, "grow", "SIZE", "make the disk of a domain that is off longer" },
	{ 0, "size", "SIZE", "of the disk, such as 512M or 8G; 4G unless said" },
	{ 0, "file", "PATH", "the disk is this new file, not " FOLDER "/NAME.img" },
	{ 0, "volume", "VG/LV", "the disk is this volume of LVM, an empty one or a new one" },
	{ 0, "ssh-key", "FILE", "public keys that root may log in with" },
	{ 0, "password-stdin", NULL, "root's password is a line of standard input; else none will do" },
	{ 0, "hostname", "HOSTNAME", "how the guest calls itself; NAME unless said" },
	{ 0, "memory", "MIB", "of the domain; 512 unless said" },
	{ 0, "vcpus", "N", "CPUs of the domain; 1 unless said" },
	{ 0, "bridge", "BRIDGE", "where its card is; the host's usual one unless said" },
	{ 0, "mirror", "URL", "where --debian takes packages; Debian's own servers unless said" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 0 },
};

struct image {
	struct xm *xm;
	const struct cli_args *args;
	const char *name;
	bool quiet;
};

/* --- words ----------------------------------------------------------------------------------- */

/* Bytes of "512M", "8G", "1T"; -1 when it is none, or no disk has so many. */
static int64_t size_of(const char *text)
{
	static const char units[] = "MGT";
	char *end;
	long long n = strtoll(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	int shift = unit ? 20 + 10 * (int)(unit - units) : 0;

	if (end == text || !unit || end[1] || n <= 0 || n > (INT64_C(1) << 40) * MAX_TIB >> shift)
		return -1;
	return (int64_t)n << shift < SIZE_MIN ? -1 : (int64_t)n << shift;
}

static int bad_size(const struct cli_args *args, const char *option, const char *text)
{
	return cli_refuse(args, "--%s %.64s: a size such as 512M or 8G is wanted, 16M to %dT", option,
			  text, MAX_TIB);
}

/* Letters, digits and what of @more there is; not beginning with a sign. */
static bool is_word(const char *text, size_t len, const char *more)
{
	static const char usual[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (len == 0 || len > 64 || !strchr(usual, text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr(usual, text[i]) && !strchr(more, text[i]))
			return false;
	return true;
}

static bool is_volume(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash && is_word(text, (size_t)(slash - text), "_+.-") &&
	       is_word(slash + 1, strlen(slash + 1), "_+.-");
}

/* A path that a line of a configuration file can have between quotes. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (strchr("'\",\\", *text) || (unsigned char)*text < ' ' || *text == 127)
			return false;
	return true;
}

static bool is_mirror(const char *text)
{
	static const char *const kinds[] = { "http://", "https://", "file:/", "copy:/" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			return !strpbrk(text, " \t\n");
	return false;
}

/*
 * Every option that was given and is not among @allowed, a list with blanks around each, is
 * refused.
 */
static int only(const struct cli_args *args, const char *with, const char *allowed)
{
	for (int i = 0; i < args->nr_seen; i++) {
		const char *name = args->seen[i].opt->name;
		char word[32];

		snprintf(word, sizeof(word), " %.28s ", name);
		if (!strstr(allowed, word))
			return cli_refuse(args, "--%s has no meaning with --%s", name, with);
	}
	return 0;
}

static int check_words(const struct cli_args *args)
{
	const char *debian = cli_str(args, "debian", NULL), *mirror = cli_str(args, "mirror", NULL);
	const char *size = cli_str(args, "size", NULL), *volume = cli_str(args, "volume", NULL);
	const char *hostname = cli_str(args, "hostname", NULL), *bridge = cli_str(args, "bridge", NULL);

	if (debian && !is_word(debian, strlen(debian), "-"))
		return cli_refuse(args, "--debian %.64s: the name of a Debian is wanted, such as bookworm",
				  debian);
	if (mirror && (!debian || !is_mirror(mirror)))
		return cli_refuse(args, "--mirror wants the http:, https:, file: or copy: URL of a "
					"Debian mirror, beside --debian");
	if (size && size_of(size) < 0)
		return bad_size(args, "size", size);
	if (volume && !is_volume(volume))
		return cli_refuse(args, "--volume %.64s: a volume group and a volume in it are wanted, "
					"such as vg0/web", volume);
	if (volume && cli_has(args, "file"))
		return cli_refuse(args, "--file and --volume: the disk is one of both");
	if (hostname && !is_word(hostname, strlen(hostname), ".-"))
		return cli_refuse(args, "--hostname %.64s: letters, digits, '-' and '.', up to 64, are "
					"wanted", hostname);
	if (bridge && !is_word(bridge, strlen(bridge), "_.-"))
		return cli_refuse(args, "--bridge %.64s: this is no bridge's name", bridge);
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

/* The absolute name of a file that can be read. False after saying why not. */
static bool find(struct xm *xm, const char *option, const char *path, char found[PATH_MAX])
{
	struct stat st;

	if (!realpath(path, found) || access(found, R_OK) < 0 || stat(found, &st) < 0)
		xm_fail(xm, "--%s: cannot read %s: %s", option, path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		xm_fail(xm, "--%s: %s is a folder", option, path);
	else
		return true;
	return false;
}

/* Whether the file begins as one of public keys does. False after saying why not. */
static bool is_key_file(struct xm *xm, const char *path)
{
	char text[4096];
	FILE *f = fopen(path, "re");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[len] = '\0';
	if (f)
		fclose(f);
	if (strstr(text, "PRIVATE KEY")) {
		xm_fail(xm, "--ssh-key: %s is a secret key: give the public one, %s.pub", path, path);
		return false;
	}
	if (!strstr(text, "ssh-") && !strstr(text, "ecdsa-")) {
		xm_fail(xm, "--ssh-key: %s has no public key of ssh", path);
		return false;
	}
	return true;
}

/* Images that are more than the bytes of a disk. */
static const char *other_format(const char *path)
{
	static const struct {
		const char *begins, *is;
	} formats[] = {
		{ "QFI\xfb", "qcow2" }, { "KDMV", "VMDK" }, { "vhdxfile", "VHDX" },
		{ "conectix", "VHD" },	{ "<<< ", "VDI" },
	};
	char text[8] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (n == sizeof(text) &&
		    memcmp(text, formats[i].begins, strlen(formats[i].begins)) == 0)
			return formats[i].is;
	return NULL;
}

/* --- the record ------------------------------------------------------------------------------ */

/*
 * The record that has @path as its disk, by the words that xm new would read. 0, or 1 after saying
 * why not.
 */
static int make_record(const struct image *im, const char *path, struct record *rec)
{
	const struct cli_args *args = im->args;
	char name[TEXT_LEN], memory[TEXT_LEN], vcpus[TEXT_LEN], disk[TEXT_LEN], vif[TEXT_LEN];
	char boot[] = "bootloader=pygrub", found[LOAD_PATH_MAX];
	char *words[] = { name, boot, memory, vcpus, disk, vif };
	const char *bridge = cli_str(args, "bridge", NULL);
	struct stat st;
	bool block = cli_has(args, "volume") || (stat(path, &st) == 0 && S_ISBLK(st.st_mode));

	if (!is_plain(path) || strlen(path) > DISK_PATH_MAX)
		return xm_fail(im->xm, "%s: a disk's path has no quotes, commas and backslashes, and up to "
				       "%d bytes", path, DISK_PATH_MAX);
	snprintf(name, sizeof(name), "name='%s'", im->name);
	snprintf(memory, sizeof(memory), "memory=%.32s", cli_str(args, "memory", "512"));
	snprintf(vcpus, sizeof(vcpus), "vcpus=%.32s", cli_str(args, "vcpus", "1"));
	snprintf(disk, sizeof(disk), "disk=['%s:%s,xvda,w']", block ? "phy" : "file", path);
	snprintf(vif, sizeof(vif), "vif=['%s%s']", bridge ? "bridge=" : "", bridge ? bridge : "");
	if (load_record(im->xm, NULL, words, sizeof(words) / sizeof(words[0]), true, rec, found))
		return 1;
	rec->persistent = true;
	return 0;
}

static int store(const struct image *im, struct record *rec)
{
	struct xm *xm = im->xm;
	int ret;

	if (load_check_files(xm, rec) && !im->quiet)
		xm_warn(xm, "%s is stored all the same; it cannot start before that is mended", im->name);
	load_host(xm, rec);
	ret = define_record(xm, rec, RECORD_DEFINE);
	if (!ret && !im->quiet)
		fprintf(xm->out, "Stored domain %s with disk %s; '%s start %s' starts it\n", im->name,
			rec->disk[0].path, xm->prog, im->name);
	return ret;
}

/* --- a disk that is there -------------------------------------------------------------------- */

static int take_disk(const struct image *im)
{
	const struct cli_args *args = im->args;
	char path[PATH_MAX];
	struct record rec;
	const char *format;
	int ret = only(args, "from-disk", " from-disk memory vcpus bridge quiet json ");

	if (ret)
		return ret;
	if (define_name_is_free(im->xm, im->name) ||
	    !find(im->xm, "from-disk", cli_str(args, "from-disk", ""), path))
		return 1;
	format = other_format(path);
	if (format)
		return xm_fail(im->xm, "%s is a %s: 'qemu-img convert -O raw' makes the bytes of a disk of it",
			       path, format);
	ret = make_record(im, path, &rec);
	return ret ? ret : store(im, &rec);
}

/* --- a new disk ------------------------------------------------------------------------------ */

#define PASSWORD_LEN 512

/* A line of standard input, with its end. */
static int read_password(struct xm *xm, char line[PASSWORD_LEN])
{
	size_t len;

	if (!fgets(line, PASSWORD_LEN - 1, xm->in))
		return xm_fail(xm, "--password-stdin: no password came");
	len = strcspn(line, "\n");
	if (len == 0 || len == PASSWORD_LEN - 2)
		return xm_fail(xm, "--password-stdin: a password has 1 to %d bytes", PASSWORD_LEN - 3);
	strcpy(line + len, "\n");
	return 0;
}

struct plan {
	char place[TEXT_LEN], bytes[64], source[PATH_MAX + 16], mirror[TEXT_LEN], hostname[96];
	char key[PATH_MAX + 16], password[PASSWORD_LEN];
	char path[PATH_MAX]; /* where the disk is going to be */
};

/* Where the disk goes: a new file or a volume. */
static int plan_place(const struct image *im, struct plan *p)
{
	const char *file = cli_str(im->args, "file", NULL), *volume = cli_str(im->args, "volume", NULL);
	const char *size = cli_str(im->args, "size", NULL);
	char *here = get_current_dir_name();

	if (volume)
		snprintf(p->path, sizeof(p->path), "/dev/%s", volume);
	else if (!file)
		snprintf(p->path, sizeof(p->path), FOLDER "/%s.img", im->name);
	else
		snprintf(p->path, sizeof(p->path), "%s%s%s", file[0] == '/' || !here ? "" : here,
			 file[0] == '/' ? "" : "/", file);
	free(here);
	snprintf(p->place, sizeof(p->place), "%s=%.*s", volume ? "volume" : "file", DISK_PATH_MAX,
		 volume ? volume : p->path);
	if (size)
		snprintf(p->bytes, sizeof(p->bytes), "bytes=%lld", (long long)size_of(size));
	else
		strcpy(p->bytes, "bytes=");
	if (volume)
		return define_disk_is_free(im->xm, p->path);
	if (access(p->path, F_OK) == 0)
		return xm_fail(im->xm, "%s is there already: --file names another place, --from-disk takes it "
				       "as it is", p->path);
	return 0;
}

static int plan_content(const struct image *im, struct plan *p)
{
	const struct cli_args *args = im->args;
	const char *debian = cli_str(args, "debian", NULL), *from = cli_str(args, "from", NULL);
	const char *key = cli_str(args, "ssh-key", NULL);
	char found[PATH_MAX];

	if (from && !find(im->xm, "from", from, found))
		return 1;
	if (from)
		snprintf(p->source, sizeof(p->source), "tarball=%s", found);
	else
		snprintf(p->source, sizeof(p->source), "debian=%s", debian);
	snprintf(p->mirror, sizeof(p->mirror), "mirror=%s", cli_str(args, "mirror", ""));
	snprintf(p->hostname, sizeof(p->hostname), "hostname=%s", cli_str(args, "hostname", im->name));
	if (!cli_has(args, "hostname")) /* of a name's signs these are none of a host's */
		for (char *s = p->hostname + strlen("hostname="); *s; s++)
			*s = *s == '_' || *s == '+' ? '-' : *s;
	if (key && (!find(im->xm, "ssh-key", key, found) || !is_key_file(im->xm, found)))
		return 1;
	snprintf(p->key, sizeof(p->key), "key=%s", key ? found : "");
	return cli_has(args, "password-stdin") ? read_password(im->xm, p->password) : 0;
}

/* What is there goes as it came: nobody has a record of it. */
static void drop(const struct image *im, const struct guest_disk *made, const struct plan *p)
{
	char path[TEXT_LEN];
	const char *const words[] = { "drop", made->took ? path : p->place, NULL };
	struct guest_disk d = { .words = words, .quiet = true };

	snprintf(path, sizeof(path), "path=%s", made->path);
	guest_disk_run(im->xm, &d);
}

/* The record comes when the disk is whole, and what fails after that takes the disk with it. */
static int make_planned(const struct image *im, const struct plan *p)
{
	const char *const words[] = { "make", p->place, p->bytes, p->source, p->mirror, p->hostname,
				      p->key, p->password[0] ? "password=1" : "password=", NULL };
	struct guest_disk d = { .words = words, .quiet = im->quiet };
	struct record rec;
	int ret = make_record(im, p->path, &rec); /* what is wrong with it is told before the work */

	d.input = p->password[0] ? p->password : NULL;
	if (!ret)
		ret = guest_disk_run(im->xm, &d);
	if (ret)
		return ret;
	ret = make_record(im, d.path, &rec);
	if (!ret)
		ret = store(im, &rec);
	if (ret)
		drop(im, &d, p);
	return ret;
}

static int make_disk(const struct image *im)
{
	struct plan *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return xm_fail(im->xm, "out of memory");
	if (define_name_is_free(im->xm, im->name) || plan_place(im, p) || plan_content(im, p))
		ret = 1;
	else
		ret = make_planned(im, p);
	explicit_bzero(p, sizeof(*p));
	free(p);
	return ret;
}

/* --- a longer disk --------------------------------------------------------------------------- */

static int grow(const struct image *im)
{
	const struct cli_args *args = im->args;
	const char *size = cli_str(args, "grow", "");
	char path[TEXT_LEN], bytes[64];
	const char *const words[] = { "grow", path, bytes, NULL };
	struct guest_disk d = { .words = words, .quiet = im->quiet };
	struct record rec;
	struct domain dom;
	int ret = only(args, "grow", " grow quiet json ");

	if (ret)
		return ret;
	if (size_of(size) < 0)
		return bad_size(args, "grow", size);
	if (domain_find(im->xm, im->name, &dom))
		return 1;
	if (domain_is_active(&dom))
		return xm_fail(im->xm, "%s is not off: '%s shutdown -w %s' first; its disk cannot change its "
				       "length under it", dom.name, im->xm->prog, dom.name);
	ret = record_get(im->xm->xs, dom.name, &rec);
	if (ret)
		return xm_fail_store(im->xm, "reading the record", -ret);
	if (!rec.nr_disks || !vdev_is_path(rec.disk[0].backend) || !rec.disk[0].writable)
		return xm_fail(im->xm, "%s has no disk of this host that it may write to", dom.name);
	if (rec.disk[0].format != DISK_FORMAT_RAW) /* its file is not the disk's bytes, and may end with a footer */
		return xm_fail(im->xm, "%s is a %s: 'qemu-img resize' makes it longer", rec.disk[0].path,
			       disk_format_words[rec.disk[0].format]);
	snprintf(path, sizeof(path), "path=%s", rec.disk[0].path);
	snprintf(bytes, sizeof(bytes), "bytes=%lld", (long long)size_of(size));
	ret = guest_disk_run(im->xm, &d);
	if (!ret && !im->quiet)
		fprintf(im->xm->out, "%s has %s\n", rec.disk[0].path, size);
	return ret;
}

static int run_image(struct cli_args *args)
{
	struct image im = { args->with, args, args->argv[0], cli_has(args, "quiet") };
	int nr = cli_has(args, "debian") + cli_has(args, "from") + cli_has(args, "from-disk") +
		 cli_has(args, "grow");
	int ret;

	if (nr != 1)
		return cli_refuse(args, "one of --debian, --from, --from-disk and --grow is wanted");
	ret = check_words(args);
	if (ret)
		return ret;
	if (cli_has(args, "grow"))
		return grow(&im);
	return cli_has(args, "from-disk") ? take_disk(&im) : make_disk(&im);
}

const struct cli_cmd cmd_image = {
	.name = "image",
	.args = "NAME --debian SUITE | --from TARBALL | --from-disk PATH | --grow SIZE",
	.help = "Make a disk with a system on it, and the domain's record",
	.more = "The disk is one ext4 file system that boots its own kernel (bootloader = \"pygrub\"), with\n"
		"a console and a card that asks for its address (DHCP). Of a TARBALL, fstab, grub.cfg and\n"
		"interfaces are kept beside the new ones as .before; hostname, root's password and the\n"
		"host keys of its sshd are new. Nothing in it is run. What fails leaves nothing, what is\n"
		"there is not written over, and xm delete leaves the disk.",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm image web --debian bookworm --ssh-key ~/.ssh/id_ed25519.pub && xm start web\n"
		   "xm image shop --from rootfs.tar.xz --size 8G --volume vg0/shop\n"
		   "xm image old --from-disk /dev/vg0/old --memory 1024\n"
		   "xm image web --grow 20G",
	.run = run_image,
};
