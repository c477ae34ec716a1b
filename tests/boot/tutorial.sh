#!/bin/sh
# SPDX-License-Identifier: MIT
# tutorial.sh - every command of docs/tutorial is typed, in order, on a Debian as an installer leaves it, and says what
# the page shows (dom0/tutorial.sh). Run by name only: it makes a Debian the first time, and boots it four times.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
"$TOP/image/make"
mkdir -p "$SCRATCH/home/OUT" "$SCRATCH/pages"
if [ -n "${STOREVISOR_DEBS:-}" ]; then
	cp "$STOREVISOR_DEBS"/storevisor*.deb "$SCRATCH/home/OUT/"
else
	"$TOP/storevisor" deb "$SCRATCH/home/OUT"
fi
export STOREVISOR_DEBS="$SCRATCH/home/OUT" # the Debian's apt has in its cache what they need
tar xzf "$IMAGE/guests.tar.gz" -C "$SCRATCH/home" ./grub.img
"$TOP/tests/boot/tutorial_blocks.py" "$TOP/docs/tutorial" "$SCRATCH/pages"
inside tutorial.sh --native --reboot --timeout 3600 --disk "$SCRATCH/disk" --add "$SCRATCH/home" --add "$SCRATCH/pages"
finish
