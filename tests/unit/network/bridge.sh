#!/bin/sh
# SPDX-License-Identifier: MIT
# bridge.sh SCRIPT-DIR - network-bridge on a NIC of its own: what goes over, that nobody notices, that a failure at any
# step changes nothing.
. "$(dirname "$0")/lib.sh"
script=$1/network-bridge
nic
echo 2 >/proc/sys/net/ipv6/conf/eth0/accept_ra
echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_ignore
facts eth0 >"$work/before"
before() { settled eth0 && facts eth0 | diff "$work/before" - && not ip link show dev xenbr0 && same "" "$(ls -A /run/storevisor/network | grep -vx 'lock\|.forwarding')"; }
moved() { facts xenbr0 | diff "$work/before" -; }
bare() { same "" "$(ip -o addr show dev eth0)$(ip -4 route show table all dev eth0)$(ip -6 route show table all dev eth0 | grep -v '^multicast')"; }

hosts="192.0.2.10 192.0.2.11 2001:db8::10"
python3 "$here/probe.py" serve $hosts >"$work/served" &
until_so grep -q ready "$work/served"
# asked COMMAND...: it is run while somebody of the lan talks to the host.
asked()
{
	rm -f "$work/stop"
	lan python3 "$here/probe.py" ask "$work/stop" $hosts >"$work/asked" 2>&1 &
	asking=$!
	until_so grep -q ready "$work/asked"
	"$@" >"$work/said" 2>&1
	status=$?
	: >"$work/stop"
	wait $asking || { cat "$work/asked"; return 1; }
	return $status
}
# kept: at most 20 of 200 datagrams a second were lost, and no connection was silent for longer than a second.
kept() { awk 'NF == 3 { n++; if ($2 > 20 || $3 > 1000) bad = 1; print } END { exit bad || n != 3 }' "$work/asked"; }

claim "nobody has a bridge at first" not "$script" status
claim "it starts, by Xen's words, while others talk to the host" asked "$script" start netdev=eth0 bridge=xenbr0 antispoof=no
claim "MAC, addresses and routes are the bridge's" moved
claim "the NIC has none" bare
claim "those who talked go on, and little was lost" kept
sed 's/^/# /' "$work/asked"
claim "it says that it is up" sh -c "'$script' status | grep -qx 'xenbr0 is made from eth0'"
claim "the same again is nothing new" "$script" start
claim "another NIC is" says "xenbr0 is made from eth0" "$script" start netdev=eth7
claim "routes are found by it" sh -c "ip route get 203.0.113.1 | grep -q 'dev xenbr0 src 192.0.2.11'"
ip tuntap add dev vif3.0 mode tap && ip link set vif3.0 master xenbr0
claim "with a guest's card on it, it does not stop" says "other ports, of guests: vif3.0" "$script" stop
ip link del vif3.0
claim "it stops while others talk" asked "$script" stop
claim "all is as before" before
claim "and they go on" kept
sed 's/^/# /' "$work/asked"
claim "a second stop is nothing" "$script" stop

# What is changed in the meantime stays so; a revert does not.
"$script" start
ip addr add 192.0.2.12/24 dev xenbr0 && ip route add 10.5.0.0/16 via 192.0.2.9 dev xenbr0
claim "stop gives back what the bridge has got since" sh -c \
	"'$script' stop && ip addr show dev eth0 | grep -q 192.0.2.12/24 && ip route show dev eth0 | grep -q '^10.5.0.0/16'"
ip addr del 192.0.2.12/24 dev eth0 && ip route del 10.5.0.0/16
claim "and nothing else" before
"$script" start
ip addr flush dev xenbr0
claim "revert gives back what the NIC had" "$script" revert
claim "to the last" before

# From here on nobody waits for whether an address is free.
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
facts eth0 >"$work/before"

# ip fails once, at each of its calls and of the lines of its batches.
real=$(command -v ip)
mkdir "$work/bin"
cat >"$work/bin/ip" <<END
#!/bin/sh
# One line a call; the FAIL-th of them does not happen.
count() { echo >>$work/calls; [ "\$(wc -l <$work/calls)" != "\${FAIL:-0}" ]; }
case \$1 in
-batch)
	while read -r line; do
		if count; then set -f; $real \$line || exit 1; else exit 1; fi
	done <"\$2"
	;;
