# SPDX-License-Identifier: MIT
# network-subnet.sh - a bridge with a net of its own, which this machine routes: network-route and network-nat. Source
# it after network-common.sh; nat is 0 or 1. It does not touch a NIC. Names, beside those of network-common.sh:
#   bridge   its name
#   address  this machine's own addresses there, the guests' gateway: 10.1.0.1/24, fd00:1::1/64, or both with a blank
#   dhcp     1: guests are given addresses by dnsmasq, where that is installed (1 with NAT, else 0)
#   stp      1: it takes part in the spanning tree (0)

# shellcheck source-path=SCRIPTDIR source=forwarding.sh
. "$(dirname "$0")/forwarding.sh"
# shellcheck source=network-owner.sh
. "$(dirname "$0")/network-owner.sh"

# shellcheck disable=SC2034 # dispatch's: what network-bridge has as soon as there is something to undo
foreign=port

# own_mac: the bridge's, always the same; without one a bridge has that of one of its guests.
own_mac() { echo "$bridge" | md5sum | sed -E 's,^(..)(..)(..).*,02:16:3e:\1:\2:\3,'; }

# range ADDRESS/LENGTH: the first and the last of IPv4 that a guest can have.
range() {
	echo "$1" | awk -F'[./]' '{
		size = 2 ^ (32 - $5); n = (($1 * 256 + $2) * 256 + $3) * 256 + $4; first = n - n % size
		for (i = 0; i < 2; i++) {
			n = i ? first + size - 2 : first + 1
			printf "%s%d.%d.%d.%d", i ? "," : "", n / 16777216, n / 65536 % 256, n / 256 % 256, n % 256
		}
	}'
}

checks() {
	[ -z "$vlan$netdev" ] || fatal "netdev= and vlan= are network-bridge's"
	[ -n "$address" ] || fatal "address= is missing: this machine's own on $bridge, such as address=10.1.0.1/24"
	for one in $address; do
		case $one in
		*/*) ;;
		*) fatal "address=$one: how long the net's part is has to be said, such as $one/24" ;;
		esac
		case $one in
		*:*) ;;
		*/*.* | */3[12]) fatal "address=$one: a length of /30 or less is expected" ;;
		esac
	done
	[ $nat = 0 ] || command -v nft >/dev/null || fatal "there is no nft: apt install nftables"
	! network_exists "$bridge" || fatal "$bridge is there, and was not made here: use it, or say another bridge="
}

# leases: of dnsmasq, which goes on by itself; the lock is not for it.
leases() {
	[ "${dhcp:-$nat}" = 1 ] || return 0
	if ! command -v dnsmasq >/dev/null; then
		echo "${0##*/}: there is no dnsmasq (apt install dnsmasq-base): guests on $bridge have to be given addresses" >&2
		return 0
	fi
	set --
	for one in $address; do
		case $one in
		*:*) set -- "$@" --enable-ra "--dhcp-range=::,constructor:$bridge,ra-only" ;;
		*) set -- "$@" "--dhcp-range=$(range "$one")" ;;
		esac
	done
	dnsmasq --conf-file=/dev/null --pid-file="$state/dnsmasq.pid" --dhcp-leasefile="$state/leases" --bind-interfaces \
		--interface="$bridge" --except-interface=lo --dhcp-authoritative "$@" 9>&-
}

undo() {
	pid=$(cat "$state/dnsmasq.pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dnsmasq ] && kill "$pid"
	masquerade_end "$bridge"
	! network_exists "$bridge" || ip link del dev "$bridge"
	forward_end "$bridge"
	networkd_may
	rm -rf "$state"
}

make() {
	mkdir -p "$state" && : >"$state/subnet" && networkd_shall_leave "$bridge" &&
		ip link add name "$bridge" address "$(own_mac)" type bridge stp_state "${stp:-0}" forward_delay "$((${stp:-0} * 200))" ||
		return 1
	for one in $address; do
		case $one in
		*:*) ip addr add "$one" dev "$bridge" nodad || return 1 ;;
		*) ip addr add "$one" broadcast + dev "$bridge" || return 1 ;;
		esac
	done
	# shellcheck disable=SC2086 # words
	ip link set dev "$bridge" up && { [ $nat = 0 ] || masquerade "$bridge" $address; } && forward_for "$bridge" && leases
}

start() {
	[ ! -e "$state/up" ] || ! network_exists "$bridge" || exit 0
	[ ! -d "$state" ] || undo # one that was killed in the middle
	checks
	trap '' HUP
	trap undo EXIT
	trap 'exit 1' INT TERM
	make && : >"$state/up" || fatal "$bridge is not made"
	trap - EXIT INT TERM
}

stop() {
	others=$(ports | xargs)
	[ -z "$others" ] || fatal "$bridge has ports, of guests: $others"
	undo
}

is_up() {
	[ -e "$state/up" ] && network_exists "$bridge" || { echo "$bridge is not up"; return 1; }
	echo "$bridge has $(ip -o addr show dev "$bridge" scope global | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $4 }')"
}
