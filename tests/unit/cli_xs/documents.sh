#!/bin/sh
# SPDX-License-Identifier: MIT
# documents.sh - JSON out of the store and into it: export, import, diff, apply. What comes out goes
# in again and comes out the same, byte for byte.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
unset LD_LIBRARY_PATH
cd "$dir" || exit 99

cat >a.json <<'JSON'
{"config": {"domain": {"web": {
  "memory": 128, "autostart": true, "ratio": 1.5, "off": false,
  "disk": [{"target": "file:/x", "mode": "w"}, {"target": "phy:/y"}],
  "name": {"@value": "näme\n\"q\" \\", "sub": "1"},
  "bin": {"@b64": "AAH/"}, "@@odd": "q", "empty": {}, "e2": "",
  "both": {"@value": {"@b64": "gA=="}, "child": "c"},
  "vncpasswd": "geheim", "p": {"@value": "v", "@perms": ["n0", "r5", "b7"]}}}}}
JSON
run xs import a.json
is "import writes a document" 0 $rc
is "numbers, true and false become text" "128 1 1.5 0" \
	"$(xs read -v /config/domain/web/memory /config/domain/web/autostart \
	   /config/domain/web/ratio /config/domain/web/off | xargs)"
is "an array becomes children 0, 1, ..." phy:/y "$(xs read /config/domain/web/disk/1/target)"
is "@b64 becomes bytes" 0001ff "$(xs read -r /config/domain/web/bin | od -An -tx1 | tr -d ' \n')"
is "@perms become permissions" n0,r5,b7 "$(xs perms /config/domain/web/p)"
is "@@name is a child called @name" q "$(xs read /config/domain/web/@odd)"
is "an empty object is an empty node" 0 "$(xs exists /config/domain/web/empty; echo $?)"

# round trips
for form in "" --perms --exact; do
	xs export $form /config >one.json
	xs rm /config/domain
	run xs import -q one.json
	xs export $form /config >two.json
	is "export $form, import, export gives the same bytes" "0 0" "$rc $(cmp one.json two.json; echo $?)"
	run xs diff one.json
	is "and diff $form finds no difference" "0 " "$rc $out"
done
xs export --relative /config/domain/web >rel.json
xs rm /config/domain/web; xs import -q --at /config/domain/web rel.json
is "export --relative and import --at go together" 128 "$(xs read /config/domain/web/memory)"
is "a document ends with a newline" 1 "$(tail -c 1 one.json | wc -l)"
xs write /local/domain/9/x 1
is "export of everything leaves runtime keys out" 0 "$(xs export | grep -c local)"
is "export --all does not" 1 "$(xs export --all | grep -c '"local"')"
is "export --flat is PATH=VALUE" /config/domain/web/memory=128 "$(xs export -f /config | grep memory)"
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
echo "# seed $seed"
awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 0; i < 400; i++) { p = "/rnd"; n = 1 + int(rand() * 5)
	for (j = 0; j < n; j++) p = p "/" substr("abcdeXYZ019-_@", 1 + int(rand() * 14), 1)
	printf "%s\n%s\n", p, int(rand() * 3) ? int(rand() * 1e6) : "" } }' >pairs
xargs -d '\n' -n 200 xs write <pairs
xs export /rnd >one.json; xs rm /rnd; xs import -q one.json; xs export /rnd >two.json
is "a random tree makes the round trip" "0" "$(cmp one.json two.json; echo $?)"

# differences
xs export /config >base.json
xs write /config/domain/web/memory 256 /config/domain/web/vncpasswd other
run xs diff base.json
is "diff says what apply would change, with status 1" "1 1" \
	"$rc $(echo "$out" | grep -c '^~ /config/domain/web/memory = 128   was 256$')"
is "diff never shows a secret" 0 "$(echo "$out" | grep -c 'geheim\|other')"
xs export /config >new.json
run xs diff base.json new.json
is "diff of two documents" "1 ~ /config/domain/web/memory = 256   was 128" \
	"$rc $(echo "$out" | grep memory)"
