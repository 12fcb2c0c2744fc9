"""Reports as records: to JSON and back, and computed again from the record alone.

The JSON follows the types field by field. What an attribution shares with its report (tokens and target) is written
once, with the report. `explain/report.schema.json` is the JSON Schema, made from the same types.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explain.analyses.similarity import SimilarityAttribution
from explain.core.errors import RecordError
from explain.core.meter import Meter
from explain.core.settings import make
from explain.datatypes import ModelRecord, Phrase, Prediction, Report, Target, Tokens
from explain.datatypes.decoding import LEFT_AWAY, hints_of, parse
from explain.evaluation.plausibility import plausibility
from explain.methods.base import METHODS
from explain.metrics.base import TrialSettings
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.report.reading import read_report
from explain.report.record import SCHEMA, report_of
from explain.run import engine
from explain.run.plan import Plan
from explain.text.phrases import PhraseSettings

DEFAULT_TOLERANCE = 1e-3
_MAY_BE_MISSING: dict[type, tuple[str, ...]] = {  # reports of this schema were written without
    Report: ("rationale", "similarity", "test_settings", "empty_text"),
    Tokens: ("begins_at", "heads", "text_names"),
    Prediction: ("labels", "spans", "window"),
    Target: ("held",),
    ModelRecord: ("files_sha256",),
    Phrase: ("part_of",),
}
# What a setting was before it could be set, for records that lack it.
_BEFORE: dict[str, dict[str, Any]] = {"key_phrases": {"parts": False}}


def to_record(report: Report) -> dict[str, Any]:
    """A report as JSON values."""
    return _encode(report)


def to_json(report: Report) -> str:
    """A report as a JSON document."""
    return json.dumps(to_record(report), ensure_ascii=False, indent=1) + "\n"


def from_json(document: str) -> Report:
    """Read a report.

    Raises:
        RecordError: not JSON, of another schema, or with a field that is missing or does not fit.
    """
    return from_record(parse(document))


def from_record(record: Any) -> Report:
    """Read a report from JSON values; see `from_json`."""
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        schema = record.get("schema") if isinstance(record, dict) else type(record).__name__
        shown = repr(schema[:60]) if isinstance(schema, str) else type(schema).__name__
        raise RecordError(f"This is no report of schema {SCHEMA!r}; it says {shown}.")
    return read_report(record)


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        left_out = LEFT_AWAY.get(type(value), ())
        return {
            field.name: _encode(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in left_out
        }
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _encode(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(part) for part in value]
    return value


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a report, made from the types."""
    definitions: dict[str, Any] = {}
    body = _schema(Report, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA}.schema.json",
        "title": "One text explained",
        **body,
        "$defs": definitions,
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if isinstance(hint, types.UnionType):
        return {"anyOf": [_schema(part, definitions) for part in typing.get_args(hint)]}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # a type may hold itself
            left_out = LEFT_AWAY.get(hint, ())
            names = [field.name for field in dataclasses.fields(hint) if field.name not in left_out]
            optional = _MAY_BE_MISSING.get(hint, ())
            definitions[hint.__name__] = {
                "type": "object",
                "description": (hint.__doc__ or "").split("\n\n")[0],
                "properties": {name: _schema(hints_of(hint)[name], definitions) for name in names},
                "required": [name for name in names if name not in optional],
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin is np.ndarray:  # of any number of axes
        return {"type": "array"}
    if origin is tuple:
        inner = typing.get_args(hint)
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _schema(inner[0], definitions)}
        return {"type": "array", "prefixItems": [_schema(part, definitions) for part in inner], "items": False}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object"}
    kinds: dict[Any, str] = {str: "string", float: "number", int: "integer", bool: "boolean", type(None): "null"}
    return {"type": kinds[hint]} if hint in kinds else {}


@dataclass(frozen=True)
class Difference:
    """How far a replay is from its record.

    Attributes:
        largest: largest absolute difference of two numbers, in the unit of that number (log-odds for the default
            target's scores; shares for rollout).
        where: which number that was, or the first thing that is not the same.
        same: everything that is no measured number is the same: labels, words, units, flags, settings, counts.
        compared: how many numbers were.
    """

    largest: float
    where: str
    same: bool
    compared: int

    def within(self, tolerance: float) -> bool:
        return self.same and self.largest <= tolerance


def replay(recorded: Report, model: TextModel | None = None, meter: Meter | None = None) -> Difference:
    """Compute a report again from its record, and compare all of it but dates, times, passes and versions.

    Args:
        recorded: the record.
        model: the model, where it lies elsewhere now; by default the one the record names is loaded.

    Raises:
        RecordError: the model is not that of the record, or would have to be fetched because the record says so.
        ModelError: the model is not there.
    """
    if model is None:
        if catalogue.would_be_fetched(recorded.model.id):
            raise RecordError(
                f"The record's model {recorded.model.id!r} is not on this machine, and a record does not decide what "
                "is fetched. Give the model with --model."
            )
        model = catalogue.load_model(recorded.model.id, task=recorded.model.task)
    for field, what in _HASHES.items():
        here, then = getattr(model.record, field), getattr(recorded.model, field)
        if here != then and (then or field != "files_sha256"):  # earlier versions did not write it
            raise RecordError(
                f"The {what} of {recorded.model.id!r} here are not those of the record (sha256 {here[:12]}, recorded "
                f"{then[:12]}). Give the recorded model with --model."
            )
    target = recorded.target
    contrast_or_value = target.scale in ("logit_difference", "value")
    searched, tested = recorded.phrase_settings, recorded.test_settings
    plan = Plan.for_text(
        recorded.text,
        recorded.text_pair,
        methods=tuple(make(METHODS[one.method], _completed(one.method, one.params)) for one in recorded.attributions),
        phrases=make(PhraseSettings, _completed("key_phrases", searched)) if searched else None,
        tests=TrialSettings.from_record(tested) if tested else None,
        analyses=(make(SimilarityAttribution, recorded.similarity.params),) if recorded.similarity else (),
        label=target.label,
        against=target.against,
        scale=None if contrast_or_value else target.scale,
        position=target.positions[0] if target.positions else None,
    )
    again = report_of(engine.results(plan, model, meter), model)
    if recorded.rationale is not None:
        again = dataclasses.replace(again, rationale=plausibility(again, recorded.rationale.words))
    return compare(recorded, again)


