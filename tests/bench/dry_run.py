#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""CPU time of a dry run on a captured machine of many memory blocks, compared with that of lsmem.

    TDX_ONLINED=build/daemon/tdx-onlined dry_run.py [--blocks N] [--runs N]

There are two machines. On the first a dax device has all blocks except boot memory, so the state of each
block is read. On the second all blocks are boot memory, except 12 GiB below 1 TiB, which the e820 of the
tree reserves.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("TDX_ONLINED", "build/daemon/tdx-onlined")
MEMORY = "sys/devices/system/memory"
BLOCK = 128 << 20
FIRST = 0x5D0000000 // BLOCK  # the first block of the device in the tree


def add_blocks(memory, blocks, state, zones):
    """Add the blocks. Files with the same content in all of them are hard links."""
    attributes = {"state": state, "valid_zones": zones, "removable": "1"}
    for name, text in attributes.items():
        (memory / name).write_text(f"{text}\n")
    for number in range(FIRST, FIRST + blocks):
        block = memory / f"memory{number}"
        shutil.rmtree(block, ignore_errors=True)
        block.mkdir()
        for name in attributes:
            (block / name).hardlink_to(memory / name)
        (block / "node1").symlink_to("../../node/node1")


def make_tree(root, blocks, of_device):
    """Copy a machine of tests/sysroots and add this many blocks, offline if its dax device has them."""
    shutil.copytree(TESTS / "sysroots/cxl-refused", root, symlinks=True)
    state, zones = ("offline", "Normal Movable") if of_device else ("online", "Normal")
    add_blocks(root / MEMORY, blocks, state, zones)
    device = root / "sys/bus/dax/devices/dax0.0"
    start, size = FIRST * BLOCK, blocks * BLOCK
    if of_device:
        (device / "size").write_text(f"{size}\n")
        (device / "mapping0/end").write_text(f"{start + size - 1:#x}\n")
        return
    device.unlink()
    entry = start.to_bytes(8, "little") + size.to_bytes(8, "little") + (1).to_bytes(4, "little")
    params = bytearray((root / "sys/kernel/boot_params/data").read_bytes())
    n = params[0x1E8]  # Documentation/arch/x86/zero-page.rst, e820_entries and e820_table
    params[0x1E8] = n + 1
    params[0x2D0 + 20 * n : 0x2D0 + 20 * (n + 1)] = entry
    (root / "sys/kernel/boot_params/data").write_bytes(params)


def cpu_time(command):
    """User and system seconds of the command, which must succeed."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (command, process.returncode)
    return usage.ru_utime + usage.ru_stime


def measure(root, runs):
    """The seconds of all runs of each program. The programs run alternately."""
    commands = {"tdx-onlined": [BINARY, "--dry-run", f"--root={root}"],
                "lsmem": ["lsmem", f"--sysroot={root}"]}  # fmt: skip
    times = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(cpu_time(command))
    return times


def main():
    parser = argparse.ArgumentParser(description="Compare the CPU times of a dry run and of lsmem.")
    parser.add_argument("--blocks", type=int, default=32768)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    for of_device in (True, False):
        print(f"{options.blocks} blocks", "of a dax device" if of_device else "of boot memory")
        with tempfile.TemporaryDirectory(prefix="tdx-onlined-") as directory:
            root = pathlib.Path(directory) / "root"
            make_tree(root, options.blocks, of_device)
            times = measure(root, options.runs)
        for what, of in (("minimum", min), ("median", statistics.median)):
            ours, theirs = of(times["tdx-onlined"]), of(times["lsmem"])
            print(f"  {what}: tdx-onlined {ours * 1e3:.0f} ms, lsmem {theirs * 1e3:.0f} ms,"
                  f" ratio {ours / theirs:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
