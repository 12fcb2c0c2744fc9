"""The report of a text: built from the results of a plan, to JSON and back.

The JSON follows the types field by field. The text and target, which many results share, are written once, with the
report. `explain/report.schema.json` is the JSON Schema, made from the same types.
"""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

from explain.analyses.base import ANALYSES
from explain.core.errors import RecordError
from explain.core.settings import setting_values
from explain.core.versions import versions
from explain.datatypes import Answer, AttentionEdge, AttentionMaps, Report
from explain.datatypes.decoding import parse
from explain.datatypes.encoding import encode
from explain.methods.base import METHODS
from explain.metrics.base import METRICS
from explain.models.base import TextModel
from explain.numerics.edges import top_edges
from explain.report.migration import SCHEMA, migrated
from explain.report.reading import read_report
from explain.run.results import Results
from explain.views.document import record_in

EDGES_PER_LAYER = 40  # kept in a report
MOST_BYTES = 200_000_000  # of a JSON document


def report_of(results: Results, model: TextModel, *, edges: bool = True) -> Report:
    """Build the report from the results of a plan.

    Args:
        edges: whether the strongest attention edges are part of it; they take a while.

    Raises:
        ExplainError: the prediction or the target is not computed yet.
    """
    plan, observation = results.plan, results.observation
    tests = next((tests.tests for tests in plan.tests), None)
    answers = tuple(
        Answer(analysis.name, setting_values(analysis), results.required(analysis))
        for analysis in plan.others
        if results.has([analysis])
    )
    report = Report(
        schema=SCHEMA,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        text=plan.text.text,
        text_pair=plan.text.text_pair,
        model=model.record,
        prediction=observation.prediction,
        target=results.decided_target,
        attributions=results.attributions,
        phrases=results.phrases or (),
        phrase_settings=setting_values(plan.phrases) if plan.phrases else {},
        metrics=results.metrics,
        edges=strongest_edges(observation.maps) if edges else (),
        versions=versions(),
        seed=0,
        test_settings=tests.record if tests else {},
        empty_text=results.empty_text,
        answers=answers,
    )
    return dataclasses.replace(report, arithmetic=arithmetic_of(report))


def arithmetic_of(report: Report) -> dict[str, int]:
    """Return this package's version of each method, metric and analysis in a report, by name, if it has them."""
    searched = ["key_phrases"] if report.phrase_settings else []
    used = (
        (METHODS, [part.method for part in report.attributions]),
        (METRICS, report.test_settings.get("metrics", ())),
        (ANALYSES, [*searched, *(answer.analysis for answer in report.answers)]),
    )
    return {name: registry[name].version for registry, names in used for name in sorted(set(names)) if name in registry}


def strongest_edges(maps: AttentionMaps, per_layer: int = EDGES_PER_LAYER) -> tuple[AttentionEdge, ...]:
    """Return the largest attention weights of each layer, averaged over heads."""
    return tuple(AttentionEdge(*edge) for edge in top_edges(maps.mean(), per_layer))


def to_record(report: Report) -> dict[str, Any]:
    """Return a report as JSON values."""
    record: dict[str, Any] = encode(report)
    return record


def to_json(report: Report) -> str:
    """Return a report as a JSON document.

    Raises:
        RecordError: it is larger than a record may be; the message names the largest part.

    >>> import explain
    >>> to_json(explain.explain("A mess.", methods=["occlusion"], phrases=False)).startswith("{")
    True
    """
    document = json.dumps(to_record(report), ensure_ascii=False, indent=1) + "\n"
    if len(document) > MOST_BYTES:
        sizes = {answer.analysis: len(json.dumps(encode(answer.result))) for answer in report.answers}
        largest = max(sizes, key=lambda name: sizes[name], default="the text")
        raise RecordError(
            f"The report takes {len(document) / 1e6:,.0f} MB of JSON; at most {MOST_BYTES / 1e6:,.0f} MB are written. "
            f"Most of it is {largest}: leave it out, or shorten the text."
        )
    return document


def from_json(document: str) -> Report:
    """Read a report.

    Raises:
        RecordError: not JSON, of another schema, or with a field that is missing or does not fit.

    >>> import explain
    >>> report = explain.explain("A mess.", methods=["occlusion"], phrases=False)
    >>> from_json(to_json(report)).text
    'A mess.'
    """
    return from_record(parse(document))


def from_record(record: Any) -> Report:
    """Read a report from JSON values; see `from_json`."""
    return read_report(migrated(record))


def read(path: str | Path) -> Report:
    """Read a report from a file; see `from_json`."""
    return from_json(read_document(path))


def read_document(path: str | Path) -> str:
    """Return the JSON document of a file, or the one that a page holds.

    Raises:
        RecordError: the file can't be read, is no text, or is a page without a record.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not UTF-8 text, so it is no report.") from error
    except ValueError as error:  # a zero byte, half a character
        raise RecordError(f"{str(path)!r} can't be read: no file can have that name.") from error
    if not text.lstrip().startswith("<"):
        return text
    record = record_in(text)
    if record is None:
        raise RecordError(f"{path} is a page that holds no record. Save the explanation as JSON, or as HTML, again.")
    return record
