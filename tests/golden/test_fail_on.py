#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""--fail-on= on captured machines: the exit status, and the ranges that match."""

import json
import subprocess

import tree
from tree import BINARY, DROP_IN, MAIN

WORDS = ["online", "devdax", "offline", "ignore", "change", "stranded", "disagreement", "offline-boot"]
MATCHED = 4

CXL = "of CXL memory (dax0.0, [mem 0x5d0000000-0x5efffffff], region0, mem0, node 1)"
GUARDED = "64 GiB of CXL memory (dax0.0, [mem 0x5d0000000-0x15cfffffff], region0, mem0, node 1)"
REFUSED = ONLINE = "512 MiB " + CXL
DIMM = "512 MiB of memory in a DIMM ([mem 0x100000000-0x11fffffff], node 0)"
HMEM = "256 MiB of soft-reserved memory (dax0.0, [mem 0x10000000-0x1fffffff], node 0)"
PMEM = "254 MiB of persistent memory (dax0.0, [mem 0x10200000-0x1fffffff], node 0)"
VIRTIO = "256 MiB of virtio-mem memory ([mem 0x100000000-0x10fffffff], node 0)"

# All words that match the only range of each tree, and the range.
TREES = {
    "cxl-guard": ({"devdax", "change"}, GUARDED),  # no driver, so no block exists yet
    "cxl-online": ({"online"}, ONLINE),
    "cxl-refused": ({"devdax", "change", "stranded"}, REFUSED),  # kmem has it, refused
    "dimm": ({"offline", "stranded"}, DIMM),  # no remedy
    "hmem": ({"devdax", "change", "stranded"}, HMEM),
    "ordinary-machine": (set(), None),
    "plain-host": (set(), None),
    "pmem": ({"ignore"}, PMEM),
    "virtio-mem": ({"offline", "stranded"}, VIRTIO),
}


