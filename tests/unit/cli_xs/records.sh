#!/bin/sh
# SPDX-License-Identifier: MIT
# records.sh - what is known about paths: types that documents are checked by, the JSON Schema, records
# of domains, configuration files to records and back, round trips of random trees.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../../..
start_store
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
cd "$dir" || exit 99

# types
cat >bad.json <<'J'
{"config": {"domain": {
  "web": {"memory": "lots", "vcpus": 99, "autostart": "maybe",
     "vif": [{"mac": "zz"}], "uuid": "1",
     "disk": [{"target": "x", "vdev": "sofa", "mode": "rw"}], "kernel": "vmlinuz"}}},
 "local": {"domain": {"1": {"device": {"vbd": {"51712": {"state": 9}}}}}}}
J
run xs import bad.json
is "every value of a wrong type is told with line, column and pointer, before anything is written" "2 1 \
2:21:/config/domain/web/memory 2:38:/config/domain/web/vcpus 2:55:/config/domain/web/autostart \
3:22:/config/domain/web/vif/0/mac 3:38:/config/domain/web/uuid 4:26:/config/domain/web/disk/0/target \
4:39:/config/domain/web/disk/0/vdev 4:55:/config/domain/web/disk/0/mode 4:73:/config/domain/web/kernel \
5:67:/local/domain/1/device/vbd/51712/state" \
	"$rc $(xs exists /config/domain; echo $?) $(echo "$err" | sed -n 's/^xs: bad.json:\([0-9:]*\): \([^:]*\): .*/\1:\2/p' | xargs)"
is "and says what is wanted" 1 "$(echo "$err" | grep -c 'memory: lots is not possible here: a number from 2 to 16777216 (MiB) is wanted')"
echo '{"path":"/config/domain/old/memory","value":"lots"}' >exact
run xs import exact
is "a backup is taken as it is" "0 lots" "$rc $(xs read /config/domain/old/memory)"
xs rm /config/domain
is "explain tells type, limits, writer" "MiB 2 to 16777216 people" \
	"$(xs explain /config/domain/any/memory | sed -n 's/^\(type\|limits\|written by\) *//p' | xargs)"
run xs explain /nowhere/at/all
is "explain of what is not registered: status 1" 1 $rc

