# SPDX-License-Identifier: MIT
# forwarding.sh - this machine passes packets on from one interface to another, as long as somebody needs it.
# Source it. Gives forward_for NAME and forward_end NAME; what was before the first comes back after the last.
# A NIC that learns its IPv6 routers by their advertisements goes on doing so.

forwarding=/run/storevisor/network/.forwarding

# under_lock COMMAND...: cards come and go at the same time.
under_lock() {
	mkdir -p "$forwarding/users" && (flock 8 && "$@") 8>"$forwarding/lock"
}

forward_learners() {
	for way in /proc/sys/net/ipv6/conf/*; do
		case $way in */all | */default | */lo) continue ;; esac
		[ "$(cat "$way/accept_ra" 2>/dev/null)" != 1 ] || echo "$way/accept_ra"
	done
}

forward_begin() {
	: >"$forwarding/users/$1" || return 1
	if [ ! -e "$forwarding/before" ]; then
		(set +f; forward_learners) >"$forwarding/learners"
		for way in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do
			[ ! -e "$way" ] || echo "$way $(cat "$way")"
		done >"$forwarding/before.new" && mv "$forwarding/before.new" "$forwarding/before" || return 1
	fi
	# also for the second: somebody may have been killed here, or another have turned it off
	while read -r way; do [ ! -e "$way" ] || echo 2 >"$way"; done <"$forwarding/learners"
	while read -r way was; do
		[ "$(cat "$way")" = 1 ] || echo 1 >"$way" || return 1
	done <"$forwarding/before"
}

forward_back() {
	rm -f "$forwarding/users/$1"
	for user in $(ls "$forwarding/users"); do # a card that went without a word needs nothing any more
		[ -e "/sys/class/net/$user" ] || rm -f "$forwarding/users/$user"
	done
	[ -e "$forwarding/before" ] && [ -z "$(ls "$forwarding/users")" ] || return 0
	while read -r way was; do
		[ "$was" = 1 ] || echo "$was" >"$way"
	done <"$forwarding/before"
	while read -r way; do [ ! -e "$way" ] || echo 1 >"$way"; done <"$forwarding/learners"
	rm -f "$forwarding/before" "$forwarding/learners"
}

forward_for() { under_lock forward_begin "$1"; }
forward_end() { [ ! -e "$forwarding/users/$1" ] || under_lock forward_back "$1"; }

# masquerade NAME NET...: what the nets behind interface NAME send elsewhere has this machine's address, and only
# answers come in. Its rules are a table of their own, which masquerade_end NAME removes.
masquerade() {
	behind=$1
	shift
	{
		echo "table inet storevisor-$behind { }"
		echo "delete table inet storevisor-$behind"
		echo "table inet storevisor-$behind {"
		echo "	chain outward {"
		echo "		type nat hook postrouting priority srcnat; policy accept;"
		for net; do
			case $net in *:*) word=ip6 ;; *) word=ip ;; esac
			echo "		$word saddr $net oifname != \"$behind\" masquerade"
		done
		echo "	}"
		echo "	chain inward {"
		echo "		type filter hook forward priority filter; policy accept;"
		echo "		ct status dnat accept"
		echo "		oifname \"$behind\" iifname != \"$behind\" ct state != { established, related } drop"
		echo "	}"
		echo "}"
	} | nft -f -
}
masquerade_end() {
	! command -v nft >/dev/null || ! nft list table inet "storevisor-$1" >/dev/null 2>&1 || nft delete table inet "storevisor-$1"
}
