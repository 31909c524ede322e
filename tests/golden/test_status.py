#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tdx-onlinectl status on captured machines: its output is compared with tests/expected.

    test_status.py             compare
    test_status.py --write     write what is printed now; read the difference before you commit it

The second half writes state files into copies of trees.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import tree
from tree import DROP_IN, MAIN, RULE, rule

EXPECTED = tree.TESTS / "expected"

SINCE = 1764270603
SINCE_TEXT = "2025-11-27T19:10:03Z"
CARD = {"start": 0x5D0000000, "size": 64 << 30}
DIMM = {"start": 0x100000000, "size": 512 << 20}
LABELS = ("Daemon", "TDX", "Guard", "Configuration", "Stranded", "Disagreements", "Overflows", "Rejected", "Not read")
COLUMNS = ["RANGE", "SIZE", "TYPE", "CHARDEV", "NODE", "ONLINE", "VERDICT", "REASON", "RESULT", "SINCE"]


def answers():
    for root in sorted(path for path in tree.SYSROOTS.iterdir() if path.is_dir()):
        yield root, EXPECTED / f"{root.name}.status.txt"


class Golden(unittest.TestCase):
    maxDiff = None

    def test_every_tree(self):
        for root, expected in answers():
            with self.subTest(expected.name):
                result = tree.run(root, "status")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(result.stdout, expected.read_text())

    def test_is_the_default(self):
        root, expected = next(answers())
        for words in ([], ["--tdx=auto"]):
            result = subprocess.run([tree.CLIENT, f"--root={root}", *words], capture_output=True, text=True,
                                    check=False, env=tree.ENVIRONMENT)  # fmt: skip
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, expected.read_text(), ""))

    def test_json_of_every_tree(self):
        """The document is valid, and has the devices that a dry run finds."""
        for root, _ in answers():
            with self.subTest(root.name):
                status = json.loads(tree.run(root, "status", "--json").stdout)
                plan = json.loads(tree.run(root, "--dry-run", "--json").stdout)
                self.assertEqual([(device["ranges"][0]["start"], device["chardev"]) for device in status["devices"]],
                                 [(found["start"], found["chardev"]) for found in plan["ranges"]])  # fmt: skip
                self.assertEqual(status["tdx"], plan["tdx"])


def entry(ranges, **keys):
    """The entry of a device in a state file."""
    return {"type": "cxl", "size": sum(found["size"] for found in ranges), "ranges": ranges, "verdict": "devdax",
            "reason": "outside-boot-map", "result": "done", "total_memblocks": 0, "online_memblocks": 0,
            "recorded": True, "reconsider": False, "changed": False, "since": SINCE, **keys}  # fmt: skip


def refused_card(**keys):
    return entry([CARD], **{"chardev": "dax0.0", "mode": "devdax", "region": "region0", **keys})


