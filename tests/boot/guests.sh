#!/bin/sh
# SPDX-License-Identifier: MIT
# The three sample guests: console, disk, network, every everyday command, and device processes
# killed under load.
. "$(dirname "$0")/lib.sh"
inside guests.sh --disk "$SCRATCH/disk"
finish
