#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts that users read are plain technical English: messages, help, catalog, man pages, README.

HABITS is a list of habits, not of forbidden words: a program prints, logs, reports, records and refuses,
and does not say, tell, judge or want; a person or thing has a name. Add habits that occur again.
"""

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# A habit, as a regular expression without case, and its replacement.
HABITS = {
    r"says|said|tells?|told|hears|heard": "prints, logs, reports, states",
    r"judg\w+": "decides, evaluates",
    r"wants|wanted": "needs, requests",
    r"he|his|him": "they, their (the administrator); it (a process)",
    r"nobody|somebody|anybody|everybody|whoever|whatever": "(name the person, program or thing)",
    r"anew|by then|thereby|whereof|withal|but for|all the same|of the kind|to be had|is none": "(rephrase)",
    r"in force": "in effect",
    r"in the way": "conflicts with, prevents",
    r"lets? in|keeps out|let in": "onlines, leaves offline",
    r"canary|witness": "first block, source",
    r"in doubt|hardly|to be sure": "(state the condition)",
    r"of no use|no use to": "cannot be used",
    r"blanks|one blank": "spaces",
    r"\w+, and (?:said|told|off)\.": "(a full sentence, or nothing)",
}
HABIT = re.compile("|".join(rf"\b(?P<habit{i}>{pattern})(?!\w)" for i, pattern in enumerate(HABITS)), re.I)

LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def of_code(text):
    """The string literals that contain a space, adjacent ones joined, without comments."""
    text = re.sub(r"^#\s*include.*$", "", COMMENT.sub(" ", text), flags=re.M)
    text = re.sub(r'"\s*\n?\s*"', "", text)
    return "\n".join(literal for literal in LITERAL.findall(text) if " " in literal)


def of_manual(text):
    """The text without code blocks, bold and underlined words."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    text = re.sub(r"^;.*$|\\.", "", text, flags=re.M)
    return re.sub(r"\*[^*\n]+\*|(?<!\w)_[^_\n]+_(?!\w)", "X", text)


def of_readme(text):
    return re.sub(r"^```.*?^```|`[^`]*`", "X", text, flags=re.M | re.S)


def of_catalog(text):
    return re.sub(r"^#.*$", "", text, flags=re.M)


TEXTS = (
    ("daemon/*.c", of_code), ("daemon/*/*.c", of_code), ("lib/*/*.c", of_code),
    ("systemd/*.catalog.in", of_catalog), ("systemd/tdx-onlined.conf", str),
    ("man/*.scd", of_manual), ("README.md", of_readme),
)  # fmt: skip


def found(text):
    """Each habit in a text, with the words around it and its replacement."""
    text = re.sub(r"\s+", " ", text)
    for match in HABIT.finditer(text):
        number = next(int(name[5:]) for name, value in match.groupdict().items() if value)
        yield f"…{text[max(0, match.start() - 30) : match.end() + 20]}…: {list(HABITS.values())[number]}"


class Texts(unittest.TestCase):
    def test_habits(self):
        for pattern, extract in TEXTS:
            paths = sorted(TOP.glob(pattern))
            self.assertTrue(paths, pattern)
            for path in paths:
                with self.subTest(str(path.relative_to(TOP))):
                    self.assertEqual(list(found(extract(path.read_text()))), [])

    def test_extraction(self):
        """Habits are found in messages, and not in code, keys or comments."""
        for text in ("What is in doubt is left alone, and said.", "The guard is\nnot whole: somebody changed it",
                     "a rule that wants nothing", "as he likes", "Not a machine to judge"):  # fmt: skip
            self.assertTrue(list(found(text)), text)
            self.assertTrue(list(found(of_code(f'print("{text[:9]}"\n\t"{text[9:]}");'.replace("is\nnot", "is not")))))
        self.assertEqual(list(found(of_code('/* "he said" */ key("says");'))), [])
        self.assertEqual(list(found(of_manual("*tdx.evidence[].says* (string)\n```\n# he said\n```"))), [])
        self.assertEqual(list(found("The theme is here; unused, blank")), [])


if __name__ == "__main__":
    unittest.main()
