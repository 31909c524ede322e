#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The built man pages: groff(1) renders them without a warning, no word is hyphenated, and the pages and
sections that they refer to exist."""

import os
import re
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILT = Path(os.environ["MESON_BUILD_ROOT"]) / "man"
SOURCES = sorted((TOP / "man").glob("*.scd"))
NAMES = {path.stem for path in SOURCES}

# Blocks that may be wider than 80 columns, by their first line. They have tables of the program, which
# wraps no line of them and has no option for fewer columns.
WIDE = {"# tdx-onlinectl", "# tdx-onlinectl verify"}


def render(path, width):
    """Formatted text and warnings about lines that cannot be broken and tables that are too wide."""
    command = ["groff", "-K", "utf8", "-t", "-man", "-Tutf8", "-P-c", f"-rLL={width}n",
               "-dAD=l", "-W", "w", "-w", "break"]
    result = subprocess.run([*command, path], capture_output=True, encoding="utf-8", check=True)
    return re.sub(".\b", "", result.stdout), result.stderr


def literal_blocks(name):
    """The lines of each block of code, as scdoc(5) prints them."""
    text = (TOP / "man" / f"{name}.scd").read_text()
    for block in re.findall(r"^```\n(.*?)^```", text, flags=re.M | re.S):
        yield re.sub(r"\\(.)", r"\1", block).splitlines()


def headings(name):
    return set(re.findall(r"^##? (.*)$", (TOP / "man" / f"{name}.scd").read_text(), flags=re.M))


class Built(unittest.TestCase):
    def test_built_pages(self):
        self.assertEqual({path.name for path in BUILT.glob("tdx-*.[1-8]")}, NAMES)

    def test_table_declaration(self):
        """man(1) runs tbl(1) if the first line requests it."""
        for name in NAMES:
            lines = (BUILT / name).read_text().splitlines()
            self.assertEqual(lines[0] == "'\\\" t", ".TS" in lines, name)

    def test_warnings(self):
        for name in NAMES:
            for width in (80, 120):
                self.assertEqual(render(BUILT / name, width)[1], "", (name, width))

    def test_hyphenation(self):
        for name in NAMES:
            hyphenated = re.findall(r"^.*\w[-\u2010]$", render(BUILT / name, 80)[0], flags=re.M)
            self.assertEqual(hyphenated, [], name)

    def test_wide_blocks(self):
        """A terminal with 80 columns continues a longer line of a block in the next row."""
        wide = set()
        for name in NAMES:
            rendered = [line.rstrip() for line in render(BUILT / name, 80)[0].splitlines()]
            for block in literal_blocks(name):
                for line in filter(None, block):
                    found = [one for one in rendered if one.endswith(f" {line.rstrip()}")]
                    self.assertTrue(found, (name, line))
                    if min(map(len, found)) > 80:
                        wide.add(block[0])
                        self.assertIn(block[0], WIDE, (name, line))
        self.assertEqual(wide, WIDE)

    def test_ascii_hyphens(self):
        """An option can be searched for and copied only with ASCII hyphens."""
        for name in NAMES:
            self.assertNotRegex(render(BUILT / name, 80)[0], "[\u2010\u2212]")


class References(unittest.TestCase):
    def test_pages(self):
        """Each reference is to an existing page, and each page is referred to."""
        named = set()
        for path in SOURCES:
            found = re.findall(r"\*(tdx-[a-z.-]+)\*\((\d)\)", path.read_text())
            named |= {f"{name}.{section}" for name, section in found}
        self.assertEqual(named, NAMES)

    def test_sections(self):
        """"*SECTION* in *page*(N)" is a heading of that page, and "see *SECTION*" one of its own."""
        count = 0
        for path in SOURCES:
            text = re.sub(r"\s+", " ", path.read_text())
            for heading, page, section in re.findall(r"\*([A-Z][A-Za-z ]+)\* in \*(tdx-[a-z.-]+)\*\((\d)\)", text):
                self.assertIn(heading, headings(f"{page}.{section}"), path.name)
                count += 1
            for heading in re.findall(r"[Ss]ee \*([A-Z][A-Za-z ]+)\*(?! in)", text):
                self.assertIn(heading, headings(path.stem), path.name)
                count += 1
        self.assertGreater(count, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
