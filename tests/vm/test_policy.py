#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The keys of the configuration and their limits, on real kernels.

Driver links, states of blocks, the kernel's events and the journal are compared. The kernel refuses no
memory unless a test sets this, so that only the daemon prevents an action that is not allowed.
"""

from guest import TDX_ACTIVE, TDX_ARMED
from scene import BLOCK, CONFIG, DAX, GIB, MEMORY, REFUSE, RULES, UNIT, Scene, main

MIB = 1 << 20
CHANGED = "0949ecdcf2f24ee7a4e4ffd72340b862"
OBSERVED = "2c290ea2fcf342efa6eeeae5e3a617f8"
PRESENT = "e7e3c0cc62a84da1925f1aaa4430fee3"

# TDX is active for user space, but the kernel accepts any memory.
LENIENT = (*TDX_ARMED, "tdx_refuse.initialized=1")


def span(start, size):
    """A range as the configuration has it."""
    return f"{start:#x}-{start + size - 1:#x}"


class Interlocks(Scene):
    """Devices that other programs use, and persistent memory, are left as they are, with any rules."""

    # A range of 300 MiB that begins in the middle of a block, and one that is less than a block.
    hmem = span(0x184000000, 300 * MIB)
    small = span(0x1A0000000, 100 * MIB)
    dimm = span(8 * GIB, GIB)
    config = (f"CapableRanges={hmem} {small} {dimm}",)
    machine = {
        "memory": "6G",
        "cxl": ["512M", "512M", "512M"],
        "kernel_args": (*LENIENT, "memmap=256M!5G", "memmap=300M%0x184000000+0xefffffff",
                        "memmap=100M%0x1a0000000+0xefffffff"),
    }  # fmt: skip

    def region(self, index):
        """Make a region; returns its dax device and its range."""
        self.mark()
        name = self.create_region(index, "512M")
        device = self.wait_for_record(region=name)["TDXO_CHARDEV"]
        return device, span(self.window(index)[0], 512 * MIB)

    def allow(self, *ranges):
        """Declare these ranges TDX memory, besides those of the start."""
        self.configure(" ".join((*self.config, *ranges)))

    def test_00_alignment(self):
        """At boot: whole blocks of the allowed range go online, and the rest is reported as lost."""
        record = self.wait_for_record(start="0x184000000")
        self.assert_record(record, verdict="online", reason="in-boot-map", source="configuration",
                           present="no", total_memblocks="1", online_memblocks="1", mode="system-ram",
                           unaligned=str(172 * MIB), result="done")  # fmt: skip
        self.assertEqual(self.states(6 * GIB + BLOCK, BLOCK), ["online Normal"])
        record = self.wait_for_record(start="0x1a0000000")
        self.assert_record(record, verdict="devdax", reason="too-small", unaligned=None)
        self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")


    def test_01_persistent_memory(self):
        """Persistent memory in CapableRanges=, with a rule that requires online, keeps its bytes."""
        namespace = self.sh("ndctl list -N | sed -n 's/.*\"dev\":\"\\(.*\\)\".*/\\1/p'")
        self.sh(f"ndctl create-namespace -f -e {namespace} -m devdax -M mem")
        device = type(self).pmem = self.wait_for_record(type="pmem")["TDXO_CHARDEV"]
        length = self.read(f"{DAX}/devices/{device}/size")
        self.sh(f"daxmap /dev/{device} {length}")
        type(self).checksum = f"daxmap /dev/{device} {length} --sum"
        type(self).bytes = self.sh(self.checksum)
        self.rule("10-all", "Type=*", "Verdict=online", "ConvertDevdax=yes", "Zone=movable")
        start = self.read(f"{DAX}/devices/{device}/mapping0/start")
        self.allow(span(int(start, 0), int(length)))
        self.reload()
        self.assert_record(self.wait_for_record(type="pmem"), verdict="ignore",
                           reason="persistent-memory", rule="10-all.rule", overruled="online",
                           mode="devdax", result="nothing-to-do", PRIORITY="4")  # fmt: skip
        self.assert_bytes()
        self.remove_rules()
        self.reload()
        self.assert_bytes()

    def assert_bytes(self):
        self.assertEqual(self.driver(self.pmem), "device_dax")
        self.assertEqual(self.sh(self.checksum), self.bytes)

    def test_02_dimm_drift(self):
        """An onlined block of a DIMM is taken offline by another program: one record."""
        self.mark()
        self.guest.add_dimm("512M")
        start = int(self.wait_for_record(type="dimm", result="done")["TDXO_START"], 0)
        self.assertEqual(self.records(result="changed"), [])
        self.mark()
        self.sh(f"chmem -d {span(start, BLOCK)} && chmem -d {span(start + BLOCK, BLOCK)}")
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, result="changed", verdict="online", total_memblocks="4")
        self.assertEqual(record["MESSAGE_ID"], CHANGED)
        self.sh(f"chmem -e {span(start, 2 * BLOCK)}; udevadm settle")

    def test_03_reload(self):
        """One more rule: only the range that it matches has one more record."""
        self.rule("50-dimm", "Type=dimm", "Verdict=offline", "OfflineBlocks=yes")
        self.reload()
        self.assert_record(self.wait_for_record(type="dimm"), verdict="offline", reason="rule",
                           total_memblocks="4", online_memblocks="0", result="done")  # fmt: skip
        self.assertEqual(len(self.records()), 1)
        self.reload()
        self.assertEqual(self.records(), [])

    def test_04_in_use(self):
        """A device that a process outside of the daemon's namespaces has mapped is not converted."""
        device, window = self.region(0)
        self.wait_for_driver(device, "device_dax")
        self.sh(f"systemd-run --unit=holder -p PrivateMounts=yes -p StandardOutput=file:/run/holder"
                f" $(command -v daxmap) /dev/{device} --hold")  # fmt: skip
        self.guest.wait_for("grep mapped /run/holder", 60)
        self.allow(window)
        self.rule("20-convert", f"Range={window}", "ConvertDevdax=yes")
        self.reload()
        record = self.wait_for_record(chardev=device)
        self.assert_record(record, verdict="devdax", reason="in-use", rule="20-convert.rule",
                           mode="devdax", total_memblocks="0", result="nothing-to-do")  # fmt: skip
        self.assertEqual(self.driver(device), "device_dax")
        # The mapping is still valid: the process writes and reads it before it ends.
        self.sh("systemctl stop holder")
        self.assertEqual(self.sh("systemctl is-failed holder || true"), "inactive")

    def test_05_no_longer_in_use(self):
        """The same device without a user is converted."""
        self.reload()
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="online", reason="in-boot-map", rule="20-convert.rule",
                           mode="system-ram", total_memblocks="4", online_memblocks="4",
                           result="done")  # fmt: skip
        self.assertEqual(set(self.states(self.window(0)[0], 512 * MIB)), {"online Normal"})

    def hold_with(self, driver, device):
        """Bind an unknown driver to a device."""
        self.sh(f"insmod /usr/local/lib/lab/dax_foreign.ko name={driver};"
                f" echo {device} >{DAX}/drivers/{driver}/new_id")  # fmt: skip
        self.wait_for_driver(device, driver)

    def test_06_drift(self):
        """Another program changes the driver: one record, and no action."""
        device, window = self.region(1)
        type(self).other = device
        self.guest.wait_for(f"daxmap /dev/{device}", 60)
        self.assertEqual(self.records(result="changed"), [])
        self.mark()
        self.sh(f"echo {device} >{DAX}/drivers/device_dax/unbind")
        record = self.wait_for_record(chardev=device)
        self.assert_record(record, result="changed", verdict="devdax", mode=None)
        self.assertEqual(record["MESSAGE_ID"], CHANGED)
        self.rule("30-famfs", f"Range={window}", "Verdict=online", "ConvertDevdax=yes")

    def release(self):
        """Unbind the unknown driver, and wait until the daemon has seen this."""
        self.mark()
        self.sh("rmmod dax_foreign")
        self.wait_for_record(chardev=self.other, result="changed")

    def test_07_famfs(self):
        """A device with the driver of a file system stays with it, with CapableRanges= and a rule."""
        self.hold_with("fsdev_dax", self.other)
        self.allow(*(span(self.window(index)[0], 512 * MIB) for index in (0, 1)))
        self.reload()
        record = self.wait_for_record(chardev=self.other)
        self.assert_record(record, verdict="ignore", reason="famfs", overruled="online",
                           rule="30-famfs.rule", mode="famfs")  # fmt: skip
        self.assertEqual(self.driver(self.other), "fsdev_dax")

    def test_08_foreign_driver(self):
        """The same with a driver of another name."""
        self.release()
        self.hold_with("some_dax", self.other)
        self.reload()
        record = self.wait_for_record(chardev=self.other)
        self.assert_record(record, verdict="ignore", reason="foreign-driver", overruled="online",
                           mode="other")  # fmt: skip
        self.assertIn("its driver some_dax is", record["MESSAGE"])
        self.assertEqual(self.driver(self.other), "some_dax")
        self.release()

    def test_09_without_driver(self):
        """A device that a rule leaves without a driver stays so when another device goes online."""
        self.rule("30-famfs", f"Device={self.other}", "Verdict=ignore")
        self.reload()
        record = self.wait_for_record(chardev=self.other)
        self.assert_record(record, verdict="ignore", reason="rule", mode=None)
        self.allow(*(span(self.window(index)[0], 512 * MIB) for index in (0, 2)))
        self.rule("40-movable", f"Range={span(self.window(2)[0], 512 * MIB)}", "Zone=movable")
        self.reload()
        device, _ = self.region(2)
        self.assert_record(self.wait_for_record(chardev=device), verdict="online", result="done",
                           online_memblocks="4", mode="system-ram")  # fmt: skip
        self.assert_without_driver(self.other)

    def assert_without_driver(self, device):
        self.assertEqual(self.sh(f"readlink {DAX}/devices/{device}/driver || echo none"), "none")

    def test_10_already_online(self):
        """Memory that is online against the decision stays so without OfflineBlocks=yes."""
        self.sh(f"rm {RULES}/40-movable.rule")
        self.rule("40-out", f"Region={self.regions[2]}", "Verdict=devdax")
        self.reload()
        record = self.wait_for_record(region=self.regions[2])
        self.assert_record(record, verdict="ignore", reason="already-online", overruled="devdax",
                           online_memblocks="4", mode="system-ram", result="nothing-to-do")  # fmt: skip
        self.assertIn("daxctl reconfigure-device -m devdax -f", record["MESSAGE"])
        self.assertEqual(len(self.records()), 1)

    def test_11_taken_out(self):
        """With OfflineBlocks=yes all blocks go offline, and the device becomes devdax."""
        before = self.blocks()
        self.rule("40-out", f"Region={self.regions[2]}", "Verdict=devdax", "OfflineBlocks=yes")
        self.reload()
        record = self.wait_for_record(region=self.regions[2])
        self.assert_record(record, verdict="devdax", reason="rule", mode="devdax",
                           total_memblocks="0", online_memblocks="0", stranded=None,
                           result="done")  # fmt: skip
        self.assertEqual(len(before - self.blocks()), 4)
        self.guest.wait_for(f"daxmap /dev/{record['TDXO_CHARDEV']}", 60)
        self.assert_without_driver(self.other)

    def test_12_invalid_rule(self):
        """A mistake in a rule: the message has file and line, and the old configuration stays in effect."""
        self.rule("60-broken", "Type=dimm", "Verdict=perhaps")
        self.mark()
        self.assertNotEqual(self.guest.run(f"systemctl reload {UNIT}", check=False).status, 0)
        mistake = f"{RULES}/60-broken.rule:4: Verdict=perhaps: not online, devdax, offline or ignore"
        self.assertIn(mistake, self.messages("PRIORITY=3"))
        self.mark()
        self.sh(f"systemctl kill -s HUP {UNIT}")
        used = "The new configuration has mistakes and is not used: the old one stays in effect"
        self.guest.wait_for(f"journalctl -q --no-pager --since={self.start} -u {UNIT} | grep '{used}'", 60)
        self.assertIn(mistake, self.messages("PRIORITY=3"))
        self.assertEqual(self.records(), [])
        self.assertEqual(self.sh(f"systemctl is-active {UNIT}"), "active")
        self.assertNotEqual(self.guest.run("tdx-onlined --check-config", check=False).status, 0)
        self.remove_rules()

    def test_13_persistent_memory_again(self):
        """One shot, stop and start leave persistent memory as it is, with any rules."""
        self.rule("10-all", "Type=pmem", "Verdict=online", "ConvertDevdax=yes")
        self.sh("tdx-onlined --oneshot")
        self.assert_bytes()
        self.sh(f"systemctl stop {UNIT}; systemctl start {UNIT}; tdx-onlined --dry-run")
        self.assert_bytes()


