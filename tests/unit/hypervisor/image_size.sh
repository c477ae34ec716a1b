#!/bin/sh
# SPDX-License-Identifier: MIT
# image_size.sh ELF - the hypervisor's text and data are at most 404 KiB: 400, and what `ucode=` needs.
set -eu
bytes=$(size "$1" | awk 'NR == 2 { print $1 + $2 }')
echo "text and data: $bytes bytes"
[ "$bytes" -gt 0 ] && [ "$bytes" -le $((404 * 1024)) ]
