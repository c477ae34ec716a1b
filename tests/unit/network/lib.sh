# SPDX-License-Identifier: MIT
# lib.sh - what the tests of the host's network share. Source it first, with the test's own arguments: it goes on in
# namespaces of its own, with a NIC eth0 whose cable ends in another namespace, `lan`. TAP output.
if [ -z "${OWN_NETWORK:-}" ]; then
	[ "$(id -u)" = 0 ] && as= || as=-r
	OWN_NETWORK=1 exec unshare $as --uts --net --mount --pid --fork --kill-child --mount-proc sh "$0" "$@"
fi
mount -t tmpfs tmpfs /run && mount -t sysfs -o "${OWN_SYS:-rw}" sysfs /sys || exit 99
unset CDPATH
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

# claim TEXT COMMAND...: it succeeds.
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$work/why" 2>&1; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		cat "$work/why" "$work/said" 2>/dev/null | tail -n 40 | sed 's/^/# /'
	fi
}
not() { ! "$@"; }
same() { [ "$1" = "$2" ] || { printf 'wanted: %s\ngot:    %s\n' "$1" "$2"; false; }; }
# says TEXT COMMAND...: it fails with that.
says()
{
	want=$1
	shift
	if "$@" >"$work/said" 2>&1; then echo "it succeeds" && return 1; fi
	grep -qF -- "$want" "$work/said"
}
# until_so COMMAND...: it succeeds within four minutes.
until_so()
{
	for _ in $(seq 4800); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	"$@"
}
lan() { ip netns exec lan "$@"; }
plan() { echo "1..$n"; }

# nic: eth0 with addresses and routes as a host has them; beyond it a router, with a network behind.
nic()
{
	ip link set lo up
	ip netns add lan
	ip link add eth0 address 52:54:00:12:34:56 type veth peer name port netns lan
	lan ip link set lo up
	lan ip addr add 192.0.2.1/24 dev port
	lan ip addr add 2001:db8::1/64 dev port nodad
	lan ip addr add 203.0.113.1/24 dev lo
	lan ip addr add 2001:db8:1::1/128 dev lo
	lan ip link set port up
	ip addr add 192.0.2.10/24 brd + dev eth0
	ip addr add 192.0.2.11/24 brd + dev eth0 label eth0:1
	ip addr add 198.51.100.7/32 dev eth0
	ip addr add 2001:db8::10/64 dev eth0 nodad
	ip addr add 2001:db8::11/64 dev eth0 nodad
	ip link set eth0 up
	ip route add default via 192.0.2.1 dev eth0 proto static metric 100 src 192.0.2.11
	ip route add default via 192.0.2.2 dev eth0 metric 500
	ip route add 10.9.0.0/16 via 192.0.2.3 dev eth0
	ip route add 10.8.0.1 dev eth0 scope link
	ip route add 10.7.0.0/16 via 10.8.0.1 dev eth0
	ip route add 10.6.0.0/16 via 192.0.2.4 dev eth0 table 77
	ip -6 route add default via 2001:db8::1 dev eth0 metric 100
	ip -6 route add 2001:db8:9::/48 via 2001:db8::3 dev eth0
	settled eth0
}
# settled DEV: its link-local address is one.
settled() { until_so sh -c "ip -6 addr show dev $1 scope link | grep inet6 | grep -qv tentative"; }

# facts DEV: all that DEV has, whatever it is called.
facts()
{
	cat "/sys/class/net/$1/address" "/sys/class/net/$1/mtu"
	(cd /proc/sys/net && grep . ipv6/conf/"$1"/disable_ipv6 ipv6/conf/"$1"/accept_dad ipv6/conf/"$1"/accept_ra ipv4/conf/"$1"/arp_ignore) |
		sed "s,/$1/,/DEV/,"
	ip -o addr show dev "$1" | sed -e 's/^[0-9]*: //' -e 's/ *\\.*//' -e "s/\\<$1\\>/DEV/g" | grep -v 'scope link'
	for family in 4 6; do
		ip -$family route show table all dev "$1" | grep -v '^\(fe80::\|multicast\|anycast fe80\|local fe80\)' | sed 's/ linkdown//; s/ *$//' | sort
	done
}

# guest NAME CARD: a namespace whose eth0 is what Domain-0 has as CARD.
guest()
{
	ip netns add "$1"
	ip link add "$2" type veth peer name eth0 netns "$1"
	ip netns exec "$1" ip link set lo up
	ip netns exec "$1" ip link set eth0 up
}
in_guest() { ip netns exec guest "$@"; }
# seen WHERE ADDRESS: by which address whoever serves there sees it; nobody: "no".
seen() { ip netns exec "$1" python3 "$here/probe.py" seen "$2" 2>/dev/null || echo no; }
