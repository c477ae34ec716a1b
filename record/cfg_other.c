/* SPDX-License-Identifier: MIT */
/*
 * cfg_other.c - the table of keys known by name and not acted on. See cfg_other.h. What xl and xm
 * read of fully virtualised guests alone changes nothing here either: a file for one of those says
 * so (type, builder), and is refused for that.
 * Source of the names: xl.cfg(5) of Xen 4.17 and xm create of 3.4.
 */
#include <string.h>

#include "cfg_other.h"

static const char why_hvm[] =
	"for fully virtualised guests; this host runs paravirtual ones (type = 'pv')";
static const char why_arm[] = "for ARM machines; this is an x86 one";
static const char why_psr_cmt[] = "processor monitoring is not offered to guests";
static const char why_bootargs[] = "no boot loader runs in Domain-0: PV GRUB does, in the guest";
static const char why_pci[] =
	"devices of the machine are not given to guests: without an IOMMU that gives the "
	"whole machine away";
static const char why_pci_how[] = "it is about devices in pci, which there are none of";
static const char why_usbctrl[] = "driver domains and passed-through devices are not supported";
static const char why_vtpm[] =
	"there is no such device here: a guest has disks, network cards, a console and a screen";
static const char why_nfs_root[] = "write it into extra: root=/dev/nfs nfsroot=SERVER:/PATH";
static const char why_ip[] =
	"the guest's own network set-up goes into extra (ip=...), an address for the "
	"script of a card into vif";
static const char why_vfb[] = "write vfb = [ 'vnc=1' ], which has vnclisten, vncdisplay and vncpasswd";
static const char why_vkb[] = "a screen, vfb, has keyboard and pointer";
static const char why_channel[] = "there are no channels yet";
static const char why_cpus[] = "write cpus, the CPUs it may run on";
static const char why_pool[] = "the host has one CPU pool and one memory node";
static const char why_vcpu_avail[] = "write vcpus (running) and maxvcpus (possible) instead";
static const char why_max_event_channels[] = "the host's own limits apply";
static const char why_xenstore_quota[] = "the store's own quotas apply";
static const char why_nomigrate[] = "xm migrate moves who it is told to move";
static const char why_on_watchdog[] = "guests have no watchdog yet";
static const char why_on_soft_reset[] = "guests of this kind do not ask for a soft reset";
static const char why_on_xend_stop[] = "xend's end leaves domains running";
static const char why_seclabel[] = "security labels (XSM) are not supported";
static const char why_cpuid[] = "the CPU features a guest sees are fixed";
static const char why_tsc_mode[] =
	"a paravirtual guest keeps time by the wall clock the host gives";
static const char why_xend_suspend_evtchn_compat[] = "a remnant of older tools";

