#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Valid values of all keys, and the ways to write them."""

import tree
from tree import DROP_IN, RULE, rule

BOOLS = ("yes", "no", "true", "false", "on", "off", "1", "0", "YES", "No", "oFF")
SIZES = ("0", "1", "536870912", "0x20000000", "1K", "1M", "64G", "1T", "0x10G", "16777215T",
         "18446744073709551615", "010G")  # fmt: skip
# A leading 0 does not make a number octal.
RANGES = ("0x1000000000-0x1fffffffff", "0x0-0x0", "0-1", "010-020", "08-09", "0X10-0X1F",
          "0x0-0xfffffffffffffffe", "0x1000-0x1fff  0x3000-0x3fff\t0x5000-0x5fff",
          " ".join(f"{2 * i}-{2 * i}" for i in range(300)))  # fmt: skip
NUMBERS = ("0", "42", "0x2a", "0X2A", "18446744073709551615", "1 2 0x3")
NAMES = ("dax0.0", "dax0.*", "dax[0-9].0 dax1.?", "d" * 127, "[", "*", "a=b", "'x'")

CONFIG_GOOD = {
    "Act": BOOLS,
    "TDX": ("auto", "active", "absent"),
    "Guard": ("auto", "always", "never"),
    "CapableRanges": RANGES,
    "Present": ("safe", "act", "record"),
    "MaxMovableRatio": ("kernel", "0", "0%", "50", "50%", "10000", "10000%", "0x32"),
    "OfflineTimeoutSec": ("1", "60", "3600", "0x3c"),
}
MATCH_GOOD = {
    "Type": ("cxl", "hmem", "pmem", "dimm", "virtio-mem", "unknown", "*", "cxl hmem", "cxl *"),
    "Device": NAMES,
    "Serial": NUMBERS,
    "PciAddress": ("0000:35:00.0", *NAMES),
    "Region": ("region0", "6b47e572-8a84-4c64-a83c-037cc358038d", *NAMES),
    "TargetNode": NUMBERS,
    "MinSize": SIZES,
    "MaxSize": SIZES,
    "Range": RANGES,
    "Present": BOOLS,
    "Mode": ("none", "system-ram", "devdax", "famfs", "other", "none devdax"),
}
POLICY_GOOD = {
    "Verdict": ("online", "devdax", "offline", "ignore"),
    "Zone": ("kernel", "movable", "auto"),
    "OnFailure": ("rollback", "keep"),
    "ConvertDevdax": ("yes", "true", "on", "1", "YES"),
    "OfflineBlocks": ("yes", "true", "on", "1", "Yes"),
}
DEFAULTS = {
    "Act": "yes",
    "TDX": "auto",
    "Guard": "auto",
    "CapableRanges": "",
    "Present": "safe",
    "MaxMovableRatio": "kernel",
    "OfflineTimeoutSec": "60",
}

# A drop-in, and the values that it sets, each with its line.
WRITTEN = {
    # blanks
    "[Daemon]\nTDX=active\n": {"TDX": ("active", 2)},
    "[Daemon]\nTDX=active": {"TDX": ("active", 2)},
    "[Daemon]\nTDX = active \n": {"TDX": ("active", 2)},
    "[Daemon]\n\t TDX\t=\t active\t \nAct=no\n": {"TDX": ("active", 2), "Act": ("no", 3)},
    " [Daemon]\t\n  TDX=active\n": {"TDX": ("active", 2)},
    "\n\n[Daemon]\n\nTDX=active\n\n\nAct=no\n\n": {"TDX": ("active", 5), "Act": ("no", 8)},
    "[Daemon]\nCapableRanges=\t0x0-0x1 \t 0x4-0x5\t\n": {"CapableRanges": ("0x0-0x1 \t 0x4-0x5", 2)},
    # comments
    "# x\n[Daemon] # x\n# Act=no\n#[Demon]\nTDX=active # Act=no\n": {"TDX": ("active", 5)},
    "[Daemon]# x\nTDX=active# x\n": {"TDX": ("active", 2)},
    "[Daemon]\nTDX=active # a # b\nAct=no # a # b # c": {"TDX": ("active", 2), "Act": ("no", 3)},
    "[Daemon]#]\nTDX=active#active # absent = # #\n": {"TDX": ("active", 2)},
    "# \u00e4\u00f6\u00fc \u20ac \ud83d\ude00\n[Daemon]\nTDX=active # gr\u00fcn\n"
    .encode("utf-8", "surrogatepass"): {"TDX": ("active", 3)},
    b"# \xff\xfe\x80 latin \xe4\n[Daemon]\nTDX=active # \xe4\n": {"TDX": ("active", 3)},
    "#" + "x" * 3999 + "\n[Daemon]\nTDX=active" + " " * 3989 + "\n": {"TDX": ("active", 3)},
    # an empty value is the default
    "[Daemon]\nTDX=\nAct= \nCapableRanges=\t# 0x0-0x1\nPresent=#act\nMaxMovableRatio= # x\n"
    "OfflineTimeoutSec=": {
        "TDX": ("auto", 2), "Act": ("yes", 3), "CapableRanges": ("", 4), "Present": ("safe", 5),
        "MaxMovableRatio": ("kernel", 6), "OfflineTimeoutSec": ("60", 7)},
    # quotes around a value are removed
    '[Daemon]\nTDX="active"\n': {"TDX": ("active", 2)},
    '[Daemon]\nTDX = "active" # x\nAct=""\n': {"TDX": ("active", 2), "Act": ("yes", 3)},
    '[Daemon]\nCapableRanges="0x0-0x1 0x4-0x5"\n': {"CapableRanges": ("0x0-0x1 0x4-0x5", 2)},
    # empty files
    "[Daemon]\n": {},
    "\n": {},
    "#\n": {},
    " \t\n": {},
    "# all of it\n# is comment": {},
}  # fmt: skip

