#!/bin/sh
# SPDX-License-Identifier: MIT
# The store daemon is killed again and again under a guest with console, disk and network; it runs
# without rights.
. "$(dirname "$0")/lib.sh"
inside storekill.sh --disk "$SCRATCH/disk"
finish
