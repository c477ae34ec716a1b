#!/bin/sh
# SPDX-License-Identifier: MIT
# schemas.sh - schemas of one's own: kept in the store, and asked by everything in xs that writes
# values. What each keyword says: test_rule.c.
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; ln -s "$xs_prog" "$dir/bin/xenstore-write"; PATH="$dir/bin:$PATH"
unset LD_LIBRARY_PATH
cd "$dir" || exit 99

cat >service.json <<'JSON'
{ "title": "A service", "type": "object",
  "properties": {
    "port": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 80, "description": "where it listens", "x-lasts": true },
    "mode": { "enum": ["fast", "safe"] },
    "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 2 },
    "key": { "type": "string", "minLength": 8, "writeOnly": true },
    "limits": { "type": "object", "properties": { "cpu": { "type": "number", "minimum": 0.5 } } } },
  "additionalProperties": false }
JSON
where="/config/service/*"

# add, list, show, rm
run xs schema list
is "without schemas the list is empty" "0 " "$rc $out"
run xs schema add --at "$where" service.json
is "a schema is added" "0  " "$rc $out $err"
is "and listed" "service $where A service" "$(xs schema list | tail -n 1 | xargs -d '\n' | tr -s ' ')"
xs schema show service >shown.json
is "show gives it byte for byte" 0 "$(cmp shown.json service.json; echo $?)"
is "list -j" '[{"name":"service","at":"/config/service/*","title":"A service","good":true}]' "$(xs schema list -j)"
is "show -j has it as JSON" 65535 "$(xs schema show -j service | grep -o '"maximum":[0-9]*' | cut -d : -f 2)"
is "everybody may read it, only its owner write" "r0 r0 r0" \
	"$(echo $(xs perms /config/schema; xs perms /config/schema/service; xs perms /config/schema/service/at))"
echo '{ "type": "objekt" }' >bad.json
run xs schema add --at "$where" --name service bad.json
is "what is no schema does not replace it" "2 0" "$rc $(xs schema show service | cmp - service.json; echo $?)"
is "and is told by line and column" "xs: bad.json:1:11: /type: is string, number, integer, boolean, null, object, array, or a list of these" \
	"$(echo "$err" | head -n 1)"
for place in '/a/b*' '/a/**' /config/schema '/config/schema/*' @a; do
	run xs schema add --at "$place" service.json
	is "no place for a schema: $place" 2 $rc
done
run xs schema add -
is "standard input needs a name" 2 $rc
for words in "add" "add a b" "list a" "show" "rm" "remove service" "list --at /a"; do
	run xs schema $words
	is "a wrong line: schema $words" 2 $rc
done
run xs schema show nothing
is "there is none: status 1" "1 xs: nothing: there is no such schema (see: xs schema list)" "$rc $err"

# every writer: one claim for what is refused, one for what is not
web=/config/service/web
run xs write $web/port 80
is "write: at the limit and below" "0 " "$rc $err"
refused='is not possible here: at most 65535 is wanted (maximum of schema service)'
run xs write $web/port 65536
is "write past it is refused, with path, value, rule and schema" \
	"1 xs: $web/port: 65536 $refused; nothing was written" "$rc $err"
run xs write -j $web/port 65536
is "and as JSON" "1 1" "$rc $(echo "$err" | grep -c '^{"error":"/config/service/web/port: 65536 .*,"code":1}$')"
run xs write $web/mode fast $web/prot 80
is "of several nothing is written, and the misspelt one named" \
	"1 xs: $web/prot: there is no name prot here; did you mean port? (additionalProperties of schema service); nothing was written no" \
	"$rc $err $(xs exists $web/mode && echo yes || echo no)"
printf 65536 >value
run xs write --stdin $web/port <value
is "write --stdin" 1 $rc
run xs write --if-value 80 $web/port 0
is "write on a condition" "1 80" "$rc $(xs read $web/port)"
run xs write --ttl 1m $web/port 0
is "write --ttl: refused before it is bound" "1 80" "$rc $(xs read $web/port)"
run xs write $web/key short
is "a secret is not told" "1 xs: $web/key: this is not possible here: at least 8 characters are wanted (minLength of schema service); nothing was written" "$rc $err"