class FailOn(tree.Tree):
    def assert_words(self, true, subject, *options):
        """Of all words, exactly these match the only range."""
        words = ",".join(word for word in WORDS if word in true)
        messages = [f"--fail-on={words}: {subject}"] if true else []
        self.assert_fails(",".join(WORDS), messages, *options)

    def assert_fails(self, words, messages, *options):
        """The table is that of a plain dry run, with these additional messages."""
        plain = tree.run(self.root, "--dry-run", *options)
        self.assertEqual((plain.returncode, plain.stderr), (0, ""))
        self.assert_run(["--dry-run", f"--fail-on={words}", *options],
                        (MATCHED if messages else 0, plain.stdout, messages))  # fmt: skip

    def test_every_tree(self):
        self.assertEqual(set(TREES), {path.name for path in tree.SYSROOTS.iterdir() if path.is_dir()})
        for name, (true, subject) in TREES.items():
            with self.subTest(name):
                self.root = tree.SYSROOTS / name
                self.assert_words(true, subject)
                self.assert_words(true, subject, "--json")

    def test_one_word(self):
        """A single word leads to the same line as among others."""
        for name, (true, subject) in TREES.items():
            self.root = tree.SYSROOTS / name
            for word in WORDS:
                with self.subTest(f"{name} {word}"):
                    messages = [f"--fail-on={word}: {subject}"] if word in true else []
                    self.assert_fails(word, messages)

    def test_several_lists(self):
        self.root = tree.SYSROOTS / "cxl-refused"
        result = tree.run(self.root, "--dry-run", "--fail-on=change,ignore", "--fail-on=online")
        self.assertEqual((result.returncode, result.stderr),
                         (MATCHED, f"tdx-onlined: --fail-on=change: {REFUSED}\n"))  # fmt: skip

    def test_each_range(self):
        """One line for each range that matches; a range without a whole block is not stranded."""
        self.tree("cxl-refused")
        dax = self.root / "sys/bus/dax/devices/dax0.0"
        other = dax.resolve() / "mapping1"
        other.mkdir()
        (dax.resolve() / "size").write_text(f"{576 << 20}\n")
        for name, content in (("start", "0x600000000"), ("end", "0x603ffffff"), ("page_offset", "0x20000")):
            (other / name).write_text(content + "\n")
        second = REFUSED.replace("0x5d0000000-0x5efffffff", "0x600000000-0x603ffffff").replace("512", "64")
        self.assert_fails("change,online,stranded", [
            f"--fail-on=change,stranded: {REFUSED}", f"--fail-on=change: {second}"])  # fmt: skip

    def test_offline_boot(self):
        """Offline boot memory matches one word only."""
        self.tree("plain-host")
        for block in (2, 3, 5):
            self.write(f"sys/devices/system/memory/memory{block}/state", "offline\n")
        runs = ["256 MiB boot memory [mem 0x10000000-0x1fffffff]",
                "128 MiB boot memory [mem 0x28000000-0x2fffffff]"]  # fmt: skip
        for words in ("offline-boot", ",".join(WORDS)):
            self.assert_fails(words, [f"--fail-on=offline-boot: {run}" for run in runs])
        self.assert_fails(",".join(WORDS[:-1]), [])

    def test_withheld(self):
        """With Act=no, a range that is not as decided matches."""
        self.tree("cxl-refused")
        self.write(MAIN, "[Daemon]\nAct=no\n")
        self.assert_words({"devdax", "change", "stranded"}, REFUSED)
        self.tree("dimm")
        self.write(MAIN, "[Daemon]\nAct=no\n")
        self.assert_words({"offline", "stranded"}, DIMM)  # there are no steps with Act=yes either

    def test_to_go_online(self):
        """A range that is offline now and would go online."""
        for name, subject in (("cxl-refused", REFUSED), ("dimm", DIMM)):
            self.root = tree.SYSROOTS / name
            self.assert_words({"online", "change"}, subject, "--tdx=absent")

    def test_after_the_daemon(self):
        self.tree_in_devdax_mode()
        self.assert_words({"devdax"}, REFUSED)

    def unplug(self):
        """cxl-refused after an administrator has unplugged the device (Linux 7.3)."""
        self.tree_in_devdax_mode()
        driver = self.root / "sys/bus/dax/devices/dax0.0/driver"
        driver.unlink()
        driver.symlink_to("../" * 8 + "bus/dax/drivers/kmem")
        self.write("sys/bus/dax/devices/dax0.0/state", "unplugged\n")

    def test_unplugged(self):
        """No block exists, and there are no steps."""
        self.unplug()
        for tdx in ("auto", "absent"):
            self.assert_words({"ignore", "stranded"}, REFUSED, f"--tdx={tdx}")

    def test_kmem_without_blocks(self):
        """kmem without blocks, without the dax state of Linux 7.3: not online, although no step is left."""
        self.unplug()
        self.forget("sys/bus/dax/devices/dax0.0/state")
        self.assert_words({"online", "change", "stranded"}, REFUSED, "--tdx=absent")
        self.assert_words({"devdax", "change", "stranded"}, REFUSED)

    def test_online_while_tdx_active(self):
        """TDX is active, the range was not there at boot, and a block of it is online."""
        self.tree("cxl-refused")
        self.write("sys/devices/system/memory/memory189/state", "online\n")
        self.assert_words({"ignore", "stranded", "disagreement"}, REFUSED)
        # TDX=active alone does not make the kernel refuse memory.
        self.root = tree.SYSROOTS / "cxl-online"
        self.assert_words({"ignore"}, ONLINE, "--tdx=active")

    def test_answer_in_this_boot(self):
        """The kernel's answer in a state file of this boot."""
        for answer, also in (("accepts", {"disagreement"}), ("refuses", set())):
            self.tree_in_devdax_mode()
            device = (self.root / "sys/bus/dax/devices/dax0.0").stat()
            self.write("run/tdx-onlined/state.json", json.dumps({
                "schema": 3, "config": {}, "present": [],
                "boot_id": (self.root / "proc/sys/kernel/random/boot_id").read_text().strip(),
                "boot_map": {"known": True, "ranges": [
                    {"start": 1 << 20, "size": 1022 << 20, "source": "boot-params"}]},
                "devices": [{
                    "type": "cxl", "chardev": "dax0.0", "size": 512 << 20,
                    "ranges": [{"start": 0x5D0000000, "size": 512 << 20}], "identity": device.st_ino, "verdict": "devdax", "reason": "outside-boot-map",
                    "result": "done", "answer": answer}]}))  # fmt: skip
            self.assert_words({"devdax"} | also, REFUSED)

    def test_other_failures(self):
        """Other failures keep their status, and no range is reported."""
        self.tree("cxl-refused")
        self.write(DROP_IN, "[Daemon]\nAct=perhaps\n")
        result = tree.run(self.root, "--dry-run", "--fail-on=devdax")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertNotIn("--fail-on", result.stderr)
        self.tree("cxl-refused")
        (self.root / "sys/devices/system/memory/block_size_bytes").unlink()
        result = tree.run(self.root, "--dry-run", "--fail-on=devdax")
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertNotIn("--fail-on", result.stderr)

    def test_order(self):
        """With both outputs in one file, the lines come after the table."""
        self.root = tree.SYSROOTS / "dimm"
        result = subprocess.run([BINARY, f"--root={self.root}", "--dry-run", "--fail-on=offline"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=tree.ENVIRONMENT, check=False)  # fmt: skip
        self.assertEqual(result.stdout.splitlines()[-1], f"tdx-onlined: --fail-on=offline: {DIMM}")

    def test_bad_list(self):
        self.root = tree.SYSROOTS / "plain-host"
        wanted = "online, devdax, offline, ignore, change, stranded, disagreement or offline-boot"
        for words, bad in (("", ""), ("ful", "ful"), ("online,ful,change", "ful"), ("online,", ""),
                           (",online", ""), ("Online", "Online"), ("change ", "change ")):  # fmt: skip
            result = tree.run(self.root, "--dry-run", f"--fail-on={words}")
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertEqual(result.stderr.splitlines(), [
                f"tdx-onlined: --fail-on={words}: '{bad}' is not {wanted}",
                "Try 'tdx-onlined --help'."])  # fmt: skip

    def test_help(self):
        """Each word has a line."""
        text = tree.run_plain("--help").stdout
        lines = text.split("Words of --fail-on:\n")[1].split("\n\n")[0].splitlines()
        self.assertEqual([line.split()[0] for line in lines], WORDS)


if __name__ == "__main__":
    tree.main()
