#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The structure: which folder uses which, and which file may include which library.

The uses of folders ("arrows") are checked by the headers that each file includes, and by the symbols
that the static library of a folder leaves undefined and another one defines (nm). The second check
finds a function that is declared without its header.
"""

import os
import re
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["MESON_BUILD_ROOT"])

# The folders that each folder may use.
CORE = ["base", "firmware", "tdx", "memory", "policy", "record"]
LIB = {
    "base": [],
    "firmware": ["base"],
    "tdx": ["base"],
    "memory": ["base", "firmware", "tdx"],
    "policy": ["base", "firmware", "tdx", "memory"],
    "record": ["base", "firmware", "tdx", "memory", "policy"],
    "explain": CORE,
    "doctor": CORE,
    "map": CORE,
    "anonymise": ["base", "firmware", "policy"],
}
LOCAL = ["log", "host", "settings", "output", "actuator", "state"]
DAEMON = {folder: [*LIB, *LOCAL[:i]] for i, folder in enumerate(LOCAL)}
DAEMON |= {"service": [*LIB, *LOCAL], "commands": [*LIB, *LOCAL]}
ARROWS = LIB | DAEMON
MAIN = "main"  # the files of daemon/ itself, which use every folder

# The files that may include the headers of a library.
FOREIGN = {
    "cxl/libcxl.h": ["daemon/host/cxl.c"],
    "daxctl/libdaxctl.h": ["daemon/host/dax.c"],
    "json-c/": ["daemon/output/json.c"],
    "libsmartcols.h": ["daemon/output/table.c"],
    "libudev.h": ["daemon/host/udevd_queue.c", "daemon/service/monitor.c"],
    "systemd/sd-bus.h": ["daemon/host/manager.c"],
    "systemd/sd-id128.h": ["daemon/host/kernel_log.c"],
    "systemd/sd-journal.h": ["daemon/host/kernel_log.c", "daemon/log/log.c", "daemon/output/journal.c"],
    "systemd/sd-event.h": ["daemon/service/loop.h"],
    "systemd/sd-daemon.h": ["daemon/commands/reload.c", "daemon/service/service.c"],
}

# The files that write text outside the program, and the functions that they call for it. A file without a
# comment makes foreign text printable. The others write only the text in their comment.
WAYS_OUT = {
    "daemon/log/log.c": {"fprintf", "sd_journal_print"},
    "daemon/log/print.c": {"fputs", "putc"},
    "daemon/output/journal.c": {"sd_journal_sendv"},
    "daemon/output/json.c": {"fputs"},
    "daemon/output/table.c": {"printf", "scols_print_table_to_string"},
    "daemon/service/service.c": {"sd_notify", "sd_notifyf"},  # the TDX state, counts
    "daemon/commands/reload.c": {"sd_notify"},  # that the service reloads
    "daemon/host/sysfs.c": {"write"},  # to the kernel
    "daemon/commands/tree.c": {"write"},  # a capture: files as they are
    "daemon/program.c": {"fprintf"},  # where to find help
}
# With the functions that a compiler calls in their place.
OUTPUT = re.compile(
    r"(v?[fd]?|vf)w?printf|(f?putw?[cs]|putw?char|fwrite)(_unlocked)?|perror|psignal|p?write(v|64)?"
    r"|send(to|msg|mmsg|file)?|v?syslog|v?(err|warn)x?|error"
    r"|sd_journal_(print|send|perror)\w*|sd_(pid_)?notify\w*|scols_print_\w+"
)
SAME = {"putchar": "putc", "fputc": "putc", "fwrite": "fputs"}

# The C library functions that lib/ may call: no file, clock, process, environment or locale.
PURE = set(
    """free qsort reallocarray fnmatch snprintf vsnprintf sscanf
    memchr memcmp memcpy memmem memmove memset strcasecmp strchr strcmp strcspn strerror strlen
    strncasecmp strncmp strpbrk strrchr strsep strspn strstr strtol strtoul strtoull
    tdestroy tsearch""".split()
)
# Symbols of compilers and of <assert.h>, <ctype.h>, <errno.h>. clang calls bcmp() for memcmp().
COMPILER = re.compile(
    r"_GLOBAL_OFFSET_TABLE_|__assert_fail|__stack_chk_fail|__ctype_\w+_loc|__errno_location"
    r"|__u?divti3|bcmp|__(asan|ubsan|tsan|gcov)_\w+"
)


def folder_of(path):
    """The folder of lib/ or daemon/ that a file belongs to, by its path from the top."""
    parts = Path(path).parts
    if parts[0] == "include":
        parts = ("lib", *parts[2:])
    return parts[1] if len(parts) > 2 else MAIN if parts[0] == "daemon" else str(Path(*parts))


def sources():
    for top in ("include", "lib", "daemon"):
        for path in sorted((SOURCE / top).rglob("*.[ch]")):
            yield str(path.relative_to(SOURCE)), path.read_text()


def includes(text, quotes):
    opening, closing = quotes
    return re.findall(rf"^\s*#\s*include\s*{opening}([^{closing}]+){closing}", text, re.MULTILINE)


def may_use(user, used):
    return user in (used, MAIN) or used in ARROWS[user]


def violations(arrows):
    """The pairs (user, used) that the table does not allow."""
    return sorted({(user, used) for user, used in arrows if not may_use(user, used)})


def path_of_include(name):
    return f"include/{name}" if name.startswith("tdxo/") else name


def include_arrows():
    for path, text in sources():
        for name in includes(text, '""'):
            yield folder_of(path), folder_of(path_of_include(name))


def nm(*arguments):
    output = subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in output.splitlines() if line and not line.endswith(":")}


def libraries():
    """The static library of each folder."""
    for folder in ARROWS:
        top = "lib" if folder in LIB else "daemon"
        [path] = (BUILD / top / folder).glob("lib*.a")
        yield folder, path


def objects():
    """The objects of lib/ and daemon/."""
    for top in ("lib", "daemon"):
        yield from sorted((BUILD / top).rglob("*.c.o"))


def source_of(path):
    """The source of an object: daemon/log/log.c for BUILD/daemon/log/liblog.a.p/log.c.o."""
    parts = path.relative_to(BUILD).parts
    return str(Path(*parts[:-2], path.stem))


def plain_name(symbol):
    """The function of a variant for a C standard or with a size check: __isoc99_sscanf, __snprintf_chk."""
    return re.sub(r"^__(isoc\d+_)?(\w+?)(_chk)?$", r"\2", symbol)


class Structure(unittest.TestCase):
    maxDiff = None

    def test_folders_in_table(self):
        folders = {folder_of(path) for path, _ in sources()}
        self.assertEqual(folders, {*ARROWS, MAIN})

    def test_reversed_arrows(self):
        for user, all_used in ARROWS.items():
            for used in all_used:
                self.assertEqual(violations([(used, user)]), [(used, user)])
        self.assertEqual(
            violations([("service", "commands"), ("commands", "service")]),
            [("commands", "service"), ("service", "commands")],
        )

    def test_includes(self):
        self.assertEqual(violations(include_arrows()), [])

    def test_include_paths(self):
        for path, text in sources():
            for name in includes(text, '""'):
                self.assertTrue((SOURCE / path_of_include(name)).is_file(), (path, name))

    def test_include_cycles(self):
        edges = {path: [path_of_include(name) for name in includes(text, '""')] for path, text in sources()}

        def visit(path, above):
            self.assertNotIn(path, above, f"cycle: {' '.join(above)} {path}")
            for name in edges[path]:
                visit(name, [*above, path])

        for path in edges:
            visit(path, [])

    def test_symbols(self):
        defined, undefined = {}, {}
        for folder, path in libraries():
            undefined[folder] = nm("-u", path)
            for symbol in nm("-g", "--defined-only", path):
                defined[symbol] = folder
        arrows = {
            (folder, defined[symbol])
            for folder, symbols in undefined.items()
            for symbol in symbols
            if symbol in defined
        }
        # Objects without symbols, or in a format that nm cannot read, must not pass.
        self.assertGreater(len(arrows), len(ARROWS))
        self.assertEqual(violations(arrows), [])

    def test_purity_of_lib(self):
        paths = [path for folder, path in libraries() if folder in LIB]
        needed = nm("-u", *paths) - nm("-g", "--defined-only", *paths)
        needed = {plain_name(symbol) for symbol in needed if not COMPILER.fullmatch(symbol)}
        self.assertIn("snprintf", needed)
        self.assertEqual([plain_name(name) for name in ("__isoc99_scanf", "__printf_chk")], ["scanf", "printf"])
        self.assertEqual(needed - PURE, set())

    def test_ways_out(self):
        """No other object calls a function that prints, logs or sends."""
        found = {}
        for path in objects():
            symbols = {plain_name(symbol) for symbol in nm("-u", path)}
            symbols = {SAME.get(name, name) for name in symbols if OUTPUT.fullmatch(name)}
            if symbols:
                found[source_of(path)] = symbols
        self.assertEqual(found, WAYS_OUT)

    def test_literals_only(self):
        """The only text that is printed without print() or the log is a literal of program.c."""
        calls = re.findall(r"\bfprintf\((.*)\);", (SOURCE / "daemon/program.c").read_text())
        self.assertEqual(calls, ['stderr, "Try \'%s --help\'.\\n", program->name'])

    def test_drawings(self):
        """print_drawing() does not make text printable: one file calls it, with text from its own tables."""
        texts = dict(sources())
        callers = {path for path, text in texts.items() if "print_drawing(" in text}
        drawer = "daemon/output/map_text.c"
        self.assertEqual(callers, {"daemon/log/print.c", "daemon/log/print.h", drawer})
        self.assertEqual(set(re.findall(r"print_drawing\((.*)\);", texts[drawer])),
                         {"glyph[canvas->utf8]", "looks[look].colour", '"\\033[0m"'})  # fmt: skip

    def test_columns(self):
        for path, text in sources():
            for number, line in enumerate(text.splitlines(), 1):
                self.assertLessEqual(len(line.expandtabs(8)), 100, f"{path}:{number}")

    def test_lines(self):
        for path, text in sources():
            self.assertLessEqual(len(text.splitlines()), 500, path)

    def test_foreign_headers(self):
        for header, allowed in FOREIGN.items():
            users = [
                path
                for path, text in sources()
                if any(name.startswith(header) for name in includes(text, "<>"))
            ]
            self.assertEqual(sorted(users), sorted(allowed), header)

    def test_foreign_header_exceptions(self):
        """CODING-STYLE.md names each header that several files include, or its library, and the files."""
        rule = (SOURCE / "CODING-STYLE.md").read_text().partition("headers of one foreign library.")[2].partition("\n* ")[0]
        named = {header: files for header, files in FOREIGN.items() if len(files) > 1}
        for header, files in named.items():
            self.assertIn(Path(header).name.removesuffix("" if "/" in header else ".h"), rule)
            for path in files:
                self.assertIn(f"`{path}`", rule)
        self.assertEqual(set(re.findall(r"`(daemon/[^`]+)`", rule)), {path for files in named.values() for path in files})

    def test_foreign_headers_in_table(self):
        """A header named lib*.h or in a directory belongs to a library, except those of the system."""
        system = re.compile(r"(sys|linux|asm)/.*|(?!lib)[a-z0-9_]+\.h")
        for path, text in sources():
            for name in includes(text, "<>"):
                foreign = any(name.startswith(header) for header in FOREIGN)
                self.assertTrue(foreign or system.fullmatch(name), (path, name))


if __name__ == "__main__":
    unittest.main()
