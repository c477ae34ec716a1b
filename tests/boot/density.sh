#!/bin/sh
# SPDX-License-Identifier: MIT
# Two hundred small guests on a 1 GiB host: the last costs no more than the first, and all of it
# comes back.
. "$(dirname "$0")/lib.sh"
mkdir -p "$SCRATCH/guests"
strip -o "$SCRATCH/guests/idle.elf" "$STOREVISOR_BUILD/tests/guests/kit-idle.elf"
inside density.sh --memory 1024 --dom0-mem 400M --add "$SCRATCH/guests"
finish