class Interlocks73(Interlocks):
    """The same on Linux 7.3."""

    machine = {**Interlocks.machine, "kernel": "debian-7.3"}


class Rollback(Scene):
    """A job that fails is rolled back block by block, without blocking the daemon."""

    config = ("OfflineTimeoutSec=300",)
    machine = {
        "memory": "4G",
        "cxl": ["64G", "512M", "512M"],
        "kernel_args": (*LENIENT, "rcupdate.rcu_expedited=1"),
    }

    def set(self, **parameters):
        """Set the faults of the kernel from now on; those not named are cleared."""
        names = ("refuse_at", "fail_at", "fail_times", "failed", "hold", "slow_offline")
        for name in names:
            self.sh(f"echo {parameters.get(name, 0)} >{REFUSE}/{name}")

    def begin(self, index, size, block, **parameters):
        """Make a region, with one of its blocks as the value of each parameter that is True."""
        start, _ = self.window(index)
        at = start + block * BLOCK
        self.set(**{name: at if value is True else value for name, value in parameters.items()})
        self.mark()
        name = self.create_region(index, size)
        return self.wait_for_record(timeout=200, region=name), hex(at)

    def test_00_all_allowed(self):
        windows = (span(*self.window(index)) for index in range(3))
        self.configure(*self.config, "CapableRanges=" + " ".join(windows))
        self.reload()

    def test_01_kernel_refuses(self):
        """The kernel refuses the 300th block from above: the others go offline again, highest first.

        A page may be busy for a moment as a block goes offline: then the block is tried again.
        """
        self.sh("udevadm monitor --kernel --subsystem-match=memory >/run/events &")
        record, at = self.begin(0, "64G", 512 - 300, refuse_at=True)
        self.assert_record(record, verdict="devdax", reason="kernel-refused", errno="1",
                           failed="online", failed_at=at, mode="devdax", total_memblocks="0",
                           stranded=None, result="done")  # fmt: skip
        self.wait_for_driver(record["TDXO_CHARDEV"], "device_dax")
        self.assertEqual(self.read(f"{REFUSE}/refused"), "1")
        first = self.window(0)[0] // BLOCK
        self.guest.wait_for("test $(grep -c ' offline ' /run/events) -ge 299", 60)
        for action in ("online", "offline"):
            numbers = self.sh(f"awk '$2 == \"{action}\" {{ sub(/.*memory/, \"\", $3); print $3 }}' /run/events")
            self.assertEqual([int(number) - first for number in numbers.split()],
                             list(range(511, 212, -1)), action)  # fmt: skip
        self.sh("kill $(pidof udevadm)")
        self.guest.wait_for(f"daxmap /dev/{record['TDXO_CHARDEV']}", 60)

    def test_02_tried_again(self):
        """A temporary error is tried again, and counted. (Movable memory can be taken out later.)"""
        self.rule("10-movable", f"Range={span(*self.window(1))}", "Zone=movable")
        self.reload()
        record, _ = self.begin(1, "512M", 1, fail_at=True, fail_times=2)
        self.assert_record(record, verdict="online", online_memblocks="4", retries="2", errno=None,
                           result="done")  # fmt: skip
        self.assertEqual(self.read(f"{REFUSE}/failed"), "2")

    def test_03_stuck(self):
        """A permanent error leads to a rollback; a block that stays online holds the driver, and is reported."""
        record, at = self.begin(2, "512M", 1, fail_at=True, hold=self.window(2)[0] + 2 * BLOCK)
        self.assert_record(record, verdict="devdax", reason="rolled-back", errno="12",
                           failed="online", failed_at=at, mode="system-ram", total_memblocks="4",
                           online_memblocks="1", stranded=str(3 * BLOCK), result="partial",
                           retries="10", PRIORITY="3")  # fmt: skip
        states = [state.split()[0] for state in self.states(self.window(2)[0], 4 * BLOCK)]
        self.assertEqual(states, ["offline", "offline", "online", "offline"])

    def test_04_no_longer_stuck(self):
        """When the block can go offline again, a reload completes the rollback."""
        self.set()
        self.rule("20-out", f"Region={self.regions[2]}", "Verdict=devdax", "OfflineBlocks=yes")
        self.reload()
        self.assert_record(self.wait_for_record(region=self.regions[2]), verdict="devdax",
                           reason="rolled-back", rule="20-out.rule", mode="devdax",
                           total_memblocks="0", stranded=None, result="done")  # fmt: skip

    def test_05_timeout(self):
        """A block takes longer than the timeout to go offline: the job ends, and all blocks are online."""
        self.configure("OfflineTimeoutSec=1", self.sh(f"grep Capable {CONFIG}/test.conf"))
        self.begin_slowly(90000)
        record = self.wait_for_record(timeout=60, region=self.regions[1])
        self.assert_record(record, verdict="devdax", errno="62", failed="offline", mode="system-ram",
                           total_memblocks="4", online_memblocks="4", result="partial",
                           PRIORITY="3")  # fmt: skip
        self.assertEqual(self.read(f"{MEMORY}/memory{self.window(1)[0] // BLOCK}/state"), "online")

    def begin_slowly(self, milliseconds):
        """Take the second region, which is online, slowly out of system RAM."""
        self.set(slow_offline=milliseconds)
        self.remove_rules()
        self.rule("20-out", f"Region={self.regions[1]}", "Verdict=devdax", "OfflineBlocks=yes")
        self.mark()
        self.sh(f"systemctl reload {UNIT}")

    def assert_still_busy(self):
        self.assertEqual(self.sh(f"ps -o comm= -p {self.writer}"), "tdx-onlined")

    def test_06_reload_while_busy(self):
        """A reload is received while a block goes offline slowly."""
        self.configure("OfflineTimeoutSec=300", self.sh(f"grep Capable {CONFIG}/test.conf"))
        self.begin_slowly(240000)
        type(self).writer = self.guest.wait_for(f"pgrep -P $(systemctl show -P MainPID {UNIT})")
        self.sh(f"systemctl reload --no-block {UNIT}")
        self.guest.wait_for(f"systemctl show -P ActiveState {UNIT} | grep reloading", 60)
        self.assert_still_busy()

    def test_07_stop(self):
        """A stop does not wait for a slow block; the next start completes the job."""
        self.assert_still_busy()
        self.sh(f"timeout 60 systemctl stop {UNIT}", timeout=90)
        self.assertEqual(self.sh(f"systemctl show -P Result {UNIT}"), "success")
        self.assert_guard("1", "online")
        self.set()
        self.mark()
        self.sh(f"systemctl start {UNIT}")
        self.assert_record(self.wait_for_record(region=self.regions[1]), verdict="devdax", reason="rule",
                           mode="devdax", total_memblocks="0", result="done")  # fmt: skip