# Blank lines and indented comments: ignored in all places.
NOTHING = ("   \n", "\t\n", " \n \n", "  # x\n", "\t# Act=perhaps\n", "\n  # x\n", "  #\n  \n")


class Values(tree.Configured):
    def assert_values(self, content, values):
        with self.subTest(content=content):
            self.configure({DROP_IN: content})
            lines = ["[Daemon]"]
            for key, default in DEFAULTS.items():
                value, line = values.get(key, (default, 0))
                lines += [f"# /{DROP_IN}:{line}" if line else "# default", f"{key}={value}"]
            self.assert_run(["config", "cat"], (0, "\n".join([*lines, ""]), []))

    def assert_rule(self, content):
        with self.subTest(content=content):
            self.configure({RULE: content})
            self.assert_accepted(rules=1)

    def test_defaults(self):
        self.assert_values("", {})

    def test_values(self):
        for key, values in CONFIG_GOOD.items():
            for value in values:
                self.assert_values(f"[Daemon]\n{key}={value}\n", {key: (value, 2)})

    def test_values_of_rules(self):
        for key, values in MATCH_GOOD.items():
            for value in values:
                self.assert_rule(rule(f"{key}={value}", "Verdict=ignore"))
        for key, values in POLICY_GOOD.items():
            for value in values:
                self.assert_rule(rule("Type=cxl", f"{key}={value}"))

    def test_rules_as_a_whole(self):
        """Combinations of keys in [Policy], sections in any order, empty keys."""
        for policy in ("Verdict=online | Zone=kernel | OnFailure=keep | ConvertDevdax=yes",
                       "Zone=kernel | OnFailure=rollback | ConvertDevdax=yes | OfflineBlocks=yes",
                       "Verdict=devdax | OfflineBlocks=yes", "Verdict=offline | OfflineBlocks=yes",
                       "Verdict=devdax | ConvertDevdax=no | OfflineBlocks=no",
                       "Verdict=ignore | Zone= | OnFailure="):  # fmt: skip
            self.assert_rule(rule("Type=cxl | Device=", policy))
        self.assert_rule("[Policy]\nVerdict=ignore\n[Match]\nType=cxl\n")
        self.assert_rule(rule("MinSize=1G | MaxSize=1024M", "Verdict=ignore"))
        self.assert_rule(rule('Device="dax0.0 dax1.0"', 'Verdict="ignore"'))

    def test_ways_to_write(self):
        for content, values in WRITTEN.items():
            self.assert_values(content, values)

    def test_ignored_lines(self):
        """Ignored lines in all places."""
        lines = ["[Daemon]\n", "TDX=active\n", "Act=\n", 'Present="act"\n']
        for nothing in NOTHING:
            n = nothing.count("\n")
            for at in range(len(lines) + 1):
                moved = [line + (n if line > at else 0) for line in (1, 2, 3, 4)]
                self.assert_values("".join([*lines[:at], nothing, *lines[at:]]),
                                   {"TDX": ("active", moved[1]), "Act": ("yes", moved[2]),
                                    "Present": ("act", moved[3])})  # fmt: skip

    def test_rule_with_ignored_lines(self):
        """Ignored lines are not part of the value before them: the rule still matches."""
        lines = rule("Device=dax0.0 | Region=", "Verdict=ignore | OnFailure=").splitlines(True)
        self.tree("cxl-guard")
        for nothing in NOTHING:
            for at in range(len(lines) + 1):
                content = "".join([*lines[:at], nothing, *lines[at:]])
                with self.subTest(content=content):
                    self.configure({RULE: content})
                    self.assert_verdicts(self.decide()[0], ("cxl", "ignore", "rule"))


if __name__ == "__main__":
    tree.main()
