#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SRAT and CEDT in the report: the same values as in iasl's own listing of the table.

The tables are those of QEMU's machines, and those written here for what QEMU cannot build: see
README.md. What Linux made of QEMU's tables is a third opinion. The last part spoils tables, and
wants them named, left out, and everything else reported as ever.
"""

import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "golden"))

import listing  # noqa: E402
import tree  # noqa: E402

TABLES = "sys/firmware/acpi/tables"
HEADER = listing.HEADER
QEMU = sorted((HERE / "qemu").iterdir())
WRITTEN = sorted((HERE / "written").iterdir())
KERNEL_LOG = re.compile(r"SRAT: Node \d+ PXM (\d+) \[mem 0x(\w+)-0x(\w+)\]( hotplug)?( non-volatile)?")

CUT_OFF = "it is cut off"
OTHER = "it is another table"
SHORT = "its length is less than that of its header"
CHECKSUM = "its checksum is wrong"
ENTRY = "the length of an entry is wrong"
SHORT_ENTRY = "an entry is too short for its type"


class Acpi(tree.Tree):
    """A machine where nothing has arrived, with tables of our own."""

    def setUp(self):
        super().setUp()
        self.tree("plain-host")
        self.tables(SRAT=None, CEDT=None)

    def tables(self, **tables):
        for name, table in tables.items():
            if table is None:
                (self.root / TABLES / name).unlink(missing_ok=True)
            else:
                self.write(f"{TABLES}/{name}", table)

    def firmware(self, messages=""):
        report, stderr = self.decide()
        self.assertEqual(stderr, messages)
        return report["firmware"]

    def compile(self, name):
        return listing.compile_source(HERE / "written" / f"{name}.asl", self.directory)

    def assert_as_listed(self, table):
        """The program and iasl read the same in a table."""
        name = table[:4].decode()
        read = listing.srat_of if name == "SRAT" else listing.cedt_of
        expected = {"srat": None, "srat_fault": None, "cedt": None, "cedt_fault": None,
                    name.lower(): read(listing.disassemble(table, self.directory))}  # fmt: skip
        self.tables(**{"SRAT": None, "CEDT": None, name: table})
        self.assertEqual(self.firmware(), expected)
        return expected[name.lower()]


class Listed(Acpi):
    """Values, against iasl."""

    def test_captured_machines(self):
        tables = sorted(tree.SYSROOTS.glob(f"*/{TABLES}/*"))
        self.assertEqual(len(tables), 16)
        for path in tables:
            with self.subTest(path):
                self.assert_as_listed(path.read_bytes())

    def test_qemu(self):
        for path in (path / name for path in QEMU for name in ("SRAT", "CEDT")):
            with self.subTest(path):
                self.assert_as_listed(path.read_bytes())

    def test_written(self):
        for path in WRITTEN:
            with self.subTest(path.name):
                self.assert_as_listed(self.compile(path.stem))

    def test_no_listing_in_vain(self):
        """Each kept listing is of a table that is tested here."""
        tables = [self.compile(path.stem) for path in WRITTEN]
        tables += [path.read_bytes() for path in tree.SYSROOTS.glob(f"*/{TABLES}/CEDT")]
        tables += [(path / "CEDT").read_bytes() for path in QEMU]
        for kept in listing.kept():
            self.assertTrue(any(kept.same_entries(table) for table in tables))


class ByHand(Acpi):
    """What is in the sources, counted by hand: neither reader may lose an entry."""

    def test_domains(self):
        domains = {"nodes": [0, 0, 0, 1, 2, 0x10203], "revision-1": [0, 1, 2],
                   "hot-plug": [0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 0]}  # fmt: skip
        for name, expected in domains.items():
            with self.subTest(name):
                srat = self.assert_as_listed(self.compile(f"srat-{name}"))
                self.assertEqual([memory["proximity_domain"] for memory in srat], expected)

    def test_hot_plug_windows(self):
        srat = self.assert_as_listed(self.compile("srat-hot-plug"))
        windows = [(memory["proximity_domain"], memory["start"] >> 30, memory["size"] >> 30)
                   for memory in srat if memory["hot_pluggable"] and memory["enabled"]]  # fmt: skip
        self.assertEqual(windows, [(0, 1024, 512), (1, 1536, 512), (2, 4096, 4096), (3, 129, 32)])

    def test_windows(self):
        cedt = self.assert_as_listed(self.compile("cedt-interleaved"))
        self.assertEqual(cedt, {"windows": [
            {"start": 64 << 30, "size": 32 << 30, "targets": [1, 2]},
            {"start": 96 << 30, "size": 48 << 30, "targets": [7, 2, 1]},
            {"start": 1 << 40, "size": 256 << 20, "targets": [7]},
        ]})  # fmt: skip


def kernel_memory(guest):
    for line in (guest / "kernel-log").read_text().splitlines():
        domain, first, last, *flags = KERNEL_LOG.fullmatch(line).groups()
        yield (int(domain), int(first, 16), int(last, 16), *map(bool, flags))


def kernel_windows(guest):
    for line in (guest / "kernel-windows").read_text().splitlines():
        start, size, targets = line.split()
        yield {"start": int(start, 0), "size": int(size, 0),
               "targets": [int(uid) for uid in targets.split(",")]}  # fmt: skip


class Kernel(Acpi):
    """Values, against what the guest's kernel read in the same table."""

    def test_memory(self):
        for guest in QEMU:
            with self.subTest(guest.name):
                self.tables(SRAT=(guest / "SRAT").read_bytes())
                ours = [(memory["proximity_domain"], memory["start"], memory["start"] + memory["size"] - 1,
                         memory["hot_pluggable"], memory["non_volatile"])
                        for memory in self.firmware()["srat"] if memory["enabled"]]  # fmt: skip
                self.assertEqual(ours, list(kernel_memory(guest)))

    def test_windows(self):
        for guest in QEMU:
            with self.subTest(guest.name):
                self.tables(CEDT=(guest / "CEDT").read_bytes())
                self.assertEqual(self.firmware()["cedt"], {"windows": list(kernel_windows(guest))})


