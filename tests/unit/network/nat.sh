#!/bin/sh
# SPDX-License-Identifier: MIT
# nat.sh SCRIPT-DIR - nets of their own behind this machine: network-nat and network-route, vif-nat and vif-route, with a
# guest behind and a world before it that does not know them.
. "$(dirname "$0")/lib.sh"
scripts=$1
mkdir "$work/bin"
# The store's tools, on a folder.
printf '#!/bin/sh\ncat "%s/store/$1" 2>/dev/null\n' "$work" >"$work/bin/xenstore-read"
printf '#!/bin/sh\nwhile [ $# -gt 1 ]; do mkdir -p "%s/store/${1%%/*}"; echo "$2" >"%s/store/$1"; shift 2; done\n' "$work" "$work" >"$work/bin/xenstore-write"
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH"
nic
echo 0 >/proc/sys/net/ipv4/ip_forward
lan python3 "$here/probe.py" serve 203.0.113.1 2001:db8:1::1 >"$work/served" &
until_so grep -q ready "$work/served"
host()
{
	cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv6/conf/*/accept_ra
	ip -o link | sed 's/^[0-9]*: //' | cut -d : -f 1
	ip -o addr | sed 's/^[0-9]*: //'
	ip route
	ip -6 route
	nft list ruleset
}
host >"$work/before"
before() { host | diff "$work/before" - && until_so not pgrep dnsmasq && same "" "$(ls -A /run/storevisor/network | grep -vx 'lock\|.forwarding')"; }
is_seen() { same "$2" "$(seen guest "$1")"; }

claim "a net needs an address" says "address= is missing" "$scripts/network-nat" start bridge=nat0
claim "which says how long it is" says "10.1.0.1/24" "$scripts/network-nat" start bridge=nat0 address=10.1.0.1
claim "and is one to give others of" says "/30 or less" "$scripts/network-nat" start bridge=nat0 address=10.1.0.1/32
claim "and no NIC" says "are network-bridge's" "$scripts/network-nat" start bridge=nat0 netdev=eth0 address=10.1.0.1/24
claim "an address that is none changes nothing" says "nat0 is not made" "$scripts/network-nat" start bridge=nat0 address=10.1.0.300/24
claim "at all" before

claim "NAT starts" "$scripts/network-nat" start bridge=nat0 'address=10.1.0.1/24 fd00:1::1/64'
claim "and says what it is" sh -c "'$scripts/network-nat' status bridge=nat0 | grep -qx 'nat0 has 10.1.0.1/24 fd00:1::1/64'"
guest guest vif1.0
claim "a guest's card is put on it" env vif=vif1.0 bridge=nat0 XENBUS_PATH=backend/vif/1/0 "$scripts/vif-bridge" online type_if=vif
claim "which says so" grep -qx connected "$work/store/backend/vif/1/0/hotplug-status"
cat >"$work/lease" <<'END'
#!/bin/sh
[ "$1" != bound ] || { ip addr add "$ip/$mask" dev eth0; ip route add default via "$router"; }
END
chmod +x "$work/lease"
claim "the guest is given an address" in_guest busybox udhcpc -i eth0 -n -q -f -t 20 -T 1 -s "$work/lease"
claim "of the net" sh -c "ip netns exec guest ip addr show eth0 | grep -q 'inet 10.1.0.[0-9]*/24'"
until_so sh -c "ip netns exec guest ip -6 addr show dev eth0 scope global | grep inet6 | grep -qv tentative"
claim "one of IPv6 it makes itself" sh -c "ip netns exec guest ip -6 addr show eth0 | grep -q fd00:1:"
claim "the world sees this machine's" is_seen 203.0.113.1 192.0.2.10
claim "by IPv6, too" sh -c "case '$(seen guest 2001:db8:1::1)' in 2001:db8::1[01]) ;; *) false ;; esac"
address=$(in_guest ip -o -4 addr show eth0 | awk '{ sub("/.*", "", $4); print $4 }')
in_guest python3 "$here/probe.py" serve "$address" >"$work/guest.served" &
served=$!
until_so grep -q ready "$work/guest.served"
lan ip route add 10.1.0.0/24 via 192.0.2.10
claim "this machine reaches the guest" sh -c "python3 '$here/probe.py' seen $address"
claim "the world does not, though it knows the way" same no "$(seen lan "$address")"
nft 'table ip mine { chain c { type nat hook prerouting priority dstnat; iifname eth0 udp dport 7000 dnat to '"$address"'; }; }'
claim "but for what is sent there by a rule" not same no "$(seen lan 192.0.2.10)"
nft delete table ip mine
claim "with the guest on it, it does not stop" says "nat0 has ports, of guests: vif1.0" "$scripts/network-nat" stop bridge=nat0
kill $served
ip link del vif1.0
claim "a net that is routed beside it" "$scripts/network-route" start bridge=net0 address=10.2.0.1/24
claim "NAT stops" "$scripts/network-nat" stop bridge=nat0
claim "packets of the other are passed on as before" grep -qx 1 /proc/sys/net/ipv4/ip_forward
ip netns del guest
guest guest vif1.0
ip link set vif1.0 master net0 up
in_guest ip addr add 10.2.0.9/24 dev eth0 && in_guest ip route add default via 10.2.0.1
claim "to a world that does not know the net, no answer comes" is_seen 203.0.113.1 no
lan ip route add 10.2.0.0/24 via 192.0.2.10
claim "to one that does, from the guest's own address" is_seen 203.0.113.1 10.2.0.9
ip link del vif1.0
ip netns del guest
claim "it stops" "$scripts/network-route" stop bridge=net0
claim "and all is as at first" before

# Cards without a bridge.
card() { env vif=vif1.0 XENBUS_PATH=backend/vif/1/0 "$scripts/$1" "$2" type_if=vif; }
guest guest vif1.0
card vif-nat online >"$work/said" 2>&1
claim "a card with NAT needs its guest's address" grep -q 'vif-nat needs the guest' "$work/store/backend/vif/1/0/hotplug-error"
echo '10.3.0.9 fd00:3::9/64' >"$work/store/backend/vif/1/0/ip"
for script in vif-nat vif-route; do
	claim "$script: it goes online" card $script online
	claim "$script: and says so" grep -qx connected "$work/store/backend/vif/1/0/hotplug-status"
	in_guest ip addr replace 10.3.0.9/24 dev eth0 && in_guest ip route replace default via 10.3.0.1
	in_guest ip addr replace fd00:3::9/64 dev eth0 nodad && in_guest ip -6 route replace default via fe80::fcff:ffff:feff:ffff dev eth0
	[ $script = vif-nat ] || { lan ip route add 10.3.0.9 via 192.0.2.10; lan ip -6 route add fd00:3::9 via 2001:db8::10; }
	case $script in vif-nat) want='192.0.2.10 2001:db8::1x' ;; *) want='10.3.0.9 fd00:3::9' ;; esac
	claim "$script: the world sees ${want% *}" is_seen 203.0.113.1 "${want% *}"
	claim "$script: and ${want#* }" same "${want#* }" "$(seen guest 2001:db8:1::1 | sed 's/^2001:db8::1[01]$/2001:db8::1x/')"
	claim "$script: it goes offline" card $script offline
	claim "$script: nobody is reached then" is_seen 203.0.113.1 no
