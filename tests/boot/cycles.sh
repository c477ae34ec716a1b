#!/bin/sh
# SPDX-License-Identifier: MIT
# Thirty domains come and go; the machine is what it was.
. "$(dirname "$0")/lib.sh"
inside cycles.sh --disk "$SCRATCH/disk"
finish
