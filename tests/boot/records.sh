#!/bin/sh
# SPDX-License-Identifier: MIT
# A host's domains as one JSON document: declared in one transaction they come up; one that the
# document leaves out goes; an automation of a file notices.
. "$(dirname "$0")/lib.sh"
inside records.sh --disk "$SCRATCH/disk"
finish
