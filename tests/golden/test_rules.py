#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules on captured machines: the keys of [Match] and [Policy].

The expectations follow from tests/sysroots/README.md and the table of tdx-onlined(8), "What happens
to a range". The facts of the trees:

    cxl-refused  active  dax0.0 on node 1, 512 MiB at 0x5d0000000, region0, mem0 with serial 0x42 at
                         0000:0d:00.0; kmem has it, 4 blocks offline
    cxl-guard    active  the same, but 64 GiB; no driver, no blocks
    cxl-online   absent  as cxl-refused, but 4 blocks online
    hmem         active  dax0.0, 256 MiB at 0x10000000; kmem has it, 2 blocks offline
    pmem         active  dax0.0, 254 MiB at 0x10200000; device_dax has it
    dimm         active  512 MiB at 0x100000000 on node 0, 4 blocks offline
    virtio-mem   active  256 MiB at 0x100000000, 2 blocks offline
"""

import json
import os
import shutil

import tree
from tree import DROP_IN, RULE, rule

NAME = "10-a.rule"
ALL = "Type=*"
CAPABLE = "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n"

# The [Match] sections that match each tree; the policy is Verdict=ignore.
MATCHES = {
    "cxl-refused": (
        "Type=cxl", "Type=*", "Type=hmem cxl",
        "Device=dax0.0", "Device=dax0.*", "Device=dax1.0 dax?.?", "Device=dax[0-9].0", "Device=DAX0.0",
        "Serial=0x42", "Serial=66", "Serial=1 0x42", "Serial=0x0000000000000042",
        "PciAddress=0000:0d:00.0", "PciAddress=*:0d:*", "PciAddress=0000:0D:00.0",
        "PciAddress=0000:0e:00.0 0000:0d:00.0",
        "Region=region0", "Region=region*", "Region=region1 region0",
        "TargetNode=1", "TargetNode=0x1", "TargetNode=0 1",
        "MinSize=512M", "MinSize=536870912", "MinSize=0", "MinSize=0x80000K",
        "MaxSize=512M", "MaxSize=1T", "MaxSize=536870912",
        "Range=0x5d0000000-0x5efffffff", "Range=0x0-0xfffffffffff", "Range=0x0-0x1 0x5d0000000-0x5efffffff",
        "Present=yes",
        "Mode=system-ram", "Mode=devdax system-ram",
        "Type=cxl | TargetNode=1 | MinSize=1M | MaxSize=1G | Mode=system-ram | Serial=0x42",
    ),
    "cxl-guard": ("Mode=none", "MinSize=64G", "MaxSize=64G", "Range=0x5d0000000-0x15cfffffff"),
    "hmem": ("Type=hmem", "Device=dax0.0", "TargetNode=0", "Range=0x10000000-0x1fffffff"),
    "dimm": ("Type=dimm", "TargetNode=0", "MinSize=512M", "MaxSize=512M",
             "Range=0x100000000-0x11fffffff", "Present=yes", "Type=dimm virtio-mem"),
    "virtio-mem": ("Type=virtio-mem", "MaxSize=256M", "Range=0x100000000-0x10fffffff"),
}  # fmt: skip
MISMATCHES = {
    "cxl-refused": (
        "Type=hmem", "Type=pmem dimm virtio-mem unknown",
        "Device=dax1.*", "Device=dax0", "Device=dax0.0*0", "Device=dax[1-9].0",
        "Serial=0x43", "Serial=42", "Serial=0",
        "PciAddress=0000:0e:*", "PciAddress=0d:00.0", "PciAddress=mem0",
        "Region=region1", "Region=region", "Region=region?0",
        "TargetNode=0", "TargetNode=18446744073709551615",
        "MinSize=513M", "MinSize=536870913", "MaxSize=511M", "MaxSize=0",
        "Range=0x5d0000000-0x5effffffe", "Range=0x5d0000001-0x5efffffff",
        "Range=0x5d0000000-0x5dfffffff 0x5e0000000-0x5efffffff",
        "Present=no",
        "Mode=none", "Mode=devdax", "Mode=famfs other",
        "Type=cxl | TargetNode=0", "Type=cxl | Present=no", "Device=dax0.0 | Mode=none",
    ),
    "cxl-guard": ("Mode=system-ram", "MinSize=65G", "Range=0x5d0000000-0x5efffffff"),
    "hmem": ("Type=cxl", "Serial=0", "PciAddress=*", "Region=*"),
    "dimm": ("Type=virtio-mem unknown", "Device=*", "Serial=0", "PciAddress=*", "Region=*",
             "TargetNode=1", "Mode=none", "Mode=none system-ram devdax famfs other"),
    "virtio-mem": ("Type=dimm", "Device=*", "Mode=none"),
}  # fmt: skip

# The decision without a rule, and with a rule that matches all:
# (tree, TDX state): (verdict, reason, zone), {policy: (verdict, reason, overruled, zone)}
OUT = ("devdax", "outside-boot-map", None)
OFF = ("offline", "outside-boot-map", None)
IN = ("online", "tdx-absent", "auto")
KEYS_ALONE = ("Zone=movable", "OnFailure=keep", "ConvertDevdax=yes", "OfflineBlocks=yes")
DECISIONS = {
    # refused by TDX: a rule may leave it offline in another way, but cannot online it
    ("cxl-refused", "auto"): (OUT, {
        "Verdict=online": ("devdax", "outside-boot-map", "online", None),
        "Verdict=online | Zone=movable": ("devdax", "outside-boot-map", "online", None),
        "Verdict=online | ConvertDevdax=yes": ("devdax", "outside-boot-map", "online", None),
        "Verdict=devdax": ("devdax", "outside-boot-map", None, None),
        "Verdict=devdax | OfflineBlocks=yes": ("devdax", "outside-boot-map", None, None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
        **{key: ("devdax", "outside-boot-map", None, None) for key in KEYS_ALONE},
    }),
    ("cxl-guard", "auto"): (OUT, {
        "Verdict=online": ("devdax", "outside-boot-map", "online", None),
        "Verdict=devdax": ("devdax", "outside-boot-map", None, None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
    }),
    ("hmem", "auto"): (OUT, {
        "Verdict=online": ("devdax", "outside-boot-map", "online", None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
    }),
    # without a dax device, devdax means offline
    ("dimm", "auto"): (OFF, {
        "Verdict=online": ("offline", "outside-boot-map", "online", None),
        "Verdict=devdax": ("offline", "outside-boot-map", None, None),
        "Verdict=offline": ("offline", "outside-boot-map", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
        **{key: ("offline", "outside-boot-map", None, None) for key in KEYS_ALONE},
    }),
    ("virtio-mem", "auto"): (OFF, {
        "Verdict=online": ("offline", "outside-boot-map", "online", None),
        "Verdict=devdax": ("offline", "outside-boot-map", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
    }),
    # persistent memory is always left as it is
    ("pmem", "auto"): (("ignore", "persistent-memory", None), {
        "Verdict=online": ("ignore", "persistent-memory", "online", None),
        "Verdict=online | ConvertDevdax=yes": ("ignore", "persistent-memory", "online", None),
        "Verdict=devdax": ("ignore", "persistent-memory", "devdax", None),
        "Verdict=offline | OfflineBlocks=yes": ("ignore", "persistent-memory", "offline", None),
        "Verdict=ignore": ("ignore", "persistent-memory", None, None),
        **{key: ("ignore", "persistent-memory", None, None) for key in KEYS_ALONE},
    }),
    ("pmem", "absent"): (("ignore", "persistent-memory", None), {
        "Verdict=online": ("ignore", "persistent-memory", "online", None),
        "Verdict=offline": ("ignore", "persistent-memory", "offline", None),
    }),
    # allowed by TDX: a rule may be stricter, and choose the zone
    ("cxl-refused", "absent"): (IN, {
        "Verdict=online": ("online", "tdx-absent", None, "auto"),
        "Verdict=online | Zone=kernel": ("online", "tdx-absent", None, "kernel"),
        "Verdict=online | Zone=auto": ("online", "tdx-absent", None, "auto"),
        "Zone=kernel": ("online", "tdx-absent", None, "kernel"),
        "OnFailure=rollback": ("online", "tdx-absent", None, "auto"),
        "OfflineBlocks=yes": ("online", "tdx-absent", None, "auto"),
        "Verdict=devdax": ("devdax", "rule", None, None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
    }),
    ("dimm", "absent"): (IN, {
        "Verdict=online": ("online", "tdx-absent", None, "auto"),
        "Verdict=online | Zone=kernel": ("online", "tdx-absent", None, "kernel"),
        "Verdict=devdax": ("offline", "rule", None, None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
    }),
    # online already: blocks go offline only with OfflineBlocks=yes
    ("cxl-online", "auto"): (IN, {
        "Verdict=online": ("online", "tdx-absent", None, "auto"),
        "Verdict=devdax": ("ignore", "already-online", "devdax", None),
        "Verdict=offline": ("ignore", "already-online", "offline", None),
        "Verdict=devdax | OfflineBlocks=yes": ("devdax", "rule", None, None),
        "Verdict=offline | OfflineBlocks=yes": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
        "OfflineBlocks=yes": ("online", "tdx-absent", None, "auto"),
    }),
    ("cxl-online", "active"): (("ignore", "already-online", None), {
        "Verdict=online": ("ignore", "already-online", "online", None),
        "Verdict=devdax": ("ignore", "already-online", "devdax", None),
        "Verdict=ignore": ("ignore", "already-online", None, None),
        "OfflineBlocks=yes": ("devdax", "outside-boot-map", None, None),
        "Verdict=devdax | OfflineBlocks=yes": ("devdax", "outside-boot-map", None, None),
        "Verdict=offline | OfflineBlocks=yes": ("offline", "rule", None, None),
    }),
}  # fmt: skip

# The same for a device in devdax mode, which goes online only with ConvertDevdax=yes.
DEVDAX = ("devdax", "already-devdax", None)
IN_DEVDAX_MODE = {
    "absent": (DEVDAX, {
        "Verdict=online": ("devdax", "already-devdax", "online", None),
        "Verdict=devdax": ("devdax", "already-devdax", None, None),
        "Verdict=offline": ("offline", "rule", None, None),
        "Verdict=ignore": ("ignore", "rule", None, None),
        "Zone=kernel": ("devdax", "already-devdax", None, None),
        "ConvertDevdax=yes": ("online", "tdx-absent", None, "auto"),
        "Verdict=online | ConvertDevdax=yes": ("online", "tdx-absent", None, "auto"),
    }),
    "auto": (DEVDAX, {
        "ConvertDevdax=yes": ("devdax", "outside-boot-map", None, None),
        "Verdict=online | ConvertDevdax=yes": ("devdax", "outside-boot-map", "online", None),
    }),
}  # fmt: skip

# Other rows of the table in tdx-onlined.rule(5): a change to cxl-guard, and the verdicts for
# Verdict=online, devdax, offline and ignore. In brackets: the rule is overruled.
DAX = "sys/devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0/dax0.0"
DRIVER = f"{DAX}/driver"
SITUATIONS = {
    "no-target-node": ({f"{DAX}/target_node": "-1\n"}, "(ignore) devdax offline ignore"),
    "unreadable": ({f"{DAX}/mapping0/start": None, f"{DAX}/resource": None},
                   "(ignore) (ignore) (ignore) ignore"),
    "too-small": ({f"{DAX}/size": f"{64 << 20}\n", f"{DAX}/mapping0/end": "0x5d3ffffff\n"},
                  "(devdax) devdax offline ignore"),
    "boot-map-unknown": ({"sys/kernel/boot_params/data": None, "sys/firmware/memmap": None},
                         "(ignore) devdax offline ignore"),
    "unplugged": ({DRIVER: "kmem", f"{DAX}/state": "unplugged\n"}, "(ignore) devdax offline ignore"),
    "famfs": ({DRIVER: "fsdev_dax"}, "(ignore) (ignore) (ignore) ignore"),
    "foreign-driver": ({DRIVER: "some_other"}, "(ignore) (ignore) (ignore) ignore"),
}  # fmt: skip

# 1 GiB of kernel memory, 256 MiB more on a second node, and 64 MiB movable. Available are free pages
# above high, and half of the page cache: (8192-4096 + 65536-16384 + 8192/2) pages of 4 KiB.
ZONEINFO = """\
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 12
  pages free     100
        min      33
        low      41
        high     4096
        spanned  4095
        present  4096
        managed  3840
  pagesets
    cpu: 0
              count: 0
              high:  0
