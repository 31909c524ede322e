#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is no captured machine: links that lead out, and files that nobody could read to the end.

None of it hangs, and nothing of the host is ever told.
"""

import os
import pathlib
import socket
import stat

import tree

JUDGE = ("--dry-run", "--dry-run --json", "--dry-run --check-config")
LOOK = ("--check-config", "--cat-config")
STATE = "run/tdx-onlined/state.json"
SECRET = "a-secret-of-the-host"


def make_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def make_device(path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero never ends


def make_large(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


class Root(tree.Tree):
    PLACES = (
        "proc/cpuinfo",
        "proc/zoneinfo",
        "dev/kmsg",
        "dev/dax0.0",
        "sys/bus/dax/devices/dax0.0/size",
        "sys/bus/cxl/devices/mem0/serial",
        "sys/devices/system/memory/memory186/state",
        "sys/bus/cxl/devices/new",
        "sys/kernel/boot_params/data",
        STATE,
        "etc/modprobe.d/x.conf",
        "etc/machine-id",
    )

    def replace(self, place):
        """Where the file of that name really is; it is not there any more."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path = pathlib.Path(os.path.realpath(path.parent)) / path.name
        path.unlink(missing_ok=True)
        return path

    def assert_refused(self, path, what):
        inside = "/" + str(path.relative_to(self.root))
        message = f"Not a captured machine: {inside} is {what}"
        for options in JUDGE:
            self.assert_run(options.split(), (1, "", [message]))

    def assert_configuration_readable(self):
        for options in LOOK:
            result = tree.run(self.root, options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_no_file(self):
        """A FIFO or a socket is refused wherever it may be opened, by us or by a library."""
        for make, what in ((os.mkfifo, "a FIFO"), (make_socket, "a socket")):
            for place in self.PLACES:
                with self.subTest(place, what=what):
                    self.tree("cxl-refused")
                    path = self.replace(place)
                    make(path)
                    self.assert_refused(path, what)
                    self.assert_configuration_readable()

    def test_link_to_no_file(self):
        """Also at the end of a link: one that would be followed."""
        for place in ("dev/kmsg", "etc/modprobe.d/x.conf", STATE):
            with self.subTest(place):
                self.tree("cxl-refused")
                path = self.replace(place)
                path.symlink_to("/tmp/fifo")
                (self.root / "tmp").mkdir()
                os.mkfifo(self.root / "tmp/fifo")
                self.assert_refused(path, "a FIFO")

    def test_device(self):
        for place in self.PLACES:
            with self.subTest(place):
                self.tree("cxl-refused")
                path = self.replace(place)
                try:
                    make_device(path)
                except PermissionError:
                    self.skipTest("a tree with a device in it needs the right to make one")
                self.assert_refused(path, "a device")

    def test_too_large(self):
        """Nothing reads a terabyte; an attribute is cut off where it is read."""
        for place in ("proc/iomem", "dev/kmsg", STATE, "etc/modprobe.d/x.conf"):
            with self.subTest(place):
                self.tree("cxl-refused")
                path = self.replace(place)
                make_large(path)
                self.assert_refused(path, "too large")
        self.tree("cxl-refused")
        make_large(self.replace("sys/devices/system/memory/memory186/state"))
        _, messages = self.decide()
        self.assertIn("/memory186/state: ", messages)

    def test_elsewhere_is_nobodys_business(self):
        """A FIFO that nobody opens, and devices, as the roots of whole systems have them."""
        self.tree("plain-host")
        expected = tree.run(self.root, "--dry-run")
        (self.root / "run/initctl").parent.mkdir(exist_ok=True)
        os.mkfifo(self.root / "run/initctl")
        os.mkfifo(self.root / "dev/initctl")
        result = tree.run(self.root, "--dry-run")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, expected.stdout)

    # --- links ---

    def secret(self):
        """A file of the host, next to the tree, that every link here would find outside of it."""
        path = self.directory / "secret"
        path.write_text(f"{SECRET}\n")
        return path

    def test_links_out_of_the_tree(self):
        """They end in the tree: what they mean on the host is not looked at."""
        host = self.secret()
        targets = (str(host), "../" * 20 + str(host)[1:], "../" * 20 + "etc/shadow", "/etc/shadow")
        for place in ("proc/cpuinfo", "sys/devices/system/memory/auto_online_blocks", "dev/kmsg",
                      "sys/fs/cgroup/misc.capacity", "proc/zoneinfo"):  # fmt: skip
            for target in targets:
                with self.subTest(place, target=target):
                    self.tree("cxl-refused")
                    self.replace(place).symlink_to(target)
                    result = tree.run(self.root, "--dry-run", "--json")
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertNotIn(SECRET, result.stdout + result.stderr)
                    self.assertNotIn("root:", result.stdout + result.stderr)

    def test_missing_evidence_is_told(self):
        self.secret()
        self.tree("cxl-refused")
        self.replace("proc/cpuinfo").symlink_to("../../secret")
        _, messages = self.decide()
        self.assertIn("/proc/cpuinfo: No such file or directory", messages)

    def test_links_out_of_sys(self):
        """Within the tree, but no sysfs has them."""
        for place, target in (("sys/fs/cgroup/misc.capacity", "/etc/passwd"),
                              ("sys/bus/dax/devices/dax0.0", "/etc"),
                              ("proc/cpuinfo", "../etc/passwd")):  # fmt: skip
            with self.subTest(place):
                self.tree("cxl-refused")
                self.write("etc/passwd", f"{SECRET}\n")
                path = self.replace(place)
                path.symlink_to(target)
                self.assert_refused(path, "a link to elsewhere")

    def test_loops(self):
        self.tree("cxl-refused")
        self.replace("proc/cpuinfo").symlink_to("cpuinfo")
        report, messages = self.decide(status=0)
        self.assertIn("/proc/cpuinfo: Too many levels of symbolic links", messages)
        self.assertEqual(len(report["ranges"]), 1)
        (self.root / "sys/bus/dax/round").symlink_to("../dax")
        self.assertEqual(self.decide()[0], report)


if __name__ == "__main__":
    tree.main()