is "diff --json-patch is a JSON patch" 1 \
	"$(xs diff --json-patch base.json | grep -c '"op":"replace","path":"/config/domain/web/memory"')"
run xs diff nothing.json
is "diff of a missing file: status 2" 2 $rc

# apply
echo '{"config":{"domain":{"web":{"memory":"64","e2":null}}}}' >apply.json
run xs apply -n apply.json
is "apply --dry-run changes nothing" "0 256" "$rc $(xs read /config/domain/web/memory)"
run xs apply apply.json </dev/null
is "apply asks; without a terminal it refuses" "2 256" "$rc $(xs read /config/domain/web/memory)"
run xs apply -y apply.json
is "apply changes values and removes what is null" "0 64 1" \
	"$rc $(xs read /config/domain/web/memory) $(xs exists /config/domain/web/e2; echo $?)"
run xs apply -y --prune apply.json
is "apply --prune without @roots is refused" 2 $rc
echo '{"@roots":["/config/domain/web"],"config":{"domain":{"web":{"memory":"64"}}}}' >prune.json
xs write /config/domain/db/memory 1
run xs apply -y --prune prune.json
is "apply --prune removes what is not in the document, below its roots only" "0 memory 1" \
	"$rc $(xs list /config/domain/web | xargs) $(xs read /config/domain/db/memory)"
run xs import apply.json
is "import takes null as a value" "0 null" "$rc $(xs export -r /config/domain/web/e2)"
xs rm /config/domain/web/e2

# what was shown is what is done: another plan is not carried out after the answer
mkfifo answer
xs write /config/domain/web/memory 64
echo '{"config":{"domain":{"web":{"memory":"65"}}}}' >ask.json
script -qec "$xs_prog apply ask.json" /dev/null <answer >shown 2>&1 &
asking=$!
exec 9>answer
until_so grep -q 'Change this' shown
xs write /config/domain/web/memory 66
echo y >&9
wait $asking
rc=$?
exec 9>&-
is "apply does nothing when the store is another than was shown" "1 66 1" \
	"$rc $(xs read /config/domain/web/memory) $(grep -c 'changed after the plan was shown' shown)"

if [ -n "$daemon" ]; then
# generations in a backup, which others do not tell
xs rm /g 2>/dev/null; xs write /g/a 1
gen=$(xs stat /g/a | awk '/^generation/{print $2}')
xs export --exact --gen /g >gens
is "export --exact --gen tells generations" "$gen" "$(sed -n 's/.*"gen":\([0-9]*\),"path":"\/g\/a".*/\1/p' gens)"
run xs import gens
is "and is read back" "0 nothing to change" "$rc $out"
xs rm /g
fi

# documents with a name of their own
xs rm /config; xs write /config/domain/hand/memory 32
echo '{"@set":"front","@roots":["/config/domain"],"config":{"domain":{"web":{"memory":"64","vcpus":"1"},"db":{"memory":"32"}}}}' >front.json
echo '{"@set":"back","@roots":["/config/domain"],"config":{"domain":{"store":{"memory":"64"},"web":{"maxmem":"128"}}}}' >back.json
run xs apply -y --prune front.json
is "apply of a document with a set remembers what it declares" "0 /config/domain/db /config/domain/db/memory /config/domain/web \
/config/domain/web/memory /config/domain/web/vcpus" \
	"$rc $(xs find -v '/config/domain' '/config/apply/front/*' | sed 's/.* = //' | sort | xargs)"
is "what people made is not pruned by it" 32 "$(xs read /config/domain/hand/memory)"
run xs apply -y --prune back.json
is "nor what another set declares" "0 64 32 128" \
	"$rc $(xs read /config/domain/web/memory) $(xs read /config/domain/db/memory) $(xs read /config/domain/web/maxmem)"
