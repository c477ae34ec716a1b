# SPDX-License-Identifier: MIT
# moving.sh a|b TIMES - one of two hosts: a guest is made on a, moves to b while it runs, and back.
. /mnt/dom0/lib.sh

me=$1 times=$2
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
move() { xm migrate --live -s '' demo "busybox nc $there 7777"; }
is_here() { [ "$(xs read /status/domain/demo/state)" = running ] && ! xs exists /status/domain/demo/handed; }

# What the guest said up to now is not claimed again.
mark=0
from_now() { mark=$(wc -l <"$(log_of demo)" 2>/dev/null || echo 0); }
new() { tail -n +$((mark + 1)) "$(log_of demo)" | tr -d '\r'; }
says() { [ "$(new | grep -acE -- "$1")" -ge "$2" ]; }
goes_on()
{
	claim "$1 it counts on" until_true 60 says '^tick [0-9]+ ' 10
	claim "$1 it writes on" until_true 60 says '^wrote' 2
	new | grep -a '^stood' | sed "s/^/# $1 /"
}

truncate -s 8M /tmp/zeros.img
cp /mnt/dom0/clock /tmp/clock.img
truncate -s 2M /tmp/clock.img
claim "the other host answers" until_true $EVER answers $there
if [ $me = a ]; then
	claim "a guest" xm create -q /etc/xen/demo.cfg 'disk=["file:/tmp/zeros.img,xvda,w", "file:/tmp/clock.img,xvdb,r"]'
	claim "it answers" until_true 60 answers 10.0.0.2
	types demo 'cat /dev/xvdb >/tmp/clock; chmod +x /tmp/clock; /tmp/clock &'
	types demo 'while dd if=/dev/zero of=/dev/xvda bs=4k count=20 oflag=direct 2>/dev/null; do echo wrote; usleep 100000; done &'
	goes_on "before:"
	for time in $(seq "$times"); do
		from_now
		claim "$time: xm migrate --live" move
		claim "$time: it is gone here, with its record" sh -c '! xm list demo && ! xs exists /config/domain/demo'
		claim "$time: it answers from there" until_true 60 answers 10.0.0.2
		claim "$time: it comes back" until_true $EVER is_here
		from_now
		goes_on "$time, here again:"
		claim "$time: it answers here" until_true 60 answers 10.0.0.2
	done
	claim "it is the same: its counter and its clock never stepped back" sh -c "tr -d '\r' <$(log_of demo) | grep -aE '^tick [0-9]+ [0-9]+$' |
		awk '{ if (\$2 <= last || \$3 < at) { print; exit 1 } last = \$2; at = \$3 }'"
	claim "nothing is left of the epochs" sh -c '[ -z "$(xs ls /config/move 2>/dev/null)" ]'
	echo done | busybox nc $there 7778
	claim "and ends as any other" xm destroy demo
	claim "its disk has what it wrote" sh -c 'head -c 8388608 /dev/zero | cmp - /tmp/zeros.img'
else
	for time in $(seq "$times"); do
		claim "$time: a guest arrives" until_true $EVER is_here
		goes_on "$time, there:"
		claim "$time: its record came along" xs exists /config/domain/demo/kernel
		claim "$time: xm migrate --live back" move
		claim "$time: it is gone here" gone demo
		from_now
	done
	claim "the other host is done" sh -c 'busybox nc -l -p 7778 | grep -q done'
fi
audits
[ ! -s /tmp/receive.err ] || sed 's/^/# receive: /' /tmp/receive.err
grep -hE 'rounds;|stood still' /var/log/xen/xend.log | sed 's/^/# /'
