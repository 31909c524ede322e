#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Add up logs of `meson test`: print why tests were skipped, which tests failed, and the totals.

    tally.py [--failed WHAT]... [LOG...]

WHAT is a failed step that is not a Meson test, such as a build. It counts as one failed test. The exit
status is 1 if anything failed.
"""

import argparse
import collections
import json
import pathlib

KINDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def reason(entry):
    """The last line that a test printed."""
    lines = entry["stdout"].splitlines() + entry.get("stderr", "").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
    return last.removeprefix("skipped: ")


def main():
    parser = argparse.ArgumentParser(description="Add up logs of `meson test`.")
    parser.add_argument("--failed", action="append", default=[], metavar="WHAT")
    parser.add_argument("logs", nargs="*", metavar="LOG", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    counts = collections.Counter(failed=len(options.failed))
    for what in options.failed:
        print(f"failed: {what}")
    for log in options.logs:
        for entry in map(json.loads, log.read_text().splitlines()):
            kind = KINDS.get(entry["result"], "failed")
            counts[kind] += 1
            if kind == "skipped":
                print(f"skipped: {entry['name']}: {reason(entry)}")
            elif kind == "failed":
                print(f"failed: {entry['name']}: {entry['result']}, see {log.with_suffix('.txt')}")
    print("tests: {passed} passed, {failed} failed, {skipped} skipped".format_map(counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
