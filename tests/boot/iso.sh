#!/bin/sh
# SPDX-License-Identifier: MIT
# ./storevisor iso OUT: what it writes boots by itself in a plain QEMU, to a person's session on the
# serial console with a guest running, and `poweroff` ends it.
. "$(dirname "$0")/lib.sh"

log=$SCRATCH/console

# seen PATTERN: the console's text has PATTERN within ten minutes.
seen()
{
	left=3000
	until tr -d '\r\000' <"$log" | grep -aqE -- "$1"; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 $qemu 2>/dev/null || return 1
		sleep 0.2
	done
}

# on_screen TEXT PATTERN: claims that PATTERN appears.
on_screen()
{
	if seen "$2"; then pass "$1"; else fail "$1" "no '$2' on the console:
$(tail -n 30 "$log" | tr -d '\r\000')"; fi
}

# types TEXT: as from a keyboard, with Enter.
types()
{
	printf '%s\r' "$1" >&3
}

"$TOP/storevisor" iso "$SCRATCH/storevisor.iso" >"$SCRATCH/said" 2>&1 ||
	fail "iso writes an ISO" "$(cat "$SCRATCH/said")"
contains "iso says how to try it" 'qemu-system-x86_64 .*-cdrom' "$(cat "$SCRATCH/said")"

mkfifo "$SCRATCH/keys"
: >"$log"
qemu-system-x86_64 -m 2048 -cpu max -cdrom "$SCRATCH/storevisor.iso" -nodefaults -vga std \
	-display none -monitor none -serial stdio -no-reboot -accel tcg -icount shift=0,sleep=on \
	<"$SCRATCH/keys" >"$log" 2>"$SCRATCH/qemu.err" &
qemu=$!
trap 'kill $qemu 2>/dev/null || :' EXIT
exec 3>"$SCRATCH/keys"

on_screen "a person is told what to try" 'This is dom0\. Try:'
on_screen "and has a prompt" 'dom0# '
types "xm list | tr -s ' ' | cut -d ' ' -f 1,3"
on_screen "dom0 is there" '^Domain-0 '
on_screen "with a guest to look at" '^demo '
types 'until ping -c 1 -W 2 10.0.0.2; do sleep 1; done'
on_screen "that answers" '1 packets received'
types 'xs read /config/domain/demo/memory'
on_screen "its record can be read" '^128$'
types poweroff
left=1500
while kill -0 $qemu 2>/dev/null && [ $left -gt 0 ]; do
	left=$((left - 1))
	sleep 0.2
done
if [ $left -gt 0 ]; then pass "poweroff ends the machine"; else fail "poweroff ends the machine" "$(tail -n 20 "$log")"; fi
finish
