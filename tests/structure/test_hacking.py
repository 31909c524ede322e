#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that HACKING.md and SECURITY.md name exist, and have the functions in the same row of a table."""

import re
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
TEXT = (SOURCE / "HACKING.md").read_text()
SECURITY = (SOURCE / "SECURITY.md").read_text()
PATH = re.compile(r"`([a-z_]+(?:/[a-z0-9_.]+)+/?|[a-z0-9_]+\.c)`")
FUNCTION = re.compile(r"`([a-z_0-9]+)\(\)`")


def defines(text, function):
    """A definition begins in the first column with its type."""
    return re.search(rf"^[a-z][a-z0-9_ *]*\b{function}\([^;]*\n{{", text, re.MULTILINE) is not None


def paths_of(row):
    """The files in a row of a table. A name without a folder is in the folder of the name before it."""
    folder = None
    for name in PATH.findall(row):
        path = SOURCE / name if "/" in name else folder / name
        folder = path.parent
        yield path


class Hacking(unittest.TestCase):
    def test_paths(self):
        names = [name for name in PATH.findall(TEXT + SECURITY) if "/" in name]
        self.assertGreater(len(names), 40)
        for name in names:
            with self.subTest(name):
                self.assertTrue((SOURCE / name).exists())

    def test_path_of_a_uevent(self):
        """The functions of each step are defined in the files of its row."""
        rows = [row for row in TEXT.splitlines() if row.startswith("|") and "()" in row]
        self.assertGreater(len(rows), 10)
        for row in rows:
            texts = [path.read_text() for path in paths_of(row)]
            functions = FUNCTION.findall(row)
            self.assertTrue(functions and texts, row)
            for function in functions:
                with self.subTest(function):
                    self.assertTrue(any(defines(text, function) for text in texts))
            for text in texts:
                self.assertTrue(any(defines(text, function) for function in functions), row)

    def test_functions(self):
        files = [*SOURCE.glob("daemon/*/*.c"), *SOURCE.glob("lib/*/*.c")]
        code = "\n".join(path.read_text() for path in files)
        for function in FUNCTION.findall(TEXT):
            with self.subTest(function):
                self.assertTrue(defines(code, function))


if __name__ == "__main__":
    unittest.main()
