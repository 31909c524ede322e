# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `iasl -d` says of a table, and the report that it amounts to.

The iasl of Debian 12 (20200925) does not know the CEDT. For one of those, a listing that a later
iasl made is kept in tests/acpi/listings; it is found by the bytes that it ends with.

What the fields mean is written here from ACPI 6.5, section 5.2.16, and CXL 3.1, section 9.18.1.
"""

import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
HEADER = 36

FIELD = re.compile(r"\[[0-9A-F]{3}h [0-9]{4} +[0-9A-F]+h?\] +(.+?) : (.*)")
FLAG = re.compile(r" +(.+?) : ([01])")
RAW = re.compile(r" +[0-9A-F]{4}: ((?:[0-9A-F]{2} )+)")

WAYS = {0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 8: 3, 9: 6, 10: 12}


class Listing:
    """The header's fields, those of each entry as a list of pairs, and the bytes."""

    def __init__(self, text):
        self.header, self.entries, self.raw = [], [], b""
        fields = self.header
        for line in text.splitlines():
            if raw := RAW.match(line):
                self.raw += bytes.fromhex(raw[1])
            elif match := FIELD.match(line) or FLAG.match(line):
                if match[1] == "Subtable Type":
                    fields = []
                    self.entries.append(fields)
                fields.append((match[1], match[2]))

    def same_entries(self, table):
        """Is it of a table with these entries? A compiler puts its own name into the header."""
        return self.raw[HEADER:] == table[HEADER:] and self.raw[8] == table[8]

    def of_type(self, number):
        for fields in self.entries:
            if int(fields[0][1].split()[0], 16) == number:
                yield {name: hexadecimal(value) for name, value in fields}, fields


def hexadecimal(text):
    """The number that a value begins with; bytes one by one are no number."""
    words = text.split(" [")[0].split()
    return int(words[0], 16) if len(words) == 1 and re.fullmatch("[0-9A-F]+", words[0]) else None


def kept():
    return [Listing(path.read_text()) for path in sorted((HERE / "listings").iterdir())]


def disassemble(table, directory):
    """The listing of the iasl that is here, or a kept one if that does not know the table."""
    path = directory / "table"
    path.write_bytes(table)
    subprocess.run(["iasl", "-p", path, "-d", path], check=True, capture_output=True)
    text = path.with_suffix(".dsl").read_text()
    if "Unknown ACPI table" not in text:
        listing = Listing(text)
        assert listing.raw == table
        return listing
    return next(listing for listing in kept() if listing.same_entries(table))


def compile_source(path, directory):
    """A table from its source.

    What iasl does not know it compiles field by field, if it has the signature of an OEM: so are
    the sources of CEDTs written, and the signature is put right here.
    """
    subprocess.run(["iasl", "-p", directory / path.stem, path], check=True, capture_output=True)
    table = (directory / path.stem).with_suffix(".aml").read_bytes()
    return signed(b"CEDT" + table[4:]) if table.startswith(b"OEMC") else table


def signed(table):
    """The table with a checksum that is right."""
    return table[:9] + bytes([-(sum(table) - table[9]) & 0xFF]) + table[10:]


def srat_of(listing):
    revision = int(dict(listing.header)["Revision"], 16)
    return [
        {
            "start": memory["Base Address"],
            "size": memory["Address Length"],
            "proximity_domain": memory["Proximity Domain"] & (0xFF if revision < 2 else 0xFFFFFFFF),
            "enabled": memory["Enabled"] == 1,
            "hot_pluggable": memory["Hot Pluggable"] == 1,
            "non_volatile": memory["Non-Volatile"] == 1,
        }
        for memory, _ in listing.of_type(1)
    ]


def windows_of(listing):
    for window, fields in listing.of_type(1):
        targets = [int(value, 16) for name, value in fields if name.endswith(" Target")]
        yield {
            "start": window["Window base address"],
            "size": window["Window size"],
            "targets": targets[: WAYS[window["Interleave Members"]]],
        }


def cedt_of(listing):
    return {"windows": list(windows_of(listing))}
