#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest that xm image made, by its record: /mnt/guest has both.
. /mnt/dom0/lib.sh

# asks TEXT: what root's shell in the guest, by ssh, answers.
asks()
{
	LD_LIBRARY_PATH=/mnt/ssh/lib/x86_64-linux-gnu /mnt/ssh/bin/ssh -n -i /tmp/key -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20 "root@$address" "$1"
}
answers() { [ "$(asks "$1")" = "$2" ] || { asks "$1"; return 1; }; }

mkdir -p /var/lib/misc
cat >/tmp/udhcpd.conf <<'END'
start 10.0.0.77
end 10.0.0.77
interface xenbr0
option subnet 255.255.255.0
option router 10.0.0.1
lease_file /tmp/leases
END
: >/tmp/leases
udhcpd -S /tmp/udhcpd.conf
address=10.0.0.77
cp /mnt/guest/key /tmp/key && chmod 600 /tmp/key

claim "the record is stored" xm new /mnt/guest/web.cfg 'disk=["file:/mnt/guest/web.img,xvda,w"]'
claim "it starts" xm start web
claim "PV GRUB finds Debian's kernel, and that its root and a login" hears web 500 '^shop login: '
claim "it asked for an address, and root is let in by the key" until_true 100 asks true
claim "systemd has come up whole" answers 'systemctl is-system-running --wait || systemctl --failed --no-legend' running
claim "its file system is what the disk was made longer to" \
	answers 'test $(df -BM --output=size / | tail -n 1 | tr -d " M") -gt 2700 && echo long' long
claim "the host's own name is in /etc/hosts" answers 'hostname -f' shop
claim "root's password is what was given" answers \
	'perl -ne '"'"'/^root:([^:]*)/ && print crypt("sesame", $1) eq $1 ? "right" : "wrong"'"'"' /etc/shadow' right
claim "a file's capabilities came along" answers 'su nobody -s /bin/sh -c "ping -c 1 -W 20 10.0.0.1 >/dev/null" && echo pong' pong
claim "its own update-grub writes the menu" answers \
	'update-grub 2>/dev/null; grep -c "^[[:space:]]*linux.*root=.*console=hvc0 net.ifnames=0" /boot/grub/grub.cfg | grep -qv "^0$" && echo written' written
asks 'systemd-run --on-active=1 systemctl reboot' >/dev/null
claim "that menu boots it" hears web 500 '^shop login: ' 2
claim "as before" until_true 100 asks true
claim "and whole" answers 'systemctl is-system-running --wait || systemctl --failed --no-legend' running
claim "it shuts down when it is told" xm shutdown -w web
