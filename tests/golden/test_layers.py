#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of the configuration: layers, masks, names, and files that are not regular."""

import os
import pathlib
import re
import socket
import stat
import subprocess
import time

import tree
from tree import DROP_IN, MAIN, RULE, rule

IGNORE = rule("Type=cxl", "Verdict=ignore")
TDX = "[Daemon]\nTDX={}\n"
# Where each kind of file lies below its layer.
KINDS = {
    "tdx-onlined/tdx-onlined.conf": "[Daemon]\nAct=no\n",
    "tdx-onlined/conf.d/10-a.conf": "[Daemon]\nAct=no\n",
    "tdx-onlined/rules.d/10-a.rule": IGNORE,
}
COUNT = 1000
SECONDS = 2.0


class Layers(tree.Configured):
    """The configuration in effect, by config cat."""

    def cat(self):
        result = tree.run(self.root, "config", "cat")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def assert_tdx(self, value, origin):
        self.assertIn(f"# {origin}\nTDX={value}\n", self.cat())

    def test_strongest_of_one_name(self):
        """Main file, drop-in and rule: /etc over /run over /usr/lib."""
        for kind in KINDS:
            self.configure({})
            for layer in ("usr/lib", "run", "etc"):
                path = f"{layer}/{kind}"
                with self.subTest(path):
                    if kind.endswith(".rule"):
                        self.write(path, IGNORE.replace("cxl", "hmem  # " + layer))
                        self.assertEqual(self.cat().count("\n# /"), 1)
                        self.assertIn(f"\n# /{path}\n[Match]\nType=hmem  # {layer}\n", self.cat())
                    else:
                        self.write(path, f"# {layer}\n" + TDX.format("active"))
                        self.assert_tdx("active", f"/{path}:3")
                        self.assertEqual(self.cat().count("# /"), 1)

    def test_manual(self):
        """The paths of the man pages are exactly those that are read."""
        manual = tree.TESTS.parent / "man"
        texts = [(manual / f"tdx-onlined.{page}.scd").read_text() for page in ("conf.5", "rule.5")]
        lines = [text.split("# SYNOPSIS\n\n")[1].split("\n\n")[0].splitlines() for text in texts]
        paths = [line.removesuffix("++").strip("_").removeprefix("/") for line in sum(lines, [])]
        self.assertEqual(sorted(re.sub(r"\\\*", "10-a", path) for path in paths),
                         sorted(f"{layer}/{kind}" for layer in tree.LAYERS for kind in KINDS))  # fmt: skip
        files = (manual / "tdx-onlined.8.scd").read_text().split("# FILES\n")[1].split("\n# ")[0]
        named = re.findall(r"_/(etc/tdx-onlined[^_ ]*)_", files)
        self.assertEqual(sorted(named), sorted(path for path in paths if path.startswith("etc/")))

    def test_weaker_of_one_name(self):
        """The weaker file is not read: its mistakes are not reported."""
        for kind, content in KINDS.items():
            with self.subTest(kind):
                self.configure({f"etc/{kind}": content, f"run/{kind}": "[Demon]\n",
                                f"usr/lib/{kind}": "\0" * 70000})  # fmt: skip
                self.assert_accepted(rules=kind.count("rules"))

    def test_drop_ins_after_the_main_file(self):
        """Drop-ins of all layers in the order of their names, after the main file of any layer."""
        weak, strong = "usr/lib/tdx-onlined/conf.d/50-x.conf", "etc/tdx-onlined/conf.d/40-y.conf"
        self.configure({MAIN: TDX.format("active"), weak: TDX.format("absent")})
        self.assert_tdx("absent", f"/{weak}:2")
        self.write(strong, TDX.format("active"))
        self.assert_tdx("absent", f"/{weak}:2")
        self.write(weak, "[Daemon]\n")
        self.assert_tdx("active", f"/{strong}:2")
        self.write("run/tdx-onlined/conf.d/9.conf", TDX.format("auto"))
        self.assert_tdx("auto", "/run/tdx-onlined/conf.d/9.conf:2")  # "9" sorts after "4"

    def test_keys_of_drop_in(self):
        """A drop-in changes its own keys only; an empty value is the default."""
        self.configure({MAIN: "[Daemon]\nTDX=active\nPresent=act\n", DROP_IN: "[Daemon]\nTDX=\n"})
        self.assert_tdx("auto", f"/{DROP_IN}:2")
        self.assertIn(f"# /{MAIN}:3\nPresent=act\n", self.cat())

    def test_rules_by_name(self):
        names = ("10-b", "2-a", "A", "_", "a", "b.c", "~")  # in the order of their bytes
        self.configure({})
        for i, name in enumerate(reversed(names)):
            layer = tree.LAYERS[i % 3]
            self.write(f"{layer}/tdx-onlined/rules.d/{name}.rule", rule(f"Device=dax{i}", "Zone=auto"))
        found = [line.split("/")[-1] for line in self.cat().splitlines() if line.endswith(".rule")]
        self.assertEqual(found, [f"{name}.rule" for name in names])

    def test_mask_by_empty_file(self):
        for kind, content in KINDS.items():
            for strong, weak in (("etc", "run"), ("etc", "usr/lib"), ("run", "usr/lib")):
                with self.subTest(kind, strong=strong, weak=weak):
                    self.configure({f"{weak}/{kind}": content})
                    self.assertIn(f"# /{weak}/{kind}", self.cat())
                    self.write(f"{strong}/{kind}", "")
                    self.assert_accepted(rules=0)
                    self.assertNotIn("# /", self.cat())

    def test_mask_by_link_to_dev_null(self):
        """A link as systemctl mask makes it."""
        self.configure({})
        try:
            (self.root / "dev").mkdir(exist_ok=True)
            os.mknod(self.root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("a tree with /dev/null in it needs the right to make one")
        for kind, content in KINDS.items():
            for strong, weak in (("etc", "run"), ("etc", "usr/lib"), ("run", "usr/lib")):
                with self.subTest(kind, strong=strong, weak=weak):
                    self.configure({f"{weak}/{kind}": content})
                    self.link(f"{strong}/{kind}", "/dev/null")
                    self.assert_accepted(rules=0)
                    self.assertNotIn("# /", self.cat())

    def test_link_to_other_device(self):
        """A link to another device than /dev/null is an error."""
        self.configure({})
        try:
            (self.root / "dev").mkdir(exist_ok=True)
            os.mknod(self.root / "dev/zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            self.skipTest("a tree with /dev/zero in it needs the right to make one")
        for kind in KINDS:
            self.configure({})
            self.link(f"etc/{kind}", "/dev/zero")
            self.assert_refused(f"/etc/{kind}: not a file")

    def test_link_to_file(self):
        for kind, content in KINDS.items():
            self.configure({"etc/elsewhere": content})
            self.link(f"etc/{kind}", "/etc/elsewhere")
            self.assertIn(f"# /etc/{kind}", self.cat())


class Names(tree.Configured):
    STRAY = "not read, because of its name"

    def test_names(self):
        """A name without the suffix leads to a message, except README and hidden files."""
        for directory, suffix in (("tdx-onlined/conf.d", ".conf"), ("tdx-onlined/rules.d", ".rule")):
            for layer in tree.LAYERS:
                self.configure({f"{layer}/{directory}/{name}": "no configuration"
                                for name in ("README", ".hidden", f".x{suffix}")})  # fmt: skip
                self.assert_accepted()
                for name in (f"10-a{suffix}~", f"10-a{suffix}.rpmsave", "10-a", "readme", "README.md",
                             suffix.lstrip("."), f"10-a{suffix.upper()}", "a b", f"a{suffix} "):  # fmt: skip
                    path = f"{layer}/{directory}/{name}"
                    with self.subTest(path):
                        self.configure({path: "no configuration"})
                        self.assert_warned(f"/{path}: {self.STRAY}")

    def test_the_other_suffix(self):
        """A rule in the folder of drop-ins, a drop-in in that of rules, and both in their own folders."""
        self.configure({"etc/tdx-onlined/conf.d/10-a.rule": IGNORE,
                        "run/tdx-onlined/rules.d/10-a.conf": "[Daemon]\n",
                        RULE: IGNORE})  # fmt: skip
        self.assert_warned(f"/etc/tdx-onlined/conf.d/10-a.rule: {self.STRAY}",
                           f"/run/tdx-onlined/rules.d/10-a.conf: {self.STRAY}", rules=1)  # fmt: skip

    def test_directory_of_another_name(self):
        self.configure({"etc/tdx-onlined/rules.d/old/10-a.rule": IGNORE})
        self.assert_warned(f"/etc/tdx-onlined/rules.d/old: {self.STRAY}")

    def test_any_name(self):
        """A name that is not printable ASCII: not read, and printed on one line."""
        self.tree("cxl-guard")
        for name, printed in ((b"\xff", r"\xff"), (b"\xc3\xa4", r"\xc3\xa4"), (b"a\nb", r"a\x0ab"),
                           (b"\x1b[31m", r"\x1b[31m"), (b"\x7f", r"\x7f"), (b'"', None), (b"%s%n", None),
                           (b" ", None), (b"a b", None), (b"\\", None), (b"*", None),
                           (b"x" * 250, None)):  # fmt: skip
            for kind, content in (("rules.d", IGNORE), ("conf.d", "[Daemon]\nAct=no\n")):
                directory = f"etc/tdx-onlined/{kind}"
                suffix = b".rule" if kind == "rules.d" else b".conf"
                self.configure({f"{directory}/README": ""})
                with open(os.fsencode(self.root / directory) + b"/" + name + suffix, "w",
                          encoding="ascii") as file:  # fmt: skip
                    file.write(content)
                with self.subTest(name + suffix):
                    report, messages = self.decide()
                    line = f"tdx-onlined: /{directory}/{printed}{suffix.decode()}: {self.STRAY}\n"
                    self.assertEqual(messages, line if printed else "")
                    if kind == "rules.d":
                        self.assertEqual(report["ranges"][0]["rule"],
                                         None if printed else (name + suffix).decode())  # fmt: skip
                    else:
                        self.assertEqual(report["ranges"][0]["withheld"], None if printed else "observe")

    def test_name_and_mistake(self):
        self.configure({"etc/tdx-onlined/rules.d/x": "", DROP_IN: "[Demon]\n"})
        self.assert_refused(f"/etc/tdx-onlined/rules.d/x: {self.STRAY}",
                            f"/{DROP_IN}:1: unknown section [Demon]")  # fmt: skip


class Warnings(tree.Configured):
    def test_ranges_overlap(self):
        for value in ("0x1000-0x2fff 0x2000-0x3fff", "0x1000-0x1fff 0x1fff-0x2fff",
                      "0x1000-0x1fff 0x1000-0x1fff", "10-10 010-010", "0x4000-0x4fff 0x1000-0x1fff 0x0-0xffff"):  # fmt: skip
            self.configure({DROP_IN: f"[Daemon]\n\nCapableRanges={value} # x\n"})
            self.assert_run(["--check-config"],
                            (1, "", [f"/{DROP_IN}:3: CapableRanges={value}: two ranges overlap"]))  # fmt: skip
            self.configure({RULE: rule(f"Device=x | Range={value}", "Verdict=ignore")})
            self.assert_warned(f"/{RULE}:3: Range={value}: two ranges overlap", rules=1)
        for value in ("0x1000-0x1fff 0x2000-0x2fff", "0x2000-0x2fff 0x1000-0x1fff", "8-8 010-010"):
            self.configure({DROP_IN: f"[Daemon]\nCapableRanges={value}\n",
                            RULE: rule(f"Range={value}", "Verdict=ignore")})  # fmt: skip
            self.assert_run(["--check-config"], (0, "No mistake found, 1 rules.\n", []))

    # Pairs of rules: does the first one match all that the second one matches?
    COVERED = (
        ("Type=*", "Device=dax0.0", True),
        ("Type=*", "Type=cxl | Serial=1", True),
        ("Type=cxl", "Type=cxl | Device=dax0.0", True),
        ("Type=cxl hmem", "Type=hmem", True),
        ("Type=hmem", "Type=cxl hmem", False),
        ("Type=cxl", "Device=dax0.0", False),
        ("Device=dax*", "Device=DAX0.0 dax1.*", True),
        ("Device=dax0.?", "Device=dax0.1", True),
        ("Device=dax0.?", "Device=dax0.*", False),
        ("Serial=0x2a", "Serial=42", True),
        ("PciAddress=0000:*", "PciAddress=0000:35:00.0 0000:36:00.0", True),
        ("PciAddress=0000:*", "PciAddress=0001:35:00.0", False),
        ("Region=region0", "Region=region0", True),
        ("TargetNode=1 2", "TargetNode=2 0x1", True),
        ("TargetNode=1", "TargetNode=1 2", False),
        ("MinSize=1G", "MinSize=1024M", True),
        ("MinSize=1G", "MinSize=1023M", False),
        ("MaxSize=1G", "MaxSize=512M", True),
        ("MaxSize=1G", "MaxSize=2G", False),
        ("MinSize=1G", "MaxSize=2G", False),
        ("Range=0x1000-0x2fff", "Range=0x1000-0x1fff", True),
        ("Range=0x1000-0x2fff", "Range=0x1000-0x3fff", False),
        ("Present=yes", "Present=on", True),
        ("Present=yes", "Present=no", False),
        ("Mode=none devdax", "Mode=devdax", True),
        ("Mode=none", "Mode=devdax", False),
        ("Type=cxl | Mode=none", "Type=cxl", False),
    )  # fmt: skip

    def test_covered(self):
        """A rule that an earlier one covers, in any layers."""
        early, late = "usr/lib/tdx-onlined/rules.d/10-a.rule", "etc/tdx-onlined/rules.d/20-b.rule"
        for first, second, covered in self.COVERED:
            with self.subTest(first, second=second):
                self.configure({early: rule(first, "Verdict=ignore"), late: rule(second, "Zone=auto")})
                messages = [f"/{late}:1: it has no effect, because /{early} matches all that it matches"]
                self.assert_warned(*messages if covered else [], rules=2, always=False)

    def test_covered_once(self):
        """A warning for each covered rule, with the first rule that covers it."""
        names = [f"etc/tdx-onlined/rules.d/{i}.rule" for i in range(3)]
        self.configure({name: rule("Type=*", "Verdict=ignore") for name in names})
        self.assert_warned(*(f"/{name}:1: it has no effect, because /{names[0]} matches all that it matches"
                             for name in names[1:]), rules=3, always=False)  # fmt: skip


class NoFiles(tree.Configured):
    """Something else in the place of a file or folder: the program must not hang."""

    PLACES = (MAIN, DROP_IN, RULE)
    DIRECTORIES = ("etc/tdx-onlined/conf.d", "run/tdx-onlined/rules.d", "usr/lib/tdx-onlined")

    def test_in_place_of_a_file(self):
        makers = {
            "directory": pathlib.Path.mkdir,
            "FIFO": os.mkfifo,
            "socket": self.make_socket,
        }
        for place in self.PLACES:
            for kind, make in makers.items():
                with self.subTest(place, kind=kind):
                    self.configure({})
                    (self.root / place).parent.mkdir(parents=True, exist_ok=True)
                    make(self.root / place)
                    self.assert_refused(f"/{place}: not a file")

    def make_socket(self, path):
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(path.parent)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
        os.chdir(here)

    def test_links(self):
        """A loop, a link to itself, and dangling links, in the strongest layer."""
        for place in self.PLACES:
            weak = place.replace("etc/", "usr/lib/", 1)
            for target, error in (
                (pathlib.Path(place).name, "Too many levels of symbolic links"),
                ("/etc/loop", "Too many levels of symbolic links"),
                ("/nowhere", "No such file or directory"),
                ("/proc/cpuinfo/x", "Not a directory"),
            ):
                with self.subTest(place, target=target):
                    self.configure({weak: ""})
                    self.link("etc/loop", f"/{place}")
                    self.link(place, target)
                    self.assert_refused(f"/{place}: {error}")

    def test_in_place_of_a_directory(self):
        """rules.d is a file, a FIFO, a loop, or a dangling link, which counts as missing."""
        for place in self.DIRECTORIES:
            failing = [place] if place.endswith(".d") else [f"{place}/conf.d", f"{place}/rules.d"]
            with self.subTest(place):
                self.configure({place: ""})
                self.assert_refused(*(f"/{path}: Not a directory" for path in failing))
                self.configure({})
                os.mkfifo(self.make_parent(place))
                self.assert_refused(*(f"/{path}: Not a directory" for path in failing))
                self.configure({})
                self.link(place, f"/{place}")
                self.assert_refused(*(f"/{path}: Too many levels of symbolic links" for path in failing))
                self.configure({})
                self.link(place, "/nowhere")
                self.assert_accepted()

    def make_parent(self, place):
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def test_layer_is_a_file(self):
        """/run is a file: neither of its folders can be read."""
        self.configure({"run": ""})
        self.assert_refused("/run/tdx-onlined/conf.d: Not a directory",
                            "/run/tdx-onlined/rules.d: Not a directory")  # fmt: skip

    def assert_closed(self, place, *messages):
        """Refused to a process that is bound by modes."""
        path = self.root / place
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            self.assert_refused(*(f"/{failing}: Permission denied" for failing in messages),
                                preexec_fn=tree.obey_modes)  # fmt: skip
        finally:
            path.chmod(mode)

    def test_unreadable(self):
        for place in self.PLACES:
            with self.subTest(place):
                self.configure({place: "[Daemon]\n"})
                self.assert_closed(place, place)
        for place in ("etc/tdx-onlined/conf.d", "etc/tdx-onlined/rules.d"):
            with self.subTest(place):
                self.configure({f"{place}/README": ""})
                self.assert_closed(place, place)

    def test_unreadable_layer(self):
        """An unreadable /etc is an error: the weaker layers do not replace it silently."""
        self.configure({MAIN: "[Daemon]\nTDX=active\n", "usr/lib/tdx-onlined/tdx-onlined.conf": "[Daemon]\n"})
        self.assert_closed("etc", "etc/tdx-onlined/conf.d", "etc/tdx-onlined/rules.d")


class Many(tree.Configured):
    def test_thousand_rules(self):
        """None covers another. The time includes the start of the process."""
        keys = "Type=cxl | Device=dax{0}.* dax*.{0} | Range=0x{0:x}0000000-0x{0:x}fffffff"
        self.configure({f"{tree.LAYERS[i % 3]}/tdx-onlined/rules.d/{i}.rule":
                        rule(keys.format(i + 1), "Verdict=ignore") for i in range(COUNT)})  # fmt: skip
        begin = time.monotonic()
        result = tree.run(self.root, "--check-config")
        seconds = time.monotonic() - begin
        print(f"{COUNT} rules: {seconds:.2f} s ... ", end="", flush=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, f"No mistake found, {COUNT} rules.\n", ""))  # fmt: skip
        self.assertLess(seconds, SECONDS * (10 if self.sanitized() else 1))

    def sanitized(self):
        symbols = subprocess.run(["grep", "-c", "__asan_init", tree.BINARY], capture_output=True,
                                 text=True, check=False)  # fmt: skip
        return symbols.stdout.strip() not in ("", "0")

    def test_thousand_covered_rules(self):
        """A warning for each of them."""
        self.configure({f"etc/tdx-onlined/rules.d/{i:04}.rule": IGNORE for i in range(COUNT)})
        first = "/etc/tdx-onlined/rules.d/0000.rule"
        self.assert_warned(*(f"/etc/tdx-onlined/rules.d/{i:04}.rule:1: it has no effect, because {first}"
                             " matches all that it matches" for i in range(1, COUNT)), rules=COUNT, always=False)  # fmt: skip


if __name__ == "__main__":
    tree.main()
