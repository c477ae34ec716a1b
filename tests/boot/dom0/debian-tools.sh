#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything in dom0 is Debian's: only the hypervisor is under test.
. /mnt/dom0/lib.sh
. /mnt/dom0/debian-lib.sh
debian_life
debian_kit
