#!/bin/sh
# SPDX-License-Identifier: MIT
# debian.sh RUN-SCRIPT XENSTORED XS - the hotplug scripts of Debian's xen-utils, as they are, called as netback does it,
# with the real store. Open vSwitch's command is a stand-in: not every kernel that tests run on has switches.
. "$(dirname "$0")/lib.sh"
run_script=$(readlink -f "$1") xenstored=$(readlink -f "$2") xs=$(readlink -f "$3")
mkdir "$work/bin" "$work/store" "$work/state"
ln -s "$xs" "$work/bin/xs"
# They have a path of their own, in which Debian's tools of the store come first; ours are before those here.
for tool in read write exists rm; do ln -s "$xs" "$work/bin/xenstore-$tool"; done
export PATH="$work/bin:$PATH" XENSTORED_PATH="$work/store/socket"
mkdir -p /var/log/xen
mount -t tmpfs tmpfs /var/log/xen
mount -t tmpfs tmpfs /var/lock/ 2>/dev/null
"$xenstored" -D -N --run-dir "$work/store" --state-dir "$work/state" >"$work/daemon" 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon; rm -rf "$work"' EXIT
until_so xs exists /
for name in vif-bridge vif-route vif-openvswitch; do
	claim "$name is Debian's" sh -c "dpkg-query -S /etc/xen/scripts/$name | grep -q '^xen-utils-common:' && dpkg-query -W -f '\${Conffiles}' xen-utils-common | grep -q \"^ /etc/xen/scripts/$name \$(md5sum </etc/xen/scripts/$name | cut -c 1-32)\$\""
done

nic
backend=/local/domain/0/backend/vif/1/0
# card KEY VALUE...: the directory of a card that has just come.
card()
{
	xs rm -f $backend
	xs write $backend/frontend-id 1 $backend/mac 00:16:3e:00:00:01 $backend/handle 0 "$@"
	ip link del vif1.0 2>/dev/null
	ip tuntap add dev vif1.0 mode tap
}
run() { "$run_script" $backend "$1" || { cat /var/log/xen/xen-hotplug.log; false; }; }
status() { same "$1" "$(xs read -v $backend/hotplug-status)"; }

ip link add xenbr0 type bridge && ip link set xenbr0 up
ip link set xenbr0 mtu 1400
for bridge in bridge= script=; do
	card $([ $bridge = bridge= ] && echo $backend/bridge xenbr0 || echo $backend/bridge xenbr0 $backend/script vif-bridge)
	claim "vif-bridge ($bridge): online" run online
	claim "it says so in the store" status connected
	claim "the card is on the bridge" test -e /sys/class/net/xenbr0/brif/vif1.0
	claim "with its MTU" same 1400 "$(cat /sys/class/net/vif1.0/mtu)"
	claim "which the guest is told" same 1400 "$(xs read -v /local/domain/1/device/vif/0/mtu)"
	claim "offline" run offline
	claim "it is off" not test -e /sys/class/net/xenbr0/brif/vif1.0
done
card $backend/bridge nobr0
claim "a bridge that is not there is an error" not run online
claim "in the store" status error
claim "by name" same "Could not find bridge device nobr0" "$(xs read -v $backend/hotplug-error)"

card $backend/script vif-route $backend/ip '10.3.0.9 10.3.1.0/24'
claim "vif-route: online" run online
claim "it says so in the store" status connected
claim "with routes to all of ip=" same "10.3.0.9 10.3.1.0/24" "$(ip -4 route show dev vif1.0 | awk '/^10.3/ { print $1 }' | xargs)"
claim "and answers for others there" grep -qx 1 /proc/sys/net/ipv4/conf/vif1.0/proxy_arp
claim "offline" run offline
claim "the routes are gone" same "" "$(ip route | grep '^10.3')"

mkdir "$work/usr" && printf '#!/bin/sh\necho "$@" >>%s/ovs\n' "$work" >"$work/usr/ovs-vsctl"
chmod +x "$work/usr/ovs-vsctl"
PATH="$PATH:$work/usr"
xs write /local/domain/1/vm /vm/u /vm/u/name web /vm/u/uuid 3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a10
card $backend/script vif-openvswitch $backend/bridge ovsbr0.10:20:30
claim "vif-openvswitch: online" run online
claim "it says so in the store" status connected
claim "the switch is told the card, its VLAN and its trunk" grep -q -- '-- add-port ovsbr0 vif1.0 tag=10 trunk=20,30 ' "$work/ovs"
claim "and whose it is" grep -q 'external-ids:"xen-vm-name"="web"' "$work/ovs"
claim "offline" run offline
claim "the switch is told that, too" sh -c "tail -n 1 '$work/ovs' | grep -q -- '--if-exists del-port vif1.0'"
plan
