#!/bin/sh
# SPDX-License-Identifier: MIT
# Domains come and go, thirty of them on our hypervisor; the machine is what it was.
. "$(dirname "$0")/lib.sh"
inside cycles.sh --disk "$SCRATCH/disk"
finish
