# SPDX-License-Identifier: MIT
# tests/bench/system/settings.sh - the settings in which the hypervisors are measured, and whether
# both really came up in one: a word that one of them does not take would make it the faster.
# Sourced, never run.

# XSAVE, SMAP and SMEP hidden from all: Debian's Xen mixes up vector registers with the first under
# QEMU 7.2, and does not boot with the others. QEMU emulates none of the registers against faults
# of speculative execution: it takes what is written to them. That it says they are there has to be
# forced.
CPU=max,-smap,-smep,-xsave,-avx,-avx2,x-force-features=on,+spec-ctrl,+stibp,+ssbd,+md-clear

# words SETTING: what both hypervisors are told. "with" is what a CPU needs that has Meltdown, the
# Spectres and MDS, whatever QEMU's has. The predictor emptied on each entry is for other CPUs; Xen
# takes this one for such.
words()
{
	case $1 in
	without) echo 'spec-ctrl=no xpti=no' ;;
	with) echo 'spec-ctrl=bti-thunk=retpoline,ibrs,ibpb,ibpb-entry=0,rsb,md-clear,eager-fpu xpti=1' ;;
	*) return 1 ;;
	esac
}

# signs SETTING ours|xen: what its log says then; each line an expression of grep -E.
signs()
{
	case $1-$2 in
	# guests may still set bits of SPEC_CTRL for themselves, which are not for the hypervisor
	without-ours)
		echo 'speculation: on each way in or out: (nothing|spec_ctrl)$'
		echo 'speculation: indirect branches: jmp;'
		;;
	with-ours)
		echo 'speculation: on each way in or out: xpti spec_ctrl rsb verw$'
		echo 'speculation: indirect branches: retpoline;'
		;;
	without-xen)
		echo 'Xen settings: BTI-Thunk:? JMP, SPEC_CTRL: (No|IBRS-)'
		echo 'XPTI .*Dom0 disabled, DomU disabled'
		;;
	with-xen)
		echo 'Xen settings: BTI-Thunk:? RETPOLINE, SPEC_CTRL: IBRS\+.* IBPB.* VERW'
		echo 'Support for PV VMs: MSR_SPEC_CTRL RSB EAGER_FPU VERW$'
		echo 'XPTI .*Dom0 enabled, DomU enabled'
		;;
	esac
}

# taken SETTING ours|xen LOG: 0 if the log of a boot has every sign; otherwise says which is missing.
taken()
{
	signs "$1" "$2" | {
		missing=0
		while IFS= read -r sign; do
			tr -d '\r' <"$3" | grep -aqE "$sign" || {
				echo "$2 is not as it was told to be ($1): its log lacks '$sign'" >&2
				missing=1
			}
		done
		return $missing
	}
}