echo '{"type":"string","minLength":99}' >other.json
xs schema add --at $web/key --name other other.json
run xs write $web/key long-enough
is "nor by another schema that knows nothing of the secret" "1 0 1" "$rc $(echo "$err" | grep -c long-enough) $(echo "$err" | grep -c 'minLength of schema other')"
printf '{"title":"\\u001b[31mred","description":"\\u001b[32mgreen","type":"string","pattern":"^\\u001b[a]*$"}' | xs schema add --at $web/key --name other -
is "a title harms no terminal" '\x1b[31mred' "$(xs schema list | sed -n 's/^other *[^ ]* *//p')"
is "nor do words and a pattern" '^\x1b[a]*$ \x1b[32mgreen' \
	"$(echo $(xs explain $web/key | sed -n 's/^matches *//p; s/^meaning *\(.x1b\)/\1/p'))"
xs schema rm other

document() { printf '{"config":{"service":{"web":{\n"port":%s,\n"tags":%s,\n"limits":{"cpu":%s}}}}}\n' "$1" "$2" "$3"; }
document 443 '["a","b"]' 0.5 >good.json
document '"443"' '["a",2]' 0.25 >wrong.json
run xs import good.json
is "import: a document of several floors, with a list" "0 443 0.5" "$rc $(xs read $web/port) $(xs read $web/limits/cpu)"
for command in "import" "apply -y" "apply -n" "import -n"; do
	run xs $command wrong.json
	is "$command: every problem with its line, and nothing changed" "2 xs: wrong.json:2:8: $web/port: xs: wrong.json:3:13: $web/tags/1: xs: wrong.json:4:17: $web/limits/cpu: 443" \
		"$rc $(echo $(echo "$err" | grep -o '^xs: wrong.json:[0-9][0-9:]* [^ ]*' | sort)) $(xs read $web/port)"
done
is "and in words: a text is no number" 1 \
	"$(xs import wrong.json 2>&1 | grep -c '"443" is not possible here: integer is wanted (type of schema service)')"
run xs diff wrong.json
is "diff only compares" 1 $rc
document 443 '["a","b","c"]' 1 >three.json
run xs import - <three.json
is "a list that is too long" "2 1" "$rc $(echo "$err" | grep -c "tags/2: at most 2 items are wanted (maxItems of schema service)")"
printf '{"if":{"config":{"service":{"web":{"port":443}}}},"then":{"config":{"service":{"web":{"port":0}}}},"else":{"config":{"service":{"web":{"port":1}}}}}' >txn.json
run xs txn txn.json
is "txn: the branch that is taken" "2 443" "$rc $(xs read $web/port)"
xs write $web/port 80
run xs txn txn.json
is "txn: not the other one" "1 1" "$rc $(xs read $web/port)"
printf '{"path":"%s/port","value":"0"}\n' $web >exact.json
run xs import exact.json
is "import of the exact form" "2 1" "$rc $(xs read $web/port)"
xs write /config/other/port 0
run xs cp /config/other /config/service/copy
is "cp" "1 xs: /config/service/copy/port: 0 is not possible here: at least 1 is wanted (minimum of schema service); nothing was written" "$rc $err"
run xs mv /config/other /config/service/web/other
is "mv: and all stays where it was" "1 0" "$rc $(xs exists /config/other; echo $?)"
xs write /config/other/port 7
run xs cp /config/other /config/service/copy
is "cp of what is good" "0 7" "$rc $(xs read /config/service/copy/port)"
run xs rm $web/port
is "rm removes" 0 $rc
run xenstore-write $web/port 0
is "by Xen's names nothing is asked" "0 0" "$rc $(xs read $web/port)"

# what is there already
run xs schema add --at "$where" service.json
is "what is there and not as a schema says is named" \
	"1 xs: $web/port: 0 is not possible here: at least 1 is wanted (minimum of schema service)" "$rc $(echo "$err" | head -n 1)"
run xs schema add -f --at "$where" service.json
is "add -f adds it all the same" 0 $rc
run xs schema rm service
is "rm" "0 " "$rc $err"
run xs schema rm service
is "rm of none" 1 $rc
run xs write $web/port 70000
is "it holds nobody any more" 0 $rc
xs write $web/port 1

# undo
xs write $web/port 2
good=$(xs log -j -n 2 $web/port | grep -o '"revision":[0-9]*' | tail -n 1 | cut -d : -f 2)
xs write $web/port 5
echo '{"type":"object","properties":{"port":{"type":"integer","minimum":3}}}' >three.json
run xs schema add --at "$where" three.json
is "a schema by the name of its file" "0 three" "$rc $(xs schema list -j | grep -o '"name":"[a-z]*' | cut -d '"' -f 4)"
run xs rollback "$good" $web
is "rollback" "1 5" "$rc $(xs read $web/port)"
is "says what it would have made" 1 "$(echo "$err" | grep -c "$web/port: .* is not possible here: at least 3 is wanted (minimum of schema three); nothing was changed")"
run xs rollback "$good" /config
is "rollback to before the schema takes it along" "0 1 []" "$rc $(xs read $web/port) [$(xs schema list)]"

