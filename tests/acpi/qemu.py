#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make the tables of tests/acpi/qemu anew: each guest's own, and what its kernel made of them.

    qemu.py [--cache DIR] [NAME...]      default: all
"""

import argparse
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))

from guest import CACHE, Guest  # noqa: E402

READ = """
mkdir /tmp/tables
cp /sys/firmware/acpi/tables/SRAT /sys/firmware/acpi/tables/CEDT /tmp/tables
dmesg | sed -n 's/.*ACPI: \\(SRAT: Node.*\\)/\\1/p' >/tmp/tables/kernel-log
shopt -s nullglob
for decoder in /sys/bus/cxl/devices/decoder0.*; do
    cd $decoder
    cat start size target_list | xargs
done >/tmp/tables/kernel-windows
"""


def ram(name, size):
    return ("-object", f"memory-backend-ram,id={name},size={size}")


def node(number, *words):
    return ("-numa", ",".join(["node", f"nodeid={number}", *words]))


def host_bridge(i):
    return ("-device", f"pxb-cxl,bus_nr={16 + 4 * i},bus=pcie.0,id=cxl.{i},hdm_for_passthrough=on",
            "-device", f"cxl-rp,port=0,bus=cxl.{i},id=rp{i},chassis=0,slot={2 + i}")  # fmt: skip


def window(i, size, granularity, *bridges):
    targets = (f"cxl-fmw.{i}.targets.{j}=cxl.{bridge}" for j, bridge in enumerate(bridges))
    return ",".join([*targets, f"cxl-fmw.{i}.size={size}",
                     f"cxl-fmw.{i}.interleave-granularity={granularity}"])  # fmt: skip


# Extra arguments of each guest; all have 1 GiB of RAM, and may grow to 16 GiB.
GUESTS = {
    "nodes": [
        *ram("ram0", "640M"), *ram("ram1", "384M"),
        *node(0, "memdev=ram0", "cpus=0"), *node(1, "memdev=ram1", "cpus=1"), *node(2),
    ],
    "interleaved": [
        *(word for i in range(4) for word in host_bridge(i)),
        "-machine", ",".join([window(0, "16G", "4k", 0, 1, 2, 3), window(1, "8G", "1k", 2, 3),
                              window(2, "4G", "256", 1)]),
        *ram("ram0", "1G"), *node(0, "memdev=ram0"), *node(1),
        "-object", "acpi-generic-port,id=port0,pci-bus=cxl.0,node=1",
    ],
    "nvdimm": [
        "-machine", "nvdimm=on", *ram("nvdimm-ram", "512M"),
        "-device", "nvdimm,id=nvdimm0,memdev=nvdimm-ram,label-size=128K",
    ],
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Read the tables of guests.")
    parser.add_argument("--cache", default=CACHE)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(GUESTS))
    options = parser.parse_args()
    for name in options.names:
        print(name, flush=True)
        with Guest(cache=options.cache, extra_qemu=GUESTS[name]) as guest:
            guest.wait_booted()
            guest.run(READ)
            shutil.rmtree(HERE / "qemu" / name, ignore_errors=True)
            guest.fetch("/tmp/tables", HERE / "qemu" / name)


if __name__ == "__main__":
    main()
