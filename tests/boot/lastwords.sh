#!/bin/sh
# SPDX-License-Identifier: MIT
# What the hypervisor says when something is badly wrong: an NMI from outside is reported and
# survived; a machine check and a CPU that hangs in the hypervisor end the machine, with registers,
# vcpu and stack in the log. QEMU's monitor sends the first two, a debug key makes the third.
. "$(dirname "$0")/lib.sh"
REAL_TIME=1 # two CPUs

# said WORD: dom0 printed it, within four minutes.
said()
{
	left=1200
	until grep -qx "$1" "$SCRATCH/out"; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 $pid 2>/dev/null || return 1
		sleep 0.2
	done
}

# log_has TEXT PATTERN: claims a line of the hypervisor's.
log_has()
{
	contains "$1" "$2" "$(tr -d '\r\000' <"$SCRATCH/serial.log" | grep -a '^(SV) ' | tail -n 60)"
}

mkfifo "$SCRATCH/mon.in" "$SCRATCH/mon.out"
exec 3<>"$SCRATCH/mon.in" 4<>"$SCRATCH/mon.out"
: >"$SCRATCH/out"
machine --cpus 2 --timeout 300 --qemu-args "-monitor pipe:$SCRATCH/mon" -- \
	'echo up; until xl dmesg | grep -q "NMI, status port"; do sleep 1; done; echo alive; sleep 60' \
	>"$SCRATCH/out" 2>"$SCRATCH/stderr" &
pid=$!
trap 'kill $pid 2>/dev/null || :' EXIT
said up || fail "dom0 comes up" "$(tail -n 30 "$SCRATCH/stderr")"
echo nmi >&3
if said alive; then pass "an NMI does no harm"; else fail "an NMI does no harm"; fi
# uncorrected, with an address; the state of the CPU is lost
echo 'mce 1 3 0xb600000000000000 0x4 0x12345000 0' >&3
wait $pid
log_has "an NMI is reported" 'NMI, status port 0x61 = [0-9a-f]{2}'
log_has "a machine check ends the machine" \
	'Panic: machine check: bank 3 status b600000000000000 address 12345000'
log_has "it says which CPU did what" 'CPU 1: (d0v[01]|no vcpu), in the (guest|hypervisor) at [0-9a-f]{16}'
log_has "and what the other did" 'CPU 0: (d0v[01]|no vcpu), in the (guest|hypervisor) at [0-9a-f]{16}'
log_has "with registers" 'rip [0-9a-f]{4}:[0-9a-f]{16} rsp [0-9a-f]{4}:[0-9a-f]{16}'

machine --cpus 2 --timeout 300 --xen-args 'watchdog watchdog_timeout=2' -- \
	'sleep 5; /usr/lib/xen-4.17/bin/xl debug-keys W; sleep 20' >/dev/null 2>"$SCRATCH/stderr"
log_has "the watchdog is on" 'watchdog: 2 seconds'
log_has "it notices a CPU that hangs" 'Panic: watchdog: CPU [01] has been in the hypervisor for 2 seconds'
log_has "which ran dom0" 'CPU [01]: d0v[01], in the hypervisor at ffff8280'
log_has "on this stack" 'stack ffff8280[0-9a-f]{8}: ffff8280'
finish
