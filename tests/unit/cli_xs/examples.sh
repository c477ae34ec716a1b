#!/bin/sh
# SPDX-License-Identifier: MIT
# examples.sh XENSTORED XS LIBXENSTORE SOURCE - every automation of docs/examples, all of them run by xs automate
# over a real daemon; the waiting times of the files are shortened, nothing else.
source=$4
. "$(dirname "$0")/lib.sh"
start_store
mkdir "$dir/bin" "$dir/watch.d" "$dir/console" "$dir/backup"
ln -s "$xs_prog" "$dir/bin/xs"
cp "$source"/docs/examples/*.conf "$source"/docs/examples/*.sh "$dir/watch.d"
sed -i "s#/etc/xen/watch.d#$dir/watch.d#; s/^debounce = .*/debounce = 100ms/; s/^max-wait = .*/max-wait = 1s/" "$dir"/watch.d/*.conf
# what a test may not do to the machine it runs on
cat >"$dir/bin/ip" <<END
#!/bin/sh
echo "\$*" >>"$dir/ip.log"
case "\$*" in "link show"*) exit 1 ;; esac
END
cat >"$dir/bin/tell" <<END
#!/bin/sh
cat >>"$dir/told"
END
chmod +x "$dir/bin/ip" "$dir/bin/tell"
export PATH="$dir/bin:$PATH" NOTIFY=tell CONSOLE_DIR="$dir/console" CONSOLE_MAX=1000 BACKUP_DIR="$dir/backup" BACKUP_KEEP=3 \
	METRICS_FILE="$dir/metrics.prom" BRIDGE_ADDRESS=10.9.0.1/24 AUTOSTART_SECONDS=20

comes() { what=$1; shift; if comes_so "$@"; then pass "$what"; else fail "$what" "$(cat "$dir/automate.log"; ls "$dir" "$dir/backup")"; fi; }

xs write /config/network/bridge br-test /status/domain/web/state running /status/domain/web/memory_kib 65536
xs automate "$dir/watch.d" >"$dir/automate.log" 2>&1 &
automate=$!
trap 'kill $automate 2>/dev/null; wait $automate 2>/dev/null; finish' EXIT

comes "bridge: the bridge named in the store is made at the start" grep -qx 'link add name br-test type bridge' "$dir/ip.log"
comes "bridge: it gets its address and comes up" grep -qx 'link set dev br-test up' "$dir/ip.log"
xs write /config/network/bridge br-other
comes "bridge: so is the one of another name" grep -qx 'link add name br-other type bridge' "$dir/ip.log"

comes "metrics: states are there" grep -qx 'storevisor_domain_state{name="web",state="running"} 1' "$dir/metrics.prom"
comes "metrics: memory in bytes" grep -qx 'storevisor_domain_memory_bytes{name="web"} 67108864' "$dir/metrics.prom"
comes "metrics: the daemon's own counters, and the end mark" sh -c "grep -q xenstored_ '$dir/metrics.prom' && tail -n 1 '$dir/metrics.prom' | grep -qx '# EOF'"

comes "backup: there is one at the start" sh -c "ls '$dir'/backup/config-*.ndjson"
xs write /config/domain/web/memory 77
comes "backup: a change makes another" sh -c "grep -q '\"77\"' '$dir'/backup/config-*.ndjson"
newest() { ls -1 "$dir"/backup/config-*.ndjson | tail -n 1; }
until_so sh -c "grep -q '\"77\"' \$(ls -1 '$dir'/backup/config-*.ndjson | tail -n 1)"
cp "$(newest)" "$dir/saved.ndjson"
for n in 1 2 3 4 5; do
	xs write /config/domain/web/memory "8$n"
	until_so sh -c "grep -q '\"8$n\"' \$(ls -1 '$dir'/backup/config-*.ndjson | tail -n 1)"
done
comes "backup: only the newest are kept" sh -c "[ \$(ls -1 '$dir'/backup/config-*.ndjson | wc -l) = 3 ]"
xs import "$dir/saved.ndjson" >/dev/null
is "backup: an import brings it back" 77 "$(xs read /config/domain/web/memory)"

head -c 2000 /dev/zero | tr '\0' x >"$dir/console/guest-web.log"
# handlers are at work once one of them answers: nothing before that would be seen
mark() { xs write "/status/domain/$1/state" failed; grep -q "domain $1 failed" "$dir/told"; }
until_so mark begin
xs write /status/domain/web/error 'page fault in the guest' && xs write /status/domain/web/state crashed
comes "crash-notify: the reason is told" grep -qx 'domain web crashed: page fault in the guest' "$dir/told"
comes "console-rotate: the log of an ended domain is put aside" test -s "$dir/console/guest-web.log.1"
comes "console-rotate: and goes on empty" sh -c "! test -s '$dir/console/guest-web.log'"
xs write /status/domain/web/state running
xs write /status/domain/web/state shutdown
until_so mark end
is "crash-notify: a clean end is no news" 1 "$(grep -c 'domain web' "$dir/told")"

# a stand-in for xend: what is switched on runs a moment later
xs write /config/autostart/10 shop /config/autostart/2 database /config/domain/shop/power off /config/domain/database/power off
xs watch --initial none '/config/domain/*/power' --exec-per-key sh -c 'n=${XS_PATH#/config/domain/}; n=${n%/power}; [ "$XS_VALUE" = on ] || exit 0
	echo "$n" >>'"$dir/order"'; xs write "/status/domain/$n/state" running' >/dev/null 2>&1 &
starter=$!
until_so sh -c "xs write /config/domain/probe/power on; grep -q probe '$dir/order'"
run sh "$source/docs/examples/autostart-order.sh"
is "autostart-order: every one runs" "autostart: database runs autostart: shop runs" "$(echo $out)"
is "autostart-order: by number, not by letter" "database shop" "$(grep -v probe "$dir/order" | xargs)"
kill $starter
wait $starter 2>/dev/null
xs write /config/autostart/3 shop.example.org /status/domain/shop@2eexample@2eorg/error 'no such kernel'
AUTOSTART_SECONDS=1 run sh "$source/docs/examples/autostart-order.sh"
is "autostart-order: one that does not come up is told and fails" "1 1" "$rc $(echo "$err" | grep -c 'shop.example.org does not run after 1 s: no such kernel')"
plan
