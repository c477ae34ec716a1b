#!/bin/sh
# SPDX-License-Identifier: MIT
# report.awk, own.awk and median.awk on made-up figures: each verdict, and that what is missing is seen.
set -eu
HERE=$(dirname "$0")
report=$HERE/report.awk
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

figures() { printf '%s\n' "$@"; }

# verdict FIGURE WANTED: the one line of that figure says so.
verdict()
{
	got=$(grep "^$1  " "$W/out" | grep -oE ' (met|missed|alone|absent) ' || echo nothing)
	[ "$(echo $got)" = "$2" ] || { echo "$1: $got, not $2"; cat "$W/out"; exit 1; }
}

figures 'page_fault 500' 'null_system_call 100' 'cpu_bound_job 1000' 'wake_up 300' >"$W/bare"
figures 'page_fault 1500' 'null_system_call 400' 'cpu_bound_job 1100' 'wake_up -5' \
	'create_guest 9000000' 'memory_taken_kib 30000' 'guest_page_fault 1500' >"$W/xen"
figures 'page_fault 1300' 'null_system_call 350' 'cpu_bound_job 1020' 'wake_up 200' \
	'create_guest 9000000' 'memory_taken_kib 16384' 'guest_page_fault 1301' \
	'ours_only 7' >"$W/ours"
awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
verdict page_fault met
verdict null_system_call missed
verdict cpu_bound_job missed # below Xen, but above bare Linux
verdict wake_up alone
verdict create_guest met
verdict memory_taken_kib met
verdict 'page_fault (guest)' met
verdict ours_only alone
[ "$(tail -n 1 "$W/out")" = 'missed: null_system_call, cpu_bound_job' ] || { cat "$W/out"; exit 1; }

# what was counted is held to, not what is beyond bare Linux; and Xen's whole is never exceeded
figures 'page_fault 1500' 'own_page_fault 300000' 'event_round_trip 1000' \
	'own_event_round_trip 5000' >"$W/xen"
figures 'page_fault 1300' 'own_page_fault 250000' 'event_round_trip 1001' \
	'own_event_round_trip 3000' >"$W/ours"
awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
verdict page_fault missed
verdict event_round_trip met
[ "$(grep -c own_ "$W/out")" = 0 ]
figures 'page_fault 1300' 'own_page_fault 240000' 'event_round_trip 1010' \
	'own_event_round_trip 3000' >"$W/ours"
awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
verdict page_fault met
verdict event_round_trip missed
figures 'page_fault 1200' 'own_page_fault 240000' >"$W/ours"
awk -f "$report" "$W/bare" "$W/ours" "$W/ours" >"$W/out"
verdict page_fault missed # as Xen is no goal met
figures 'page_fault 1000' 'own_page_fault 100000' >"$W/ours"
figures 'page_fault 1500' 'own_page_fault 300000' >"$W/xen"
awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
[ "$(tail -n 1 "$W/out")" = '1 figures, none missed its goal' ] || { cat "$W/out"; exit 1; }
figures 'event_round_trip 1000' 'guest_event_round_trip 1000' >"$W/ours"
figures 'event_round_trip 2000' 'guest_event_round_trip 2000' >"$W/xen"
awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
[ "$(awk '/^event/ { print $(NF - 7) }' "$W/out" | tr '\n' ' ')" = '- - ' ] || { cat "$W/out"; exit 1; }

# a section's count goes to its figure; only what is in the hypervisor's part of memory counts
figures 'section 1' 'ffff82d040200000 70' 'ffffffff81000000 9' '0000000000401000 9' 'section 2' \
	'ffff828000200000 100' 'section 3' 'ffff87ffffffffff 160' 'ffff880000000000 9' \
	'section 4' 'ffff82d040200000 500' 'section 5' 'ffff82d040200000 80' >"$W/counts"
figures 'power_on_to_services 5' 'page_fault 6' 'memory_taken_kib 7' 'null_hypercall 8' \
	'wake_up 9' 'create_guest 9' 'guest_page_fault 9' >"$W/ours"
awk -f "$HERE/own.awk" "$W/counts" "$W/ours" | tr '\n' ' ' >"$W/out"
[ "$(cat "$W/out")" = 'own_page_fault 70 own_null_hypercall 60 own_guest_page_fault 80 ' ] || { cat "$W/out"; exit 1; }

# several rounds: each section belongs to its round, and the middle one is taken
figures 'section 1' 'ffff82d040200000 70' 'section 2' 'ffff82d040200000 1' 'section 3' \
	'ffff82d040200000 90' 'section 4' 'ffff82d040200000 2' 'section 5' 'ffff82d040200000 80' \
	'section 6' 'ffff82d040200000 3' >"$W/counts"
figures 'power_on_to_services 5' 'page_fault 9' 'wake_up -2' 'page_fault 100' 'wake_up -3' \
	'page_fault 8' 'wake_up 0' >"$W/all"
{ cat "$W/all"; awk -f "$HERE/own.awk" "$W/counts" "$W/all"; } | awk -f "$HERE/median.awk" | tr '\n' ' ' >"$W/out"
[ "$(cat "$W/out")" = 'power_on_to_services 5 page_fault 9 wake_up -2 own_page_fault 80 ' ] || { cat "$W/out"; exit 1; }
figures 'fork_and_exit 4' 'fork_and_exit 8' | awk -f "$HERE/median.awk" >"$W/out"
[ "$(cat "$W/out")" = 'fork_and_exit 6' ] || { cat "$W/out"; exit 1; }

figures 'memory_taken_kib 30000' 'create_guest 9000000' >"$W/xen"
figures 'memory_taken_kib 16385' >"$W/ours"
! awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out" || { echo "nothing missed"; exit 1; }
verdict memory_taken_kib missed
verdict create_guest absent
