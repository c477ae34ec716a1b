#!/bin/sh
# SPDX-License-Identifier: MIT
# image.sh - a Debian that xm image makes, its disk made longer since, boots as a domain of ours: its own kernel,
# systemd, address, ssh; then by the menu that its own update-grub writes. Run by name only: the first time it takes
# Debian's packages from the network (build/cache/guest-KEY has what xm image made of them).
. "$(dirname "$0")/lib.sh"
BUILD=${STOREVISOR_BUILD:-$TOP/build}
. "$TOP/image/lib.sh"
DEBROOT=

# made DIR: web.img, the record as a file, and the key that lets in. xm and the store are this host's.
made()
{
	rm -rf "$CACHE"/guest-* "$1.new"
	mkdir -p "$1.new" "$SCRATCH/sbin" "$SCRATCH/lib/storevisor" "$SCRATCH/run" "$SCRATCH/state"
	cp "$BUILD/cli/xm/xm" "$SCRATCH/sbin/"
	cp "$TOP/cli/xm/guest-disk" "$TOP/cli/xm/guest-root" "$SCRATCH/lib/storevisor/"
	export XENSTORED_PATH="$SCRATCH/run/socket"
	"$BUILD/xenstored/xenstored" -D -N --run-dir "$SCRATCH/run" --state-dir "$SCRATCH/state" >"$SCRATCH/log" 2>&1 &
	store=$!
	for _ in $(seq 600); do
		"$BUILD/cli/xs/xs" exists / 2>/dev/null && break
		sleep 0.1
	done
	ssh-keygen -q -t ed25519 -N '' -f "$1.new/key" &&
		echo sesame | "$SCRATCH/sbin/xm" image web --debian bookworm --file "$1.new/web.img" --size 2G \
			--ssh-key "$1.new/key.pub" --password-stdin --hostname shop --bridge xenbr0 &&
		"$SCRATCH/sbin/xm" image web --grow 3G &&
		"$SCRATCH/sbin/xm" export web >"$1.new/web.cfg" &&
		mv "$1.new" "$1"
	status=$?
	kill $store
	wait $store
	return $status
}

packages machine
guest=$CACHE/guest-$(printf '%s' "$(kernel_version amd64) $(digest "$TOP/cli/xm/guest-disk" "$TOP/cli/xm/guest-root" "$TOP/cli/xm/cmd_image.c")" | sha256sum | cut -c1-16)
if [ -d "$guest" ] || made "$guest" >"$SCRATCH/made" 2>&1; then
	pass "xm image has made a Debian"
else
	fail "xm image has made a Debian" "$(tail -n 20 "$SCRATCH/made")"
	finish
	exit
fi
# the client that dom0 has not, with its libraries
put_elf "$SCRATCH/ssh" /usr/bin/ssh /bin/ssh
ln -s "$guest" "$SCRATCH/guest"
inside image.sh --timeout 3000 --disk "$SCRATCH/disk" --add "$SCRATCH/guest/" --add "$SCRATCH/ssh"
finish
