#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The installed daemon on real kernels with hot-added memory, checked by its records in the journal.

Guests of three kinds. In the first TDX is active: a memory notifier refuses memory that was not present
at boot. In the second firmware has enabled TDX but the kernel refuses nothing yet, and the daemon is not
started at boot. The third has no TDX. The tests of a guest run in the order of their names.

The first and the third are also run with another kernel and another userland.
"""

import json
import os
import pathlib
import re

from guest import TDX_ACTIVE, TDX_ARMED
from scene import BLOCK, CONFIG, DAX, GIB, MEMORY, REFUSE, STATE, UNIT, Scene, main

REFUSED = "709444d334474091b20734dab1da8510"
MAN_STATE = pathlib.Path(__file__).resolve().parent.parent.parent / "man/tdx-onlined-state.5.scd"


class Active(Scene):
    """TDX is active, the daemon starts at boot."""

    machine = {
        "memory": "6G",
        "cxl": ["64G", "64G", "512M", "512M", "512M"],
        # A region of persistent memory, and a range that firmware reserved for a driver.
        "kernel_args": (*TDX_ACTIVE, "memmap=256M!5G", "memmap=512M%6G+0xefffffff"),
    }

    def test_00_guard_at_boot(self):
        """The soft-reserved range, present since boot, was not bound by the kernel."""
        self.assert_guard("0", "offline")
        record = self.wait_for_record(type="hmem")
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", tdx_state="active",
                           start="0x180000000", size=str(GIB // 2), total_memblocks="0",
                           mode=None)  # fmt: skip
        self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")

    def test_01_sandbox(self):
        """The daemon works without any capability."""
        pid = self.sh(f"systemctl show -P MainPID {UNIT}")
        capabilities = self.sh(f"grep ^Cap /proc/{pid}/status | cut -f2 | sort -u")
        self.assertEqual(capabilities, "0000000000000000")
        self.assert_no_device_units()
        # SIGHUP neither ends the daemon nor lowers the guard.
        self.sh(f"systemctl kill -s HUP {UNIT}; udevadm settle")
        self.assertEqual(self.sh(f"systemctl show -P MainPID {UNIT}"), pid)
        self.assert_guard("0", "offline")

    def test_02_pmem(self):
        """Persistent memory gets the driver that the kernel would have bound, and nothing else."""
        self.sh("ndctl create-namespace -f -e $(ndctl list -N | sed -n 's/.*\"dev\":\"\\(.*\\)\".*/\\1/p')"
                " -m devdax -M mem")  # fmt: skip
        record = self.wait_for_record(type="pmem")
        self.assert_record(record, verdict="ignore", reason="persistent-memory", mode="devdax")

    def test_03a_region_refused(self):
        """64 GiB that TDX refuses: no block, no refused write, one record, and devdax mode."""
        before = self.blocks()
        self.create_region(0, "64G")
        record = self.wait_for_record(region=self.regions[0])
        device, start = record["TDXO_CHARDEV"], self.window(0)[0]
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", type="cxl",
                           start=hex(start), end=hex(start + 64 * GIB - 1), size=str(64 * GIB),
                           total_memblocks="0", online_memblocks="0", tdx_state="active", tdx_mode="auto",
                           result="begun", errno=None, expected="refuses", answer=None,
                           decoder="decoder0.0", region_mode="ram", window_start=hex(start),
                           serial="0x42", firmware_version="BWFW VERSION 00", tdx_cause=None)  # fmt: skip
        self.assertIn("/proc/cpuinfo: tdx_host_platform", record["TDXO_EVIDENCE"])
        self.wait_for_driver(device, "device_dax")
        self.assertEqual(self.blocks(), before)
        self.assertEqual(self.read(f"{REFUSE}/refused"), "0")
        self.guest.wait_for(f"daxmap /dev/{device}", 60)  # binding device_dax takes time
        self.assertEqual(len(self.records(region=self.regions[0])), 1)

    def test_03b_region_again(self):
        """A device that is removed and added again at once, with the same name, is decided again."""
        driver, region = "/sys/bus/cxl/drivers/cxl_region", self.regions[0]
        self.sh(f"echo {region} >{driver}/unbind; echo {region} >{driver}/bind", timeout=120)
        self.guest.wait_for(f"test $(journalctl -b -q --no-pager -o cat TDXO_REGION={region} | wc -l) = 2", 60)
        device = self.records(region=self.regions[0])[1]["TDXO_CHARDEV"]
        self.guest.wait_for(f"daxmap /dev/{device}", 60)

    def test_04_dimm_refused(self):
        """A DIMM has no dax device: its blocks stay offline."""
        before = self.blocks()
        self.guest.add_dimm("1G")
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, verdict="offline", reason="outside-boot-map", size=str(GIB),
                           total_memblocks="8", online_memblocks="0", chardev=None)  # fmt: skip
        start = int(record["TDXO_START"], 0)
        self.assertEqual(len(self.blocks() - before), 8)
        self.assertEqual([state.split()[0] for state in self.states(start, GIB)], ["offline"] * 8)
        self.assert_no_device_units()
        self.assertEqual(self.read(f"{REFUSE}/refused"), "0")

    def test_05_restart(self):
        """After a restart with another configuration, no device is decided again."""
        before = len(self.records())
        windows = (self.window(index) for index in (1, 2))
        ranges = " ".join(f"{start:#x}-{start + size - 1:#x}" for start, size in windows)
        self.configure(f"CapableRanges={ranges}")
        self.sh(f"systemctl restart {UNIT}")
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep -q decided", 30)
        self.assertEqual(len(self.records()), before)
        self.assert_guard("0", "offline")

    def test_06_region_allowed(self):
        """64 GiB that configuration and kernel allow: all blocks go online, in zone Normal."""
        start, _ = self.window(1)
        boot = self.read(f"{REFUSE}/ranges")
        self.sh(f"echo '{boot},{start:#x}-{start + 64 * GIB:#x}' >{REFUSE}/ranges")
        self.create_region(1, "64G")
        record = self.wait_for_record(region=self.regions[1])
        self.assert_record(record, verdict="online", reason="in-boot-map", source="configuration",
                           zone="kernel", total_memblocks="512", online_memblocks="512", result="done",
                           mode="system-ram")  # fmt: skip
        self.assertEqual(set(self.states(start, 64 * GIB)), {"online Normal"})
        self.assertEqual(self.read(f"{REFUSE}/refused"), "0")

    def test_07_kernel_refuses(self):
        """The configuration allows a range, the kernel refuses its first block: rolled back."""
        before = self.blocks()
        self.create_region(2, "512M")
        record = self.wait_for_record(region=self.regions[2])
        self.assert_record(record, verdict="devdax", reason="kernel-refused", errno="1",
                           mode="devdax", total_memblocks="0", result="done", expected="accepts",
                           answer="refuses", disagreement="yes")  # fmt: skip
        self.assertEqual(record["MESSAGE_ID"], REFUSED)
        self.assertEqual(self.read(f"{REFUSE}/refused"), "1")
        self.assertEqual(self.blocks(), before)
        self.sh(f"daxmap /dev/{record['TDXO_CHARDEV']}")

    def test_07b_status(self):
        """The recorded decisions, as root and, without addresses, as another user."""
        pid = int(self.sh(f"systemctl show -P MainPID {UNIT}"))
        decided = {(record.get("TDXO_CHARDEV"), record["TDXO_VERDICT"], record["TDXO_REASON"])
                   for record in self.records()}  # fmt: skip
        nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
        for user in ("", nobody):
            result = self.guest.run(f"{user}tdx-onlinectl status --json")
            self.assertEqual(result.stderr, "")
            status = json.loads(result.stdout)
            self.assertEqual({(d["chardev"], d["verdict"], d["reason"]) for d in status["devices"]}, decided)
            self.assertTrue(all(abs(d["since"] - status["daemon"]["last_look"]) < 600 for d in status["devices"]))
            self.assertEqual((status["daemon"]["running"], status["daemon"]["pid"]), (True, pid))
            self.assertEqual([switch["use"] for switch in status["guard"]], ["held", "held"])
            self.assertEqual((status["stranded"], status["daemon"]["disagreements"]), (GIB, 1))
            self.assertIn("'tdx-onlinectl doctor'", status["next"])
            self.assertEqual(status["tdx"]["state"], "active")
            self.assertEqual(any(d["ranges"] for d in status["devices"]), user == "")
            self.assertEqual(bool(status["unread"]), user != "")
        text = self.sh(f"{nobody}tdx-onlinectl")
        self.assertRegex(text, f"^Daemon +running, process {pid}, last look at 20")
        self.assertRegex(text, f" {self.records(reason='kernel-refused')[0]['TDXO_CHARDEV']} .* kernel-refused +done ")

    def test_07c_status_of_the_configuration(self):
        """Configuration files that were changed after the daemon read them, and an invalid one."""

        def configuration():
            return json.loads(self.sh("tdx-onlinectl status --json 2>/dev/null"))["configuration"]

        good = {"files": [f"{CONFIG}/test.conf"], "outdated": False, "mistake": None, "mistake_now": None}
        self.assertEqual(configuration(), good)
        self.rule("10-none", "Region=none", "Verdict=offline")
        self.assertEqual(configuration(), {**good, "outdated": True})
        self.remove_rules()
        self.assertEqual(configuration(), good)
        mistake = f"{CONFIG}/zz.conf:2: Act=perhaps: not yes or no"
        self.sh(f"printf '[Daemon]\nAct=perhaps\n' >{CONFIG}/zz.conf; systemctl kill -s HUP {UNIT}")
        self.guest.wait_for(f"grep -q perhaps {STATE}")
        self.assertEqual(configuration(), {**good, "mistake": mistake, "mistake_now": mistake})
        self.sh(f"rm {CONFIG}/zz.conf")
        self.assertEqual(configuration(), {**good, "mistake": mistake})
        self.assertNotIn("perhaps", self.read(os.path.dirname(STATE) + "/status.json"))

    def test_08_guard_after_stop(self):
        """After a stop the kernel binds memory again; the next start decides it."""
        before = self.blocks()
        self.sh(f"systemctl stop {UNIT}")
        self.assert_guard("1", "online")
        refused = int(self.read(f"{REFUSE}/refused"))
        self.create_region(3, "512M")
        # kmem is bound, and the kernel refuses the blocks: the guard prevents this.
        self.guest.wait_for(f"test $(cat {REFUSE}/refused) -gt {refused}", 60)
        self.sh(f"systemctl start {UNIT}")
        record = self.wait_for_record(region=self.regions[3])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", mode="devdax")
        self.assertEqual(self.blocks(), before)

    def test_09_crash(self):
        """The guard is held after a crash, and the next start decides memory that arrived meanwhile."""
        self.sh("mkdir -p /run/systemd/system/tdx-onlined.service.d;"
                " printf '[Service]\\nRestart=no\\n' >/run/systemd/system/tdx-onlined.service.d/test.conf;"
                " systemctl daemon-reload")  # fmt: skip
        before = len(self.records())
        self.sh(f"systemctl kill -s KILL {UNIT}")
        self.guest.wait_for(f"test $(systemctl is-active {UNIT}) = failed")
        self.assert_guard("0", "offline")
        self.create_region(4, "512M")
        self.guest.wait_for(f"ls /sys/bus/cxl/devices/dax_{self.regions[4]} | grep ^dax[0-9]", 60)
        self.sh(f"systemctl start {UNIT}")
        record = self.wait_for_record(region=self.regions[4])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map")
        self.assertEqual(len(self.records()), before + 1)
        self.sh(f"systemctl stop {UNIT}")
        self.assert_guard("1", "online")

    def test_10_dry_run_and_catalog(self):
        """The dry run agrees with the records; the catalog has an entry for each record."""
        table = self.sh("tdx-onlined --dry-run")
        self.assertIn("already-devdax", table)
        ranges = {(record["TDXO_START"], record.get("TDXO_CHARDEV")) for record in self.records()}
        self.assertEqual(table.count("\n"), len(ranges) + 2, table)
        self.assertIn("\nDisagreements with the kernel in this boot: 1\n", table)
        self.sh("journalctl --update-catalog")
        ids = {record["MESSAGE_ID"] for record in self.records()}
        for message_id in ids:
            entry = self.sh(f"journalctl -b -x -q --no-pager MESSAGE_ID={message_id} | grep ^░░")
            self.assertIn("tdx-onlinectl ", entry)
            self.assertNotIn("TDXO_", entry)  # a variable without a value

    def test_10b_state(self):
        """The state file has correct counters, and only keys that the man page has."""
        state = json.loads(self.read(STATE))
        self.assertEqual(state["disagreements"], 1)
        self.assertGreater(state["events"], 0)
        self.assertLess(abs(state["last_look"] - int(self.sh("date +%s"))), 600)
        self.assertEqual(state["tdx"], {"state": "active", "detected": "active", "mode": "auto"})
        answers = {entry.get("answer") for entry in state["devices"]}
        self.assertEqual(answers, {None, "accepts", "refuses"})
        self.assertIn("refuses", [e.get("answer") for e in state["devices"] if e["reason"] == "kernel-refused"])
        documented = set(re.findall(r"\*([a-z_]+)[\*\[.]", MAN_STATE.read_text()))
        self.assertEqual(set(state) - documented, set())
        for entry in state["devices"] + state["present"]:
            self.assertEqual(set(entry) - documented, set())
            for found in entry["ranges"]:
                self.assertEqual(set(found) - documented, set())

    def test_10bb_status(self):
        """Another user reads the decisions without addresses, and their dry run uses them."""
        nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "
        directory = os.path.dirname(STATE)
        self.assertEqual(self.sh(f"stat -c %a:%U {directory} {STATE} {directory}/status.json"),
                         "755:root\n600:root\n644:root")  # fmt: skip
        self.assertNotEqual(self.guest.run(f"{nobody}cat {STATE}", check=False).status, 0)
        text = self.sh(f"{nobody}cat {directory}/status.json")
        status, state = json.loads(text), json.loads(self.read(STATE))
        self.assertEqual(*([(entry.get("chardev"), entry["verdict"], entry["reason"]) for entry in file["devices"]]
                           for file in (status, state)))  # fmt: skip
        places = {found["start"] for entry in state["devices"] for found in entry["ranges"]}
        places |= {found["start"] for found in state["boot_map"]["ranges"]}
        self.assertTrue(places)
        for place in places - {0}:
            self.assertNotRegex(text, rf"\b({place}|{place:x}|0x{place:x})\b")
        table = self.guest.run(f"{nobody}tdx-onlined --dry-run")
        self.assertNotIn("state file", table.stderr)
        self.assertIn("Disagreements with the kernel in this boot: 1", table.stdout)

    def test_10bc_capture(self):
        """No capture into another user's directory; in a new one, files for root only stay so."""
        self.sh("install -d -o nobody /run/theirs")
        result = self.guest.run("tdx-onlinectl capture /run/theirs", check=False)
        self.assertEqual((result.status, self.sh("ls /run/theirs")), (1, ""))
        self.assertIn("another user owns it or can write to it", result.stderr)
        self.sh("tdx-onlinectl capture /run/captured")
        self.assertEqual(self.sh("cd /run/captured; stat -c %a . dev/kmsg proc/iomem proc/cpuinfo run/tdx-onlined/*"
                                 " sys/bus/dax/devices/dax*/mapping0/start | uniq"), "700\n600\n644\n600\n644\n600")  # fmt: skip
        self.sh("rm -r /run/captured /run/theirs")

    def test_10c_explain(self):
        """The explanation has the daemon's result and the kernel's answer, for all targets that mean a range."""
        start, _ = self.window(2)
        region = self.regions[2]
        record = self.records(region=region)[-1]
        memdev, host, node = (record[f"TDXO_{name}"] for name in ("MEMDEV", "HOST", "TARGET_NODE"))
        for target in (hex(start), record["TDXO_CHARDEV"], region, memdev, host, f"node{node}"):
            explained = self.sh(f"tdx-onlinectl explain {target}")
            self.assertEqual(explained, self.sh(f"tdx-onlinectl explain {region}"))
        self.assertIn(f"{memdev} (serial 0x44, {host}, ", explained)
        self.assertRegex(explained, "\n  done +The daemon decided devdax \\(kernel-refused\\)")
        self.assertRegex(explained, "\n  kernel .*refused")
        block = self.window(1)[0] // BLOCK
        explained = json.loads(self.sh(f"tdx-onlinectl explain memory{block} --json"))
        self.assertEqual([e["range"]["region"] for e in explained["explanations"]], [self.regions[1]])
        self.assertIn("Memory blocks: 512 of 512 online, in zone Normal",
                      explained["explanations"][0]["topics"]["kernel"])  # fmt: skip

    def test_10d_injection(self):
        """Words of a user in the kernel log do not make TDX absent, with any state file."""
        for words in ("virt/tdx: module initialization failed (-5)", "virt/tdx: module not loaded",
                      "virt/tdx: TDX-Module initialization failed (-5)"):  # fmt: skip
            self.inject(words)
        for forget in ("true", f"rm {STATE}"):
            self.sh(forget)
            self.restart()
            self.assertEqual(self.state(), {"state": "active", "detected": "active", "mode": "auto"})
            self.assert_guard("0", "offline")
            report = json.loads(self.sh("tdx-onlined --dry-run --json"))
            dimm = [entry["verdict"] for entry in report["ranges"] if entry["type"] == "dimm"]
            self.assertEqual((report["tdx"]["state"], dimm), ("active", ["offline"]))
            self.sh(f"systemctl stop {UNIT}")


