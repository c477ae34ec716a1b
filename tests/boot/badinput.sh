#!/bin/sh
# SPDX-License-Identifier: MIT
# What users get wrong: one clear error each, everything undone, nothing leaked.
. "$(dirname "$0")/lib.sh"
inside badinput.sh --disk "$SCRATCH/disk"
finish
