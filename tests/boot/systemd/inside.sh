# SPDX-License-Identifier: MIT
# Under systemd: the store, asked for through its socket; xs-watch@NAME.service and xs-automate.service, started, fed,
# deafened and stopped; what manages domains, restarted; the host's network, with VLANs and a watcher that is a unit.
. /lib.sh
export HOME=/root
# conf NAME LINE...: an automation.
conf() { name=$1; shift; printf '%s\n' "$@" >"/etc/xen/watch.d/$name.conf"; }
# prop UNIT NAME
prop() { systemctl show -p "$2" --value "$1"; }
pid() { prop xs-watch@copy MainPID; }
# runs WORDS: a process of that command line.
runs()
{
	now=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\000' ' ') # the words are in no command of this
	case $now in *"$1"*) ;; *) return 1 ;; esac
}
not() { ! "$@"; }
# acts VALUE: the automation sees it.
acts() { xs put /t/in "$1" && until_true 60 grep -qx "$1" /tmp/seen; }

claim "systemd finds no fault in the store's units" sh -c 'systemd-analyze verify --man=no xenstored.service xenstored.socket && test -z "$(cat /tmp/claim.out)"'
claim "the store's socket is there before the store" systemctl start xenstored.socket
same "nobody serves it yet" inactive "$(systemctl is-active xenstored)"
claim "the first client starts the store" xs put /t/in zero
same "which is ready then" "active serving" "$(systemctl is-active xenstored) $(prop xenstored StatusText)"
store=$(prop xenstored MainPID)
[ "$store" != 0 ] || echo "# it ended with $(prop xenstored ExecMainStatus)"
same "it is its own user's, without a capability, and with few system calls" "900 0000000000000000 2" \
	"$(awk '/^Uid:/ { u = $2 } /^CapEff:/ { c = $2 } /^Seccomp:/ { s = $2 } END { print u, c, s }' "/proc/$store/status")"
claim "one of the group writes" su alice -c 'xs put /t/alice 1'
claim "nobody else reads" sh -c '! su mallory -c "xs read /t/alice"'
sleep 40
same "it lives longer than the watchdog's time" "$store" "$(prop xenstored MainPID)"
kill -STOP "$store"
sleep 30 # the watchdog's time
claim "one that hears nothing is started anew" until_true 60 sh -c "[ \"\$(systemctl show -p MainPID --value xenstored)\" != $store ]"
same "and has what was stored" 1 "$(xs read /t/alice)"
conf copy 'path = /t/in' "exec-per-key = sh -c 'echo \"\$XS_VALUE\" >>/tmp/seen'"

