#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Output of the commands config cat, config check and config diff, and wrong command lines."""

import json
import re

import tree
from tree import DROP_IN, MAIN, RULE, rule

BOOT_ID = "proc/sys/kernel/random/boot_id"
STATE = "run/tdx-onlined/state.json"
NOTHING = "A reload would change nothing.\n"
NOT_RUN = "The daemon has not run in this boot: no configuration is in effect.\n"
DEFAULT = """\
[Daemon]
# default
Act=yes
# default
TDX=auto
# default
Guard=auto
# default
CapableRanges=
# default
Present=safe
# default
MaxMovableRatio=kernel
# default
OfflineTimeoutSec=60
"""


class Cat(tree.Configured):
    """config cat: values in effect with file and line, and rules as they are."""

    def assert_cat(self, expected, messages=()):
        self.assert_run(["config", "cat"], (0, expected, messages))

    def test_default(self):
        self.configure({})
        self.assert_cat(DEFAULT)

    def test_shipped_file(self):
        """The shipped file has all keys, as comments, with their defaults."""
        shipped = (tree.TESTS.parent / "systemd/tdx-onlined.conf").read_text()
        self.configure({MAIN: shipped})
        self.assert_cat(DEFAULT)
        self.configure({MAIN: shipped.replace("#Act", "Act").replace("#Off", "Off")})
        line = shipped.splitlines().index("#Act=yes") + 1
        self.assert_cat(DEFAULT.replace("# default\nAct", f"# /{MAIN}:{line}\nAct")
                        .replace("# default\nOff", f"# /{MAIN}:{line + 6}\nOff"))  # fmt: skip

    def test_layers(self):
        first = "# by hand: gr\u00fcn\n[Match]\n\tSerial = 0x2a # the one in slot 3\n\n[Policy]\nVerdict=ignore\n"
        printed = first.replace("\u00fc", r"\xc3\xbc")
        second = rule("Type=hmem", "Verdict=offline")
        self.configure({
            "usr/lib/tdx-onlined/tdx-onlined.conf": "[Daemon]\nOfflineTimeoutSec=1\n",  # MAIN is stronger
            MAIN: "# main\n\n[Daemon]\nTDX=active\nPresent=act\nAct = no\n",
            "usr/lib/tdx-onlined/conf.d/20-b.conf": "[Daemon]\nPresent=record # for a while\n",
            "run/tdx-onlined/conf.d/05-z.conf": "[Daemon]\n\n\nMaxMovableRatio=50%\nTDX=absent\n",
            DROP_IN: "[Daemon]\n# none\nMaxMovableRatio=\nCapableRanges=0x0-0x1  0x4-0x5\n",
            "usr/lib/tdx-onlined/conf.d/10-a.conf": "[Daemon]\nAct=yes\n",  # DROP_IN is stronger
            "usr/lib/tdx-onlined/rules.d/90-all.rule": "",
            "usr/lib/tdx-onlined/rules.d/10-a.rule": rule("Type=*", "Verdict=devdax"),
            "run/tdx-onlined/rules.d/20-b.rule": second,
            RULE: first,
        })  # fmt: skip
        self.assert_cat(f"""\
[Daemon]
# /{MAIN}:6
Act=no
# /run/tdx-onlined/conf.d/05-z.conf:5
TDX=absent
# default
Guard=auto
# /{DROP_IN}:4
CapableRanges=0x0-0x1  0x4-0x5
# /usr/lib/tdx-onlined/conf.d/20-b.conf:2
Present=record
# /{DROP_IN}:3
MaxMovableRatio=kernel
# default
OfflineTimeoutSec=60

# /{RULE}
{printed}
# /run/tdx-onlined/rules.d/20-b.rule
{second}""")

    def test_rule_without_last_newline(self):
        """The next rule comes after an empty line, and the output ends with a newline."""
        text = rule("Device=a", "Verdict=ignore").rstrip("\n")
        other = "etc/tdx-onlined/rules.d/20-b.rule"
        self.configure({RULE: text, other: text.replace("=a", "=b")})
        self.assert_cat(f"{DEFAULT}\n# /{RULE}\n{text}\n\n# /{other}\n{text.replace('=a', '=b')}\n")

    def test_warnings_with_cat(self):
        self.configure({"etc/tdx-onlined/rules.d/x": ""})
        self.assert_cat(DEFAULT, ["/etc/tdx-onlined/rules.d/x: not read, because of its name"])


