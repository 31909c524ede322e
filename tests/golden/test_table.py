#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table: columns, raw values against the JSON report, the tree, and colours."""

import re
import subprocess

import tree
from test_rules import CAPABLE, ZONEINFO
from tree import BINARY, DROP_IN, RULE, rule

DEFAULT = ["RANGE", "SIZE", "TYPE", "CHARDEV", "NODE", "VERDICT", "REASON", "RESULT"]
DEFAULT_TREE = ["NAME", *(title for title in DEFAULT if title not in ("RANGE", "CHARDEV"))]

# Configurations that give rows values in more columns.
CONFIGURATIONS = (
    {},
    {DROP_IN: "[Daemon]\nAct=no\n"},
    {RULE: rule("Type=*", "Verdict=online")},
    {RULE: rule("Type=*", "Verdict=online | Zone=movable"), DROP_IN: "[Daemon]\nMaxMovableRatio=0\n"},
    {RULE: rule("Type=*", "Verdict=devdax")},
    {DROP_IN: CAPABLE, RULE: rule("Type=*", "Zone=movable"), "proc/zoneinfo": ZONEINFO},
)

# Columns without a value in a dry run, and keys whose name differs from that of their column.
NEVER = {"ANSWER"}
ELSEWHERE = {"NODE": "target_node", "MEMBLOCKS": "total_memblocks", "ONLINE": "online_memblocks"}
MEMDEV = {"MEMDEV": "memdev", "SERIAL": "serial", "HOST": "host"}


def text_of_range(start, size):
    return f"{start:#x}-{start + size - 1:#x}" if start is not None else "-"


def text_of(value):
    """A JSON value as a table shows it."""
    return "-" if value is None else str(value)


def row_of(titles, report, item):
    """The expected row for the object of a range."""
    made = {
        "NAME": text_of_range(item["start"], item["size"]),
        "RANGE": text_of_range(item["start"], item["size"]),
        "WINDOW": text_of_range(item["window_start"], item["window_size"]),
        "TDX": report["tdx"]["state"],
    }
    for title, key in MEMDEV.items():
        values = [text_of(memdev[key]) for memdev in item["memdevs"]]
        made[title] = ",".join(values) or "-"
    for title in set(titles) - set(made):
        made[title] = text_of(item[ELSEWHERE.get(title, title.lower())])
    return [made[title] for title in titles]


