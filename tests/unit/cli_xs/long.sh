#!/bin/sh
# SPDX-License-Identifier: MIT
# long.sh - values of more bytes than a message of Xen's has, under one name in every command of xs;
# what Xen's tools see of them; what is not one although it looks so.
. "$(dirname "$0")/lib.sh"
start_store
xs() { "$xs_prog" "$@"; }
same() { if cmp -s "$2" "$3"; then pass "$1"; else fail "$1" "$(cmp "$2" "$3" 2>&1; ls -l "$2" "$3")"; fi; }
bytes() { head -c "$1" /dev/urandom; }
back() { xs read --raw "$1" >"$dir/back"; }
watched() { xs watches | grep -q "$1"; }
parts() { xs exists "$1/@ff0" && echo parts || echo none; }

# ---- at the limit, below, past ----
# /long/v and a NUL are 8 bytes of the 4096
for size in 0 1 4087 4088 4089 6000 6001 10000 1048576; do
	bytes $size >"$dir/value"
	xs write --stdin /long/v <"$dir/value"
	back /long/v
	same "$size bytes come back" "$dir/value" "$dir/back"
	is "$size bytes: parts only past 4088" "$([ $size -gt 4088 ] && echo parts || echo none)" "$(parts /long/v)"
done
bytes 1048577 >"$dir/value"
run xs write --stdin /long/v <"$dir/value"
is "a byte more is refused" 1 "$rc"
is "with the limit" "xs: standard input: a value has at most 1048576 bytes" "$err"
back /long/v
is "and nothing is written" 1048576 "$(wc -c <"$dir/back")"
deep=/long/$(printf '%0250d/' 1 2 3 4 5 6 7 8 9 10 11 12)$(printf %047d 1)
is "the longest path for parts" 3065 "${#deep}"
deep=${deep%?}
bytes 3000 >"$dir/value"
xs write --stdin "$deep" <"$dir/value"; back "$deep"
same "a path of 3064 bytes has a long value" "$dir/value" "$dir/back"
run xs write --stdin "${deep}1" <"$dir/value"
is "one of 3065 has none" 1 "$rc"
bytes 1000 >"$dir/value"
xs write --stdin "${deep}1" <"$dir/value"; back "${deep}1"
same "but one that fits" "$dir/value" "$dir/back"
xs rm /long

# ---- what looks like a mark ----
xs write /long/m '@long:5:1:00000000'; is "a value that reads like a mark comes back" '@long:5:1:00000000' "$(xs read /long/m)"
is "because it is kept in parts" parts "$(parts /long/m)"
xs write /long/m '@long:05:1:00000000'; is "one that does not is kept as it is" none "$(parts /long/m)"
ln -sf "$xs_prog" "$dir/xenstore-write"; ln -sf "$xs_prog" "$dir/xenstore-read"; ln -sf "$xs_prog" "$dir/xenstore-ls"
"$dir/xenstore-write" /long/w '@long:5:1:00000000'
is "a mark without parts is a value" '@long:5:1:00000000' "$(xs read /long/w)"
is "in a tree too" '@long:5:1:00000000' "$(xs export /long/w | jq -r .long.w)"
"$xs_prog" watch --json --initial none -n 1 /long/w >"$dir/events" 2>/dev/null &
until_so grep -q synced "$dir/events"
"$dir/xenstore-write" /long/w '@long:7:1:00000000'; wait $!
is "and in a watch" '@long:7:1:00000000' "$(jq -r 'select(.value) | .value' "$dir/events")"