class Armed(Scene):
    """Firmware has enabled TDX, the kernel refuses nothing yet, and the daemon is not started at boot.

    From Linux 7.1 on there is no such state.
    """

    enabled = False
    machine = {"kernel": "debian-6.12", "memory": "1G", "cxl": ["512M"], "kernel_args": TDX_ARMED}

    def test_00_memory_before_daemon(self):
        """The kernel onlined the region; the udev rule started the daemon, which records and leaves it."""
        self.sh(f"systemctl enable {UNIT}")
        self.assertEqual(self.guest.run(f"systemctl is-active {UNIT}", check=False).status, 3)
        self.sh(f"echo online_movable >{MEMORY}/auto_online_blocks")  # so that it can go offline again
        self.create_region(0, "512M")
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="ignore", reason="already-online", tdx_state="armed",
                           total_memblocks="4", online_memblocks="4", mode="system-ram",
                           result="nothing-to-do")  # fmt: skip
        self.assertIn("; this memory keeps TDX from initializing; take it out with: ", record["MESSAGE"])
        start = self.window(0)[0]
        self.assertEqual({state.split()[0] for state in self.states(start, 4 * BLOCK)}, {"online"})
        type(self).record = record

    def test_00b_injection(self):
        """Words of a user in the kernel log do not change the TDX state, with any state file."""
        for words in ("virt/tdx: module initialization failed (-5)", "virt/tdx: module initialized",
                      "virt/tdx: module not loaded", "virt/tdx: XSAVE is required for TDX",
                      "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000"):  # fmt: skip
            self.inject(words)
        for forget in ("true", f"rm {STATE}"):
            self.sh(f"systemctl stop {UNIT}; {forget}")
            self.restart()
            self.assertEqual(self.state(), {"state": "armed", "detected": "armed", "mode": "auto"})
            self.assert_guard("0", "offline")
            report = json.loads(self.sh("tdx-onlined --dry-run --json"))
            self.assertEqual((report["tdx"]["state"], report["ranges"][0]["reason"]),
                             ("armed", "already-online"))  # fmt: skip
        self.sh(f"echo online_movable >{MEMORY}/auto_online_blocks")

    def test_01_taken_out(self):
        """The commands of the record take the memory out; then no memory conflicts with TDX."""
        self.take_out(self.record)
        self.wait_for_driver(self.record["TDXO_CHARDEV"], "device_dax")
        self.mark()
        self.sh(f"echo 1 >{REFUSE}/initialized")
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep 'TDX active'", 60)
        self.assertEqual([record for record in self.records() if record["TDXO_RESULT"] != "changed"], [])
        self.assert_guard("0", "offline")