sed 's/"db":{"memory":"32"}/"db":null/; s/,"vcpus":"1"//' front.json >front2.json
run xs apply -y front2.json
is "null removes; what is only left out stays without --prune" "0 1 1" \
	"$rc $(xs exists /config/domain/db; echo $?) $(xs read /config/domain/web/vcpus)"
run xs apply -y --prune front2.json
is "and goes with it, though another run did not" "0 1 128" \
	"$rc $(xs exists /config/domain/web/vcpus; echo $?) $(xs read /config/domain/web/maxmem)"
echo '{"@set":"front","@roots":["/config/domain"]}' >none.json
run xs apply -y --prune none.json
is "a node that holds another set's stays" "0 maxmem" "$rc $(xs list /config/domain/web)"
is "an empty document's set is empty" "" "$(xs list /config/apply/front)"
sed 's/"64"/"65"/' back.json | sed 's/back/third/' >third.json
run xs apply -y third.json
is "a change of what another set declares is refused, the set named" "1 64 1" \
	"$rc $(xs read /config/domain/store/memory) $(echo "$err" | grep -c '^xs: third.json:1:.*/store/memory: the document back declares it')"
run xs apply -n --take third.json
is "--dry-run takes nothing over" "0 64" "$rc $(xs read /config/domain/store/memory)"
run xs apply -y --take third.json
is "--take takes it over" "0 65 third" "$rc $(xs read /config/domain/store/memory) \
$(xs find -v /config/domain/store/memory '/config/apply/*/*' | cut -d / -f 4)"
echo '{"@roots":["/config/domain"]}' | run xs apply -y --prune -
is "pruning without a set spares every set's" "65 1" "$(xs read /config/domain/store/memory) $(xs exists /config/domain/hand; echo $?)"
echo '{"@set":"a/b","config":{}}' >set.json
run xs apply -y set.json
is "a set's name is checked" "2 1" "$rc $(echo "$err" | grep -c 'set.json:1:9: /@set: @set is a name')"
xs rm /config

# what is wrong is told at once, before anything is changed
bad() { # DESCRIPTION DOCUMENT WHAT-STDERR-NAMES
	printf '%s' "$2" >bad.json
	before=$(xs export --all)
	run xs import bad.json
	is "$1: status 2, the place named, nothing changed" "2 1 same" \
		"$rc $(echo "$err" | grep -c -- "$3") $([ "$before" = "$(xs export --all)" ] && echo same)"
}
bad "a syntax error" '{"a": 1,
 "b" 2}' 'bad.json:2:'
bad "a duplicate key" '{"a": 1, "a": 2}' 'bad.json:1:.*duplicate'
bad "a name that is none of the store's" '{"c": {"@wire:d e": "1"}}' 'bad.json:1:21: /c/@wire:d e: @wire: is followed'
bad "an empty one" '{"@wire:": "1"}' 'bad.json:1:12: /@wire:: @wire: is followed'
bad "a name that is too long" "{\"$(printf '%01030d' 1 | tr 0 .)\": \"1\"}" 'bad.json:1:.*: the path has'
bad "bad permissions" '{"c": {"@perms": ["x0"]}}' 'bad.json:1:18: /c/@perms: permission 0'
bad "bad base64" '{"c": {"@b64": "###"}}' 'bad.json:1:7: /c: a value is'
bad "an unknown @key" '{"c": {"@what": 1}}' 'bad.json:1:17: /c/@what: "@what"'
bad "a value that is too long" "{\"c\": \"$(printf '%01048577d' 1)\"}" 'bad.json:1:7: /c: the value has'
bad "an empty file" '' 'bad.json:1:1: is empty'
bad "something behind the document" '{} {}' 'bad.json:1:4: something follows'
bad "the second line of an exact file" '{"path":"/a","value":"1"}

{"path":"/a","value":"2"}' 'bad.json:3:1: /a is described twice, also in line 1'
bad "a number of lines later" '{
  "a": {"b": [1, 2,
    {"c": "x",
     "@d/e": 1}]}}' 'bad.json:4:14: /a/b/2/@d~1e: '
