#!/bin/sh
# SPDX-License-Identifier: MIT
# convertuefi.sh - convert.sh's Debian on a machine of another make: UEFI and a GPT, q35, a disk on AHCI, an e1000.
CONVERT_MACHINE='--machine q35 --firmware uefi --bus ahci --nic e1000'
. "$(dirname "$0")/convert.sh"
