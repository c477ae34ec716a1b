#!/bin/sh
# SPDX-License-Identifier: MIT
# peers_report.awk on made-up measurements: the median, the ratio, who wins; what has no figure says why.
set -eu
report=$(dirname "$0")/peers_report.awk
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

is() { [ "$2" = "$3" ] || { echo "$1: '$3', not '$2'"; cat "$W/out"; exit 1; }; }

# figures CLASS ROW PEER FIGURE...
figures()
{
	start=$(printf '%s\t%s\tms\t%s' "$1" "$2" "$3")
	shift 3
	for figure; do printf '%s\t%s\n' "$start" "$figure"; done
}

# words ROW: its line, one space between words; the first one of that name.
words() { grep "^$1," "$W/out" | head -n 1 | tr -s ' '; }

{
	figures disk write ours 10 2 3
	figures disk write redis-cli 4 9 40
	figures disk write dconf 2.5
	printf 'disk\tall\t\tconsul\t- not in Debian 12\n'
	figures disk read ours 2 1
	figures disk read redis-cli 1
	figures disk read dconf '- dconf ended with 1: no bus'
	figures memory read ours 5
	figures memory read redis-cli 10
} >"$W/lines"
status=0
awk -f "$report" "$W/lines" >"$W/out" || status=$?
is 'a lost row' 1 $status
is 'median and ratios' 'write, ms 3 3.00 9.00 (3.00) 2.50 (0.83) no (below) LOST to dconf' "$(words write)"
is 'as good is not lost' 'read, ms 2 1.00 1.00 (1.00) no (below) no (below) met' "$(words read)"
is 'a peer of the other class' 2 "$(grep -c '^read,' "$W/out")"
is 'why, of all rows' 1 "$(grep -cx 'consul: not in Debian 12' "$W/out")"
is 'why, of a row' 1 "$(grep -cx 'dconf, read: dconf ended with 1: no bus' "$W/out")"

grep -v 'write.*dconf' "$W/lines" | awk -f "$report" >"$W/out" || is 'a table without a lost row' met lost
if grep -v 'memory.*ours' "$W/lines" | grep -v 'write.*dconf' | awk -f "$report" >"$W/out"; then is 'ours without a figure' lost met; fi
if awk -f "$report" /dev/null >"$W/out"; then is 'nothing measured' lost met; fi
if echo 'disk write ours 3' | awk -f "$report" >"$W/out" 2>&1; then is 'a line of another form' refused taken; fi
