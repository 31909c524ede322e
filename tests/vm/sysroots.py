#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make the trees of tests/sysroots again: each is captured from a guest in one situation.

    sysroots.py [--cache DIR] [NAME...]      default: all

The guest has the latest build of the program and no service, so that only the kernel has acted.
"""

import argparse
import pathlib
import shutil
import tempfile

from guest import CACHE, TDX_ACTIVE, Guest
from scene import BUILD

SYSROOTS = pathlib.Path(__file__).resolve().parent.parent / "sysroots"
MEMORY = "/sys/devices/system/memory"
GUARD_UP = f"echo 0 >/sys/bus/dax/drivers_autoprobe; echo offline >{MEMORY}/auto_online_blocks"
BLOCK_STATES = f"{MEMORY}/memory*/state"


def nothing(guest):
    pass


def refused(guest):
    guest.create_region(0, "512M")
    guest.wait_for("grep 1 /sys/module/tdx_refuse/parameters/refused")


def online(guest):
    guest.create_region(0, "512M")
    guest.wait_for("test $(daxctl list | grep -c system-ram) = 1")


def guarded(guest):
    guest.run(GUARD_UP)
    guest.create_region(0, "64G")
    guest.wait_for("test -e /sys/bus/dax/devices/dax0.0")


def dimm(guest):
    guest.add_dimm("512M")
    guest.wait_for(f"test $(grep -l offline {BLOCK_STATES} | wc -l) = 4")


def virtio_mem(guest):
    guest.resize_virtio_mem("256M")
    guest.wait_for(f"test $(grep -l offline {BLOCK_STATES} | wc -l) = 2")


def pmem(guest):
    name = "$(ndctl list | sed -n 's/.*\"dev\":\"\\(.*\\)\".*/\\1/p')"
    guest.run(f"ndctl create-namespace --force --reconfig={name} --mode=devdax --map=mem")
    guest.wait_for("test -e /sys/bus/dax/devices/dax*")


# The guests, with a function that prepares each.
SCENES = {
    "plain-host": (nothing, {}),
    "cxl-refused": (refused, {"cxl": ["512M"], "kernel_args": TDX_ACTIVE}),
    "cxl-guard": (guarded, {"cxl": ["64G"], "kernel_args": TDX_ACTIVE}),
    "cxl-online": (online, {"cxl": ["512M"]}),
    "dimm": (dimm, {"kernel_args": TDX_ACTIVE}),
    "hmem": (nothing, {"kernel_args": ["memmap=256M%256M+0xefffffff", *TDX_ACTIVE]}),
    "pmem": (pmem, {"kernel_args": ["memmap=256M!256M", *TDX_ACTIVE]}),
    "virtio-mem": (virtio_mem, {"virtio_mem": "1G", "kernel_args": TDX_ACTIVE}),
}


def overlay(directory):
    """An overlay with the program only."""
    target = pathlib.Path(directory) / "usr/sbin"
    target.mkdir(parents=True)
    shutil.copy(pathlib.Path(BUILD) / "daemon/tdx-onlined", target)
    return directory


def main():
    parser = argparse.ArgumentParser(description="Capture the trees of tests/sysroots.")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(SCENES))
    options = parser.parse_args()
    for name in options.names:
        make, machine = SCENES[name]
        print(name, flush=True)
        with (
            tempfile.TemporaryDirectory() as directory,
            Guest(cache=options.cache, overlay=overlay(directory), **machine) as guest,
        ):
            guest.wait_booted()
            make(guest)
            guest.run("udevadm settle; tdx-onlinectl capture /tmp/tree")
            shutil.rmtree(SYSROOTS / name, ignore_errors=True)
            # Configuration files of Debian's other packages are not part of the trees.
            guest.run("cd /tmp/tree && rm -rf etc usr lib && find . -type d -empty -delete")
            guest.fetch("/tmp/tree", SYSROOTS / name)


if __name__ == "__main__":
    main()