# two of them, and one that is none
xs write $web/port 5
xs schema add --at /config/service --name all - <<'JSON'
{ "type": "object", "patternProperties": { "^[a-z]+$": { "type": "object", "properties": { "port": { "type": "integer", "maximum": 9 } } } }, "additionalProperties": false }
JSON
xs schema add --at "$where" three.json
run xs write $web/port 10
is "of two schemas both hold: one" "1 1" "$rc $(echo "$err" | grep -c 'schema all')"
run xs write $web/port 2
is "and the other" "1 1" "$rc $(echo "$err" | grep -c 'schema three')"
run xs write /config/service/Web/port 5
is "a name that no pattern has" "1 1" "$rc $(echo "$err" | grep -c 'additionalProperties of schema all')"
is "explain says what both do" "all at /config/service three at $where" \
	"$(echo $(xs explain $web/port | sed -n 's/^schema *//p'))"
is "explain -j" '["all","three"]' "$(xs explain -j $web/port | grep -o '"name":"[a-z]*"' | sed 's/.*://' | paste -sd , | sed 's/.*/[&]/')"
xs schema rm all
xs write /config/schema/three '{"type": "x"}'
run xs write $web/port 5
is "one that was written by hand, and is none, lets nothing pass, and says so" "1 1 1" \
	"$rc $(echo "$err" | grep -c '^xs: /config/schema/three:1:10: /type: ') $(echo "$err" | grep -c 'schema three is none')"
is "the list marks it" "(is no schema)" "$(xs schema list 2>/dev/null | tail -n 1 | grep -o '(.*')"
run xs write /config/elsewhere 5
is "elsewhere nobody minds" "0 " "$rc $err"
xs schema rm three

# a long one, and one that came with a document
{ printf '{"type":"object","description":"'; head -c 9000 /dev/zero | tr '\0' d; printf '","properties":{"a":{"type":"integer"}}}\n'; } >long.json
xs schema add --at /config/long long.json
run xs write /config/long/a x
is "a schema longer than a message" "1 0" "$rc $(xs schema show long | cmp - long.json; echo $?)"
xs schema add --at "$where" service.json
xs export /config/schema >backup.json
xs schema rm service; xs schema rm long
xs import -q backup.json
run xs write $web/port 0
is "a backup brings them back" 1 $rc
xs schema rm service; xs schema rm long
cat >both.json <<'JSON'
{"config":{"schema":{"new":{"@value":"{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}","at":"/config/new"}},"new":{"n":"x"}}}
JSON
run xs import both.json
is "a document with a schema is held to it" "2 1" "$rc $(xs exists /config/new; echo $?)"

# how long it lasts
echo '{"type":"object","properties":{"a":{"x-lasts":true},"b":{"x-lasts":false},"c":{}}}' >lasts.json
xs schema add --at '/tool/*' lasts.json
run xs write /tool/x/a 1
is "what shall last and does not is refused" "1 xs: /tool/x/a: is not kept over a boot of the host, and shall be: see xenstored --persist (x-lasts of schema lasts); nothing was written" "$rc $err"
run xs write /tool/x/b 1 /tool/x/c 1
is "what need not last" 0 $rc

# the explanation
xs schema add --at "$where" -f service.json
is "explain: type, limits, default, meaning, how long" \
	"integer at least 1, at most 65535 80 where it listens kept over a boot of the host" \
	"$(echo $(xs explain $web/port | sed -n '2,$s/^[a-z]* *//p'))"
run xs explain /config/domain/web/memory
is "explain of what is registered is as before" "0 MiB" "$rc $(echo "$out" | sed -n 's/^type *//p')"
XENSTORED_PATH=$dir/nowhere run xs explain /config/domain/web/memory
is "and needs no store" 0 $rc

# while others write: once a schema has been added, nothing else is there
i=0
while [ $i -lt 150 ]; do xs write /race/x $((i % 3 * 100)); i=$((i + 1)); done 2>/dev/null &
writer=$!
seen=0 wrong=0
echo '{"type":"integer","maximum":50}' >race.json
while kill -0 $writer 2>/dev/null; do
	xs schema add --at /race/x race.json 2>/dev/null || continue
	seen=$((seen + 1))
	for _ in 1 2 3; do [ "$(xs read /race/x 2>/dev/null || echo 0)" = 0 ] || wrong=$((wrong + 1)); done
	xs schema rm race
done
wait $writer
is "a schema that was added between reading and writing holds the writer" "0 yes" "$wrong $([ $seen -gt 0 ] && echo yes)"
plan
