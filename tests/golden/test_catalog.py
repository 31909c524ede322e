#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The journal catalog as it is built: journalctl(1) takes it, and it fits the daemon and its texts."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
CATALOG = pathlib.Path(os.environ.get("CATALOG", "build/systemd/tdx-onlined.catalog"))

# The entries with a list of reasons; that of kernel-refused is for all verdicts but online.
VERDICTS = {
    "Memory is allowed to be online": ["online"],
    "Memory is kept as devdax": ["devdax"],
    "Memory is left offline": ["offline"],
    "Memory is left as it is": ["ignore"],
}


def entries():
    """For each message id its entry."""
    parts = re.split(r"^-- ([0-9a-f]{32})$", CATALOG.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


class Catalog(unittest.TestCase):
    def test_ids(self):
        """An entry for each message id of the daemon, and no other."""
        source = (TOP / "daemon/output/journal.c").read_text()
        ids = {"".join(match.split(", ")) for match in re.findall(r"SD_ID128_MAKE_STR\((.*?)\)", source)}
        self.assertEqual(set(entries()), ids)

    def test_reasons(self):
        """Each reason of the man page is in the entries of its verdicts; kernel-refused has its own."""
        table = (TOP / "man/tdx-onlined-journal.7.scd").read_text().split("# REASONS")[1].split("\n\n")[1]
        rows = re.findall(r"^\|  (\S+)\n:  (.*)$", table, flags=re.MULTILINE)
        wanted = {(reason, verdict) for reason, verdicts in rows for verdict in re.findall(
            "online|devdax|offline|ignore", verdicts)}  # fmt: skip
        found = set()
        for entry in entries().values():
            subject = re.search("^Subject: (.*?)(:|$)", entry, flags=re.MULTILINE)[1]
            verdicts = VERDICTS.get(subject, ("devdax", "offline", "ignore"))
            for reason in re.findall(r"^  ([a-z-]+)\n    [A-Z]", entry, flags=re.MULTILINE):
                self.assertEqual(subject in VERDICTS, reason != "kernel-refused")
                found |= {(reason, verdict) for verdict in verdicts}
        self.assertEqual(found, wanted)

    def test_text(self):
        """No line of the template is left, none is too long, and no command in quotes is broken."""
        text = CATALOG.read_text()
        self.assertNotRegex(text, "(?m)^REASON")
        self.assertEqual([line for line in text.splitlines() if len(line) > 80], [])
        self.assertNotRegex(text, r"(?m)^    .*'(systemctl|fuser|tdx-onlined)[^']*$")

    @unittest.skipUnless(shutil.which("journalctl"), "no journalctl")
    def test_update(self):
        with tempfile.TemporaryDirectory() as root:
            directory = pathlib.Path(root, "usr/lib/systemd/catalog")
            directory.mkdir(parents=True)
            shutil.copy(CATALOG, directory)
            for option in ("--update-catalog", "--list-catalog"):
                result = subprocess.run(["journalctl", f"--root={root}", option], check=True, text=True,
                                        capture_output=True)  # fmt: skip
            self.assertEqual({line.split()[0] for line in result.stdout.splitlines()}, set(entries()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
