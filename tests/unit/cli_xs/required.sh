#!/bin/sh
# SPDX-License-Identifier: MIT
# required.sh - what a schema of one's own wants to be there: asked by everything in xs that writes or
# removes, when all has been written. What the keywords say: test_rule.c; the other ones: schemas.sh.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; ln -s "$xs_prog" "$dir/bin/xenstore-rm"; PATH="$dir/bin:$PATH"
unset LD_LIBRARY_PATH
cd "$dir" || exit 99

cat >service.json <<'JSON'
{ "type": "object", "required": ["port", "mode"],
  "properties": {
    "port": { "$ref": "#/$defs/port" }, "admin": { "$ref": "#/$defs/port" },
    "mode": { "enum": ["fast", "safe"] },
    "peers": { "type": "array", "items": { "type": "string" }, "minItems": 2 },
    "at": { "$ref": "#/$defs/place" } },
  "$defs": {
    "port": { "type": "integer", "minimum": 1, "maximum": 65535, "description": "where it listens" },
    "place": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } },
      "additionalProperties": { "$ref": "#/$defs/place" } } } }
JSON
where="/config/service/*" web=/config/service/web
missed() { echo "xs: $1: $2 has to be here (required of schema service); nothing was ${3:-written}"; }

run xs schema add --at "$where" service.json
is "a schema with required, and parts by name" "0  " "$rc $out $err"

# write
run xs write $web/port 80
is "write: one of two is not enough" "1 $(missed $web mode)" "$rc $err"
is "and nothing is there" 1 "$(xs exists /config/service; echo $?)"
run xs write $web/port 80 $web/mode fast
is "both in one command are" "0 " "$rc $err"
run xs write $web/port 0
is "by a name of the schema: what it names holds" "1 1" "$rc $(echo "$err" | grep -c 'at least 1 is wanted (minimum of schema service)')"
run xs write $web/admin 8080
is "what is more goes" "0 " "$rc $err"
run xs write $web/at/name here $web/at/deep/er/name there
is "in a part that names itself, each floor is asked" "1 $(missed $web/at/deep name)" "$rc $err"
run xs write $web/at/name here $web/at/deep/name there $web/at/deep/er/name down
is "and as a whole it goes" "0 " "$rc $err"
run xs write $web/at/deep/er/x/name down
is "one more below it, too" "0 " "$rc $err"
printf safe >value; run xs write --stdin /config/service/new/mode <value
is "write --stdin" "1 $(missed /config/service/new port)" "$rc $err"
run xs write --if-absent /config/service/new/mode fast
is "write on a condition" "1 1" "$rc $(xs exists /config/service/new; echo $?)"
run xs write /config/service/new ""
is "an empty object lacks all" "1 $(missed /config/service/new port)" "$rc $err"
run xs write -j /config/service/new/port 1
is "and as JSON" "1 1" "$rc $(echo "$err" | grep -c '^{"error":"/config/service/new: mode has to be here .*,"code":1}$')"

# rm
run xs rm $web/mode
is "rm of what has to be there" "1 $(missed $web mode removed)" "$rc $err"
is "it stays" fast "$(xs read $web/mode)"
run xs rm -f $web/mode
is "rm -f, too" "1 fast" "$rc $(xs read $web/mode)"
run xs rm --if-value fast $web/mode
is "and on a condition" "1 fast" "$rc $(xs read $web/mode)"
run xs rm $web/at/deep/er/name
is "deep in it" "1 $(missed $web/at/deep/er name removed)" "$rc $err"
run xs rm $web/at/deep/er $web/admin
is "rm of what need not be there" "0 " "$rc $err"
run xs rm $web/at
is "with all that it has to have" "0 " "$rc $err"
xs write /config/other/port 1 /config/other/mode fast /config/other/sub/x 1
run xs rm /config/service
is "and the whole" "0 1" "$rc $(xs exists /config/service; echo $?)"
run xs rm /config/schema/service/at /nothing
is "an error of something else is that" "1 1" "$rc $(echo "$err" | grep -c '^xs: /nothing: ')"

# documents
document() { printf '{"config":{"service":{"web":{\n"port":%s%s}}}}\n' "$1" "$2"; }
roots='"@roots":["/config/service/web"],'
document 443 '' >half.json
document 443 '' | sed "s|^{|{$roots|" >less.json
document 443 ',"mode":"safe"' >whole.json
for command in "import" "apply -y" "apply -n" "import -n"; do
	run xs $command half.json
	is "$command: where the object is" \
		"2 xs: half.json:1:29: $web: mode has to be here (required of schema service) xs: half.json: 1 problem; nothing was changed" "$rc $(echo $err)"
done
run xs import whole.json
is "import of the whole" "0 safe" "$rc $(xs read $web/mode)"
run xs import half.json
is "what is there already counts" "0 safe" "$rc $(xs read $web/mode)"
run xs apply -y --prune less.json
is "unless it would go" "2 1 safe" "$rc $(echo "$err" | grep -c "less.json:1:.*$web: mode has to be here") $(xs read $web/mode)"
document 443 ',"mode":"safe","peers":["a"]' >short.json
run xs import short.json
is "a list that is too short" "2 xs: short.json:2:34: $web/peers: at least 2 items have to be here (minItems of schema service)" \
	"$rc $(echo "$err" | head -n 1)"
