#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory in a CXL region whose device is not one of the region, on a real kernel; and devices that daxctl
creates in a region.

Firmware has programmed the decoders of a card and declared its memory soft-reserved. hmem is loaded
first and registers the dax device; the CXL drivers find the committed decoders and make a region at the
same addresses, which gets no dax device (6.12). The test acts as firmware: it writes the HDM decoders of
the host bridge and of the card (CXL 3.1, 8.2.4.20) before any driver is loaded.

A second card provides blocks without a dax device: kmem is unbound while they are online, so that they
stay, and then the dax device is resized to 0, as the kernel does not delete the first one of a region.

TDX is active for user space. The kernel accepts any memory, but the tests online none of hmem: it is on
the node of the processors, and QEMU cannot run code from CXL memory.
"""

import json

from guest import CACHE, TDX_ACTIVE, TDX_ARMED
from scene import BLOCK, DAX, MEMORY, REFUSE, UNIT, Scene, main

# Addresses of the window and the registers of the first host bridge in QEMU, with these sizes.
WINDOW, SIZE = 0x5D0000000, 512 << 20
BRIDGE = 0x5C0000000
CARD = "0000:0d:00.0"
DRIVERS = ("cxl_acpi", "cxl_pci", "cxl_port", "cxl_mem")
PARTIAL = 64  # exit status: a device was left out because it kept changing

# The HDM decoder capability has ID 5. Its global registers are followed by base, size, target, and commit
# with the type "host only"; 0x400 means committed.
COMMIT = """
peek() { busybox devmem $(($1)); }
poke() { busybox devmem $(($1)) 32 $(($2)); }
commit() {
	at=$(($1 + 0x1000))
	for i in $(seq $(($(peek $at) >> 24))); do
		header=$(peek $at+4*$i)
		[ $((header & 0xffff)) != 5 ] || break
	done
	at=$((at + (header >> 20)))
	poke $at+0x10 $(($2 & 0xffffffff)); poke $at+0x14 $(($2 >> 32))
	poke $at+0x18 $(($3 & 0xffffffff)); poke $at+0x1c $(($3 >> 32))
	poke $at+0x24 0; poke $at+0x28 0
	poke $at+0x04 2; poke $at+0x20 0x1200
	[ $(($(peek $at+0x20) & 0x400)) != 0 ]
}
"""


class InRegion(Scene):
    enabled = False
    programs = (CACHE / "busybox/busybox",)
    machine = {
        "kernel": "debian-6.12",
        "cxl": ["512M", "512M"],
        "kernel_args": (*TDX_ARMED, "tdx_refuse.initialized=1", "memhp_default_state=offline",
                        f"memmap={SIZE}%{WINDOW:#x}+0xefffffff",
                        f"modprobe.blacklist={','.join((*DRIVERS, 'dax_hmem'))}"),
    }  # fmt: skip

    def origin(self, record):
        return [record.get(f"TDXO_{name}") for name in ("REGION", "REGION_MODE", "MEMDEV", "SERIAL", "HOST")]

    def start_and_wait(self, **fields):
        """Start the daemon again."""
        self.mark()
        self.sh(f"systemctl unmask --runtime {UNIT}; systemctl start {UNIT}")
        return self.wait_for_record(**fields)

    def memdev(self, serial):
        """The name of a card, which depends on the order of probes."""
        return self.sh(f"basename $(dirname $(grep -lx {serial} /sys/bus/cxl/devices/mem*/serial))")

    def explain(self, target):
        return self.sh(f"tdx-onlinectl explain {target}")

    def test_0_firmware(self):
        """The dax device is one of hmem, and a region at the same addresses comes later, together with a rule."""
        card = f"/sys/bus/pci/devices/{CARD}"
        script = f"{COMMIT}echo 1 >{card}/enable; read bar _ <{card}/resource;"
        self.sh(f"set -e; {script} for at in {BRIDGE:#x} $bar; do commit $at {WINDOW:#x} {SIZE:#x}; done")
        self.rule("10-card", "Serial=0x42", "Verdict=ignore")
        self.sh(f"systemctl start {UNIT}")
        self.sh("insmod $(modinfo -n dax_hmem)")  # modprobe(8) would load cxl_acpi before it
        self.assert_record(self.wait_for_record(chardev="dax0.0"), verdict="devdax", rule=None, region=None)
        self.mark()
        self.sh("; ".join(f"modprobe {driver}" for driver in DRIVERS))
        self.guest.wait_for("ls -d /sys/bus/cxl/devices/region*", 60)
        type(self).region = self.sh("basename /sys/bus/cxl/devices/region*")
        region = f"/sys/bus/cxl/devices/{self.region}"
        self.assertEqual([int(self.read(f"{region}/{name}"), 0) for name in ("resource", "size")], [WINDOW, SIZE])
        self.assertEqual(self.sh(f"ls {DAX}/devices"), "dax0.0")
        self.assertIn("hmem", self.sh(f"readlink {DAX}/devices/dax0.0"))
        record = self.wait_for_record(chardev="dax0.0")
        self.assert_record(record, verdict="ignore", reason="rule", rule="10-card.rule", region=self.region)

    def test_1_hmem(self):
        """The record has the region, and all targets of explain that mean the card find the device."""
        self.remove_rules()
        self.reload()
        record = self.wait_for_record(chardev="dax0.0")
        self.assert_record(record, type="hmem", verdict="devdax", reason="already-devdax", start=f"{WINDOW:#x}")
        memdev = self.memdev("0x42")
        self.assertEqual(self.origin(record), [self.region, "ram", memdev, "0x42", CARD])
        self.assertIn(f"], {self.region}, {memdev}, node ", record["MESSAGE"])
        text = self.explain("dax0.0")
        for target in (self.region, memdev, CARD):
            self.assertEqual(self.explain(target), text)

    def test_2_rules(self):
        for match in ("Serial=0x42", f"Region={self.region}", f"PciAddress={CARD}", "Type=cxl", "Type=hmem"):
            self.rule("10-card", match, "Verdict=ignore")
            text = self.explain("dax0.0")
            self.assertIn("Rule 10-card.rule matches.", text, match)
        self.rule("10-card", "Serial=0x43", "Verdict=ignore")
        self.assertIn("No rule matches.", self.explain("dax0.0"))
        self.remove_rules()

    def test_3_blocks(self):
        """Blocks that stay after their dax device was resized to 0 are CXL memory of that region."""
        self.sh(f"systemctl mask --runtime --now {UNIT}")
        region = self.create_region(1, "512M")
        cxl = "/sys/bus/cxl/devices"
        start = int(self.read(f"{cxl}/{region}/resource"), 0)
        device = str(self.guest.wait_for(f"ls {cxl}/dax_{region} | grep ^dax[0-9]", 60))
        self.wait_for_driver(device, "kmem")
        first = start // BLOCK
        for i in range(first, first + 4):
            self.sh(f"echo online_movable >{MEMORY}/memory{i}/state")
        self.sh(f"echo {device} >{DAX}/drivers/kmem/unbind")
        self.sh(f"echo 0 >{DAX}/devices/{device}/size")
        record = self.start_and_wait(start=f"{start:#x}")
        self.assert_record(record, type="cxl", chardev=None, verdict="ignore", reason="already-online",
                           total_memblocks="4", online_memblocks="4")  # fmt: skip
        memdev = self.memdev("0x43")
        self.assertEqual(self.origin(record)[:4], [region, "ram", memdev, "0x43"])
        text = self.explain(f"memory{first}")
        for target in (region, memdev):
            self.assertEqual(self.explain(target), text)


class Created(Scene):
    """Devices that daxctl creates in a region get the mode that daxctl sets, in any order of events."""

    machine = {"memory": "2G", "cxl": ["2G"], "kernel_args": TDX_ACTIVE}

    def test_0_region(self):
        """A region in CapableRanges=, whose first device has been resized to 0."""
        region = self.create_region(0, "2G")
        device = self.wait_for_record(region=region, verdict="devdax")["TDXO_CHARDEV"]
        self.wait_for_driver(device, "device_dax")
        self.sh(f"daxctl disable-device {device}; echo 0 >{DAX}/devices/{device}/size")
        start, size = self.window(0)
        self.sh(f"echo \"$(cat {REFUSE}/ranges),{start:#x}-{start + size:#x}\" >{REFUSE}/ranges")
        self.configure(f"CapableRanges={start:#x}-{start + size - 1:#x}")
        self.reload()
        type(self).region = device.removeprefix("dax").partition(".")[0]

    def assert_devdax(self, device):
        """The last record and the kernel have the device in devdax mode, without blocks."""
        found = f"-q -b --no-pager -o cat --output-fields=TDXO_MODE TDXO_CHARDEV={device}"
        self.guest.wait_for(f"journalctl {found} | tail -1 | grep -x devdax", 60)
        record = self.records(chardev=device)[-1]
        self.assert_record(record, verdict="devdax", reason="already-devdax", total_memblocks="0",
                           result="nothing-to-do", guard_bypassed=None)  # fmt: skip
        for earlier in self.records(chardev=device)[:-1]:
            self.assert_record(earlier, verdict="ignore", reason="not-configured", mode=None)
        self.assertEqual(self.driver(device), "device_dax")

    def test_1_three_times(self):
        for _ in range(3):
            self.mark()
            out = self.sh(f"daxctl create-device -r {self.region} -s 512M")
            self.assert_devdax(json.loads(out[: out.rindex("]") + 1])[0]["chardev"])

    def test_2_slowly(self):
        """The same steps one by one: the daemon looks, and is reloaded, while the device has no driver."""
        region = f"{DAX}/devices/dax{self.region}.0/../dax_region"
        self.mark()
        self.sh(f"echo 1 >{region}/create")
        device = self.sh(f"cat {region}/seed")
        self.sh(f"echo {SIZE} >{DAX}/devices/{device}/size; udevadm trigger --action=change {DAX}/devices/{device}")
        record = self.wait_for_record(chardev=device)
        self.assert_record(record, verdict="ignore", reason="not-configured", result="nothing-to-do", mode=None)
        self.sh(f"systemctl reload {UNIT}; echo {device} >{DAX}/drivers/device_dax/new_id")
        self.assert_devdax(device)

    def test_3_as_memory(self):
        """A device that is created with kmem is decided like memory that arrives."""
        device = f"dax{self.region}.1"
        self.mark()
        self.sh(f"daxctl destroy-device -f {device}")
        out = self.sh(f"daxctl create-device -r {self.region} -s 512M")
        device = json.loads(out[: out.rindex("]") + 1])[0]["chardev"]
        self.assert_devdax(device)
        self.mark()
        self.sh(f"daxctl reconfigure-device -m system-ram -N -f {device}")
        self.assert_record(self.wait_for_record(chardev=device), result="changed", mode="system-ram")
        self.reload()
        self.assert_record(self.wait_for_record(chardev=device), verdict="online", reason="in-boot-map",
                           online_memblocks="4", result="done")  # fmt: skip

    def look_at_changing(self, device, one, other):
        """Look at a device repeatedly while its size changes between two values without a pause.

        A reader of a mapping's file that the kernel is removing waits for the writer of the size, and that
        one for the reader (see read_place(), daemon/host/dax.c).
        """
        size = f"{DAX}/devices/{device}/size"
        change = f"echo {one} >{size} && echo {other} >{size} && n=$((n + 1))"
        changes = f"n=0; while test -e /run/changing; do {change}; done; echo $n >/run/changes"
        looks = "for i in $(seq 10); do tdx-onlined --dry-run >/dev/null 2>&1; echo $?; done"
        out = self.sh(f"touch /run/changing; ({changes}) & {looks}; rm /run/changing; wait; cat /run/changes",
                      timeout=180)  # fmt: skip
        *statuses, n = map(int, out.split())
        self.assertGreater(n, 0)
        self.assertEqual(len(statuses), 10)
        self.assertLessEqual(set(statuses), {0, PARTIAL})

    def test_4_while_it_changes(self):
        """Looks do not block the change: a single mapping is not read, several are within a time limit."""
        device, last = (f"dax{self.region}.{i}" for i in (2, 4))
        half = 512 << 20
        self.sh(f"daxctl disable-device {device}")
        self.look_at_changing(device, half, 0)
        self.sh(f"echo {half} >{DAX}/devices/{device}/size; daxctl destroy-device -f {last}")
        self.look_at_changing(device, 2 * half, half)
        self.sh(f"echo {2 * half} >{DAX}/devices/{device}/size")
        rows = json.loads(self.sh("tdx-onlined --dry-run --json"))["ranges"]
        self.assertEqual([row["size"] for row in rows if row["chardev"] == device], [half, half])

    def decide(self, target):
        return self.guest.run(f"tdx-onlinectl decide {target}", check=False)

    def test_5_again(self):
        """tdx-onlinectl decide decides one device again; a change of another one stays."""
        one, other = (f"dax{self.region}.{i}" for i in (3, 1))
        self.mark()
        self.sh(f"daxctl reconfigure-device -m system-ram -N -f {one}")
        self.wait_for_record(chardev=one, result="changed")
        rows = json.loads(self.sh("tdx-onlined --dry-run --json"))["ranges"]
        start = next(row["start"] for row in rows if row["chardev"] == other)
        block = f"{MEMORY}/memory{start // BLOCK}/state"
        self.sh(f"echo offline >{block}")
        self.wait_for_record(chardev=other, result="changed")
        self.mark()
        result = str(self.decide(one))
        self.assertRegex(result, rf"^512 MiB of CXL memory \({one}, .*\): requested a new decision, which the daemon")
        self.assert_record(self.wait_for_record(chardev=one), verdict="online", reason="in-boot-map",
                           online_memblocks="4", result="done")  # fmt: skip
        self.assertEqual(self.records(chardev=other), [])
        self.assertEqual(self.read(block), "offline")
        self.mark()
        self.assertEqual(self.decide(f"memory{start // BLOCK}").status, 0)
        self.assert_record(self.wait_for_record(chardev=other), verdict="online", online_memblocks="4", result="done")

    def test_6_decide_without_daemon(self):
        result = self.decide("node7")
        self.assertEqual(result.status, 1)
        self.assertIn("decide node7: no memory of it arrived after boot", result.stderr)
        self.sh(f"systemctl stop {UNIT}")
        result = self.decide(f"dax{self.region}.3")
        self.sh(f"systemctl start {UNIT}")
        self.assertEqual(result.status, 1)
        self.assertIn("decide: tdx-onlined does not run as a daemon", result.stderr)


class Created73(Created):
    machine = {**Created.machine, "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
