#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of mistake in a configuration file: its message, and no action.

The messages are compared as a whole.
"""

import tree
from tree import DROP_IN, MAIN, RULE, rule

# The part of the message about a bad value that names the values of the key.
RANGES = "ranges such as 0x1000000000-0x1fffffffff"
CONFIG_WANTED = {
    "Act": "yes or no",
    "TDX": "auto, active or absent",
    "Guard": "auto, always or never",
    "CapableRanges": RANGES,
    "Present": "safe, act or record",
    "MaxMovableRatio": "kernel, or percent from 0 to 10000",
    "OfflineTimeoutSec": "seconds from 1 to 3600",
}
SIZE = "a size such as 64G"
MATCH_WANTED = {
    "Type": "cxl, hmem, pmem, dimm, virtio-mem, unknown or *",
    "Device": "names such as dax0.* of at most 127 characters",
    "Serial": "numbers such as 0x2a",
    "PciAddress": "addresses such as 0000:35:00.0 of at most 127 characters",
    "Region": "names such as region0 or UUIDs of at most 127 characters",
    "TargetNode": "numbers of nodes",
    "MinSize": SIZE,
    "MaxSize": SIZE,
    "Range": RANGES,
    "Present": "yes or no",
    "Mode": "none, system-ram, devdax, famfs or other",
}
POLICY_WANTED = {
    "Verdict": "online, devdax, offline or ignore",
    "Zone": "kernel, movable or auto",
    "OnFailure": "rollback or keep",
    "ConvertDevdax": "yes or no",
    "OfflineBlocks": "yes or no",
}

LONG = "d" * 128
BAD_BOOLS = ("maybe", "2", "y", "yes no", "yes, no", "'yes'")
BAD_NUMBERS = ("", "-1", "+1", "0x", "0x1g", "1e3", "one", "1.0", "1,2", "18446744073709551616")
BAD_SIZES = ("64GB", "64GiB", "64g", "64 G", "1 2", "-1", "0x", "G", "1.5G", "16777216T", "64K-")
# Not ranges; the last one ends beyond all addresses.
BAD_RANGES = ("everything", "0x100", "0x100-", "-0x100", "0x100-0xff", "0x100 - 0x1ff", "0x-0x1",
              "0x1-0x", "0x100-0x1ff,0x300-0x3ff", "[mem 0x100-0x1ff]", "0x100-0x1ff-0x2ff",
              "100-1ff", "0x0-0x10000000000000000", "0x0-0xffffffffffffffff",
              "0x100-0x1ff 0x300", "0x" + "0" * 126 + "-0x1")  # fmt: skip

CONFIG_BAD = {
    "Act": BAD_BOOLS,
    "TDX": ("ajar", "armed", "Active", "ACTIVE", "auto active", "yes"),
    "Guard": ("yes", "no", "Always", "auto never"),
    "CapableRanges": BAD_RANGES,
    "Present": ("yes", "Safe", "safe act"),
    "MaxMovableRatio": ("10001", "-1", "50 %", "%", "kernel%", "50%%", "Kernel", "1.5", "0x",
                        "18446744073709551616", "1" * 128),
    "OfflineTimeoutSec": ("0", "3601", "-1", "60s", "1 min", "1.5", "18446744073709551617"),
}  # fmt: skip
MATCH_BAD = {
    "Type": ("ssd", "CXL", "cx*", "cxl, hmem", "cxl ssd", "virtio_mem", "**"),
    "Device": (LONG, "dax0.0 " + LONG),
    "Serial": (*BAD_NUMBERS[1:], "mem0", "0x42 x"),
    "PciAddress": (LONG,),
    "Region": (LONG,),
    "TargetNode": (*BAD_NUMBERS[1:], "node1", "1 x"),
    "MinSize": BAD_SIZES,
    "MaxSize": BAD_SIZES,
    "Range": BAD_RANGES,
    "Present": BAD_BOOLS,
    "Mode": ("kmem", "ram", "System-RAM", "system_ram", "devdax,none", "none kmem"),
}
POLICY_BAD = {
    "Verdict": ("Online", "off", "online devdax", "system-ram"),
    "Zone": ("normal", "Movable", "none", "online_movable", "kernel movable"),
    "OnFailure": ("ignore", "Keep", "rollback keep"),
    "ConvertDevdax": BAD_BOOLS,
    "OfflineBlocks": BAD_BOOLS,
}

NEITHER = "the line is not [Section], Key=value or a comment"
NAMELESS = "there is no valid key before the '='"
NO_SECTION = "the name of the section is not valid"
NO_BRACKET = "the section has no ']' at its end"
CONTROL = "there is a control character in the line"
NO_ASCII = "there is a character other than ASCII outside a comment"
TOO_LONG = "the line is too long"
CR_LF = "the line ends with CR LF: save the file with Unix line ends"
BOM = "the file begins with a byte order mark"

# A drop-in, with the message for each line.
LINES = {
    # names
    b"[Daemon]\nGait=auto\n": {2: "unknown key Gait= in section [Daemon]"},
    b"[Daemon]\ntdx=auto\n": {2: "unknown key tdx= in section [Daemon]"},
    b"[Daemon]\nTdx=auto\n": {2: "unknown key Tdx= in section [Daemon]"},
    b"[Daemon]\nVerdict=online\n": {2: "unknown key Verdict= in section [Daemon]"},
    b"[Demon]\nTDX=auto\n": {1: "unknown section [Demon]"},
    b"[daemon]\nTDX=ajar\nGait=auto\n": {1: "unknown section [daemon]"},
    b"[Match]\nType=cxl\n": {1: "unknown section [Match]"},
    b"[Demon]\n[Demon]\n": {1: "unknown section [Demon]", 2: "unknown section [Demon]"},
    b"TDX=auto\n": {1: "TDX= comes before any [Section]"},
    b"# x\n\nTDX=auto\n[Daemon]\n": {3: "TDX= comes before any [Section]"},
    b"Gait=auto\n[Daemon]\n": {1: "Gait= comes before any [Section]"},
    b"[Daemon]\nTDX=auto\n\nTDX=active\n": {4: "TDX= is given twice, first in line 2"},
    b"[Daemon]\nAct=no\nAct=no\nAct=\n": {
        3: "Act= is given twice, first in line 2",
        4: "Act= is given twice, first in line 2",
    },
    b"[Daemon]\nAct=no\n[Daemon]\nTDX=auto\n": {3: "section [Daemon] comes twice, first in line 1"},
    b"[Daemon]\nAct=no\n[Daemon]\nAct=yes\n": {
        3: "section [Daemon] comes twice, first in line 1",
        4: "Act= is given twice, first in line 2",
    },
    # syntax of a line
    b"[Daemon]\nTDX auto\n": {2: NEITHER},
    b"[Daemon]\nTDX: auto\n": {2: NEITHER},
    b"[Daemon]\n; no comment\n": {2: NEITHER},
    b"// no comment\n": {1: NEITHER},
    b"[Daemon]\nTDX # = auto\n": {2: NEITHER},
    b"[Daemon]\nCapableRanges=0x0-0x1 \\\n 0x4-0x5\n": {3: NEITHER},
    b"[Daemon]\n=auto\n": {2: NAMELESS},
    b"[Daemon]\n ;TDX=auto\n": {2: NAMELESS},
    b"[Daemon]\nTDX Mode=auto\n": {2: NAMELESS},
    b"[Daemon]\n" + b"G" * 31 + b"=auto\n": {2: f"unknown key {'G' * 31}= in section [Daemon]"},
    b"[Daemon]\n==\n": {2: NAMELESS},
    b"]\n": {1: NEITHER},
    b"[]\n": {1: NO_SECTION},
    b"[ Daemon ]\n": {1: NO_SECTION},
    b"[[Daemon]]\n": {1: NO_SECTION},
    b"[Dae mon]\n": {1: NO_SECTION},
    b"[" + b"D" * 32 + b"]\n": {1: NO_SECTION},
    b"[" + b"D" * 31 + b"]\n": {1: f"unknown section [{'D' * 31}]"},
    b"[\n": {1: NO_BRACKET},
    b"[Daemon\n": {1: NO_BRACKET},
    b"[Daemon] TDX=auto\n": {1: NO_BRACKET},
    b"[Daemon # ]\n": {1: NO_BRACKET},
    # bytes
    b"[Daemon]\r\nTDX=auto\r\n": {1: CR_LF, 2: CR_LF},
    b"[Daemon]\n\r\n": {2: CR_LF},
    b"[Daemon]\n# x\r\n": {2: CR_LF},
    b"[Daemon]\nTDX=auto\r": {2: CR_LF},
    b"[Daemon]\nTDX=au\rto\n": {2: CONTROL},
    b"[Daemon]\n# x\ry\n": {2: CONTROL},
    b"[Daemon]\nTDX=auto\0\n": {2: CONTROL},
    b"[Daemon]\n\0TDX=auto\n": {2: CONTROL},
    b"[Daemon]\n# \0\n": {2: CONTROL},
    b"\0": {1: CONTROL},
    b"[Daemon]\nTDX=\x01auto\n": {2: CONTROL},
    b"[Daemon]\n# \x1b[2J\n": {2: CONTROL},
    b"[Daemon]\nTDX=auto\x0b\n": {2: CONTROL},
    b"[Daemon]\n\x0c\nTDX=auto\n": {2: CONTROL},
    b"[Daemon]\nTDX=auto\x7f\n": {2: CONTROL},
    "[Daemon]\nTDX=autö\n".encode(): {2: NO_ASCII},
    b"[Daemon]\nTDX=auto\xa0\n": {2: NO_ASCII},
    "[Dæmon]\n".encode(): {1: NO_ASCII},
    "[Daemon]\nTDX=auto\u00a0# x\n".encode(): {2: NO_ASCII},
    "[Daemon]\n\u201cGate\u201d=auto\n".encode(): {2: NO_ASCII},
    b"\xef\xbb\xbf": {1: BOM},
    b"\xef\xbb\xbf# x\n[Daemon]\nTDX=auto\n": {1: BOM},
    b"[Daemon]\n\xef\xbb\xbfTDX=auto\n": {2: NO_ASCII},
    "\ufeff# x\n".encode("utf-16-le"): {1: NO_ASCII, 2: CONTROL},
    b"[Daemon]\n#" + b"x" * 4000 + b"\n": {2: TOO_LONG},
    b"[Daemon]\n" + b" " * 4001 + b"\nTDX=auto\n": {2: TOO_LONG},
    b"[Daemon]\nCapableRanges=" + b"0x0-0x1 " * 500 + b"\n": {2: TOO_LONG},
    # several, in the order of the lines
    b"Act=no\n[Daemon]\nGait=auto\n\nAct=no\nTDX auto\nAct=no\n[Demon]\n": {
        1: "Act= comes before any [Section]",
        3: "unknown key Gait= in section [Daemon]",
        6: NEITHER,
        7: "Act= is given twice, first in line 5",
        8: "unknown section [Demon]",
    },
    b"[Daemon]\n# \x1b[2J\nGait=auto\n": {2: CONTROL, 3: "unknown key Gait= in section [Daemon]"},
    b"[Daemon]\nTDX auto [x]\nGait=auto\n": {2: NEITHER, 3: "unknown key Gait= in section [Daemon]"},
    # bad values are reported only if all lines are valid
    b"[Daemon]\nTDX=ajar\nGait=auto\n": {3: "unknown key Gait= in section [Daemon]"},
    b"[Daemon]\nTDX=ajar\nAct=perhaps\n": {
        2: "TDX=ajar: not auto, active or absent",
        3: "Act=perhaps: not yes or no",
    },
}

# The keys of an invalid section are not reported, as if they belonged to the one before.
INVALID_SECTIONS = {
    b"[Daemon\nTDX=auto\nAct=no\n": {1: NO_BRACKET},
    b"[Dae mon]\nTDX=auto\n": {1: NO_SECTION},
    b"\xef\xbb\xbf[Daemon]\nTDX=auto\n": {1: BOM},
}

MATCH, POLICY = "Type=cxl", "Verdict=ignore"
NO_MATCH = "there is no key in [Match], so it matches nothing (Type=* matches all)"
NO_POLICY = "there is no key in [Policy], so the rule has no effect"
CROSSED = "MinSize= is larger than MaxSize=, so it matches nothing"
ONLY_ONLINE = "{}= has an effect only with Verdict=online"
ONLY_OUT = "OfflineBlocks= has an effect only with Verdict=devdax or offline"

# A rule, with the message for each line.
RULES = {
    # lines, as in a drop-in
    "[Match]\nCarier=cxl\n[Policy]\nVerdict=ignore\n": {2: "unknown key Carier= in section [Match]"},
    rule("Verdict=ignore", "Type=cxl"): {
        2: "unknown key Verdict= in section [Match]",
        4: "unknown key Type= in section [Policy]",
    },
    "[Daemon]\nTDX=auto\n[Match]\nType=cxl\n": {1: "unknown section [Daemon]"},
    "[match]\nType=cxl\n[Policy]\nVerdict=ignore\n": {1: "unknown section [match]"},
    "Type=cxl\n[Policy]\nVerdict=ignore\n": {1: "Type= comes before any [Section]"},
    rule("Type=cxl | Type=hmem", POLICY): {3: "Type= is given twice, first in line 2"},
    rule(MATCH, "Zone=kernel | Verdict=online | Zone=auto"): {
        6: "Zone= is given twice, first in line 4"
    },
    rule(MATCH, POLICY) + "[Match]\nDevice=x\n": {
        5: "section [Match] comes twice, first in line 1"
    },
    rule(MATCH, POLICY).replace("\n", "\r\n"): dict.fromkeys(range(1, 5), CR_LF),
    # the rule as a whole: reported at [Policy], or at line 1 without one
    "# all of it is a comment\n": {1: NO_MATCH},
    "\n": {1: NO_MATCH},
    "[Match]\nType=cxl\n": {1: NO_POLICY},
    "[Match]\nType=cxl\n\n[Policy]\n": {4: NO_POLICY},
    "[Policy]\nVerdict=ignore\n": {1: NO_MATCH},
    "[Match]\n[Policy]\nVerdict=ignore\n": {2: NO_MATCH},
    "[Policy]\nVerdict=ignore\n[Match]\n": {1: NO_MATCH},
    rule("Type=", POLICY): {3: NO_MATCH},
    rule("Type= # cxl | Device= | Range=", POLICY): {5: NO_MATCH},
    rule(MATCH, "Verdict="): {3: NO_POLICY},
    rule(MATCH, "Verdict= | Zone= | OnFailure= | ConvertDevdax= | OfflineBlocks="): {3: NO_POLICY},
    rule(MATCH, "ConvertDevdax=no"): {3: NO_POLICY},
    rule(MATCH, "ConvertDevdax=no | OfflineBlocks=no"): {3: NO_POLICY},
    rule("MinSize=2G | MaxSize=1G", POLICY): {4: CROSSED},
    rule("MaxSize=1023M | MinSize=1G", POLICY): {4: CROSSED},
    rule(MATCH, "Verdict=devdax | Zone=kernel"): {3: ONLY_ONLINE.format("Zone")},
    rule(MATCH, "Verdict=offline | Zone=auto"): {3: ONLY_ONLINE.format("Zone")},
    rule(MATCH, "Verdict=ignore | Zone=movable"): {3: ONLY_ONLINE.format("Zone")},
    rule(MATCH, "Verdict=devdax | OnFailure=keep"): {3: ONLY_ONLINE.format("OnFailure")},
    rule(MATCH, "Verdict=offline | OnFailure=rollback"): {3: ONLY_ONLINE.format("OnFailure")},
    rule(MATCH, "Verdict=ignore | OnFailure=keep"): {3: ONLY_ONLINE.format("OnFailure")},
    rule(MATCH, "Verdict=devdax | ConvertDevdax=yes"): {3: ONLY_ONLINE.format("ConvertDevdax")},
    rule(MATCH, "Verdict=offline | ConvertDevdax=yes"): {3: ONLY_ONLINE.format("ConvertDevdax")},
    rule(MATCH, "Verdict=ignore | ConvertDevdax=on"): {3: ONLY_ONLINE.format("ConvertDevdax")},
    rule(MATCH, "Verdict=online | OfflineBlocks=yes"): {3: ONLY_OUT},
    rule(MATCH, "Verdict=ignore | OfflineBlocks=yes"): {3: ONLY_OUT},
    # of several mistakes, the first in the list of rule_mistake() is reported
    rule("MinSize=2G | MaxSize=1G", "Verdict=ignore | Zone=kernel"): {4: CROSSED},
    # and none of these in a file with a bad value
    rule("Type=ssd", "Verdict=ignore | Zone=kernel"): {
        2: f"Type=ssd: not {MATCH_WANTED['Type']}"
    },
}


class Mistakes(tree.Configured):
    def assert_mistakes(self, path, content, messages):
        with self.subTest(path, content=content):
            self.configure({path: content})
            self.assert_refused(*(f"/{path}:{line}: {text}" for line, text in messages.items()))

    def test_tables_are_complete(self):
        """All keys have bad values."""
        for wanted, bad in ((CONFIG_WANTED, CONFIG_BAD), (MATCH_WANTED, MATCH_BAD),
                            (POLICY_WANTED, POLICY_BAD)):  # fmt: skip
            self.assertEqual(list(wanted), list(bad))

    def test_lines(self):
        for content, messages in LINES.items():
            self.assert_mistakes(DROP_IN, content, messages)

    def test_lines_of_the_main_file(self):
        self.assert_mistakes(MAIN, "[Daemon]\nGait=auto\n", LINES[b"[Daemon]\nGait=auto\n"])

    def test_invalid_sections(self):
        for content, messages in INVALID_SECTIONS.items():
            self.assert_mistakes(DROP_IN, content, messages)
        self.assert_mistakes(RULE, "[Match]\nType=cxl\n[Policy\nVerdict=ignore\n", {3: NO_BRACKET})

    def test_rules(self):
        for content, messages in RULES.items():
            self.assert_mistakes(RULE, content, messages)

    def test_values(self):
        for key, values in CONFIG_BAD.items():
            for value in values:
                self.assert_mistakes(DROP_IN, f"[Daemon]\n{key}={value}\n",
                                     {2: f"{key}={value}: not {CONFIG_WANTED[key]}"})  # fmt: skip

    def test_values_of_rules(self):
        for key, values in MATCH_BAD.items():
            for value in values:
                self.assert_mistakes(RULE, rule(f"{key}={value}", POLICY),
                                     {2: f"{key}={value}: not {MATCH_WANTED[key]}"})  # fmt: skip
        for key, values in POLICY_BAD.items():
            for value in values:
                self.assert_mistakes(RULE, rule(MATCH, f"{key}={value}"),
                                     {4: f"{key}={value}: not {POLICY_WANTED[key]}"})  # fmt: skip

    def test_long_value(self):
        """A value too long for the message is truncated, and the valid values are still named."""
        self.configure({DROP_IN: "[Daemon]\nCapableRanges=" + "0x10-0x1f " * 100 + "all\n"})
        result = tree.run(self.root, "--check-config")
        self.assertIn(f"/{DROP_IN}:2: CapableRanges=0x10-0x1f ", result.stderr)
        self.assertIn(f": not {RANGES}\n", result.stderr)

    def test_too_many(self):
        """After 20 mistakes in one file the rest of it is not read; the next file is."""
        keys = "".join(f"Key{chr(ord('A') + i)}=\n" for i in range(25))
        other = "etc/tdx-onlined/conf.d/20-b.conf"
        messages = [f"/{DROP_IN}:{i + 2}: unknown key Key{chr(ord('A') + i)}= in section [Daemon]"
                    for i in range(25)]  # fmt: skip
        self.configure({DROP_IN: "[Daemon]\n" + keys, other: "[Daemon]\nGait=auto\n"})
        self.assert_refused(*messages[:20], f"/{DROP_IN}:21: too many mistakes, the rest is not read",
                            f"/{other}:2: unknown key Gait= in section [Daemon]")  # fmt: skip
        self.configure({DROP_IN: "[Daemon]\n" + "".join(keys.splitlines(True)[:19])})
        self.assert_refused(*messages[:19])

    def test_too_long(self):
        """A file of 64 KiB is read, one with a byte more is not."""
        line = "#" + "x" * 62 + "\n"
        self.configure({DROP_IN: line * 1024})
        self.assert_accepted()
        for size in (64 * 1024 + 1, 16 << 20):
            self.configure({DROP_IN: (line * (size // 64 + 1))[:size]})
            self.assert_refused(f"/{DROP_IN}: longer than 65536 bytes")
            self.configure({RULE: (line * (size // 64 + 1))[:size]})
            self.assert_refused(f"/{RULE}: longer than 65536 bytes")

    def test_all_files(self):
        """The mistakes of all files: drop-ins after the main file, then the rules, by name."""
        late = "usr/lib/tdx-onlined/conf.d/05-z.conf"
        later = "usr/lib/tdx-onlined/rules.d/20-b.rule"
        self.configure({
            RULE: rule("Type=ssd", POLICY),
            later: rule(MATCH, "Zone=low"),
            DROP_IN: "[Daemon]\nAct=perhaps\n",
            late: "[Daemon]\nTDX=ajar\n",
            MAIN: "Act=no\n",
        })  # fmt: skip
        self.assert_refused(
            f"/{MAIN}:1: Act= comes before any [Section]",
            f"/{late}:2: TDX=ajar: not auto, active or absent",
            f"/{DROP_IN}:2: Act=perhaps: not yes or no",
            f"/{RULE}:2: Type=ssd: not {MATCH_WANTED['Type']}",
            f"/{later}:4: Zone=low: not kernel, movable or auto",
        )

    def test_one_mistake(self):
        """A valid key beside an invalid one, a valid file beside an invalid one: none takes effect."""
        self.configure({MAIN: "[Daemon]\nTDX=active\n", DROP_IN: "[Daemon]\nAct=no\nPresent=on\n",
                        RULE: rule(MATCH, POLICY)})  # fmt: skip
        self.assert_refused(f"/{DROP_IN}:3: Present=on: not safe, act or record")


if __name__ == "__main__":
    tree.main()