done
card vif-route online
ip tuntap add dev vif2.0 mode tap
echo 10.3.0.7 >"$work/store/backend/vif/1/0/ip"
echo 0 >/proc/sys/net/ipv4/ip_forward
claim "a second card" env vif=vif2.0 XENBUS_PATH=backend/vif/1/0 "$scripts/vif-route" online type_if=vif
claim "has packets passed on, though somebody has turned that off" grep -qx 1 /proc/sys/net/ipv4/ip_forward
ip link del vif2.0
claim "it is gone without a word, and the first goes" card vif-route offline
claim "then nothing is passed on any more" grep -qx 0 /proc/sys/net/ipv4/ip_forward
ip link del vif1.0
claim "in the end all is as at first" before

# At each step: ip, nft, dnsmasq fail once, or are not there.
for tool in ip nft dnsmasq; do
	cat >"$work/bin/$tool" <<END
#!/bin/sh
echo "\$0" >>$work/calls
[ "\$(wc -l <$work/calls)" != "\${FAIL:-0}" ] || exit 1
exec $(command -v $tool) "\$@"
END
	chmod +x "$work/bin/$tool"
done
: >"$work/calls"
"$scripts/network-nat" start bridge=nat0 'address=10.1.0.1/24 fd00:1::1/64' >"$work/said" 2>&1
steps=$(wc -l <"$work/calls")
"$scripts/network-nat" stop bridge=nat0
bad=
for at in $(seq "$steps"); do
	: >"$work/calls"
	! FAIL=$at "$scripts/network-nat" start bridge=nat0 'address=10.1.0.1/24 fd00:1::1/64' >"$work/said" 2>&1 || bad="$bad $at:succeeds"
	: >"$work/calls"
	before >"$work/why" 2>&1 || { bad="$bad $at:differs"; sed 's/^/# /' "$work/why"; }
done
claim "it has several steps: $steps" [ "$steps" -ge 6 ]
claim "whichever fails, all is as before" same "" "$bad"
plan
