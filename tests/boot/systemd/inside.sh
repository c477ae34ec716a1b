# SPDX-License-Identifier: MIT
# Under systemd: xs-watch@NAME.service and xs-automate.service, started, fed, deafened and stopped.
. /lib.sh
export HOME=/root
mkdir -p /run/xenstored
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

systemctl start xenstored
until_true 30 xs exists / >/dev/null
xs put /t/in zero
conf copy 'path = /t/in' "exec-per-key = sh -c 'echo \"\$XS_VALUE\" >>/tmp/seen'"

claim "systemd finds no fault in the units" sh -c 'systemd-analyze verify --man=no xs-watch@copy.service xs-automate.service && test -z "$(cat /tmp/claim.out)"'
claim "xs-watch@copy starts" systemctl start xs-watch@copy
same "it was ready when the state at the start was read" watching "$(prop xs-watch@copy StatusText)"
claim "and that state reached the handler" until_true 10 grep -qx zero /tmp/seen
claim "it acts on a change" acts one
before=$(pid)
systemctl restart xenstored
until_true 30 xs exists / >/dev/null
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
