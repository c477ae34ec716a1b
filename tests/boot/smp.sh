#!/bin/sh
# SPDX-License-Identifier: MIT
# Four CPUs: dom0 on all of them, a guest of two vcpus, load on both, CPUs come and go; then every
# reference of every frame is recounted, and all memory is back.
. "$(dirname "$0")/lib.sh"
# by the host's clock: counted instructions would give each CPU a tenth of a second in turn
REAL_TIME=1
inside smp.sh --cpus 4 --disk "$SCRATCH/disk"
finish