class Recorded(tree.Tree):
    """Trees with a state file."""

    def record(self, *devices, name="state.json", **keys):
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        state = {"schema": 3, "boot_id": boot_id, "boot_map": {"known": True, "ranges": [
                     {"start": 1 << 20, "size": 1022 << 20, "source": "boot-params"}]},
                 "config": {}, "present": [], "devices": devices, **keys}  # fmt: skip
        self.write(f"run/tdx-onlined/{name}", json.dumps(state))

    def status(self, *words, stderr=""):
        """The lines by label, the rows by column, and the lines about further commands."""
        result = tree.run(self.root, "status", *words)
        self.assertEqual((result.returncode, result.stderr), (0, stderr))
        lines, rest, last = {}, result.stdout.splitlines(), None
        while rest and rest[0]:
            label = next((label for label in LABELS if rest[0].startswith(label)), "")
            last = label or last
            lines.setdefault(last, []).append(rest.pop(0)[len(label) :].strip())
        table, _, after = "\n".join(rest[1:]).partition("\n\n")
        rows = [line.split() for line in table.splitlines()[1:]]
        return lines, rows, after.strip()

    def json(self, *words):
        return json.loads(tree.run(self.root, "status", "--json", *words).stdout)

    def card_in_devdax_mode(self):
        """The tree cxl-guard after the daemon has bound device_dax."""
        self.tree("cxl-guard")
        dax = next((self.root / "sys/devices").rglob("dax0.0"))
        above = "../" * (len(dax.relative_to(self.root / "sys").parts))
        (dax / "driver").symlink_to(f"{above}bus/dax/drivers/device_dax")

    # --- devices ---

    def test_recorded_reason(self):
        """The recorded reason of a card in devdax mode, where a dry run has already-devdax."""
        self.card_in_devdax_mode()
        self.record(refused_card(answer="refuses"))
        lines, rows, after = self.status()
        self.assertEqual(rows, [["0x5d0000000-0x15cfffffff", "64", "GiB", "cxl", "dax0.0", "1", "-", "devdax",
                                 "outside-boot-map", "done", SINCE_TEXT]])  # fmt: skip
        self.assertEqual((lines["Stranded"], after), (["none"], ""))
        self.assertIn("already-devdax", tree.run(self.root, "--dry-run").stdout)
        [device] = self.json()["devices"]
        self.assertEqual({key: device[key] for key in ("verdict", "reason", "result", "since", "answer", "mode", "disagreement")},
                         {"verdict": "devdax", "reason": "outside-boot-map", "result": "done", "since": SINCE,
                          "answer": "refuses", "mode": "devdax", "disagreement": False})  # fmt: skip

    def test_undecided(self):
        self.tree("cxl-guard")
        self.record()
        _, rows, after = self.status()
        self.assertEqual(rows[0][-4:], ["-", "-", "undecided", "-"])
        self.assertIn("'tdx-onlinectl plan'", after)
        [device] = self.json()["devices"]
        self.assertEqual([device[key] for key in ("verdict", "reason", "since", "result")], [None, None, None, "undecided"])

    def test_changed(self):
        """A device without its driver, by its current state, or by a recorded change."""
        self.tree("cxl-guard")
        for keys in ({}, {"changed": True, "mode": None}):
            self.record(refused_card(**keys))
            _, rows, after = self.status()
            self.assertEqual(rows[0][-2:], ["changed", SINCE_TEXT])
            self.assertIn("'tdx-onlinectl explain dax0.0'", after)

    def test_failed(self):
        self.tree("cxl-guard")
        self.record(refused_card(mode=None, result="failed", errno=12, failed="bind-device_dax", failed_at=0))
        _, rows, after = self.status()
        self.assertEqual(rows[0][-2], "failed")
        self.assertIn("'tdx-onlinectl explain dax0.0' prints what failed", after)
        [device] = self.json()["devices"]
        self.assertEqual([device[key] for key in ("errno", "failed", "failed_at")], [12, "bind-device_dax", None])

    def test_stranded(self):
        """A DIMM that TDX refuses: its size is stranded, in its row and in the sum."""
        self.tree("dimm")
        self.record(entry([DIMM], type="dimm", verdict="offline", result="nothing-to-do", total_memblocks=4))
        lines, rows, after = self.status()
        self.assertEqual(lines["Stranded"], ["512 MiB: 0x100000000"])
        self.assertEqual(rows[0][-5:], ["0/4", "offline", "outside-boot-map", "nothing-to-do", SINCE_TEXT])
        self.assertIn("'tdx-onlinectl doctor'", after)
        self.assertEqual((self.json()["stranded"], self.json()["devices"][0]["stranded"]), (512 << 20, 512 << 20))
        self.record(entry([DIMM], type="dimm", verdict="ignore", reason="kernel-offline", total_memblocks=4))
        lines, _, after = self.status()
        self.assertEqual((lines["Stranded"], after), (["none"], ""))

    def test_partly_decided(self):
        """A run of blocks of which one half is decided: a row for each half."""
        self.tree("dimm")
        self.forget("sys/firmware/memmap/0/start")
        for path in (self.root / "sys/firmware/memmap").glob("*/start"):
            if path.read_text() == "0x100000000\n":
                path.unlink()
        half = {"start": DIMM["start"], "size": 256 << 20}
        self.record(entry([half], type="unknown", verdict="offline", result="nothing-to-do", total_memblocks=2))
        _, rows, _ = self.status()
        self.assertEqual([(row[0], row[-3:]) for row in rows],
                         [("0x100000000-0x10fffffff", ["outside-boot-map", "nothing-to-do", SINCE_TEXT]),
                          ("0x110000000-0x11fffffff", ["-", "undecided", "-"])])  # fmt: skip

    def test_removed(self):
        """A device in the state file that has been removed is not shown."""
        self.tree("plain-host")
        self.record(refused_card())
        self.assertEqual(self.json()["devices"], [])

    def test_not_listed(self):
        """A device that cannot be listed is shown as recorded."""
        self.card_in_devdax_mode()
        self.forget("dev/dax0.0")
        self.record(refused_card())
        lines, rows, _ = self.status()
        self.assertEqual(rows[0][-3:], ["outside-boot-map", "done", SINCE_TEXT])
        self.assertIn("dax0.0", lines["Not read"][0])

    def test_blocks_of_unknown_device(self):
        """Blocks without a device may belong to a device of kmem without addresses."""
        self.tree("cxl-online")
        self.record(entry([DIMM], type="dimm", verdict="offline", result="nothing-to-do", total_memblocks=4))
        self.assertNotIn("dimm", [device["type"] for device in self.json()["devices"]])
        for path in (self.root / "sys/devices").rglob("mapping*"):
            shutil.rmtree(path)
        self.assertIn("dimm", [device["type"] for device in self.json()["devices"]])

    def test_several_ranges(self):
        self.tree("cxl-online")
        dax = next((self.root / "sys/devices").rglob("dax0.0"))
        (dax / "size").write_text(f"{640 << 20}\n")
        (dax / "mapping1").mkdir()
        for name, content in (("start", 0x610000000), ("end", 0x617FFFFFF), ("page_offset", 0x20000)):
            (dax / "mapping1" / name).write_text(f"{content:#x}\n")
        _, rows, _ = self.status()
        self.assertEqual(rows[0][:8], ["0x5d0000000-0x5efffffff", "+1", "640", "MiB", "cxl", "dax0.0", "1", "4/5"])
        self.assertEqual(len(rows), 1)
        self.assertEqual(len(self.json()["devices"][0]["ranges"]), 2)

    def test_disagreement(self):
        self.card_in_devdax_mode()
        self.record(refused_card(answer="accepts"), disagreements=3)
        lines, _, after = self.status()
        self.assertEqual(lines["Disagreements"], ["3: dax0.0"])
        self.assertIn("'tdx-onlinectl explain dax0.0'", after)
        self.assertTrue(self.json()["devices"][0]["disagreement"])

    def test_counts(self):
        """Lines for overflows and rejected memory, if there are any."""
        self.card_in_devdax_mode()
        self.record(refused_card())
        lines, _, _ = self.status()
        self.assertEqual({"Overflows", "Rejected", "Disagreements"} & set(lines), set())
        self.record(refused_card(), overflows=2, last_look=SINCE, rejected=[
            {"cause": "no-metadata", "acpi_device": "PNP0C80:01", "kernel_log": "no", "recorded": True}])  # fmt: skip
        lines, _, _ = self.status()
        self.assertTrue(lines["Overflows"][0].startswith("2, "))
        self.assertIn("PNP0C80:01", lines["Rejected"][0])
        self.assertIn(f"last look at {SINCE_TEXT}", lines["Daemon"][0])

    def test_colours(self):
        """Colours of the verdict on a terminal: cyan for devdax, red if it is not as decided."""
        for keys, colour in (({}, 36), ({"result": "failed"}, 31), ({"changed": True}, 31)):
            self.card_in_devdax_mode()
            self.record(refused_card(**keys))
            self.assertIn(f"\x1b[{colour}mdevdax", tree.on_terminal(self.root, "status"))
            self.assertNotIn("\x1b", tree.on_terminal(self.root, "status", NO_COLOR="1"))

    # --- the guard ---

    def test_guard(self):
        autoprobe, auto_online = "sys/bus/dax/drivers_autoprobe", "sys/devices/system/memory/auto_online_blocks"
        for now, was, lowered, first, uses in (
            (("0", "offline"), ("1", "online"), {}, "held, so new memory waits", ["held", "held"]),
            (("0", "online"), ("1", "online"), {"auto_online_blocks": 1}, "lowered by another program", ["held", "changed"]),
            (("1", "offline"), ("", "online"), {"drivers_autoprobe": 5}, "given up", ["given-up", "held"]),
            (("0", "offline"), ("", "online"), {"drivers_autoprobe": 5}, "given up", ["given-up", "held"]),
            (("1", "online"), ("", ""), {}, "not held", ["free", "free"]),
        ):  # fmt: skip
            self.card_in_devdax_mode()
            self.write(autoprobe, f"{now[0]}\n")
            self.write(auto_online, f"{now[1]}\n")
            guard = dict(zip(("drivers_autoprobe", "auto_online_blocks"), was))
            self.record(refused_card(), guard=guard, lowered=lowered)
            lines, _, after = self.status()
            self.assertTrue(lines["Guard"][0].startswith(first), lines)
            self.assertEqual("doctor" in after, uses != ["free", "free"] and now != ("0", "offline"))
            self.assertEqual(after == "", "doctor" not in after)
            self.assertEqual([found["use"] for found in self.json()["guard"]], uses)
            self.assertEqual([(found["now"], found["before"]) for found in self.json()["guard"]],
                             [(now[0] == "1", {"": None, "0": False, "1": True}[was[0]]), (now[1], was[1] or None)])  # fmt: skip
            self.assertIs(json.loads(tree.run(self.root, "plan", "--json").stdout)["guard"]["drivers_autoprobe"], now[0] == "1")
            for line, text, before in zip(lines["Guard"][1:], now, was):
                self.assertIn(f": {text}", line)
                self.assertEqual(f", before {before}" in line, before != "")

    def test_no_dax(self):
        self.tree("dimm")
        self.forget("sys/bus/dax/drivers_autoprobe")
        self.assertEqual(self.json()["guard"][0]["use"], "missing")

    # --- the configuration ---

    def test_mistake_in_the_files(self):
        """The devices are shown with the mistake, and each mistake leads to a message."""
        self.card_in_devdax_mode()
        self.record(refused_card(), config={"Act": "no"}, config_files=["/" + MAIN], config_checksum=1)
        self.write(MAIN, "[Daemon]\nAct=perhaps\nGuard=often\n")
        stderr = (f"tdx-onlinectl: /{MAIN}:2: Act=perhaps: not yes or no\n"
                  f"tdx-onlinectl: /{MAIN}:3: Guard=often: not auto, always or never\n")  # fmt: skip
        lines, rows, after = self.status(stderr=stderr)
        self.assertEqual(rows[0][-3:-1], ["outside-boot-map", "done"])
        self.assertEqual(lines["Configuration"], ["/" + MAIN, f"Not usable now: /{MAIN}:2: Act=perhaps: not yes or no"])
        self.assertIn("Act=no", lines["Daemon"][0])
        self.assertIn("'tdx-onlinectl config check'", after)
        self.assertIn("Act=perhaps", self.json()["configuration"]["mistake_now"])

    def test_unreadable_files(self):
        """Files that this user cannot read are not mistaken."""
        self.card_in_devdax_mode()
        self.record(refused_card(), config_checksum=1)
        for hidden in (DROP_IN, os.path.dirname(DROP_IN)):
            self.write(DROP_IN, "[Daemon]\nAct=no\n")
            path = self.root / hidden
            path.chmod(0)
            result = tree.run(self.root, "status", preexec_fn=tree.obey_modes)
            path.chmod(0o755)
            self.assertEqual((result.returncode, result.stderr), (0, f"tdx-onlinectl: /{hidden}: Permission denied\n"))
            self.assertRegex(result.stdout, f"(?m)^Not read *.*/{hidden}: Permission denied$")
            self.assertNotIn("Not usable", result.stdout)
            self.assertNotIn("tdx-onlinectl config", result.stdout)

    def test_all_unreadable_files(self):
        """Each has a line, and a message, also beside a mistake, which is the one of the files."""
        self.card_in_devdax_mode()
        self.record(refused_card(), config_checksum=1)
        for path in (MAIN, DROP_IN, RULE):
            self.write(path, "[Daemon]\nAct=perhaps\n")
        self.forget("proc/cpuinfo")
        for hidden, mistake in (((MAIN, DROP_IN, RULE), None), ((DROP_IN, RULE), f"/{MAIN}:2: Act=perhaps: not yes or no")):
            unread = [f"/{path}: Permission denied" for path in hidden]
            for path in (DROP_IN, MAIN, RULE):
                (self.root / path).chmod(0 if path in hidden else 0o644)
            for options in (["status"], ["status", "--json"], ["config", "check"]):
                result = tree.run(self.root, *options, preexec_fn=tree.obey_modes)
                for line in unread:
                    self.assertIn(f"tdx-onlinectl: {line}\n", result.stderr)
                    self.assertRegex(result.stdout, "^$" if options[0] == "config" else re.escape(line))
                if options[-1] == "--json":
                    found = json.loads(result.stdout)
                    self.assertEqual(found["configuration"]["mistake_now"], mistake)
                    self.assertEqual(found["unread"][:len(unread)], unread)
                elif options == ["status"]:
                    self.assertRegex(result.stdout, f"(?m)^Not read +{unread[0]}$")
                    self.assertRegex(result.stdout, f"(?m)^ +{unread[-1]}; and [0-9]+ more, ")

    def test_mistake_of_the_daemon(self):
        """The daemon has recorded a mistake; the files have been corrected since."""
        self.card_in_devdax_mode()
        for unusable, words in ((False, False), (True, True)):
            self.record(refused_card(), mistake="/etc/x:1: wrong", unusable=unusable, config_checksum=1)
            lines, _, after = self.status()
            self.assertIn("Not used by the daemon: /etc/x:1: wrong", lines["Configuration"])
            self.assertEqual("it decides nothing" in lines["Daemon"][0], words)
            self.assertEqual("none can be used" in lines["Configuration"][0], words)
            self.assertIn("'systemctl reload tdx-onlined.service'", after)
            self.assertEqual(self.json()["daemon"]["decides"], not unusable)

    def test_files(self):
        """The files in effect by the state file; without a state file the existing ones."""
        self.tree("plain-host")
        self.configure({MAIN: "[Daemon]\nAct=no\nGuard=auto\n", DROP_IN: "[Daemon]\nAct=yes\n",
                        RULE: rule("Type=dimm", "Verdict=offline")})  # fmt: skip
        files = [f"/{DROP_IN}", f"/{MAIN}", f"/{RULE}"]
        self.assertEqual(self.status()[0]["Configuration"], files)
        self.record()  # of a version that did not save them
        self.assertEqual(self.status()[0]["Configuration"], files)
        self.record(config_files=["/etc/other"], config_checksum=1)
        self.assertEqual(self.status()[0]["Configuration"][0], "/etc/other")

    def test_outdated(self):
        self.tree("plain-host")
        self.record(config_checksum=1)
        lines, _, after = self.status()
        self.assertIn("The files were changed since the daemon read them.", lines["Configuration"])
        self.assertIn("'tdx-onlinectl config diff'", after)

    def test_values_in_effect(self):
        """TDX= of the daemon, not of the changed file; --tdx= overrides it."""
        self.tree("cxl-guard")
        self.record(config={"TDX": "absent"})
        self.assertEqual(self.json()["tdx"]["state"], "absent")
        self.assertEqual(self.json("--tdx=active")["tdx"]["state"], "active")
        lines, _, _ = self.status()
        self.assertIn("absent as configured, active as found: TDX= or --tdx= sets it", lines["TDX"][0])

    # --- what cannot be read ---

    def test_public(self):
        """status.json has decisions about memory without a dax device, but no addresses."""
        self.tree("dimm")
        there = entry([DIMM], type="dimm", verdict="offline", result="nothing-to-do", total_memblocks=4)
        del there["ranges"]
        self.record(there, name="status.json")
        lines, rows, _ = self.status()
        self.assertEqual(rows, [["-", "512", "MiB", "dimm", "-", "-", "0/4", "offline", "outside-boot-map",
                                 "nothing-to-do", SINCE_TEXT]])  # fmt: skip
        self.assertEqual(lines["Stranded"], ["512 MiB: dimm"])
        self.assertIn("only root can read it", lines["Not read"][0])
        self.assertEqual(self.json()["devices"][0]["ranges"], [])

    def test_not_read(self):
        """One line for all files that cannot be read, and no messages."""
        self.tree("cxl-guard")
        self.write("proc/cpuinfo", "flags\n")
        self.forget("sys/kernel/boot_params/data")
        lines, _, _ = self.status()
        self.assertRegex(lines["Not read"][0], "; and [0-9]+ more, which --json prints$")
        unread = self.json()["unread"]
        self.assertIn("/proc/cpuinfo", " ".join(unread))
        self.assertIn("/sys/kernel/boot_params/data", " ".join(unread))

    def test_state_of_another_boot(self):
        self.card_in_devdax_mode()
        self.record(refused_card(), boot_id="another")
        lines, rows, _ = self.status()
        self.assertIn("no state file of this boot", lines["Daemon"][0])
        self.assertEqual(rows[0][-2], "undecided")

    def test_bad_state(self):
        self.card_in_devdax_mode()
        self.write("run/tdx-onlined/state.json", "{")
        result = tree.run(self.root, "status")
        self.assertEqual(result.returncode, 0)
        self.assertIn("not a state file", result.stderr)

    def test_no_hotplug(self):
        self.tree("plain-host")
        self.forget("sys/devices/system/memory/block_size_bytes")
        result = tree.run(self.root, "status")
        self.assertEqual((result.returncode, result.stdout), (3, ""))

    def test_hostile_names(self):
        """Names in a state file are foreign text."""
        self.tree("cxl-guard")
        text = tree.HOSTILE.decode("latin-1").replace("\0", "")
        self.record(mistake=text, config_files=[text], config_checksum=1)
        for words in ((), ("--json",)):
            self.assertEqual(tree.run(self.root, "status", *words).returncode, 0)  # tree.run() checks the output


if __name__ == "__main__":
    if "--write" in sys.argv:
        for root, expected in answers():
            expected.write_text(tree.run(root, "status").stdout)
        sys.exit()
    tree.main()
