#!/bin/sh
# SPDX-License-Identifier: MIT
# Records over a host's reboot: what is marked comes back by itself, what is not stays a record,
# nothing stale stays.
. "$(dirname "$0")/lib.sh"
inside autostart.sh --disk "$SCRATCH/disk"
inside autostart-after.sh --disk "$SCRATCH/disk"
finish
