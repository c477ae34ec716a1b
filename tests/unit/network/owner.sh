#!/bin/sh
# SPDX-License-Identifier: MIT
# owner.sh SCRIPT-DIR networkd|manager - network-bridge on a NIC that the real systemd-networkd or NetworkManager has,
# with an address by DHCP and one of its own: that one makes the bridge, renews there, and has the NIC again afterwards.
export OWN_SYS=ro # so that udev is not waited for
. "$(dirname "$0")/lib.sh"
script=$1/network-bridge owner=$2
mkdir "$work/bin"
ip link set lo up
ip netns add lan
ip link add eth0 address 52:54:00:12:34:56 type veth peer name port netns lan
lan ip link set lo up
lan ip addr add 192.0.2.1/24 dev port
lan ip addr add 2001:db8::1/64 dev port nodad
lan ip link set port up

# server: it gives one address, to whom it has given it before; it says what it hears.
server()
{
	ip netns exec lan dnsmasq --conf-file=/dev/null --pid-file= --no-daemon --dhcp-leasefile="$work/leases" \
		--bind-interfaces --port=0 --interface=port --except-interface=lo --dhcp-authoritative \
		--dhcp-range=192.0.2.50,192.0.2.90 --log-facility="$work/heard" \
		2>/dev/null &
	server=$!
}
heard() { grep -c DHCPACK "$work/heard"; }

mkdir -p /run/dbus /run/systemd/network
cat >"$work/bus.conf" <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
  </policy>
</busconfig>
END
dbus-daemon --config-file="$work/bus.conf" --fork --nopidfile

networkd_settings()
{
	# it gives up its rights to be the user whom it finds by this name
	if [ "$(wc -l </proc/self/uid_map)" = 1 ] && [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 1 ]; then
		printf '%s\n' 'root:x:0:0::/:/bin/sh' 'systemd-network:x:0:0::/:/bin/sh' >"$work/passwd"
		mount --bind "$work/passwd" /etc/passwd
	fi
	mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/network/20-wired.network.d
	chown -R systemd-network /run/systemd/netif
	cp "$here/../../../install/10-storevisor-vif.network" /run/systemd/network/
	cat >/run/systemd/network/20-wired.network <<-'END'
	[Match]
	Name=!lo

	[Link]
	MTUBytes=1400
	RequiredForOnline=routable

	[Network]
	DHCP=ipv4
	EmitLLDP=nearest-bridge
	END
	# a value of two lines, a section of its own
	printf '[Network]\nAddress=192.0.2.10/24\nDomains=a.example \\\n  b.example\n\n[Address]\nAddress=2001:db8::10/64\n' \
		>/run/systemd/network/20-wired.network.d/own.conf
}
networkd_daemon() { exec /lib/systemd/systemd-networkd; }
networkd_renews() { networkctl renew "$1"; }
networkd_clean() { same 2 "$(find /run/systemd/network -maxdepth 1 -name '*.network' | wc -l)"; }

manager_settings()
{
	mount -t tmpfs tmpfs /var/lib/NetworkManager && mount -t tmpfs tmpfs /etc/NetworkManager &&
		mkdir /etc/NetworkManager/system-connections
	printf '[main]\nplugins=keyfile\ndhcp=internal\ndns=none\nauth-polkit=false\n' >/etc/NetworkManager/NetworkManager.conf
	(umask 077 && cat >'/etc/NetworkManager/system-connections/the: wire.nmconnection' <<-'END'
	[connection]
	id=the: wire
	uuid=0a6d1a6c-5f0e-4b5b-a4b0-1b7b1a7b6a01
	type=ethernet
	zone=inner

	[ethernet]
	mtu=1400

	[ipv4]
	method=auto
	address1=192.0.2.10/24
	dhcp-client-id=duid

	[ipv6]
	method=manual
	address1=2001:db8::10/64
	END
	)
}
manager_daemon() { exec NetworkManager --no-daemon; }
manager_renews() { nmcli device reapply "$1" && nmcli device modify "$1" ipv4.dhcp-send-hostname no; }
manager_clean() { same "lo the: wire" "$(nmcli -g NAME connection show | sort | sed 's/\\//g' | xargs)"; }

${owner}_settings
daemon() { ${owner}_daemon >>"$work/daemon" 2>&1 & daemon=$!; }
server
daemon
trap 'kill $daemon $server $serving; wait $daemon; rm -rf "$work"' EXIT

# has DEV: the addresses, and the way out.
has()
{
	for address in 192.0.2.10/24 "$leased" 2001:db8::10/64; do
		ip -o addr show dev "$1" | grep -v tentative | grep -qF " $address " || { echo "$1 lacks $address"; return 1; }
	done
	ip route show default dev "$1" | grep 'via 192.0.2.1' && grep -qx 1400 "/sys/class/net/$1/mtu"
}
leased=dynamic
claim "it gives the NIC what it has" until_so has eth0
leased=$(ip -4 -o addr show dev eth0 dynamic | awk '{ print $4 }')
cp /sys/class/net/eth0/address "$work/mac"
port() { same xenbr0 "$(basename "$(readlink /sys/class/net/eth0/master)")" && bare; }
bare() { same "" "$(ip -o addr show dev eth0)"; }
bridged() { has xenbr0 && port && diff "$work/mac" /sys/class/net/xenbr0/address; }
unmade() { not ip link show dev xenbr0 && same "" "$(ls -A /run/storevisor/network | grep -vx 'lock\|.forwarding')"; }
before() { has eth0 && unmade && ${owner}_clean; }
claim "wholly" before

