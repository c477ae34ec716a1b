#!/bin/sh
# SPDX-License-Identifier: MIT
# options_described.sh OPTIONS.C COMMAND-LINE.MD - the table of the document names the options that
# the hypervisor takes, and no others.
set -eu
taken=$(sed -n 's/^	{ "\([a-z0-9_-]*\)", set_.*/\1/p' "$1" | sort)
described=$(sed -n 's/^| `\([a-z0-9_-]*\)[=`].*/\1/p' "$2" | sort -u)
echo "taken: $taken"
echo "described: $described"
[ -n "$taken" ] && [ "$taken" = "$described" ]
