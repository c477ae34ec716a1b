#!/bin/sh
# SPDX-License-Identifier: MIT
# convert.sh - a Debian as an installer leaves it takes our packages, boots under the hypervisor with a guest,
# and is rid of them again: four boots of one machine, each by the disk's own GRUB (dom0/convert.sh). Run by name
# only: it makes a Debian the first time, and takes a quarter of an hour.
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
inside convert.sh --native --reboot --timeout 3600 --disk "$SCRATCH/disk" --add "$SCRATCH/debs" --add "$SCRATCH/guest"
finish
