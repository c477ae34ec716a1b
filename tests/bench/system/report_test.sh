#!/bin/sh
# SPDX-License-Identifier: MIT
# report.awk on made-up figures: each verdict, and that what is missing is seen.
set -eu
report=$(dirname "$0")/report.awk
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

figures 'memory_taken_kib 16385' >"$W/ours"
! awk -f "$report" "$W/bare" "$W/xen" "$W/ours" >"$W/out" || { echo "nothing missed"; exit 1; }
verdict memory_taken_kib missed
verdict create_guest absent
