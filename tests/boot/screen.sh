#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest's screen and keyboard: Debian's own drivers in a guest, and a viewer in dom0 that sees what the
# guest draws and types what it reads; also after its process was killed, and after save and restore.
. "$(dirname "$0")/lib.sh"
mkdir "$SCRATCH/screen"
cc -O2 -static -o "$SCRATCH/screen/viewer" "$TOP/tests/boot/screen/viewer.c" || {
	fail "the viewer compiles"
	finish
	exit 1
}
inside screen.sh --disk "$SCRATCH/disk" --add "$SCRATCH/screen"
finish
