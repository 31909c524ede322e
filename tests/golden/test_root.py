#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""--root=: links that lead out of the tree, and endless files.

The program must not hang, nor print anything from the host.
"""

import os
import pathlib
import socket
import stat

import tree

DECIDE = ("--dry-run", "--dry-run --json", "config diff")
READ = ("--check-config", "config cat")
STATE = "run/tdx-onlined/state.json"
SECRET = "a-secret-of-the-host"


def make_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # unix(7): the path of a socket is at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def make_device(path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero is endless


def make_large(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


def error_of(make):
    """The error of reading what `make` makes."""
    return "No such device or address" if make is make_socket else "Operation not supported"


class Root(tree.Tree):
    # Files that libraries open: the tree is refused.
    OF_LIBRARIES = (
        "sys/bus/dax/devices/dax0.0/size",
        "sys/bus/cxl/devices/mem0/serial",
        "sys/bus/cxl/devices/mem0/ram/size",
        "sys/bus/cxl/devices/region0/new",
        "lib/modules/6.12.0/modules.alias.bin",
        "etc/modprobe.d/x.conf",
        "etc/machine-id",
        "proc/cmdline",
        "proc/sys/kernel/random/boot_id",
        "dev/kmsg",
    )
    # Files that only the program opens.
    OWN = (
        "proc/cpuinfo",
        "sys/kernel/boot_params/data",
        "sys/devices/system/memory/memory186/state",
        "sys/firmware/acpi/tables/SRAT",
    )

    def replace(self, place):
        """Remove a file, and return its path at the end of its links."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path = pathlib.Path(os.path.realpath(path.parent)) / path.name
        path.unlink(missing_ok=True)
        return path

    def assert_refused(self, place, what):
        message = f"Not a captured machine: /{place} is {what}"
        for options in DECIDE:
            self.assert_run(options.split(), (1, "", [message]))

    def assert_configuration_readable(self):
        for options in READ:
            result = tree.run(self.root, *options.split())
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def for_each(self, places, check):
        """Put a FIFO, a socket and, if possible, a device in each place."""
        for make in (os.mkfifo, make_socket, make_device):
            for place in places:
                with self.subTest(place, make=make.__name__):
                    self.tree("cxl-refused")
                    try:
                        make(self.replace(place))
                    except PermissionError:
                        self.skipTest("a tree with a device in it needs the right to make one")
                    check(place, make)

    def test_read_by_libraries(self):
        def check(place, _):
            self.assert_refused(place, "not a regular file")
            self.assert_configuration_readable()

        self.for_each(self.OF_LIBRARIES, check)

    def test_dax_region(self):
        """A dax region that is not of CXL is not a device of a bus."""
        self.tree("hmem")
        os.mkfifo(self.replace("sys/devices/platform/hmem.0/dax_region/size"))
        self.assert_refused("sys/bus/dax/devices/dax0.0/../dax_region/size", "not a regular file")

    def test_link_to_fifo(self):
        """A FIFO at the end of a link."""
        for place in ("dev/kmsg", "etc/modprobe.d/x.conf"):
            with self.subTest(place):
                self.tree("cxl-refused")
                self.replace(place).symlink_to("/tmp/fifo")
                (self.root / "tmp").mkdir()
                os.mkfifo(self.root / "tmp/fifo")
                self.assert_refused(place, "not a regular file")

    def test_read_by_the_program(self):
        """A message, as for any file that cannot be read."""

        def check(place, make):
            _, messages = self.decide()
            self.assertIn(f"/{place}: {error_of(make)}\n", messages)
            self.assert_configuration_readable()

        self.for_each(self.OWN, check)

    def test_state(self):
        def check(place, make):
            _, messages = self.decide()
            self.assertIn(f"/{place}: not a state file (not a file): it is ignored\n", messages)

        self.for_each([STATE], check)

    def test_too_large(self):
        """Sparse files of a terabyte are not read."""
        for place in ("dev/kmsg", "etc/modprobe.d/x.conf"):
            with self.subTest(place):
                self.tree("cxl-refused")
                make_large(self.replace(place))
                self.assert_refused(place, "too large")
        for place, message in (
            (STATE, "not a state file (File too large): it is ignored"),
            ("sys/firmware/acpi/tables/SRAT", "File too large"),
            ("sys/devices/system/memory/memory186/state", "Value too large for defined data type"),
        ):
            with self.subTest(place):
                self.tree("cxl-refused")
                make_large(self.replace(place))
                _, messages = self.decide()
                self.assertIn(f"/{place}: {message}\n", messages)

    def test_unused_files(self):
        """FIFOs that the program does not open, as the roots of whole systems have them."""
        self.tree("plain-host")
        expected = tree.run(self.root, "--dry-run")
        (self.root / "run/initctl").parent.mkdir(exist_ok=True)
        os.mkfifo(self.root / "run/initctl")
        os.mkfifo(self.root / "dev/initctl")
        os.mkfifo(self.root / "sys/devices/system/memory/memory0/new")
        result = tree.run(self.root, "--dry-run")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, expected.stdout)

    # --- links ---

    def secret(self):
        """Make a file outside of the tree, the target of the links in these tests."""
        path = self.directory / "secret"
        path.write_text(f"{SECRET}\n")
        return path

    def test_links_out_of_the_tree(self):
        """Links that lead out of the tree are resolved inside of it."""
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

    def test_missing_evidence(self):
        self.secret()
        self.tree("cxl-refused")
        self.replace("proc/cpuinfo").symlink_to("../../secret")
        _, messages = self.decide()
        self.assertIn("/proc/cpuinfo: No such file or directory", messages)

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
