#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schema of the JSON output: all keys, no others, and the man page.

The JSON output in the other tests is checked against the schema, see tree.py and tests/vm/scene.py.
Here documents are changed, and the schema must not allow any of the changes.
"""

import copy
import json
import re

import schema
import tree

SCHEMA = json.loads(schema.PATH.read_text())
DEFINITIONS = SCHEMA["$defs"]
UNIT_TEST = tree.TESTS / "unit/output/test_report_schema.c"
TOP = tree.TESTS.parent
MANUAL = TOP / "man/tdx-onlinectl.1.scd"
MANUAL_JOURNAL = TOP / "man/tdx-onlined-journal.7.scd"


def definitions(kind):
    return {name: value for name, value in DEFINITIONS.items() if kind in value}


def subschemas(value):
    """All objects within a schema."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from subschemas(item)


def places(value):
    """(container, key or index) of each value in a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from places(item)


def of_another_type(value):
    """A value of another type: text for a number, an object for null, a number for all else."""
    if value is None:
        return {}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else 7


class Written(tree.unittest.TestCase):
    """The schema itself."""

    def test_licence(self):
        self.assertEqual(SCHEMA["$comment"], "SPDX-License-Identifier: LGPL-2.1-or-later")

    def test_objects_are_closed(self):
        """Each object requires all of its properties and allows no other."""
        found = [value for value in subschemas(SCHEMA) if value.get("type") == "object"]
        self.assertEqual(len(found), len(definitions("properties")))
        for value in found:
            self.assertEqual(value["required"], list(value["properties"]))
            self.assertIs(value["additionalProperties"], False)

    def test_enumerations(self):
        """Each enumeration is a definition, which the unit test compares with a table."""
        enumerations = definitions("enum")
        self.assertEqual(len([v for v in subschemas(SCHEMA) if isinstance(v.get("enum"), list)]),
                         len(enumerations))  # fmt: skip
        compared = re.findall(r'^\t\{"(\w+)", add_\w+\},$', UNIT_TEST.read_text(), flags=re.MULTILINE)
        self.assertEqual(compared, list(enumerations))

    def test_descriptions(self):
        for name, definition in DEFINITIONS.items():
            self.assertIn("description", definition, name)
            for key, value in definition.get("properties", {}).items():
                self.assertTrue("description" in value or list(value) == ["$ref"], (name, key))

    def test_every_definition_is_used(self):
        used = {value["$ref"] for value in subschemas(SCHEMA) if isinstance(value.get("$ref"), str)}
        self.assertEqual(used, {f"#/$defs/{name}" for name in DEFINITIONS})

    def test_manual(self):
        """The man page has the keys of a range in order, and all types."""
        section = MANUAL.read_text().split("Each object of *ranges*:")[1].split("The steps are those")[0]
        keys = re.findall(r"\*([a-z_]+)(?:\[\]\.([a-z_]+))?\*(?:, \*([a-z_]+)\*)? \(", section)
        outer = list(dict.fromkeys(name for key, _, second in keys for name in (key, second) if name))
        self.assertEqual(outer, list(DEFINITIONS["range"]["properties"]))
        for key, definition in (("memdevs", "memdev"), ("steps", "step")):
            inner = [name for outer, name, _ in keys if outer == key]
            self.assertEqual(inner, list(DEFINITIONS[definition]["properties"]))


def body(path, function):
    """The text of a function."""
    return re.search(rf"^[a-z][^\n]*\b{function}\([^;]*?\n{{\n.*?^}}$", path.read_text(), flags=re.M | re.S)[0]


class Journal(tree.unittest.TestCase):
    """The fields of a record in the journal."""

    def test_manual(self):
        """The man page has exactly these fields, in the order of the code. Those of the TDX state, which
        are also in an entry of their own, come last."""
        record, journal = TOP / "lib/record/record.c", TOP / "daemon/output/journal.c"
        own, tdx = (re.findall(r'_field\(\s*"(\w+)"', body(record, name)) for name in
                    ("record_fields", "tdx_fields"))  # fmt: skip
        memdevs, evidence = (re.findall(r'"TDXO_(\w+)=', body(journal, name)) for name in
                             ("journal_record", "add_evidence"))  # fmt: skip
        values = re.findall(r'\[RECORD_\w+\] = "(\w+)"', (TOP / "lib/record/remedy.c").read_text())
        self.assertTrue(own and tdx and memdevs and evidence and values)
        table = MANUAL_JOURNAL.read_text().split("Fields of a record.")[1].split("\n\n")[1]
        found = re.findall(r"^\|  TDXO_(\w+)$", table, flags=re.MULTILINE)
        self.assertEqual(found, [name.upper() for name in own + values] + memdevs +
                         [name.upper() for name in tdx] + evidence)  # fmt: skip


class Documents(tree.Tree):
    """Documents of each kind that the program prints."""

    def documents(self):
        self.tree("cxl-refused")
        self.write("etc/udev/rules.d/1.rules", 'SUBSYSTEM=="memory", ATTR{state}="online"\n')
        for task in ("--dry-run", "explain dax0.0", "explain node0", "doctor", "map", "status", "verify"):
            yield task, json.loads(tree.run(self.root, *task.split(), "--json").stdout)

    def assert_found(self, document, task, key):
        self.assertIsNotNone(schema.mistake(document), (task, key))

    def test_valid(self):
        """Each document is of one kind, and all kinds are tried."""
        kinds = {tuple(DEFINITIONS[kind["$ref"].rpartition("/")[2]]["required"]) for kind in SCHEMA["oneOf"]}
        found = set()
        for task, document in self.documents():
            self.assertIsNone(schema.mistake(document), task)
            found.add(tuple(document))
        self.assertEqual(found, kinds)

    def test_not_a_document(self):
        for document in ({}, [], None, 2, "schema", {"schema": 2}):
            self.assert_found(document, None, document)
        for text in ("", "{", "{} {}"):
            self.assertRaises(ValueError, schema.check, text)
        self.assertRaises(AssertionError, schema.check, "{}")

    def test_unknown_key(self):
        for task, document in self.documents():
            objects = [document, *(place[key] for place, key in places(document)
                                   if isinstance(place[key], dict))]  # fmt: skip
            for value in objects:
                value["unknown"] = None
                self.assert_found(document, task, list(value))
                del value["unknown"]
            self.assertIsNone(schema.mistake(document))

    def test_missing_key(self):
        for task, document in self.documents():
            good = copy.deepcopy(document)
            objects = [document, *(place[key] for place, key in places(good)
                                   if isinstance(place[key], dict))]  # fmt: skip
            objects[0] = good
            for value in objects:
                for key in list(value):
                    kept = value.pop(key)
                    self.assert_found(good, task, key)
                    value[key] = kept
            self.assertEqual(good, document)

    def test_another_type(self):
        """Values of another type."""
        for task, document in self.documents():
            for place, key in list(places(document)):
                kept = place[key]
                place[key] = of_another_type(kept)
                self.assert_found(document, task, key)
                place[key] = kept
            self.assertIsNone(schema.mistake(document))

    def test_another_value(self):
        """Unknown words, an old version, numbers out of range."""
        report = dict(self.documents())["--dry-run"]
        memory = report["ranges"][0]
        for place, key, value in (
            (report, "schema", 1), (report, "block_size", 0), (report, "disagreements", -1),
            (report["tdx"], "state", "on"), (report["guard"], "drivers_autoprobe", "off"),
            (memory, "verdict", "Online"), (memory, "reason", ""), (memory, "result", "begun"),
            (memory, "mode", "kmem"), (memory, "start", 1 << 64), (memory, "errno", 0),
            (memory["memdevs"][0], "serial", "66"), (memory["memdevs"][0], "serial", "0x042"),
            (memory["memdevs"][0], "memdev", ""), (memory["steps"][0], "action", "bind"),
        ):  # fmt: skip
            kept = place[key]
            place[key] = value
            self.assert_found(report, key, value)
            place[key] = kept
        self.assertIsNone(schema.mistake(report))

    def test_guard_switches(self):
        """One of them is a boolean, in the report and in the status, the other a text."""
        documents = dict(self.documents())
        guard, switches = documents["--dry-run"]["guard"], documents["status"]["guard"]
        self.assertEqual(guard, {switch["switch"]: switch["now"] for switch in switches})
        for switch, wrong in zip(switches, ("0", False)):
            for key in ("now", "before"):
                kept, switch[key] = switch[key], wrong
                self.assert_found(documents["status"], switch["switch"], key)
                switch[key] = kept

    def test_expected_files(self):
        files = sorted((tree.TESTS / "expected").glob("*.json"))
        self.assertTrue(files)
        for path in files:
            schema.check(path.read_text())

    def test_every_run_is_checked(self):
        """tree.py fails for an output that the schema does not allow."""
        self.tree("plain-host")
        program = self.directory / "program"
        program.write_text("#!/bin/sh\necho '{\"schema\": 2}'\n")
        program.chmod(0o755)
        binary, tree.BINARY = tree.BINARY, program
        try:
            self.assertEqual(tree.run(self.root, "--dry-run").returncode, 0)
            for option in ("--json", "-J"):
                self.assertRaises(AssertionError, tree.run, self.root, "--dry-run", option)
                self.assertRaises(AssertionError, tree.on_terminal, self.root, "--dry-run", option)
        finally:
            tree.BINARY = binary


if __name__ == "__main__":
    tree.main()