# ---- marks that cost more than they give ----
# requests COMMAND...: how many READs the daemon had meanwhile
reads() { xs metrics -j | jq '.xenstored_requests_total.READ // 0'; }
requests() { before=$(reads); "$@" >"$dir/out" 2>&1; echo $(($(reads) - before)); }
few() { if [ "$2" -le "$3" ]; then pass "$1"; else fail "$1" "$2 requests, at most $3"; fi; }
raw=$dir/xenstore-write # which takes each value as it is
million=@long:1048576:1048576:00000000 whole=@long:1048576:525:00000000
"$raw" /many/a "$million" /many/b "$whole" /many/c "$whole" /many/c/@ff0 "$(printf %02000d 0)"
few "a mark of a million parts is none" "$(requests xs read /many/a)" 3
is "it is a value" "$million" "$(xs read /many/a)"
few "one whose first part is missing is read no further" "$(requests xs read /many/b)" 5
few "one whose second is missing not to its end" "$(requests xs read /many/c)" 50
is "they are values" "$whole $whole" "$(xs read /many/b) $(xs read /many/c)"
few "ls and stat ask no more" "$(requests xs ls /many)" 100
few "nor does a write over one" "$(requests xs write /many/a plain)" 5
is "which is then written" plain "$(xs read /many/a)"
"$xs_prog" watch --json --plain --initial none /many >"$dir/events" 2>/dev/null &
watcher=$!
until_so grep -q synced "$dir/events"
before=$(reads)
# more than are read at once
set --
for i in $(seq 60); do set -- "$@" "/many/m$i" "$([ $((i % 2)) = 0 ] && echo "$million" || echo "$whole")"; done
"$raw" "$@"
bytes 5000 | base64 -w 0 >"$dir/value"
xs write --stdin /many/last <"$dir/value"
all_told() { [ "$(jq -r 'select(.value) | .path' "$dir/events" | grep -c -e '^/many/m[0-9]*$' -e last)" -ge 61 ]; }
until_so all_told
few "a watch of many does not read their parts" $(($(reads) - before)) 400
kill $watcher; wait $watcher 2>/dev/null
is "and tells each value" "30 30" "$(for v in $million $whole; do jq -r "select(.value == \"$v\") | .path" "$dir/events" | sort -u | wc -l; done | xargs)"
is "a long one among them too" "$(cat "$dir/value")" "$(jq -r 'select(.path == "/many/last") | .value' "$dir/events" | tail -1)"
xs rm /many

# ---- a time to live ----
gone() { ! xs exists "$1"; }
xs write --ttl 200ms /long/ttl '@long:5:1:00000000'
if comes_so gone /long/ttl; then pass "a value that reads like a mark goes with its time"; else fail "a value that reads like a mark goes with its time"; fi
run xs write --ttl 5s /long/ttl "$(printf %01025d 0)"
is "too long a one is refused" "1 xs: /long/ttl: a value of 1025 bytes: with --ttl at most 1024 are allowed" "$rc $err"
is "and not written" 1 "$(xs exists /long/ttl; echo $?)"
xs write --ttl 5s /long/ttl "$(printf %01024d 0)"; is "one of the limit is written" 1024 "$(xs read --raw /long/ttl | wc -c)"
run xs write --ttl 5s /long/ttl one /long/ttl two
is "what has another value at the end does not go, and that is said" 1 "$rc"
is "in words" 1 "$(echo "$err" | grep -c '/long/ttl: does not have the value')"
xs rm /long/ttl

# ---- what was left of one ----
left() { "$dir/xenstore-ls" "$1" | sed 's/ = .*//' | sort | xargs; }
bytes 12000 >"$dir/old"; bytes 4200 | base64 -w 0 | head -c 4200 >"$dir/new"
# old: six parts whose mark somebody wrote over
old() { xs write --stdin /long/s <"$dir/old"; "$raw" /long/s plain; }
old; is "what is written over a mark leaves its parts" "@ff0 @ff1 @ff2 @ff3 @ff4 @ff5" "$(left /long/s)"
xs write --stdin /long/s <"$dir/new"
is "the next long value leaves none" "@ff0 @ff1 @ff2" "$(left /long/s)"
old; xs write --stdin /long/from <"$dir/new"; xs cp -f /long/from /long/s
is "nor does cp" "@ff0 @ff1 @ff2" "$(left /long/s)"
old; jq -n --rawfile v "$dir/new" '{"long": {"s": $v}}' >"$dir/doc.json"; xs import -q "$dir/doc.json"
is "nor import" "@ff0 @ff1 @ff2" "$(left /long/s)"
old; xs apply -y "$dir/doc.json" >/dev/null
is "nor apply" "@ff0 @ff1 @ff2" "$(left /long/s)"
is "the value is whole" "$(cat "$dir/new")" "$(xs read /long/s)"
"$raw" /long/s/@ff7 stray; xs write /long/s short
is "nor a short one over a long one" "" "$(left /long/s)"
xs rm /long/s; xs rm /long/from

# ---- what Xen's tools see ----
yes 'a line of a certificate' | head -c 5000 >"$dir/cert"
xs write --stdin /long/cert <"$dir/cert"
is "xenstore-read shows the mark" "@long:5000:3:" "$("$dir/xenstore-read" /long/cert | cut -c1-13)"
is "xenstore-ls the parts" "@ff0 @ff1 @ff2" "$("$dir/xenstore-ls" /long/cert | sed 's/ = .*//' | sort | xargs)"
"$dir/xenstore-write" /long/cert short
is "what xenstore-write writes over it is the value" short "$(xs read /long/cert)"
xs write --stdin /long/cert <"$dir/cert"; back /long/cert
same "and a long one is made again" "$dir/cert" "$dir/back"
"$dir/xenstore-write" /long/cert/@ff1 broken
is "a damaged one is its mark" "@long:5000:3:" "$(xs read /long/cert | cut -c1-13)"
xs write --stdin /long/cert <"$dir/cert"; back /long/cert
same "until it is written again" "$dir/cert" "$dir/back"

