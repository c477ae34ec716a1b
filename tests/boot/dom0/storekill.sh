#!/bin/sh
# SPDX-License-Identifier: MIT
# kill -9 of xenstored while a guest works: neither the guest nor xend nor the device processes
# notice. What the daemon may do is looked at first.
. /mnt/dom0/lib.sh

# powerless PID: no user 0, no capability, a system call filter, no way to get more.
powerless()
{
	status=/proc/$1/status
	cat "$status"
	grep -q 'Uid:.990.990.990.990' "$status" && grep -q 'CapEff:.0000000000000000' "$status" &&
		grep -q 'CapPrm:.0000000000000000' "$status" && grep -q 'Seccomp:.2' "$status" &&
		grep -q 'NoNewPrivs:.1' "$status"
}

# bare PID: it has no way to make a hypercall; one process has, and that is not of its user.
bare()
{
	ls -l "/proc/$1/fd" | tee /dev/stderr | grep -q evtchn && ! ls -l "/proc/$1/fd" | grep -q -E 'privcmd|xen/hypercall'
}
bare_keeper() { ! ls -l "/proc/$1/fd" | grep -q -E 'privcmd|/dev/xen/'; }
informer()
{
	for p in $(ps -o pid,comm | awk '$2 == "xenstored" { print $1 }'); do
		ls -l "/proc/$p/fd" | grep -q privcmd || continue
		grep -q 'Uid:.65534.65534.65534.65534' "/proc/$p/status" && grep -q 'Seccomp:.2' "/proc/$p/status" &&
			grep -q 'CapEff:.0000000000000000' "/proc/$p/status" && echo "$p"
	done
}

pid=$(daemon xenstored)
keeper=$(ps -o pid,ppid | awk -v p="$pid" '$2 == p { print $1; exit }')
claim "the store daemon has no rights" powerless "$pid"
claim "nor has its keeper" powerless "${keeper:-none}"
claim "it makes no hypercall" bare "$pid"
claim "its keeper neither" bare_keeper "${keeper:-none}"
same "one process of it does, as nobody" 1 "$(informer | wc -l)"
same "what it keeps is its own, closed to others" "990 drwx------" \
	"$(stat -c '%u %A' /var/lib/xenstored/store)"

claim "a guest is created" xm create /etc/xen/cloud.cfg
claim "it comes up" hears cloud 90 'guest: ready'
claim "it answers ping" until_true 20 ping -c 1 -W 1 10.0.0.3
xend=$(daemon xend) backendd=$(daemon backendd)
devices=$(ps -o pid,comm | grep -E 'blkback|netback|consback' | sort | xargs)

types cloud 'for i in 1 2 3 4 5 6; do dd if=/dev/urandom of=/mnt/f$i bs=64k count=16 2>/dev/null; sync; done; echo sum $(cat /mnt/f? | sha256sum)'

# killed: one round; the next daemon must serve and know what the last one acknowledged.
killed()
{
	old=$(daemon xenstored)
	xs write /config/test/round "$1" && xs write /tool/test/round "$1" || return 1
	kill -9 "$old" || return 1
	until_true 15 sh -c 'new=$(cat /run/storevisor/xenstored.pid) && [ "$new" != '"$old"' ] && xs read /tool/test/round' || return 1
	[ "$(xs read /config/test/round) $(xs read /tool/test/round)" = "$1 $1" ]
}

for round in 1 2 3 4 5 6; do
	claim "kill $round: the next daemon knows everything" killed $round
	claim "the guest answers" until_true 10 ping -c 1 -W 1 10.0.0.3
done
claim "the guest's disk work is done" hears cloud 60 '^sum [0-9a-f]{64}'
types cloud 'echo again $(cat /mnt/f? | sha256sum)'
claim "and reads back" hears cloud 30 "^again $(grep -aoE '^sum [0-9a-f]{64}' "$(log_of cloud)" | cut -c 5-68)"
same "xend and backendd are the same processes" "$xend $backendd" "$(daemon xend) $(daemon backendd)"
same "so are the device processes" "$devices" "$(ps -o pid,comm | grep -E 'blkback|netback|consback' | sort | xargs)"
claim "another guest can be created" xm create /etc/xen/demo.cfg
claim "and comes up" hears demo 90 'guest: ready'
claim "both shut down" sh -c 'xm shutdown -w cloud && xm shutdown -w demo'
claim "the store holds nothing of them" sh -c '! xs ls -f /local/domain | grep -q "^/local/domain/[1-9]"'
same "the store's own check finds no fault" OK "$($DEBIAN/xenstore-control check)"
claim "the kernel met no BUG, no warning" sh -c '! dmesg | grep -E "BUG:|WARNING: CPU|Oops|soft lockup|rcu.*stall"'
