#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guard, on real kernels and within the unit: lowered by other programs, with a second daemon, over
restarts, and with an invalid configuration."""

import json
import re

from guest import TDX_ACTIVE
from scene import BLOCK, CONFIG, DAX, MEMORY, STATE, UNIT, Scene, main

GUARD = "7e932113010f4f11bbbabbfa1611080e"
UNUSABLE = "ac8556eee2e841b8b2e3bec0e064b1b9"
AUTO_ONLINE = f"{MEMORY}/auto_online_blocks"


class Lowered(Scene):
    """TDX is active, the daemon starts at boot."""

    machine = {"memory": "1G,slots=4,maxmem=8G", "cxl": ["512M", "512M"], "kernel_args": TDX_ACTIVE}

    def wait_for_entry(self, message_id):
        """Wait for the next entry of this id."""
        self.guest.wait_for(
            f"journalctl -q --no-pager --since={self.start} MESSAGE_ID={message_id} | grep -q .", 30)  # fmt: skip
        return self.guest.journal(f"--since={self.start}", f"MESSAGE_ID={message_id}")[-1]

    def pid(self):
        return self.sh(f"systemctl show -P MainPID {UNIT}")

    def test_01_lowered_by_others(self):
        """Each write by another program is seen within the unit, recorded, and reverted."""
        self.assert_guard("0", "offline")
        for switch, value, held in ((AUTO_ONLINE, "online_movable", "offline"),
                                    (f"{DAX}/drivers_autoprobe", "1", "0")):  # fmt: skip
            self.mark()
            self.sh(f"echo {value} >{switch}")
            entry = self.wait_for_entry(GUARD)
            self.assertEqual((entry["TDXO_GUARD_SWITCH"], entry["TDXO_GUARD_VALUE"], entry["TDXO_GUARD_TAKEN"]),
                             (switch.rpartition("/")[2], value, "yes"))  # fmt: skip
            self.guest.wait_for(f"grep -x {held} {switch}", 30)
        self.guest.wait_for(f"grep -F '\"auto_online_blocks\":\"online_movable\"' {STATE}", 30)

    def test_02_memory_while_lowered(self):
        """Memory that arrives while the guard is lowered has this in its record. The daemon is stopped
        meanwhile, so that it does not take the guard again."""
        self.mark()
        self.sh(f"kill -STOP {self.pid()}; echo online >{AUTO_ONLINE}")
        before = self.blocks()
        self.guest.add_dimm("512M")
        self.guest.wait_for(f"test $(ls {MEMORY} | grep -c ^memory[0-9]) = {len(before) + 4}", 60)
        self.sh(f"kill -CONT {self.pid()}")
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, unguarded="yes", tdx_state="active")
        self.assertIn("it arrived while another program had changed the kernel's settings", record["MESSAGE"])
        self.wait_for_entry(GUARD)
        self.guest.wait_for(f"grep -x offline {AUTO_ONLINE}", 30)

    def test_03_second(self):
        """A second daemon ends with a message, without an effect on the first."""
        second = self.guest.run("tdx-onlined", check=False)
        self.assertEqual(second.status, 6)
        self.assertRegex(second.stderr, f"Another tdx-onlined is running \\(process {self.pid()}\\)")
        self.assert_guard("0", "offline")

    def test_04_restart(self):
        """The guard is held during a restart."""
        pid = self.pid()
        self.sh(f"while [ ! -e /run/done ]; do cat {AUTO_ONLINE}; done >/run/seen & systemctl restart {UNIT};"
                " touch /run/done; wait")  # fmt: skip
        self.assertEqual(self.sh("sort -u /run/seen"), "offline")
        self.assertNotEqual(self.pid(), pid)
        self.assert_guard("0", "offline")
        self.mark()
        self.create_region(0, "512M")
        self.assert_record(self.wait_for_record(region=self.regions[0]), verdict="devdax", unguarded="no")

    def test_05_region_again(self):
        """A region that is destroyed and made again at once, at the same addresses, gets a driver each time."""
        region = self.regions[0]
        for _ in range(3):
            self.mark()
            self.sh(f"cxl disable-region -f {region}; cxl destroy-region -f {region}", timeout=120)
            region = self.create_region(0, "512M")
            record = self.wait_for_record(region=region, verdict="devdax")
            self.assert_record(record, reason="outside-boot-map")
            self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")

    def test_06_invalid_configuration(self):
        """An invalid configuration: the guard is held, and nothing is decided until a valid reload."""
        self.sh(f"systemctl stop {UNIT}")
        self.assert_guard("1", "online")
        self.mark()
        self.sh(f"mkdir -p {CONFIG}; printf '[Daemon]\\nAct=perhaps\\n' >{CONFIG}/test.conf")
        self.sh(f"systemctl start {UNIT}")
        entry = self.wait_for_entry(UNUSABLE)
        self.assertIn("/etc/tdx-onlined/conf.d/test.conf:2: Act=perhaps: ", entry["TDXO_MISTAKE"])
        self.assert_guard("0", "offline")
        region = self.create_region(1, "512M")
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep 'configuration cannot be used'", 60)
        self.assertEqual(self.guest.run("tdx-onlined --check-config", check=False).status, 1)
        self.assertEqual(self.records(), [])
        self.assert_reload_fails("/etc/tdx-onlined/conf.d/test.conf:2: Act=perhaps: ")
        self.configure("Act=yes")
        self.sh(f"systemctl reload {UNIT}")
        self.assert_record(self.wait_for_record(region=region), verdict="devdax", result="begun")

    def assert_reload_fails(self, mistake):
        """systemctl fails, the unit's journal has the mistake, and the daemon goes on as before."""
        self.mark()
        pid = self.pid()
        result = self.guest.run(f"systemctl reload {UNIT}", check=False)
        self.assertNotEqual(result.status, 0)
        self.sh("journalctl --sync")
        self.assertIn(mistake, "\n".join(self.messages()))
        self.assertEqual(self.sh(f"systemctl show -P ActiveState {UNIT}"), "active")
        self.assertEqual(self.pid(), pid)

    def test_06b_reload(self):
        """A reload that fails leaves the old configuration in effect; one that succeeds is done then."""
        self.configure("Act=yes", "Present=perhaps")
        self.assert_reload_fails("/etc/tdx-onlined/conf.d/test.conf:3: Present=perhaps: ")
        self.configure("Act=no")
        self.sh(f"chmod 666 {CONFIG}/test.conf")
        self.assert_reload_fails(f"{CONFIG}/test.conf: writable by others than root (mode 0666): ")
        self.assertEqual(json.loads(self.read(STATE))["config"]["Act"], "yes")
        self.assert_guard("0", "offline")
        self.sh(f"chmod 644 {CONFIG}/test.conf; touch {CONFIG}/notes")
        for act, autoprobe, auto_online in (("no", "1", "online"), ("yes", "0", "offline")):
            self.configure(f"Act={act}")
            self.mark()
            self.sh(f"systemctl reload {UNIT}")
            self.assert_guard(autoprobe, auto_online)
            self.assertEqual(json.loads(self.read(STATE))["config"]["Act"], act)
            self.sh("journalctl --sync")
            self.assertIn(f"{CONFIG}/notes: not read, because of its name", self.messages())
        self.sh(f"rm {CONFIG}/notes")

    def test_07_stop(self):
        """SIGTERM ends the daemon within two seconds; the switches have the last values of other programs."""
        self.sh(f"echo online_kernel >{AUTO_ONLINE}")
        self.guest.wait_for(f"grep -x offline {AUTO_ONLINE}", 30)
        took = self.sh(f"t=$(date +%s%N); systemctl stop {UNIT}; echo $((($(date +%s%N) - t) / 1000000))")
        self.assertLess(int(re.match(r"\d+", took)[0]), 10000, "a guest is slow, five times the promise")
        self.assert_guard("1", "online_kernel")