class HeadRoom(Scene):
    """A guest without enough memory for the page metadata of 64 GiB."""

    machine = {"memory": "800M", "maxmem": "8G", "cxl": ["64G"], "kernel_args": LENIENT}

    def test_00_no_head_room(self):
        """The region is allowed, but 1 GiB for page metadata is not available; devdax needs a quarter of it."""
        self.configure(f"CapableRanges={span(*self.window(0))}")
        self.reload()
        available = int(self.sh("awk '/^MemAvailable/ { print $2 }' /proc/meminfo")) * 1024
        name = self.create_region(0, "64G")
        record = self.wait_for_record(region=name)
        self.assert_record(record, reason="no-head-room", metadata_needed=str(GIB), PRIORITY="4")
        self.assertIn(record["TDXO_VERDICT"], ("devdax", "ignore"))
        spare = int(record["TDXO_METADATA_AVAILABLE"])
        self.assertLess(abs(spare - available), 128 * MIB)
        self.assertEqual(self.sh("dmesg | grep -c 'Out of memory\\|oom-kill' || true"), "0")


class Observe(Scene):
    """Act=no: all decisions are recorded, no steps are taken, and the guard is not taken."""

    config = ("Act=no",)
    machine = {"memory": "1G", "cxl": ["512M", "512M"], "kernel_args": TDX_ACTIVE}

    def test_00_act_no(self):
        """Memory that arrives is bound and refused by the kernel, and stays offline."""
        self.assert_guard("1", "online")
        self.create_region(0, "512M")
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", withheld="observe",
                           mode="system-ram", total_memblocks="4", online_memblocks="0", result="withheld",
                           stranded=str(4 * BLOCK))  # fmt: skip
        self.assertEqual(record["MESSAGE_ID"], OBSERVED)
        self.assertEqual(self.driver(record["TDXO_CHARDEV"]), "kmem")
        self.assert_guard("1", "online")
        self.assertIn("nothing is changed (Act=no)", self.sh(f"systemctl show -P StatusText {UNIT}"))

    def test_01_act_yes(self):
        """Without Act=no the steps are taken, and the guard is held."""
        self.configure("Act=yes")
        self.reload()
        record = self.wait_for_record(region=self.regions[0])
        self.assert_record(record, verdict="devdax", reason="outside-boot-map", withheld=None,
                           mode="devdax", total_memblocks="0", result="done")  # fmt: skip
        self.assert_guard("0", "offline")

    def test_02_reconfigured_by_hand(self):
        """An administrator converts the device to memory: one record, and no action."""
        device = self.records(region=self.regions[0])[0]["TDXO_CHARDEV"]
        self.mark()
        self.sh(f"daxctl reconfigure-device -m system-ram --no-online -f {device}")
        record = self.wait_for_record(chardev=device)
        self.assert_record(record, result="changed", verdict="devdax", mode="system-ram", total_memblocks="4")
        self.assertEqual(record["MESSAGE_ID"], CHANGED)
        self.assertEqual(self.driver(device), "kmem")
        self.sh(f"daxctl reconfigure-device -m devdax -f {device}; udevadm settle")

    def test_03_observe_again(self):
        """Act=no gives the guard back."""
        self.configure("Act=no")
        self.reload()
        self.assert_guard("1", "online")


