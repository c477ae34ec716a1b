#!/bin/sh
# SPDX-License-Identifier: MIT
# command.sh SCRIPT-DIR STOREVISOR-NETWORK XENSTORED XS - storevisor-network over the real store: what it makes of
# /config/network, confirmed, not confirmed, at a boot, and what it refuses.
. "$(dirname "$0")/lib.sh"
export STOREVISOR_SCRIPTS="$1"
command=$2 xenstored=$(readlink -f "$3")
mkdir "$work/bin" "$work/store" "$work/state"
ln -s "$(readlink -f "$4")" "$work/bin/xs"
export PATH="$work/bin:$PATH" XENSTORED_PATH="$work/store/socket"
"$xenstored" -D -N --run-dir "$work/store" --state-dir "$work/state" >"$work/daemon" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon; rm -rf "$work"' EXIT
until_so xs exists /
nic
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
facts eth0 >"$work/before"
before() { facts eth0 | diff "$work/before" - && not ip link show dev xenbr0 && not test -e /run/storevisor/network/.pending; }
moved() { facts xenbr0 | diff "$work/before" -; }
# routed DEV: the same, where packets are passed on.
routed() { facts "$1" | grep -v 'accept_ra\|^anycast' | diff "$work/unrouted" -; }
grep -v accept_ra "$work/before" >"$work/unrouted"
network() { sh "$command" "$@"; }
config=/config/network

# Nothing, and what is refused.
claim "without a description there is nothing to make" says "the store describes no bridge" network apply
claim "nor at a boot" network boot
claim "nothing waits" says "nothing waits" network confirm
for word in '' 'bridge' 'nat' '--confirm 0 apply' '--confirm apply' 'stop' 'walk'; do
	network $word >"$work/said" 2>&1
	same "$([ -n "$word" ] && echo 2 || echo 0)" $? || bad=1
done
claim "wrong words are told the right ones" same "" "${bad:-}"
claim "a key that is none is named" says "'colour=red': KEY=VALUE is expected; there are: mode device" network bridge xenbr0 colour=red
claim "a value that is none, too" says "storevisor-network: vlan: 4095 is not possible here: a number from 1 to 4094" network bridge xenbr0 vlan=4095
claim "and an address" says "storevisor-network: address: 10.1 is not possible here" network nat nat0 address=10.1
claim "of this nothing is stored" not xs exists $config/xenbr0
claim "a name for no bridge" says "no name for a bridge" network bridge bridge
xs write $config/xenbr0/mode bridge $config/xenbr0/vlan red
claim "what was written by hand is judged" says "storevisor-network: /config/network/xenbr0/vlan: red is not possible" network apply xenbr0
xs rm $config/xenbr0/vlan && xs write $config/xenbr0/colour red
claim "also by its names" says "/config/network/xenbr0/colour: there is no such key" network apply
xs rm $config/xenbr0
claim "by xs import as well" says "one of bridge, route, nat" sh -c "echo '{\"mode\":\"tunnel\"}' | xs import --at $config/xenbr0"
claim "and explained" sh -c "xs explain $config/xenbr0/vlan | grep -q 'limits *1 to 4094'"
claim "the network is as before" before

# Confirmed, or not.
claim "a bridge that is confirmed" network bridge xenbr0
claim "is there at once" moved
claim "waits" sh -c "sh '$command' | grep -qx 'xenbr0 waits for confirm or revert.'"
claim "and is for no boot" same 0 "$(xs read -v $config/xenbr0/boot)"
claim "it may be asked for again meanwhile" network apply xenbr0
claim "but not to stay without that" says "xenbr0 waits for confirm or revert" network --now apply xenbr0
claim "is confirmed" network confirm
claim "stays" moved
claim "and comes with each boot" same 1 "$(xs read -v $config/xenbr0/boot)"
claim "nobody waits any more" until_so not pgrep -f -- --watch
claim "which is said" sh -c "sh '$command' | grep -qx 'xenbr0 *bridge xenbr0 is made from eth0, at each boot'"
xs write $config/xenbr0/stp 1
claim "what is another by now is not silently the old one" says "is not as described now" network apply
xs rm $config/xenbr0/stp
claim "it stops" network stop xenbr0
claim "wholly" before
claim "and comes with no boot" same 0 "$(xs read -v $config/xenbr0/boot)"
network boot
claim "really" before

# The default route says which NIC is meant. It may come late: a lease, a router's announcement.
ip -4 route show default >"$work/ways4"
ip -6 route show default | grep -v 'proto ra' | sed 's/ pref .*//' >"$work/ways6"
ip -4 route flush default
ip -6 route flush default
xs write $config/xenbr0/boot 1
sh "$command" boot >"$work/said" 2>&1 &
late=$!
claim "a boot without a default route" until_so pgrep -P $late sleep
while read -r way; do ip -4 route add $way; done <"$work/ways4"
while read -r way; do ip -6 route add $way; done <"$work/ways6"
claim "waits for one" wait $late
claim "and has the bridge then" moved
claim "which goes again" network stop xenbr0
claim "with all as before" before

claim "a bridge that nobody confirms" network --confirm 1 apply xenbr0
claim "is taken back" until_so before
claim "it is too late then" says "nothing waits" network confirm
claim "and comes with no boot either" same 0 "$(xs read -v $config/xenbr0/boot)"
claim "one may say at once that it does not work" sh -c "sh '$command' apply xenbr0 && sh '$command' revert"
claim "which is the same" before
claim "and nobody waits" until_so not pgrep -f -- --watch

