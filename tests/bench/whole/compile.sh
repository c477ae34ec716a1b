#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the tree beside it, one file after the other, and links what came of it.
cd /tree || exit 1
for file in lib/*.c; do
	object=${file##*/}
	gcc -std=gnu11 -O1 -ffreestanding -I. -c -o "/tmp/${object%.c}.o" "$file" || exit 1
done
ld -r -o /tmp/tree.out /tmp/*.o
