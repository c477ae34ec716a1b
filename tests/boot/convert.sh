#!/bin/sh
# SPDX-License-Identifier: MIT
# convert.sh - a Debian as an installer leaves it takes our packages, boots under the hypervisor with a guest,
# and is rid of them again: four boots of one machine, each by the disk's own GRUB (dom0/convert.sh). Run by name
# only: it makes a Debian the first time, and takes a quarter of an hour. convertuefi: the same on another machine.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
"$TOP/image/make"
if [ -n "${STOREVISOR_DEBS:-}" ]; then
	mkdir "$SCRATCH/debs"
	cp "$STOREVISOR_DEBS"/storevisor*.deb "$SCRATCH/debs/"
else
	"$TOP/storevisor" deb "$SCRATCH/debs"
fi
mkdir "$SCRATCH/guest"
tar xzf "$IMAGE/guests.tar.gz" -C "$SCRATCH/guest" ./grub.img
"$TOP/tests/boot/xfs-disk" "$SCRATCH/guest/grub.img" "$SCRATCH/guest/xfs.img"
export STOREVISOR_DEBS="$SCRATCH/debs" # the Debian's apt has in its cache what they need
# shellcheck disable=SC2086 # options
inside convert.sh ${CONVERT_MACHINE:-} --native --reboot --timeout 3600 --disk "$SCRATCH/disk" --add "$SCRATCH/debs" --add "$SCRATCH/guest"
finish
