#!/bin/sh
# SPDX-License-Identifier: MIT
# The guests that were handed in, judged by guestrun; the hypervisor says what it does.
. /mnt/dom0/lib.sh

# before guestrun reads the log, which empties it
claim "a fault has a line of its own" eval 'xm dmesg | grep -q "speculation: Spectre v1"'
/mnt/guests/guestrun -k 0 /mnt/guests/*.elf | tee /tmp/kit.tap
judged=$(grep -cE '^(not )?ok ' /tmp/kit.tap)
n=$((n + judged))
! grep -q '^not ok ' /tmp/kit.tap || wrong=1
same "every guest was judged" "$(ls /mnt/guests/*.elf | wc -l)" "$judged"
claim "Debian as a guest" eval 'xm create -q /etc/xen/demo.cfg && hears demo 90 "guest: ready"'
claim "ends" eval 'xm destroy demo && until_true 20 gone demo'
audits

