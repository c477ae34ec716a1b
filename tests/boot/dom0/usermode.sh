#!/bin/sh
# SPDX-License-Identifier: MIT
# The program's claims in dom0 and in a guest, then what each kernel logged, and a sleep that dom0
# may wish for but not have.
. /mnt/dom0/lib.sh

# What a kernel says of a fault of its own.
TROUBLE='Oops|BUG:|WARNING:|: 0000 .#|nable to handle|Call Trace|Kernel panic'

# takes_over FILE PREFIX: the program's claims as ours.
takes_over()
{
	while read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			text="$2: ${line#* - }"
			n=$((n + 1))
			case $line in
			not*) wrong=1 && echo "not ok $n - $text" ;;
			*) echo "ok $n - $text" ;;
			esac
			;;
		'#'*) echo "$line" ;;
		esac
	done <"$1"
}

# all_made FILE: as many claims as the program planned.
all_made()
{
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$1")
	[ -n "$planned" ] && [ "$(grep -cE '^(not )?ok ' "$1")" = "$planned" ]
}

/mnt/programs/usermode >/tmp/dom0.tap
takes_over /tmp/dom0.tap dom0
claim "dom0: the program ran to its end" all_made /tmp/dom0.tap
claim "dom0's kernel met no fault of its own" sh -c "! dmesg | grep -E '$TROUBLE'"

mkdir -p /tmp/disk && mount -o loop /data/guests/demo.img /tmp/disk && cp /mnt/programs/usermode /tmp/disk/ &&
	printf '%s\n' '/mnt/usermode' "echo trouble \$(dmesg | grep -cE '$TROUBLE')" 'echo usermode ends' >/tmp/disk/hostile &&
	umount /tmp/disk
sed 's/^extra *= *"/&sv_run=hostile /' /etc/xen/demo.cfg >/tmp/hostile.cfg
claim "a guest that runs it starts" xm create -q /tmp/hostile.cfg
claim "it comes to the program's end" hears demo 300 '^usermode ends'
tr -d '\r' <"$(log_of demo)" >/tmp/guest.tap
takes_over /tmp/guest.tap guest
claim "guest: the program ran to its end" all_made /tmp/guest.tap
claim "the guest's kernel met no fault of its own" grep -qx 'trouble 0' /tmp/guest.tap
xm destroy demo

if is_ours; then
	echo mem >/sys/power/state 2>/dev/null
	claim "a wish to sleep leaves the machine awake" xm list
	claim "the hypervisor has entered no sleep" sh -c '! xm dmesg | grep "entering S[1-4]"'
fi