def unescape(value):
    """Undo the \\xNN of raw output: blanks, backslashes, unprintable bytes."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), value)


class Table(tree.Tree):
    def dry_run(self, *options, **environment):
        """The lines of a dry run without messages."""
        result = subprocess.run([BINARY, f"--root={self.root}", "--dry-run", *options],
                                capture_output=True, text=True, check=False,
                                env={**tree.ENVIRONMENT, **environment})  # fmt: skip
        self.assertEqual((result.returncode, result.stderr), (0, ""), options)
        return result.stdout.splitlines()

    def raw(self, *options):
        return [line.split(" ") for line in self.dry_run("--raw", *options)]

    def with_two_ranges(self):
        """A device with two mappings in the same window that are not adjacent."""
        self.tree("cxl-online")
        dax = next((self.root / "sys/devices").rglob("dax0.0"))
        (dax / "size").write_text(f"{640 << 20}\n")
        (dax / "mapping1").mkdir()
        for name, content in (("start", 0x610000000), ("end", 0x617FFFFFF), ("page_offset", 0x20000)):
            (dax / "mapping1" / name).write_text(f"{content:#x}\n")

    def with_unreadable_range(self):
        self.tree("cxl-refused")
        dax = next((self.root / "sys/devices").rglob("dax0.0"))
        (dax / "mapping0/start").unlink()
        (dax / "resource").unlink()
        self.forget("proc/iomem")


class Values(Table):
    def compare(self, *options):
        """Compare all columns of all rows with the report. Returns the columns that had a value."""
        report, _ = self.decide(*options)
        rows = self.raw("--output-all", "--bytes", *options)
        if not report["ranges"]:
            self.assertEqual(rows, [])
            return set()
        titles, *rows = rows
        self.assertEqual(len(rows), len(report["ranges"]))
        for row, item in zip(rows, report["ranges"]):
            self.assertEqual([unescape(value) for value in row], row_of(titles, report, item))
        return {title for row in rows for title, value in zip(titles, row) if value != "-"}

    def test_all_columns(self):
        """All rows agree with their JSON objects, and each column has a value in some tree."""
        seen = set()
        for root in sorted(tree.SYSROOTS.iterdir()):
            if not root.is_dir():
                continue
            self.tree(root.name)
            for files in CONFIGURATIONS:
                self.configure(files)
                for options in ([], ["--tdx=active"], ["--tdx=absent"]):
                    with self.subTest(tree=root.name, files=files, options=options):
                        seen |= self.compare(*options)
        titles = {line.split()[0] for line in help_columns()}
        self.assertEqual(titles - seen, NEVER)

    def test_odd_ranges(self):
        self.with_two_ranges()
        self.compare()

    def test_unreadable_range(self):
        """A range of which only the size is known."""
        self.with_unreadable_range()
        result = tree.run(self.root, "--dry-run", "-rn", "-o", "range,size,name,verdict")
        self.assertEqual(result.stdout, "- 512\\x20MiB - ignore\n")
        result = tree.run(self.root, "--dry-run", "-nT", "-o", "name,size")
        self.assertEqual(result.stdout.splitlines()[2:], ["  \u2514\u2500dax0.0" + " " * 25 + "512 MiB",
                                                          "    \u2514\u2500-" + " " * 28 + "512 MiB"])  # fmt: skip


def help_columns():
    """The lines of --help about columns."""
    return tree.run_plain("--help").stdout.split("\nColumns:\n")[1].split("\n\n")[0].splitlines()


class Columns(Table):
    def setUp(self):
        super().setUp()
        self.tree("cxl-guard")

    def titles(self, *options):
        return self.raw(*options)[0]

    def test_lists(self):
        for options, titles in (
            ([], DEFAULT),
            (["-o", "size"], ["SIZE"]),
            (["--output=Size,VERDICT,rAnGe"], ["SIZE", "VERDICT", "RANGE"]),
            (["-o", "size,node,size"], ["SIZE", "NODE"]),
            (["-o", "+rule,host"], [*DEFAULT, "RULE", "HOST"]),
            (["-o", "+rule,size,rule"], [*DEFAULT, "RULE"]),
            (["-o", "size", "-o", "node"], ["NODE"]),
            (["-o", "size", "-o", "+node"], ["SIZE", "NODE"]),
            (["-o", "+rule", "-o", "+zone"], [*DEFAULT, "RULE", "ZONE"]),
            (["-o", "+rule", "-o", "zone"], ["ZONE"]),
            (["-O", "-o", "zone"], ["ZONE"]),
        ):
            with self.subTest(options):
                self.assertEqual(self.titles(*options), titles)
        every = [line.split()[0] for line in help_columns()]
        for options in (["-O"], ["--output-all"], ["-o", "zone", "-O"], ["-O", "-o", "+rule"]):
            self.assertEqual(self.titles(*options), every)
        self.assertEqual(self.titles("-o", ",".join(every).lower()), every)

    def test_manual(self):
        """The man page has the columns of --help, in the same order."""
        manual = (tree.TESTS.parent / "man/tdx-onlinectl.1.scd").read_text()
        section = manual.split("\n# COLUMNS\n")[1].split("\n# ")[0]
        self.assertEqual(re.findall(r"^\|  (\w+)$", section, re.MULTILINE),
                         [line.split()[0] for line in help_columns()])  # fmt: skip

    def test_default_columns(self):
        self.assertEqual(self.dry_run("-o", ",".join(DEFAULT)), self.dry_run())

    def test_order_and_alignment(self):
        """Titles of numbers and numbers are right-aligned."""
        self.assertEqual(self.dry_run("-o", "verdict,node,online,chardev")[1:],
                         ["VERDICT NODE ONLINE CHARDEV", "devdax     1      0 dax0.0"])  # fmt: skip

    def test_noheadings(self):
        every = self.dry_run()
        self.assertEqual(self.dry_run("-n"), every[2:])
        self.assertEqual(self.dry_run("--noheadings", "--raw", "-o", "chardev,size"), ["dax0.0 64\\x20GiB"])

    def test_bytes(self):
        """--bytes changes sizes only."""
        titles = ("size", "range", "memblocks", "node")
        self.assertEqual(self.raw("-bn", "-o", ",".join(titles)), [
            [f"{64 << 30}", "0x5d0000000-0x15cfffffff", "0", "1"]])  # fmt: skip
        self.assertEqual(self.dry_run("-n", "--bytes", "-o", "size,chardev"), [f"{64 << 30} dax0.0"])

    def test_no_range(self):
        """Without a range there is no row, and with --noheadings no text."""
        self.tree("plain-host")
        for options in (["-n"], ["-r"], ["-nT"], ["-rn", "-O"]):
            self.assertEqual(self.dry_run(*options), [])
        self.assertEqual(self.dry_run("-o", "rule")[1:], ["No memory arrived after boot: nothing to do."])

    def test_wrong(self):
        for options, message in (
            (["-o", "frob"], "--output=frob: unknown column 'frob'"),
            (["-o", ""], "--output=: unknown column ''"),
            (["-o", "+"], "--output=+: unknown column ''"),
            (["-o", "size,"], "--output=size,: unknown column ''"),
            (["-o", ",size"], "--output=,size: unknown column ''"),
            (["-o", "size,si,node"], "--output=size,si,node: unknown column 'si'"),
            (["-o", "sizes"], "--output=sizes: unknown column 'sizes'"),
            (["-o", "size,+node"], "--output=size,+node: unknown column '+node'"),
            (["-o", "x", "-o", "size"], "--output=x: unknown column 'x'"),
            (["-o", "size", "-J"], "--output does not go with --json"),
            (["-O", "-J"], "--output-all does not go with --json"),
            (["-Jn"], "--noheadings does not go with --json"),
            (["-Jr"], "--raw does not go with --json"),
            (["-Jb"], "--bytes does not go with --json"),
            (["-JT"], "--tree does not go with --json"),
            (["-rT"], "--tree does not go with --raw"),
        ):
            with self.subTest(options):
                self.assert_refused(["--dry-run", *options], message)

    def assert_refused(self, options, message):
        result = tree.run(self.root, *options)
        name = tree.name_of(options)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr, f"{name}: {message}\nTry '{name} --help'.\n")

    def test_other_tasks(self):
        """Commands without a table refuse the options of tables."""
        for task in (["--check-config"], ["config", "cat"], ["config", "diff"],
                     ["explain", "dax0.0"]):  # fmt: skip
            for option, name in (("-O", "output-all"), ("-osize", "output"), ("-n", "noheadings"),
                                 ("-r", "raw"), ("-b", "bytes"), ("-T", "tree")):  # fmt: skip
                takers = "plan" if tree.is_command(task) else "--dry-run or --oneshot"
                self.assert_refused([*task, option], f"--{name} is an option of {takers}")


class Branches(Table):
    """The whole trees are in tests/expected."""

    def test_window(self):
        """Name and size of a window are those of the kernel's root decoder."""
        self.tree("cxl-online")
        decoder = self.root / "sys/bus/cxl/devices/decoder0.0"
        start, size = (int((decoder / name).read_text(), 0) for name in ("start", "size"))
        row = self.dry_run("--tree", "-b", "-o", "size,name,type,verdict")[2]
        self.assertEqual(row.split(), [f"{size}", "decoder0.0", text_of_range(start, size)])

    def test_columns(self):
        """The name is at its place in the list of columns, or else the first column."""
        self.tree("hmem")
        for options, titles in (
            ([], DEFAULT_TREE),
            (["-o", "+rule"], [*DEFAULT_TREE, "RULE"]),
            (["-o", "+range"], [*DEFAULT_TREE, "RANGE"]),
            (["-o", "size"], ["NAME", "SIZE"]),
            (["-o", "size,name"], ["SIZE", "NAME"]),
        ):
            self.assertEqual(self.dry_run("-T", *options)[1].split(), titles)
        self.assertEqual(self.dry_run("-nT", "-o", "size,name"), [
            "256 MiB dax0.0", "256 MiB \u2514\u25000x10000000-0x1fffffff"])  # fmt: skip

    def test_two_ranges(self):
        """Two ranges share a device row, which has the size of both."""
        self.with_two_ranges()
        self.assertEqual([" ".join(line.split()) for line in self.dry_run("-nT", "-o", "size,chardev")], [
            "decoder0.0 0x5d0000000-0x6cfffffff 4 GiB",
            "\u2514\u2500region0",
            "\u2514\u2500dax0.0 640 MiB dax0.0",
            "\u251c\u25000x5d0000000-0x5efffffff 512 MiB dax0.0",
            "\u2514\u25000x610000000-0x617ffffff 128 MiB dax0.0",
        ])  # fmt: skip

    def test_no_window(self):
        """Without a decoder the window is that of the CEDT; without a CEDT the region is at the root."""
        self.tree("cxl-guard")
        for name in ("region0", "decoder0.0"):
            (self.root / "sys/bus/cxl/devices" / name).unlink()
        below = ["  \u2514\u2500dax0.0", "    \u2514\u25000x5d0000000-0x15cfffffff"]
        self.assertEqual(self.dry_run("-nT", "-o", "name"), [
            "window 0x5d0000000-0x15cfffffff", "\u2514\u2500region0", *below])  # fmt: skip
        (self.root / "sys/firmware/acpi/tables/CEDT").unlink()
        self.assertEqual(self.dry_run("-nT", "-o", "name"), ["region0", *(line[2:] for line in below)])

    def test_locale(self):
        """Branches are drawn in ASCII if the locale is not UTF-8."""
        self.tree("hmem")
        self.assertEqual(self.dry_run("-nT", "-o", "name", LC_ALL="C"), [
            "dax0.0", "`-0x10000000-0x1fffffff"])  # fmt: skip

    def test_no_blanks_at_the_end(self):
        self.tree("cxl-guard")
        for line in self.dry_run("-T", "-O"):
            self.assertEqual(line, line.rstrip())