class Difference(tree.Tree):
    """config diff: the changes of a reload, with state files that the tests write.

    The device is bound to kmem, as the kernel left it, or is as decided.
    """

    SUBJECT = "512 MiB of CXL memory (dax0.0, [mem 0x5d0000000-0x5efffffff], region0, mem0, node 1)"
    CONFIG = {"Act": "yes", "TDX": "auto", "Guard": "auto", "CapableRanges": "", "Present": "safe",
              "MaxMovableRatio": "kernel", "OfflineTimeoutSec": "60"}  # fmt: skip

    def setUp(self):
        super().setUp()
        self.tree("cxl-refused")

    def device(self, **changes):
        """The entry of the device, as it is in the tree."""
        device = (self.root / "sys/bus/dax/devices/dax0.0").stat()
        item = {"type": "cxl", "chardev": "dax0.0", "mode": "system-ram", "size": 512 << 20,
                "ranges": [{"start": 0x5D0000000, "size": 512 << 20}],
                "identity": device.st_ino, "verdict": "devdax", "reason": "outside-boot-map",
                "result": "done", "total_memblocks": 4, "online_memblocks": 0,
                "reconsider": False, "changed": False}  # fmt: skip
        return {**item, **changes}

    def device_as_decided(self):
        self.tree_in_devdax_mode()
        return self.device(mode="devdax", total_memblocks=0)

    def state(self, *devices, present=(), config=None, **changes):
        state = {
            "schema": 3,
            "boot_id": (self.root / BOOT_ID).read_text().strip(),
            "boot_map": {
                "known": True,
                "ranges": [{"start": 1 << 20, "size": 1072549888, "source": "boot-params"}],
            },
            "tdx_active": True,
            "guard": {},
            "config": {**self.CONFIG, **(config or {})},
            "present": list(present),
            "devices": list(devices),
            **changes,
        }
        self.write(STATE, json.dumps(state))

    def assert_difference(self, *lines, status=0, messages=(), options=()):
        expected = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
        self.assert_run(["config", "diff", *options], (status, expected, messages))

    def test_nothing(self):
        """The effect of the daemon's own decision, such as devdax mode, is not a difference."""
        self.state(self.device_as_decided())
        self.assert_difference(NOTHING)
        self.write(MAIN, "[Daemon]\nAct=yes\n#TDX=active\nTDX=\n")  # keys that are set to their old values
        self.write("etc/tdx-onlined/rules.d/10-other.rule", rule("Type=dimm", "Verdict=ignore"))
        self.assert_difference(NOTHING)

    def test_not_as_decided(self):
        """The decision is the same, but a reload has steps to take: kmem is bound again."""
        self.state(self.device())
        self.assert_difference(
            f"{self.SUBJECT}: not as decided, "
            "devdax (outside-boot-map) -> devdax (outside-boot-map)"
        )

    def test_key(self):
        self.state(self.device_as_decided())
        self.write(DROP_IN, "[Daemon]\nMaxMovableRatio=200\n")
        self.assert_difference("MaxMovableRatio=kernel -> MaxMovableRatio=200")
        self.write(MAIN, "[Daemon]\nTDX=active\nOfflineTimeoutSec=5\n")
        self.assert_difference("TDX=auto -> TDX=active", "MaxMovableRatio=kernel -> MaxMovableRatio=200",
                               "OfflineTimeoutSec=60 -> OfflineTimeoutSec=5")  # fmt: skip

    def test_key_removed(self):
        self.state(self.device_as_decided(), config={"CapableRanges": "0x0-0x1", "Present": "act"})
        self.assert_difference("CapableRanges=0x0-0x1 -> CapableRanges=", "Present=act -> Present=safe")

    def test_verdict(self):
        """Another verdict by a key, and by a rule."""
        self.state(self.device())
        self.write(DROP_IN, "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n")
        self.assert_difference(
            "CapableRanges= -> CapableRanges=0x5d0000000-0x5efffffff",
            f"{self.SUBJECT}: devdax (outside-boot-map) -> online (in-boot-map), zone kernel",
        )
        self.write(DROP_IN, "")
        self.write(RULE, rule("Type=cxl", "Verdict=ignore"))
        self.assert_difference(
            f"{self.SUBJECT}: devdax (outside-boot-map) -> ignore (rule), rule 10-a.rule"
        )

    def test_verdict_of_removed_rule(self):
        self.state(self.device(verdict="offline", reason="rule", rule="10-a.rule"))
        self.assert_difference(
            f"{self.SUBJECT}: offline (rule), rule 10-a.rule -> devdax (outside-boot-map)"
        )

    def test_rule(self):
        """The same verdict by another rule."""
        self.state(self.device(verdict="ignore", reason="rule", rule="05-old.rule"))
        self.write(RULE, rule("Type=cxl", "Verdict=ignore"))
        self.assert_difference(
            f"{self.SUBJECT}: ignore (rule), rule 05-old.rule -> ignore (rule), rule 10-a.rule"
        )

    def test_zone(self):
        online = self.device(verdict="online", reason="tdx-absent", zone="auto", blocks_online=4)
        self.tree("cxl-online")
        online["identity"] = self.device()["identity"]
        self.state(online, tdx_active=False)
        self.assert_difference(NOTHING)
        self.write(RULE, rule("Type=cxl", "Zone=kernel"))
        self.assert_difference(
            f"{self.SUBJECT}: online (tdx-absent), zone auto -> "
            "online (tdx-absent), zone kernel, rule 10-a.rule"
        )

    def test_tdx(self):
        """--tdx= has the effect of TDX= in a configuration file."""
        self.state(self.device())
        self.assert_difference(
            f"{self.SUBJECT}: devdax (outside-boot-map) -> online (tdx-absent), zone auto",
            options=["--tdx=absent"],
        )

    def test_present(self):
        """A reload would decide a device that was present at first start, and leave it as it is."""
        self.state(self.device(), present=[self.device()])
        self.write(DROP_IN, "[Daemon]\nCapableRanges=0x5d0000000-0x5efffffff\n")
        self.assert_difference(
            "CapableRanges= -> CapableRanges=0x5d0000000-0x5efffffff",
            f"{self.SUBJECT}: devdax (outside-boot-map) -> online (in-boot-map), zone kernel,"
            " withheld",
        )

    def test_act_no(self):
        """Act=no: the same decision, but its steps are not taken."""
        self.state(self.device())
        self.write(DROP_IN, "[Daemon]\nAct=no\n")
        self.assert_difference(
            "Act=yes -> Act=no",
            f"{self.SUBJECT}: devdax (outside-boot-map) -> devdax (outside-boot-map), withheld",
        )
        self.state(self.device(result="withheld"), config={"Act": "no"})
        self.assert_difference(NOTHING)

    def test_not_decided_yet(self):
        """The state file has no device, another one, or one at other addresses."""
        elsewhere = [{"start": 0x5D0000000, "size": 256 << 20}]
        for devices in ((), (self.device(chardev="dax1.0"),), (self.device(ranges=elsewhere),)):
            self.state(*devices)
            self.assert_difference(f"{self.SUBJECT}: not decided yet -> devdax (outside-boot-map)")

    def test_not_known(self):
        """status.json has no addresses, so that it has no decision for a DIMM."""
        self.tree("dimm")
        self.state(tree.DECIDED_DIMM, boot_map={"known": True})
        (self.root / STATE).rename(self.root / STATE.replace("state.json", "status.json"))
        output = tree.run(self.root, "config", "diff").stdout
        self.assertIn(": not known (run it as root) -> ", output)
        self.assertNotIn("not decided yet", output)

    def test_not_run(self):
        """No state file, or that of another boot: the range is printed with its decision."""
        line = f"{self.SUBJECT}: not decided yet -> devdax (outside-boot-map)"
        self.write(MAIN, "[Daemon]\nMaxMovableRatio=50\n")
        self.assert_difference(line, NOT_RUN)
        self.state(self.device(), boot_id="8ee23c4c-dbd3-45aa-9374-4bda1e9fa097")
        self.assert_difference(line, NOT_RUN)
        self.tree("plain-host")
        self.assert_difference(NOT_RUN)

    def test_not_a_state(self):
        line = f"{self.SUBJECT}: not decided yet -> devdax (outside-boot-map)"
        message = f"/{STATE}: not a state file (%s): it is ignored"
        for content in ("", "{", "null", "state", "\0"):
            self.write(STATE, content)
            self.assert_difference(line, NOT_RUN, messages=[message % "not JSON"])
        for changes, mistake in (
            ({"devices": {}}, "devices: not of type array"),
            ({"devices": None}, "devices: missing"),
            ({"devices": [1]}, "[0]: not of type object"),
            ({"devices": [{}]}, "type: not a valid value"),
            ({"present": [{}]}, "type: not a valid value"),
            ({"devices": [{"type": "dimm"}]}, "ranges: not a valid value"),
            ({"devices": [{"type": "cxl", "chardev": "dax0.0", "ranges": [{}]}]},
             "ranges: not a valid value"),
            ({"present": [{"type": "dimm", "ranges": [{"start": 0, "size": 1}] * 2}]},
             "ranges: not a valid value"),
            ({"boot_map": []}, "boot_map: not of type object"),
            ({"boot_map": {"known": True, "ranges": [{"source": "boot-params"}]}},
             "ranges: not a valid value"),
            ({"events": -1}, "events: negative"),
        ):  # fmt: skip
            self.state(**changes)
            self.assert_difference(line, NOT_RUN, messages=[message % mistake])
        # The boot map and the guard of another version are used.
        for schema in (2, "3"):
            self.state(schema=schema)
            self.assert_difference(
                line, messages=["state.json was written by another version: all devices are decided again"])

    def test_mistakes(self):
        """An invalid configuration: messages, and no difference."""
        self.state(self.device())
        self.write(DROP_IN, "[Daemon]\nAct=no\nTDX=ajar\n")
        self.assert_difference(status=1, messages=[
            f"/{DROP_IN}:3: TDX=ajar: not auto, active or absent", tree.NO_USE])  # fmt: skip

    def test_warnings(self):
        """The warnings are printed with the difference, and the status is that of --check-config."""
        self.state(self.device_as_decided())
        self.write("etc/tdx-onlined/conf.d/x", "")
        self.assert_difference(NOTHING, status=1, messages=[
            "/etc/tdx-onlined/conf.d/x: not read, because of its name"])  # fmt: skip


