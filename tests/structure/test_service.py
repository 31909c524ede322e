#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd-analyze on the unit, without a running system. tests/vm/test_unit.py runs the unit in guests with
two versions of systemd."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from exposure import EXPOSURE

BUILD = Path(os.environ["MESON_BUILD_ROOT"])
LISTS = ("RestrictAddressFamilies", "SystemCallFilter", "CapabilityBoundingSet")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


class Service(unittest.TestCase):
    """The unit of this build, with the path of the program of this build."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.text = (BUILD / "systemd/tdx-onlined.service").read_text()
        self.unit = Path(directory.name) / "tdx-onlined.service"
        program = (BUILD / "daemon/tdx-onlined").absolute()
        self.unit.write_text(re.sub(r"(?<==)/\S+/tdx-onlined\b", str(program), self.text))

    def test_verify(self):
        result = analyze("verify", "--man=no", self.unit)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_security(self):
        result = analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", self.unit)
        self.assertEqual(result.returncode, 0, result.stdout[-1000:])

    def test_reasons(self):
        """Each setting that leaves exposure is named in a comment of the unit."""
        result = analyze("security", "--offline=true", "--json=short", self.unit)
        comments = "\n".join(line for line in self.text.splitlines() if line.startswith("#"))
        for entry in json.loads(result.stdout):
            if entry["set"] or not float(entry["exposure"] or 0):
                continue
            names = set(re.findall(r"\w+", entry["name"])) - set(LISTS)
            self.assertTrue(any(re.search(rf"\b{name}\b", comments) for name in names), entry)


if __name__ == "__main__":
    unittest.main()
