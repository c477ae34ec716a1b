#!/bin/sh
# SPDX-License-Identifier: MIT
# bridge.sh - XS_VALUE is the bridge's name; BRIDGE_ADDRESS (10.0.0.1/24) becomes the host's address on it.
address=${BRIDGE_ADDRESS:-}
[ "$XS_TYPE" != del ] && [ -n "$XS_VALUE" ] || exit 0
ip link show dev "$XS_VALUE" >/dev/null 2>&1 || ip link add name "$XS_VALUE" type bridge || exit 1
[ -z "$address" ] || ip addr replace "$address" dev "$XS_VALUE"
ip link set dev "$XS_VALUE" up
