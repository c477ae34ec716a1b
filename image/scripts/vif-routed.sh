# SPDX-License-Identifier: MIT
# vif-routed.sh - what vif-route and vif-nat share: a card without a bridge, its guest's addresses routed to it. Source
# it after vif-common.sh. The guest's gateway may be any IPv4 address, for all of which Domain-0 answers there; of IPv6
# it is fe80::fcff:ffff:feff:ffff, which every card here has. Key read: ip (addresses with blanks between; required).

# shellcheck source-path=SCRIPTDIR source=forwarding.sh
. "$(dirname "$0")/forwarding.sh"

if [ -z "$ip" ] && [ -n "$XENBUS_PATH" ]; then
	ip=$(xenstore_read_default "$XENBUS_PATH/ip" "")
fi

# family ADDRESS: how ip calls it.
family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

routed_up() {
	[ -n "$ip" ] || fatal "${0##*/} needs the guest's address: add ip= to the record"
	ip link set dev "$dev" address fe:ff:ff:ff:ff:ff || fatal "cannot set the address of $dev"
	ip link set dev "$dev" up || fatal "cannot bring $dev up"
	echo 1 >"/proc/sys/net/ipv4/conf/$dev/proxy_arp" || fatal "cannot set proxy_arp on $dev"
	for addr in $ip; do
		ip "$(family "$addr")" route replace "${addr%/*}" dev "$dev" || fatal "cannot route $addr to $dev"
	done
	forward_for "$dev" || fatal "packets cannot be passed on from $dev"
}

routed_down() {
	forward_end "$dev"
	[ -d "/sys/class/net/$dev" ] || exit 0
	for addr in $ip; do
		ip "$(family "$addr")" route del "${addr%/*}" dev "$dev" 2>/dev/null
	done
	ip link set dev "$dev" down
}
