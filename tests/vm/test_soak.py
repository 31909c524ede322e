#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A soak test: memory arrives and is removed, the daemon is restarted, reloaded and killed, and other
programs interfere.

A cycle runs one to three operations at the same time, and then waits until the daemon has decided all
devices. A seed determines the operations and their delays. Two variables of the environment:

    SOAK_CYCLES   number of cycles; default 60
    SOAK_SEED     the seed; default 11

There are four places for memory: a CXL region and a DIMM that go online, a region that is made devdax
and a DIMM that stays offline. The kernel refuses the latter two. The middle third of the cycles has
neither restarts nor SIGKILL, so that the descriptors and memory of one process can be compared.

Memory that arrives is decided once. A decision is

  * one record that has a result, or
  * one with result=begun, which is written before the first step where no step can change the verdict;
    with it comes a record of the result only if that is not "done".

A record with result=changed is about a change by another program and is not a decision. A device that
was changed by others, or whose steps failed because of them, is decided again by a reload: one more
record. A daemon that is killed between the record and its state file writes the record again at its next
start: one more for each kill while the device is decided. Memory that is removed before it is decided has
a record or none.
"""

import collections
import dataclasses
import os
import pathlib
import random
import shlex
import time

from guest import TDX_ACTIVE, size_bytes
from scene import BLOCK, DAX, GIB, LAB, MEMORY, REFUSE, UNIT, Scene, main

CYCLES = int(os.environ.get("SOAK_CYCLES") or 60)
SEED = int(os.environ.get("SOAK_SEED") or 11)
FALLS = 4  # one less than GUARD_FALLS of daemon/actuator/guard.h: the guard is taken again each time
RSS_GROWTH = 512  # KiB
BAD_LINES = r"WARNING|BUG|Oops|hung_task|blocked for more than|Out of memory|Call Trace|cannot be hotremoved"

END = {"restart", "kill"}
DAEMON = END | {"reload"}
KNOCKS = {"knock auto-online": f"echo online >{MEMORY}/auto_online_blocks",
          "knock autoprobe": f"echo 1 >{DAX}/drivers_autoprobe"}  # fmt: skip
SWITCHES = {kind: command.rpartition("/")[2] for kind, command in KNOCKS.items()}
LEAVE = {"destroy", "remake", "unplug"}  # the memory is removed
GONE = {"destroy", "flash", "unplug"}  # there is no memory afterwards
ARRIVE = {"make", "make and hand", "remake", "plug"}  # exactly one record
BY_HAND = {"hand", "make and hand"}
Figures = collections.namedtuple("Figures", "pid descriptors rss")


@dataclasses.dataclass
class Place:
    """A place for memory, at addresses of its own."""

    name: str
    start: int
    size: str
    allowed: bool  # the kernel and the configuration let it go online
    window: int = None  # of a region: the CXL device
    dimm: str = None  # of a plugged DIMM: QEMU's name
    present: bool = False
    changed: bool = False  # by others, or its steps failed: a reload may decide otherwise

    @property
    def is_region(self):
        return self.window is not None

    @property
    def verdict(self):
        return "online" if self.allowed else "devdax" if self.is_region else "offline"

    @property
    def blocks(self):
        first = self.start // BLOCK
        return first, first + size_bytes(self.size) // BLOCK - 1

    def region_words(self, command, *words):
        return shlex.join(map(str, ("soak", command, self.window, *words)))

    def by_hand(self):
        """Interference by an administrator. Some of these commands fail, or are refused."""
        first, last = self.blocks
        for block in (first, last):
            span = f"{block * BLOCK:#x}-{(block + 1) * BLOCK - 1:#x}"
            if self.allowed:
                yield f"chmem -d {span}"
            yield f"chmem -e {span}"
        if not self.is_region:
            return
        yield self.region_words("on", "daxctl", "reconfigure-device", "-m", "devdax", "-f")
        yield self.region_words("on", "daxctl", "reconfigure-device", "-m", "system-ram", "-f")
        yield self.region_words("on", "daxctl", "reconfigure-device", "-m", "system-ram", "-N", "-f")
        yield self.region_words("on", "daxctl", "offline-memory")
        yield self.region_words("on", "daxctl", "online-memory")

    def span(self):
        return f"{self.start:#x}-{self.start + size_bytes(self.size) - 1:#x}"


@dataclasses.dataclass
class Operation:
    """An operation of a cycle."""

    kind: str
    command: str = None  # in the guest; None: QEMU does it
    place: Place = None


class Soak(Scene):
    """TDX is active, the daemon starts at boot."""

    programs = (pathlib.Path(__file__).resolve().parent / "soak",)
    machine = {
        "kernel": "debian-6.12",
        "memory": "2G,slots=8,maxmem=12G",
        "cxl": ["512M", "512M"],
        # Memory that the kernel onlines while the guard is lowered can be taken offline again, too.
        "kernel_args": (*TDX_ACTIVE, "memory_hotplug.online_policy=auto-movable",
                        "memory_hotplug.auto_movable_ratio=1000",
                        "memory_hotplug.auto_movable_numa_aware=0"),
    }  # fmt: skip

    def test_00_places(self):
        """The kernel and the configuration allow one region and one DIMM."""
        cls = type(self)
        region = [self.window(index)[0] for index in range(2)]
        cls.places = [
            Place("region online", region[0], "512M", True, window=0),
            Place("region devdax", region[1], "512M", False, window=1),
            Place("dimm online", 5 * GIB, "256M", True),
            Place("dimm offline", 7 * GIB, "256M", False),
        ]
        cls.counts = collections.Counter()
        cls.log = []
        cls.falls = collections.Counter()
        allowed = [place for place in self.places if place.allowed]
        more = ",".join(f"{p.start:#x}-{p.start + size_bytes(p.size):#x}" for p in allowed)
        self.sh(f"echo \"$(cat {REFUSE}/ranges),{more}\" >{REFUSE}/ranges")
        self.configure("CapableRanges=" + " ".join(place.span() for place in allowed))
        for number, place in enumerate(allowed):
            self.rule(f"1{number}-movable", f"Range={place.span()}", "Zone=movable", "ConvertDevdax=yes")
        self.reload()
        self.mark()
        cls.samples = [(self.wait_until_idle(0, set()), False)]

    def test_01_cycles(self):
        print(f"seed {SEED}, {CYCLES} cycles", flush=True)
        choice = random.Random(SEED)
        began = time.monotonic()
        for number in range(CYCLES):
            steady = CYCLES // 3 <= number < 2 * CYCLES // 3
            operations = []
            while not operations:
                operations = self.choose(choice, steady)
            try:
                self.samples.append((self.cycle(choice, operations), steady))
            finally:
                print(f"{number:4}", ", ".join(map(self.describe, operations)), flush=True)
        type(self).seconds = time.monotonic() - began

    @staticmethod
    def describe(operation):
        return " ".join(filter(None, (operation.kind, operation.place and operation.place.name)))

    # --- choice of operations ---

    def choose(self, choice, steady):
        """One to three operations at different places that can run at the same time."""
        operations = []
        places = choice.sample(self.places, len(self.places))
        for number in range(choice.choice((1, 2, 2, 3))):
            if not number or choice.random() < 0.4:
                operations.append(self.choose_for(choice, places.pop()))
            else:
                operations.append(self.choose_daemon(choice, steady))
        return self.compatible(operations)

    def choose_for(self, choice, place):
        region, size = place.is_region, size_bytes(place.size)
        if not place.present:
            if not region:
                return Operation("plug", place=place)
            if not place.allowed and choice.random() < 0.3:
                return Operation("flash", place.region_words("flash", *place.blocks, size), place)
            make = place.region_words("make", size)
            if choice.random() < 0.3:
                hand = choice.choice(list(place.by_hand()))
                return Operation("make and hand", f"{make} && {{ {hand} || true; }}", place)
            return Operation("make", make, place)
        if choice.random() < 0.4:
            return Operation("hand", choice.choice(list(place.by_hand())), place)
        if not region:
            return Operation("unplug", place=place)
        # The DIMM that goes online can be removed while there is no region, see compatible().
        if choice.random() < (0.25 if place.allowed else 0.5):
            return Operation("remake", place.region_words("remake", *place.blocks, size), place)
        return Operation("destroy", place.region_words("destroy", *place.blocks), place)

    def choose_daemon(self, choice, steady):
        kind = choice.choice(("reload", *KNOCKS) if steady else ("restart", "kill", "reload", *KNOCKS))
        # A reload resets the number of changes of a switch.
        if kind in KNOCKS and self.falls[kind] == FALLS:
            kind = "reload"
        if kind in KNOCKS:
            return Operation(kind, KNOCKS[kind])
        command = {"restart": f"systemctl restart {UNIT}", "reload": f"systemctl reload {UNIT}",
                   "kill": f"systemctl kill -s KILL --kill-who=main {UNIT}"}[kind]  # fmt: skip
        return Operation(kind, command)

    def compatible(self, operations):
        """Leave out doubles, and combinations that an administrator would not run at the same time: a
        reload brings memory online again that is about to be removed.

        The kernel migrates pages of a DIMM that goes offline to another node, which may be a CXL region.
        QEMU 10.0 crashes when the FPU state of a process lies at the border to a page there, which is not
        RAM for it (access_stq(), target/i386/tcg/access.c). So a DIMM stays while there is such a region.
        """
        region, _, dimm, _ = self.places
        chosen = []
        for operation in operations:
            kinds = {o.kind for o in chosen}
            if operation.kind in kinds and not operation.place:
                continue
            if operation.kind in DAEMON and kinds.intersection(DAEMON):
                continue
            both = (*chosen, operation)
            if "reload" in {o.kind for o in both} and any(o.kind in LEAVE and o.place.allowed for o in both):
                continue
            places = [o.place for o in both]
            if operation.place in (region, dimm) and dimm in places and (region.present or region in places):
                continue
            chosen.append(operation)
        return chosen

    # --- a cycle ---

    def cycle(self, choice, operations):
        kinds = [operation.kind for operation in operations]
        self.counts.update(kinds)
        words = []
        for operation in operations:
            if operation.kind == "plug":
                operation.place.dimm = self.guest.add_dimm(operation.place.size, addr=operation.place.start)
            elif operation.kind == "unplug":
                self.guest.remove_dimm(operation.place.dimm)
            else:
                words += [f"{choice.random():.2f}", operation.command]
        self.run_together(words, [operation for operation in operations if operation.command])
        for operation in operations:
            self.follow(operation, kinds)
        # The record follows the write that takes the switch again.
        for kind in KNOCKS.keys() & set(kinds):
            if not END.intersection(kinds):
                found = ["journalctl", "-q", "--no-pager", f"--since={self.start}",
                         f"TDXO_GUARD_SWITCH={SWITCHES[kind]}"]  # fmt: skip
                self.guest.wait_for(f"{shlex.join(found)} | grep -q .", 60)
        last = self.samples[-1][0]
        figures = self.wait_until_idle(
            last.descriptors, set(kinds), [o.place for o in operations if o.kind in ARRIVE],
            old=last.pid if END.intersection(kinds) else None)  # fmt: skip
        self.check_entries(operations)
        return figures

    def run_together(self, words, operations):
        if not operations:
            return
        for line in self.sh(["soak", "together", *words], timeout=240).splitlines():
            number, status, *text = line.split(maxsplit=2)
            operation = operations[int(number)]
            if status != "0":
                self.assertEqual(operation.kind, "hand", (self.describe(operation), text))
                self.counts["hand that failed"] += 1

    def follow(self, operation, kinds):
        """Update the place after an operation."""
        kind, place = operation.kind, operation.place
        if kind == "unplug":
            self.guest.wait_dimm_removed(place.dimm)
        if kind in KNOCKS:
            self.falls[kind] += 1
        if kind == "reload":
            self.falls.clear()
            self.falls.update(KNOCKS.keys() & kinds)
        if place and kind != "hand":
            place.present = kind not in GONE

    def wait_until_idle(self, descriptors, kinds, arrived=(), old=None):
        """Wait until the daemon is idle, with its usual number of descriptors."""
        present = sum(place.present for place in self.places)
        words = ["soak", "idle", self.start, present, descriptors, old or 0, int("reload" in kinds)]
        words += [hex(place.start) for place in arrived]
        text = self.guest.wait_for(shlex.join(map(str, words)), 90)
        pid, descriptors, rss, *children = str(text).splitlines()[-1].split()
        self.assertEqual(children, [])
        return Figures(int(pid), int(descriptors), int(rss))

    def check_entries(self, operations):
        """Check the daemon's entries of this cycle."""
        entries = self.guest.journal(f"--since={self.start}", "SYSLOG_IDENTIFIER=tdx-onlined")
        if entries:
            next_one = int(entries[-1]["__REALTIME_TIMESTAMP"]) + 1
            type(self).start = f"@{next_one // 1000000}.{next_one % 1000000:06}"
        self.log += entries
        records = [entry for entry in entries if "TDXO_VERDICT" in entry]
        for place in self.places:
            own = [record for record in records if record.get("TDXO_START") == hex(place.start)]
            records = [record for record in records if record not in own]
            self.check_place(place, own, operations)
        self.assertEqual(records, [], "records of anything else")
        self.check_guard(entries, {operation.kind for operation in operations})
        errors = [e["MESSAGE"] for e in entries if int(e["PRIORITY"]) <= 3 and "TDXO_VERDICT" not in e]
        self.assertEqual(errors, [])

    def check_guard(self, entries, kinds):
        """Each change of a switch is recorded, unless the daemon ended before."""
        for kind, switch in SWITCHES.items():
            falls = [entry for entry in entries if entry.get("TDXO_GUARD_SWITCH") == switch]
            wanted = (0, 1) if kind in kinds and kinds & END else (int(kind in kinds),)
            self.assertIn(len(falls), wanted, switch)
            self.assertEqual({entry["TDXO_GUARD_TAKEN"] for entry in falls} - {"yes"}, set())

    def check_place(self, place, records, operations):
        kinds = {operation.kind for operation in operations}
        own = {operation.kind for operation in operations if operation.place is place}
        made = self.decisions(records)
        least, most = int(bool(own & ARRIVE)), int(bool(own & ARRIVE or "flash" in own))
        if least == most == 1:
            self.counts["arrivals"] += 1
        # The next start did not have the record in its state file.
        if "kill" in kinds and most:
            most += 1
        by_hand = bool(own & BY_HAND)
        if "reload" in kinds and (place.changed or by_hand):
            most += 1
        text = [(record["TDXO_RESULT"], record["MESSAGE"]) for record in records]
        self.assertTrue(least <= made <= most, (place.name, f"{least} <= {made} <= {most}", text))
        results = {record["TDXO_RESULT"] for record in records}
        failed = results & {"partial", "failed"}
        leaves = own & (LEAVE | GONE)
        if not (by_hand or own & GONE or place.changed):
            unwanted = {"partial", "failed"} | (set() if leaves else {"changed"})
            self.assertFalse(results & unwanted, (place.name, text))
            verdicts = {record["TDXO_VERDICT"] for record in records}
            self.assertLessEqual(verdicts, {place.verdict}, (place.name, text))
        stays = place.changed and not own and "reload" not in kinds
        changed = failed or (results & {"changed"} and not leaves)
        place.changed = place.present and bool(by_hand or stays or changed)
        self.counts["decisions"] += made
        self.counts["decisions repeated or again"] += max(made - least, 0)
        self.counts["changes"] += sum(record["TDXO_RESULT"] == "changed" for record in records)

    @staticmethod
    def decisions(records):
        """The number of decisions. The result of a begun job is not a decision of its own."""
        made, begun = 0, False
        for record in records:
            result = record["TDXO_RESULT"]
            if result == "changed":
                continue
            made += result == "begun" or not begun
            begun = result == "begun"
        return made

    # --- the end ---

    def test_02_settled(self):
        """After a reload all devices are as decided."""
        self.reload()
        present = [place for place in self.places if place.present]
        self.wait_until_idle(0, set())
        for place in present:
            with self.subTest(place.name):
                self.assert_settled(place)
        self.assertEqual(self.sh(f"{LAB}/stuck-blocks"), "")

    def assert_settled(self, place):
        states = [state.split() for state in self.states(place.start, size_bytes(place.size))]
        first, last = place.blocks
        if place.allowed:
            self.assertEqual([state[0] for state in states], ["online"] * (last - first + 1))
        elif place.is_region:
            self.assertEqual(states, [[]])
        else:
            self.assertEqual([state[0] for state in states], ["offline"] * (last - first + 1))
        if place.is_region:
            driver = "kmem" if place.allowed else "device_dax"
            self.wait_for_driver(self.sh(place.region_words("on", "echo")), driver)

    def test_03_kernel_log(self):
        lines = self.sh(f"journalctl -k -q -o cat --no-pager | grep -E '{BAD_LINES}' || true")
        self.assertEqual(lines, "")

    def test_04_level(self):
        """Descriptors and memory have not grown in the process of the middle third."""
        steady = [figures for figures, is_steady in self.samples if is_steady]
        # The first sample may be of the process before, if that ended in the previous cycle.
        self.assertEqual(len({figures.pid for figures in steady}), 1)
        self.assertEqual(len({figures.descriptors for figures, _ in self.samples}), 1)
        quarter = max(len(steady) // 4, 1)
        first, last = (max(f.rss for f in part) for part in (steady[:quarter], steady[-quarter:]))
        self.assertLess(last - first, RSS_GROWTH)

    def test_05_stop(self):
        """The unit has not failed, and the switches get the last values of other programs."""
        self.assertEqual(self.sh(f"systemctl show -P Result {UNIT}"), "success")
        self.assert_guard("0", "offline")
        self.sh(f"systemctl stop {UNIT}")
        self.assert_guard("1", "online")
        self.assertEqual(self.sh("pgrep -c tdx-onlined || true"), "0")
        self.print_figures()

    def print_figures(self):
        """The figures of the run."""
        steady = [figures for figures, is_steady in self.samples if is_steady]
        rows = {
            "cycles": CYCLES,
            "seed": SEED,
            **dict(sorted(self.counts.items())),
            "entries": len(self.log),
            "processes": len({figures.pid for figures, _ in self.samples}),
            "descriptors, first and last": (self.samples[0][0].descriptors, self.samples[-1][0].descriptors),
            "VmRSS in KiB, first and last": (self.samples[0][0].rss, self.samples[-1][0].rss),
            "VmRSS of the middle third, first, last and highest":
                (steady[0].rss, steady[-1].rss, max(figures.rss for figures in steady)),
            "seconds": round(self.seconds),
        }  # fmt: skip
        print("", *(f"  {name}: {value}" for name, value in rows.items()), sep="\n", flush=True)


class Soak73(Soak):
    """The same on Linux 7.3, where kmem is unplugged before it is unbound."""

    machine = {**Soak.machine, "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