bad "null for the root" 'null' 'bad.json:1:1: (document): null removes'
bad "an unknown kind" '{"c": {"@kind": "float"}}' 'bad.json:1:17: /c/@kind: a kind is'
printf '{"c": {"@d e": "1", "@f g": "2", "@x": "3"}}' >bad.json
run xs import bad.json
is "all problems are reported together" 4 "$(echo "$err" | wc -l)"
# what a reader does not know it refuses, with the place; nothing is done then
reader() { # WHAT FILE-TEXT PLACE COMMAND...
	what=$1 place=$3
	printf '%s' "$2" >odd.doc
	shift 3
	run "$@"
	is "$what: what is not known is refused" "2 1 untouched" \
		"$rc $(echo "$err" | grep -c "odd.doc:$place: ") $(xs read /config/odd)"
}
xs write /config/odd untouched
reader txn '{"iff": {"config": {"odd": "no"}},
 "then": {"config": {"odd": "changed"}}}' 1:9 xs txn odd.doc
reader "txn, deeper" '{"then": {"config": {"odd": {
 "@valu": "changed"}}}}' 2:11 xs txn odd.doc
reader "txn with @roots" '{"then": {"@roots": ["/config"], "config": {"odd": "changed"}}}' 1:21 xs txn odd.doc
reader import '{"config": {"odd": "changed", "b": {
 "@perm": ["n0"]}}}' 2:11 xs import odd.doc
reader apply '{"@root": ["/config"], "config": {"odd": "changed"}}' 1:11 xs apply -y odd.doc
reader "exact lines" '{"path": "/config/odd", "value": "changed",
 "prms": ["n0"]}' 2:10 xs import odd.doc
reader "exact lines with two values" '{"path": "/config/odd", "value": "a", "b64": "YQ=="}' 1:1 xs import odd.doc
reader "the automations" 'path = /config/odd
  inital = none
' 2:3 xs watch --config odd.doc
printf '{"config": {"odd": "changed"}, "@sett": "x"}' >odd.doc
run xs diff odd.doc
is "diff: what is not known is refused" "2 1" "$rc $(echo "$err" | grep -c 'odd.doc:1:')"
run xs txn <<'JSON'
{"if": {"config": {"odd": "no"}}, "then": {"config": {"odd": "changed"}}}
JSON
is "a txn whose condition is false changes nothing" "1 untouched" "$rc $(xs read /config/odd)"
run xs txn <<'JSON'
[1]
JSON
is "a txn is an object" "2" "$rc"
xs rm /config/odd

# lists
list() { xs export --relative "$1" | tr -d ' \n'; }
echo '{"l": [1, 2, {"a": 1, "b": 2}]}' | xs import -q --at /lists
is "a list is children" '[1,2,{"a":1,"b":2}]' "$(list /lists/l)"
run xs import -n --at /lists - <<'JSON'
{"l": [9]}
JSON
is "import shows what goes" "- /lists/l/1 - /lists/l/2" "$(echo "$out" | grep '^-' | xargs)"
echo '{"l": [9]}' | xs import -q --at /lists
is "a list is replaced as a whole" '[9]' "$(list /lists/l)"
echo '{"l": [{"a": 1, "b": {"c": 2}}]}' | xs import -q --at /lists
echo '{"l": [{"b": {}}]}' | xs apply -y --at /lists >/dev/null
is "also what is in its items" "b" "$(xs ls /lists/l/0 | xargs)"
run xs diff --at /lists - <<'JSON'
{"l": []}
JSON
is "diff says what goes" "1 - /lists/l/0" "$rc $out"
echo '{"l": []}' | xs import -q --at /lists
is "an empty list has nothing" "0" "$(xs ls /lists/l | wc -l)"
echo '{"l": {"keep": 1}}' | xs import -q --at /lists
echo '{"l": {"more": 1}}' | xs import -q --at /lists
is "an object is merged" '{"keep":1,"more":1}' "$(list /lists/l)"
echo '{"l": [1, 2]}' | xs import -q --at /lists2
run xs txn <<'JSON'
{"if": {"lists2": {"l": [1]}}, "then": {"lists2": {"l": ["x"]}}}
JSON
is "a condition on a list is about the whole" "1 1" "$rc $(xs read /lists2/l/0)"
xs rm -f /lists /lists2