# the same table as a JSON Schema
xs schema >schema.json
cat >validate.py <<'P'
import json, sys
import jsonschema
schema = json.load(open("schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
v = jsonschema.Draft7Validator(schema)
for name in sys.argv[1:]:
    print("good" if v.is_valid(json.load(open(name))) else "bad")
P
cat >host.json <<'J'
{"@roots": ["/config/domain"],
 "config": {"domain": {
  "a": {"memory": 64, "kernel": "/boot/k", "power": "on", "autostart": true, "vcpus": "2",
        "disk": [{"target": "file:/a.img", "vdev": "xvda", "mode": "w"}, {"target": "phy:vg/swap", "vdev": "xvdb"}],
        "vif": [{"mac": "00:16:3e:00:00:0a", "bridge": "xenbr0"}, {}]},
  "b": {"memory": 32, "kernel": "/boot/k", "power": "off", "note": {"@value": "x", "@perms": ["n0"]}}}}}
J
for f in memory vcpus autostart; do
	echo "{\"config\":{\"domain\":{\"w\":{\"$f\":\"no\"}}}}" >"one-$f.json"
done
echo '{"status":{"domain":{"w":{"state":"asleep"}}}}' >one-state.json
echo '{"status":{"domain":{"w":{"domid":32768}}}}' >one-domid.json
echo '{"local":{"domain":{"1":{"device":{"vbd":{"51712":{"state":7}}}}}}}' >one-xenbus.json
is "the JSON Schema says the same of documents as import does" "good bad bad bad bad bad bad bad" \
	"$(python3 validate.py host.json bad.json one-memory.json one-vcpus.json one-autostart.json one-state.json \
	one-domid.json one-xenbus.json | xargs)"

# records
run xs apply -y host.json
is "apply declares several domains in one transaction" "0 on phy:vg/swap 1" \
	"$rc $(xs read -v /config/domain/a/power /config/domain/a/disk/1/target /config/domain/a/autostart | xargs)"
run xs export /config/domain/a
is "lists come out as arrays" 2 "$(echo "$out" | grep -c '"\(disk\|vif\)": \[')"
echo '{"config":{"domain":{"c":{"power":"on","memory":64},"d":{"power":"off"}}}}' >part.json
run xs apply -y part.json
is "a domain that shall run needs a complete record" "2 1 1" \
	"$rc $(echo "$err" | grep -c 'part.json:1:26: /config/domain/c: kernel is missing') $(xs exists /config/domain/d; echo $?)"
echo '{"config":{"domain":{"b":{"power":"on"}}}}' >power.json
run xs apply -y power.json
is "what the store has already counts" "0 on" "$rc $(xs read /config/domain/b/power)"
xs write /config/domain/a/uuid 3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a10 /config/domain/a/junk 1
xs apply -y --prune host.json >out
is "--prune leaves what xend wrote into a record that stays, and nothing else" "0 1" \
	"$(xs exists /config/domain/a/uuid; echo $?) $(xs exists /config/domain/a/junk; echo $?)"
sed 's/"b": {.*/"z": {"memory": 16, "power": "off"}}}}/' host.json >less.json
xs write /config/other kept
run xs apply -n --prune less.json
is "the plan says what goes" "0 1 0" "$rc $(echo "$out" | grep -c '^- /config/domain/b$') $(xs exists /config/domain/b; echo $?)"
run xs apply -y --prune less.json
is "a record that the document leaves out is removed with --prune, and nothing else" "0 a z kept" \
	"$rc $(xs list /config/domain | xargs) $(xs read /config/other)"
sed 's/"kernel": "[^"]*", *//' host.json >bare.json
run xs apply -y --prune bare.json
is "nor does --prune take from a domain that shall run what it needs" "2 1 /boot/k" \
	"$rc $(echo "$err" | grep -c '/config/domain/a: kernel is missing') $(xs read /config/domain/a/kernel)"
echo '{"config":{"domain":{"a":{"memroy":1}}}}' >typo.json
run xs import typo.json
is "a key that records do not have is remarked on" "0 1" "$rc $(echo "$err" | grep -c 'typo.json:1:36: .*memroy.*did you mean memory')"
xs watch --initial none --json /config >events 2>&1 &
watcher=$!
until_so grep -q synced events
xs apply --dry-run --prune host.json >plan; xs import -n host.json >>plan; xs diff host.json >/dev/null
xs write /config/after 1
until_so grep -q /config/after events
kill $watcher
is "a dry run changes nothing at all: nobody sees an event" "2 " \
	"$(grep -c '^+ /config/domain/b$' plan) $(grep -v -e synced -e /config/after events)"

# secrets
echo '{"config":{"x":{"vncpasswd":"geheim","token":"geheim","secrets":{"db":"geheim"}}}}' >secret.json
for how in "apply -n" "apply -n --plan-json" "apply -y" "diff" "diff --json-patch" "import -v"; do
	xs write /config/x/vncpasswd geheim0 /config/x/token geheim0 /config/x/secrets/db geheim0
	xs $how secret.json >>shown 2>&1
done
is "no plan and no difference shows a secret" 0 "$(grep -c geheim shown)"

# configuration files
cat >web.cfg <<'C'
name = "web"
kernel = "/boot/k"
extra = "console=hvc0 a'b"
memory = 128
vcpus = 2
disk = [ 'file:/data/web.img,xvda,w', 'phy:/dev/vg/swap,xvdb,r' ]
vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0', 'mac=00:16:3e:00:00:02' ]
on_crash = 'preserve'
C
run xs import-cfg -n web.cfg
is "import-cfg --dry-run writes nothing" "0 1" "$rc $(xs exists /config/domain/web; echo $?)"
run xs import-cfg web.cfg memory=256
is "import-cfg makes a record, words on the command line override" "0 256 off file:/data/web.img preserve" \
	"$rc $(xs read -v /config/domain/web/memory /config/domain/web/power /config/domain/web/disk/0/target \
	/config/domain/web/on_crash | xargs)"
xs export-cfg web >again.cfg
run xs import-cfg again.cfg
is "export-cfg gives a file that makes the same record" "0 nothing to change" "$rc $out"
xs import-cfg --print web.cfg >web.json
is "import-cfg --print gives a document that the schema takes" good "$(python3 validate.py web.json)"
cat >imported.json <<'J'
{"config":{"domain":{"gap":{"memory":64,"kernel":"/boot/vmlinuz","power":"off","disk":{"0":{"target":"file:/data/a.img",
 "vdev":"xvda"},"40":{"target":"file:/data/b.img","vdev":"xvdb","mode":"w"}}}}}}
J
xs import -q imported.json
run xs export-cfg gap
is "an absent mode is read-only, items far apart are all there" "0 1 1" \
	"$rc $(echo "$out" | grep -c "'file:/data/a.img,xvda,r'") $(echo "$out" | grep -c "'file:/data/b.img,xvdb,w'")"
run xs import-cfg --print web.cfg name=shop.example.org 'vcpus=1; memory=300' 'maxmem = 400'
is "several settings in one word; a host name's key is one the store can hold" "0 1 1" \
	"$rc $(echo "$out" | grep -c '"shop.example.org"') $(echo "$out" | grep -c '"maxmem":400.*"memory":300.*"vcpus":1')"
printf 'name = "y"\nmemroy = 1\nbootloader = "lilo"\ndisk = [ "file:x,xvda,q", 3 ]\nvif = [ "mac=1" ]\n = 3\n' >many.cfg
run xs import-cfg many.cfg
is "all that is wrong is said at once, with line and column" "2 2:1 3:14 4:10 4:27 5:9 6:2" \
	"$rc $(echo "$err" | sed -n 's/^xs: many.cfg:\([0-9:]*\): .*/\1/p' | sort -V | xargs)"
echo '{"config":{"domain":{"w":{"power":"on","memory":64,"maxmem":32,"kernel":"/k","disk":{"x":{"target":"/a"}}}}}}' >whole.json
run xs import whole.json
is "a record that shall run is judged as a whole, as xend would" "2 1 1 1" "$rc $(echo "$err" | grep -c 'maxmem=32 is less than memory=64') \
$(echo "$err" | grep -c 'disk/x is not possible') $(xs exists /config/domain/w; echo $?)"
printf 'name = "x"\nmemory = twelve\n' >bad.cfg
run xs import-cfg bad.cfg
is "a wrong file: status 2, its line and column named" "2 1" "$rc $(echo "$err" | grep -c 'bad.cfg:2:10')"
xs write /config/domain/crooked/disk/0/target image
run xs export-cfg crooked
is "export-cfg of a record that people got wrong gives what is there, and says what is wrong" "0 1 4" \
	"$rc $(echo "$out" | grep -c "'image,,r'") $(echo "$err" | grep -c crooked:)"
run xs export-cfg nobody
is "export-cfg of no record: status 1" 1 $rc
run env XENSTORED_PATH=/nothing xs import-cfg --print web.cfg
is "import-cfg --print needs no store" 0 $rc

# round trips
seed=${STOREVISOR_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
rounds=24
sanitized && rounds=9
[ -z "$STOREVISOR_LONG" ] || rounds=1000
run python3 "$here/roundtrip.py" "$xs_prog" "$seed" $rounds
is "random trees: export, import, export gives the same bytes (seed $seed)" "0 " "$rc $out"
[ -z "$err" ] || echo "# $err"
plan
