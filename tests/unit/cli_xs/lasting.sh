#!/bin/sh
# SPDX-License-Identifier: MIT
# lasting.sh - what is kept over a boot of the host: --persist and --volatile, and that people are told.
. "$(dirname "$0")/lib.sh"
mkdir "$dir/bin"; ln -s "$xs_prog" "$dir/bin/xs"; PATH="$dir/bin:$PATH"
cd "$dir" || exit 99
stop() { kill -9 "$daemon"; wait "$daemon" 2>/dev/null; }
restart() { stop; start_store "$@"; }
# with all its processes; it first, since it would start them again
stop_all()
{
	left=$(pgrep -P "$daemon")
	stop
	kill -9 $left
	for pid in $left; do until_so sh -c "! kill -0 $pid 2>/dev/null"; done
}
# what is on tmpfs is gone with a boot
reboot() { stop_all; rm -rf run; start_store "$@"; }
have() { for p in "$@"; do xs exists "$p" && echo "$p"; done | xargs; }

start_store
xs write /mine/a 1 /config/a 1 /local/a 1
is "what lasts is told" "persistent runtime runtime" \
	"$(for p in /config/a /mine/a /local/a; do xs stat -j $p | sed 's/.*"lifetime":"//; s/".*//'; done | xargs)"
reboot
is "after a boot there is what is below /config" "/config/a" "$(have /mine/a /config/a /local/a)"

# the store alone keeps everything
reboot --persist / --volatile /cache --volatile /mine/tmp
xs write /mine/a 1 /mine/tmp/b 1 /cache/c 1 /local/d 1 /other 1 /tool/hello 1
is "and is asked about" "persistent runtime runtime runtime" \
	"$(for p in /mine/a /mine/tmp/b /cache/c /local/d; do xs control lifetime $p; done | xargs)"
is "what ./storevisor store proposes is kept" "persistent" \
	"$(xs control lifetime "$(sed -n 's|^\tnote ".*xs write \(/[^ ]*\) .*|\1|p' "$(dirname "$0")/../../../storevisor")")"
is "it has a history" 1 "$(xs log -j /mine/a | grep -c '"path":"/mine/a","value":"1"')"
reboot --persist / --volatile /cache --volatile /mine/tmp
is "--persist / keeps all but the running machine's and --volatile" "/mine/a /other" \
	"$(have /mine/a /mine/tmp/b /cache/c /local/d /other /tool/hello)"
xs write /mine/a 2 /mine/tmp/b 2
is "--persist: the daemon's own check" OK "$(xs check)"
rev=$(xs log -n 1 /mine | awk 'END { print $1 }')
xs rm /mine
xs rollback "$rev" /mine >/dev/null
is "what was kept can be rolled back" "2" "$(xs read /mine/a)"
xs write /mine/tmp/b 3; xs snapshot one >/dev/null; xs write /mine/a 3 /other 3 /cache/c 3
xs restore one >/dev/null
is "a snapshot has what lasts" "2 1 3" "$(xs read -v /mine/a /other /cache/c | xargs)"

# said otherwise while the machine runs
restart --volatile /other
is "what does not last any more is still there" "/mine/a /other" "$(have /mine/a /other)"
run xs restore one
is "a snapshot of before has parts that do not last" "0 /mine/a /config/a" "$rc $(have /mine/a /config/a)"
reboot --volatile /other
is "and is gone with the boot" "/config/a" "$(have /mine/a /other /config/a)"
xs write /mine/a 4 /mine/b 4
restart --persist /mine
xs write /mine/b 5
reboot --persist /mine
is "what was there before it was to last lasts, too" "4 5" "$(xs read -v /mine/a /mine/b | xargs)"
restart --persist /mine
is "the same again changes nothing" "4 5" "$(xs read -v /mine/a /mine/b | xargs)"
reboot --persist /
is "a boot with more" "4 5 1" "$(xs read -v /mine/a /mine/b /config/a | xargs)"
reboot --persist /
xs write /mine/a 6 /mine/b 6
reboot
xs write /mine/a 7
restart --persist /
is "a boot without it, and then it is said again: it comes back, but for what is there now" "7 6" \
	"$(xs read -v /mine/a /mine/b | xargs)"
reboot --persist /
is "and lasts" "7 6" "$(xs read -v /mine/a /mine/b | xargs)"
restart
xs rm /mine/a
xs write /mine/c 8
restart --persist / --volatile /mine/b
xs rm /mine/b
restart --persist /
is "what lasted in this boot and is removed while it did not stays removed" /mine/c "$(have /mine/a /mine/b /mine/c)"
reboot --persist /
is "for good" /mine/c "$(have /mine/a /mine/b /mine/c)"
xs write /mine/d 1
reboot
xs write /mine/d 2
xs rm /mine/d
restart --persist /mine
is "what has the name of something that was left on the disk takes that along when it is removed" /mine/c \
	"$(have /mine/c /mine/d)"
xs write /mine/e 1
restart
xs rm /mine/e
reboot --persist /
is "what is removed when it does not last any more does not come with the next boot" /mine/c "$(have /mine/c /mine/d /mine/e)"
reboot
xs write /config/r 1
stop_all; cp -a state older; start_store
xs write /config/r 2
stop_all; rm -rf state; mv older state
start_store --persist /mine
is "what was left comes from a disk that is an older one, which gets the rest again" "/mine/c 2" \
	"$(have /mine/c) $(xs read /config/r)"
reboot --persist /mine
is "for good, too" "/mine/c 2" "$(have /mine/c) $(xs read /config/r)"
for wrong in '--persist /a/b' '--persist a' '--volatile /' '--volatile /a//b'; do
	# shellcheck disable=SC2086
	run "$xenstored" -N -D $wrong
	is "$wrong is refused" 2 $rc
done

# people
if command -v script >/dev/null; then
	reboot
	at_terminal() { script -qec "$*" /dev/null; }
	is "who writes a key that will not last is told once" 1 \
		"$(at_terminal "xs write /my/a 1 /my/b 2" | grep -c 'xs: /my/a: will be gone')"
	is "also of one that programs have beside it" 1 \
		"$(at_terminal "xs write /tool/hello 1" | grep -c 'xs: /tool/hello: will be gone')"
	is "not who writes what lasts, or what is not to" "" "$(at_terminal "xs write /config/b 1 /local/domain/0/x 1")"
	echo '{"config":{"c":"1"},"my":{"c":"1"}}' >doc.json
	is "import says it, too" 1 "$(at_terminal "xs import doc.json" | grep -c 'xs: /my.*: will be gone')"
	is "but not of what it would do" 0 "$(at_terminal "xs apply -n doc.json" | grep -c 'will be gone')"
	is "and cp" 1 "$(at_terminal "xs cp /config/b /my/d" | grep -c 'will be gone')"
	is "and mv" 1 "$(at_terminal "xs mv /my/d /my/e" | grep -c 'will be gone')"
	run xs write /my/f 1
	is "a script is not told" "0 " "$rc $err"
	reboot --persist /
	is "nobody is where all lasts" "" "$(at_terminal "xs write /my/g 1")"
fi
plan
