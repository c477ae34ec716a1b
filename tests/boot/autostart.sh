#!/bin/sh
# SPDX-License-Identifier: MIT
# Records over a host's reboot: what is marked comes back by itself, what is not stays a record,
# nothing stale stays.
. "$(dirname "$0")/lib.sh"
inside autostart.sh --disk "$SCRATCH/disk"
contains "before power-off every guest had shut down" 'storevisor: all guests have shut down' "$(cat "$SCRATCH/serial.log")"
inside autostart-after.sh --disk "$SCRATCH/disk"
finish
