#!/bin/sh
# SPDX-License-Identifier: MIT
# grub.sh INSTALL-DIR - GRUB's entries, the choice between them, and systemd's generator, on a made-up
# machine. TAP output.
install=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
cd "$work" || exit 1
export PATH="$work/bin:$PATH"

claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@"; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		sed 's/^/# /' cfg
	fi
}

# A stand-in for what GRUB's library tells of this machine's disks.
mkdir -p lib boot bin
export pkgdatadir="$work/lib" STOREVISOR_BOOT="$work/boot"
cat >lib/grub-mkconfig_lib <<'END'
grub_file_is_not_garbage() { [ -s "$1" ]; }
grub_quote() { sed "s/'/'\\\\''/g"; }
make_system_path_relative_to_its_root() { if [ "$1" = / ]; then echo "/${root_part:-}"; else echo /boot; fi; }
grub_probe=probe_label
probe_label() { echo tank; }
prepare_grub_to_access_device() { printf "search --no-floppy --fs-uuid --set=root B007\n"; }
END
entries()
{
	sh "$install/90_storevisor" >cfg 2>err
}
has() { grep -q -- "$1" cfg; }
hasnt() { ! grep -q -- "$1" cfg; }
export GRUB_FS root_part GRUB_DEVICE=/dev/sda2 GRUB_DEVICE_UUID=1234-5678 GRUB_DEVICE_BOOT=/dev/sda2 GRUB_DISTRIBUTOR="Debian GNU/Linux" \
	GRUB_CMDLINE_LINUX_DEFAULT=quiet GRUB_CMDLINE_STOREVISOR=dom0_mem=1024M

entries
claim "without the hypervisor's image there is no entry" test ! -s cfg
echo hv >boot/storevisor.gz
entries
claim "nor without a kernel" test ! -s cfg
echo k >boot/vmlinuz-6.1.0-9-amd64
echo i >boot/initrd.img-6.1.0-9-amd64
echo k >boot/vmlinuz-6.1.0-10-amd64
echo i >boot/initrd.img-6.1.0-10-amd64
echo k >boot/vmlinuz-5.0-small
echo CONFIG_XEN=y >boot/config-5.0-small
printf 'CONFIG_XEN=y\nCONFIG_XEN_DOM0=y\n' >boot/config-6.1.0-10-amd64
: >boot/vmlinuz-7-empty
entries
claim "GRUB takes what is written" grub-script-check cfg
claim "the first entry has the newest kernel" \
	test "$(awk '/module2.*vmlinuz/ { print $2; exit }' cfg)" = /boot/vmlinuz-6.1.0-10-amd64
claim "both kernels are in the submenu" test "$(grep -c '^	menuentry' cfg)" = 2
claim "one that cannot be dom0 is not, nor is an empty file" hasnt '5.0-small\|7-empty'
claim "the hypervisor has its words" has 'multiboot2 /boot/storevisor.gz dom0_mem=1024M$'
claim "the kernel has its root by UUID, and the machine's words" \
	has 'module2 /boot/vmlinuz-6.1.0-9-amd64 root=UUID=1234-5678 ro.*quiet'
claim "the screen is the console, where nobody says which" has 'root=UUID=1234-5678 ro console=tty0 quiet$'
claim "and its initrd as it is" has 'module2 --nounzip /boot/initrd.img-6.1.0-9-amd64$'
claim "GRUB looks for the disk" has 'search --no-floppy --fs-uuid --set=root B007'
claim "UEFI's screen is in a graphics mode, which GRUB can tell of" has 'if \[ "$grub_platform" = efi \]; then insmod all_video; fi'
claim "a BIOS's is in text mode, said after multiboot2, which sets another" sh -c "grep -A 1 'multiboot2 ' cfg | grep -q 'gfxpayload=text'"
claim "entries have names that do not change" has "menuentry_id_option 'storevisor' {"
GRUB_DEVICE=/dev/mapper/vg-root entries
claim "a volume of LVM is called by its name" has 'root=/dev/mapper/vg-root ro'
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,57600n8 panic=9" entries
claim "a console on the first serial line is one by way of the hypervisor" \
	has 'ro console=tty0 console=hvc0 panic=9 quiet$'
claim "which keeps its speed" has 'storevisor.gz dom0_mem=1024M com1=57600$'
GRUB_CMDLINE_LINUX="console=ttyS0,57600" GRUB_CMDLINE_STOREVISOR=com1=9600 entries
claim "unless it is told another" has 'storevisor.gz com1=9600$'
GRUB_CMDLINE_LINUX="console=ttyS1,9600" entries
claim "the second is Linux's" has 'ro console=ttyS1,9600 quiet$'
# As update-grub does it: the settings are the shell's own, until they are exported.
installed_words()
{
	unset GRUB_CMDLINE_STOREVISOR
	. "$install/storevisor.cfg"
	entries
}
(installed_words)
claim "what is set in /etc/default/grub.d arrives" has 'storevisor.gz dom0_mem=1024M ucode=scan$'
GRUB_FS=btrfs root_part=@rootfs entries
claim "a root that is a part of btrfs is that part" has 'root=UUID=1234-5678 rootflags=subvol=@rootfs ro'
GRUB_FS=btrfs entries
claim "one that is all of it is no part" has 'root=UUID=1234-5678 ro'
GRUB_FS=zfs root_part=ROOT/debian@ entries
claim "a root of ZFS is called as there" has 'root=ZFS=tank/ROOT/debian ro'
rm boot/initrd.img-6.1.0-10-amd64
entries
claim "so is any root without an initrd" has 'vmlinuz-6.1.0-10-amd64 root=/dev/sda2 ro'
GRUB_DISTRIBUTOR= entries
claim "a system without a name has one in the menu" has "menuentry 'GNU/Linux, with Storevisor'"
GRUB_DISTRIBUTOR="Bob's" entries
claim "a title with a quote is one word" grub-script-check cfg

