#!/bin/sh
# SPDX-License-Identifier: MIT
# settings.sh on logs as both hypervisors write them: a setting that was not taken is seen.
set -eu
. "$(dirname "$0")/settings.sh"
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

log() { printf '%s\r\n' "$@" >"$W/log"; }
fail() { echo "$1"; cat "$W/log"; exit 1; }
is_taken() { taken "$1" "$2" "$W/log" || fail "$2 $1: a log as it should be"; }
is_refused()
{
	if taken "$1" "$2" "$W/log" 2>"$W/said"; then fail "$2 $1: $3"; fi
	grep -q "^$2 is not as it was told to be ($1)" "$W/said" || fail "$2 $1: $3 is not said"
}

ours() { log "(SV) speculation: on each way in or out: $1" "(SV) speculation: indirect branches: $2; 0 faults open"; }
ours nothing jmp
is_taken without ours
is_refused with ours "nothing is on"
ours spec_ctrl jmp
is_taken without ours
ours rsb jmp
is_refused without ours "a sequence too many"
ours nothing retpoline
is_refused without ours "retpolines are on"
ours 'xpti spec_ctrl rsb verw' retpoline
is_taken with ours
is_refused without ours "all is on"
ours 'xpti rsb verw' retpoline
is_refused with ours "SPEC_CTRL is missing"
ours 'xpti spec_ctrl rsb verw' jmp
is_refused with ours "retpolines are missing"

# xen BRANCHES SPEC_CTRL OTHER FOR-GUESTS XPTI: as Debian's 4.17.7 says it.
xen()
{
	log "(XEN)   Xen settings: BTI-Thunk: $1, SPEC_CTRL: $2 STIBP- SSBD-, Other:$3" \
		"(XEN)   Support for PV VMs: $4" "(XEN)   XPTI (64-bit PV only): Dom0 $5, DomU $5 (without PCID)"
}
xen JMP IBRS- '' None disabled
is_taken without xen
is_refused with xen "nothing is on"
xen RETPOLINE IBRS+ ' IBPB-ctxt VERW BRANCH_HARDEN' 'MSR_SPEC_CTRL RSB EAGER_FPU VERW' enabled
is_taken with xen
is_refused without xen "all is on"
xen RETPOLINE IBRS+ ' IBPB-ctxt VERW' 'MSR_SPEC_CTRL RSB EAGER_FPU VERW' disabled
is_refused with xen "XPTI is missing"
xen RETPOLINE IBRS- ' IBPB-ctxt VERW' 'MSR_SPEC_CTRL RSB EAGER_FPU VERW' enabled
is_refused with xen "IBRS is missing"
xen RETPOLINE IBRS+ ' IBPB-ctxt' 'MSR_SPEC_CTRL RSB EAGER_FPU' enabled
is_refused with xen "VERW is missing"
xen RETPOLINE IBRS+ ' IBPB-ctxt VERW' 'MSR_SPEC_CTRL RSB EAGER_FPU VERW IBPB-entry' enabled
is_refused with xen "it does more than ours"
log ''
is_refused without xen "it said nothing"
is_refused without ours "it said nothing"
if words neither 2>"$W/said"; then echo "an unknown setting has words"; exit 1; fi
