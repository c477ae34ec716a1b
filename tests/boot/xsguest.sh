#!/bin/sh
# SPDX-License-Identifier: MIT
# xs in a guest: everything through the kernel's /dev/xen/xenbus, with what that lets through.
. "$(dirname "$0")/lib.sh"
inside xsguest.sh
finish