static const struct key_other others[] = {
	{ "firmware", KEY_NO_EFFECT, why_hvm },
	{ "boot", KEY_NO_EFFECT, why_hvm },
	{ "hap", KEY_NO_EFFECT, why_hvm },
	{ "oos", KEY_NO_EFFECT, why_hvm },
	{ "shadow_memory", KEY_NO_EFFECT, why_hvm },
	{ "bios", KEY_NO_EFFECT, why_hvm },
	{ "bios_path_override", KEY_NO_EFFECT, why_hvm },
	{ "acpi_s3", KEY_NO_EFFECT, why_hvm },
	{ "acpi_s4", KEY_NO_EFFECT, why_hvm },
	{ "acpi_laptop_slate", KEY_NO_EFFECT, why_hvm },
	{ "hpet", KEY_NO_EFFECT, why_hvm },
	{ "altp2m", KEY_NO_EFFECT, why_hvm },
	{ "altp2mhvm", KEY_NO_EFFECT, why_hvm },
	{ "nestedhvm", KEY_NO_EFFECT, why_hvm },
	{ "acpi_firmware", KEY_NO_EFFECT, why_hvm },
	{ "smbios_firmware", KEY_NO_EFFECT, why_hvm },
	{ "ms_vm_genid", KEY_NO_EFFECT, why_hvm },
	{ "vpt_align", KEY_NO_EFFECT, why_hvm },
	{ "timer_mode", KEY_NO_EFFECT, why_hvm },
	{ "mmio_hole", KEY_NO_EFFECT, why_hvm },
	{ "xen_platform_pci", KEY_NO_EFFECT, why_hvm },
	{ "viridian", KEY_NO_EFFECT, why_hvm },
	{ "videoram", KEY_NO_EFFECT, why_hvm },
	{ "stdvga", KEY_NO_EFFECT, why_hvm },
	{ "vga", KEY_NO_EFFECT, why_hvm },
	{ "nographic", KEY_NO_EFFECT, why_hvm },
	{ "spice", KEY_NO_EFFECT, why_hvm },
	{ "serial", KEY_NO_EFFECT, why_hvm },
	{ "soundhw", KEY_NO_EFFECT, why_hvm },
	{ "vkb_device", KEY_NO_EFFECT, why_hvm },
	{ "usb", KEY_NO_EFFECT, why_hvm },
	{ "usbversion", KEY_NO_EFFECT, why_hvm },
	{ "usbdevice", KEY_NO_EFFECT, why_hvm },
	{ "vendor_device", KEY_NO_EFFECT, why_hvm },
	{ "device_model", KEY_NO_EFFECT, why_hvm },
	{ "device_model_version", KEY_NO_EFFECT, why_hvm },
	{ "device_model_override", KEY_NO_EFFECT, why_hvm },
	{ "device_model_stubdomain_override", KEY_NO_EFFECT, why_hvm },
	{ "device_model_user", KEY_NO_EFFECT, why_hvm },
	{ "device_model_args", KEY_NO_EFFECT, why_hvm },
	{ "device_model_args_hvm", KEY_NO_EFFECT, why_hvm },
	{ "stubdomain_kernel", KEY_NO_EFFECT, why_hvm },
	{ "stubdomain_ramdisk", KEY_NO_EFFECT, why_hvm },
	{ "stubdomain_cmdline", KEY_NO_EFFECT, why_hvm },
	{ "stubdomain_memory", KEY_NO_EFFECT, why_hvm },
	{ "dm_restrict", KEY_NO_EFFECT, why_hvm },
	{ "rdm_mem_boundary", KEY_NO_EFFECT, why_hvm },
	{ "rdm", KEY_NO_EFFECT, why_hvm },
	{ "mca_caps", KEY_NO_EFFECT, why_hvm },
	{ "msr_relaxed", KEY_NO_EFFECT, why_hvm },
	{ "hdtype", KEY_NO_EFFECT, why_hvm },
	{ "guest_os_type", KEY_NO_EFFECT, why_hvm },
	{ "isa", KEY_NO_EFFECT, why_hvm },
	{ "fda", KEY_NO_EFFECT, why_hvm },
	{ "fdb", KEY_NO_EFFECT, why_hvm },
	{ "monitor", KEY_NO_EFFECT, why_hvm },
	{ "hvm_pirq", KEY_NO_EFFECT, why_hvm },
	{ "virtio", KEY_NO_EFFECT, why_hvm },
	{ "smbios", KEY_NO_EFFECT, why_hvm },
	{ "altp2m_count", KEY_NO_EFFECT, why_hvm },
	{ "xen_platform_pci_bar_uc", KEY_NO_EFFECT, why_hvm },
	{ "pvshim", KEY_NO_EFFECT, why_hvm },
	{ "pvshim_path", KEY_NO_EFFECT, why_hvm },
	{ "pvshim_cmdline", KEY_NO_EFFECT, why_hvm },
	{ "pvshim_extra", KEY_NO_EFFECT, why_hvm },
	{ "gfx_passthru", KEY_NO_EFFECT, why_hvm },
	{ "pae", KEY_NO_EFFECT, why_hvm },
	{ "acpi", KEY_NO_EFFECT, why_hvm },
	{ "apic", KEY_NO_EFFECT, why_hvm },
	{ "nx", KEY_NO_EFFECT, why_hvm },
	{ "spicehost", KEY_NO_EFFECT, why_hvm },
	{ "spiceport", KEY_NO_EFFECT, why_hvm },
	{ "spicepasswd", KEY_NO_EFFECT, why_hvm },
	{ "spicetls_port", KEY_NO_EFFECT, why_hvm },
	{ "spicedisable_ticketing", KEY_NO_EFFECT, why_hvm },
	{ "spiceagent_mouse", KEY_NO_EFFECT, why_hvm },
	{ "spicevdagent", KEY_NO_EFFECT, why_hvm },
	{ "spiceclipboard_sharing", KEY_NO_EFFECT, why_hvm },
	{ "spiceusbredirection", KEY_NO_EFFECT, why_hvm },
	{ "gic_version", KEY_REFUSED, why_arm },
	{ "vuart", KEY_REFUSED, why_arm },
	{ "tee", KEY_REFUSED, why_arm },
	{ "device_tree", KEY_REFUSED, why_arm },
	{ "dtdev", KEY_REFUSED, why_arm },
	{ "sve", KEY_REFUSED, why_arm },
	{ "llc_colors", KEY_REFUSED, why_arm },
	{ "nr_spis", KEY_REFUSED, why_arm },
	{ "trap_unmapped_accesses", KEY_REFUSED, why_arm },
	{ "arm_sci", KEY_REFUSED, why_arm },
	{ "psr_cmt", KEY_REFUSED, why_psr_cmt },
	{ "vmtrace_buf_kb", KEY_REFUSED, why_psr_cmt },
	{ "vpmu", KEY_REFUSED, why_psr_cmt },
	{ "bootloader_args", KEY_NO_EFFECT, why_bootargs },
	{ "bootloader_restrict", KEY_NO_EFFECT, why_bootargs },
	{ "bootloader_user", KEY_NO_EFFECT, why_bootargs },
	{ "bootentry", KEY_NO_EFFECT, why_bootargs },
	{ "pci", KEY_REFUSED, why_pci },
	{ "pci_permissive", KEY_NO_EFFECT, why_pci_how },
	{ "pci_msitranslate", KEY_NO_EFFECT, why_pci_how },
	{ "pci_seize", KEY_NO_EFFECT, why_pci_how },
	{ "pci_power_mgmt", KEY_NO_EFFECT, why_pci_how },
	{ "passthrough", KEY_REFUSED, why_pci },
	{ "ioports", KEY_REFUSED, why_pci },
	{ "iomem", KEY_REFUSED, why_pci },
	{ "irqs", KEY_REFUSED, why_pci },
	{ "irq", KEY_REFUSED, why_pci },
	{ "e820_host", KEY_NO_EFFECT, why_pci_how },
	{ "usbctrl", KEY_REFUSED, why_usbctrl },
	{ "usbdev", KEY_REFUSED, why_usbctrl },
	{ "vscsi", KEY_REFUSED, why_usbctrl },
	{ "blkif", KEY_REFUSED, why_usbctrl },
	{ "netif", KEY_REFUSED, why_usbctrl },
	{ "tpmif", KEY_REFUSED, why_usbctrl },
	{ "driver_domain", KEY_REFUSED, why_usbctrl },
	{ "vtpm", KEY_REFUSED, why_vtpm },
	{ "p9", KEY_REFUSED, why_vtpm },
	{ "pvcalls", KEY_REFUSED, why_vtpm },
	{ "vdispl", KEY_REFUSED, why_vtpm },
	{ "vsnd", KEY_REFUSED, why_vtpm },
	{ "nfs_root", KEY_REFUSED, why_nfs_root },
	{ "nfs_server", KEY_REFUSED, why_nfs_root },
	{ "ip", KEY_NO_EFFECT, why_ip },
	{ "netmask", KEY_NO_EFFECT, why_ip },
	{ "gateway", KEY_NO_EFFECT, why_ip },
	{ "hostname", KEY_NO_EFFECT, why_ip },
	{ "interface", KEY_NO_EFFECT, why_ip },
	{ "dhcp", KEY_NO_EFFECT, why_ip },
	{ "vkb", KEY_NO_EFFECT, why_vkb },
	{ "vnc", KEY_NO_EFFECT, why_vfb },
	{ "vncpasswd", KEY_NO_EFFECT, why_vfb },
	{ "vnclisten", KEY_NO_EFFECT, why_vfb },
	{ "vncdisplay", KEY_NO_EFFECT, why_vfb },
	{ "vncunused", KEY_NO_EFFECT, why_vfb },
	{ "vncviewer", KEY_NO_EFFECT, why_vfb },
	{ "vncconsole", KEY_NO_EFFECT, why_vfb },
	{ "sdl", KEY_NO_EFFECT, why_vfb },
	{ "display", KEY_NO_EFFECT, why_vfb },
	{ "xauthority", KEY_NO_EFFECT, why_vfb },
	{ "keymap", KEY_NO_EFFECT, why_vfb },
	{ "opengl", KEY_NO_EFFECT, why_vfb },
	{ "channel", KEY_REFUSED, why_channel },
	{ "cpus_soft", KEY_NO_EFFECT, why_cpus },
	{ "cpu", KEY_NO_EFFECT, why_cpus },
	{ "pool", KEY_NO_EFFECT, why_pool },
	{ "vnuma", KEY_NO_EFFECT, why_pool },
	{ "vcpu_avail", KEY_NO_EFFECT, why_vcpu_avail },
	{ "maxcpus", KEY_NO_EFFECT, why_vcpu_avail }, /* EVE writes it; to xl it is nothing */
	{ "max_event_channels", KEY_NO_EFFECT, why_max_event_channels },
	{ "max_grant_frames", KEY_NO_EFFECT, why_max_event_channels },
	{ "max_maptrack_frames", KEY_NO_EFFECT, why_max_event_channels },
	{ "max_grant_version", KEY_NO_EFFECT, why_max_event_channels },
	{ "xenstore_quota", KEY_NO_EFFECT, why_xenstore_quota },
	{ "xenstore_feature_mask", KEY_NO_EFFECT, why_xenstore_quota },
	{ "nomigrate", KEY_NO_EFFECT, why_nomigrate },
	{ "on_watchdog", KEY_NO_EFFECT, why_on_watchdog },
	{ "on_soft_reset", KEY_NO_EFFECT, why_on_soft_reset },
	{ "on_xend_stop", KEY_NO_EFFECT, why_on_xend_stop },
	{ "seclabel", KEY_REFUSED, why_seclabel },
	{ "init_seclabel", KEY_REFUSED, why_seclabel },
	{ "access_control", KEY_REFUSED, why_seclabel },
	{ "cpuid", KEY_NO_EFFECT, why_cpuid },
	{ "cpuid_check", KEY_NO_EFFECT, why_cpuid },
	{ "tsc_mode", KEY_NO_EFFECT, why_tsc_mode },
	{ "localtime", KEY_NO_EFFECT, why_tsc_mode },
	{ "rtc_timeoffset", KEY_NO_EFFECT, why_tsc_mode },
	{ "xend_suspend_evtchn_compat", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "suppress_spurious_page_faults", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "machine_address_size", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "loader", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "features", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "bootargs", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "s3_integrity", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "target", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "vhpt", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "nics", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "restart", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "device_model_args_pv", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
	{ "serial_type", KEY_NO_EFFECT, why_xend_suspend_evtchn_compat },
};

#define NR_OTHERS (sizeof(others) / sizeof(others[0]))

const struct key_other *cfg_other_at(size_t i)
{
	return i < NR_OTHERS ? &others[i] : NULL;
}

const struct key_other *cfg_other_find(const char *name)
{
	for (size_t i = 0; i < NR_OTHERS; i++)
		if (strcmp(others[i].name, name) == 0)
			return &others[i];
	return NULL;
}

bool cfg_other_is_hvm(const struct key_other *other)
{
	return other->reason == why_hvm;
}