# what a value is in JSON
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
is "a document comes out as it went in (seed $seed)" "" \
	"$(python3 "$(dirname "$0")/stable.py" "$xs_prog" "$seed" 40 "$(dirname "$0")/documents.ndjson" 2>&1)"
echo '{"kinds":{"n":1.10,"b":true,"z":null,"e":{},"l":[],"t":"1.10","x":[1,[2]]}}' >kinds.json
xs import -q --at /config kinds.json
kinds=$(list /config/kinds)
is "numbers, true, null, empty ones" '{"b":true,"e":{},"l":[],"n":1.10,"t":"1.10","x":[1,[2]],"z":null}' "$kinds"
# beyond a double
nines=$(printf '9%.0s' $(seq 400))
big='[1E+400,-1e999,"1E+400",0.4e0066999999999999999999,'$nines',-'$nines',{"k":1.5e+9999,"s":"\\\"1e999"},1e-999,2]'
printf '%s' "$big" | xs import -q --at /config/big
is "a number of any size is kept as it is written" "$big" "$(list /config/big)"
is "and is one" "1E+400 -1e999" "$(xs read -v /config/big/0 /config/big/1 | xargs)"
run xs import --at /config/big - <<JSON
$big
JSON
is "it stays as it is" "0 nothing to change" "$rc $out"
echo 1E400 | xs import -q --at /config/big1
is "alone, too" 1E400 "$(list /config/big1)"
printf '{"path":"/config/big1","value":1E401}\n{"path":"/config/big1/x","value":"-1E401"}\n' | xs import -q
is "in lines of the exact form" "1E401 -1E401" "$(xs read -v /config/big1 /config/big1/x | xargs)"
run xs import --at /config/big <<'JSON'
{"a": [1E400, 2],
 "b" 1E500}
JSON
is "what is wrong beside it is told as it is written" \
	"2 xs: standard input:2:10: ':' expected near '1E500'" "$rc $(echo "$err" | head -1)"
printf '[1E400,"a\0b",\0' >nul.json
run xs import --at /config/big nul.json
is "bytes that are no text behind it" "2" "$rc"
for bad in '[1E400' '[1E400}' '1E400x' '[01E400]' '[1E400,,]' '{"a":1E400,"a":1E400}' '[-]' '[1E400,"' '[1E400,"\'; do
	run xs import --at /config/big - <<JSON
$bad
JSON
	is "refused: $bad" "2" "$rc"
done
xs rm -f /config/big /config/big1
is "on the wire it is text" "1.10 1" "$(xs read -v /config/kinds/n /config/kinds/b /config/kinds/z | xargs)"
xs write /config/kinds/n 31
is "a write leaves a number a number" 31 "$(list /config/kinds/n)"
xs write /config/kinds/n v31 /config/kinds/b yes /config/kinds/l text
is "unless it is none any more" '"v31" "yes" "text"' \
	"$(list /config/kinds/n) $(list /config/kinds/b) $(list /config/kinds/l)"
