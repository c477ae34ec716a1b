#!/bin/sh
# SPDX-License-Identifier: MIT
# machines.sh with every pair of CPU model, board, firmware, memory and number of CPUs. Twenty
# minutes: runs only when named.
ALL_ROWS=1
. "$(dirname "$0")/machines.sh"
row qemu64 pc bios on 512 1 virtio
row qemu64 q35 uefi off 2048 2 ahci
row max pc bios off 6144 4 ahci
row max q35 uefi on 16384 8 virtio
row EPYC pc bios on 2048 2 virtio
row EPYC q35 uefi off 512 1 ahci
row Skylake-Client pc bios off 16384 8 ahci
row Skylake-Client q35 uefi on 6144 4 virtio
row qemu64 pc uefi on 6144 8 ahci
row qemu64 q35 bios off 16384 4 virtio
row max pc bios on 512 2 virtio
row max pc bios on 2048 1 virtio
row EPYC pc bios on 512 4 virtio
row EPYC pc bios on 512 8 virtio
row EPYC pc bios on 6144 1 virtio
row EPYC pc bios on 16384 1 virtio
row Skylake-Client pc bios on 512 1 virtio
row Skylake-Client pc bios on 2048 2 virtio
row qemu64 pc bios on 2048 4 virtio
row qemu64 pc bios on 2048 8 virtio
row qemu64 pc bios on 6144 2 virtio
row qemu64 pc bios on 16384 2 virtio
finish