*) if count; then exec $real "\$@"; else exit 2; fi ;;
esac
END
chmod +x "$work/bin/ip"
: >"$work/calls"
PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
steps=$(wc -l <"$work/calls")
"$script" stop
before >"$work/why" || cat "$work/why"
at=1
bad=
while [ $at -le "$steps" ]; do
	: >"$work/calls"
	if FAIL=$at PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1; then bad="$bad $at:succeeds"; fi
	before >"$work/why" 2>&1 || { bad="$bad $at:differs"; sed 's/^/# /' "$work/why" "$work/said"; "$script" revert; }
	at=$((at + 1))
done
claim "it has many steps: $steps" [ "$steps" -ge 20 ]
claim "a failure of any of them is told, and all is as before" same "" "$bad"

# From one call on, ip does nothing any more: what cannot be undone then can be later.
sed -i 's/!= "\${FAIL:-0}"/-lt "${FAIL:-0}"/' "$work/bin/ip"
for at in 14 20 24 28; do
	: >"$work/calls"
	FAIL=$at PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
	claim "without ip from its call $at on, not all is undone" not before
	claim "which it says" grep -q 'not all of eth0 could be given back' "$work/said"
	claim "a revert does it, when there is one" "$script" revert
	claim "all of it" before
done

# Killed in the middle, after so many lines of its batches: it has no time to undo anything.
cat >"$work/bin/ip" <<END
#!/bin/sh
if [ "\$1" = -batch ]; then
	before=\$(cat $work/ran)
	lines=\$(wc -l <"\$2")
	echo \$((before + lines)) >$work/ran
	[ \$((before + lines)) -lt "\$CUT" ] || { head -n \$((CUT - before)) "\$2" >$work/half; $real -batch $work/half; kill -9 \$PPID; exit 1; }
fi
exec $real "\$@"
END
for cut in 0 3 6 7 10 14 15; do
	echo 0 >"$work/ran"
	CUT=$cut PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
	claim "killed after $cut lines" [ $? -gt 128 ]
	claim "it is taken back" "$script" revert
	claim "wholly" before
done
echo 0 >"$work/ran"
CUT=7 PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
claim "or a new start begins with that" "$script" start
claim "and is whole" moved
claim "as its stop" sh -c "'$script' stop"
claim "is" before

echo 0 >"$work/ran"
CUT=10 PATH="$work/bin:$PATH" "$script" start >"$work/said" 2>&1
claim "another script leaves alone what was killed" says "xenbr0 is another script's" "$1/network-route" start bridge=xenbr0 address=10.1.0.1/24
claim "also by stop" says "xenbr0 is another script's" "$1/network-route" stop bridge=xenbr0
claim "it is taken back then" "$script" revert
claim "wholly" before
claim "nor is another's bridge" "$1/network-route" start bridge=xenbr0 address=10.1.0.1/24
claim "this one's to stop" says "xenbr0 is another script's" "$script" stop
claim "or to revert" says "xenbr0 is another script's" "$script" revert
"$1/network-route" stop bridge=xenbr0
claim "it goes" before

# A terminal that is gone: what ip complains of, and what is told, is read by nobody.
cat >"$work/bin/ip" <<END
#!/bin/sh
case \$* in
"-batch "*) echo bad >>"\$2" ;;
"-force -batch "*) sed -i '1i bad' "\$3" ;;
esac
exec $real "\$@"
END
mkfifo "$work/gone"
unread() { (exec 8<>"$work/gone" 6>"$work/gone" 8<&- && exec env PATH="$work/bin:$PATH" "$script" "$@" >&6 2>&6); }
claim "a failure that nobody reads" not unread start
has() { ip -4 route show default dev eth0 | grep -q 192.0.2.1 && ip addr show dev eth0 | grep -q 192.0.2.10/24; }
claim "is taken back all the same" has
"$script" revert >"$work/said" 2>&1
claim "wholly" before
"$script" start
unread stop
claim "so is what is stopped" has
"$script" revert

