#!/bin/sh
# SPDX-License-Identifier: MIT
# What firmware tells dom0, by way of GRUB and the hypervisor: UEFI on q35 with disks on AHCI (dom0/uefi.sh), and the
# screen of a BIOS. Runs only when named: that such machines boot at all, machines.sh shows.
. "$(dirname "$0")/lib.sh"
REAL_TIME=1 # two CPUs

inside uefi.sh --machine q35 --firmware uefi --bus ahci --cpus 2
REAL_TIME=
screen=$(machine --screen graphics -- 'cat /proc/fb; ls -d /sys/firmware/efi; dmesg | grep -o "Command line:.*"' 2>"$SCRATCH/err") || :
same "a BIOS's screen is known in a graphics mode, and no UEFI is" "0 VESA VGA
Command line: console=hvc0 panic=1" "$screen"
contains "which is why" "/sys/firmware/efi: No such file" "$(cat "$SCRATCH/err")"
finish