xs import -q --at /config kinds.json
xs cp /config/kinds /config/copied
is "a copy is the same" "$kinds" "$(list /config/copied)"
xs export --exact /config/kinds >kinds.exact
xs rm /config/kinds; xs import -q kinds.exact
is "so is a backup" "$kinds" "$(list /config/kinds)"
for number in 512 1.10 12345678901234567890; do
	printf '{"path": "/config/num/%s",\n "value": %s}\n' ${#number} $number
done >numbers.exact
xs import -q numbers.exact
is "a number in an exact line is kept as it was written" "1.10 12345678901234567890 512" \
	"$(xs read -v /config/num/4 /config/num/20 /config/num/3 | xargs)"
xs rm /config/num
if [ -n "$daemon" ]; then
	kill -9 "$daemon"; wait "$daemon" 2>/dev/null
	start_store
	is "and what a killed daemon finds" "$kinds" "$(list /config/kinds)"
	rev=$(xs log -n 1 /config/kinds | awk 'END { print $1 }')
	echo '{"kinds":{"n":"1.10"}}' | xs import --at /config >said
	is "text instead of a number is a change" "1 change \"1.10\"" "$(cat said) $(list /config/kinds/n)"
	is "which the history has" "$kinds" "$(xs rollback "$rev" /config/kinds >/dev/null; list /config/kinds)"
fi
echo '{"kinds":{"n":"1.10","l":{"a":1}}}' >other.json
run xs diff --at /config other.json
is "diff says what it is and was" "~ /config/kinds/l is an object was a list
+ /config/kinds/l/a = 1
~ /config/kinds/n is text was a number" "$(echo "$out" | sed 's/   / /')"
is "also as a patch" '{"op":"replace","path":"/config/kinds/n/@kind","value":"text"}' \
	"$(xs diff --json-patch --at /config other.json | grep -o '{[^{]*kinds/n[^}]*}')"
echo '{"kinds":{"n":12345678901234567890}}' >other.json
run xs diff --json-patch --at /config other.json
is "a number larger than a machine's is one in a patch, too" 1 "$(echo "$out" | grep -c '"value": *1.2345678901234567e+*19')"
printf '{"kinds":{"n":{"@kind":"number","@value":"7"},"v":{"@value":"8","@kind":"number"}}}' >said.json
xs import -q --at /config said.json
is "what is said of a kind counts wherever it stands" "7 8" "$(list /config/kinds/n) $(list /config/kinds/v)"
xs import -q --at /config kinds.json
xs write /config/kinds/e 5
is "an object without members takes a scalar's place" '{}' "$(echo '{"kinds":{"e":{}}}' | xs import -q --at /config -; list /config/kinds/e)"
xs write /config/kinds/e/below 1
is "and takes nothing from below" '{"below":"1"}' "$(echo '{"kinds":{"e":{}}}' | xs import -q --at /config -; list /config/kinds/e)"
xs rm /config/kinds/e/below
is "a condition is about values" 0 "$(echo '{"if":{"config":{"kinds":{"n":"1.10"}}}}' | xs txn >/dev/null; echo $?)"
xs rm /config/kinds /config/copied

# names that a path cannot have
echo '{"hosts":{"www.example.org":{"mail a/b":"post@20minutes.fr"},"@@wire:x":1}}' >names.json
xs import -q names.json
is "any name can be a key" "1 post@20minutes.fr" \
	"$(xs read -v '/hosts/@wire@3ax' /hosts/www@2eexample@2eorg/mail@20a@2fb | xargs)"
is "and comes out as it was" '{"@@wire:x":1,"www.example.org":{"maila/b":"post@20minutes.fr"}}' "$(list /hosts)"
is "it can be typed, but for a slash" post@20minutes.fr "$(xs read '/hosts/www.example.org/mail a@2fb')"
xs write '/hosts/größe: 3' x
is "written" x "$(xs read '/hosts/gr@c3@b6@c3@9fe@3a@203')"
is "and found" "/hosts/www@2eexample@2eorg" "$(xs ls -0 '/hosts/www.*.org' | tr -d '\0')"
is "a program is given what every command takes" "gr@c3@b6@c3@9fe@3a@203" "$(xs ls -n /hosts | grep gr)"
if command -v script >/dev/null; then
	run script -qec "LC_ALL=C.UTF-8 '$xs_prog' tree /hosts" /dev/null
	is "a person sees the name" "1 1 1" "$(echo "$out" | grep -c 'größe: 3') \
$(echo "$out" | grep -c 'mail a@2fb') $(echo "$out" | grep -c 'www.example.org')"
fi
xs write /hosts/bad@ffx 1
is "a name that is no text has a form of its own" '{"@wire:bad@ffx":"1"}' \
	"$(xs rm '/hosts/größe: 3' /hosts/www.example.org '/hosts/@wire:x'; list /hosts)"
xs export /hosts >names.json; xs rm /hosts; xs import -q names.json
is "and makes the round trip" 1 "$(xs read /hosts/bad@ffx)"
run xs write '/hosts/a*b' 1
is "an asterisk is written as a code" "1 1" "$rc $(echo "$err" | grep -c '@2a')"
is "so is done" 1 "$(xs write '/hosts/a@2ab' 1; xs export -r /hosts | grep -c '"a\*b"')"
run xs read "/$(printf '%01030d' 1 | tr 0 .)"
is "a path that is too long as it is kept is told" "1 1" "$rc $(echo "$err" | grep -c 'longer than the store')"
xs rm /hosts

# what other stores export: names, bytes and a value above others are what they were
converter=$(dirname "$0")/../../../docs/examples/from-export.py
b64() { printf "$1" | base64 -w 0; }
cat >etcd.json <<JSON
{"kvs": [{"key": "$(b64 /a)", "value": "$(b64 1)"}, {"key": "$(b64 /a/value/x)", "value": "$(b64 2)"},
 {"key": "$(b64 /a/@kind)", "value": "$(b64 number)"}, {"key": "$(b64 /b//c)", "value": "$(b64 '\377\001')"}, {"key": "$(b64 /b/e)"}]}
JSON
cat >consul.json <<JSON
[{"key": "web/", "value": "$(b64 folder)"}, {"key": "db/", "value": ""}, {"key": "web/port", "value": "$(b64 80)"}]
JSON
cat >dconf.ini <<'INI'
[/]
root=1
[DEFAULT]
d=2
[org/x]
s='it\'s \u00e4'
l=['a', 'b']
INI
for kind in etcd:etcd.json consul:consul.json dconf:dconf.ini; do
	python3 "$converter" ${kind%:*} ${kind#*:} >from.json && xs import -q --at /from/${kind%:*} from.json
done
is "etcd's keys" '["1","2","number","/wE=",""]' \
	"$(xs export /from/etcd | jq -c '.from.etcd | [.a["@value"], .a.value.x, .a["@@kind"], .b[""].c["@b64"], .b.e]')"
is "Consul's" '["folder","80",null]' "$(xs export /from/consul | jq -c '.from.consul | [.web["@value"], .web.port, .db]')"
is "dconf's" "[\"1\",\"2\",\"it's ä\",\"['a', 'b']\",null]" \
	"$(xs export /from/dconf | jq -c '.from.dconf | [.root, .DEFAULT.d, .org.x.s, .org.x.l, .org.x.d]')"
xs rm /from

# roots and marks
for doc in '[1, 2]' '"text"' 7 true; do
	echo "$doc" >bare.json
	run xs import bare.json
	is "$doc at the root is refused" "2 1" "$rc $(echo "$err" | grep -c 'bare.json:1:1: ')"
done
echo '[1, 2]' | xs import -q --at /bare
is "and taken elsewhere" "1 2" "$(xs read -v /bare/0 /bare/1 | xargs)"
xs rm /bare
printf '\357\273\277{"bom": {"a": "1"}}' >bom.json
run xs import -q bom.json
is "a byte order mark is skipped" "0 1" "$rc $(xs read /bom/a)"
printf '\357\273\277{"then": {"bom": {"a": "2"}}}' >bom.json
run xs txn bom.json
is "also by txn" "0 2" "$rc $(xs read /bom/a)"
xs rm /bom

plan