claim "systemd finds no fault in the units" sh -c 'systemd-analyze verify --man=no xs-watch@copy.service xs-automate.service && test -z "$(cat /tmp/claim.out)"'
claim "xs-watch@copy starts" systemctl start xs-watch@copy
same "it was ready when the state at the start was read" watching "$(prop xs-watch@copy StatusText)"
claim "and that state reached the handler" until_true 10 grep -qx zero /tmp/seen
claim "it acts on a change" acts one
before=$(pid)
systemctl restart xenstored
claim "after a restart of the daemon it acts again" acts two
same "and is still the same process" "$before" "$(pid)"
sleep 40
same "it lives longer than the watchdog's time" "$before" "$(pid)"
kill -STOP "$before"
sleep 30 # the watchdog's time
claim "one that is alive but deaf is started anew" until_true 60 sh -c "[ \"\$(systemctl show -p MainPID --value xs-watch@copy)\" != $before ]"
claim "and acts again" acts three
kill -9 "$(pid)"
claim "so is one that was killed" until_true 30 sh -c '[ "$(systemctl show -p NRestarts --value xs-watch@copy)" = 2 ]'
claim "and that one acts, too" acts four
conf slow 'path = /t/in' 'exec = sleep 4711'
claim "an automation with a long handler starts" systemctl start xs-watch@slow
claim "its handler runs" until_true 30 runs 'sleep 4711'
claim "it stops" systemctl stop xs-watch@slow
claim "and takes its handler along" not runs 'sleep 4711'
conf wrong 'path = /t/in' 'shout = yes'
claim "a mistake in the file fails the unit" sh -c '! systemctl start xs-watch@wrong'
sleep 5
same "which is not tried again" "0 2" "$(prop xs-watch@wrong NRestarts) $(prop xs-watch@wrong ExecMainStatus)"
claim "without a file there is no automation" sh -c 'systemctl start xs-watch@none; [ "$(systemctl is-active xs-watch@none)" = inactive ]'
systemctl stop xs-watch@copy
rm /tmp/seen /etc/xen/watch.d/slow.conf /etc/xen/watch.d/wrong.conf
claim "xs-automate starts" systemctl start xs-automate
claim "it runs what is in the directory" acts five
conf late 'path = /t/late' "exec-per-key = sh -c 'echo \"late \$XS_VALUE\" >>/tmp/seen'"
xs put /t/late 1
claim "and what comes later" until_true 30 grep -qx 'late 1' /tmp/seen
sleep 40
claim "it lives longer than the watchdog's time, too" acts six
same "without a restart" 0 "$(prop xs-automate NRestarts)"
systemctl stop xs-automate
claim "and ends with all its automations" not runs "watch --config"

# A NIC whose cable ends in this machine, too.
/sbin/ip link set lo up
/sbin/ip link add eth0 type veth peer name lan0 && /sbin/ip link set lan0 up
/sbin/ip addr add 192.0.2.10/24 dev eth0 && /sbin/ip link set eth0 up && /sbin/ip route add default via 192.0.2.1
up() { test -d "/sys/class/net/$1/bridge"; }
watchers() { systemctl list-units --plain --no-legend 'run-*.service' | wc -l; }
claim "a NIC becomes a bridge" storevisor-network --confirm 30 bridge xenbr0
claim "which has its address" sh -c '/sbin/ip route show default | grep -q xenbr0 && /sbin/ip addr show xenbr0 | grep -q 192.0.2.10/24'
same "a unit waits for somebody to say that it works" 1 "$(watchers)"
claim "nobody does, and all is as before" until_true 120 not up xenbr0
claim "with its route" sh -c '/sbin/ip route show default | grep -q "dev eth0"'
claim "a VLAN of the NIC becomes one" storevisor-network bridge xenbr5 device=eth0 vlan=5
claim "by an interface of that VLAN" grep -q '^eth0.5 *| 5 *| eth0' /proc/net/vlan/config
claim "which is its port" test -e /sys/class/net/xenbr5/brif/eth0.5
claim "it is confirmed" storevisor-network confirm
claim "and the unit is gone" until_true 60 sh -c '! systemctl list-units --plain --no-legend "run-*.service" | grep -q .'
/sbin/ip link del xenbr5 && /sbin/ip link del eth0.5 && rm -rf /run/storevisor/network # what a boot leaves of it
claim "each boot" systemctl start storevisor-network
claim "makes it again" up xenbr5
claim "and not the other" not up xenbr0

# systemd hands a stop on to what requires the stopped.
alive() { systemctl is-active xend-domains xend backendd | xargs; }
claim "what manages domains starts" systemctl start xend-domains
same "all of it" "active active active" "$(alive)"
for unit in xenstored backendd xend; do
	claim "$unit is started anew, as by an upgrade" systemctl restart $unit
done
same "which shuts no domain down" "" "$(cat /tmp/xm 2>/dev/null)"
same "nor stops another" "active active active" "$(alive)"
claim "the stop of xend-domains" systemctl stop xend-domains
same "shuts down all" "shutdown --host --all --wait" "$(cat /tmp/xm)"
same "and says that the host goes down" 1 "$(xs read /host/stopping)"
claim "it starts again" systemctl start xend-domains
claim "and the host does not go down" not xs read /host/stopping