# ---- every command ----
xs write /long/cert/child beside /long/other small
is "ls has one name" "cert m other w" "$(xs ls -n /long | xargs)"
is "tree one too" "/long +- cert | \`- child +- m +- other \`- w" "$(xs tree -n /long | xargs -d '\n' | tr -s ' ')"
is "list too" child "$(xs list /long/cert | xargs)"
is "find finds text past the first part" /long/cert "$(xs find -n --value 'certificate
a line' /long)"
is "stat knows its size and children" "5000 1" "$(xs stat -j /long/cert | jq -r '"\(.size) \(.children)"')"
is "read in JSON" 5000 "$(xs read -j /long/cert | jq -j . | wc -c)"
xs export /long >"$dir/doc.json"
is "export has it as one value" "$(cat "$dir/cert")" "$(jq -r '.long.cert["@value"]' "$dir/doc.json")"
xs export --exact --perms /long >"$dir/exact"
is "the exact form too" 0 "$(grep -c @ff "$dir/exact")"
is "diff sees no difference" 0 "$(xs diff "$dir/doc.json" >"$dir/out"; echo $?)"
xs rm /long; xs import -q "$dir/doc.json"
xs export /long >"$dir/again.json"
same "import brings it back" "$dir/doc.json" "$dir/again.json"
xs rm /long; xs import -q "$dir/exact"
xs export --exact --perms /long >"$dir/again"
same "the exact form too" "$dir/exact" "$dir/again"
jq '.long.cert["@value"] |= sub("line"; "LINE")' "$dir/doc.json" >"$dir/new.json"
is "diff says what is different" "~ /long/cert = a LINE" "$(xs diff "$dir/new.json" | head -1 | cut -c1-21)"
xs apply -y "$dir/new.json" >/dev/null 2>&1 || xs apply "$dir/new.json" >/dev/null
is "apply changes it" "a LINE" "$(xs read /long/cert | cut -c1-6)"
jq '.long.cert["@value"] = "now short"' "$dir/doc.json" >"$dir/new.json"
xs import -q "$dir/new.json"
is "a short one takes its place" "now short none" "$(xs read /long/cert) $(parts /long/cert)"
xs import -q "$dir/doc.json"; xs import -q --prune "$dir/doc.json" 2>/dev/null
back /long/cert; same "pruning leaves parts alone" "$dir/cert" "$dir/back"
xs cp /long/cert /copy/of; xs read --raw /copy/of >"$dir/back"
same "cp copies it" "$dir/cert" "$dir/back"
xs cp -f /long/other /copy/of; is "cp -f of a short one over it" "small none" "$(xs read /copy/of) $(parts /copy/of)"
xs mv /long/cert /moved; xs read --raw /moved >"$dir/back"
same "mv moves it" "$dir/cert" "$dir/back"
is "away" 1 "$(xs exists /long/cert; echo $?)"
xs perms /moved n0 r3
is "its parts have its permissions" n0,r3 "$(xs perms /moved/@ff2)"
xs write --stdin /moved <"$dir/cert"; is "also new ones" n0,r3 "$(xs perms /moved/@ff0)"
xs write --if-value "$(cat "$dir/cert")" /moved no; is "a condition is about all of it" "no none" "$(xs read /moved) $(parts /moved)"
xs write --stdin /moved <"$dir/cert"
run xs rm --if-value "$(head -c 4999 "$dir/cert")" /moved; is "also of rm" 1 "$rc"
xs wait -t 20s "/moved=$(cat "$dir/cert")"; is "wait waits for all of it" 0 $?
xs rm /moved; is "rm takes its parts along" 1 "$(xs exists /moved/@ff0; echo $?)"
jq -n --rawfile v "$dir/cert" '{"then": {"long": {"t": $v}}}' >"$dir/txn.json"
xs txn "$dir/txn.json" >/dev/null; back /long/t
same "a document of txn has long values" "$dir/cert" "$dir/back"
printf '{"long":{"x":"%s"}}' "$(printf %01048577d 0)" >"$dir/large.json"
run xs import "$dir/large.json"
is "too long a value in a document is said with its place" "2 1" "$rc $(echo "$err" | grep -c 'large.json:1:1.*1048577 bytes, at most 1048576')"

