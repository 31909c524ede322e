#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command explain on captured machines: what it prints is compared with tests/expected.

    test_explain.py             compare
    test_explain.py --write     write what is printed now; read the difference before you commit it

The second half uses copies of trees: each kind of target, JSON, rules and configuration, state files of
the daemon, and targets that do not exist.
"""

import json
import sys
import unittest

import tree
from tree import DROP_IN, MAIN, RULE, rule

EXPECTED = tree.TESTS / "expected"

# The targets on each tree: memory that has arrived, boot memory, empty windows, a node.
QUESTIONS = {
    "cxl-guard": (
        "dax0.0", "dax0.0 --tdx=absent", "memory3", "0x5bfffffff", "node0",
    ),
    "cxl-online": (
        "region0", "region0 --tdx=active", "node0", "0x6cfffffff",
    ),
    "cxl-refused": (
        "0d:00.0", "0d:00.0 --tdx=absent", "memory190", "0x5c0000000-0x6cfffffff",
    ),
    "dimm": (
        "memory33", "memory33 --tdx=absent", "0x120000000", "0x0",
    ),
    "hmem": (
        "0x10000000", "0x10000000 --tdx=absent", "0xfffffff", "memory4",
    ),
    "ordinary-machine": (
        "0x100000000", "memory23", "memory20 --tdx=active", "0xbff00000-0x100000000",
    ),
    "plain-host": (
        "0x1000000", "0x0", "memory0", "memory7", "0x3ffdd000", "0x0-0x3fffffff", "node0",
        "node0 --tdx=active", "0x100000000",
    ),
    "pmem": (
        "dax0.0", "dax0.0 --tdx=absent", "0x10000000", "0x20000000",
    ),
    "virtio-mem": (
        "node0", "node0 --tdx=absent", "0x110000000", "memory1",
    ),
}  # fmt: skip

# 1280 MiB in pages of 4 KiB, none free.
ZONEINFO = """\
Node 0, zone   Normal
  pages free     0
        high     0
        present  327680