document 443 ',"mode":"safe","peers":["a","b","c"]' >long.json
xs import -q long.json
run xs rm $web/peers/2
is "rm of an item more than there have to be" "0 " "$rc $err"
run xs rm $web/peers/1
is "and of one less" "1 xs: $web/peers: at least 2 items have to be here (minItems of schema service); nothing was removed" "$rc $err"
run xs import short.json
is "a list that gets shorter" "2 b" "$rc $(xs read $web/peers/1)"
printf '{"path":"/config/service/exact/port","value":"1"}\n' >exact.json
run xs import exact.json
is "import of the exact form" "2 1" "$rc $(echo "$err" | grep -c 'exact.json:1:.*/config/service/exact: mode has to be here')"
printf '{"if":{"config":{"service":{"web":{"port":443}}}},"then":{"config":{"service":{"web":{"mode":null}}}}}' >txn.json
run xs txn txn.json
is "txn: null removes it" "2 1 safe" "$rc $(echo "$err" | grep -c "$web: mode has to be here") $(xs read $web/mode)"
printf '{"if":{"config":{"service":{"web":{"port":443}}}},"then":{"config":{"service":{"web":null}}}}' >txn.json
run xs txn txn.json
is "txn: the whole may go" "0 1" "$rc $(xs exists $web; echo $?)"
cat >many.json <<'JSON'
{"config":{"service":{"a":{"port":1},
"b":{"port":1,"mode":"fast"},
"c":{"mode":"fast"}}}}
JSON
run xs import many.json
is "each of several is told" "many.json:1:27: /config/service/a: many.json:3:5: /config/service/c:" \
	"$(echo $(echo "$err" | grep -o 'many.json:[0-9]*:[0-9]*: [^ ]*'))"

# cp, mv
xs import -q whole.json
run xs cp /config/other/sub /config/service/sub
is "cp of what is not whole" "1 $(missed /config/service/sub port)" "$rc $err"
run xs cp /config/other /config/service/copy
is "cp of what is" "0 " "$rc $err"
run xs mv $web/mode /config/elsewhere
is "mv leaves what is whole" "1 $(missed $web mode) safe" "$rc $err $(xs read $web/mode)"
run xs mv $web /config/elsewhere
is "mv of the whole" "0 " "$rc $err"
run xs mv /config/elsewhere/mode /config/service/one
is "mv to where it is not enough" "1 1" "$rc $(xs exists /config/service/one; echo $?)"

# undo
xs rm /config/service
xs write /config/service/u/port 1 /config/service/u/mode fast
xs schema rm service
xs rm /config/service/u/mode
bad=$(xs log -j -n 1 /config/service/u | grep -o '"revision":[0-9]*' | tail -n 1 | cut -d : -f 2)
xs write /config/service/u/mode safe
xs schema add --at "$where" service.json
run xs rollback "$bad" /config/service
is "rollback to where it was missing" "1 1 safe" \
	"$rc $(echo "$err" | grep -c "/config/service/u: mode has to be here (required of schema service); nothing was changed") $(xs read /config/service/u/mode)"

# what is there already
xenstore-rm /config/service/u/mode
is "by Xen's names nothing is asked" 1 "$(xs exists /config/service/u/mode; echo $?)"
run xs write /config/service/u/port 2
is "what is not whole is not written to until it is" "1 $(missed /config/service/u mode)" "$rc $err"
run xs schema add --at "$where" service.json
is "nor is a schema added" "1 xs: /config/service/u: mode has to be here (required of schema service)" "$rc $(echo "$err" | head -n 1)"
run xs schema add -f --at "$where" service.json
is "but by force" "0 " "$rc $err"
run xs write /config/service/u/mode fast
is "and it can be mended" "0 " "$rc $err"
run xs write /config/elsewhere/x 1
is "elsewhere nobody minds" "0 " "$rc $err"

# what explain says
is "explain of the object" 'object ["port","mode"]' "$(echo $(xs explain /config/service/u | sed -n 's/^type *//p; s/^required *//p'))"
is "of a key that it needs: by the name of the part" "integer at least 1, at most 65535 has to be there where what is above it is where it listens" \
	"$(echo $(xs explain /config/service/u/port | sed -n 's/^needed *//p; s/^type *//p; s/^limits *//p; s/^meaning *//p'))"
is "and as JSON" '"required":["port","mode"]' "$(xs explain -j /config/service/u | grep -o '"required":[^]]*]')"
is "a key that is needed" '"needed":true' "$(xs explain -j /config/service/u/mode | grep -o '"needed":true')"
is "one that is not" "0 0" "$(xs explain -j /config/service/u/admin | grep -c needed) $(xs explain /config/service/u/admin | grep -c needed)"

# two at once: each alone leaves it whole
cat >either.json <<'JSON'
{ "type": "object", "anyOf": [ { "type": "object", "required": ["a"] }, { "type": "object", "required": ["b"] } ] }
JSON
xs schema add --at /either/x either.json
i=0 bare=0
while [ $i -lt 30 ]; do
	xs write /either/x/a 1 /either/x/b 1
	xs rm /either/x/a 2>/dev/null & one=$!
	xs rm /either/x/b 2>/dev/null & two=$!
	wait $one; wait $two
	[ -n "$(xs ls /either/x)" ] || bare=$((bare + 1))
	i=$((i + 1))
done
is "of two who each take one away, one finds the other's gone" 0 $bare

# what holds schemas is not held, and hides nobody from what is
echo '{ "type": "object", "required": ["service"] }' >top.json
run xs schema add --at /config top.json
is "a schema of all there is" "0 " "$rc $err"
xs write /config/schema/note x
run xs rm /config/schema/note /config/service
is "rm behind something of the schemas" \
	"1 xs: /config: service has to be here (required of schema top); nothing was removed" "$rc $err"
run xs rm /config/schema/note
is "that by itself" "0 " "$rc $err"
plan
