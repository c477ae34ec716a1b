# SPDX-License-Identifier: MIT
# network-manager.sh - a bridge by NetworkManager: network-owner.sh's. Two connections, as nm-settings-keyfile(5) has
# them: the NIC's own as it is, but a port, and one of the bridge with what it says about addresses.

manager_files=/run/NetworkManager/system-connections

# manager_says DEV KEY: about a device. The first line of it.
manager_says() { LC_ALL=C nmcli -g "$2" device show "$1" 2>/dev/null | head -n 1; }

# manager_has DEV: it configures it. What others do to a device it shows as a connection, too, and does nothing.
manager_has() {
	on_bus org.freedesktop.NetworkManager || return 1
	# unmanaged, unavailable, disconnected; all others are on their way to be connected, or are
	case $(manager_says "$1" GENERAL.STATE) in '' | *externally* | '10 '* | '20 '* | '30 '*) return 1 ;; esac
}

# manager_part PART: of a connection's file its sections about addresses (bridge), or the others (port).
manager_part() {
	awk -v part="$1" '/^\[/ {
		mine = /^\[(connection|bridge|bridge-port|user)\]/ ? 0 : (part == "bridge") == !!/^\[(ipv4|ipv6|proxy)\]/
		if (mine) print ""
	} mine && NF && !/^[#;]/'
}

# manager_new NAME TYPE: how a connection's file begins; its UUID is kept in the state.
manager_new() {
	cat /proc/sys/kernel/random/uuid >"$state/uuid-$1" &&
		printf '[connection]\nid=%s\nuuid=%s\ntype=%s\nautoconnect-priority=999\n' "$1" "$(cat "$state/uuid-$1")" "$2"
}

manager_take() {
	uuid=$(manager_says "$port" GENERAL.CON-UUID) && echo "$uuid" >"$state/uuid" &&
		file=$(LC_ALL=C nmcli -g UUID,FILENAME connection show | sed -n "s/^$uuid://p" | sed 's/\\\(.\)/\1/g') || return 1
	case $file in *.nmconnection) ;; *) fatal "$port's connection is not in a file of NetworkManager's own: $file" ;; esac
	type=$(sed -n 's/^type=//p' "$file" | head -n 1)
	case $type in
	ethernet | 802-3-ethernet | vlan) ;;
	*) fatal "$port is of NetworkManager's type '$type': make the bridge by NetworkManager itself" ;;
	esac
	client=$(LC_ALL=C nmcli -g DHCP4 device show "$port" | tr '|' '\n' |
		sed -n 's/\\//g; s/^.*dhcp_client_identifier = \([^ ]*\).*/\1/p')
	base=$manager_files/storevisor-$bridge
	mkdir -p $manager_files && : >"$base.nmconnection" && : >"$base-port.nmconnection" &&
		chmod 600 "$base.nmconnection" "$base-port.nmconnection" || return 1
	{
		manager_new "storevisor-$bridge" bridge && echo "interface-name=$bridge" &&
			awk '/^\[/ { mine = /^\[connection\]/ } mine && /^(zone|metered|mdns|llmnr|dns-over-tls)=/' "$file" &&
			printf '\n[bridge]\nmac-address=%s\n%s\n' "$(cat "/sys/class/net/$port/address")" \
				"$([ "$stp" = 1 ] && printf 'stp=true\nforward-delay=2\n' || echo stp=false)" &&
			manager_part bridge <"$file" | if [ -n "$client" ]; then
				# by this the server knows the machine, and made of the NIC's name by some settings
				sed "/^dhcp-client-id=/d; s/^\[ipv4\]\$/&\\ndhcp-client-id=$client/"
			else
				cat
			fi
	} >"$base.nmconnection" && {
		manager_new "storevisor-$bridge-port" "$type" &&
			printf 'interface-name=%s\nmaster=%s\nslave-type=bridge\n' "$port" "$bridge" && manager_part port <"$file"
	} >"$base-port.nmconnection" || return 1
	nmcli connection load "$base.nmconnection" "$base-port.nmconnection" >/dev/null &&
		nmcli --wait 30 connection up uuid "$(cat "$state/uuid-storevisor-$bridge-port")" >/dev/null
}

manager_give() {
	for name in "storevisor-$bridge-port" "storevisor-$bridge"; do
		[ ! -s "$state/uuid-$name" ] || nmcli --wait 10 connection delete uuid "$(cat "$state/uuid-$name")" >/dev/null 2>&1
	done
	rm -f "$manager_files/storevisor-$bridge.nmconnection" "$manager_files/storevisor-$bridge-port.nmconnection"
	nmcli --wait 30 connection up uuid "$(cat "$state/uuid")" ifname "$port" >/dev/null
}
