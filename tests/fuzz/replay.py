# SPDX-License-Identifier: LGPL-2.1-or-later
"""replay.py EXECUTABLE TARGET: call a target with its corpus and its seeds."""

import pathlib
import subprocess
import sys
import tempfile

import seeds

executable, target = sys.argv[1:]
corpus = pathlib.Path(__file__).resolve().parent / "corpus" / target
with tempfile.TemporaryDirectory() as directory:
    seeds.write(target, directory)
    directories = [path for path in (corpus, directory) if pathlib.Path(path).is_dir()]
    sys.exit(subprocess.run([executable, *directories], check=False).returncode)