class Terminal(Table):
    def on_terminal(self, *options, **how):
        return tree.on_terminal(self.root, "--dry-run", *options, **how)

    def test_colours(self):
        """Verdicts have a colour, except that of a range that is left as it is."""
        for name, tdx, verdict in (
            ("cxl-refused", "absent", "\33[32monline"),
            ("cxl-guard", "active", "\33[36mdevdax"),
            ("dimm", "active", "\33[33moffline"),
            ("pmem", "active", " ignore"),
        ):
            self.tree(name)
            text = self.on_terminal(f"--tdx={tdx}")
            self.assertIn(verdict, text)
            self.assertEqual(text.count("\33"), 0 if verdict == " ignore" else 2)
            plain = re.sub("\33\\[[0-9]*m", "", text)
            self.assertEqual(plain.splitlines(), self.dry_run(f"--tdx={tdx}"))

    def test_no_colours(self):
        """No colours with NO_COLOR, without a verdict, and in output for programs."""
        self.tree("cxl-guard")
        for options, environment in (([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), ([], {"TERM": ""}),
                                     (["-r"], {}), (["-o", "result"], {}), (["--json"], {})):  # fmt: skip
            self.assertNotIn("\33", self.on_terminal(*options, **environment), (options, environment))
        self.assertNotIn("\33", "".join(self.dry_run(TERM="xterm")))
        self.assertIn("\33", self.on_terminal(NO_COLOR=""))
        self.assertEqual(self.on_terminal("-T").count("\33"), 2)

    def test_narrow_terminal(self):
        """Lines are not truncated."""
        self.tree("cxl-guard")
        self.write(RULE, rule("Type=*", "Verdict=devdax"))
        options = ["-n", "-o", "range,rule,host,chardev"]
        self.assertEqual(self.on_terminal(*options, width=20).splitlines(), self.dry_run(*options))


if __name__ == "__main__":
    tree.main()
