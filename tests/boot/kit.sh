#!/bin/sh
# SPDX-License-Identifier: MIT
# The guests of tests/guests as domUs. How Debian's Xen differs is in docs/guest-tests.md, which this
# test holds to what happens.
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/guests/special" "$SCRATCH/guests/pairs"
for file in "$STOREVISOR_BUILD"/tests/guests/guest-*.elf; do
	strip -o "$SCRATCH/guests/${file##*/guest-}" "$file"
done
for file in "$STOREVISOR_BUILD"/tests/guests/kit-*.elf; do
	strip -o "$SCRATCH/guests/special/${file##*/kit-}" "$file"
done
for file in "$STOREVISOR_BUILD"/tests/guests/two-*.elf; do
	strip -o "$SCRATCH/guests/pairs/${file##*/two-}" "$file"
done
: >"$SCRATCH/guests/expected"
if [ -n "${HYPERVISOR:-}" ]; then
	sed -n 's/^| `\([a-z0-9_]*\)` | \([a-z]*\) |.*/\1 \2/p' "$TOP/docs/guest-tests.md" >"$SCRATCH/guests/expected"
fi
cp "$STOREVISOR_BUILD/tests/guests/guestrun" "$SCRATCH/guests/"
inside kit.sh --add "$SCRATCH/guests"
finish
