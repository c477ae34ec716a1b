#!/bin/sh
# SPDX-License-Identifier: MIT
# report.awk on made-up lines: ratios and goals; what is missing is seen.
set -eu
here=$(dirname "$0")
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

is() { [ "$2" = "$3" ] || { echo "$1: '$3', not '$2'"; exit 1; }; }

printf 'compile 1000\nweb 100\n' >"$W/bare"
printf 'compile 1100\nweb 200\n' >"$W/xen"
printf 'compile 1010\nweb 150\n' >"$W/ours"
awk -f "$here/report.awk" "$W/bare" "$W/xen" "$W/ours" >"$W/out"
is 'the ratios' '1.100 1.010 0.918 1.02 met' "$(awk '$1 == "compile" { print $5, $6, $7, $8, $9 }' "$W/out")"
is 'a goal' '1.500 1.10 missed' "$(awk '$1 == "web" { print $6, $8, $9 }' "$W/out")"
sed -i 1d "$W/xen"
if awk -f "$here/report.awk" "$W/bare" "$W/xen" "$W/ours" >/dev/null; then is 'a figure that Xen lacks' refused taken; fi
: >"$W/none"
if awk -f "$here/report.awk" "$W/bare" "$W/none" "$W/none" >/dev/null; then is 'no figure' refused taken; fi
