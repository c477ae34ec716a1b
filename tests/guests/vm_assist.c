/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(vm_assist, "the assists Linux asks for switch on and off; others are refused", ALSO_DOM0)
{
	static const unsigned int types[] = {
		VMASST_TYPE_4gb_segments, VMASST_TYPE_4gb_segments_notify,
		VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3,
		VMASST_TYPE_architectural_iopl, VMASST_TYPE_runstate_update_flag,
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		check_is(hypercall(vm_assist, VMASST_CMD_enable, types[i]), 0);
		check_is(hypercall(vm_assist, VMASST_CMD_disable, types[i]), 0);
	}
	check_is(hypercall(vm_assist, VMASST_CMD_enable, 63), -EINVAL);
	check_is(hypercall(vm_assist, VMASST_CMD_enable, 1000), -EINVAL);
	check_is(hypercall(vm_assist, 7, VMASST_TYPE_4gb_segments), -ENOSYS);
}
