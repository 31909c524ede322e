#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""verify and settle on a real kernel, where a memory notifier refuses memory as TDX does."""

from guest import TDX_ACTIVE
from scene import BLOCK, REFUSE, UNIT, Scene, main

SIZE = 512 << 20


class Verified(Scene):
    machine = {"cxl": ["512M"], "kernel_args": TDX_ACTIVE}

    def assert_offline(self):
        states = [state.split()[0] for state in self.states(self.dimm, SIZE)]
        self.assertEqual(states, ["offline"] * (SIZE // BLOCK))

    def test_0_settle(self):
        """At the end of settle the region is decided, and all steps have been taken."""
        region = self.create_region(0, SIZE)
        self.settle()
        [record] = self.records(region=region)
        self.assertEqual(self.driver(record["TDXO_CHARDEV"]), "device_dax")
        self.sh("tdx-onlinectl settle --timeout=0")

    def test_1_refused(self):
        self.guest.add_dimm(SIZE)
        type(self).dimm = int(self.wait_for_record(type="dimm")["TDXO_START"], 0)
        self.settle()
        report = self.verify(0)
        self.assertEqual(self.answers(report), [("agrees", "the kernel refuses it")])
        self.assert_offline()

    def test_2_accepted(self):
        """The block goes offline again at once. If that takes long, the daemon records that it was online."""
        ranges = self.read(f"{REFUSE}/ranges")
        self.sh(f"echo '{ranges},{self.dimm:#x}-{self.dimm + SIZE:#x}' >{REFUSE}/ranges")
        report = self.verify(0)  # before Linux 7.1 such memory may have been there when TDX started
        [(result, found)] = self.answers(report)
        self.assertEqual(result, "not-compared")
        self.assertIn("it accepted; the block is offline again", found)
        self.assert_offline()
        self.sh(f"echo '{ranges}' >{REFUSE}/ranges")

    def test_3_other_user(self):
        nobody = "setpriv --reuid=65534 --clear-groups tdx-onlinectl"
        self.assertEqual(self.sh(f"{nobody} settle --timeout=0 2>&1"), "")
        result = self.guest.run(f"{nobody} verify", check=False)
        self.assertEqual((result.status, result.stdout), (1, ""))
        self.assertIn("only root can online a memory block", result.stderr)

    def test_4_anonymised(self):
        """The output has no serial number, address of a card or name of this host."""
        self.sh("hostname private-name")
        text = self.sh("tdx-onlinectl verify") + self.sh("tdx-onlinectl verify --json")
        for word in ("0x42", "private-name", "0000:"):
            self.assertNotIn(word, text)

    def test_5_not_running(self):
        self.sh(f"systemctl mask --runtime --now {UNIT}")
        result = self.guest.run("tdx-onlinectl settle", check=False)
        self.assertEqual(result.status, 1)
        self.assertIn("tdx-onlined is not running", result.stderr)
        self.assertEqual(self.answers(self.verify(0)), [("agrees", "the kernel refuses it")])
        self.assert_offline()


if __name__ == "__main__":
    main()
