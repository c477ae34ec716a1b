#!/bin/sh
# SPDX-License-Identifier: MIT
# bulk.sh - trees that are larger than one answer of the daemon: how many requests import and export make of
# them, and that it comes whole also while others write.
. "$(dirname "$0")/lib.sh"
start_store
xs() { "$xs_prog" "$@"; }

# requests: all that were made, but for that of stats itself
requests() { xs stats | awk '$3 == "errors" { nr += $2 } END { print nr - 1 }'; }
# asked COMMAND...: how many more there are behind it
asked() { before=$(requests); "$@" >"$dir/out"; echo $(($(requests) - before - 1)); }
same() { if cmp -s "$dir/doc" "$dir/out"; then pass "$1"; else fail "$1" "$(cmp "$dir/doc" "$dir/out" 2>&1)"; fi; }
below() { if [ "$2" -lt "$3" ]; then pass "$1"; else fail "$1" "$2 requests, not less than $3"; fi; }

# 700 directories of 100: above the 65,536 nodes of a dump
python3 - >"$dir/doc" <<'P'
import json
tree = {"tool": {"many": {f"d{d}": {f"k{k}": f"value {d} {k}" for k in range(100)} for d in range(700)}}}
print(json.dumps(tree, indent=2, sort_keys=True))
P
below "a new tree is not asked for node by node" "$(asked xs import -q "$dir/doc")" 73000
below "a large one comes in few answers" "$(asked xs export /tool/many)" 1000
same "as it went in"
below "no more are needed from the root" "$(asked xs tree /)" 1000

# a leaf below a directory that is there is looked at, also behind one that is not
printf '{"tool":{"few":{"a":{"b":"1"}}}}' | xs import -q
printf '{"tool":{"few":{"a":{"b":"1","c":"2"},"aa":{"x":{"y":"3"}},"b":"4"},"many":{"d0":{"k0":"new"}}}}' >"$dir/more"
xs import -v "$dir/more" >"$dir/plan"
is "only what differs is planned" "/tool/few/a/c /tool/few/aa /tool/few/aa/x /tool/few/aa/x/y /tool/few/b /tool/many/d0/k0" \
	"$(grep -o '/tool[^ ]*' "$dir/plan" | xargs)"
is "and nothing of it a second time" "" "$(xs import -v "$dir/more" | grep -o '/tool[^ ]*')"
xs write /tool/many/d0/k0 "value 0 0"

# Somebody changes something else all the time: no two answers are of one revision, and it is read in a transaction.
(while [ ! -e "$dir/end" ]; do xs write /tool/few/a/b "$(date +%N)"; done) &
writer=$!
xs export /tool/many >"$dir/out"
same "it comes whole beside changes"
: >"$dir/end"
wait $writer
plan