# ---- permissions and a longer value at once; parts that a document names ----
for how in "import -q" "apply -y"; do
	xs rm /long/p 2>/dev/null
	xs write --stdin /long/p <"$dir/cert"
	jq -n --arg v "$(printf %016000d 7)" '{"long": {"p": {"@value": $v, "@perms": ["n0", "r5"]}}}' >"$dir/perms.json"
	run xs $how "$dir/perms.json"
	is "$how of a longer value with permissions" "0  16000 n0,r5" "$rc $err $(xs read --raw /long/p | wc -c) $(xs perms /long/p/@ff7)"
done
printf '{"long": {"q": {"@value": "@long:5:1:00000000",\n "@wire:@ff0": "x"}}}' >"$dir/parts.json"
run xs import "$dir/parts.json"
is "a part in a document beside its value is refused, with its place" "2 1" \
	"$rc $(echo "$err" | grep -c 'parts.json:2:16: /long/q/@ff0 is a part of the long value above it: leave it out')"
jq -n --arg v "$(printf %016000d 7)" '{"then": {"long": {"q": {"@value": $v, "@wire:@ff9": null}}}}' >"$dir/parts.json"
run xs txn "$dir/parts.json"
is "in txn too" "2 1" "$rc $(echo "$err" | grep -c 'leave it out')"
"$raw" /long/broken '@long:5:1:00000000' /long/broken/@ff0 no
for how in cp mv; do
	xs $how /long/broken "/long/$how"
	is "$how leaves a mark of something else as it was" "@long:5:1:00000000 no" "$(xs read "/long/$how") $(xs read "/long/$how/@ff0")"
done

# ---- watch ----
xs rm /long
for mode in "" --plain; do
	xs write /long/k v
	"$xs_prog" watch --json $mode --initial none --prev /long >"$dir/events" 2>/dev/null &
	watcher=$!
	until_so grep -q synced "$dir/events"
	xs write --stdin /long/cert <"$dir/cert"
	until_so grep -q '"/long/cert"' "$dir/events"
	xs write /long/cert short
	until_so grep -q '"value":"short"' "$dir/events"
	kill $watcher; wait $watcher 2>/dev/null
	is "watch $mode tells a long value as one" "5000 short" \
		"$(jq -r 'select(.path == "/long/cert") | if (.value | length) > 10 then (.value | length) else .value end' "$dir/events" | xargs)"
	is "watch $mode tells no parts" 0 "$(grep -c @ff "$dir/events")"
	is "watch $mode knows what was before" 5000 "$(jq -r 'select(.value == "short") | .prev | length' "$dir/events")"
	xs rm /long
done

head -c 200000 /dev/zero | tr '\0' z >"$dir/large"
"$xs_prog" watch --initial none -n 1 /long/exec --exec sh -c "jq -r .value | tr -d '\\n' | wc -c >$dir/got; echo \${XS_VALUE-unset} >>$dir/got" 2>"$dir/err" &
until_so watched /long/exec
xs write --stdin /long/exec <"$dir/large"; wait $!
is "a command gets a value that is too long for its environment on its input" "200000 unset" "$(xargs <"$dir/got")"

# ---- all or nothing ----
# a reader among writers: always one of both, never parts of two
yes A | head -c 9000 >"$dir/a"; yes B | head -c 9001 >"$dir/b"
xs write --stdin /long/race <"$dir/a"
( while [ ! -e "$dir/stop" ]; do xs write --stdin /long/race <"$dir/a"; xs write --stdin /long/race <"$dir/b"; done ) &
writer=$!
mixed=0
for _ in $(seq 60); do
	back /long/race
	cmp -s "$dir/back" "$dir/a" || cmp -s "$dir/back" "$dir/b" || mixed=$((mixed + 1))
	case $(xs export /long | jq -j .long.race | tr -d '\n' | fold -w1 | sort -u | xargs) in A | B) ;; *) mixed=$((mixed + 1)) ;; esac
done
touch "$dir/stop"; wait $writer
is "readers among writers see one or the other" 0 $mixed

# ---- a value in the past ----
yes old | head -c 6000 >"$dir/old"
xs write --stdin /config/cert <"$dir/old"
rev=$(xs log -j /config/cert | jq -r '[.[].revision] | max')
xs write /config/cert new
is "what was there at a revision is whole" "$(cat "$dir/old")" "$(xs read --raw "/config/cert@$rev")"
xs rollback "$rev" /config/cert >/dev/null; xs read --raw /config/cert >"$dir/back"
same "and rollback brings it back" "$dir/old" "$dir/back"
plan
