#!/bin/sh
# SPDX-License-Identifier: MIT
# Every guest of tests/guests, one after the other, as a domU, judged by guestrun: what it says, how
# it ends, and that nothing of it is left.
. /mnt/dom0/lib.sh

before=$(inventory)
/mnt/guests/guestrun -e /mnt/guests/expected /mnt/guests/*.elf
status=$?
n=$(ls /mnt/guests/*.elf | wc -l)
[ $status = 0 ] || wrong=1
same "domains, processes and keys are what they were" "$before" "$(inventory)"
