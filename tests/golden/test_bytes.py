#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random bytes in a configuration file: the file is accepted, or a message names it. The seed is fixed; a
longer run can have another one, and more files:

    TDX_SEED=7 TDX_FILES=10000 test_bytes.py
"""

import os
import random

import tree
from tree import DROP_IN, MAIN, NO_USE, RULE

SEED = int(os.environ.get("TDX_SEED", "20240"))
FILES = int(os.environ.get("TDX_FILES", "360"))

GOOD = {
    DROP_IN: b"""# drop-in
[Daemon]
Act = yes
TDX=auto # as found
Guard=always
CapableRanges=0x1000000000-0x1fffffffff 0x3000000000-0x3fffffffff

Present=safe
MaxMovableRatio=50%
OfflineTimeoutSec="60"
""",
    RULE: b"""# rule
[Match]
Type=cxl hmem
Device=dax0.* dax1.0
Serial=0x2a 43
PciAddress=0000:35:00.*
Region=region0
TargetNode=1 2
MinSize=1G
MaxSize=64G
Range=0x1000000000-0x1fffffffff
Present=no
Mode=none system-ram

[Policy]
Verdict=online
Zone=movable
OnFailure=keep
ConvertDevdax=yes
""",
}
GOOD[MAIN] = GOOD[DROP_IN]
WORDS = (b"", b"=", b"[", b"]", b"[]", b"#", b'"', b"''", b"\\", b"\t", b"  ", b"\n", b"\r\n", b"\0",
         b"\xff", b"\xef\xbb\xbf", b"%s%n", b"%", b"*", b"[!", b"0x", b"-1", b"18446744073709551615",
         b"0xffffffffffffffff", b"99999999999999999999", b"0x0-0x0", b"0-0-0", b"16777216T", b"[Match]",
         b"[Policy]", b"[Daemon]", b"Verdict=", b"Type=*", b"Zone", b"online", b"yes", b"x" * 127,
         b"x" * 128, b"x" * 4000, b"y " * 3000, b"\x1b[31m", b"\xc3\xa4", b"${HOME}", b"$(id)", b"../../")  # fmt: skip


def random_bytes(rng, content):
    return rng.randbytes(rng.choice((1, 10, 100, 1000, 65536, 70000)))


def random_letters(rng, content):
    """Printable bytes: more of these files are read to the end."""
    letters = b"[]=#\n\n\n \t\"'ADGMPVaeimnoty0x-19.*?"
    return bytes(rng.choices(letters, k=rng.choice((10, 100, 1000))))


def random_lines(rng, content):
    """Lines of valid files in random order, each once or more."""
    lines = [line for text in GOOD.values() for line in text.splitlines(True)]
    return b"".join(rng.choices(lines, k=rng.randint(1, 30)))


def flip_bits(rng, content):
    data = bytearray(content)
    for _ in range(rng.randint(1, 5)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def insert(rng, content):
    at = rng.randint(0, len(content))
    return content[:at] + rng.choice(WORDS) + content[at:]


def cut(rng, content):
    at = rng.randint(0, len(content))
    return content[:at] + content[at + rng.choice((1, 2, 10, len(content))) :]


def change_lines(rng, content):
    lines = content.splitlines(True)
    at = rng.randrange(len(lines))
    line = lines[at]
    lines[at : at + 1] = rng.choice(([], [line, line], [b" " + line], [line.lower()], [line.rstrip()],
                                     [b"   \n", line], [line, b"\t# x\n"], [line.rstrip() + b"\r\n"]))  # fmt: skip
    return b"".join(lines)


def change_value(rng, content):
    lines = content.splitlines(True)
    at = rng.choice([i for i, line in enumerate(lines) if b"=" in line] or [0])
    words = b" ".join(rng.choices(WORDS, k=rng.randint(1, 4)))
    lines[at] = lines[at].split(b"=")[0] + b"=" + words + b"\n"
    return b"".join(lines)


def repeat(rng, content):
    return content * rng.choice((2, 3, 500))


MAKERS = (random_bytes, random_letters, random_lines, flip_bits, insert, cut, change_lines,
          change_value, change_value, repeat)  # fmt: skip


def mutate(rng, path):
    """A valid file with one change, seldom with more than three."""
    content = GOOD[path]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(MAKERS)(rng, content or b"\n")
    return content


def value(line):
    """The value in a line, by a reader of its own."""
    text = line.split("#")[0].split("=", 1)[1].strip(" \t")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


class Bytes(tree.Configured):
    def assert_sane(self, path, result):
        """No message, or only messages of the program about this file."""
        lines = result.stderr.splitlines()
        self.assertIn(result.returncode, (0, 1))
        for line in lines:
            self.assertTrue(line.startswith("tdx-onlined: "), line)
        if result.returncode == 0:
            self.assertEqual(lines, [])
            return
        self.assertEqual(result.stdout, "")
        self.assertTrue(lines[0].startswith(f"tdx-onlined: /{path}:"), lines)
        if lines[-1] == f"tdx-onlined: {NO_USE}":
            lines.pop()
        for line in lines:
            self.assertTrue(line.startswith(f"tdx-onlined: /{path}:"), line)

    def assert_values(self, path, lines):
        """Each value in effect is that of the line which config cat names."""
        result = tree.run(self.root, "config", "cat")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        printed = result.stdout.split("\n")
        for origin, setting in zip(printed, printed[1:], strict=False):
            if path == RULE or not origin.startswith(f"# /{path}:"):
                continue
            line = lines[int(origin.rsplit(":", 1)[1]) - 1]
            key, printed_value = setting.split("=", 1)
            self.assertEqual(line.split("=")[0].strip(" \t"), key)
            if value(line):  # else it is the default
                self.assertEqual(printed_value, value(line))

    def test_unchanged(self):
        """The files that are changed are valid."""
        for path, content in GOOD.items():
            self.configure({path: content})
            rules = int(path == RULE)
            self.assert_run(["--check-config"], (0, f"No mistake found, {rules} rules.\n", []))

    def test_any_bytes(self):
        rng = random.Random(SEED)
        machine = {True: self.root, False: self.tree("cxl-guard")}
        good = 0
        for i in range(FILES):
            path = rng.choice((DROP_IN, DROP_IN, MAIN, RULE, RULE, RULE))
            content = mutate(rng, path)
            with self.subTest(i, path=path, content=content[:300]):
                self.root = machine[True]
                self.configure({path: content})
                result = tree.run(self.root, "--check-config")
                self.assert_sane(path, result)
                if result.returncode:
                    continue
                good += 1
                self.root = machine[False]
                self.configure({path: content})
                self.assertEqual(len(self.decide()[0]["ranges"]), 1)
                self.assert_values(path, content.decode("latin-1").split("\n"))
        print(f"{good} of {FILES} good ... ", end="", flush=True)
        self.assertGreater(good, FILES // 20)


if __name__ == "__main__":
    tree.main()
