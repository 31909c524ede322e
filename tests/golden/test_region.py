#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory in a CXL region that does not name the region: found by its address.

Trees with a region are changed so that the dax device at these addresses is one of hmem, or that the
memory blocks have no dax device. The origin, and the effect of a rule about the card, must stay.
"""

import tree
from tree import RULE, rule

REGION = "sys/bus/cxl/devices/region0"
DAX = "sys/bus/dax/devices/dax0.0"
HMEM = "sys/devices/platform/hmem.0"
BLOCKS = "sys/devices/system/memory"

# All keys that match the device of these trees by its region.
ORIGIN = {
    "region": "region0", "region_mode": "ram", "decoder": "decoder0.0", "window_start": 0x5D0000000,
    "memdevs": [{"memdev": "mem0", "host": "0000:0d:00.0", "serial": "0x42"}],
}  # fmt: skip
NO_ORIGIN = {"region": None, "region_mode": None, "decoder": None, "memdevs": []}

# The card or the region in [Match], and as targets of explain.
MATCHES = ("Serial=0x42", "Region=region0", "PciAddress=0000:0d:00.0", "Type=cxl", "Type=cxl | Serial=66")
MISMATCHES = ("Serial=0x43", "Region=region1", "PciAddress=0000:0e:00.0")
TARGETS = ("region0", "mem0", "0d:00.0", "0000:0d:00.0", "0x5d0000000", "node1")


class Region(tree.Tree):
    def by_hmem(self, name):
        """Change the dax device of the region into one of hmem."""
        self.tree(name)
        (self.root / REGION / "dax_region0").rename(self.root / HMEM)
        self.forget(DAX, f"{HMEM}/driver", f"{HMEM}/subsystem",
                    "sys/bus/cxl/devices/dax_region0", "sys/bus/cxl/drivers/cxl_dax_region/dax_region0")  # fmt: skip
        self.link(DAX, "../../../devices/platform/hmem.0/dax0.0")
        driver = self.root / HMEM / "dax0.0/driver"
        if driver.is_symlink():
            driver.unlink()
            self.link(f"{HMEM}/dax0.0/driver", "../../../../bus/dax/drivers/kmem")

    def without_dax(self, name):
        """Remove the dax device, and keep the memory blocks."""
        self.tree(name)
        (self.root / REGION / "dax_region0").rename(self.directory / f"{name}-gone")
        self.forget(DAX, "sys/bus/dax/drivers/kmem/dax0.0", "sys/bus/cxl/devices/dax_region0",
                    "sys/bus/cxl/drivers/cxl_dax_region/dax_region0")  # fmt: skip

    def range_of(self, *options):
        report, _ = self.decide(*options)
        (item,) = report["ranges"]
        return item

    def assert_origin(self, item, origin):
        for memdev in item["memdevs"]:
            memdev.pop("firmware_version")
        self.assertEqual({key: item[key] for key in origin}, origin)

    def assert_rules(self, matches, mismatches):
        for match in matches + mismatches:
            with self.subTest(match):
                self.configure({RULE: rule(match, "Verdict=ignore")})
                item = self.range_of()
                self.assertEqual(item["rule"], "10-a.rule" if match in matches else None)
        self.configure({})

    def explain(self, target):
        result = tree.run(self.root, "explain", target)
        self.assertEqual((result.returncode, result.stderr), (0, ""), target)
        return result.stdout

    # --- hmem ---

    def test_hmem(self):
        """The verdict of each tree, with the type hmem."""
        for name, verdict in (("cxl-guard", "devdax"), ("cxl-refused", "devdax"), ("cxl-online", "online")):
            with self.subTest(name):
                self.tree(name)
                plain = self.range_of()
                self.by_hmem(name)
                item = self.range_of()
                self.assertEqual((item["type"], item["verdict"], item["chardev"]), ("hmem", verdict, "dax0.0"))
                self.assertEqual(item, {**plain, "type": "hmem"})
                self.assert_origin(item, ORIGIN)

    def test_rules_hmem(self):
        self.by_hmem("cxl-guard")
        self.assert_rules((*MATCHES, "Type=hmem", "Type=hmem | Serial=66"), (*MISMATCHES, "Type=pmem unknown"))

    def test_explain_hmem(self):
        self.by_hmem("cxl-guard")
        text = self.explain("dax0.0")
        self.assertTrue(text.startswith(
            "64 GiB of soft-reserved memory (dax0.0, [mem 0x5d0000000-0x15cfffffff], region0, mem0, node 1)\n"
            "  what      Soft-reserved memory, dax device dax0.0 without a driver.\n"
            "  origin    Firmware or the kernel command line set it aside at boot as soft-reserved memory,"
            " so it is not RAM until a driver adds it. It lies in CXL region0 of mode ram, decoded by"
            " decoder0.0. Its memory devices: mem0 (serial 0x42, 0000:0d:00.0"), text)  # fmt: skip
        for target in TARGETS:
            self.assertEqual(self.explain(target), text, target)

    def test_table(self):
        self.by_hmem("cxl-guard")
        columns = "--output=TYPE,CHARDEV,REGION,MEMDEV,SERIAL,HOST"
        result = tree.run(self.root, "--dry-run", "--noheadings", columns)
        self.assertEqual(result.stdout.split()[-6:], ["hmem", "dax0.0", "region0", "mem0", "0x42", "0000:0d:00.0"])
        result = tree.run(self.root, "--dry-run", "--tree", "--noheadings", columns)
        names = [line.split()[0] for line in result.stdout.splitlines() if "0x" in line or "region0" in line]
        self.assertIn("└─region0", names)

    def test_device_in_part_of_region(self):
        """A device is of a region only if all of it is inside."""
        for size, start in ((1 << 30, 0x5D0000000), (1 << 29, 0x5C0000000), (1 << 29, 0xFFFFFFFFF0000000)):
            self.by_hmem("cxl-guard")
            self.write(f"{REGION}/resource", f"{start:#x}\n")
            self.write(f"{REGION}/size", f"{size:#x}\n")
            self.assert_origin(self.range_of(), NO_ORIGIN)
        # A second mapping outside of the region.
        self.by_hmem("cxl-guard")
        self.write(f"{REGION}/size", f"{1 << 30:#x}\n")
        self.write(f"{DAX}/size", f"{2 << 30}\n")
        for i, start in enumerate((0x5D0000000, 0x700000000)):
            self.write(f"{DAX}/mapping{i}/start", f"{start:#x}\n")
            self.write(f"{DAX}/mapping{i}/end", f"{start + (1 << 30) - 1:#x}\n")
        report, _ = self.decide()
        self.assertEqual([item["region"] for item in report["ranges"]], [None, None])

    def test_region_unreadable(self):
        """A region without addresses has no memory, and there is no message."""
        for name, text in (("size", "0x0\n"), ("size", ""), ("resource", "none\n"), ("resource", None)):
            self.by_hmem("cxl-guard")
            if text is None:
                self.forget(f"{REGION}/{name}")
            else:
                self.write(f"{REGION}/{name}", text)
            report, messages = self.decide()
            self.assertEqual((report["ranges"][0]["region"], messages), (None, ""))

    def test_persistent(self):
        """A namespace on a CXL card is left as it is, with any rule about the card."""
        self.tree("cxl-guard")
        card = self.root / REGION
        region = {name: (card / name).read_text() for name in ("target0", "mode")}
        self.tree("pmem")
        for name, text in {**region, "mode": "pmem\n", "resource": "0x10000000\n", "size": "0x10000000\n"}.items():
            self.write(f"sys/devices/platform/cxl/region0/{name}", text)
        self.link(REGION, "../../../devices/platform/cxl/region0")
        self.configure({RULE: rule("Type=cxl", "Verdict=online | ConvertDevdax=yes")})
        item = self.range_of("--tdx=absent")
        self.assertEqual((item["type"], item["region"], item["region_mode"], item["rule"]),
                         ("pmem", "region0", "pmem", "10-a.rule"))  # fmt: skip
        self.assertEqual((item["verdict"], item["reason"], item["overruled"]),
                         ("ignore", "persistent-memory", "online"))  # fmt: skip

    # --- memory blocks without a dax device ---

    def test_blocks(self):
        """Blocks of a region are CXL memory, and stay offline where a dax device would become devdax."""
        for name, verdict, reason in (("cxl-refused", "offline", "outside-boot-map"),
                                      ("cxl-online", "online", "tdx-absent")):  # fmt: skip
            with self.subTest(name):
                self.without_dax(name)
                item = self.range_of()
                self.assertEqual((item["type"], item["chardev"], item["verdict"], item["reason"]),
                                 ("cxl", None, verdict, reason))  # fmt: skip
                self.assertEqual((item["start"], item["size"]), (0x5D0000000, 512 << 20))
                self.assert_origin(item, ORIGIN)

    def test_rules_blocks(self):
        self.without_dax("cxl-refused")
        self.assert_rules(MATCHES, (*MISMATCHES, "Device=*", "Type=hmem", "Mode=none"))

    def test_explain_blocks(self):
        self.without_dax("cxl-refused")
        text = self.explain("memory186")
        self.assertTrue(text.startswith(
            "512 MiB of CXL memory ([mem 0x5d0000000-0x5efffffff], region0, mem0, node 1)\n"
            "  what      CXL memory.\n"
            "  origin    It is CXL region0 of mode ram, decoded by decoder0.0."), text)  # fmt: skip
        for target in TARGETS:
            self.assertEqual(self.explain(target), text, target)

    def test_two_regions(self):
        """Adjacent blocks of two regions are two devices, each with its region."""
        self.without_dax("cxl-refused")
        self.write(f"{REGION}/size", f"{256 << 20:#x}\n")
        for name, text in (("resource", f"{0x5D0000000 + (256 << 20):#x}\n"), ("size", f"{256 << 20:#x}\n"),
                           ("mode", "ram\n")):  # fmt: skip
            self.write(f"sys/devices/platform/cxl/region1/{name}", text)
        self.link("sys/bus/cxl/devices/region1", "../../../devices/platform/cxl/region1")
        report, _ = self.decide()
        self.assertEqual([(item["start"], item["size"], item["region"], len(item["memdevs"]))
                          for item in report["ranges"]],
                         [(0x5D0000000, 256 << 20, "region0", 1), (0x5E0000000, 256 << 20, "region1", 0)])  # fmt: skip

    def test_outside(self):
        """Blocks behind the end of the region do not belong to it."""
        self.without_dax("cxl-refused")
        self.write(f"{REGION}/size", f"{384 << 20:#x}\n")
        report, _ = self.decide()
        self.assertEqual([(item["type"], item["size"], item["region"]) for item in report["ranges"]],
                         [("cxl", 384 << 20, "region0"), ("unknown", 128 << 20, None)])  # fmt: skip


if __name__ == "__main__":
    tree.main()
