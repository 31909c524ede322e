#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The built journal catalog: journalctl(1) accepts it, and it agrees with the daemon and the man page."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
REASONS = TOP / "lib/policy/reason.c"
MAN = TOP / "man/tdx-onlined-journal.7.scd"
CATALOG = pathlib.Path(os.environ.get("CATALOG", "build/systemd/tdx-onlined.catalog"))
TOOLS = "cat|daxctl|echo|fuser|grep|journalctl|lsmem|printf|readlink|systemctl|tdx-onlinectl|@TDXO_REMOVAL@"


def entries():
    """The entries by message id."""
    parts = re.split(r"^-- ([0-9a-f]{32})$", CATALOG.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


class Catalog(unittest.TestCase):
    def test_ids(self):
        """An entry for each message id of the daemon, and no other."""
        sources = [(TOP / "daemon/output/journal.c").read_text(), REASONS.read_text()]
        ids = re.findall(r'"([0-9a-f]{32})"', "".join(sources))
        self.assertEqual(sorted(entries()), sorted(ids))

    def test_reasons(self):
        """The man page has each reason with the verdicts of the unit tests."""
        section = MAN.read_text().split("# REASONS")[1].split("\n\n")[1]
        documented = {reason: set(re.findall("online|devdax|offline|ignore", verdicts))
                      for reason, verdicts in re.findall(r"^\|  (\S+)\n:  (.*)$", section, flags=re.MULTILINE)}  # fmt: skip
        words = {"D": "devdax", "O": "offline", "I": "ignore", "1U << VERDICT_ONLINE": "online"}
        table = (TOP / "tests/unit/verdicts.h").read_text()
        names = dict(re.findall(r'\[(REASON_\w+)\] = \{\s*"([a-z-]+)"', REASONS.read_text()))
        self.assertEqual(documented, {
            names[reason]: {words[word] for word in verdicts.split(" | ")}
            for reason, verdicts in re.findall(r"\[(REASON_\w+)\] = (.*),", table)})  # fmt: skip

    def test_man_page(self):
        """The man page has each message id, with the reason if it has one."""
        text = MAN.read_text()
        self.assertEqual(set(re.findall("[0-9a-f]{32}", text)), set(entries()))
        for row in re.split(r"\n\t\[", REASONS.read_text())[1:]:
            reason = re.search(r'"([a-z-]+)"', row)[1]
            for message_id in re.findall("[0-9a-f]{32}", row):
                self.assertRegex(text, rf"\|  {reason}(, no dax)?\n:  {message_id}")

    def test_fields(self):
        """Each variable of the catalog is a field that the daemon writes."""
        names = set()
        for source in ("daemon/output/journal.c", "lib/record/record.c", "lib/record/remedy.c"):
            text = (TOP / source).read_text()
            names |= {name.upper() for name in re.findall(r'"([a-z_]+)"', text)} | set(re.findall(r"TDXO_([A-Z_]+)=", text))
        self.assertEqual(set(re.findall(r"@TDXO_([A-Z_]+)@", CATALOG.read_text())) - names, set())
        self.assertEqual(CATALOG.read_text().count("@") % 2, 0)

    def test_text(self):
        """No rest of the template, no long line, and each command on a line of its own."""
        text = CATALOG.read_text()
        self.assertNotRegex(text, "(?m)^REASON")
        self.assertEqual([line for line in text.splitlines() if len(line) > (100 if line[0:1] == " " else 80)], [])
        self.assertNotRegex(text, r"(?m)^\S.*'(systemctl|fuser|tdx-onlinectl|daxctl|echo|printf) ")

    def test_commands(self):
        """A shell can parse the commands of each entry."""
        for entry in entries().values():
            commands = re.findall(rf"^  (?:{TOOLS}) .*(?:(?:\\\n|&&\n).*)*", entry, flags=re.MULTILINE)
            self.assertTrue(commands)
            subprocess.run(["bash", "-n"], input="\n".join(commands), text=True, check=True)

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
