#!/bin/sh
# SPDX-License-Identifier: MIT
# Second boot of the same disk: what is persistent is there, what belongs to a boot is not.
. /mnt/dom0/lib.sh
same "a record outlives the host's reboot" "survives a boot" "$(xs read /config/test/kept)"
claim "no runtime key outlives it" sh -c '! xs read /local/domain/77/name'
claim "nor a tool's key" sh -c '! xs read /tool/test/a'