def _completed(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded settings, with those that the record lacks as they were before they could be set."""
    return _BEFORE.get(name, {}) | dict(settings)


_HASHES = {
    "weight_sha256": "weights",
    "settings_sha256": "configuration, labels or vocabulary",
    "files_sha256": "configuration, labels or tokenizer files",
}

# What a second run may have otherwise: when and how long, on what versions, and where the model lies.
# A percentile follows from a figure and its controls, which are compared: it leaps where two are all but equal.
# What texts are called is no finding, and older records don't tell.
_LEFT_OUT = {"created", "seconds", "passes", "versions", "id", "revision", "percentile", "text_names"}


def compare(recorded: Report, again: Report) -> Difference:
    """Compare two reports, number by number and word by word; a number that is none (NaN) differs from everything."""
    before, after = to_record(recorded), to_record(again)
    if not recorded.model.files_sha256:  # an earlier version wrote it
        del before["model"]["files_sha256"], after["model"]["files_sha256"]
    found = _Comparison()
    if recorded.phrases and recorded.empty_text is None:  # an older record, whose flags say something else
        for record in (before, after):
            record["empty_text"] = None
            for phrase in record["phrases"]:
                phrase["sufficient"] = phrase["necessary"] = None
    if before["phrase_settings"]:
        before["phrase_settings"] = _completed("key_phrases", before["phrase_settings"])
    for one in before["attributions"]:
        one["params"] = _completed(one["method"], one["params"])
    # Edges and a vocabulary's words are the strongest of many; which of two equally strong comes last may differ.
    for record in (before, after):
        record["edges"] = _by_place(record["edges"])
    alike = [("edges", *_keep_shared(before["edges"], after["edges"]))]
    for one, other in zip(before["prediction"]["outputs"], after["prediction"]["outputs"]):
        if one["listed_of"] and other["listed_of"]:
            one["labels"], other["labels"] = _by_word(one), _by_word(other)
            alike.append(("prediction.outputs", *_keep_shared(one["labels"], other["labels"])))
    found.walk("", before, after)
    for place, shared, most in alike:
        if shared < 0.9 * most:
            found.differ(place)
    return Difference(found.largest, found.where, found.same, found.compared)


def _by_place(edges: list[dict[str, Any]]) -> dict[str, float]:
    return {f"{edge['layer']}: {edge['to']} <- {edge['source']}": edge["weight"] for edge in edges}


def _by_word(output: dict[str, Any]) -> dict[str, list[float]]:
    """Each listed word with its numbers, which are taken out of the output."""
    columns = zip(*output.pop("logits"), *(output.pop("probabilities") or ()))
    return {label: list(column) for label, column in zip(output["labels"], columns)}


def _keep_shared(before: dict[str, Any], after: dict[str, Any]) -> tuple[int, int]:
    """Take out what only one of them has; returns how many are left, and how many the larger one had."""
    most = max(len(before), len(after))
    shared = before.keys() & after.keys()
    for entries in (before, after):
        for name in entries.keys() - shared:
            del entries[name]
    return len(shared), most


class _Comparison:
    """Walks two trees of JSON values side by side."""

    def __init__(self) -> None:
        self.largest = 0.0
        self.where = ""
        self.same = True
        self.compared = 0

    def differ(self, place: str) -> None:
        if self.same:
            self.where = place
        self.same = False

    def walk(self, place: str, before: Any, after: Any) -> None:
        if isinstance(before, dict) and isinstance(after, dict):
            names = (before.keys() | after.keys()) - _LEFT_OUT
            for name in sorted(names):
                if name in before and name in after:
                    self.walk(f"{place}.{name}".lstrip("."), before[name], after[name])
                else:
                    self.differ(f"{place}.{name}")
        elif isinstance(before, list) and isinstance(after, list):
            if len(before) != len(after):
                self.differ(place)
            for number, (one, other) in enumerate(zip(before, after)):
                self.walk(f"{place}[{number}]", one, other)
        elif _measured(before) and _measured(after) and float in (type(before), type(after)):
            self.compared += 1
            difference = abs(before - after)
            if not difference <= self.largest:
                self.largest = difference if difference == difference else float("inf")
                if self.same:
                    self.where = place
        elif type(before) is not type(after) or before != after:
            self.differ(place)


def _measured(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read(path: str | Path) -> Report:
    """Read a report from a file; see `from_json`."""
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not UTF-8 text, so it is no report.") from error
    except ValueError as error:  # a zero byte, half a character
        raise RecordError(f"{str(path)!r} can't be read: no file can have that name.") from error