class Spoilt(Acpi):
    """A table that cannot be used is named once, and left out; so little depends on it."""

    def setUp(self):
        super().setUp()
        self.good = {"SRAT": self.compile("srat-nodes"), "CEDT": self.compile("cedt-interleaved")}

    def assert_fault(self, name, table, fault):
        self.tables(**self.good)
        whole, _ = self.decide()
        self.write(f"{TABLES}/{name}", table)
        report, messages = self.decide()
        self.assertEqual(messages, f"tdx-onlined: /{TABLES}/{name}: {fault}\n")
        whole["firmware"] |= {name.lower(): None, f"{name.lower()}_fault": fault}
        self.assertEqual(report, whole)

    def test_not_there(self):
        self.assertEqual(set(self.firmware().values()), {None})
        self.tables(**self.good)
        self.assertEqual([k for k, v in self.firmware().items() if v is None],
                         ["srat_fault", "cedt_fault"])  # fmt: skip

    def test_checksum(self):
        for name, table in self.good.items():
            with self.subTest(name):
                for at in (8, 9, HEADER, len(table) - 1):
                    wrong = bytearray(table)
                    wrong[at] ^= 0x10
                    self.assert_fault(name, bytes(wrong), CHECKSUM)

    def test_truncated(self):
        for name, table in self.good.items():
            for size in (0, 1, HEADER - 1, HEADER, HEADER + 1, len(table) - 40, len(table) - 1):
                with self.subTest(name=name, size=size):
                    self.assert_fault(name, table[:size], CUT_OFF)

    def test_length_lies(self):
        for name, table in self.good.items():
            with self.subTest(name):
                for length, fault in ((0, SHORT), (HEADER - 1, SHORT), (len(table) + 1, CUT_OFF),
                                      (0xFFFFFFFF, CUT_OFF)):  # fmt: skip
                    lie = table[:4] + length.to_bytes(4, "little") + table[8:]
                    self.assert_fault(name, listing.signed(lie), fault)

    def test_entry_lies(self):
        srat, cedt = self.good["SRAT"], self.good["CEDT"]
        for length in (0, 1, 255):
            lie = srat[:49] + bytes([length]) + srat[50:]
            self.assert_fault("SRAT", listing.signed(lie), ENTRY)
        for length in (0, 3, 0xFFFF):
            lie = cedt[:38] + length.to_bytes(2, "little") + cedt[40:]
            self.assert_fault("CEDT", listing.signed(lie), ENTRY)
        short = srat[:48] + bytes([1, 39]) + srat[50:]
        self.assert_fault("SRAT", listing.signed(short), SHORT_ENTRY)

    def test_targets_missing(self):
        """It is passed over and counted, and the others are used."""
        table = bytearray(self.good["CEDT"])
        table[-16] = 8  # three ways encoded, and the entry has one target
        self.tables(CEDT=listing.signed(bytes(table)))
        fault = "1 of its entries cannot be used"
        firmware = self.firmware(f"tdx-onlined: /{TABLES}/CEDT: {fault}\n")
        self.assertEqual(firmware["cedt_fault"], fault)
        self.assertEqual(len(firmware["cedt"]["windows"]), 2)

    def test_another_table(self):
        self.assert_fault("SRAT", self.good["CEDT"], OTHER)
        self.assert_fault("CEDT", self.good["SRAT"], OTHER)

    def test_unreadable(self):
        self.tables(SRAT=self.good["SRAT"])
        (self.root / TABLES / "SRAT").chmod(0)
        result = tree.run(self.root, "--dry-run", "--json", preexec_fn=tree.obey_modes)
        self.assertEqual(result.returncode, 0)
        self.assertIn(f"/{TABLES}/SRAT: Permission denied\n", result.stderr)
        self.assertIn('"srat_fault":"Permission denied"', result.stdout)

    def test_read_for_the_report_alone(self):
        self.tables(SRAT=b"spoilt", CEDT=b"spoilt")
        self.assertEqual(tree.run(self.root, "--dry-run").stderr, "")


if __name__ == "__main__":
    tree.main()