# The session is gone, by which it was asked for.
setsid -w sh -c "sh '$command' --confirm 2 bridge xenbr0 >'$work/said' 2>&1; touch '$work/up'; kill -9 0" >/dev/null 2>&1
claim "the session that asked for one is cut off" test -e "$work/up"
claim "it is taken back all the same" until_so before
real=$(command -v ip)
cat >"$work/bin/ip" <<END
#!/bin/sh
[ "\$1" != -batch ] || { head -n 6 "\$2" >$work/half; $real -batch $work/half; kill -9 0; }
exec $real "\$@"
END
chmod +x "$work/bin/ip"
setsid -w sh -c "sh '$command' --confirm 6 bridge xenbr0" >"$work/said" 2>&1
claim "one that is cut off half way" not before
claim "is taken back, too" until_so before
sed -i 's/kill -9 0/kill -9 $PPID; exit 1/' "$work/bin/ip"
claim "one whose script is killed is at once" says "xenbr0 is not made" network bridge xenbr0
claim "all of it" before
rm "$work/bin/ip"

# Nobody would undo it.
xs_real=$(readlink -f "$work/bin/xs")
rm "$work/bin/xs"
printf '#!/bin/sh\n[ "$1" != write ] || exit 1\nexec %s "$@"\n' "$xs_real" >"$work/bin/xs"
chmod +x "$work/bin/xs"
claim "where the store takes nothing, no bridge is made" says "nobody would be there to undo it" network apply xenbr0
claim "nothing has changed" before
rm "$work/bin/xs" && ln -s "$xs_real" "$work/bin/xs"
printf '#!/bin/sh\nexit 0\n' >"$work/bin/setsid"
printf '#!/bin/sh\n[ "$1" = 20 ] || exec %s "$@"\nexit 124\n' "$(command -v timeout)" >"$work/bin/timeout"
chmod +x "$work/bin/setsid" "$work/bin/timeout"
claim "nor where nobody watches" says "nobody would be there to undo it" network apply xenbr0
claim "nor is anything left of that" before
rm "$work/bin/setsid" "$work/bin/timeout"
mkfifo /run/storevisor/network/.answer.new
mkdir "$work/elsewhere"
cp "$command" "$work/elsewhere/mine"
printf '#!/bin/sh\ncd / && exec %s "$@"\n' "$(command -v setsid)" >"$work/bin/setsid"
chmod +x "$work/bin/setsid"
claim "whatever one that was killed left, and by whatever name it is called" \
	sh -c "cd '$work/elsewhere' && sh ./mine --confirm 30 apply xenbr0"
claim "somebody watches" pgrep -f -- '--watch xenbr0 30'
claim "who waits for an answer" network revert
claim "and goes then" until_so not pgrep -f -- --watch
claim "with the bridge" before
rm "$work/bin/setsid"

# The watcher's first undoing fails.
real=$(command -v ip)
cat >"$work/bin/ip" <<END
#!/bin/sh
case \$* in "-force "*) [ -e "$work/tried" ] || { : >"$work/tried"; exit 1; } ;; esac
exec $real "\$@"
END
chmod +x "$work/bin/ip"
claim "one that nobody confirms" network --confirm 1 apply xenbr0
claim "is taken back also where the first attempt fails" until_so before
claim "as it has" test -e "$work/tried"
rm "$work/bin/ip"

# The watcher is killed.
network --confirm 30 apply xenbr0 >/dev/null
for pid in $(pgrep -f -- '--watch xenbr0 30'); do kill -9 "$pid"; done
claim "one whose watcher is gone is known as such" until_so sh -c "sh '$command' | grep -qx 'xenbr0 waits for confirm or revert, and does so for good.'"
claim "it can still be confirmed" network confirm
network stop xenbr0 && network --confirm 30 apply xenbr0 >/dev/null
for pid in $(pgrep -f -- '--watch xenbr0 30'); do kill -9 "$pid"; done
until_so flock -n /run/storevisor/network/.watching true
claim "or it is undone by the next command" sh -c "sh '$command' apply xenbr0 2>'$work/said' && grep -q 'nobody has confirmed xenbr0, and who watched it is gone: it is undone' '$work/said'"
claim "which makes its own" moved
claim "with a watcher" pgrep -f -- '--watch xenbr0 60'
claim "that goes" network revert
claim "wholly" before

# Boots, several, documents.
cat >"$work/net.json" <<'END'
{ "config": { "network": {
	"xenbr0": { "device": "eth0", "boot": true },
	"nat0": { "mode": "nat", "address": "10.1.0.1/24", "dhcp": false, "boot": true },
	"net9": { "mode": "bridge", "device": "eth9", "boot": true }
} } }
END
claim "a document describes several" xs import "$work/net.json"
claim "a boot tells what it cannot make" says "there is no NIC eth9" network boot
claim "and makes the others" routed xenbr0
claim "of both kinds" sh -c "nft list table inet storevisor-nat0 | grep -q 10.1.0.0/24"
claim "without waiting" not test -e /run/storevisor/network/.pending
claim "a second time it is the same" says "there is no NIC eth9" network boot
network stop xenbr0 && network stop nat0
claim "both stop" before
claim "--now asks nobody" network --now bridge xenbr0
claim "and it stays" same "1 " "$(xs read -v $config/xenbr0/boot) $(cat /run/storevisor/network/.pending 2>/dev/null)"
network stop xenbr0
claim "NAT needs no confirmation" network nat nat1 address=10.4.0.1/24 dhcp=0
claim "it leaves the NIC what it has" routed eth0
claim "and goes" network stop nat1
plan
