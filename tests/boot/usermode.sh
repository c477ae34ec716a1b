#!/bin/sh
# SPDX-License-Identifier: MIT
# A hostile program in dom0's user mode meets what bare hardware does to it, and the machine lives
# on (tests/guests/usermode.c).
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/programs"
cc -O1 -static -o "$SCRATCH/programs/usermode" "$TOP/tests/guests/usermode.c"
inside usermode.sh --add "$SCRATCH/programs"
finish
