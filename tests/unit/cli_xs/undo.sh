#!/bin/sh
# SPDX-License-Identifier: MIT
# undo.sh XENSTORED XS LIBXENSTORE - the same as past.sh with the real store: what was changed, by whom, what was there
# before, and back again, over a restart that nobody announced.
. "$(dirname "$0")/lib.sh"
start_store

# revision PATH: the last that changed something at or below it.
revision() { "$xs_prog" log -j -n 1 "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["revision"])'; }

"$xs_prog" write /config/shop/colour red
"$xs_prog" write /config/shop/size 40
first=$(revision /config/shop)
"$xs_prog" write /config/shop/colour green
"$xs_prog" rm /config/shop/size
"$xs_prog" write /config/shop/extra yes

run "$xs_prog" log -j /config/shop/colour
is "log: both values, and the program that wrote them" "[('green', True), ('red', True)]" \
	"$(printf '%s' "$out" | python3 -c 'import json,sys; print([(x.get("value"), x["who"].startswith("xs")) for x in json.load(sys.stdin)])')"
is "read PATH@REV" red "$("$xs_prog" read "/config/shop/colour@$first")"
is "tree PATH@REV" "/config/shop
+- colour = red
\`- size = 40" "$("$xs_prog" tree "/config/shop@$first")"

kill -9 "$daemon"
wait "$daemon" 2>/dev/null
start_store
run "$xs_prog" diff "/config/shop@$first"
is "diff: to now, also after a restart" "~ /config/shop/colour = red -> green
- /config/shop/size = 40
+ /config/shop/extra = yes" "$out"
before=$(revision /config/shop)
run "$xs_prog" rollback "$first" /config/shop
is "rollback" "0 red 40" "$rc $("$xs_prog" read /config/shop/colour) $("$xs_prog" read /config/shop/size)"
run "$xs_prog" exists /config/shop/extra
is "what was not there is gone" 1 "$rc"
run "$xs_prog" rollback "$before" /config/shop
is "a rollback can be rolled back" "0 green yes" "$rc $("$xs_prog" read /config/shop/colour) $("$xs_prog" read /config/shop/extra)"
run "$xs_prog" exists /config/shop/size
is "whole" 1 "$rc"
plan