class Absent(Scene):
    """TDX is absent: all memory goes online, as without the daemon."""

    machine = {"memory": "1G", "cxl": ["512M", "512M"], "virtio_mem": "1G"}

    def test_00_no_guard(self):
        self.assert_guard("1", "online")
        messages = [entry["MESSAGE"] for entry in self.guest.journal(f"_SYSTEMD_UNIT={UNIT}")]
        self.assertIn("The TDX state is absent (not-enabled)", messages)
        self.assertIn("No memory has arrived since boot: nothing to do", messages)
        [entry] = self.guest.journal(f"_SYSTEMD_UNIT={UNIT}", "TDXO_TDX_STATE=absent")
        self.assertEqual(entry["TDXO_TDX_CAUSE"], "not-enabled")
        self.assertIn("/proc/cpuinfo: no tdx_host_platform", entry["TDXO_EVIDENCE"])

    def test_01_kernel_onlines(self):
        """The kernel's policy onlines all blocks; the daemon may see them before the kernel has finished."""
        self.create_region(0, "512M")
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="online", reason="tdx-absent", total_memblocks="4",
                           online_memblocks="4", zone="auto")  # fmt: skip
        self.assertIn(record["TDXO_RESULT"], ("nothing-to-do", "done"))

    def test_02_daemon_onlines(self):
        """The kernel's policy is offline: the daemon onlines all blocks."""
        self.sh(f"echo offline >{MEMORY}/auto_online_blocks")
        self.create_region(1, "512M")
        self.guest.add_dimm("512M")
        for fields in ({"region": self.regions[1]}, {"type": "dimm"}):
            record = self.wait_for_record(**fields)
            self.assert_record(record, verdict="online", reason="tdx-absent", total_memblocks="4",
                               online_memblocks="4", result="done")  # fmt: skip

    def test_03_virtio_mem(self):
        """Blocks that arrive one by one are one range."""
        self.guest.resize_virtio_mem("1G")
        record = self.wait_for_record(type="virtio-mem")
        self.assert_record(record, verdict="online", total_memblocks="8", online_memblocks="8", size=str(GIB))

    def test_04_oneshot(self):
        """A oneshot has nothing to do, which is its exit status."""
        self.sh("tdx-onlined --oneshot --json")
        self.assertEqual(self.sh("tdx-onlined --oneshot | grep -c nothing-to-do"), "4")


class Active73(Active):
    """The same on Linux 7.3, where a dax device has a state file and TDX starts with the kernel."""

    machine = {**Active.machine, "kernel": "debian-7.3"}


class CommonSysfs:
    """A mixin: since systemd 254 PrivateNetwork=yes would give the service a /sys of its own."""

    def test_01_common_sysfs(self):
        """The service has the sysfs of the system: in another one, writes of other programs cause no events."""
        pid = self.sh(f"systemctl show -P MainPID {UNIT}")
        own, common = self.sh(f"stat -c %d /proc/{pid}/root/sys /sys").split()
        self.assertEqual(own, common)


class Active13(CommonSysfs, Active):
    """Debian 13 in its default state: systemd 257 and Linux 6.12."""

    machine = {**Active.machine, "root": "trixie"}


class Absent13(CommonSysfs, Absent):
    """Debian 13 with Linux 7.3 from its backports."""

    machine = {**Absent.machine, "root": "trixie", "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