python3 "$here/probe.py" serve 192.0.2.10 "${leased%/*}" >"$work/served" &
serving=$!
until_so grep -q ready "$work/served"
# asked COMMAND...: it is run while somebody of the lan talks to the host.
asked()
{
	rm -f "$work/stop"
	lan python3 "$here/probe.py" ask "$work/stop" 192.0.2.10 "${leased%/*}" >"$work/asked" 2>&1 &
	asking=$!
	until_so grep -q ready "$work/asked"
	"$@" >"$work/said" 2>&1
	status=$?
	: >"$work/stop"
	wait $asking || { cat "$work/asked"; return 1; }
	return $status
}

claim "a bridge starts while others talk to the host" asked "$script" start
sed 's/^/# /' "$work/asked"
claim "addresses, MAC and the way out are the bridge's, and the NIC is a port" bridged
claim "that owner has made it" sh -c "'$script' status | grep -q 'made from eth0 by [sN]'"
acks=$(heard)
claim "it asks for the address again" ${owner}_renews xenbr0
claim "and gets it" until_so sh -c "[ \$(grep -c DHCPACK '$work/heard') -gt $acks ]"
claim "on the bridge alone" until_so bridged
kill $daemon && wait $daemon
daemon
claim "a daemon that is new knows the bridge" until_so sh -c "
	'$script' status && ip -4 -o addr show dev xenbr0 | grep -q '$leased'"
claim "and leaves the NIC its port" until_so bridged
if [ $owner = networkd ]; then
	claim "what is no address stays at the NIC" grep -qx EmitLLDP=nearest-bridge /run/systemd/network/00-storevisor-xenbr0-port.network
	claim "and no address does" not grep -q 192.0.2.10 /run/systemd/network/00-storevisor-xenbr0-port.network
	claim "values of two lines are whole" sh -c "
		grep -A 1 'Domains=a.example' /run/systemd/network/00-storevisor-xenbr0.network | grep -q b.example"
else
	claim "the bridge is in the NIC's zone" same inner "$(nmcli -g connection.zone connection show storevisor-xenbr0)"
fi
claim "it stops while others talk" asked "$script" stop
sed 's/^/# /' "$work/asked"
claim "all is as before" until_so before

# Killed when it is made: a watcher's revert.
claim "it starts again" "$script" start
rm /run/storevisor/network/xenbr0/up
claim "one that was killed half way is taken back" "$script" revert
claim "wholly" until_so before

# The owner's tool fails.
tool=networkctl
[ $owner = networkd ] || tool=nmcli
real=$(command -v $tool)
printf '#!/bin/sh\ncase "$*" in reload | *connection\\ load*) [ -e %s ] || { : >%s; exit 1; } ;; esac\nexec %s "$@"\n' \
	"$work/failed" "$work/failed" "$real" >"$work/bin/$tool"
chmod +x "$work/bin/$tool"
claim "one whose owner does not do it is told" env PATH="$work/bin:$PATH" sh -c "
	! '$script' start 2>'$work/said' && grep -q 'eth0 stays as it was' '$work/said'"
claim "and undone" until_so before
rm "$work/bin/$tool"

# Nobody gives addresses any more.
kill $server
wait $server
printf '#!/bin/sh\nexec %s 0.01\n' "$(command -v sleep)" >"$work/bin/sleep"
chmod +x "$work/bin/sleep"
PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
claim "without an address from outside it is not made" grep -q "has not given xenbr0 in 30 s: $leased" "$work/said"
claim "the NIC has all the same what it had" has eth0
claim "and no bridge is left" not ip link show dev xenbr0
rm "$work/bin/sleep"
server
[ $owner = networkd ] && networkctl reconfigure eth0 || nmcli -w 30 connection up 'the: wire' >/dev/null
claim "and gets it from there again" until_so sh -c "ip -4 -o addr show dev eth0 dynamic | grep -q '$leased'"

real=$(command -v ip)
# Beside it: none of its names, whatever its files say.
cat >"$work/bin/ip" <<END
#!/bin/sh
case \$* in
# not every kernel that this is tested on has VLANs
"link add link eth0 name eth0.5 type vlan id 5") exec $real link add link eth0 name eth0.5 type macvlan mode bridge ;;
esac
exec $real "\$@"
END
chmod +x "$work/bin/ip"
claim "a bridge from a VLAN is made" env PATH="$work/bin:$PATH" "$script" start bridge=xenbr5 netdev=eth0 vlan=5
claim "and one with a net of its own" "$1/network-route" start bridge=nat0 address=10.1.0.1/24
for dev in eth0.5 xenbr5 nat0; do
	[ $owner = manager ] || claim "$dev is not its" until_so sh -c "networkctl list $dev | grep -q unmanaged"
	claim "$dev keeps what it has" sh -c "! ip -4 -o addr show dev $dev | grep -v '10.1.0.1/24'"
done
if [ $owner = networkd ]; then
	ip tuntap add dev vif3.0 mode tap
	claim "nor is a domain's card" until_so sh -c "networkctl list vif3.0 | grep -q unmanaged"
	ip link del vif3.0
fi
claim "they go" sh -c "'$script' stop bridge=xenbr5 && '$1/network-route' stop bridge=nat0"
claim "wholly" until_so before
plan
