# SPDX-License-Identifier: MIT
# In the guest: xs by /dev/xen/xenbus. Prints `ok: CLAIM` or `not ok: CLAIM` and what came out.
export XENSTORED_RUNDIR=/nowhere TERMINFO=/mnt/terminfo TERM=vt100
cd /mnt || exit
cat >/bin/xs <<'X'
#!/bin/sh
exec /mnt/ld-linux-x86-64.so.2 --library-path /mnt /mnt/xs "$@"
X
chmod 755 /bin/xs

report() { if [ "$1" = 0 ]; then echo "ok: $2"; else echo "not ok: $2" && cat out; fi; }
# holds "CLAIM" COMMAND...: the command succeeds.
holds() { what=$1; shift; "$@" >out 2>&1; report $? "$what"; }
# says "CLAIM" PATTERN COMMAND...: it prints this.
says()
{
	what=$1 pattern=$2
	shift 2
	{ "$@" 2>&1 || echo "status $?"; } >out
	grep -qE -- "$pattern" out
	report $? "$what"
}
gen() { xs stat --json "$1" | sed -n 's/.*"gen": *\([0-9]*\).*/\1/p'; }

echo "guest: begins"
home=/local/domain/$(xs read '~/domid')
holds "there is the kernel's device, and no socket" test -c /dev/xen/xenbus
xs put '~/data/hello' 'from the guest'
says "a value is written and read" '^from the guest$' xs read '~/data/hello'
says "ls lists its home" '^name +demo' xs ls '~'
says "many requests get each its own answer" '/memory/target = [0-9]+$' xs find '~'
says "tree shows it" '^\+- name' xs tree '~'
says "stat tells the owner" '^owner +domain [1-9]' xs stat '~/data/hello'
says "what is not its own is refused" 'name: permission denied' xs put '~/name' x
says "so is what it may not read" '/: permission denied' xs ls /
says "what the device cannot do has one clear error" '^xs: monitor: permission denied' xs monitor
says "a value longer than a request goes in parts" '^4090 1$' \
	sh -c "head -c 4090 /dev/zero | tr '\\0' x | xs put --stdin '~/data/big' && echo \$(xs read '~/data/big' | tr -d '\\n' | wc -c) \$(xs ls '~/data' | grep -c '^big')"

holds "put --if-gen 0 makes a node" xs put --if-gen 0 '~/data/gen' 1
seen=$(gen '~/data/gen')
holds "put --if-gen of its generation changes it" xs put --if-gen "$seen" '~/data/gen' 2
says "and does not once it has another" 'of another generation; nothing was written' \
	xs put --if-gen "$seen" '~/data/gen' 3
holds "put --if-value" xs put --if-value 2 '~/data/gen' 4
says "a lock is held while a command runs" '^inside$' xs lock '~/data/lock' -- echo inside

echo '{"app": {"list": ["one", "two"], "bytes": {"@b64": "AAEC"}, "mode": "fast"}}' >doc.json
says "import writes a document in one transaction" '^6 changes$' xs import --at '~/data' doc.json
holds "export and import again change nothing" sh -c \
	"xs export '~/data' >whole.json && xs import whole.json | grep -x 'nothing to change'"
echo '{"app": {"mode": null}}' >less.json
says "apply removes" '^- .*/data/app/mode$' xs apply -y --at '~/data' less.json
awk 'BEGIN { printf "{\"many\": {"; for (i = 0; i < 1100; i++) printf "%s\"n%d\": 1", i ? ", " : "", i; print "}}" }' >many.json
says "more nodes than a guest may have are refused before the first write, the limit named" \
	'^xs: many.json:1:1: .*1100 nodes in one transaction, at most 1000 are allowed to a guest .quota nodes' \
	xs import --at '~/data' many.json
awk 'BEGIN { printf "{\"a\": {\"large\": \""; for (i = 0; i < 300; i++) printf "12345678"; print "\", \"@perms\": [\"n1\",\"r0\",\"r2\",\"r3\",\"r4\",\"r5\"]}}" }' >large.json
xs import --at '~/data' large.json 2>err
says "so are values and permissions beyond a guest's limits, all of them at once" 'quota node-permissions.*quota node-size.*nothing was changed' \
	xargs -a err
says "import elsewhere is refused" '/local/domain/0.*: permission denied' xs import --at /local/domain/0 doc.json
printf '{"if": {"local": {"domain": {"%s": {"data": {"owner": null}}}}}, "then": {"local": {"domain": {"%s": {"data": {"owner": "me"}}}}}}' \
	"${home##*/}" "${home##*/}" >txn.json
says "txn compares and changes" '^condition true; 1 changes' xs txn txn.json
says "and finds the other once it is changed" '^condition false' xs txn txn.json

(sleep 1; while ! xs exists '~/data/inbox'; do xs put '~/data/watching' 1; sleep 1; done) &
xs watch --json -t 60s --until "$home/data/inbox=two" '~/data' >events
says "watch tells the state, then that it is told" '"type":"synced"' cat events
says "then what dom0 changes" '"type":"put".*/data/inbox","value":"two"' cat events
(sleep 1; xs put '~/data/waiting' 1) &
holds "wait waits for dom0" xs wait -t 60s '~/data/go=now'
says "and not for ever" '^status 124$' xs wait -t 1s '~/data/go=never'
says "rm and mv" '^moved$' sh -c "xs rm '~/data/app' && xs put '~/data/a' moved && xs mv '~/data/a' '~/data/b' && xs read '~/data/b'"
xs import -q --at '~/data' doc.json
holds "browse comes and goes on the console" sh -c \
	"stty rows 24 cols 80 </dev/hvc0; xs browse '~/data' </dev/hvc0 >/dev/hvc0"
echo "guest: end of claims"
