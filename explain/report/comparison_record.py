"""The record of a comparison: both reports whole, and what follows from them, to JSON and back.

`explain/comparison.schema.json` is the JSON Schema, made from the types; it refers to that of a report.
"""

import json
from typing import Any

from explain.core.errors import RecordError
from explain.datatypes import Comparison, Report
from explain.datatypes.decoding import decode_object, parse, shown_value
from explain.datatypes.encoding import encode
from explain.report import record as report_record
from explain.report.record import MOST_BYTES, from_record
from explain.report.side_by_side import SCHEMA


def to_json(explained: Report | Comparison) -> str:
    """Return a report or a comparison as a JSON document.

    Raises:
        RecordError: it is larger than a record may be.

    >>> import explain
    >>> report = explain.explain("A mess.", methods=["occlusion"], phrases=False)
    >>> to_json(report).startswith("{"), to_json(explain.compare(report, report)).startswith("{")
    (True, True)
    """
    return comparison_to_json(explained) if isinstance(explained, Comparison) else report_record.to_json(explained)


def comparison_to_record(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    record: dict[str, Any] = encode(comparison)
    return record


def comparison_to_json(comparison: Comparison) -> str:
    """Return a comparison as a JSON document.

    Raises:
        RecordError: it is larger than a record may be.
    """
    document = json.dumps(comparison_to_record(comparison), ensure_ascii=False, indent=1) + "\n"
    if len(document) > MOST_BYTES:
        raise RecordError(
            f"The comparison takes {len(document) / 1e6:,.0f} MB of JSON; at most {MOST_BYTES / 1e6:,.0f} MB are "
            "written. Leave out analyses of the reports, or shorten the texts."
        )
    return document


def is_comparison(record: Any) -> bool:
    """Return whether JSON values say that they are a comparison."""
    return isinstance(record, dict) and str(record.get("schema", "")).startswith("explain-comparison-")


def comparison_from_json(document: str) -> Comparison:
    """Read a comparison, with both of its reports.

    Raises:
        RecordError: not JSON, no comparison, or with a field that is missing or does not fit.

    >>> import explain
    >>> comparison = explain.compare("A mess.", "A feast.", methods=["occlusion"])
    >>> comparison_from_json(explain.to_json(comparison)).rows == comparison.rows
    True
    """
    return comparison_from_record(parse(document))


def comparison_from_record(record: Any) -> Comparison:
    """Read a comparison from JSON values; see `comparison_from_json`."""
    if not is_comparison(record) or record["schema"] != SCHEMA:
        schema = record.get("schema") if isinstance(record, dict) else record
        raise RecordError(f"This is no comparison of schema {SCHEMA!r}; it says {shown_value(schema)}.")
    try:
        reports = {name: _report(record, name) for name in ("report_a", "report_b")}
        comparison: Comparison = decode_object(Comparison, record, "", {}, reports)
    except RecursionError as error:
        raise RecordError("The comparison can't be read: its lists are nested too deep.") from error
    return comparison


def _report(record: dict[str, Any], name: str) -> Any:
    try:
        return from_record(record.get(name))
    except RecordError as error:
        raise RecordError(f"{name}: {error}") from error
