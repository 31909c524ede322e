#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unusable memory of the host: boot memory that is offline, and DIMMs that the kernel rejected."""

import json

from guest import TDX_ARMED
from scene import BLOCK, GIB, MEMORY, STATE, Scene, main

MATCHED = 4
RECORD_WORDS = "online,devdax,offline,ignore,change,stranded,disagreement"


class FailOn(Scene):
    """A scene with --fail-on=."""

    def fails_on(self, words):
        """The exit status, and the lines on standard error."""
        result = self.guest.run(f"tdx-onlined --dry-run --fail-on={words}", check=False)
        return result.status, result.stderr.splitlines()


class OfflineBoot(FailOn):
    """Boot memory of which 1 GiB is movable."""

    machine = {"memory": "3G", "kernel_args": (*TDX_ARMED, "movablecore=1G")}

    def zones(self, zone):
        """The blocks that are online in a zone."""
        script = f"cd {MEMORY}; for b in memory*; do echo $b $(cat $b/state $b/valid_zones); done"
        return [line.split()[0] for line in self.sh(script).split("\n") if line.endswith(f" online {zone}")]

    def keep_online(self, block):
        """Make every write to the state of a block fail, as if its memory could not be migrated."""
        self.sh("mkdir -p /run/busy; mountpoint -q /run/busy || mount -t tmpfs none /run/busy")
        self.sh(f"echo online >/run/busy/state; mount -o remount,ro /run/busy;"
                f" mount --bind /run/busy/state {MEMORY}/{block}/state")  # fmt: skip

    def test_00_movable_remedy(self):
        """The remedy leaves no block offline, although one block cannot be taken offline."""
        movable = self.zones("Movable")
        self.assertEqual(len(movable), GIB // BLOCK)
        self.keep_online(movable[3])
        for finding in self.findings("movable-zone"):
            self.guest.run(finding["remedy"], check=False, timeout=120)
        self.sh(f"umount {MEMORY}/{movable[3]}/state")
        self.assertEqual(self.sh(f"grep -lv online {MEMORY}/memory*/state || true"), "")
        # Other blocks may be in use, and then stay movable as well.
        self.assertIn(movable[3], self.zones("Movable"))
        self.assertLess(len(self.zones("Movable")), len(movable))
        self.assertEqual(self.findings("boot-memory-offline"), [])

    def test_01_offline(self):
        """A block of boot memory that is taken offline is found, and matches one word only."""
        blocks = " ".join(reversed(self.zones("Movable") + self.zones("Normal")))
        block = self.sh(f"for b in {blocks}; do echo offline >{MEMORY}/$b/state && echo $b && break; done")
        start = int(block.removeprefix("memory")) * BLOCK
        (finding,) = self.findings("boot-memory-offline")
        self.assertEqual(finding["remedy"], f"chmem -e {start:#x}-{start + BLOCK - 1:#x}")
        text = f"128 MiB boot memory [mem {start:#x}-{start + BLOCK - 1:#x}]"
        self.assertEqual(self.fails_on("offline-boot"),
                         (MATCHED, [f"tdx-onlined: --fail-on=offline-boot: {text}"]))  # fmt: skip
        self.assertEqual(self.fails_on(RECORD_WORDS), (0, []))
        answer = json.loads(self.sh(f"tdx-onlinectl explain {block} --json"))
        self.assertIn("are offline.", answer["explanations"][0]["topics"]["what"])
        self.assertIn(finding["remedy"], answer["explanations"][0]["topics"]["change"])

    def test_02_online_again(self):
        """After the remedy there is no finding."""
        (finding,) = self.findings("boot-memory-offline")
        self.sh(finding["remedy"])
        self.assertEqual(self.findings("boot-memory-offline"), [])
        self.assertEqual(self.fails_on("offline-boot"), (0, []))
        self.assertEqual(self.records(), [])


class Rejected(FailOn):
    """DIMMs that the kernel does not add."""

    machine = {"memory": "1G", "kernel_args": TDX_ARMED}
    entry = "346976d981cf489986b0f2130aaee5e0"
    range = "[mem 0x100000000-0x10bffffff]"

    def rejections(self):
        return self.guest.journal(f"MESSAGE_ID={self.entry}")

    def test_00_record(self):
        """A DIMM of one and a half blocks: one record, with the cause from the kernel log."""
        self.guest.add_dimm("192M")
        self.guest.wait_for(f"journalctl -q -b MESSAGE_ID={self.entry} | grep -q .", 60)
        (record,) = self.rejections()
        self.assert_record(record, start="0x100000000", end="0x10bffffff", size=str(192 << 20),
                           cause="unaligned", acpi_device="PNP0C80:00", PRIORITY="4")  # fmt: skip
        self.assertIn("unaligned hotplug range: start 0x100000000", record["TDXO_KERNEL_LOG"])
        self.assertIn(self.range, record["MESSAGE"])

    def test_01_commands(self):
        """The doctor, explain and the dry run report it."""
        (finding,) = self.findings("memory-rejected")
        self.assertIn(f"192 MiB of memory ({self.range}, PNP0C80:00) was rejected", finding["message"])
        topics = json.loads(self.sh("tdx-onlinectl explain 0x108000000 --json"))["explanations"][0]["topics"]
        self.assertIn("192 MiB of memory", topics["what"])
        (rejected,) = json.loads(self.sh("tdx-onlined --dry-run --json"))["rejected"]
        self.assertEqual((rejected["start"], rejected["size"], rejected["cause"]),
                         (0x100000000, 192 << 20, "unaligned"))  # fmt: skip
        self.assertIn(self.range, self.sh("tdx-onlined --dry-run"))

    def test_02_once(self):
        """No further record after restarts, nor after another DIMM, at which the kernel tries to add the
        first one again."""
        self.restart()
        self.assertEqual(len(json.loads(self.read(STATE))["rejected"]), 1)
        self.guest.add_dimm("128M")
        self.guest.wait_for(f"journalctl -q -b MESSAGE_ID={self.entry} | grep -q 0x10c000000", 60)
        self.assertEqual([r["TDXO_START"] for r in self.rejections()], ["0x100000000", "0x10c000000"])
        self.restart()
        self.assertEqual(len(self.rejections()), 2)
        self.assertEqual(self.records(), [])


class Rejected73(Rejected):
    """The same with Linux 7.3 on Debian 13."""

    machine = {**Rejected.machine, "kernel": "debian-7.3", "root": "trixie"}


if __name__ == "__main__":
    main()
