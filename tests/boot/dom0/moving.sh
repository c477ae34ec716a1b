# SPDX-License-Identifier: MIT
# moving.sh a|b TIMES KIND... - one of two hosts: a guest is made on a, and for each KIND moves to b while it runs, and
# back, TIMES times: an idle one, one whose web server is under load (web), once one that writes faster than the link
# takes (writer).
. /mnt/dom0/lib.sh

me=$1 times=$2
shift 2
case $me in a) here=10.0.0.101 there=10.0.0.102 ;; b) here=10.0.0.102 there=10.0.0.101 ;; esac
card=$(ls /sys/class/net | grep '^eth' | head -n 1)
ip addr del 10.0.0.1/24 dev xenbr0
ip addr add $here/24 dev xenbr0
ip link set "$card" up
brctl addif xenbr0 "$card" 2>/dev/null
answers() { ping -c 1 -W 1 "$1"; }

# What stands in for sshd, and for ssh. A host waits as long as the other one needs: both are slow.
EVER=100000
printf '#!/bin/sh\nexec xm migrate-receive 2>>/tmp/receive.err\n' >/tmp/receive
chmod +x /tmp/receive
busybox nc -ll -p 7777 -e /tmp/receive &
move() { xm migrate --live $how -s '' demo "/mnt/dom0/link $there 7777"; }
# Who looked again and again would have a share of the CPU while the guest stands still; so would the
# example of an automation, which runs a shell for each state that a domain has.
is_here() { xs wait /status/domain/demo/state=running /status/domain/demo/handed!; }
service stop automate

[ ! -e /mnt/dom0/verbose ] || {
	mv /usr/sbin/xend /usr/sbin/xend.quiet
	printf '#!/bin/sh\nexec xend.quiet -v\n' >/usr/sbin/xend
	chmod +x /usr/sbin/xend
	service restart xend
}

# What the guest said up to now is not claimed again.
mark=0
from_now() { mark=$(wc -l <"$(log_of demo)" 2>/dev/null || echo 0); }
new() { tail -n +$((mark + 1)) "$(log_of demo)" | tr -d '\r'; }
says() { [ "$(new | grep -acE -- "$1")" -ge "$2" ]; }
# Ten more ticks than now: how long it stood still it says before the first of them.
goes_on()
{
	claim "$1 it counts on" until_true 60 says '^tick [0-9]+ ' $(($(new | grep -acE '^tick [0-9]+ ') + 10))
	[ $kind != disk ] || claim "$1 it writes on" until_true 60 says '^wrote' 2
	new | grep -a '^stood' | sed "s/^/# guest: $kind /"
}

# What a guest of KIND does, from now on; what it did before, ends.
does()
{
	types demo 'killall clock disk httpd 2>/dev/null; echo stopped'
	claim "$kind: what it did before has ended" until_true 60 says '^stopped' 1
	case $kind in
	writer) types demo "/tmp/clock 8192 &" ;;
	*) types demo '/tmp/clock &' ;;
	esac
	case $kind in
	disk) types demo '/tmp/disk &' ;;
	web)
		types demo 'httpd -p 80 -h /tmp/www'
		claim "web: it serves" until_true 60 wget -q -O /dev/null http://10.0.0.2/page
		;;
	esac
}

# Two at a time ask for pages, as long as there is /tmp/load; what answers is counted.
load()
{
	touch /tmp/load
	for client in 1 2; do
		while [ -e /tmp/load ]; do
			timeout 20 wget -q -O /dev/null http://10.0.0.2/page && echo page >>/tmp/pages.$client
		done &
	done
}
pages() { cat /tmp/pages.* 2>/dev/null | wc -l; }
more_pages() { [ "$(pages)" -ge $(($1 + 10)) ]; }

# The stop is announced before it begins.
announced() { [ "$(xs read /status/domain/demo/move/stop_ms 2>/dev/null || echo 0)" -gt 0 ]; }

# The first tick that the console shows is an earlier one than the first that was printed here.
tick_of() { tr -d '\r' <"$1" | sed -n 's/^tick \([0-9]*\) .*/\1/p' | head -n 1; }
older_ticks()
{
	timeout 5 xm console demo </dev/null >/tmp/seen 2>/dev/null
	[ "$(tick_of /tmp/seen)" -lt "$(tick_of "$(log_of demo)")" ]
}

