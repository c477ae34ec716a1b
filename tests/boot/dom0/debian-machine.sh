# SPDX-License-Identifier: MIT
# tests/boot/dom0/debian-machine.sh - the life of a Debian with our packages over several boots, one stage a boot; what is
# the same of it natively and under the hypervisor. What a stage found out is in $STATE.
STATE=/var/lib/convert
mkdir -p $STATE
stage=$(cat $STATE/stage 2>/dev/null || echo native)
n=$(cat $STATE/n 2>/dev/null || echo 0)
usleep() { sleep 0.2; } # busybox' own

# at_end: the plan comes with the last stage.
leave()
{
	[ ! -e /run/session.reboot ] || { echo "$n" >$STATE/n; exit; }
	echo "1..$n"
}
trap leave EXIT

# again STAGE: the machine restarts, and goes on there.
again()
{
	echo "$1" >$STATE/stage
	: >/run/session.reboot
	exit
}

not() { ! "$@"; }
nothing() { [ -z "$("$@")" ] || { "$@"; return 1; }; }
quiet_units() { nothing systemctl --failed --no-legend --plain; }
under_hypervisor() { storevisor-boot --status | grep -q '^now: under a hypervisor'; }

# facts: what of the machine is the same with and without a hypervisor.
facts()
{
	echo "disks:"
	lsblk -n -r -o NAME,SIZE,TYPE,MOUNTPOINTS
	echo "swap:"
	swapon --noheadings --show=NAME,SIZE
	echo "network:"
	until_true 60 sh -c 'ip -br link show xenbr0 | grep -q " UP "' # its card's carrier takes its time
	ip -4 -br addr | tr -s ' '
	ip route
	echo "devices and drivers:"
	for device in /sys/bus/pci/devices/*; do
		echo "${device##*/} $(cat "$device/class") $(basename "$(readlink -f "$device/driver")")"
	done
	echo "init: $(ps -o comm= -p 1), root: $(findmnt -n -o SOURCE,FSTYPE /)"
}

# errors: what the kernel and the daemons complain about in this boot.
errors() { journalctl -b -p err -o cat --no-pager | sed 's/^\[[^]]*\] *//; s/[0-9]\{3,\}/N/g' | sort -u; }

# clock: seconds between the system's clock and the machine's, no sign.
clock()
{
	machine=$(date -u -d "$(hwclock --utc --show)" +%s) && system=$(date +%s)
	echo "$((system - machine))" | tr -d -
}

# native_facts: what later boots are compared with.
native_facts()
{
	claim "natively, no unit has failed" quiet_units
	facts >$STATE/facts
	errors >$STATE/errors
}

# next_is_ours: GRUB's first entry stays the native one; the next boot alone is under the hypervisor.
next_is_ours()
{
	claim "GRUB's first entry is the native one" \
		sh -c "awk '/^menuentry/ { print; exit }' /boot/grub/grub.cfg | grep -qv -i storevisor"
	claim "ours is there" grep -q "menuentry_id_option 'storevisor'" /boot/grub/grub.cfg
	claim "the next boot is said to be native" sh -c 'storevisor-boot | grep -q "^by default: without"'
	claim "the next boot shall be ours" storevisor-boot --once
}

# explained: lines that a boot under the hypervisor has and a native one has not. Linux asks for the machine's
# CPUs by a hypercall that is not there: corrected errors of the hardware are not collected; and the firmware's services,
# which would say whether it checks signatures, are nobody's to use (docs/caveats.md).
explained()
{
	cat <<'END'
xen_mcelog: Failed to get CPU numbers
Could not determine UEFI Secure Boot status.
END
}

# whole_under: all that a native boot has is there under the hypervisor, and what is ours beside it.
whole_under()
{
	claim "the hypervisor runs" under_hypervisor
	claim "for this boot alone" nothing sh -c 'grub-editenv list | grep "^next_entry=."'
	claim "no unit has failed" quiet_units
	for unit in xenstored backendd xend xend-domains proc-xen.mount; do
		same "$unit is active" active "$(systemctl is-active $unit)"
	done
	claim "Debian has the memory that the settings leave it" \
		test "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -le 1048576
	facts >$STATE/facts.once
	claim "disks, swap, network and devices are as natively" diff $STATE/facts $STATE/facts.once
	claim "the clock goes with the machine's" test "$(clock)" -le 5
	errors | grep -vxFf $STATE/errors >$STATE/errors.once
	explained >$STATE/explained
	claim "nothing complains that did not natively" nothing grep -vxFf $STATE/explained $STATE/errors.once
	claim "dom0's own view has the gateway" ping -c 1 -W 20 10.0.2.2
	claim "xm doctor finds nothing" sh -c 'xm doctor >/tmp/doctor || { cat /tmp/doctor; false; }'
}

# guest: Debian's kernel from the disk's own menu, on a volume of LVM, a card on the bridge.
guest()
{
	dd if=/mnt/guest/grub.img of=/dev/vg0/guest bs=1M conv=fsync 2>/dev/null
	cat >/etc/xen/first.cfg <<-'END'
	name = "first"
	bootloader = "pygrub"
	memory = 256
	disk = [ "phy:/dev/vg0/guest,xvda,w" ]
	vif = [ "mac=00:16:3e:00:00:04,bridge=xenbr0" ]
	autostart = 1
	END
	claim "a guest's record is stored" xm new /etc/xen/first.cfg
	claim "it starts" xm start first
	claim "its kernel is its own disk's, and is up" hears first 300 'guest: ready'
	claim "its disk works" said first 'guest: disk mounted'
	ip addr add 10.0.0.1/24 dev xenbr0
	claim "its card does" until_true 60 ping -c 1 -W 5 10.0.0.4
	talks first 'echo kept >/mnt/kept; sync; echo written $((6 * 7))' 'written 42' >/tmp/talk
	claim "its console is reached" grep -q 'written 42' /tmp/talk
}
