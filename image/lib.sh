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
		wanted="$wanted $(awk -v g="$group" '!/^#/ && $2 == g { print $1 }' "$TOP/packages.txt")"
	done
	# shellcheck disable=SC2086 # a list of words
	present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null |
		awk '$1 == "ii" { print $2 }')
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

# pack ROOT FILE: ROOT as a newc archive owned by root, times left out.
pack()
{
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet --reproducible) >"$2"
}
