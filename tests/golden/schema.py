# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schema of the JSON output, and a check of a document against it."""

import functools
import json
import pathlib

import jsonschema

PATH = pathlib.Path(__file__).resolve().parents[2] / "daemon/output/report.schema.json"


@functools.cache
def validator():
    schema = json.loads(PATH.read_text(encoding="ascii"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def mistake(document):
    """The first violation of the schema, with its place; None: the document is valid."""
    error = jsonschema.exceptions.best_match(validator().iter_errors(document))
    if error is None:
        return None
    return f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"


def check(text):
    """Fail unless the text is one valid document."""
    found = mistake(json.loads(text))
    assert found is None, f"{PATH.name}: {found}"


def is_json(options):
    """Do these options make the program print JSON?"""
    return "--json" in options or "-J" in options
