#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measure times, wake-ups and memory in guests of tests/vm, for onlining by the kernel and by the daemon.

    MESON_BUILD_ROOT=build figures.py

Times are the guest's CLOCK_MONOTONIC, from the kernel's uevent for the dax device as udevadm prints
it. Onlining by the kernel ends with its "bind" event, onlining by the daemon with its journal record.

Both online the same region of the same guest, one after the other. Before that the region is added and
removed once, so that neither time includes the first access of the guest to this memory. A second region
is not used, because its page metadata would be in the first one, where QEMU emulates each access.
"""

import pathlib
import re
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm"))

from guest import TDX_ACTIVE, Guest  # noqa: E402
from scene import MEMORY, REFUSE, UNIT, install  # noqa: E402

EVENTS = "/tmp/events"
IDLE_SECONDS = 20


def monitor(guest):
    guest.run(f"udevadm monitor --kernel --subsystem-match=dax >>{EVENTS} 2>&1 &")
    guest.wait_for(f"grep -q uevent {EVENTS}")


def event_time(guest, action, device):
    """The time of the uevent, in seconds."""
    guest.wait_for(f"grep -q '{action} .*/{device} ' {EVENTS}", 120)
    line = guest.run(f"grep '{action} .*/{device} ' {EVENTS}").stdout
    return float(re.search(r"\[(.*)\]", line)[1])


def record_time(guest, device):
    """The time of the journal record of a device, in seconds."""
    # Not by wait_for(), which tries again at each of a thousand events and slows the daemon down.
    follow = f"journalctl -b -q -f -n 1000 -o cat TDXO_CHARDEV={device}"
    guest.run(f"read -t 120 line < <({follow})", timeout=150)
    (entry,) = guest.journal(f"TDXO_CHARDEV={device}")
    return int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6


def device_of(name):
    return name.replace("region", "dax") + ".0"


def allow(guest):
    """Make the kernel and the configuration accept the window of the first host bridge."""
    decoder = "/sys/bus/cxl/devices/decoder0.0"
    start, size = (int(str(guest.run(f"cat {decoder}/{name}")), 0) for name in ("start", "size"))
    guest.run(f"echo $(cat {REFUSE}/ranges),{start:#x}-{start + size:#x} >{REFUSE}/ranges")
    window = f"{start:#x}-{start + size - 1:#x}"
    guest.run(f"printf '[Daemon]\\nCapableRanges={window}\\n' >/etc/tdx-onlined/tdx-onlined.conf")


def remove_device(guest):
    """Remove the dax device of the region."""
    guest.run("echo region0 >/sys/bus/cxl/drivers/cxl_region/unbind; udevadm settle", timeout=300)


def add_device(guest):
    """Add the dax device of the region again."""
    guest.run(f": >{EVENTS}; echo region0 >/sys/bus/cxl/drivers/cxl_region/bind", timeout=120)


def warm_up(guest):
    """Add all blocks of the region, offline, and remove them."""
    guest.run("echo 0 >/sys/bus/dax/drivers_autoprobe")
    guest.run(f"echo offline >{MEMORY}/auto_online_blocks")
    guest.create_region(0, "64G")
    guest.wait_for("test -e /sys/bus/dax/devices/dax0.0", 60)  # new_id binds existing devices only
    guest.run("cd /sys/bus/dax/drivers/kmem; echo dax0.0 >new_id; test -e dax0.0", timeout=120)
    guest.run("cd /sys/bus/dax/drivers/kmem; echo dax0.0 >remove_id; echo dax0.0 >unbind", timeout=120)
    remove_device(guest)


def by_kernel(guest):
    """Seconds that onlining by the kernel takes. The memory is removed afterwards."""
    rules = "90-tdx-onlined.rules"
    guest.run(f"ln -s /dev/null /etc/udev/rules.d/{rules}; udevadm control --reload")
    guest.run(f"echo online_movable >{MEMORY}/auto_online_blocks; echo 1 >/sys/bus/dax/drivers_autoprobe")
    add_device(guest)
    seconds = event_time(guest, "bind", "dax0.0") - event_time(guest, "add", "dax0.0")
    guest.run("udevadm settle", timeout=120)
    guest.run("daxctl offline-memory dax0.0", timeout=300)
    remove_device(guest)
    guest.run(f"rm /etc/udev/rules.d/{rules}; udevadm control --reload")
    assert str(guest.run(f"ls -d {MEMORY}/memory* | wc -l")) == "48", "blocks are left"
    return seconds


def by_daemon(guest):
    guest.run(f"systemctl unmask --runtime {UNIT}; systemctl start {UNIT}")
    add_device(guest)
    seconds = record_time(guest, "dax0.0") - event_time(guest, "add", "dax0.0")
    (entry,) = guest.journal("TDXO_CHARDEV=dax0.0")
    assert (entry["TDXO_ONLINE_MEMBLOCKS"], entry["TDXO_ZONE"]) == ("512", "kernel"), entry
    return seconds


def online(overlay):
    """The highest ratio of daemon to kernel in three guests."""
    ratios = []
    for _ in range(3):
        with Guest(memory="6G", cxl=["64G"], overlay=overlay, kernel_args=TDX_ACTIVE) as guest:
            guest.wait_booted()
            guest.run(f"systemctl mask --runtime --now {UNIT}")
            allow(guest)
            monitor(guest)
            warm_up(guest)
            kernel, daemon = by_kernel(guest), by_daemon(guest)
            ratios.append(daemon / kernel)
            print(f"64 GiB online: kernel {kernel:.2f} s, daemon {daemon:.2f} s, ratio {ratios[-1]:.2f}")
    return max(ratios)


def refused(guest):
    """Seconds from event to record, for each of five devices of 64 GiB."""
    monitor(guest)
    times = []
    for index in range(5):
        device = device_of(guest.create_region(index, "64G")[0])
        times.append(record_time(guest, device) - event_time(guest, "add", device))
        guest.wait_for(f"daxmap /dev/{device}", 60)
        guest.run("udevadm settle")
    assert str(guest.run(f"cat {REFUSE}/refused")) == "0"
    return times


def status(guest, pid, name):
    return int(str(guest.run(f"sed -n 's/^{name}:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/{pid}/status")))


def idle(guest):
    """The wake-ups in IDLE_SECONDS, and the resident KiB."""
    pid = str(guest.run(f"systemctl show -P MainPID {UNIT}"))
    before = status(guest, pid, "voluntary_ctxt_switches")
    guest.run(f"timeout {IDLE_SECONDS} tail -f /dev/null", check=False)
    return status(guest, pid, "voluntary_ctxt_switches") - before, status(guest, pid, "VmRSS")


def main():
    overlay = tempfile.mkdtemp(prefix="tdx-onlined-")
    try:
        install(overlay, enabled=True, config=(), programs=())
        with Guest(memory="2G", cxl=["64G"] * 5, overlay=overlay, kernel_args=TDX_ACTIVE) as guest:
            guest.wait_booted()
            times = refused(guest)
            print("64 GiB refused, event to record, ms:", *(f"{t * 1e3:.0f}" for t in sorted(times)),
                  f"median {statistics.median(times) * 1e3:.0f}")  # fmt: skip
            wakeups, resident = idle(guest)
            print(f"idle: {wakeups} wake-ups in {IDLE_SECONDS} s, {resident} KiB resident")
        print(f"64 GiB online, worst ratio daemon to kernel: {online(overlay):.2f}")
    finally:
        shutil.rmtree(overlay)


if __name__ == "__main__":
    main()
