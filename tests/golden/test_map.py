#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command map on captured machines: its output is compared with tests/expected.

    test_map.py             compare with TREE.map.txt, at 80 columns, and with some TREE.map.svg
    test_map.py --write     write what is printed now; read the difference before you commit it

The tree "example" is the machine that the documentation shows; it is made here. The rest looks at terminals, at the SVG as XML, and at copies of trees with other memory.
"""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import tree
from test_foreign import Foreign
from tree import MAIN, PRINTED

EXPECTED = tree.TESTS / "expected"
IN_SVG = ("cxl-guard", "cxl-refused", "example")
SVG = "{http://www.w3.org/2000/svg}"
MIB, GIB = 1 << 20, 1 << 30
BOOT_PARAMS = "sys/kernel/boot_params/data"
BOOT_ID = "proc/sys/kernel/random/boot_id"
SHADES = "█╌▓▒░·▚"
BLOCK = 128 << 20
LOOKS = ["RAM at boot", "CapableRanges=", "online", "offline", "failed or rejected"]  # of many_looks()
HIDDEN = ("tdx-onlinectl: map: the kernel shows physical addresses only to a process with "
          "CAP_SYS_ADMIN: run it as root\n")  # fmt: skip


def trees():
    return sorted(path for path in tree.SYSROOTS.iterdir() if path.is_dir())


def make_example(root):
    """64 GiB of RAM at boot, and a CXL window of 128 GiB with a card of 64 GiB in devdax mode."""
    shutil.copytree(tree.SYSROOTS / "cxl-guard", root, symlinks=True)
    start, old = 0x2080000000, 0x5D0000000
    for path in (root / "sys").rglob("*"):  # beneath sys, links are not followed
        if path.is_file() and not path.is_symlink() and (text := path.read_bytes()).startswith(b"0x"):
            last = f"{old + 64 * GIB - 1:#x}".encode(), f"{start + 64 * GIB - 1:#x}".encode()
            path.write_bytes(text.replace(b"%#x" % old, b"%#x" % start).replace(*last))
    (root / "sys/bus/cxl/devices/decoder0.0/size").write_text(f"{128 * GIB:#x}\n")
    cedt = bytearray((root / "sys/firmware/acpi/tables/CEDT").read_bytes())
    at = cedt.index(struct.pack("<Q", old))
    cedt[at : at + 16] = struct.pack("<QQ", start, 128 * GIB)
    cedt[9] = (cedt[9] - sum(cedt)) & 0xFF
    (root / "sys/firmware/acpi/tables/CEDT").write_bytes(cedt)
    ram = [(0, MIB), (MIB, 2 * GIB), (4 * GIB, 66 * GIB)]
    params = bytearray((root / BOOT_PARAMS).read_bytes())
    params[0x1E8] = len(ram)
    for i, (first, end) in enumerate(ram):
        params[0x2D0 + 20 * i : 0x2D0 + 20 * (i + 1)] = struct.pack("<QQL", first, end - first, 1)
    (root / BOOT_PARAMS).write_bytes(params)
    memory = root / "sys/devices/system/memory"
    for number in [*range(2 * GIB // BLOCK), *range(4 * GIB // BLOCK, 66 * GIB // BLOCK)]:
        (memory / f"memory{number}").mkdir(exist_ok=True)
        (memory / f"memory{number}/state").write_text("online\n")
    state = root / "run/tdx-onlined/state.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({
        "schema": 3, "boot_id": (root / BOOT_ID).read_text().strip(), "config": {}, "present": [],
        "boot_map": {"known": True, "ranges": [
            {"start": first, "size": end - first, "source": "boot-params"} for first, end in ram[1:]]},
        "devices": [{
            "type": "cxl", "chardev": "dax0.0", "size": 64 * GIB,
            "ranges": [{"start": start, "size": 64 * GIB}], "verdict": "devdax",
            "identity": (root / "sys/bus/dax/devices/dax0.0").stat().st_ino,
            "reason": "outside-boot-map", "result": "done"}]}))  # fmt: skip


def answers(directory):
    example = pathlib.Path(directory) / "example"
    make_example(example)
    for root in (*trees(), example):
        yield root, ["map"], EXPECTED / f"{root.name}.map.txt"
        if root.name in IN_SVG:
            yield root, ["map", "--svg"], EXPECTED / f"{root.name}.map.svg"


class Golden(tree.Tree):
    def test_every_tree(self):
        for root, options, expected in answers(self.directory):
            with self.subTest(expected.name):
                result = tree.run(root, *options)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(result.stdout, expected.read_text(encoding="utf-8"))

    def test_no_stale_expected_file(self):
        self.assertEqual({path for *_, path in answers(self.directory)}, set(EXPECTED.glob("*.map.*")))


class Map(Foreign):
    def run_map(self, *options, messages=""):
        result = tree.run(self.root, "map", *options)
        self.assertEqual((result.returncode, result.stderr), (0, messages))
        return result.stdout

    def segments(self, *options, **how):
        return json.loads(self.run_map("--json", *options, **how))["segments"]

    def kinds(self, *options):
        return [(s["kind"], s["depth"]) for s in self.segments(*options)]

    def parse(self, *options, **how):
        """The parsed document, which must be ASCII and without references to other files."""
        text = self.run_map("--svg", *options, **how)
        self.assertTrue(text.isascii())
        self.assertNotRegex(text, r"href|url\(|@import|@font-face|<script|<image|<foreignObject|\son\w+=")
        return ElementTree.fromstring(text)

    def texts(self, document):
        return [element.text for element in document.iter(f"{SVG}text")]

    def many_looks(self):
        """A map with most of the looks."""
        self.tree("cxl-refused")
        self.write(MAIN, "[Daemon]\nCapableRanges=0x5d0000000-0x6cfffffff\n")
        self.write("dev/kmsg", "6,1,1,-;Block size [0x8000000] unaligned hotplug range: start 0x900000000, "
                               "size 0xc000000\n3,2,2,-;acpi PNP0C80:00: add_memory failed\n")  # fmt: skip
        self.add_dimm(0, 1 << 36)

    def add_dimm(self, number, start, size=BLOCK):
        entry = f"sys/firmware/memmap/{1000 + number}"
        self.write(f"{entry}/type", "System RAM\n")
        self.write(f"{entry}/start", f"{start:#x}\n")
        self.write(f"{entry}/end", f"{start + size - 1:#x}\n")


class Terminal(Map):
    def lines(self, width, **environment):
        text = tree.on_terminal(self.root, "map", width=width, **environment)
        return re.sub(r"\x1b\[\d*m", "", text).splitlines()

    def test_widths(self):
        """The map is as wide as the terminal, between a smallest and a largest width."""
        for root in trees():
            self.root = root
            for terminal, width in ((20, 60), (60, 60), (80, 80), (119, 119), (160, 120), (300, 120)):
                summary, *lines = self.lines(terminal)
                self.assertEqual(max(map(len, lines)), width, (root.name, terminal))
                self.assertEqual([line for line in lines if line != line.rstrip()], [])
                self.assertTrue(summary.startswith("TDX "))

    def test_legend(self):
        """The legend takes several rows on a narrow terminal."""
        self.many_looks()
        for width in 60, 80, 120:
            *lines, legend = "\n".join(self.lines(width)).split("\n\n")
            self.assertLessEqual(max(map(len, legend.splitlines())), width)
            self.assertEqual(re.findall(r"[█╌▓▒░·▚]{2} ([^█╌▓▒░·▚]*\b=?)", re.sub(r"\n +", "  ", legend)), LOOKS)

    def test_80_columns(self):
        self.tree("cxl-refused")
        self.assertEqual("\n".join(self.lines(80)) + "\n", self.run_map())

    def test_colours(self):
        """Blocks have the colour of their verdict, and all else has none."""
        self.tree("cxl-refused")
        for options, colour in (((), "36"), (("--tdx=absent",), "32")):
            text = tree.on_terminal(self.root, "map", *options, width=80)
            coloured = re.findall(r"\x1b\[(\d+)m([^\x1b]*)\x1b\[0m", text)
            self.assertEqual({c for c, _ in coloured}, {"34", colour})
            self.assertIn("dax0.0", "".join(block for c, block in coloured if c == colour))
            self.assertNotIn("\x1b", re.sub(r"\x1b\[\d+m[^\x1b]*\x1b\[0m", "", text))
            self.assertNotRegex(re.sub(r"\x1b\[\d+m[^\x1b]*\x1b\[0m", "", text), f"[{SHADES}]")

    def test_no_colours(self):
        self.tree("cxl-refused")
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            text = tree.on_terminal(self.root, "map", width=80, **environment)
            self.assertNotIn("\x1b", text, environment)

    def test_ascii(self):
        """The same lines in ASCII."""
        self.tree("cxl-refused")
        unicode = self.run_map()
        for locale in ("C", "POSIX"):
            result = subprocess.run([tree.CLIENT, f"--root={self.root}", "map"], check=True,
                                    env={**tree.ENVIRONMENT, "LC_ALL": locale}, capture_output=True)  # fmt: skip
            text = result.stdout.decode("ascii")
            same = str.maketrans("┌┐└┘│─┊█▒", "++++|-:#=")
            self.assertEqual(text, unicode.translate(same))


class Svg(Map):
    def test_every_tree(self):
        """All elements are inside the picture, and all of its texts are in the map for terminals, too."""
        for root in trees():
            self.root = root
            document = self.parse()
            width, height = (int(document.get(key)) for key in ("width", "height"))
            self.assertEqual(document.get("viewBox"), f"0 0 {width} {height}")
            for element in document.iter(f"{SVG}rect"):
                x, y, w, h = (float(element.get(key)) for key in ("x", "y", "width", "height"))
                self.assertTrue(0 <= x and x + w <= width and 0 <= y and y + h <= height, root.name)
            text = self.run_map()
            for content in self.texts(document):
                if content != "Map of the physical address space":
                    self.assertIn(content, text, root.name)

    def test_legend(self):
        self.many_looks()
        document = self.parse()
        labels = list(document.iter(f"{SVG}text"))[-len(LOOKS) :]
        self.assertEqual([element.text for element in labels], LOOKS)
        for element in labels:
            self.assertLess(int(element.get("x")) + 8 * len(element.text), int(document.get("width")))
            self.assertLess(int(element.get("y")), int(document.get("height")))

    def test_blocks_do_not_overlap(self):
        self.tree("cxl-refused")
        for i in range(40):
            self.add_dimm(i, (1 << 44) + 2 * i * BLOCK)
        blocks = [(int(r.get("y")), int(r.get("height"))) for r in self.parse().iter(f"{SVG}rect")
                  if r.get("class") in ("boot", "devdax", "offline")]  # fmt: skip
        *blocks, _, _, _ = blocks  # the legend
        self.assertEqual(len(blocks), 42)
        for (y, height), (following, _) in zip(blocks, blocks[1:]):
            self.assertLess(y + height, following)

    def test_accessible(self):
        self.tree("cxl-refused")
        document = self.parse()
        self.assertEqual(document.get("role"), "img")
        ids = document.get("aria-labelledby").split()
        named = {e.get("id"): e.text for e in (document.find(f"{SVG}title"), document.find(f"{SVG}desc"))}
        self.assertEqual(list(named), ids)
        self.assertEqual(named["map-summary"], "TDX active; RAM at boot: 1022.8 MiB; memory that "
                                               "arrived after boot: 512 MiB")  # fmt: skip

    def test_classes(self):
        """Each class of an element is in the style, for a light and for a dark page."""
        self.tree("cxl-refused")
        document = self.parse()
        style = document.find(f"{SVG}style").text
        light, dark = style.split("@media (prefers-color-scheme:dark)")
        used = {name for element in document.iter() for name in element.get("class", "").split()}
        self.assertLess({"devdax", "devdax-edge", "window"}, used)
        for name in used:
            self.assertRegex(light, rf"\.{name}[,{{]", name)
        for name in used - {"heading", "strong", "size", "hole"}:
            self.assertRegex(dark, rf"\.{name}[,{{]", name)

    def test_markup_in_a_name(self):
        for name in ("decoder0.0", "dax0.0"):
            self.tree("cxl-refused")
            self.rename_everywhere(name, suffix=b"<a&\"'>]]>")
            name += "<a&\"'>]]>"
            self.assertTrue(any(name in text for text in self.texts(self.parse())), name)
            self.assertIn(f" {name} ", self.run_map())
            self.assertIn(name, [segment["name"] for segment in self.segments()])


class Machine(Map):
    """Copies of trees with other memory."""

    def test_hostile_names(self):
        for name in ("decoder0.0", "dax0.0"):
            self.tree("cxl-guard")
            self.rename_everywhere(name)
            self.assertIn(name + PRINTED, tree.on_terminal(self.root, "map", width=120))
            self.assertTrue(any((name + PRINTED)[:30] in text for text in self.texts(self.parse())))
            self.assertIn(name + PRINTED, [segment["name"] for segment in self.segments()])
            text = tree.on_terminal(self.root, "map", width=60)
            self.assertNotRegex(re.sub(r"\x1b\[\d*m", "", text), r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
            self.assertEqual(max(map(len, re.sub(r"\x1b\[\d*m", "", text).splitlines()[1:])), 60)

    def test_rejected(self):
        """Memory that the kernel did not add is drawn at its addresses."""
        self.tree("plain-host")
        self.write("dev/kmsg", "6,1,1,-;Block size [0x8000000] unaligned hotplug range: start 0x100000000, "
                               "size 0xc000000\n3,2,2,-;acpi PNP0C80:00: add_memory failed\n")  # fmt: skip
        self.assertIn("0x100000000 ▚▚ rejected by the kernel: PNP0C80:00 ▚", self.run_map())
        segment = self.segments()[-1]
        self.assertEqual((segment["kind"], segment["name"], segment["cause"], segment["memory"]),
                         ("rejected", "PNP0C80:00", "unaligned", 0xC000000))  # fmt: skip

    def test_verdicts_of_the_plan(self):
        for root in trees():
            self.root = root
            for options in ((), ("--tdx=active",), ("--tdx=absent",)):
                report = json.loads(tree.run(root, "plan", "--json", *options).stdout)
                keys = ("start", "size", "type", "verdict", "reason", "result")
                planned = [{key: r[key] for key in keys} for r in report["ranges"]]
                drawn = [{key: s[key] for key in keys} for s in self.segments(*options)
                         if s["kind"] == "device"]  # fmt: skip
                self.assertEqual(drawn, planned)
                boot = sum(s["memory"] for s in self.segments(*options) if s["kind"] == "boot")
                self.assertEqual(boot, sum(r["size"] for r in report["boot_map"]["ranges"]))

    def test_recorded_decision(self):
        """A recorded decision is drawn instead of already-devdax, unless --tdx= is given."""
        self.tree_in_devdax_mode()
        self.assertIn("devdax: already-devdax", self.run_map().replace("ignore", "devdax"))
        boot_id = (self.root / BOOT_ID).read_text().strip()
        self.write("run/tdx-onlined/state.json", json.dumps({
            "schema": 3, "boot_id": boot_id, "config": {}, "present": [],
            "boot_map": {"known": True, "ranges": [
                {"start": 1 << 20, "size": 1022 << 20, "source": "boot-params"}]},
            "devices": [{
                "type": "cxl", "chardev": "dax0.0", "size": 512 << 20, "mode": "devdax",
                "ranges": [{"start": 0x5D0000000, "size": 512 << 20}], "verdict": "devdax",
                "identity": (self.root / "sys/bus/dax/devices/dax0.0").stat().st_ino,
                "reason": "outside-boot-map", "result": "done"}]}))  # fmt: skip
        self.assertIn(" devdax: outside-boot-map ", self.run_map())
        self.assertNotIn("outside-boot-map", self.run_map("--tdx=absent"))

    def test_hidden_addresses(self):
        """Addresses as a process that is not root reads them: one message, and no picture."""
        self.tree("cxl-refused")
        self.write("proc/iomem", "00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n")
        for options in ([], ["--svg"], ["--json"]):
            self.assert_run(["map", *options], (1, "", [HIDDEN.split(": ", 1)[1].rstrip()]))

    def test_unplaced(self):
        """A device whose address cannot be read is named below the picture."""
        self.tree("cxl-refused")
        dax = next((self.root / "sys/devices").rglob("dax0.0")).relative_to(self.root)
        self.forget(dax / "mapping0/start", dax / "resource", "proc/iomem")
        message = tree.run(self.root, "map").stderr
        self.assertIn("/dax0.0/resource: cannot be read", message)
        last = self.run_map(messages=message).splitlines()[-1]
        self.assertEqual(last, "Its address is not known: dax0.0 (cxl, node 1), 512 MiB, ignore: unreadable")
        segment = self.segments(messages=message)[-1]
        self.assertEqual((segment["start"], segment["depth"], segment["memory"]), (None, None, 512 << 20))
        self.assertIn(last, self.texts(self.parse(messages=message)))

    def test_empty_root(self):
        self.tree("plain-host")
        (self.root / BOOT_PARAMS).unlink()
        shutil.rmtree(self.root / "sys/firmware/memmap")
        message = tree.run(self.root, "map").stderr
        self.assertEqual(self.run_map(messages=message),
                         "TDX absent (not-enabled); RAM at boot: not known; "
                         "memory that arrived after boot: none\n")  # fmt: skip
        self.assertEqual(self.segments(messages=message), [])
        self.parse(messages=message)

    def test_many_dimms(self):
        """Forty DIMMs with gaps between them."""
        self.tree("plain-host")
        for i in range(40):
            self.add_dimm(i, (1 << 36) + 2 * i * BLOCK)
        lines = self.run_map("--tdx=active").splitlines()
        self.assertEqual(sum(" dimm " in line for line in lines), 40)
        self.assertLess(len(lines), 130)

    def test_many_mappings(self):
        self.tree("cxl-refused")
        for i in range(40):
            self.write(f"sys/bus/dax/devices/dax0.0/mapping{i}/start", f"{(1 << 36) + 2 * i * BLOCK:#x}\n")
            self.write(f"sys/bus/dax/devices/dax0.0/mapping{i}/end", f"{(1 << 36) + (2 * i + 1) * BLOCK - 1:#x}\n")
        self.write("sys/bus/dax/devices/dax0.0/size", f"{40 * BLOCK}\n")
        self.assertEqual(sum(s["name"] == "dax0.0" for s in self.segments()), 40)
        self.assertEqual(self.run_map().count("dax0.0 (cxl, node 1)"), 40)

    def test_capable_ranges(self):
        """Ranges of CapableRanges= within a window are not RAM; a range at the highest address."""
        self.tree("cxl-refused")
        self.write(MAIN, "[Daemon]\nCapableRanges=0x5d0000000-0x6cfffffff 0xfffffffff0000000-0xfffffffffffffffe\n")
        self.assertEqual(self.kinds()[2:], [
            ("window", 0), ("region", 1), ("boot", 2), ("device", 3), ("boot", 1), ("free", 0), ("boot", 0)])  # fmt: skip
        text = self.run_map()
        self.assertIn("TDX active; RAM at boot: 1022.8 MiB;", text)
        self.assertIn("dax0.0 (cxl, node 1) in CapableRanges=", text)
        self.assertIn("0xfffffffffffffffe ", text)
        self.assertIn("0xfffffffffffffffe", self.texts(self.parse()))

    def test_cedt_without_decoders(self):
        """The windows of the CEDT are drawn if the kernel has no decoders."""
        self.tree("cxl-refused")
        shutil.rmtree(self.root / "sys/bus/cxl")
        self.assertIn("┌─ CXL window ─", self.run_map())

    def test_full(self):
        """An output that cannot be written leads to a message and status 1."""
        for options in ([], ["--svg"], ["--json"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                result = subprocess.run([tree.CLIENT, f"--root={tree.SYSROOTS / 'cxl-guard'}", "map", *options],
                                        stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                        env=tree.ENVIRONMENT)  # fmt: skip
            self.assertEqual((result.returncode, result.stderr),
                             (1, "tdx-onlinectl: standard output: No space left on device\n"))  # fmt: skip


if __name__ == "__main__":
    if "--write" in sys.argv:
        with tempfile.TemporaryDirectory() as scratch:
            for root, options, expected in answers(scratch):
                expected.write_text(tree.run(root, *options).stdout, encoding="utf-8")
        sys.exit()
    tree.main()
