#!/bin/sh
# SPDX-License-Identifier: MIT
# Two machines on one private link: a guest that runs moves to the other one, and back, once while it writes
# to its disk and once while it writes memory faster than the link is allowed to take it. By hand: two machines want
# two CPUs for some minutes. Its disk has nothing but zeros on both; it looks at the clock every millisecond
# (moving/clock.c). --long: five times there and back, idle, with a web server under load, and the writer once; how long
# it stood still, and the median and worst of them, are in the output (moving/stops.py). KINDS and MOVES choose; with VERBOSE
# each step of both xends is in it too.
. "$(dirname "$0")/lib.sh"

cp -r "$TOP/tests/boot/dom0" "$SCRATCH/dom0"
for program in clock link; do
	cc -O2 -static -o "$SCRATCH/dom0/$program" "$TOP/tests/boot/moving/$program.c" || {
		fail "$program.c compiles"
		finish
		exit 1
	}
done

[ -z "${STOREVISOR_LONG:-}" ] || { KINDS=${KINDS:-idle web writer} MOVES=${MOVES:-5} PATIENCE=${PATIENCE:-5300}; }

[ -z "${VERBOSE:-}" ] || touch "$SCRATCH/dom0/verbose"

# end NAME OTHER MAC: one of the machines, its TAP to a file of its own.
end()
{
	machine --timeout "${PATIENCE:-1400}" --memory 1024 --nic none --add "$SCRATCH/dom0" --log "$SCRATCH/$1.log" --qemu-args "\
-netdev dgram,id=link,local.type=unix,local.path=$SCRATCH/$1.sock,remote.type=unix,remote.path=$SCRATCH/$2.sock \
-device virtio-net-pci,netdev=link,mac=52:54:00:00:01:$3,romfile=" -- "sh /mnt/dom0/moving.sh $1 ${MOVES:-1} ${KINDS:-disk writer}" \
		>"$SCRATCH/$1.tap" 2>"$SCRATCH/$1.err"
	echo $? >"$SCRATCH/$1.status"
}

end a b 01 &
end b a 02 &
wait
for name in a b; do
	while IFS= read -r line; do
		case $line in
		'ok '*) pass "$name: ${line#ok * - }" ;;
		'not ok '*) fail "$name: ${line#not ok * - }" ;;
		1..*) planned=${line#1..} ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$SCRATCH/$name.tap"
	same "$name ran to its end" "0, a plan" "$(cat "$SCRATCH/$name.status"), ${planned:+a plan}"
	[ -n "${planned:-}" ] || tail -n 40 "$SCRATCH/$name.err" | sed 's/^/# /'
	planned=
done
if stops=$("$TOP/tests/boot/moving/stops.py" "$SCRATCH/a.tap" "$SCRATCH/b.tap"); then
	pass "the guest says how long it stood still in each move"
else
	fail "the guest says how long it stood still in each move"
fi
printf '%s\n' "$stops"
finish
