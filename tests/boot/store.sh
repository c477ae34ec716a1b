#!/bin/sh
# SPDX-License-Identifier: MIT
# The store as dom0 sees it: Debian's own tools on the socket and through the kernel's ring; a
# killed daemon; a reboot.
. "$(dirname "$0")/lib.sh"
inside store.sh --disk "$SCRATCH/disk"
inside store-after.sh --disk "$SCRATCH/disk"
finish
