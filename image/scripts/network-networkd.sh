# SPDX-License-Identifier: MIT
# network-networkd.sh - a bridge by systemd-networkd: network-owner.sh's. Its files are systemd.network(5) and
# systemd.netdev(5); what it knows about an interface is in files below /run/systemd/netif.

networkd_files=/run/systemd/network
networkd_links=/run/systemd/netif/links

# networkd_knows DEV KEY: what it says about an interface.
networkd_knows() {
	sed -n "s/^$2=//p" "$networkd_links/$(cat "/sys/class/net/$1/ifindex")" 2>/dev/null
}

# networkd_has DEV: it configures it.
networkd_has() {
	case $(networkd_knows "$1" ADMIN_STATE) in '' | unmanaged | linger) return 1 ;; esac
	on_bus org.freedesktop.network1 && return
	! systemctl --quiet is-active systemd-networkd.service 2>/dev/null ||
		fatal "systemd-networkd has $1, and cannot be told without D-Bus: apt install dbus"
	return 1
}

# networkd_text FILE: it and what is dropped in, in the order of their names, those of /etc before others of the same.
networkd_text() {
	cat "$1" || return 1
	for dir in /usr/lib /usr/local/lib /run /etc; do
		[ ! -d "$dir/systemd/network/${1##*/}.d" ] || find "$dir/systemd/network/${1##*/}.d" -name '*.conf'
	done | awk -F/ '{ at[$NF] = $0 } END { for (name in at) print name "\t" at[name] }' | LC_ALL=C sort | cut -f 2 |
		while IFS= read -r file; do
			echo
			cat "$file" || exit 1
		done
}

# networkd_part PART: of its text what an interface's addresses come from (bridge), or the rest (port): what a NIC is
# itself, and what else is made from it.
networkd_part() {
	awk -v part="$1" -v made='^(VLAN|MACVLAN|MACVTAP|IPVLAN|IPVTAP|Tunnel|VXLAN|Xfrm|MACsec)$' '
	function out() { if (mine) { if (said != section) print "\n" section; said = section; print } }
	/^[[:blank:]]*([#;].*)?$/ { if (!more) next }
	more { out(); more = /\\$/; next }
	/^\[/ { section = $0; said = ""; next }
	section == "[Match]" { next }
	{
		key = $0; sub(/[[:blank:]]*=.*/, "", key); sub(/^[[:blank:]]*/, "", key)
		ip = section ~ /^\[(Address|Neighbor|IPv6AddressLabel|RoutingPolicyRule|NextHop|Route|DHCP.*)\]$/ ||
			section ~ /^\[IPv6(AcceptRA|SendRA|Prefix|RoutePrefix|PREF64Prefix|PrefixDelegation)\]$/ ||
			(section == "[Network]" && key !~ made && key !~ /^(BatmanAdvanced|LLDP|EmitLLDP)$/) ||
			(section == "[Link]" && key ~ /^Required/)
		mine = (part == "bridge") == !!ip
		out()
		more = /\\$/
	}'
}

networkd_take() {
	text=$(networkd_text "$(networkd_knows "$port" NETWORK_FILE)") || return 1
	# by this the server knows the machine, and made of the NIC's name
	lease=/run/systemd/netif/leases/$(cat "/sys/class/net/$port/ifindex")
	iaid=$(sed -n 's/^CLIENTID=ff\(.\{8\}\).*/\1/p' "$lease" 2>/dev/null)
	mkdir -p $networkd_files && chmod 755 $networkd_files && base=$networkd_files/00-storevisor-$bridge || return 1
	{
		printf '[NetDev]\nName=%s\nKind=bridge\nMACAddress=%s\nMTUBytes=%s\n' "$bridge" \
			"$(cat "/sys/class/net/$port/address")" "$(cat "/sys/class/net/$port/mtu")"
		printf '\n[Bridge]\nSTP=%s\nForwardDelaySec=%s\n' "${stp:-0}" "$((${stp:-0} * 2))"
	} >"$base.netdev" && {
		printf '[Match]\nName=%s\n' "$bridge" && echo "$text" | networkd_part bridge
		[ -z "$iaid" ] || printf '\n[DHCPv4]\nIAID=%d\n\n[DHCPv6]\nIAID=%d\n' "0x$iaid" "0x$iaid"
	} >"$base.network" && {
		printf '[Match]\nName=%s\n' "$port" && echo "$text" | networkd_part port
		printf '\n[Network]\nBridge=%s\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' "$bridge"
	} >"$base-port.network" && chmod 644 "$base.netdev" "$base.network" "$base-port.network" && networkctl reload
}

networkd_give() {
	base=$networkd_files/00-storevisor-$bridge
	rm -f "$base.netdev" "$base.network" "$base-port.network"
	# in this order: a port whose bridge goes is configured anew, and fails for good where it shall be a port
	networkctl reload
	! network_exists "$bridge" || ip link del dev "$bridge"
	networkctl reconfigure "$port"
}

# networkd_shall_leave DEV...: what is made here is none of its, whatever its files say about names like these.
networkd_shall_leave() {
	on_bus org.freedesktop.network1 || return 0
	mkdir -p $networkd_files && chmod 755 $networkd_files &&
		printf '[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n' "$*" >"$networkd_files/00-storevisor-$bridge.network" &&
		chmod 644 "$networkd_files/00-storevisor-$bridge.network" && networkctl reload
}

# networkd_may: names like these are its again.
networkd_may() {
	[ -e "$networkd_files/00-storevisor-$bridge.network" ] || return 0
	rm -f "$networkd_files/00-storevisor-$bridge.network"
	! on_bus org.freedesktop.network1 || networkctl reload
}