"""

TOPICS = ["what", "origin", "boot-map", "tdx", "rule", "verdict", "done", "kernel", "change"]


def answer(root):
    """The output for all targets of a tree, each after its target."""
    answers = []
    for question in QUESTIONS[root.name]:
        result = tree.run(root, "explain", *question.split())
        if (result.returncode, result.stderr) != (0, ""):
            raise AssertionError(f"{root.name}: {question}: {result.stderr}")
        answers.append(f"$ tdx-onlinectl explain {question}\n{result.stdout}")
    return "\n".join(answers)


def expected_of(name):
    return EXPECTED / f"{name}.explain.txt"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        roots = {path.name for path in tree.SYSROOTS.iterdir() if path.is_dir()}
        self.assertEqual(set(QUESTIONS), roots)
        for name in QUESTIONS:
            with self.subTest(name):
                self.assertEqual(answer(tree.SYSROOTS / name), expected_of(name).read_text())

    def test_no_stale_expected_file(self):
        self.assertEqual({expected_of(name) for name in QUESTIONS},
                         set(EXPECTED.glob("*.explain.*")))  # fmt: skip


class Explanations(tree.Tree):
    """Explanations on a copy of a tree."""

    def explain(self, target, *options):
        """(subject, topics) of each explanation."""
        result = tree.run(self.root, "explain", target, *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return [self.parse(text) for text in result.stdout.split("\n\n")]

    def parse(self, text):
        subject, *lines = text.rstrip("\n").split("\n")
        self.assertEqual({line[:2] for line in lines}, {"  "})
        return subject, {line[2:12].rstrip(): line[12:] for line in lines}

    def topics(self, target, *options):
        """The topics of the only explanation."""
        ((_, topics),) = self.explain(target, *options)
        self.assertEqual(list(topics), TOPICS)
        return topics

    def json(self, target, *options):
        result = tree.run(self.root, "explain", target, "--json", *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    # --- targets ---

    KINDS = {
        "0x5d0000000": "address", "0x5efffffff": "address",
        "[mem 0x5d0000000-0x5efffffff]": "address", "0x0-0xfffffffffffffffe": "address",
        "memory186": "block", "memory189": "block", "dax0.0": "dax", "/dev/dax0.0": "dax", "region0": "region",
        "mem0": "memdev", "0000:0d:00.0": "pci-address", "0000:0D:00.0": "pci-address",
        "node1": "node",
    }  # fmt: skip

    def test_kinds(self):
        """All targets that mean a range lead to the same explanation, with the range object of the dry run."""
        self.tree("cxl-online")
        dry_run, _ = self.decide()
        ((subject, topics),) = self.explain("dax0.0")
        for target, kind in self.KINDS.items():
            with self.subTest(target):
                self.assertEqual(self.explain(target), [(subject, topics)])
                report = self.json(target)
                self.assertEqual(list(report), ["schema", "target", "kind", "explanations"])
                self.assertEqual((report["schema"], report["target"], report["kind"]),
                                 (2, target.replace("0D", "0d").removeprefix("/dev/"), kind))  # fmt: skip
                self.assertEqual(report["explanations"],
                                 [{"topics": topics, "range": dry_run["ranges"][0]}])  # fmt: skip

    def test_every_range_object(self):
        """On each tree and in each TDX state, the range object is that of the dry run."""
        for name in QUESTIONS:
            self.root = tree.SYSROOTS / name
            for options in ([], ["--tdx=active"], ["--tdx=absent"]):
                dry_run, _ = self.decide(*options)
                for found in dry_run["ranges"]:
                    report = self.json(hex(found["start"]), *options)
                    self.assertEqual([e["range"] for e in report["explanations"]], [found])

    def test_place(self):
        """An address where nothing has arrived: the range is null, and so are topics without text."""
        self.tree("plain-host")
        for target, kind, names in (
            ("0x1000000", "address", ["what", "origin", "verdict"]),
            ("memory1", "block", ["what", "origin", "verdict"]),
            ("node0", "node", ["what"]),
        ):
            report = self.json(target)
            ((subject, topics),) = self.explain(target)
            self.assertEqual((subject, list(topics), report["kind"]), (target, names, kind))
            self.assertEqual(report["explanations"], [
                {"topics": {topic: topics.get(topic) for topic in TOPICS}, "range": None}])  # fmt: skip

    def test_offline_boot_memory(self):
        """An offline block of boot memory, by its name and by addresses: the text has the command to online it."""
        self.tree("plain-host")
        self.write("sys/devices/system/memory/memory3/state", "offline\n")
        command = "To online [mem 0x18000000-0x1fffffff]: 'chmem -e 0x18000000-0x1fffffff'."
        for target, change in (("memory3", command), ("0x0-0x3fffffff", command), ("memory2", None)):
            with self.subTest(target):
                result = tree.run(self.root, "explain", target, "--json")
                topics = json.loads(result.stdout)["explanations"][0]["topics"]
                self.assertEqual(topics["change"], change)
                self.assertEqual("are offline." in topics["what"], change is not None)

    def test_two_ranges(self):
        """A device with two mappings: both are explained; an address means one of them."""
        self.tree("cxl-guard")
        dax = next((self.root / "sys/devices").rglob("dax0.0")).relative_to(self.root)
        self.write(dax / "size", f"{2 << 30}\n")
        for i, start in enumerate((0x5D0000000, 0x700000000)):
            self.write(dax / f"mapping{i}/start", f"{start:#x}\n")
            self.write(dax / f"mapping{i}/end", f"{start + (1 << 30) - 1:#x}\n")
            self.write(dax / f"mapping{i}/page_offset", "0x0\n")
        ranges = ["[mem 0x5d0000000-0x60fffffff]", "[mem 0x700000000-0x73fffffff]"]
        for target, wanted in (("dax0.0", ranges), ("region0", ranges), ("mem0", ranges),
                               ("node1", ranges), ("0x5d0000000", ranges[:1]),
                               ("0x700000000", ranges[1:]), ("0x60fffffff-0x700000000", ranges)):  # fmt: skip
            found = self.explain(target)
            self.assertEqual([subject.partition(", region0")[0] for subject, _ in found],
                             [f"1 GiB of CXL memory (dax0.0, {text}" for text in wanted])  # fmt: skip
            self.assertEqual(len(self.json(target)["explanations"]), len(wanted))
            for _, topics in found:
                self.assertIn(" Its device has 2 ranges, which get one verdict. ",
                              topics["boot-map"])  # fmt: skip

    def test_missing_target(self):
        """A message, exit status 1, and nothing printed: not even JSON."""
        missing = "no such device exists here"
        for name, targets, message in (
            ("cxl-online", ("memory8", "memory18446744073709551615", "dax0.1",
                            "dax1.0", "region1", "mem1", "0000:0e:00.0", "node2"), missing),
            ("plain-host", ("dax0.0", "region0", "mem0", "0000:0d:00.0", "node1"), missing),
            ("ordinary-machine", ("node0", "memory24"), missing),
        ):  # fmt: skip
            self.tree(name)
            for target in targets:
                with self.subTest(target):
                    for options in ([], ["--json"]):
                        self.assert_run(["explain", target, *options],
                                        (1, "", [f"explain {target}: {message}"]))  # fmt: skip

    # --- usage ---

    def assert_usage(self, options, message):
        result = tree.run(self.root, *options)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (
            2, "", f"tdx-onlinectl: {message}\nTry 'tdx-onlinectl --help'.\n"))  # fmt: skip

    def test_bad_target(self):
        self.tree("plain-host")
        for target in ("", "memory", "dax0", "node-1", " 0x1", "0xffffffffffffffff", "0d:00",
                       "/dev/dax0", "x" * 64, "a\nb"):  # fmt: skip
            printed = target.replace("\n", "\\x0a")
            self.assert_usage(["explain", target], f"explain {printed}: not an address, memoryN,"
                              " daxX.Y, regionN, memN, nodeN or PCI address")  # fmt: skip

    def test_bare_number(self):
        """A number without 0x, as the kernel prints addresses: refused, as it may be decimal or hexadecimal."""
        self.tree("plain-host")
        for target in ("590000000", "0", "5d0000000-5efffffff"):
            self.assert_usage(["explain", target], f"explain {target}: an address begins with 0x")

    def test_one_target(self):
        self.tree("plain-host")
        self.assert_usage(["explain"], "explain needs an argument: TARGET")
        for more in (["node1"], ["doctor"], ["config", "cat"]):
            self.assert_usage(["explain", "node0", *more], f"unexpected argument '{more[0]}'")

    def test_no_hotplug(self):
        self.tree("plain-host")
        (self.root / "sys/devices/system/memory").rename(self.root / "gone")
        result = tree.run(self.root, "explain", "node0")
        self.assertEqual((result.returncode, result.stdout), (3, ""))

    # --- rules and configuration ---

    def test_rules(self):
        self.tree("cxl-refused")
        refuses = "devdax: TDX is active and accepts only memory that was RAM at boot (outside-boot-map). "
        for match, policy, rule_topic, verdict in (
            ("Type=dimm", "Verdict=ignore", "No rule matches.", refuses),
            ("Type=cxl", "Verdict=ignore", "Rule 10-a.rule matches.", "ignore: rule 10-a.rule requires it (rule). "),
            ("Type=cxl", "Verdict=online",
             "Rule 10-a.rule matches, but its verdict online is not possible here.", refuses),
            ("Type=cxl", "Verdict=devdax", "Rule 10-a.rule matches.", refuses),
            ("Type=cxl", "Zone=kernel", "Rule 10-a.rule matches.", refuses),
        ):  # fmt: skip
            self.configure({RULE: rule(match, policy)})
            topics = self.topics("dax0.0")
            self.assertEqual(topics["rule"], rule_topic)
            self.assertTrue(topics["verdict"].startswith(verdict), topics["verdict"])

    def test_zone(self):
        """A rule with Zone=movable: 512 MiB beside 1280 MiB of kernel memory, that is 40 %."""
        self.tree("cxl-refused")
        self.write("proc/zoneinfo", ZONEINFO)
        matches, cannot = "Rule 10-a.rule matches.", " Its zone movable is not possible here: "
        for ratio, text in ((40, matches), (39, f"{matches}{cannot}movable memory would be 40 % of kernel memory.")):
            self.configure({RULE: rule("Type=cxl", "Zone=movable"),
                            MAIN: f"[Daemon]\nMaxMovableRatio={ratio}\n"})  # fmt: skip
            topics = self.topics("dax0.0", "--tdx=absent")
            self.assertEqual(topics["rule"], text)
            self.assertEqual(topics["verdict"].endswith(" Its zone is movable."), ratio == 40)
        (self.root / "proc/zoneinfo").unlink()
        self.assertEqual(self.topics("dax0.0", "--tdx=absent")["rule"],
                         f"{matches}{cannot}the sizes of the zones are not known.")  # fmt: skip

    def test_head_room(self):
        """64 GiB as devdax with pages of 2 MiB need 256 MiB of page metadata; no page is free."""
        self.tree("cxl-guard")
        self.write("proc/zoneinfo", ZONEINFO)
        verdict = self.topics("dax0.0")["verdict"]
        self.assertTrue(verdict.startswith("ignore: it needs 256 MiB of free memory for page metadata, but only"
                                           " 0 B are available (no-head-room). "), verdict)  # fmt: skip

    def test_act(self):
        self.tree("cxl-refused")
        self.configure({DROP_IN: "[Daemon]\nAct=no\n"})
        topics = self.topics("dax0.0")
        self.assertEqual(topics["done"], "The daemon has not run in this boot. Steps left: unbind,"
                         " bind-device_dax.")  # fmt: skip
        self.assertTrue(topics["change"].endswith(
            " To have the daemon take the steps that are left, set Act=yes in tdx-onlined.conf(5), then run"
            " 'systemctl reload tdx-onlined.service'."))
        self.assertEqual(self.json("dax0.0")["explanations"][0]["range"]["withheld"], "observe")

    def test_capable(self):
        """CapableRanges= with all of the range, and with all but its last block."""
        self.tree("cxl-refused")
        self.configure({DROP_IN: "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n"})
        topics = self.topics("dax0.0")
        self.assertEqual(topics["boot-map"], "All of it is in the boot map, from configuration. The boot"
                         " map holds 1.4 GiB, from boot-params and configuration.")  # fmt: skip
        self.assertTrue(topics["kernel"].endswith(" The kernel would accept it."))
        self.configure({DROP_IN: "[Daemon]\nCapableRanges=0x5d0000000-0x5e7ffffff\n"})
        topics = self.topics("dax0.0")
        self.assertTrue(topics["boot-map"].startswith("Only 384 MiB of it is in the boot map. "))
        self.assertIn("(straddles-boot-map)", topics["verdict"])

    def test_tdx_by_configuration(self):
        """TDX=active on a machine without TDX, and TDX=absent on one with it."""
        self.tree("cxl-online")
        self.configure({DROP_IN: "[Daemon]\nTDX=active\n"})
        topics = self.topics("dax0.0")
        self.assertEqual(topics["tdx"], "TDX= or --tdx= sets the TDX state to active. The sources show"
                         " absent. Firmware has not enabled TDX, or the processor or the kernel"
                         " does not support it. Sources: /proc/cpuinfo: no tdx_host_platform;"
                         " /sys/fs/cgroup/misc.capacity: no tdx.")  # fmt: skip
        self.assertEqual(topics["kernel"], "Memory blocks: 4 of 4 online. The kernel would accept it.")
        self.assertEqual(self.topics("dax0.0", "--tdx=auto")["tdx"][:31],
                         "This host does not use TDX, and")  # fmt: skip

    # --- state files ---

    def save_state(self, present=(), **entry):
        """Write a state file of this boot, with dax0.0."""
        device = next((self.root / "sys/devices").rglob("dax0.0"))
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        noted = {"type": "cxl", "chardev": "dax0.0", "mode": "system-ram", "size": 512 << 20,
                 "ranges": [{"start": 0x5D0000000, "size": 512 << 20}], "identity": device.stat().st_ino, **entry}  # fmt: skip
        self.write("run/tdx-onlined/state.json", json.dumps({
            "schema": 3, "boot_id": boot_id, "config": {},
            "present": [noted] if present else [], "devices": [noted] if entry else [],
            "boot_map": {"known": True, "ranges": [
                {"start": 1 << 20, "size": 1022 << 20, "source": "boot-params"}]}}))  # fmt: skip

    def test_in_devdax_mode(self):
        """The daemon has bound device_dax: no steps are left, and no rule is proposed."""
        self.tree_in_devdax_mode()
        self.save_state(verdict="devdax", reason="outside-boot-map", result="done", mode="devdax")
        topics = self.topics("dax0.0")
        self.assertTrue(topics["verdict"].startswith("devdax: it was in devdax mode already, and no rule permits"))
        self.assertTrue(topics["verdict"].endswith(
            " If its driver were kmem, the verdict would be devdax: TDX is active and accepts only memory that was"
            " RAM at boot (outside-boot-map)."))  # fmt: skip
        self.assertEqual(topics["done"], "The daemon decided devdax (outside-boot-map); the result is done."
                         " No steps are left.")  # fmt: skip
        self.assertTrue(topics["origin"].endswith(
            " It arrived after the daemon first started in this boot."))  # fmt: skip
        self.assertNotIn("ConvertDevdax", topics["change"])
        self.assertIn("ConvertDevdax", self.topics("dax0.0", "--tdx=absent")["change"])

    def test_not_decided(self):
        self.tree("cxl-refused")
        self.save_state()
        self.assertEqual(self.topics("dax0.0")["done"], "The daemon has not decided about it. Steps left: unbind,"
                         " bind-device_dax.")  # fmt: skip

    def test_not_known(self):
        """status.json has no decision that can be matched to memory without a dax device."""
        self.tree("dimm")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        self.write("run/tdx-onlined/status.json", json.dumps({
            "schema": 3, "boot_id": boot_id, "config": {}, "present": [], "devices": [tree.DECIDED_DIMM],
            "boot_map": {"known": True}}))  # fmt: skip
        topics = self.topics("0x100000000")
        self.assertTrue(topics["done"].startswith("It is not known whether the daemon has decided about it, because"))
        self.assertNotIn("first started", topics["origin"])

    def test_withheld(self):
        """A device that was present at the daemon's first start, and was left as it is."""
        self.tree("cxl-refused")
        self.save_state(present=True, verdict="devdax", reason="outside-boot-map", result="withheld")
        topics = self.topics("dax0.0")
        self.assertTrue(topics["origin"].endswith(
            " It arrived before the daemon first started in this boot."))  # fmt: skip
        self.assertEqual(topics["done"], "The daemon decided devdax (outside-boot-map); the result is"
                         " withheld. Steps left: unbind, bind-device_dax.")  # fmt: skip
        self.assertTrue(topics["change"].endswith(" To have the steps that are left taken once: 'tdx-onlined --oneshot'."))

    def test_answers(self):
        """The kernel's answer, expected or not; a refusal stays the reason."""
        for answer_, reason, kernel in (
            ("refuses", "kernel-refused", "refused it"),
            ("accepts", "tdx-absent", "accepted it, which was not expected"),
        ):
            self.tree("cxl-refused")
            self.save_state(verdict="devdax", reason=reason, result="failed", answer=answer_)
            topics = self.topics("dax0.0")
            self.assertEqual(topics["kernel"], "Memory blocks: 0 of 4 online. In this boot the kernel"
                             f" {kernel}.")  # fmt: skip
            self.assertEqual(topics["done"], f"The daemon decided devdax ({reason}); the result is failed."
                             " This would be decided differently now. To have it decided again:"
                             " 'tdx-onlinectl decide dax0.0'. If a file was changed, reload the service first."
                             " Steps left: unbind, bind-device_dax.")  # fmt: skip
            self.assertEqual(topics["change"].startswith("Read what the kernel logged: "),
                             answer_ == "refuses")  # fmt: skip

    def test_changed(self):
        self.tree("cxl-refused")
        for how in {"changed": True}, {"mode": "devdax"}, {"online_memblocks": 1}:
            self.save_state(verdict="devdax", reason="outside-boot-map", result="done", **how)
            self.assertEqual(self.topics("dax0.0")["done"], "The daemon decided devdax (outside-boot-map); the"
                             " result is done. It has been changed by another program or by hand since."
                             " Steps left: unbind, bind-device_dax.")  # fmt: skip

    # --- firmware ---

    def test_boot_ram_in_a_window(self):
        """The e820 has the first GiB of a CXL window as RAM."""
        self.tree("plain-host")
        other = tree.SYSROOTS / "cxl-guard/sys/firmware/acpi/tables/CEDT"
        self.write("sys/firmware/acpi/tables/CEDT", other.read_bytes())
        path = "sys/kernel/boot_params/data"
        data = bytearray((self.root / path).read_bytes())
        at = 0x2D0 + 20 * data[0x1E8]
        data[at : at + 20] = (0x5D0000000).to_bytes(8, "little") + (1 << 30).to_bytes(8, "little") + (
            b"\1\0\0\0")  # fmt: skip
        data[0x1E8] += 1
        self.write(path, bytes(data))
        for i in range(186, 194):
            self.write(f"sys/devices/system/memory/memory{i}/state", "online\n")
        ((_, topics),) = self.explain("0x5d0000000")
        self.assertEqual(topics["what"], "It is in [mem 0x5d0000000-0x60fffffff] of the boot map, from"
                         " boot-params. Memory blocks: 1, the first is memory186.")  # fmt: skip
        self.assertEqual(topics["origin"], "The CEDT lists it in the CXL window [mem 0x5d0000000-"
                         "0x15cfffffff]. Firmware reported CXL memory as ordinary RAM there, and that"
                         " keeps TDX from initializing.")  # fmt: skip


class Terminal(tree.Tree):
    def test_wrapped(self):
        """On a terminal, lines are broken between words, without any other difference."""
        self.tree("cxl-refused")
        for options, status in ((["explain", "dax0.0"], 0), (["doctor"], 5)):
            plain = tree.run(self.root, *options).stdout
            self.assertGreater(max(map(len, plain.splitlines())), 100)
            for width in (40, 80, 132):
                text = tree.on_terminal(self.root, *options, width=width, status=status)
                self.assertEqual(" ".join(text.split()), " ".join(plain.split()))
                for line in text.splitlines()[1:]:
                    longest = max(map(len, line.split()), default=0)
                    self.assertTrue(len(line) <= width or len(line.split()) == 1 or longest > width - 24, line)
            # Too narrow to break lines, and a terminal without a known width.
            for width in (0, 39):
                self.assertEqual(tree.on_terminal(self.root, *options, width=width, status=status), plain)


if __name__ == "__main__":
    if "--write" in sys.argv:
        for tree_name in QUESTIONS:
            expected_of(tree_name).write_text(answer(tree.SYSROOTS / tree_name))
        sys.exit()
    tree.main()
