# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Seeds of the fuzz targets, from the captured machines and the tables of tests/acpi.

seeds.py TARGET DIRECTORY writes the seeds of a target; replay.py imports this module.
"""

import hashlib
import pathlib
import struct
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
MACHINES = sorted(path for path in (TESTS / "sysroots").iterdir() if path.is_dir())

# The files of a machine that are inputs without a change.
FILES = {
    "acpi": ["sys/firmware/acpi/tables/SRAT", "sys/firmware/acpi/tables/CEDT"],
    "attribute": ["sys/devices/system/memory/block_size_bytes", "sys/firmware/memmap/0/start"],
    "cmdline": ["proc/cmdline"],
    "disguise": ["proc/sys/kernel/osrelease", "proc/sys/kernel/random/boot_id"],
    "e820": ["sys/kernel/boot_params/data"],
    "kernel_log": ["dev/kmsg"],
    "tdx_sources": ["proc/cpuinfo", "proc/sys/kernel/osrelease", "sys/fs/cgroup/misc.capacity"],
    "zoneinfo": ["proc/zoneinfo"],
}

BOOT_PARAMS = "sys/kernel/boot_params/data"
HALF_BLOCK = 64 << 20
TYPES = {"dax_region": 1, "hmem.": 2, "ndbus": 3}  # enum device_type
DRIVERS = {"kmem": 1, "device_dax": 2}  # enum dax_driver
STATES = {"offline": 1, "online": 2}  # enum block_state


def read_number(path):
    return int(path.read_text(), 0)


def small_range(start, size):
    """The bytes that machine_range() reads, for an address below 8 GiB and at most 31 half blocks."""
    return bytes([start // HALF_BLOCK % 128, min(31, -(-size // HALF_BLOCK)), 0])


def text(letter, content, *before):
    content = content[:255]
    return letter + bytes([*before, len(content)]) + content


def e820_records(machine):
    data = (machine / BOOT_PARAMS).read_bytes()
    for start, size, kind in struct.iter_unpack("<QQI", data[0x2D0 : 0x2D0 + 20 * data[0x1E8]]):
        yield b"e" + small_range(start, size) + bytes([kind % 256])


def block_records(machine):
    for path in sorted((machine / "sys/devices/system/memory").glob("memory*"))[:16]:
        state = STATES[(path / "state").read_text().strip()]
        yield b"b" + bytes([int(path.name[6:]) % 64, 1, state])


def dax_records(machine):
    for link in sorted((machine / "sys/bus/dax/devices").glob("dax*")):
        device = link.resolve()
        kind = next(value for part, value in TYPES.items() if part in str(device))
        driver = (device / "driver").resolve().name
        flags = 4 * (kind == 1) + 8
        mapping = small_range(read_number(device / "resource"), read_number(device / "size"))
        yield b"d" + bytes([kind, 0, 0, DRIVERS.get(driver, 0), flags]) + mapping


def tdx_records(machine):
    active = (machine / "dev/kmsg").stat().st_size > 0
    yield text(b"t", b"\nflags\t: fpu tdx_host_platform\n" if active else b"\nflags\t: fpu\n", 0)
    yield text(b"t", (machine / "proc/sys/kernel/osrelease").read_bytes(), 3)
    for line in (machine / "dev/kmsg").read_bytes().splitlines():
        yield text(b"t", line.partition(b";")[2], 7)


CONFIGURATIONS = [
    b"",
    text(b"r", b"[Match]\nType=*\n[Policy]\nConvertDevdax=yes\nVerdict=online\n"),
    text(b"r", b"[Match]\nType=*\n[Policy]\nOfflineBlocks=yes\nVerdict=devdax\n"),
    text(b"c", b"[Daemon]\nTDX=active\nCapableRanges=0x40000000-0x1ffffffff\nPresent=act\n"),
]


def path_seeds(machine):
    """The machine with each configuration, alone and with a DIMM added; two bytes are the host."""
    records = [*e820_records(machine), *block_records(machine), *dax_records(machine),
               *tdx_records(machine)]  # fmt: skip
    for configuration in CONFIGURATIONS:
        yield b"".join([b"\x81\x02", configuration, *records])
        yield b"".join([b"\x03\x82", *records, b"ni", small_range(4 << 30, 1 << 30), configuration])


def boot_seeds(machine):
    """Four entries of the firmware memmap and a region of memblock, without and with boot_params."""
    names = ["start", "end", "type"]
    parts = []
    for entry in range(4):
        for i, name in enumerate(names):
            path = machine / "sys/firmware/memmap" / str(entry) / name
            if path.exists():
                content = path.read_bytes().rstrip(b"\n")
                parts.append(bytes([3 + 3 * entry + i, len(content)]) + content)
    region = b"   0: 0x0000000000100000..0x000000003fffffff    0 NONE\n"
    parts.append(bytes([0, len(region)]) + region)
    yield b"".join(parts)
    yield b"".join(parts) + b"\xff\0" + (machine / BOOT_PARAMS).read_bytes()


def configuration_seeds():
    text_of_keys = (TESTS.parent / "systemd/tdx-onlined.conf").read_text()
    yield text_of_keys.replace("\n#", "\n").encode()


def seeds(target):
    for machine in MACHINES:
        for name in FILES.get(target, []):
            if (machine / name).exists():
                yield (machine / name).read_bytes()
        if target == "path":
            yield from path_seeds(machine)
        if target == "boot":
            yield from boot_seeds(machine)
    if target == "acpi":
        for table in ("SRAT", "CEDT"):
            for path in sorted((TESTS / "acpi/qemu").glob(f"*/{table}")):
                yield path.read_bytes()
    if target == "config":
        yield from configuration_seeds()


def write(target, directory):
    for seed in seeds(target):
        (pathlib.Path(directory) / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
