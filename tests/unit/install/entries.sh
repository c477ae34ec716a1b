#!/bin/sh
# SPDX-License-Identifier: MIT
# entries.sh SOURCE - what we write into GRUB's entries names a screen behind multiboot2, which asks a BIOS for a
# graphics mode as soon as it has read our header. TAP output.
source=$1
n=0
for file in $(grep -rlE '(^|[^-])multiboot2 [$/]' "$source/install" "$source/image" "$source/tests/boot"); do
	n=$((n + 1))
	if awk '/(^|[^-])multiboot2 [$\/]/ { open = 1; next } open && /set gfxpayload=/ { open = 0 } open && /module2/ { exit }
		END { exit open }' "$file"; then
		echo "ok $n - ${file#"$source"/}"
	else
		echo "not ok $n - ${file#"$source"/}: nothing says gfxpayload between multiboot2 and module2"
	fi
done
n=$((n + 1))
[ "$n" -gt 3 ] && echo "ok $n - those that are known are seen" || echo "not ok $n - $n files seen"
echo "1..$n"
