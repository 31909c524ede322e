# SPDX-License-Identifier: LGPL-2.1-or-later
"""A scene: a guest with the installed daemon, and helpers for its tests.

The tests of a scene run in the order of their names, in the same guest.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

from guest import LAB, Guest, missing_artefact

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))

import schema  # noqa: E402

MEMORY = "/sys/devices/system/memory"
DAX = "/sys/bus/dax"
REFUSE = "/sys/module/tdx_refuse/parameters"
UNIT = "tdx-onlined.service"
GIB = 1 << 30
BLOCK = 128 << 20
JOURNAL = os.environ.get("SCENE_JOURNAL")  # file for the guest's journal
BUILD = os.environ.get("MESON_BUILD_ROOT", "build")


CONFIG = "/etc/tdx-onlined/conf.d"
RULES = "/etc/tdx-onlined/rules.d"
STATE = "/run/tdx-onlined/state.json"
FOUND = 5  # the exit status of the doctor


def install(directory, *, enabled, config, programs):
    """Install into a directory: the files of `meson install`, the configuration, the effect of
    `systemctl enable` if `enabled`, and programs of the tests."""
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"], check=True,
                   env={**os.environ, "DESTDIR": directory}, stdout=subprocess.DEVNULL)  # fmt: skip
    if config:
        path = pathlib.Path(directory) / "etc/tdx-onlined/conf.d/test.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(("[Daemon]", *config, "")))
    for program in programs:
        path = pathlib.Path(directory) / "usr/local/bin"
        path.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, path)
    if enabled:
        units = pathlib.Path(directory) / "etc/systemd/system"
        for link in (f"sysinit.target.wants/{UNIT}", "tdx-onlined-arrival.service"):
            (units / link).parent.mkdir(parents=True, exist_ok=True)
            (units / link).symlink_to(f"/usr/lib/systemd/system/{UNIT}")


class CheckedGuest(Guest):
    """A guest that checks JSON output of the program against the schema."""

    def run(self, command, **how):
        result = super().run(command, **how)
        words = (command if isinstance(command, str) else " ".join(map(str, command))).split()
        if {"tdx-onlined", "tdx-onlinectl"} & set(words) and schema.is_json(words) and result.stdout:
            schema.check(result.stdout)
        return result


class Scene(unittest.TestCase):
    """A guest with the daemon. Subclasses set:

    machine     arguments of Guest; kernel and root only if a scene depends on them
    enabled     whether the daemon starts at boot
    config      lines of its configuration
    programs    files of this machine that are put into the guest's PATH
    """

    enabled = True
    config = ()
    programs = ()
    machine = {}

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="tdx-onlined-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        install(cls.directory, enabled=cls.enabled, config=cls.config, programs=cls.programs)
        cls.guest = cls.enterClassContext(CheckedGuest(overlay=cls.directory, **cls.machine))
        cls.start = "@0"
        cls.regions = {}
        cls.assert_running(cls.guest.wait_booted())

    @classmethod
    def tearDownClass(cls):
        """Fail if a unit has failed, or if memory blocks can no longer be removed (stuck-blocks)."""
        if JOURNAL:
            with open(JOURNAL, "w") as file:
                file.write(cls.guest.run("journalctl -b -o short-monotonic --no-pager").stdout)
        cls.assert_running(cls.guest.run("systemctl is-system-running", check=False).stdout.strip())
        stuck = cls.guest.run(f"{LAB}/stuck-blocks").stdout
        if stuck:
            raise AssertionError(f"stuck blocks: {stuck}")

    @classmethod
    def assert_running(cls, state):
        if state != "running":
            failed = cls.guest.run("systemctl list-units --failed --no-legend").stdout
            raise AssertionError(f"the guest is {state}: {failed}")

    def sh(self, command, **kwargs):
        return self.guest.run(command, **kwargs).stdout.strip()

    def state(self):
        """The TDX keys of the state file."""
        return json.loads(self.read(STATE))["tdx"]

    def restart(self):
        """Restart the service, and wait until it has looked at all memory."""
        self.mark()
        self.sh(f"systemctl restart {UNIT}")
        self.guest.wait_for(f"systemctl show -P StatusText {UNIT} | grep -q decided", 60)

    def read(self, path):
        return self.sh(f"cat {path}")

    def mark(self):
        """Ignore older entries of the journal from now on."""
        type(self).start = self.sh("journalctl --sync; date +@%s.%6N")

    def messages(self, *matches):
        entries = self.guest.journal(f"--since={self.start}", f"_SYSTEMD_UNIT={UNIT}", *matches)
        return [entry["MESSAGE"] for entry in entries]

    def records(self, **fields):
        """The records of ranges; fields as TDXO_FIELD=value, in lower case."""
        matches = [f"TDXO_{name.upper()}={value}" for name, value in fields.items()]
        entries = self.guest.journal(f"--since={self.start}", f"_SYSTEMD_UNIT={UNIT}", *matches)
        return [entry for entry in entries if "TDXO_VERDICT" in entry]

    def findings(self, *codes):
        """The findings of the doctor: all, or those of some codes."""
        result = self.guest.run("tdx-onlinectl doctor --json", check=False, timeout=120)
        self.assertIn(result.status, (0, FOUND), result.stderr)
        findings = json.loads(result.stdout)["findings"]
        return [finding for finding in findings if not codes or finding["code"] in codes]

    def settle(self):
        self.sh("tdx-onlinectl settle --timeout=100", timeout=120)

    def verify(self, status):
        """The report of verify, which must end with this status."""
        result = self.guest.run("tdx-onlinectl verify --json", check=False, timeout=120)
        self.assertEqual(result.status, status, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def answers(self, report):
        """The results of the memory blocks that verify tried."""
        comparisons = report["comparisons"]
        return [(c["result"], c["found"]) for c in comparisons if c["check"] == "memory-block"]

    def wait_for_record(self, timeout=60, **fields):
        """Wait for a record, and fail if there is more than one."""
        words = [f"TDXO_{name.upper()}={value}" for name, value in fields.items()]
        command = shlex.join(["journalctl", "-q", "--no-pager", f"--since={self.start}", *words])
        self.guest.wait_for(f"{command} | grep -q .", timeout)
        records = self.records(**fields)
        self.assertEqual(len(records), 1, records)
        return records[0]

    def assert_record(self, record, **fields):
        for name, value in fields.items():
            key = name if name.isupper() else f"TDXO_{name.upper()}"
            self.assertEqual(record.get(key), value, (name, record["MESSAGE"]))

    def create_region(self, index, size):
        """Make a CXL RAM region on device index. Its name depends on the kernel: returns it, and
        keeps it in regions."""
        self.regions[index], _ = self.guest.create_region(index, size)
        return self.regions[index]

    def inject(self, words):
        """As an unprivileged user, make the kernel log these words within one of its messages."""
        mount = ["unshare", "-Urm", "mount", "-t", "tmpfs", "-o", words, "none", "/mnt"]
        # The mount fails. With mount(2) the kernel logs the reason, which has the words.
        self.sh(f"LIBMOUNT_FORCE_MOUNT2=always setpriv --reuid=65534 --regid=65534 --clear-groups"
                f" {shlex.join(mount)}; journalctl --sync", check=False)  # fmt: skip
        self.sh(f"journalctl -k -b -q -o cat --no-pager | grep -F {shlex.quote(words)}")

    def driver(self, device):
        return self.sh(f"basename $(readlink {DAX}/devices/{device}/driver)")

    def wait_for_driver(self, device, driver):
        self.guest.wait_for(f"readlink {DAX}/devices/{device}/driver | grep -q /{driver}$", 60)

    def take_out(self, record):
        """Run the commands of the record."""
        command = record["MESSAGE"].partition("take it out with: ")[2].partition(";")[0]
        self.sh(command, timeout=120)

    def blocks(self):
        """Numbers of all memory blocks."""
        return set(self.sh(f"ls {MEMORY} | sed -n 's/^memory//p'").split())

    def states(self, start, size):
        """The states of the blocks of a range, in ascending order, with the zones."""
        first, last = start // BLOCK, (start + size) // BLOCK - 1
        script = f"cd {MEMORY}; for i in $(seq {first} {last}); do [ -e memory$i ] || continue;"
        return self.sh(f"{script} echo $(cat memory$i/state memory$i/valid_zones); done").split("\n")

    def window(self, index):
        """Start and size of the physical address window of a CXL host bridge."""
        decoder = f"/sys/bus/cxl/devices/decoder0.{index}"
        start, size = (int(self.read(f"{decoder}/{name}"), 0) for name in ("start", "size"))
        return start, size

    def configure(self, *lines):
        text = shlex.quote("\n".join(("[Daemon]", *lines)))
        self.sh(f"mkdir -p {CONFIG}; echo {text} >{CONFIG}/test.conf")

    def rule(self, name, match, *policy):
        """Write a rule; match is a line of [Match], or several."""
        text = "\n".join(("[Match]", match, "[Policy]", *policy))
        self.sh(f"mkdir -p {RULES}; echo {shlex.quote(text)} >{RULES}/{name}.rule")

    def remove_rules(self):
        self.sh(f"rm -f {RULES}/*")

    def reload(self):
        """Reload, wait until all devices are decided again, and ignore older entries of the journal."""
        self.mark()
        self.sh(f"systemctl reload {UNIT}")
        follow = shlex.join(["journalctl", "-q", "--no-pager", "-o", "cat", f"--since={self.start}"])
        self.guest.wait_for(f"{follow} _SYSTEMD_UNIT={UNIT} | grep 'onfiguration .* in effect'", 60)
        self.guest.wait_for(f"test $(systemctl show -P ActiveState {UNIT}) = active", 60)
        self.guest.wait_for(f"! grep -E '\"reconsider\": *true' {STATE}", 90)

    def assert_no_device_units(self):
        """systemd has no device units of memory blocks while the daemon runs."""
        self.sh("udevadm settle")
        units = self.sh("systemctl list-units --all --plain --no-legend 'sys-devices-system-memory*'")
        self.assertEqual(units, "")

    def assert_guard(self, autoprobe, auto_online):
        self.assertEqual(self.read(f"{DAX}/drivers_autoprobe"), autoprobe)
        self.assertEqual(self.read(f"{MEMORY}/auto_online_blocks"), auto_online)


def scenes():
    """The scenes named on the command line, or all of the program."""
    names = [name.partition(".")[0] for name in sys.argv[1:] if not name.startswith("-")]
    module = vars(sys.modules["__main__"])
    return [scene for name, scene in module.items() if isinstance(scene, type)
            and issubclass(scene, Scene) and (name in names if names else scene is not Scene)]  # fmt: skip


def missing():
    """A file or program that a guest needs and this machine lacks, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    files = filter(None, (missing_artefact(**scene.machine) for scene in scenes()))
    return next((f"{file} does not exist: run tests/vm/prepare" for file in files), None)


def main():
    """Run the scenes of the program, or those named on its command line."""
    if missing():
        print(f"skipped: {missing()}")
        sys.exit(77)
    # Each test depends on the one before.
    unittest.main(verbosity=2, failfast=True)