Node 0, zone    DMA32
  pages free     8192
        high     4096
        present  258048
      nr_zone_inactive_file 6144
      nr_zone_active_file 2048
Node 0, zone   Normal
  pages free     0
        high     0
        present  0
Node 0, zone  Movable
  pages free     16384
        high     0
        present  16384
Node 0, zone   Device
  pages free     0
        present  1048576
Node 1, zone   Normal
  pages free     65536
        high     16384
        present  65536
"""
SPARE = (8192 - 4096 + 65536 - 16384 + 8192 // 2) * 4096


class Rules(tree.Tree):
    def decide_with(self, content, *options):
        """The range of the tree with this rule."""
        self.write(RULE, content)
        report, messages = self.decide(*options)
        self.assertEqual(messages, "")
        (found,) = report["ranges"]
        return found

    def assert_decided(self, found, expected):
        verdict, reason, name, overruled, zone = expected
        self.assertEqual([found[key] for key in ("verdict", "reason", "rule", "overruled", "zone")],
                         [verdict, reason, name, overruled, zone])  # fmt: skip

    def assert_match(self, match, matches, *options):
        with self.subTest(self.root.name, match=match):
            found = self.decide_with(rule(match, "Verdict=ignore"), *options)
            self.assertEqual((found["rule"], found["reason"] == "rule"),
                             (NAME, True) if matches else (None, False))  # fmt: skip

    def test_matches(self):
        for name, matches in MATCHES.items():
            self.tree(name)
            for match in matches:
                self.assert_match(match, True)

    def test_mismatches(self):
        for name, matches in MISMATCHES.items():
            self.tree(name)
            for match in matches:
                self.assert_match(match, False)

    def test_every_key(self):
        """The tables here have all keys of [Match]."""
        text = "".join(" | ".join(matches) + " | " for matches in MATCHES.values())
        for key in ("Type", "Device", "Serial", "PciAddress", "Region", "TargetNode", "MinSize",
                    "MaxSize", "Range", "Present", "Mode"):  # fmt: skip
            self.assertIn(f"{key}=", text)

    def test_region_uuid(self):
        """A region of volatile memory has no UUID."""
        self.tree("cxl-refused")
        uuid = next((self.root / "sys/devices").rglob("region0/uuid")).relative_to(self.root)
        self.write(uuid, "2fc0890f-368c-4528-ae0f-a1d80546395a\n")
        for match, matches in (("2fc0890f-368c-4528-ae0f-a1d80546395a", True), ("2FC0890F-*", True),
                               ("region0", True), ("21c1fb8f-*", False)):  # fmt: skip
            self.assert_match(f"Region={match}", matches)

    def test_present(self):
        """Present= with a state file in which the first start of this boot found no device."""
        self.tree("cxl-refused")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        state = {"schema": 3, "boot_id": boot_id, "boot_map": {"known": False, "ranges": []},
                 "config": {}, "present": [], "devices": []}  # fmt: skip
        self.write("run/tdx-onlined/state.json", json.dumps(state))
        self.assert_match("Present=no", True)
        self.assert_match("Present=yes", False)

    def test_kernels_own_policy(self):
        """Without TDX, memory that no rule matches gets the kernel's former policy."""
        self.tree("dimm")
        self.write("sys/devices/system/memory/auto_online_blocks", "offline\n")
        self.write("sys/bus/dax/drivers_autoprobe", "0\n")
        self.write(DROP_IN, "[Daemon]\nTDX=absent\nGuard=always\n")
        boot_id = (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()
        for before, decided, rules in (
            ("online_movable", ("online", "tdx-absent", "movable"), ("Type=cxl", "OnFailure=keep")),
            ("online_kernel", ("online", "tdx-absent", "kernel"), ("Type=cxl", "Verdict=devdax")),
            ("online", ("online", "tdx-absent", "auto"), ("Type=dimm", "OnFailure=keep")),
            ("offline", ("ignore", "kernel-offline", None), ("Type=dimm", "OnFailure=keep")),
            ("offline", ("online", "tdx-absent", "auto"), ("Type=dimm", "Verdict=online")),
            ("", ("online", "tdx-absent", "auto"), ("Type=dimm", "OnFailure=keep")),  # no guard
        ):
            state = {"schema": 3, "boot_id": boot_id, "boot_map": {"known": False, "ranges": []}, "config": {},
                     "present": [], "devices": [],
                     "guard": {"drivers_autoprobe": "1", "auto_online_blocks": before}}  # fmt: skip
            self.write("run/tdx-onlined/state.json", json.dumps(state))
            with self.subTest(before=before, rules=rules):
                found = self.decide_with(rule(*rules))
                self.assertEqual((found["verdict"], found["reason"], found["zone"]), decided)
                self.assertIsNone(found["stranded"])

    def assert_decisions(self, tdx, without, decisions):
        options = [] if tdx == "auto" else [f"--tdx={tdx}"]
        (self.root / RULE).unlink(missing_ok=True)
        (found,) = self.decide(*options)[0]["ranges"]
        self.assert_decided(found, (*without[:2], None, None, without[2]))
        for policy, (verdict, reason, overruled, zone) in decisions.items():
            with self.subTest(self.root.name, tdx_state=tdx, policy=policy):
                found = self.decide_with(rule(ALL, policy), *options)
                self.assert_decided(found, (verdict, reason, NAME, overruled, zone))

    def test_policies(self):
        for (name, tdx), (without, decisions) in DECISIONS.items():
            self.root = self.directory / name
            if not self.root.exists():
                self.tree(name)
            self.assert_decisions(tdx, without, decisions)

    def change(self, changes):
        for path, content in changes.items():
            if path == DRIVER:
                self.link(path, os.path.join("../" * 8 + "bus/dax/drivers", content))
            elif content:
                self.write(path, content)
            elif (self.root / path).is_dir():
                shutil.rmtree(self.root / path)
            else:
                (self.root / path).unlink()

    def assert_situation(self, reason, expected):
        for required, verdict in zip(("online", "devdax", "offline", "ignore"), expected.split(), strict=True):
            with self.subTest(reason, required=required):
                self.write(RULE, rule(ALL, f"Verdict={required}"))
                (found,) = self.decide()[0]["ranges"]
                overruled = required if verdict.startswith("(") else None
                verdict = verdict.strip("()")
                self.assertEqual((found["verdict"], found["overruled"]), (verdict, overruled))
                self.assertEqual(found["rule"], NAME)
        (self.root / RULE).unlink()
        self.assertEqual(self.decide()[0]["ranges"][0]["reason"], reason)
        shutil.rmtree(self.root)

    def test_situations(self):
        for reason, (changes, expected) in SITUATIONS.items():
            self.tree("cxl-guard")
            self.change(changes)
            self.assert_situation(reason, expected)

    def test_created(self):
        """A device that is not number 0 of its region, without a driver."""
        self.tree("cxl-guard")
        shutil.move(self.root / DAX, (self.root / DAX).with_name("dax0.1"))
        shutil.move(self.root / "dev/dax0.0", self.root / "dev/dax0.1")
        (self.root / "sys/bus/dax/devices/dax0.0").unlink()
        self.link("sys/bus/dax/devices/dax0.1", f"../../../{DAX[4:-1]}1")
        self.assert_situation("not-configured", "(ignore) (ignore) (ignore) ignore")

    def test_devdax_mode(self):
        self.tree_in_devdax_mode()
        for tdx, (without, decisions) in IN_DEVDAX_MODE.items():
            self.assert_decisions(tdx, without, decisions)
        for mode, matches in (("devdax", True), ("none system-ram", False)):
            self.assert_match(f"Mode={mode}", matches)

    def test_devdax_mode_in_use(self):
        """A device that is open or mapped, or whose use cannot be found out, is left as it is."""
        self.tree_in_devdax_mode()
        self.write("sys/module/device_dax/refcnt", "1\n")
        found = self.decide_with(rule(ALL, "Verdict=online | ConvertDevdax=yes"), "--tdx=absent")
        self.assert_decided(found, ("devdax", "in-use", NAME, "online", None))
        (self.root / "sys/module/device_dax/refcnt").unlink()
        found = self.decide_with(rule(ALL, "ConvertDevdax=yes"), "--tdx=absent")
        self.assert_decided(found, ("devdax", "in-use", NAME, None, None))

    def test_steps(self):
        """Keys that change the steps and not the verdict."""
        self.tree("cxl-online")
        for policy, actions in (("Verdict=devdax", []), ("Verdict=ignore", []),
                                ("Verdict=offline | OfflineBlocks=yes", ["offline"]),
                                ("Verdict=devdax | OfflineBlocks=yes",
                                 ["offline", "unbind", "bind-device_dax"])):  # fmt: skip
            found = self.decide_with(rule(ALL, policy))
            self.assertEqual([step["action"] for step in found["steps"]], actions)
        self.tree_in_devdax_mode()
        found = self.decide_with(rule(ALL, "ConvertDevdax=yes"), "--tdx=absent")
        self.assertEqual([step["action"] for step in found["steps"]], ["unbind", "bind-kmem", "online"])

    def test_first_rule_counts(self):
        """The first rule that matches counts, in the order of names, in any layers."""
        self.tree("cxl-refused")
        self.write("etc/tdx-onlined/rules.d/05-no.rule", rule("Type=dimm", "Verdict=online"))
        self.write("usr/lib/tdx-onlined/rules.d/20-b.rule", rule(ALL, "Verdict=offline"))
        found = self.decide_with(rule("Type=cxl", "Verdict=ignore"))
        self.assert_decided(found, ("ignore", "rule", NAME, None, None))
        (self.root / RULE).unlink()
        (found,) = self.decide()[0]["ranges"]
        self.assert_decided(found, ("offline", "rule", "20-b.rule", None, None))
        self.write("etc/tdx-onlined/rules.d/20-b.rule", "")
        (found,) = self.decide()[0]["ranges"]
        self.assert_decided(found, (*OUT[:2], None, None, None))

    def test_rule_and_capable_range(self):
        """Verdict=online has an effect only with CapableRanges=; then the rule sets the zone."""
        self.tree("cxl-refused")
        self.write(DROP_IN, CAPABLE)
        for policy, zone in (("Verdict=online", "kernel"), ("Zone=auto", "auto"), ("Zone=kernel", "kernel")):
            found = self.decide_with(rule(ALL, policy))
            self.assert_decided(found, ("online", "in-boot-map", NAME, None, zone))
        found = self.decide_with(rule(ALL, "Verdict=devdax"))
        self.assert_decided(found, ("devdax", "rule", NAME, None, None))

    def test_movable(self):
        """512 MiB and 64 MiB movable beside 1280 MiB of kernel memory: 45 %."""
        self.tree("cxl-refused")
        self.write("proc/zoneinfo", ZONEINFO)
        for ratio, tdx, zone in (("", "absent", "movable"), ("45%", "absent", "movable"),
                                  ("44", "absent", "auto"), ("0", "absent", "auto"),
                                  ("kernel", "auto", "movable"), ("44%", "auto", "kernel")):  # fmt: skip
            with self.subTest(ratio, tdx_state=tdx):
                self.write(DROP_IN, f"{CAPABLE}MaxMovableRatio={ratio}\n")
                found = self.decide_with(rule(ALL, "Zone=movable"), f"--tdx={tdx}")
                self.assertEqual((found["verdict"], found["zone"], found["movable_ratio"]),
                                 ("online", zone, 45))  # fmt: skip
                self.assertEqual(found["zone_overruled"], None if zone == "movable" else True)
        self.write("sys/module/memory_hotplug/parameters/auto_movable_ratio", "44\n")
        self.write(DROP_IN, CAPABLE)
        self.assertEqual(self.decide_with(rule(ALL, "Zone=movable"))["zone"], "kernel")

    def test_movable_without_zoneinfo(self):
        """Without the sizes of the zones, memory does not become movable."""
        self.tree("cxl-refused")
        self.forget("proc/zoneinfo")
        found = self.decide_with(rule(ALL, "Zone=movable"), "--tdx=absent")
        self.assert_decided(found, ("online", "tdx-absent", NAME, None, "auto"))
        self.assertEqual((found["zone_overruled"], found["movable_ratio"]), (True, None))

    def test_zone_now(self):
        """The current zone of the blocks in the kernel's words, with any rule."""
        self.tree("cxl-online")
        found = self.decide_with(rule(ALL, "Zone=kernel"))
        self.assertEqual((found["zone"], found["zone_now"]), ("kernel", "Normal"))
        self.assertIsNone(self.decide_with(rule(ALL, "Verdict=ignore"), "--tdx=active")["zone"])

    def test_head_room(self):
        """64 GiB need 1 GiB of page metadata as system RAM, 256 MiB as devdax with pages of 2 MiB."""
        self.tree("cxl-guard")
        self.assertEqual(SPARE, 224 << 20)
        for zoneinfo, tdx, expected, needed, spare in (
            (ZONEINFO, "auto", ("ignore", "no-head-room"), 256 << 20, SPARE),
            (ZONEINFO, "absent", ("ignore", "no-head-room"), 1 << 30, SPARE),
            (self.more(32 << 20), "auto", OUT[:2], 256 << 20, SPARE + (32 << 20)),
            (self.more(32 << 20), "absent", ("devdax", "no-head-room"), 1 << 30, SPARE + (32 << 20)),
            (self.more(800 << 20), "absent", IN[:2], 1 << 30, SPARE + (800 << 20)),
        ):
            with self.subTest(tdx, spare=spare):
                self.write("proc/zoneinfo", zoneinfo)
                (found,) = self.decide(f"--tdx={tdx}")[0]["ranges"]
                self.assertEqual((found["verdict"], found["reason"]), tuple(expected))
                self.assertEqual((found["metadata_needed"], found["metadata_available"]), (needed, spare))

    def more(self, size):
        """More free pages of the kernel, with the same number of pages."""
        return ZONEINFO.replace("free     65536", f"free     {65536 + size // 4096}")

    def test_act_no(self):
        """Act=no: decision and steps are reported as withheld."""
        self.tree("cxl-refused")
        self.write(DROP_IN, "[Daemon]\nAct=no\n")
        found = self.decide_with(rule(ALL, "Verdict=devdax"))
        self.assert_decided(found, ("devdax", "outside-boot-map", NAME, None, None))
        self.assertEqual((found["result"], found["withheld"]), ("withheld", "observe"))
        self.assertEqual([step["action"] for step in found["steps"]], ["unbind", "bind-device_dax"])
        self.assertEqual(found["stranded"], 512 << 20)  # the blocks stay offline

    def test_present_in_table(self):
        """Present= concerns the daemon: a table has all memory without it."""
        self.tree("cxl-refused")
        self.write(DROP_IN, "[Daemon]\nPresent=record\n")
        found = self.decide_with(rule(ALL, "Verdict=devdax"))
        self.assertEqual((found["present"], found["result"], found["withheld"]),
                         (True, "planned", None))  # fmt: skip


if __name__ == "__main__":
    tree.main()
