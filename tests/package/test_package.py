#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages that tools/package builds: two builds are compared, their contents are checked, and the
Debian package is installed, upgraded, removed and purged in a chroot of each release. systemd is installed
there and does not run.

The chroot is the lower directory of an overlay, so that a purge must leave the upper directory empty.
Needs root or sudo, and the chroots that `tests/vm/prepare package-bookworm package-trixie` makes.
"""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tdx-onlined"
SPEC = TOP / "packaging/tdx-onlined.spec"
SUDO = ["sudo"] if os.getuid() else []

ENABLE = "systemctl enable --now tdx-onlined.service"
CONFIGURATION = "etc/tdx-onlined/conf.d/50-own.conf"
WANTS = "etc/systemd/system/sysinit.target.wants/tdx-onlined.service"
ALIAS = "etc/systemd/system/tdx-onlined-arrival.service"

# Files that dpkg, triggers and mount(8) write at the installation of any package.
WRITTEN_BY_TOOLS = re.compile(
    r"(var/lib/dpkg|var/log|var/cache|var/lib/systemd/catalog/database$|etc/machine-id$|run/mount|tmp|root)\b"
)


def output_of(*command, **options):
    """Standard output and standard error of a command that must succeed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode:
        raise AssertionError(f"{command}: exit status {result.returncode}:\n{result.stdout}")
    return result.stdout


@functools.cache
def scratch():
    """A directory of this run. Files in it may be root's."""
    directory = tempfile.mkdtemp(prefix="package-test-", dir=CACHE)
    unittest.addModuleCleanup(subprocess.run, [*SUDO, "rm", "-rf", directory])
    return pathlib.Path(directory)


def package(tree, name, umask):
    """Run tools/package of a tree, with another cache directory: tools/test has locked its own."""
    directory = scratch() / name
    environment = os.environ | {"DEB_BUILD_OPTIONS": "nocheck", "XDG_CACHE_HOME": str(scratch() / "cache")}
    output_of("sh", f"{tree}/tools/package", directory, env=environment, umask=umask)
    return directory


@functools.cache
def built():
    return package(TOP, "built", 0o022)


def the(directory, pattern):
    [path] = directory.glob(pattern)
    return path


