#!/bin/sh
# SPDX-License-Identifier: MIT
# wait.sh - xs wait with a store that says something right behind the answers (wait_server.py).
. "$(dirname "$0")/lib.sh"
"$(dirname "$0")/wait_server.py" "$dir/socket" & daemon=$!
export XENSTORED_PATH="$dir/socket"
until_so test -S "$dir/socket"

run "$xs_prog" wait -t 60s '/w/*=2'
is "a node that the pattern names is so" 0 "$rc"
run "$xs_prog" wait -t 500ms '/w/*=1'
is "what is heard behind the look makes no node so" "124 1" "$rc $(echo "$err" | grep -c '/w/\*: not so')"
run "$xs_prog" wait -t 500ms /w/a '/w/*=1'
is "nor of several" 124 "$rc"
plan
