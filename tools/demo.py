#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the daemon in a test guest whose kernel refuses memory that was not RAM at boot.

    demo.py OVERLAY

OVERLAY is a directory with the daemon, installed by `meson install` and enabled. 64 GiB of CXL memory and
a DIMM are hot-added. Lines that begin with "|" are journal entries of the daemon.
"""

import contextlib
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/vm"))
from guest import TDX_ACTIVE, Guest, GuestError  # noqa: E402

MEMORY = "/sys/devices/system/memory"
REFUSED = "/sys/module/tdx_refuse/parameters/refused"
JOURNAL = "journalctl --boot --unit=tdx-onlined --output=short-monotonic --no-hostname --lines=all"


def say(text=""):
    print(text, flush=True)


class LiveJournal:
    """Prints the lines that are written to a FIFO, until its writer closes it."""

    def __init__(self, path):
        self._printed = ""
        self._news = threading.Condition()
        os.mkfifo(path)
        threading.Thread(target=self._follow, args=[path], daemon=True).start()

    def _follow(self, path):
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in filter(None, map(str.strip, lines)):
                say(f"    | {line}")
                with self._news:
                    self._printed += line
                    self._news.notify_all()

    def wait_for(self, text, timeout=120):
        with self._news:
            if not self._news.wait_for(lambda: text in self._printed, timeout):
                raise GuestError(f"no {text!r} in the journal within {timeout} s")


@contextlib.contextmanager
def doing(what):
    """Print what is being done, the time every 5 seconds, and how long it took."""
    done = threading.Event()

    def count():
        while not done.wait(5):
            say(f"    ... {time.monotonic() - began:.0f} s")

    say(f"==> {what}")
    began = time.monotonic()
    counter = threading.Thread(target=count)
    counter.start()
    try:
        yield
    finally:
        done.set()
        counter.join()
    say(f"    done in {time.monotonic() - began:.1f} s")


@contextlib.contextmanager
def guest_with_live_journal(overlay):
    """A booted guest, and the journal of the daemon from its second serial port."""
    with tempfile.TemporaryDirectory(prefix="tdx-onlined-") as scratch:
        fifo = f"{scratch}/journal"
        journal = LiveJournal(fifo)
        with Guest(overlay=overlay, memory="2G", cxl=["64G"], kernel_args=TDX_ACTIVE,
                   extra_qemu=("-serial", f"file:{fifo}")) as guest:  # fmt: skip
            with doing("Booting Debian, with systemd and the daemon, on an emulated TDX host"):
                guest.wait_for("test -e /run/log/journal/*/system.journal", 60)
                guest.run(f"stty -F /dev/ttyS1 raw; {JOURNAL} --follow >/dev/ttyS1 2>&1 &")
                guest.wait_booted()
                journal.wait_for("nothing to do")
            yield guest, journal


def blocks(guest):
    return set(str(guest.run(f"ls {MEMORY} | grep '^memory'")).split())


def show(guest, command):
    say(f"$ {command}")
    say(guest.run(command).stdout)


def demonstrate(guest, journal):
    """Hot-add CXL memory and a DIMM. Returns the memory blocks that each of them added."""
    at_boot = blocks(guest)
    with doing("Hot-adding 64 GiB of CXL memory: a TDX kernel refuses each of its 512 blocks"):
        guest.create_region(0, "64G")
        journal.wait_for(" of CXL memory (")
        guest.wait_for("daxmap /dev/dax0.0", 120)
    with_cxl = blocks(guest)
    with doing("Hot-adding a DIMM of 1 GiB: the kernel adds 8 blocks and no dax device"):
        guest.add_dimm("1G")
        journal.wait_for(" of memory in a DIMM (")
    return with_cxl - at_boot, blocks(guest) - with_cxl


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: demo.py OVERLAY")
    with guest_with_live_journal(sys.argv[1]) as (guest, journal):
        cxl_blocks, dimm_blocks = demonstrate(guest, journal)
        say()
        show(guest, "tdx-onlined --dry-run")
        show(guest, "daxctl list")
        refused = int(str(guest.run(f"cat {REFUSED}")))
        online = [b for b in dimm_blocks if str(guest.run(f"cat {MEMORY}/{b}/state")) != "offline"]
    if cxl_blocks or online or refused:
        say(f"Not as expected: {len(cxl_blocks)} memory blocks for the CXL memory, "
            f"{len(online)} of the DIMM online, {refused} refused by the kernel.")  # fmt: skip
        return 1
    say("The 64 GiB of CXL memory have no memory blocks and can be used as /dev/dax0.0; the "
        f"{len(dimm_blocks)} blocks of the DIMM stay offline; the kernel refused nothing, because the "
        "daemon onlined none of this memory.")  # fmt: skip
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
