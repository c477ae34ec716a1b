#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's unmodified kernel as dom0 drives the machine's real devices: disks on virtio, AHCI and
# IDE, cards virtio and e1000.
. "$(dirname "$0")/lib.sh"
REAL_TIME=1
inside devices.sh --bus virtio --nic virtio
inside devices.sh --bus ahci --nic e1000
inside devices.sh --bus ide --nic none
finish
