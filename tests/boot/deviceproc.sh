#!/bin/sh
# SPDX-License-Identifier: MIT
# The processes that serve devices, on a whole machine: what they are, what one gets that its guest
# took over, and that the guest goes on however often they are killed.
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/taken"
cp "$STOREVISOR_BUILD/tests/unit/backends/taken_blkback" "$SCRATCH/taken/"
inside deviceproc.sh --disk "$SCRATCH/disk" --add "$SCRATCH/taken"
finish