/mnt/dom0/clock pair | sed 's/^/# /'
truncate -s 8M /tmp/zeros.img
cp /mnt/dom0/clock /tmp/clock.img
truncate -s 2M /tmp/clock.img
claim "the other host answers" until_true $EVER answers $there
if [ $me = a ]; then
	kind=disk how=
	claim "a guest" xm create -q /etc/xen/demo.cfg 'disk=["file:/tmp/zeros.img,xvda,w", "file:/tmp/clock.img,xvdb,r"]'
	claim "it answers" until_true 60 answers 10.0.0.2
	types demo 'cat /dev/xvdb >/tmp/clock; chmod +x /tmp/clock; mkdir /tmp/www; dd if=/dev/urandom of=/tmp/www/page bs=16k count=1 2>/dev/null'
	types demo 'echo "while dd if=/dev/zero of=/dev/xvda bs=4k count=20 oflag=direct 2>/dev/null; do echo wrote; usleep 100000; done" >/tmp/disk; chmod +x /tmp/disk'
	types demo 'echo "i=0; while :; do i=\$((i+1)); echo \$i; usleep 100000; done" >/tmp/count; nc -ll -p 9000 -e sh /tmp/count &'
	# One connection, over all moves.
	sleep 1
	busybox nc 10.0.0.2 9000 >/tmp/stream </dev/null &
	for kind in "$@"; do
		from_now
		does
		from_now
		goes_on "$kind: before:"
		from_now
		[ $kind != web ] || load
		[ $kind != writer ] || how=--bandwidth=4
		for time in $(seq $([ $kind != writer ] && echo "$times" || echo 1)); do
			counted=$(pages)
			[ $kind != web ] || claim "web: $time: pages are answered" until_true 60 more_pages "$counted"
			from_now
			if [ $kind = writer ]; then
				move >/tmp/move.out 2>&1 &
				claim "writer: its stop is announced" until_true $EVER announced
				echo "# writer: $(xs ls -f /status/domain/demo/move | tr '\n' ' ')"
				claim "writer: $time: xm migrate --live" wait $!
			else
				claim "$kind: $time: xm migrate --live" move
			fi
			claim "$kind: $time: it is gone here, with its record" sh -c '! xm list demo && ! xs exists /config/domain/demo'
			claim "$kind: $time: it answers from there" until_true 60 answers 10.0.0.2
			counted=$(pages)
			[ $kind != web ] || claim "web: $time: pages are answered from there" until_true 60 more_pages "$counted"
			claim "$kind: $time: it comes back" is_here
			goes_on "$kind: $time, here again:"
			from_now
			claim "$kind: $time: it answers here" until_true 60 answers 10.0.0.2
		done
		rm -f /tmp/load
		how=
	done
	claim "it is the same: its clock never stepped back" sh -c "tr -d '\r' <$(log_of demo) | grep -aE '^tick [0-9]+ [0-9]+$' |
		awk '{ if (\$3 < at) { print; exit 1 } at = \$3 }'"
	claim "a connection that was there before has lost and doubled nothing" sh -c 'wc -l </tmp/stream
		awk "{ if (\$1 != ++n) { print; exit 1 } } END { exit n < 20 }" /tmp/stream'
	claim "nothing is left of the epochs" sh -c '[ -z "$(xs ls /config/move 2>/dev/null)" ]'
	# Once it listens, which is after what it still claims.
	claim "the other host hears that all is done" until_true $EVER sh -c "echo done | busybox nc $there 7778"
	claim "and ends as any other" xm destroy demo
	claim "its disk has what it wrote" sh -c 'head -c 8388608 /dev/zero | cmp - /tmp/zeros.img'
else
	first=$1
	for kind in "$@"; do
		[ $kind != writer ] || how=--bandwidth=4
		for time in $(seq $([ $kind != writer ] && echo "$times" || echo 1)); do
			claim "$kind: $time: a guest arrives" is_here
			goes_on "$kind: $time, there:"
			claim "$kind: $time: its record came along" xs exists /config/domain/demo/kernel
			[ "$kind$time" != "${first}1" ] || claim "its console has what it said before it came" older_ticks
			claim "$kind: $time: xm migrate --live back" move
			claim "$kind: $time: it is gone here" gone demo
			from_now
		done
	done
	claim "the other host is done" sh -c 'busybox nc -l -p 7778 | grep -q done'
fi
audits
[ ! -s /tmp/receive.err ] || sed 's/^/# receive: /' /tmp/receive.err
grep -hE 'step |request |undo ' /var/log/xen/xend.log | sed 's/^/# /'
grep -hE 'rounds;|stood still|last round|arrived:' /var/log/xen/xend.log | sed 's/^/# /'
/mnt/dom0/clock pair | sed 's/^/# /'
