#!/bin/sh
# SPDX-License-Identifier: MIT
# own.awk and report.awk on made-up lines: the median, the shares, what arrived; what is missing is
# seen.
set -eu
here=$(dirname "$0")
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

is() { [ "$2" = "$3" ] || { echo "$1: '$3', not '$2'"; exit 1; }; }

# Two rows, the second of packets: three turns and two.
printf '%s\n' 'section 1' 'ffff830000000000 25' 'ffffffff81000000 75' \
	'section 2' 'ffff830000000000 25' '400000 75' 'section 3' 'ffffffff81000000 50' \
	'section 4' '400000 10' 'section 5' '400000 10' >"$W/counts"
printf '%s\n' 'row read 300 cpu 60 40 0 ' 'row read 100 cpu 60 40 0 ' 'row read 200 cpu 60 20 20 ' \
	'row packet_x 7 cpu 1 0 1 ' 'far packet_x 90 1000' 'row packet_x 8 cpu 1 1 0 ' 'far packet_x 110 3000' >"$W/rows"
awk -f "$here/own.awk" "$W/counts" "$W/rows" >"$W/ours"
is 'the row of a disk' 'read 200 17 60 - 3' "$(sed -n 1p "$W/ours")"
is 'the row of packets' 'packet_x 1000 0 50 100 2' "$(sed -n 2p "$W/ours")"
if printf 'row read connect: refused cpu 1 1 1\n' | awk -f "$here/own.awk" "$W/counts" - >/dev/null 2>&1; then
	is 'a turn without a figure' refused taken
fi

printf '%s\n' 'read 400 10 70 - 3' 'packet_x 2000 0 50 50 2' >"$W/xen"
awk -f "$here/report.awk" "$W/xen" "$W/ours" >"$W/out"
is 'the ratio' '0.50' "$(awk '$1 == "read" { print $4 }' "$W/out")"
is 'what arrived' '50 100' "$(awk '$1 == "packet_x" { print $7, $8 }' "$W/out")"
printf 'qcow2_read 300 10 70 - 3\n' | cat "$W/ours" - | awk -f "$here/report.awk" "$W/xen" - >"$W/out"
is 'a row that is ours alone' '- 300 -' "$(awk '$1 == "qcow2_read" { print $2, $3, $4 }' "$W/out")"
if sed 1d "$W/xen" | awk -f "$here/report.awk" - "$W/ours" >/dev/null; then
	is 'a row that Xen lacks' refused taken
fi