def release_here():
    return re.search(r"VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text())[1]


class Chroot:
    """A chroot of a Debian release, with changes of its own."""

    def __init__(self, release, name):
        self.root = CACHE / f"package-{release}/root"
        self.scratch = scratch() / f"{release}-{name}"
        self.shared = self.scratch / "shared"
        self.shared.mkdir(parents=True)

    def result(self, command):
        return subprocess.run(
            [*SUDO, "sh", HERE / "enter", self.root, self.scratch, command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, command):
        result = self.result(command)
        if result.returncode:
            raise AssertionError(f"{command}: exit status {result.returncode}:\n{result.stdout}")
        return result.stdout

    def changed(self):
        """Each file that is not as in the chroot, and each directory that it does not have."""
        paths = output_of(*SUDO, "find", self.scratch / "upper", "-mindepth", "1", "-printf", "%y %P\n")
        for kind, path in (line.split(" ", 1) for line in paths.splitlines()):
            if not WRITTEN_BY_TOOLS.match(path) and not (kind == "d" and (self.root / path).is_dir()):
                yield path


class Files(unittest.TestCase):
    def test_reproducible(self):
        """A build from another directory, with another umask, makes the same files."""
        other = scratch() / "tree"
        output_of("git", "clone", "--quiet", "--no-checkout", TOP, other)
        revision = output_of("git", "-C", TOP, "rev-parse", "HEAD").strip()
        output_of("git", "-C", other, "checkout", "--quiet", "--detach", revision)
        again = package(other, "again", 0o077)
        names = {path.name for path in built().iterdir()}
        self.assertEqual(names, {path.name for path in again.iterdir()})
        kept = sorted(name for name in names if not name.endswith((".buildinfo", ".changes")))
        self.assertEqual(len(kept), 6, kept)
        for name in kept:
            self.assertEqual((built() / name).read_bytes(), (again / name).read_bytes(), name)

    def test_tarball(self):
        listing = output_of("tar", "-tvf", the(built(), "tdx-onlined-*.tar.xz")).splitlines()
        owners, modes = ({line.split()[i] for line in listing} for i in (1, 0))
        self.assertEqual(owners, {"root/root"})
        self.assertEqual(modes, {"-rw-r--r--", "-rwxr-xr-x", "drwxr-xr-x", "lrwxrwxrwx"})
        self.assertIn("debian/rules", output_of("git", "-C", TOP, "ls-files"))
        files = [line for line in listing if not line.startswith("d")]
        self.assertEqual(len(files), len(output_of("git", "-C", TOP, "ls-files").splitlines()))


    def test_versions(self):
        """The version in debian/changelog and in the spec file is that of meson.build."""
        [tarball] = built().glob("tdx-onlined-*.tar.xz")
        version = tarball.name.removeprefix("tdx-onlined-").removesuffix(".tar.xz")
        self.assertIn(f"tdx-onlined ({version}-", (TOP / "debian/changelog").read_text())
        self.assertIn(f"\nVersion:        {version}\n", SPEC.read_text())


def installed_files(listing):
    """As lines of the file `contents`. /lib, where Debian 12 has its units, is the same directory as /usr/lib.
    Distributions differ in documents, in the compression of manual pages and in links to debug symbols."""
    for mode, path in listing:
        path = re.sub("^/lib/", "/usr/lib/", path.rstrip("/"))
        if not re.match("/usr/(share/(doc|licenses|lintian)|lib/.build-id)/", path) and (
            not mode.startswith("d") or path.startswith("/etc/tdx-onlined")
        ):
            yield f"{mode} {path.removesuffix('.gz')}"


CONTENTS = (HERE / "contents").read_text().splitlines()


@unittest.skipUnless(shutil.which("rpmbuild") and shutil.which("rpmlint"), "no rpmbuild, or no rpmlint")
class Rpm(unittest.TestCase):
    """The spec file, built by rpmbuild of Debian. The package is not installed: that needs an RPM distribution."""

    @classmethod
    def setUpClass(cls):
        cls.top = scratch() / "rpm"
        (cls.top / "SOURCES").mkdir(parents=True)
        shutil.copy(the(built(), "tdx-onlined-*.tar.xz"), cls.top / "SOURCES")
        output_of("rpmbuild", "--nodeps", "-ba", "--load", HERE / "rpm-macros", "--define", f"_topdir {cls.top}", SPEC)

    def test_contents(self):
        lines = output_of("rpm", "-qplv", the(self.top, "RPMS/*/*.rpm")).splitlines()
        listing = ((line.split()[0], "/" + line.split(" /", 1)[1].split(" -> ")[0]) for line in lines)
        self.assertEqual(sorted(installed_files(listing)), CONTENTS)

    def test_rpmlint(self):
        filters = SPEC.with_suffix(".rpmlintrc")
        output = output_of("rpmlint", "-r", filters, SPEC, *self.top.glob("SRPMS/*.rpm"),
                           *self.top.glob("RPMS/*/*.rpm"))  # fmt: skip
        self.assertIn(" 0 errors, 0 warnings,", output)


class Debian12(unittest.TestCase):
    """The tests run in the order of their names."""

    release = "bookworm"

    @classmethod
    def setUpClass(cls):
        if not (CACHE / f"package-{cls.release}/root").is_dir():
            raise unittest.SkipTest(f"no chroot: run tests/vm/prepare package-{cls.release}")
        cls.built = built() if cls.release == release_here() else cls.build()
        cls.chroot = Chroot(cls.release, "life")
        shutil.copy(the(cls.built, "tdx-onlined_*.deb"), cls.chroot.shared / "1.deb")
        # The same package with a higher version.
        cls.chroot.run("""
            dpkg-deb -R /mnt/1.deb /tmp/2
            sed -i '/^Version: /s/$/+2/' /tmp/2/DEBIAN/control
            dpkg-deb --root-owner-group -b /tmp/2 /mnt/2.deb
            rm -r /tmp/2""")

    @classmethod
    def build(cls):
        """The packages of another release, from the source package."""
        chroot = Chroot(cls.release, "build")
        for path in built().glob("tdx-onlined_*"):
            if not path.name.endswith((".deb", ".buildinfo", ".changes")):
                shutil.copy(path, chroot.shared)
        chroot.run("""
            cp /mnt/* /tmp
            cd /tmp
            dpkg-source --no-check -x *.dsc source
            cd source
            DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -Pnocheck -us -uc
            cp ../*.deb ../*.changes ../*.buildinfo /mnt""")
        return chroot.shared

    def install(self, name):
        return self.chroot.run(f"dpkg -i /mnt/{name}.deb")

    def state(self):
        return self.chroot.run("dpkg-query -W -f '${db:Status-Abbrev} ${Version}' tdx-onlined 2>/dev/null || :").split()

    def exists(self, *paths):
        tests = " ".join(f"[ -e /{path} -o -L /{path} ] && echo /{path};" for path in paths)
        return self.chroot.run(f"{tests} :").split()

    def test_0_lintian(self):
        chroot = Chroot(self.release, "lintian")
        for path in self.built.glob("tdx-onlined*_*"):
            shutil.copy(path, chroot.shared)
        self.assertEqual(chroot.run("lintian --allow-root /mnt/*.changes"), "")

    def test_0_contents(self):
        listing = output_of("dpkg-deb", "-c", the(self.built, "tdx-onlined_*.deb")).splitlines()
        fields = [re.sub(" -> .*", "", line).split() for line in listing]
        self.assertEqual({owner for _, owner, *_ in fields}, {"root/root"})
        files = installed_files((mode, path[1:]) for mode, *_, path in fields)
        self.assertEqual(sorted(files), CONTENTS)

    def test_1_install(self):
        """The service is not enabled, and the output has the command that enables it."""
        output = self.install(1)
        self.assertEqual(output.count(ENABLE), 1, output)
        self.assertEqual(self.state()[0], "ii")
        self.assertEqual(self.exists(WANTS, ALIAS), [])
        self.assertEqual(self.chroot.run("dpkg --verify tdx-onlined"), "")
        self.assertIn("f0f932eed9d246158611e14b0aae614d", self.chroot.run("journalctl --list-catalog 2>&1"))

    def test_2_upgrade(self):
        """An enabled service stays enabled, and files of the administrator are kept."""
        self.chroot.run(f"systemctl enable tdx-onlined.service; printf '[Daemon]\\nAct=no\\n' >/{CONFIGURATION}")
        before = self.exists(WANTS, ALIAS)
        self.assertEqual(before, [f"/{WANTS}", f"/{ALIAS}"])
        output = self.install(2)
        self.assertNotIn(ENABLE, output)
        self.assertNotIn("mistake", output)
        self.assertTrue(self.state()[1].endswith("+2"))
        self.assertEqual(self.exists(WANTS, ALIAS, CONFIGURATION), [*before, f"/{CONFIGURATION}"])

    def test_3_mistake(self):
        """A mistake in the configuration is printed, and the package is configured."""
        self.chroot.run(f"echo Act=perhaps >>/{CONFIGURATION}")
        output = self.install(2)
        self.assertEqual(output.count(f"/{CONFIGURATION}:3:"), 1, output)
        self.assertIn("see the messages about the configuration above", output)
        self.assertEqual(self.state()[0], "ii")

    def test_4_scripts_on_a_full_disk(self):
        """The scripts succeed if neither their output nor the state of deb-systemd-helper can be written."""
        for script in ("postinst configure ''", "postinst configure 0.1", "prerm upgrade 1", "prerm remove"):
            self.chroot.run(f"""
                mount -t tmpfs -o size=4k full /var/lib/systemd
                dd if=/dev/zero of=/var/lib/systemd/zero 2>/dev/null || :
                sh -e /var/lib/dpkg/info/tdx-onlined.{script} >/dev/full 2>&1""")

    def test_4_upgrade_on_a_full_disk(self):
        """dpkg undoes the upgrade, and the old package stays configured."""
        before = self.state()
        result = self.chroot.result("""
            mount -t tmpfs -o size=4k full /usr/share/tdx-onlined
            dpkg -i /mnt/1.deb""")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("No space left on device", result.stdout)
        self.assertEqual(self.state(), before)
        self.assertEqual(self.chroot.run("dpkg --audit"), "")

    def test_5_remove(self):
        """Files of the administrator are kept."""
        self.chroot.run("mkdir /run/tdx-onlined; echo >/run/tdx-onlined/state.json")
        self.chroot.run("dpkg --remove tdx-onlined")
        self.assertEqual(self.state()[0], "rc")
        self.assertEqual(self.exists("usr/sbin/tdx-onlined", CONFIGURATION), [f"/{CONFIGURATION}"])

    def test_6_install_again(self):
        output = self.install(1)
        self.assertNotIn(ENABLE, output)
        self.assertEqual(self.exists(WANTS, CONFIGURATION), [f"/{WANTS}", f"/{CONFIGURATION}"])

    def test_7_purge(self):
        """No file is left but those of this boot, and no other file was changed."""
        self.chroot.run("dpkg --purge tdx-onlined")
        self.assertEqual(self.exists("run/tdx-onlined/state.json"), ["/run/tdx-onlined/state.json"])
        self.chroot.run("rm -r /run/tdx-onlined")
        self.assertEqual(self.state(), [])
        self.assertEqual(list(self.chroot.changed()), [])

    def test_8_without_systemd(self):
        chroot = Chroot(self.release, "no-systemd")
        shutil.copy(self.chroot.shared / "1.deb", chroot.shared)
        chroot.run("dpkg --purge --force-depends --force-remove-protected systemd systemd-sysv udev")
        before = list(chroot.changed())
        chroot.run("dpkg -i /mnt/1.deb; tdx-onlinectl --version; dpkg -i /mnt/1.deb; dpkg --purge tdx-onlined")
        self.assertEqual(list(chroot.changed()), before)


    def test_9_calls(self):
        """If systemd runs, an upgrade restarts the service and does not stop it, and a removal stops it while
        its program is installed. Nothing enables or starts it."""
        chroot = Chroot(self.release, "calls")
        for name in ("1.deb", "2.deb"):
            shutil.copy(self.chroot.shared / name, chroot.shared)
        systemctl = chroot.shared / "systemctl"
        systemctl.write_text("#!/bin/sh\n[ -x /usr/sbin/tdx-onlined ] && echo $* >>/mnt/calls\n")
        systemctl.chmod(0o755)

        def calls(action):
            chroot.run(f"mkdir -p /run/systemd/system; : >/mnt/calls; PATH=/mnt:$PATH dpkg {action}")
            lines = (chroot.shared / "calls").read_text().splitlines()
            return [line for line in lines if "tdx-onlined" in line]

        self.assertEqual(calls("-i /mnt/1.deb"), [])
        self.assertEqual(calls("-i /mnt/2.deb"), ["try-restart tdx-onlined.service"])
        self.assertEqual(calls("--remove tdx-onlined"),
                         ["--quiet is-active tdx-onlined.service", "stop tdx-onlined.service"])  # fmt: skip


class Debian13(Debian12):
    release = "trixie"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
