#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed at each step of each kind of job, and the next start must reach the same end.

A step is a write to sysfs or a replacement of the state file: see crash/crash.c, which kills the daemon
right before or right after it. Each kind of job runs undisturbed first. Its trace has the steps, and
its end state is compared with those after the crashes.
"""

import functools
import itertools
import json
import pathlib
import sys

from guest import TDX_ARMED, size_bytes
from scene import BLOCK, BUILD, GIB, REFUSE, RULES, UNIT, Scene, main

HERE = pathlib.Path(__file__).resolve().parent
TRACE = "/run/tdx-onlined/trace"
CRASH = "/run/tdx-onlined/crash"

REGION = "512M"
DIMM = "256M"
DIMMS = (4 * GIB, 4 * GIB)  # where QEMU puts the DIMMs of a guest that has less memory than that
OUTSIDE, INSIDE = range(2)  # CXL memory devices: outside and inside CapableRanges=

SAVED = "saved "  # a step

# The end of each kind of job without a crash: verdict, reason, result, online blocks.
ENDS = {
    "region outside the boot map": ("devdax", "outside-boot-map", "done", 0),
    "region inside CapableRanges": ("online", "in-boot-map", "done", 4),
    "region of which a block is refused": ("devdax", "kernel-refused", "done", 0),
    "reload takes online blocks out": ("devdax", "rule", "done", 0),
    "reload converts devdax": ("online", "in-boot-map", "done", 4),
    "DIMM inside CapableRanges": ("online", "in-boot-map", "done", 2),
    "start": ("devdax", "outside-boot-map", "done", 0),
    "stop": ("devdax", "outside-boot-map", "done", 0),
}

KEPT = ("guard", "boot_map", "config", "present")
ENTRY = ("mode", "verdict", "reason", "zone", "rule", "answer", "result", "total_memblocks",
         "online_memblocks", "reconsider", "changed")  # fmt: skip
RECORD = ("mode", "verdict", "reason", "zone", "rule", "answer", "result", "total_memblocks",
          "online_memblocks", "errno", "failed", "failed_at", "stranded", "disagreement")  # fmt: skip

DROPIN = """[Unit]
StartLimitIntervalSec=0
[Service]
RestartSec=0
Environment=LD_PRELOAD=/usr/local/bin/crash.so
"""


def span(start, size):
    """A range as the configuration has it."""
    return f"{start:#x}-{start + size - 1:#x}"


def flat(value, path=""):
    """The leaves of nested dicts and lists, by their paths."""
    if not isinstance(value, (dict, list)):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {name: leaf for key, item in items for name, leaf in flat(item, f"{path} {key}").items()}


def differences(undisturbed, crashed):
    """The differences of two end states, as lines."""
    one, other = flat(undisturbed), flat(crashed)
    return [f"{path.strip()}: undisturbed {one.get(path)}, crashed {other.get(path)}"
            for path in sorted(one.keys() | other.keys()) if one.get(path) != other.get(path)]  # fmt: skip


class End:
    """The end of a job: its steps and its state, as crash-job prints them."""

    def __init__(self, text, start):
        [fault], trace, [state], guard, drivers, blocks, record = (
            part.strip("\n").split("\n") for part in text.split("---\n"))
        self.crashed = fault != ""
        # After the last write the state is saved when the job ends, and by the look that follows.
        last = max((i for i, step in enumerate(trace) if not step.endswith(SAVED)), default=0)
        self.steps = [step.partition(" ") for step in trace[: last + 3]]
        state = json.loads(state)
        [entry] = (device for device in state["devices"]
                   if start in (found["start"] for found in device["ranges"]))  # fmt: skip
        record = json.loads(record[0] or "{}")
        self.state = {
            "guard": guard,
            "drivers": drivers,
            "blocks": blocks,
            "kept": {name: state.get(name) for name in KEPT},
            "entry": {name: entry.get(name) for name in ENTRY},
            "record": {name: record.get(f"TDXO_{name.upper()}") for name in RECORD},
        }


class Tally:
    """The results of the crashes of a kind of job."""

    def __init__(self, undisturbed):
        self.undisturbed = undisturbed
        self.faults = [(number, side, what) for number, _, what in undisturbed.steps
                       for side in ("before", "after")]  # fmt: skip
        self.crashes = 0
        self.found = {}  # differences, by where the crash was

    def add(self, fault, crashed):
        """Add a run with a fault or without."""
        self.crashes += crashed.crashed
        lines = differences(self.undisturbed.state, crashed.state)
        if lines:
            self.found[" ".join(fault or ("no crash",))] = lines
        # The number of saves depends on timing.
        if fault and not crashed.crashed and fault[2] != SAVED:
            self.found[" ".join(fault)] = ["there was no such step"]


class CrashScene(Scene):
    """A guest whose kernel refuses memory only in the tests that set this."""

    programs = (f"{BUILD}/tests/vm/crash.so", HERE / "crash/crash-job")
    machine = {
        "kernel": "debian-6.12",
        "memory": "2G",
        "slots": 32,
        "maxmem": "16G",
        "cxl": [REGION, REGION],
        "kernel_args": (*TDX_ARMED, "tdx_refuse.initialized=1", "rcupdate.rcu_expedited=1"),
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tallies = {}
        cls.dimms = 0

    @classmethod
    def tearDownClass(cls):
        cls.print_table()
        super().tearDownClass()

    @classmethod
    def print_table(cls):
        print(f"\n{'KIND OF JOB':<36} STEPS CRASHES DIFFERENCES")
        for kind, tally in cls.tallies.items():
            print(f"{kind:<36} {len(tally.undisturbed.steps):>5} {tally.crashes:>7} {len(tally.found):>11}")
        tallies = cls.tallies.values()
        print(f"{sum(tally.crashes for tally in tallies)} crashes of {cls.__name__},"
              f" {sum(len(tally.found) for tally in tallies)} differences")  # fmt: skip
        for kind, tally in cls.tallies.items():
            for place, lines in tally.found.items():
                print(f"\n{kind}: {place}", *lines, sep="\n  ")
        sys.stdout.flush()

    def test_00_preload(self):
        """The drop-in is in effect: the daemon has the library, and is restarted at once after each crash."""
        type(self).windows = [self.window(index) for index in (OUTSIDE, INSIDE)]
        allowed = (self.windows[INSIDE], DIMMS)
        self.configure("CapableRanges=" + " ".join(span(*window) for window in allowed))
        # Movable memory can go offline again.
        for i, window in enumerate(allowed):
            self.rule(f"9{i}-movable", f"Range={span(*window)}", "Zone=movable")
        directory = f"/run/systemd/system/{UNIT}.d"
        self.sh(f"mkdir -p {directory}; echo '{DROPIN}' >{directory}/crash.conf; systemctl daemon-reload")
        self.restart()
        self.assertIn(SAVED.strip(), self.read(TRACE))

    # --- one job ---

    def begin(self, fault, command=":"):
        words = " ".join(fault[:2]) if fault else ""
        self.sh(["crash-job", "begin", words, command], timeout=120)

    def end(self, how, start, size, *region):
        return End(self.guest.run(["crash-job", how, start, size, *region], timeout=120).stdout, start)

    def crash_everywhere(self, **kinds):
        """Run jobs in turn, each from the end of the one before: undisturbed, then with faults.

        kinds: functions that run a job with a fault or None, and return its End.
        """
        kinds = {kind.replace("_", " "): run for kind, run in kinds.items()}
        tallies = {kind: Tally(run(None)) for kind, run in kinds.items()}
        self.tallies.update(tallies)
        for kind, tally in tallies.items():
            entry = tally.undisturbed.state["entry"]
            end = tuple(entry[name] for name in ("verdict", "reason", "result", "online_memblocks"))
            self.assertEqual(end, ENDS[kind], kind)
        for faults in itertools.zip_longest(*(tally.faults for tally in tallies.values())):
            for (kind, run), fault in zip(kinds.items(), faults):
                tallies[kind].add(fault, run(fault))

    # --- CXL regions ---

    def make_region(self, index):
        """Make a region and unbind it."""
        if index not in self.regions:
            self.begin(None)
            region = self.create_region(index, REGION)
            self.end("end", self.windows[index][0], 4 * BLOCK, region)

    def bind_region(self, index, fault, *region):
        self.begin(fault, f"echo {self.regions[index]} >/sys/bus/cxl/drivers/cxl_region/bind")
        return self.end("end", self.windows[index][0], 4 * BLOCK, *region)

    def run_region(self, index, fault):
        """A device arrives, and is removed at the end."""
        return self.bind_region(index, fault, self.regions[index])

    def test_99_table(self):
        self.assertEqual([kind for kind, tally in self.tallies.items() if tally.found], [])


class Crashed(CrashScene):
    """Memory arrives; the daemon starts and stops."""

    def test_01_outside(self):
        self.make_region(OUTSIDE)
        self.crash_everywhere(region_outside_the_boot_map=functools.partial(self.run_region, OUTSIDE))

    def test_02_inside(self):
        self.make_region(INSIDE)
        self.crash_everywhere(region_inside_CapableRanges=functools.partial(self.run_region, INSIDE))

    def run_dimm(self, fault):
        """Each run uses a new DIMM."""
        size = size_bytes(DIMM)
        start = DIMMS[0] + self.dimms * size
        type(self).dimms += 1
        self.begin(fault)
        self.guest.add_dimm(DIMM)
        return self.end("end", start, size)

    def test_03_dimm(self):
        self.crash_everywhere(DIMM_inside_CapableRanges=self.run_dimm)

    def run_start(self, fault):
        """A daemon that has decided a device starts, and stops."""
        self.begin(fault, f"systemctl start {UNIT} || :")
        return self.end("end", self.windows[OUTSIDE][0], 4 * BLOCK)

    def run_stop(self, fault):
        """systemd does not restart a daemon that crashes during a stop: the administrator starts and stops it."""
        again = f"; [ -e {CRASH} ] || {{ systemctl start {UNIT}; systemctl stop {UNIT}; }}" if fault else ""
        self.begin(fault, f"systemctl stop {UNIT}{again}")
        return self.end("stopped", self.windows[OUTSIDE][0], 4 * BLOCK)

    def test_04_start_and_stop(self):
        self.make_region(OUTSIDE)
        self.bind_region(OUTSIDE, None)
        self.sh(f"systemctl stop {UNIT}")
        self.crash_everywhere(start=self.run_start, stop=self.run_stop)
        self.sh(f"systemctl start {UNIT}")


class CrashedRollback(CrashScene):
    """Memory arrives, and the kernel refuses one of its blocks."""

    def test_01_refused(self):
        """The kernel accepts two blocks and refuses the third."""
        self.make_region(INSIDE)
        self.sh(f"echo {self.windows[INSIDE][0] + BLOCK} >{REFUSE}/refuse_at")
        self.crash_everywhere(region_of_which_a_block_is_refused=functools.partial(self.run_region, INSIDE))
        self.sh(f"echo 0 >{REFUSE}/refuse_at")


class CrashedReload(CrashScene):
    """A reload changes the decision about present memory."""

    def run_reload(self, policy, fault):
        """The request is lost if the daemon is killed before it has saved it: no job has been begun then,
        and the administrator reloads again."""
        start, size = self.windows[INSIDE]
        self.rule("20-job", f"Range={span(start, size)}", *policy)
        reload = f"systemctl reload {UNIT} || :"
        lost = fault and fault[:2] == ("0.1", "before")
        self.begin(fault, f"{reload}; await_start; {reload}" if lost else reload)
        return self.end("end", start, 4 * BLOCK)

    def test_01_reload(self):
        """A rule takes memory out of system RAM, another rule onlines it again."""
        self.make_region(INSIDE)
        self.bind_region(INSIDE, None)
        self.crash_everywhere(
            reload_takes_online_blocks_out=functools.partial(
                self.run_reload, ("Verdict=devdax", "OfflineBlocks=yes")),
            reload_converts_devdax=functools.partial(
                self.run_reload, ("ConvertDevdax=yes", "Zone=movable")))  # fmt: skip
        self.sh(f"rm {RULES}/20-job.rule")


class Crashed73(Crashed):
    """The same on Linux 7.3."""

    machine = {**CrashScene.machine, "kernel": "debian-7.3"}


class CrashedRollback73(CrashedRollback):
    """On Linux 7.3 a dax device has a state, and is unplugged before it is unbound."""

    machine = {**CrashScene.machine, "kernel": "debian-7.3"}


class CrashedReload73(CrashedReload):
    """The same on Linux 7.3."""

    machine = {**CrashScene.machine, "kernel": "debian-7.3"}


if __name__ == "__main__":
    main()