class Check(tree.Configured):
    def test_status(self):
        self.configure({})
        self.assert_run(["--check-config"], (0, "No mistake found, 0 rules.\n", []))
        self.configure({RULE: rule("Type=cxl", "Verdict=ignore")})
        self.assert_run(["--check-config"], (0, "No mistake found, 1 rules.\n", []))
        self.assert_run(["--check-config", "--check-config", "--tdx=active"],
                        (0, "No mistake found, 1 rules.\n", []))  # fmt: skip

    def test_without_machine(self):
        """The files are checked on a machine without sysfs, such as one that builds images."""
        self.root = self.directory
        self.write(DROP_IN, "[Daemon]\nAct=no\n")
        self.assert_run(["--check-config"], (0, "No mistake found, 0 rules.\n", []))
        self.assert_run(["config", "cat"], (
            0, DEFAULT.replace("# default\nAct=yes", f"# /{DROP_IN}:2\nAct=no"), []))  # fmt: skip


class Usage(tree.Tree):
    ROOT = "--root is an option of --dry-run or --check-config"
    CLIENT_ROOT = ("--root is an option of status, plan, explain, doctor, map, config check, config cat, "
                   "config diff, properties or verify")  # fmt: skip
    JSON = "--json is an option of --dry-run or --oneshot"
    CLIENT_JSON = "--json is an option of status, plan, explain, doctor, map or verify"
    TDX = "--tdx is an option of the daemon, --dry-run, --oneshot or --check-config"
    CLIENT_TDX = "--tdx is an option of status, plan, explain, doctor, map, config check or config diff"
    FAIL_ON = "--fail-on is an option of --dry-run or --oneshot"
    CLIENT_FAIL_ON = "--fail-on is an option of plan"
    WRONG = (
        (["--check-config", "--oneshot"], "--check-config does not go with --oneshot"),
        (["--dry-run", "--check-config"], "--check-config does not go with --dry-run"),
        (["--dry-run", "--oneshot"], "--oneshot does not go with --dry-run"),
        (["--oneshot", "--reload"], "--reload does not go with --oneshot"),
        (["--json"], JSON),
        (["--check-config", "--json"], JSON),
        (["config", "cat", "-J"], CLIENT_JSON),
        (["--fail-on=online"], FAIL_ON),
        (["doctor", "--fail-on=online"], CLIENT_FAIL_ON),
        (["config", "diff", "--fail-on=online"], CLIENT_FAIL_ON),
        (["--root=/"], ROOT),
        (["--oneshot", "--root=/"], ROOT),
        (["--reload", "--tdx=active"], TDX),
        (["decide", "--tdx=active", "node0"], CLIENT_TDX),
        (["config", "cat", "--tdx=auto"], CLIENT_TDX),
        (["capture", "/nowhere", "--tdx=absent"], CLIENT_TDX),
        (["capture", "/nowhere", "--root=/nowhere"], CLIENT_ROOT),
        (["doctor", "--anonymise"], "--anonymise is an option of capture"),
        (["doctor", "--svg"], "--svg is an option of map"),
        (["map", "--svg", "--json"], "--svg does not go with --json"),
        (["--check-config", "extra"], "unexpected argument 'extra'"),
        (["--", "--dry-run"], "unexpected argument '--dry-run'"),
        (["--", "the daemon"], "unexpected argument 'the daemon'"),
        (["config", "cat", ""], "unexpected argument ''"),
        (["doctor", "config", "cat"], "unexpected argument 'config'"),
        (["config"], "'config' is not a command: try 'config check', 'config cat', 'config diff'"),
        (["config", "doctor"], "'config doctor' is not a command: try 'config check', 'config cat', 'config diff'"),
        (["doc"], "'doc' is not a command"),
        (["explain"], "explain needs an argument: TARGET"),
        (["capture"], "capture needs an argument: DIR"),
        (["capture", "one", "two"], "unexpected argument 'two'"),
        (["--tdx=ajar"], "--tdx=ajar: not auto, active or absent"),
        (["--check-config", "--tdx="], "--tdx=: not auto, active or absent"),
    )  # fmt: skip
    # What getopt_long(3) prints.
    GETOPT = (
        (["--check-config=x"], "option '--check-config' doesn't allow an argument"),
        (["--r"], "option '--r' is ambiguous; possibilities: '--reload' '--root' '--raw'"),
        (["--dry-run", "--anonymise"], "unrecognized option '--anonymise'"),
        (["doctor", "--dry-run"], "unrecognized option '--dry-run'"),
        (["--frob"], "unrecognized option '--frob'"),
        (["-c"], "invalid option -- 'c'"),
        (["--tdx"], "option '--tdx' requires an argument"),
        (["--check-config", "--root"], "option '--root' requires an argument"),
    )  # fmt: skip

    def test_wrong(self):
        """One message, and a line about --help. Messages of getopt begin with the program's path."""
        for prefix, rows in ((tree.name_of, self.WRONG), (tree.program, self.GETOPT)):
            for options, message in rows:
                with self.subTest(options):
                    result = tree.run_plain(*options, env={**tree.ENVIRONMENT, "LC_ALL": "C"})
                    self.assertEqual((result.returncode, result.stdout), (2, ""))
                    self.assertEqual(result.stderr.splitlines(), [
                        f"{prefix(options)}: {message}", f"Try '{tree.name_of(options)} --help'."])  # fmt: skip

    def test_help_and_version(self):
        for options, text in ((["--help"], "--check-config"), (["-h", "--frob"], "--oneshot"),
                              (["plan", "-J", "--help"], "tdx-onlinectl plan [OPTION...]\n"),
                              (["plan", "-V"], "tdx-onlinectl 0.2.0\n"),
                              (["--version"], "tdx-onlined 0.2.0\n"), (["-V"], "tdx-onlined 0.2.0\n")):  # fmt: skip
            result = tree.run_plain(*options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn(text, result.stdout)

    def test_help_of_a_command(self):
        """Exactly the options that the command takes; words after --help are ignored."""
        every = set(re.findall("--[a-z-]+(?=[= ])", tree.run_plain("plan", "--help").stdout))
        self.assertLessEqual({"--json", "--output", "--fail-on"}, every)
        for options, absent in ((["doctor", "-h"], "--fail-on="), (["config", "cat", "--help"], "--tdx"),
                                (["--reload", "--help"], "--json"), (["config", "-J", "check", "-h"], "-J")):
            text = tree.run_plain(*options).stdout
            self.assertNotIn(absent, text)
            self.assertNotIn("Columns:", text)
        for options in (["config", "--help"], ["config", "--root=plan", "--help", "check"], ["--help", "--dry-run"]):
            self.assertIn("Columns:", tree.run_plain(*options).stdout, options)

    def test_root_missing(self):
        self.root = self.directory / "nowhere"
        for options in (["--dry-run"], ["--check-config"], ["config", "cat"]):
            self.assert_run(options, (1, "", [f"--root={self.root}: No such file or directory"]))
        (self.directory / "file").write_text("")
        self.root = self.directory / "file"
        self.assert_run(["--check-config"], (1, "", [f"--root={self.root}: Not a directory"]))


if __name__ == "__main__":
    tree.main()
