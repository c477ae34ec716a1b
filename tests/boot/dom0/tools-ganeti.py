#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tools-ganeti.py WORD... - Ganeti's own hv_xen, as a node of a cluster calls it, for one instance. Each WORD is a
method of the table at the end; the first that fails ends it with what Ganeti says."""
import sys

sys.path.insert(0, "/usr/share/ganeti/3.0")
from ganeti import constants, errors, objects  # noqa: E402
from ganeti.hypervisor import hv_base, hv_xen  # noqa: E402

NAME = "web1.example.org"
DISK = "/data/guests/ganeti.img"


def instance():
    hvparams = dict(constants.HVC_DEFAULTS[constants.HT_XEN_PVM])
    hvparams.update({
        constants.HV_XEN_CMD: "xl",
        constants.HV_KERNEL_PATH: "/usr/share/storevisor/vmlinuz-amd64",
        constants.HV_INITRD_PATH: "/usr/share/storevisor/initrd-amd64",
        constants.HV_ROOT_PATH: "/dev/xvda",
        constants.HV_KERNEL_ARGS: "ro console=hvc0 panic=1 sv_ip=10.0.0.6",
    })
    nic = objects.NIC(mac="aa:00:00:35:d9:01", ip=None, network=None, netinfo=None, name=None,
                      uuid="0c5a3ab0-b8a8-4dea-aeb7-4d1b2c3a4d5e",
                      nicparams={constants.NIC_MODE: constants.NIC_MODE_BRIDGED,
                                 constants.NIC_LINK: "xenbr0", constants.NIC_VLAN: ""})
    return objects.Instance(name=NAME, hypervisor=constants.HT_XEN_PVM, hvparams=hvparams, nics=[nic],
                            beparams={constants.BE_MINMEM: 128, constants.BE_MAXMEM: 256, constants.BE_VCPUS: 1})


hv = hv_xen.XenPvmHypervisor()
hv.REBOOT_RETRY_INTERVAL = 2
inst = instance()
disks = [(objects.Disk(dev_type=constants.DT_FILE, mode=constants.DISK_RDWR,
                       logical_id=(constants.FD_LOOP, DISK)), DISK, None)]


def want(what, cond):
    if not cond:
        sys.exit("not as Ganeti needs it: %s" % (what,))


def info():
    return hv.GetInstanceInfo(NAME, hvparams=inst.hvparams)


def verify():
    said = hv.Verify(hvparams=inst.hvparams)
    want(said, said is None)


def node():
    facts = hv.GetNodeInfo(hvparams=inst.hvparams)
    print(facts)
    for key in ("memory_total", "memory_free", "memory_dom0", "memory_hv", "cpu_total", "cpu_nodes", "cpu_sockets",
                "cpu_dom0", "hv_version"):
        want(key, key in facts)
    want("memory", 0 < facts["memory_dom0"] < facts["memory_total"] and facts["memory_free"] >= 0)


def start():
    hv.StartInstance(inst, disks, False)


def paused():
    hv.StartInstance(inst, disks, True)


def listed():
    want(hv.ListInstances(hvparams=inst.hvparams), NAME in hv.ListInstances(hvparams=inst.hvparams))
    name, domid, memory, vcpus, state, _ = info()
    print(name, domid, memory, vcpus, state)
    want("domid, memory, cpus", domid > 0 and 120 <= memory <= 256 and vcpus == 1)
    want("state", hv_base.HvInstanceState.IsRunning(state))


def absent():
    want(info(), info() is None)
    want("list", NAME not in hv.ListInstances(hvparams=inst.hvparams))


def balloon():
    hv.BalloonInstanceMemory(inst, 160)


def ballooned():
    want(info(), info()[2] <= 161)


def reboot():
    hv.RebootInstance(inst)


def shutdown():
    hv.StopInstance(inst)


def kill():
    hv.StopInstance(inst, force=True)


def rename():
    """As it does when a migration has failed half way."""
    hv._RenameInstance(NAME, NAME + "--migratedaway", inst.hvparams)
    hv.FinalizeMigrationSource(inst, False, None)


def broken():
    """A file of which nothing can be made is an error of Ganeti's own kind."""
    inst.hvparams[constants.HV_KERNEL_PATH] = "/nowhere"
    try:
        start()
    except errors.HypervisorError as err:
        print(err)
        return
    sys.exit("it started")


for word in sys.argv[1:]:
    globals()[word]()
