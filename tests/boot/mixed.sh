#!/bin/sh
# SPDX-License-Identifier: MIT
# Halves of somebody else's: Debian's xl and daemons on the hypervisor under test, and Debian's xl
# on our store.
. "$(dirname "$0")/lib.sh"
inside debian-tools.sh --daemons debian
inside debian-xl.sh
finish
