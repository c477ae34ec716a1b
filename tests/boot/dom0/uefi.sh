#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's half of the test of UEFI firmware: what it tells has reached dom0's kernel, what it keeps is kept, and
# what is not there is known not to be.
. /mnt/dom0/lib.sh
EFI=/sys/firmware/efi
dmesg >/tmp/dmesg

# table NAME: where UEFI says that it is.
table() { sed -n "s/^$1=//p" $EFI/systab; }

# kept ADDRESS: it is in the machine's memory map, and no RAM.
kept()
{
	for range in /sys/firmware/memmap/*; do
		[ $(($(cat $range/start))) -gt $(($1)) ] || [ $(($(cat $range/end))) -lt $(($1)) ] || cat $range/type
	done | grep -v 'System RAM'
}

no_variables() { mkdir -p /tmp/vars && ! mount -t efivarfs none /tmp/vars; }
picture() { sha256sum </dev/fb0; }
drawn() { before=$(picture); echo "$1" >/dev/tty0; [ "$(picture)" != "$before" ]; }

claim "dom0's kernel knows the firmware" grep -E 'efi: EFI v2\.[0-9]+ by EDK II' /tmp/dmesg
claim "and that it is one of 64 bits" grep -qx 64 $EFI/fw_platform_size
claim "ACPI's tables are where UEFI says" grep -i "ACPI: RSDP 0x0*$(table ACPI20 | cut -c 3-) " /tmp/dmesg
claim "SMBIOS's, too: the machine has its maker's name" grep -qx QEMU /sys/class/dmi/id/sys_vendor
for name in ACPI20 SMBIOS; do
	claim "$name is in memory that nobody is given" kept "$(table $name)"
done
claim "Linux does not try the firmware's services" test ! -e $EFI/runtime
claim "there are no variables, and that is said" no_variables
claim "the screen is the firmware's" grep -qx '0 EFI VGA' /proc/fb
claim "and shows what is written" drawn "UEFI's screen"
same "all CPUs" 2 "$(nproc)"
claim "the disks are AHCI's" sh -c 'readlink -f /sys/block/sda | grep /ata'
claim "a guest starts" xm create -q /etc/xen/demo.cfg
claim "and answers" until_true 600 ping -c 1 -W 2 10.0.0.2
audits