# A NIC that has only IPv6, and one that the world is not behind.
ip link add eth1 type veth peer name port1 netns lan
claim "a NIC without an address becomes a port" "$script" start bridge=xenbr1 netdev=eth1
claim "beside another bridge" "$script" start bridge=xenbr0
claim "which has what the first NIC had" moved
claim "the second goes" "$script" stop bridge=xenbr1
claim "the first stays" moved
claim "a bridge's port is no bridge's again" says "eth0 is a port of xenbr0 already" "$script" start bridge=xenbr2 netdev=eth0
"$script" stop
claim "and goes after it" before

# What it does not know how to move.
ip rule add iif eth0 table 77
claim "a rule that names the NIC is refused" says "a routing rule names eth0" "$script" start
ip rule del iif eth0 table 77
ip addr add 192.0.3.1/24 dev eth1 && ip link set eth1 up
ip route add 10.4.0.0/16 nexthop via 192.0.2.5 dev eth0 nexthop via 192.0.3.5 dev eth1
claim "so is a route by several NICs" says "eth0 is one of several ways of a route" "$script" start
ip route del 10.4.0.0/16
ip link add br7 type bridge
claim "a bridge that was there is left alone" says "br7 is there, and was not made here" "$script" start bridge=br7
claim "also by stop" says "br7 was not made here" "$script" stop bridge=br7
claim "a NIC that is not there is named" says "there is no NIC eth9" "$script" start netdev=eth9
claim "an unknown word too" says "unknown word 'colour'" "$script" start colour=red
claim "what it cannot do is refused" says "antispoof=yes: there is none" "$script" start antispoof=yes
printf '#!/bin/sh\necho "BusyBox v1.35.0" >&2\nexit 1\n' >"$work/bin/ip"
claim "another's ip is none" says "ip is not iproute2's" env PATH="$work/bin:$PATH" "$script" start
claim "a name for no bridge" says "is no bridge's name" "$script" start 'bridge=../x'
claim "a VLAN's number" says "vlan=4095" "$script" start vlan=4095
claim "nothing of this has changed anything" before

# A VLAN. Not every kernel that tests run on has them: what is another link of the NIC takes its place there.
cat >"$work/bin/ip" <<END
#!/bin/sh
case "\$*" in
"link add link eth0 name eth0.5 type vlan id 5") echo "\$*" >$work/vlan; $real link add link eth0 name eth0.5 type macvlan mode bridge ;;
*) exec $real "\$@" ;;
esac
END
"$real" link add link eth0 name eth0.5 type macvlan mode bridge
claim "what is called as a VLAN, and is none, is left alone" says "eth0.5 is there, and is not VLAN 5 of eth0" "$script" start bridge=xenbr5 netdev=eth0 vlan=5
"$real" link del eth0.5
claim "a VLAN of the NIC becomes a bridge" env PATH="$work/bin:$PATH" "$script" start bridge=xenbr5 netdev=eth0 vlan=5
claim "by an interface of its own" grep -q 'type vlan id 5' "$work/vlan"
claim "which is its port" test -e /sys/class/net/xenbr5/brif/eth0.5
claim "the NIC keeps what it has" sh -c "ip addr show dev eth0 | grep -q 192.0.2.10/24"
claim "with stop" "$script" stop bridge=xenbr5
claim "the VLAN's interface goes" before
"$real" link add link eth0 name eth0.5 type macvlan mode bridge
cat >"$work/bin/ip" <<END
#!/bin/sh
case "\$*" in
"-d -o link show dev eth0.5") echo '7: eth0.5@eth0: <UP> mtu 1500 \ link/ether promiscuity 0 \ vlan protocol 802.1Q id 5 <REORDER_HDR> ' ;;
*) exec $real "\$@" ;;
esac
END
claim "a VLAN's interface that is there is taken" env PATH="$work/bin:$PATH" "$script" start bridge=xenbr5 netdev=eth0 vlan=5
claim "with stop" "$script" stop bridge=xenbr5
claim "it stays" "$real" link show dev eth0.5
plan
