#!/bin/sh
# SPDX-License-Identifier: MIT
# A hostile program in user mode, of dom0 and of a guest, meets what bare hardware does to it; the
# machine lives on, and no kernel has met a fault of its own (tests/guests/usermode.c).
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/programs"
cc -O1 -static -o "$SCRATCH/programs/usermode" "$TOP/tests/guests/usermode.c"
inside usermode.sh --add "$SCRATCH/programs"
finish