class Late(Scene):
    """The daemon starts long after boot, and TDX after that, which is possible before Linux 7.1."""

    enabled = False
    machine = {"kernel": "debian-6.12", "memory": "1G", "cxl": ["512M", "512M"]}

    def test_00_present(self):
        """Memory that was present at the first start is decided, but left as it is."""
        self.sh(f"systemctl mask --runtime {UNIT}; echo offline >{MEMORY}/auto_online_blocks;"
                " insmod /usr/local/lib/lab/tdx_refuse.ko")  # fmt: skip
        before = self.blocks()
        self.guest.add_dimm("512M")
        self.guest.wait_for(f"test $(ls -d {MEMORY}/memory* | wc -l) = {len(before) + 4}")
        self.sh(f"udevadm settle; systemctl unmask --runtime {UNIT}; systemctl start {UNIT}")
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, verdict="online", reason="tdx-absent", present="yes",
                           withheld="present", result="withheld", total_memblocks="4", online_memblocks="0",
                           stranded=str(4 * BLOCK))  # fmt: skip
        self.assertEqual(record["MESSAGE_ID"], PRESENT)
        type(self).dimm = int(record["TDXO_START"], 0)
        self.assertEqual(set(self.states(self.dimm, 4 * BLOCK)), {"offline Normal Movable"})

    def test_01_movable_within_the_ratio(self):
        """A rule with Present=yes has an effect on it, within MaxMovableRatio=."""
        self.configure("MaxMovableRatio=100")
        self.rule("10-dimm", "Present=yes", "Zone=movable")
        self.reload()
        record = self.wait_for_record(type="dimm")
        self.assert_record(record, verdict="online", zone="movable", rule="10-dimm.rule",
                           withheld=None, online_memblocks="4", result="done")  # fmt: skip
        self.assertIn(int(record["TDXO_MOVABLE_RATIO"]), range(30, 101))
        self.assertEqual(set(self.states(self.dimm, 4 * BLOCK)), {"online Movable"})

    def test_02_movable_beyond_the_ratio(self):
        """Beyond MaxMovableRatio= the memory goes to a kernel zone."""
        self.configure("MaxMovableRatio=60")
        self.rule("10-dimm", "Type=dimm", "Zone=movable")
        self.reload()
        self.guest.add_dimm("512M")
        record = self.wait_for_record(type="dimm", present="no")
        self.assert_record(record, verdict="online", zone="auto", rule="10-dimm.rule",
                           online_memblocks="4", result="done")  # fmt: skip
        self.assertGreater(int(record["TDXO_MOVABLE_RATIO"]), 60)
        self.assertIn("; not in zone movable", record["MESSAGE"])
        self.assertEqual(set(self.states(int(record["TDXO_START"], 0), 4 * BLOCK)), {"online Normal"})

    def test_03_late_tdx(self):
        """TDX is initialised: online memory is recorded with the commands that take it out."""
        self.configure("MaxMovableRatio=300")
        self.rule("20-cxl", "Type=cxl", "Zone=movable")
        self.reload()
        self.create_region(0, "512M")
        self.assert_record(self.wait_for_record(region=self.regions[0]), zone="movable", result="done")
        self.mark()
        self.sh(f"echo 1 >{REFUSE}/platform; echo 1 >{REFUSE}/initialized")
        for fields in ({"region": self.regions[0]}, {"type": "dimm", "present": "yes"}):
            record = self.wait_for_record(**fields)
            self.assert_record(record, verdict="ignore", reason="already-online", tdx_state="active",
                               online_memblocks="4", PRIORITY="4")  # fmt: skip
            self.take_out(record)
        self.assertEqual({state.split()[0] for state in self.states(self.dimm, 4 * BLOCK)}, {"offline"})
        self.wait_for_driver(self.records(region=self.regions[0])[0]["TDXO_CHARDEV"], "device_dax")
        self.assert_guard("0", "offline")

    def test_04_after_tdx(self):
        """Memory that arrives later is kept out of system RAM."""
        name = self.create_region(1, "512M")
        self.assert_record(self.wait_for_record(region=name), verdict="devdax", tdx_state="active",
                           reason="outside-boot-map", total_memblocks="0")  # fmt: skip


if __name__ == "__main__":
    main()
