# SPDX-License-Identifier: MIT
# image/lib.sh - what the entry script and the image scripts share: places, messages, Debian
# packages, locks. Sourced, never run. Needs $TOP (the project's folder).

BUILD=${STOREVISOR_BUILD:-$TOP/build}
CACHE=$TOP/build/cache
IMAGE=$TOP/build/image
QUIET=${QUIET:-}

# note TEXT: progress for a person, on stderr, so that stdout carries only what was asked for.
note()
{
	[ -n "$QUIET" ] || printf 'storevisor: %s\n' "$*" >&2
}

die()
{
	printf 'storevisor: %s\n' "$*" >&2
	exit 1
}

# packages GROUP...: installs what packages.txt lists for these groups and this machine lacks.
packages()
{
	wanted=
	for group; do
		wanted="$wanted $(awk -v g="$group" '!/^#/ && ("," $2 ",") ~ ("," g ",") { print $1 }' "$TOP/packages.txt")"
	done
	# shellcheck disable=SC2086 # a list of words
	present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null |
		awk '$1 ~ /^.i$/ { print $2 }') # wanted, held, or on its way out: it is there
	missing=
	for name in $wanted; do
		printf '%s\n' "$present" | grep -qx -- "$name" || missing="$missing $name"
	done
	[ -n "$missing" ] || return 0
	printf 'storevisor: installing Debian packages:%s\n' "$missing" >&2
	[ "$(id -u)" = 0 ] || die "not root: run 'sudo apt-get install$missing' first"
	apt-get -q update >/dev/null || die "apt-get update failed: is the network up?"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing >/dev/null ||
		die "apt-get install failed: run it by hand to see why:$missing"
}

# locked FILE COMMAND...: runs COMMAND while holding FILE, so that two runs never build the same
# thing at once.
locked()
{
	lock=$1
	shift
	mkdir -p "$(dirname "$lock")"
	(
		flock 9 || exit 1
		"$@"
	) 9>"$lock"
}

# digest FILE...: one word that changes when the content of any file below these paths changes.
digest()
{
	find "$@" -type f -exec sha256sum {} + 2>/dev/null | sort | sha256sum | cut -c1-24
}

# tree_files: this tree's files as they are now, whether committed or not, without what was built; a zero behind each.
tree_files()
{
	cd "$TOP"
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -path './build-*' -prune -o -type f -print0
	fi
}

# elf_needs FILE: paths of the shared libraries an ELF program loads.
elf_needs()
{
	LD_LIBRARY_PATH=${DEBROOT:-}/usr/lib/x86_64-linux-gnu ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | sort -u
}

# put_elf ROOT FILE DEST: copies a program and the libraries it needs into ROOT.
put_elf()
{
	mkdir -p "$1$(dirname "$3")"
	cp -L --remove-destination "$2" "$1$3"
	elf_needs "$2" | while read -r file; do
		put_library "$1" "$file"
	done
}

put_library()
{
	case $2 in
	*/ld-linux*) dir=$1/lib64 ;;
	*) dir=$1/lib/x86_64-linux-gnu ;;
	esac
	[ -e "$dir/${2##*/}" ] && return 0
	mkdir -p "$dir"
	cp -L "$2" "$dir/"
}

# put_modules ROOT KERNEL NAME...: modules with what they depend on, and fresh indexes. From $DEBROOT.
put_modules()
{
	root=$1 version=$2
	shift 2
	mkdir -p "$root/lib/modules/$version"
	cp "$DEBROOT/lib/modules/$version"/modules.builtin* "$DEBROOT/lib/modules/$version/modules.order" \
		"$root/lib/modules/$version/"
	for module; do
		modprobe -d "$DEBROOT" -S "$version" --show-depends "$module" 2>/dev/null ||
			note "kernel $version has no module $module"
	done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
		install -D -m 644 "$file" "$root${file#"$DEBROOT"}"
	done
	depmod -b "$root" "$version"
}

# pack ROOT FILE: ROOT as a newc archive owned by root, times left out.
pack()
{
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet --reproducible) >"$2"
}

# kernel_version FLAVOUR: the newest kernel Debian's meta package names; asked once, kept until
# `clean`.
kernel_version()
{
	file=$CACHE/kernel-$1
	[ -s "$file" ] ||
		apt-cache depends "linux-image-$1" | sed -n 's/.*Depends: linux-image-\(.*\)/\1/p' | head -n 1 >"$file"
	cat "$file"
}

# debootstrapped ARGUMENT...: mmdebstrap. Its mounts are in a name space that ends with it: of the host's, whoever
# happens to look in there would hold one, and then it stays in what is made, and what is in it with it.
debootstrapped() { unshare --mount --propagation private mmdebstrap "$@"; }

# ext4 FILE LABEL MIB [DIR]: a sparse file system image. No blocks for root alone: the store runs as
# another user, and what it has set aside for removals on a full disk must be of use to it.
ext4()
{
	rm -f "$1"
	truncate -s "$3M" "$1"
	mke2fs -q -F -t ext4 -m 0 -L "$2" -E root_owner=0:0,lazy_itable_init=0 -O ^metadata_csum_seed ${4:+-d "$4"} "$1"
}