class Lowered13(Lowered):
    """Debian 13, whose systemd gives each network namespace a /sys of its own; Linux 7.3."""

    machine = {**Lowered.machine, "root": "trixie", "kernel": "debian-7.3"}


class ForRules(Scene):
    """Without TDX, the switch that a rule needs is held; other memory is handled as by the kernel."""

    machine = {"memory": "2G", "maxmem": "8G", "cxl": ["512M"] * 4}

    def card(self, policy):
        """A rule for the card behind the first host bridge, by its serial number."""
        self.remove_rules()
        self.rule("10-card", "Serial=0x42", policy)
        self.reload()

    def onlined(self, index):
        """The number of blocks of a region that were ever online, by the kernel's events."""
        first = self.window(index)[0] // BLOCK
        found = self.sh("awk '$2 == \"online\" { sub(/.*memory/, \"\", $3); print $3 }' /run/events").split()
        return [number for number in map(int, found) if first <= number < first + 4]

    def test_0_devdax(self):
        """The card of the rule is never bound to kmem. Another one goes online, and auto_online_blocks is not held."""
        self.sh("udevadm monitor --kernel --subsystem-match=memory >/run/events &")
        self.guest.wait_for("grep -q ^KERNEL /run/events")
        self.assert_guard("1", "online")
        self.card("Verdict=devdax")
        self.assert_guard("0", "online")
        for index, fields in ((0, {"verdict": "devdax", "reason": "rule", "total_memblocks": "0"}),
                              (1, {"verdict": "online", "reason": "tdx-absent", "online_memblocks": "4"})):  # fmt: skip
            region = self.create_region(index, "512M")
            record = self.wait_for_record(region=region)
            self.assert_record(record, tdx_state="absent", **fields)
        self.wait_for_driver(self.records(region=self.regions[0])[0]["TDXO_CHARDEV"], "device_dax")
        self.guest.wait_for("test $(grep -c ' online ' /run/events) -ge 4")
        self.assertEqual(len(self.onlined(1)), 4)
        self.assertEqual(self.onlined(0), [])

    def test_1_movable(self):
        """auto_online_blocks is held for Zone=; memory that no rule matches gets its former value: movable."""
        self.sh(f"echo online_movable >{MEMORY}/auto_online_blocks")
        self.rule("20-dimm", "MaxSize=256M", "Zone=kernel")
        self.reload()
        self.assert_guard("0", "offline")
        for size, zone, name in (("512M", "movable", "Movable"), ("256M", "kernel", "Normal")):
            self.mark()
            self.guest.add_dimm(size)
            record = self.wait_for_record(type="dimm")
            blocks = int(record["TDXO_SIZE"]) // BLOCK
            self.assert_record(record, verdict="online", reason="tdx-absent", zone=zone,
                               online_memblocks=str(blocks), result="done", zone_overruled=None)  # fmt: skip
            states = self.states(int(record["TDXO_START"], 0), blocks * BLOCK)
            self.assertEqual(set(states), {f"online {name}"})

    def test_2_offline(self):
        """The former policy was offline: kmem is bound, and the blocks stay offline."""
        self.sh(f"systemctl stop {UNIT}")
        self.assert_guard("1", "online_movable")
        self.sh(f"echo offline >{MEMORY}/auto_online_blocks; systemctl start {UNIT}")
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep -q decided", 60)
        self.assert_guard("0", "offline")
        self.mark()
        region = self.create_region(2, "512M")
        record = self.wait_for_record(region=region)
        self.assert_record(record, verdict="ignore", reason="kernel-offline", mode="system-ram",
                           total_memblocks="4", online_memblocks="0", result="done")  # fmt: skip

    def test_3_without(self):
        """Without the rules the switches are given back, and the daemon onlines offline blocks."""
        self.remove_rules()
        self.reload()
        self.assert_guard("1", "offline")
        self.assert_record(self.wait_for_record(region=self.regions[2]), verdict="online", result="done",
                           online_memblocks="4")  # fmt: skip

    def test_4_always(self):
        self.configure("Guard=always")
        self.reload()
        self.assert_guard("0", "offline")
        self.configure("Guard=never")
        self.reload()
        self.assert_guard("1", "offline")
        self.assertEqual(self.onlined(0), [])


class ForRules73(ForRules):
    machine = {**ForRules.machine, "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
