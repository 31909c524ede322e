#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Figures of the structure: figures.py [TREE]

By folder: files, lines, share of comment lines, functions with the median, the 90th percentile and
the maximum of their lines (from the line of the name to the closing brace), and how many static
functions are called from one place. The sizes of the largest structs follow, if the build directory
MESON_BUILD_ROOT has debug information.
"""

import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

TREE = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
STRUCTS = 12
# A definition as clang-format writes it: the name begins in the first column, and so do the braces.
FUNCTION = re.compile(r"^(?P<head>[a-z][^;{}#]*?\b(?P<name>\w+)\([^;{}]*\))\n\{\n.*?^\}", re.M | re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def folder_of(path):
    parts = path.relative_to(TREE).parts
    if parts[0] == "include":
        parts = ("lib", *parts[2:])
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


class Folder:
    def __init__(self):
        self.files = self.lines = self.comments = self.single = 0
        self.functions = []

    def add(self, text):
        code = COMMENT.sub("", text)
        self.files += 1
        self.lines += text.count("\n")
        self.comments += sum(match.count("\n") + 1 for match in COMMENT.findall(text))
        for match in FUNCTION.finditer(text):
            self.functions.append(match.group(0).count("\n") + 1)
            uses = len(re.findall(rf"\b{match['name']}\b", code)) - 1
            self.single += match["head"].startswith("static") and uses == 1

    def __str__(self):
        share = 100 * self.comments / max(self.lines, 1)
        text = f"{self.files:5} {self.lines:6} {share:7.1f}%"
        if not self.functions:
            return text
        ordered = sorted(self.functions)
        p90 = ordered[int(0.9 * (len(ordered) - 1))]
        return f"{text} {len(ordered):6} {statistics.median(ordered):6g} {p90:4} {ordered[-1]:4} {self.single:6}"


def measure():
    folders = defaultdict(Folder)
    for top in ("include", "lib", "daemon"):
        for path in sorted((TREE / top).rglob("*.[ch]")):
            text = path.read_text()
            folders[folder_of(path)].add(text)
            folders["all"].add(text)
    return folders


def struct_sizes(build):
    """From the DWARF output of readelf, where the name and size of a structure follow its tag."""
    dump = subprocess.run(
        ["readelf", "--debug-dump=info", build / "daemon" / "tdx-onlined"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    sizes = re.findall(
        r"\(DW_TAG_structure_type\)\n\s+<\w+>\s+DW_AT_name\s+: (?:\(indirect[^:]*: )?(?:\w+\): )?(\w+)\n"
        r"\s+<\w+>\s+DW_AT_byte_size\s+: (?:\(data\d\) )?(\d+)", dump,
    )  # fmt: skip
    return sorted({(int(size), name) for name, size in sizes}, reverse=True)


def main():
    print(f"{'folder':18} {'files':>5} {'lines':>6} {'comments':>8} {'funcs':>6} median  p90  max single")
    for name, folder in sorted(measure().items(), key=lambda item: (item[0] == "all", item[0])):
        print(f"{name:18} {folder}")
    build = os.environ.get("MESON_BUILD_ROOT")
    for size, name in struct_sizes(Path(build))[:STRUCTS] if build else []:
        print(f"sizeof(struct {name}): {size}")


if __name__ == "__main__":
    main()
