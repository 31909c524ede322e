#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test guest: Debian under QEMU, with memory that can be hot-added.

    with Guest(cxl=["512M"], overlay="build/destdir") as guest:
        guest.wait_booted()
        guest.create_region(0, "512M")
        guest.wait_for("grep offline /sys/devices/system/memory/memory*/state", 20)
        print(guest.journal("-u", "tdx-onlined"))

./prepare makes the guest's disks, which never change: QEMU writes to a snapshot of the root disk, and a
test adds files by an overlay. Host and guest communicate over socket pairs that QEMU inherits, so that
any number of guests can run at once.

TDXO_VM_KERNEL and TDXO_VM_ROOT in the environment are the default kernel and root disk of guests, by the
names that ./prepare lists. Without them it is Debian's kernel 6.12, and Debian 12 unless the programs of
this machine need a newer one.

Run as a program, it starts a guest and runs the commands that it reads from standard input.
"""

import argparse
import base64
import itertools
import json
import os
import pathlib
import platform
import re
import shlex
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tdx-onlined"
NEEDS_TRIXIE = platform.libc_ver() > ("glibc", "2.36")
KERNEL = os.environ.get("TDXO_VM_KERNEL") or "debian-6.12"
ROOT = os.environ.get("TDXO_VM_ROOT") or ("trixie" if NEEDS_TRIXIE else "bookworm")
LAB = "/usr/local/lib/lab"
# no_timer_check: without it the kernel panics if the first timer interrupt is late, as on a busy machine.
KERNEL_ARGS = ("console=ttyS0 panic=-1 rw mitigations=off no_timer_check systemd.show_status=auto"
               " TERM=dumb")  # fmt: skip

# Kernel parameters for a guest that looks to user space like a host where firmware has enabled TDX, and
# like one where the TDX module is initialised too: there, memory that was not present at boot is refused.
TDX_ARMED = ("tdx_refuse.platform=1",)
TDX_ACTIVE = (*TDX_ARMED, "tdx_refuse.initialized=1", "tdx_refuse.ranges=boot")

RUN_INIT = "Run /init as init process"  # init/main.c, 6.12 and 7.3
LOST_TIMER = "Possible timer handling issue on cpu="  # kernel/rcu/tree_stall.h, 6.12 and 7.3

FIRST_SERIAL = 0x42
FIRST_BUS = 12
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class GuestError(Exception):
    """The guest ended or did not answer, or a command in it failed."""


class Result:
    """Exit status, standard output and standard error of a command in the guest."""

    def __init__(self, status, stdout, stderr):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self):
        return self.stdout.strip()


def size_bytes(size):
    """Bytes of a size like 536870912, "512M" or "64G"."""
    digits, unit = re.fullmatch(r"(\d+)([KMGT]?)", str(size)).groups()
    return int(digits) * UNITS[unit]


def pack_overlay(source, target):
    """Make a tar to unpack over the guest's root, where /lib and others are links."""

    def as_root(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.name = re.sub(r"^(bin|sbin|lib|lib64)/", r"usr/\1/", entry.name)
        return entry

    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(source.rglob("*")):
            if path.is_symlink() or not path.is_dir() or not any(path.iterdir()):
                tar.add(path, path.relative_to(source), recursive=False, filter=as_root)


def machine(cxl_sizes):
    """QEMU's machine, with a window of the physical address space for each CXL host bridge."""
    windows = (
        f",cxl-fmw.{i}.targets.0=cxl.{i},cxl-fmw.{i}.size={max(4 << 30, size)}"
        for i, size in enumerate(map(size_bytes, cxl_sizes))
    )
    return "q35,accel=tcg,cxl=on" + "".join(windows)


def cpu(kernel):
    """QEMU's CPU: one with clflush, and an Intel CPU for kernels with the TDX code."""
    return "max,-hypervisor" + (",vendor=GenuineIntel" if kernel.startswith("tdx-") else "")


def cpu_kernel_args(kernel):
    """The CPU features that the TDX code requires and QEMU's CPU lacks; the kernel uses none of them."""
    return ("setcpuid=movdir64b,ss",) if kernel.startswith("tdx-") else ()


def cxl_arguments(sizes):
    """QEMU arguments for CXL memory devices, each behind a host bridge of its own."""
    for i, size in enumerate(map(size_bytes, sizes)):
        yield from (
            "-object", f"memory-backend-ram,id=cxl-ram{i},size={size},reserve=off",
            "-object", f"memory-backend-ram,id=cxl-lsa{i},size=1M",
            "-device", f"pxb-cxl,bus_nr={FIRST_BUS + 4 * i},bus=pcie.0,id=cxl.{i},"
                       "hdm_for_passthrough=on",
            "-device", f"cxl-rp,port=0,bus=cxl.{i},id=cxl-rp{i},chassis=0,slot={2 + i}",
            "-device", f"cxl-type3,bus=cxl-rp{i},volatile-memdev=cxl-ram{i},lsa=cxl-lsa{i},"
                       f"id=cxl-mem{i},sn={FIRST_SERIAL + i:#x}",
        )  # fmt: skip


def missing_artefact(cache=CACHE, *, kernel=KERNEL, root=ROOT, **_):
    """The file that ./prepare has not made for a guest, or None."""
    files = (f"kernel-{kernel}/vmlinuz", f"modules-{kernel}/modules.img", f"initrd-{kernel}/initrd",
             f"root-{root}/root.img")  # fmt: skip
    return next((path for path in map(cache.joinpath, files) if not path.exists()), None)


class Guest:
    """One guest, running from __enter__ to __exit__.

    kernel, root            names of the kernel and of the root disk, see ./prepare
    memory, maxmem, slots   RAM at boot; the maximum; slots for DIMMs
    cxl                     sizes of CXL memory devices; serial numbers count from 0x42
    virtio_mem              maximum size of a virtio-mem device
    overlay                 directory, or tar, whose files are copied over the guest's root
    kernel_args             more kernel parameters, such as TDX_ACTIVE
    extra_qemu              more arguments for QEMU
    console                 file for the console log; default: a temporary one
    cache                   directory of the artefacts of ./prepare; default: its default
    """

    def __init__(self, *, kernel=KERNEL, root=ROOT, memory="1G", maxmem="16G", slots=4, cxl=(),
                 virtio_mem=None, overlay=None, kernel_args=(), extra_qemu=(), console=None,
                 cache=CACHE):  # fmt: skip
        self._scratch = tempfile.TemporaryDirectory(prefix="lab-guest-")
        self._ids = itertools.count(1)
        self.console = pathlib.Path(console or f"{self._scratch.name}/console")
        cache = pathlib.Path(cache)
        self._arguments = [
            *("-machine", machine(cxl), "-cpu", cpu(kernel), "-smp", "2"),
            *("-m", f"{memory},slots={slots},maxmem={maxmem}"),
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-serial", f"file:{self.console}"),
            *("-kernel", f"{cache}/kernel-{kernel}/vmlinuz"),
            *("-initrd", f"{cache}/initrd-{kernel}/initrd"),
            *("-append", " ".join([KERNEL_ARGS, *cpu_kernel_args(kernel), *kernel_args])),
            *self._disk("root", cache / f"root-{root}/root.img", "snapshot=on"),
            *self._disk("modules", cache / f"modules-{kernel}/modules.img", "readonly=on"),
            *self._disk("overlay", self._overlay_tar(overlay), "readonly=on"),
            *("-device", "virtio-serial-pci,bus=pcie.0"),
            *cxl_arguments(cxl),
            *self._virtio_mem(virtio_mem),
            *extra_qemu,
        ]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._scratch.cleanup()

    @staticmethod
    def _disk(name, path, options):
        if not path:
            return ()
        return ("-drive", f"file={path},if=none,id={name},format=raw,{options}",
                "-device", f"virtio-blk-pci,drive={name},bus=pcie.0")  # fmt: skip

    @staticmethod
    def _virtio_mem(size):
        if not size:
            return ()
        return ("-object", f"memory-backend-ram,id=virtio-ram,size={size_bytes(size)},reserve=off",
                "-device", "virtio-mem-pci,id=virtio-mem,memdev=virtio-ram,requested-size=0,"
                           "bus=pcie.0")  # fmt: skip

    def _overlay_tar(self, overlay):
        if not overlay or not pathlib.Path(overlay).is_dir():
            return overlay
        tar = pathlib.Path(self._scratch.name) / "overlay.tar"
        pack_overlay(pathlib.Path(overlay), tar)
        return tar

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._agent.close()
        self._monitor.close()

    def start(self):
        """Start QEMU; the guest answers from early in its boot."""
        agent, agent_end = socket.socketpair()
        monitor, monitor_end = socket.socketpair()
        with agent_end, monitor_end:
            self._process = subprocess.Popen(
                ["qemu-system-x86_64", *self._arguments,
                 "-chardev", f"socket,id=agent,fd={agent_end.fileno()}",
                 "-device", "virtserialport,chardev=agent,name=agent",
                 "-chardev", f"socket,id=monitor,fd={monitor_end.fileno()}",
                 "-mon", "chardev=monitor,mode=control"],
                pass_fds=(agent_end.fileno(), monitor_end.fileno()), stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._agent, self._agent_lines = agent, agent.makefile("rb")
        self._monitor, self._monitor_lines = monitor, monitor.makefile("rb")
        self._events = []
        self._read_line(self._monitor, self._monitor_lines, 30)
        self.qmp("qmp_capabilities")

    def _send_line(self, sock, line):
        try:
            sock.sendall(line.encode() + b"\n")
        except ConnectionError:
            raise GuestError("the guest is gone") from None

    def _read_line(self, sock, lines, timeout):
        sock.settimeout(timeout)
        try:
            line = lines.readline()
        except TimeoutError:
            raise self._lost(f"no answer within {timeout:.0f} s") from None
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise self._lost("the guest is gone")
        return line.decode()

    def _lost(self, message):
        self._show_console()
        return GuestError(message)

    def _show_console(self, lines=40):
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        text = text.replace("\r", "")
        print(f"--- console {self.console}", *text.splitlines()[-lines:], "---", sep="\n",
              file=sys.stderr)  # fmt: skip

    # --- commands in the guest ---

    def run(self, command, *, check=True, timeout=60):
        """Run a shell command as root and return its Result.

        A command may be given as a list of words. It is killed after timeout seconds (status 124).
        """
        if not isinstance(command, str):
            command = shlex.join(map(str, command))
        number = next(self._ids)
        text = base64.b64encode(command.encode()).decode()
        self._send_line(self._agent, f"{number} {timeout} {text}")
        result = self._result_of(number, time.monotonic() + timeout + 30)
        if check and result.status:
            raise GuestError(f"{command}: status {result.status}\n{result.stdout}{result.stderr}")
        return result

    def _result_of(self, number, deadline):
        while True:
            left = max(deadline - time.monotonic(), 0.1)
            answer = self._read_line(self._agent, self._agent_lines, left).split()
            if int(answer[0]) == number:
                texts = (base64.b64decode(t if t != "-" else "") for t in answer[2:4])
                return Result(int(answer[1]), *(t.decode(errors="replace") for t in texts))

    def wait_for(self, command, timeout=30):
        """Wait until a shell command succeeds; it is tried again after each burst of events."""
        return self.run([f"{LAB}/wait-for", timeout, command], timeout=timeout + 30)

    def wait_booted(self, timeout=180):
        """Wait until systemd and udev have finished the boot; returns the state of systemd.

        On a busy machine the emulator may lose a timer interrupt of a processor, which then never wakes
        up: the kernel prints a message. Or the kernel panics or hangs before its first program, as it
        patches its code or waits for a processor. In both cases the guest is started again, once.
        """
        command = "systemctl is-system-running --wait; udevadm settle"
        try:
            return str(self.run(command, timeout=timeout))
        except GuestError:
            console = self.console.read_text(errors="replace")
            if LOST_TIMER not in console and RUN_INIT in console:
                raise
        print("the kernel did not boot, see above: starting the guest again", file=sys.stderr)
        self.stop()
        self.start()
        return str(self.run(command, timeout=timeout))

    def journal(self, *matches):
        """Entries of this boot's journal, as dicts; matches are arguments of journalctl."""
        self.run("journalctl --sync")
        words = ["journalctl", "--boot", "--output=json", "--all", "--no-pager", *matches]
        return [json.loads(line) for line in self.run(words).stdout.splitlines()]

    def fetch(self, path, target):
        """Copy a directory tree of the guest into the directory target of the host."""
        packed = self.run(f"tar -C {shlex.quote(path)} -c . | base64 -w0", timeout=120).stdout
        with tempfile.TemporaryFile() as file:
            file.write(base64.b64decode(packed))
            file.seek(0)
            with tarfile.open(fileobj=file) as tar:
                tar.extractall(target)

    def power_off(self, timeout=60):
        """Shut the guest down cleanly, and wait until it is off."""
        self.run("systemctl poweroff --no-block")
        self._process.wait(timeout)

    # --- machine ---

    def qmp(self, command, **arguments):
        """Run a command of the QEMU monitor; "_" in names of arguments stands for "-"."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._send_line(self._monitor, json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = self._read_monitor(30)
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def _read_monitor(self, timeout):
        """Read an answer of the QEMU monitor, or an event, which is kept for wait_for_event()."""
        answer = json.loads(self._read_line(self._monitor, self._monitor_lines, timeout))
        if "event" in answer:
            self._events.append((answer["event"], answer.get("data", {}).get("device")))
        return answer

    def wait_for_event(self, event, device, timeout=60):
        """Wait for an event of QEMU about a device."""
        while (event, device) not in self._events:
            self._read_monitor(timeout)
        self._events.remove((event, device))

    # --- memory ---

    def create_region(self, index, size):
        """Make a CXL RAM region on device index.

        Returns its name, and the guest's CLOCK_MONOTONIC, in seconds, from right before the region
        was bound to its driver.
        """
        words = [f"{LAB}/create-region", index, size_bytes(size)]
        name, nanoseconds = self.run(words, timeout=120).stdout.split()
        return name, int(nanoseconds) / 1e9

    def add_dimm(self, size, **properties):
        """Hot-add an ACPI DIMM; returns its QEMU id. Properties are QEMU's, such as addr."""
        name = f"dimm{next(self._ids)}"
        self.qmp("object-add", qom_type="memory-backend-ram", id=f"{name}-ram",
                 size=size_bytes(size), reserve=False)  # fmt: skip
        self.qmp("device_add", driver="pc-dimm", id=name, memdev=f"{name}-ram", **properties)
        return name

    def remove_dimm(self, name):
        """Request the removal of a DIMM from the guest; wait_dimm_removed() waits for it."""
        self.qmp("device_del", id=name)

    def wait_dimm_removed(self, name):
        self.wait_for_event("DEVICE_DELETED", name)
        self.qmp("object-del", id=f"{name}-ram")

    def resize_virtio_mem(self, size):
        """Set the requested size of the virtio-mem device; the guest follows block by block."""
        self.qmp("qom-set", path="/machine/peripheral/virtio-mem", property="requested-size",
                 value=size_bytes(size))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Start a guest; run commands from standard input.")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("--kernel", default=KERNEL)
    parser.add_argument("--root", default=ROOT)
    parser.add_argument("--cxl", action="append", default=[], metavar="SIZE")
    parser.add_argument("--memory", default="1G")
    parser.add_argument("--overlay", metavar="DIR|TAR")
    parser.add_argument("--virtio-mem", metavar="SIZE")
    parser.add_argument("--kernel-arg", action="append", default=[], dest="kernel_args")
    with Guest(**vars(parser.parse_args())) as guest:
        guest.wait_booted()
        print("guest is up", file=sys.stderr)
        for line in sys.stdin:
            result = guest.run(line, check=False)
            print(result.stdout + result.stderr, end="", flush=True)


if __name__ == "__main__":
    main()