# A default that is a number counts entries: those of whoever else is there come before ours.
last() { [ "$(ls "$install"/[0-9]*_storevisor | sed 's|.*/||; s|_.*||')" -gt 41 ]; }
claim "the entries come behind all others, whose numbers stay" last

# The choice.
export STOREVISOR_ROOT="$work"
for tool in update-grub grub-reboot; do
	printf '#!/bin/sh\necho %s "$@" >>%s/calls\n' "$tool" "$work" >"bin/$tool"
done
mkdir -p boot/grub etc/default/grub.d
cat >>bin/update-grub <<'END'
cd "$STOREVISOR_ROOT" && [ ! -e full ] || exit 1
GRUB_DEFAULT=0
for file in etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "./$file"; done
printf '	set default="%s"\n' '${next_entry}' "$GRUB_DEFAULT" >boot/grub/grub.cfg
[ -e no-kernel ] || echo "menuentry 'with' \$menuentry_id_option 'storevisor' {" >>boot/grub/grub.cfg
END
sh bin/update-grub
printf '#!/bin/sh\necho 0\n' >bin/id
printf '#!/bin/sh\n. %s/probed\ncase $1 in *fs) echo $fs ;; *) echo $under ;; esac\n' "$work" >bin/grub-probe
echo 'under= fs=ext2' >probed
printf '#!/bin/sh\n[ "$1" = list ] || echo grub-editenv "$@" >>%s/calls\ncat %s/env\n' "$work" "$work" >bin/grub-editenv
echo next_entry=storevisor >env
chmod +x bin/*
choose()
{
	rm -f calls
	sh "$install/storevisor-boot" "$@" >cfg 2>err
}
default=etc/default/grub.d/storevisor-default.cfg
choose
claim "at first the machine boots without it" has 'by default: without'
choose --once
claim "--once is GRUB's own once" grep -qx 'grub-reboot storevisor' calls
claim "and changes no default" test ! -e $default
for probed in 'under=lvm fs=ext2' "under='diskfilter mdraid1x' fs=ext2" 'under= fs=btrfs' 'under= fs=zfs' 'false'; do
	echo "$probed" >probed
	choose --once || :
	claim "--once is refused where GRUB cannot forget it: $probed" test -s err -a ! -e calls
done
choose --default
claim "--default names the entry" grep -qx GRUB_DEFAULT=storevisor $default
claim "and GRUB's menu is made anew" grep -q update-grub calls
choose --status
claim "which is said" has 'by default: under the hypervisor'
touch full
choose --native
claim "a menu that could not be made is told" grep -q 'update-grub failed' err
choose --status
claim "and what it says still is what is said" has 'by default: under the hypervisor'
choose --default
claim "one that could not be made chooses nothing" test ! -e $default
rm full
choose --native
claim "--native takes it back" test ! -e $default
claim "and a wish for once with it" grep -qx 'grub-editenv - unset next_entry' calls
choose --status
claim "which is said, too" has 'by default: without'
echo GRUB_DEFAULT=saved >etc/default/grub.d/xen.cfg
choose --default
claim "a file that is read later is told" grep -q 'GRUB_DEFAULT is set anew' err
claim "and is no surprise when it goes" test ! -e $default
choose --status
claim "and that it wins" has 'by default: without'
sed -i 's/"saved"/"${saved_entry}"/' boot/grub/grub.cfg
echo saved_entry=storevisor >env
choose --status
claim "a saved default is known" has 'by default: under the hypervisor'
rm etc/default/grub.d/*.cfg
touch no-kernel
choose --default
claim "an entry that is not there is no default" grep -q 'no entry' err
choose --once
claim "nor one for once" sh -c "grep -q 'no entry' err && [ ! -e calls ]"
rm no-kernel
choose --native
claim "a wrong word is refused" sh -c "sh $install/storevisor-boot --maybe 2>/dev/null; [ \$? = 2 ]"
rm boot/storevisor.gz
claim "without the image it is no default" sh -c "! sh $install/storevisor-boot --default 2>/dev/null && [ ! -e $default ]"

# systemd's units of Domain-0.
export STOREVISOR_SYSFS="$work/sys"
generate()
{
	rm -rf gen
	mkdir gen
	sh "$install/systemd/storevisor-dom0" "$work/gen" "$work/gen" "$work/gen"
}
nothing() { [ -z "$(ls gen)" ]; }
generate
claim "a boot without a hypervisor has no unit more" nothing
mkdir -p sys/hypervisor/properties
echo xen >sys/hypervisor/type
echo 0000075d >sys/hypervisor/properties/features
generate
claim "nor has a guest" nothing
echo 00000f5d >sys/hypervisor/properties/features
generate
claim "Domain-0 has" test -L gen/multi-user.target.wants/xend.service
claim "its bridges are made" test -L gen/multi-user.target.wants/storevisor-network.service
claim "and its store serves domains" grep -q '^ExecStart=.*xenstored' gen/xenstored.service.d/50-dom0.conf
for word in ProtectControlGroups ProtectKernelTunables; do
	claim "in the machine's own /proc ($word)" grep -qx "$word=no" gen/xenstored.service.d/50-dom0.conf
done
for unit in xen xendomains; do
	claim "Debian's own $unit stays away" test "$(readlink gen/$unit.service)" = /dev/null
done
echo "1..$n"
