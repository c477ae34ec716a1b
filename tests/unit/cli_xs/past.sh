#!/bin/sh
# SPDX-License-Identifier: MIT
# past.sh XENSTORED XS LIBXENSTORE - xs log, rollback, and PATH@REV in read, tree and diff, against a store that has
# nothing but a past (past_server.py).
. "$(dirname "$0")/lib.sh"
"$(dirname "$0")/past_server.py" "$dir/socket" "$dir/changes" &
daemon=$!
export XENSTORED_PATH="$dir/socket" TZ=UTC
for _ in $(seq 4800); do [ -S "$dir/socket" ] && break; sleep 0.05; done

run "$xs_prog" log /config
is "log: newest first, with who, and no byte that could harm a terminal" \
"REVISION  WHEN                 WHO         WHAT
       9  2023-11-14 22:13:20  d3          - /config/b
       9  2023-11-14 22:13:20  xm (uid 7)  + /config/a = 2\\x1b
       4  2023-11-14 22:13:20  xm (uid 7)  + /config/a = 1" "$out"
run "$xs_prog" log -n 1 /config
is "log -n: whole revisions" 2 "$(printf '%s\n' "$out" | grep -c 2023)"
run "$xs_prog" log -j /config
is "log --json" '[9, 9, 4] None' "$(printf '%s' "$out" | python3 -c 'import json,sys; d = json.load(sys.stdin); print([x["revision"] for x in d], d[0]["value"])')"

run "$xs_prog" read /config/a@4
is "read PATH@REV" 1 "$out"
run "$xs_prog" read /config/a@now
is "read PATH@now" 2 "$out"
run "$xs_prog" read /config/q@4
is "read: what was not there then is status 1" 1 "$rc"
run "$xs_prog" tree /config@4
is "tree PATH@REV" '/config
+- a = 1
`- b = x
   `- c = y' "$out"
run "$xs_prog" tree --depth 1 /config@4
is "tree: no half of the past" 2 "$rc"
run "$xs_prog" tree /config@1
is "tree: a revision that is forgotten is said to be" "xs: /config: what was there at that revision is not known any more" "$(cat "$dir/err")"
run "$xs_prog" tree /config@5
is "tree: records that are none are refused" 1 "$rc"
run "$xs_prog" tree /config@6
is "tree: what was not asked for is refused" 1 "$rc"

run "$xs_prog" diff /config@4
is "diff PATH@REV: to now" '~ /config/a = 1 -> 2
- /config/b = x
- /config/b/c = y
+ /config/d = new' "$out"
is "diff: status 1, they differ" 1 "$rc"
run "$xs_prog" diff /config@4 /config@4
is "diff: status 0, they do not" 0 "$rc"

run "$xs_prog" rollback -n 4 /config
is "rollback -n: shows" '- /config/d
+ /config/a = 1
+ /config/b = x
+ /config/b/c = y' "$out"
is "rollback -n: changes nothing" '' "$(cat "$dir/changes" 2>/dev/null)"
run "$xs_prog" rollback 4 /config
is "rollback: status 0" 0 "$rc"
is "rollback: one transaction, removals first, values and permissions" '13 /config/d
11 /config/a 1
14 /config/a n0 r5
11 /config/b x
14 /config/b n0
11 /config/b/c y
14 /config/b/c n0
7 T' "$(cat "$dir/changes")"
run "$xs_prog" rollback 1 /config
is "rollback: not to a revision that is forgotten" "1 xs: /config: what was there at that revision is not known any more" "$rc $(cat "$dir/err")"
run "$xs_prog" rollback now
is "rollback: only to a revision" 2 "$rc"
plan
