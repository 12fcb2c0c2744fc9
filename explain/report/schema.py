"""The JSON Schemas of a report and of a comparison, generated from the datatypes and the registry of analyses."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from explain.analyses.base import ANALYSES
from explain.core.settings import Setting, settings_of
from explain.datatypes import (
    Answer,
    Comparison,
    Counterfactual,
    ModelRecord,
    Phrase,
    Prediction,
    Report,
    Target,
    Tokens,
    WordEdit,
    WordEditList,
)
from explain.datatypes.decoding import hints_of, omitted_fields
from explain.models.analysis import TEXTS, Analysis
from explain.report import side_by_side
from explain.report.migration import SCHEMA

_OPTIONAL: dict[type, tuple[str, ...]] = {  # earlier reports lack these
    Report: ("rationale", "test_settings", "empty_text", "answers", "arithmetic"),
    Tokens: ("begins_at", "heads", "text_names"),
    Prediction: ("labels", "spans", "window"),
    Target: ("protected",),
    ModelRecord: ("files_sha256",),
    Phrase: ("part_of",),
    Counterfactual: ("untried",),
    WordEdit: ("labels",),
    WordEditList: ("labels",),
}
_NAMES: dict[Any, str] = {str: "string", float: "number", int: "integer", bool: "boolean", type(None): "null"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a report."""
    definitions: dict[str, Any] = {}
    body = _schema(Report, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA}.schema.json",
        "title": "One text explained",
        **body,
        "$defs": definitions,
    }


def comparison_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a comparison; it refers to that of a report, whose file lies beside its own."""
    report = {"$ref": f"{SCHEMA}.schema.json"}
    definitions: dict[str, Any] = {"Report": {}}  # an entry, so that no report is described again
    body = _schema(Comparison, definitions)
    definitions["Report"] = report
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{side_by_side.SCHEMA}.schema.json",
        "title": "Two explanations side by side",
        **body,
        "$defs": definitions,
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if isinstance(hint, types.UnionType):
        return {"anyOf": [_schema(part, definitions) for part in typing.get_args(hint)]}
    if hint is Answer:
        return _any_answer(definitions)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint, definitions)
    if origin is np.ndarray:  # of any number of axes
        return {"type": "array"}
    if origin is tuple:
        inner = typing.get_args(hint)
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _schema(inner[0], definitions)}
        return {"type": "array", "prefixItems": [_schema(part, definitions) for part in inner], "items": False}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object"}
    return {"type": _NAMES[hint]} if hint in _NAMES else {}


def _object(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # a type may hold itself
        fields = dataclasses.fields(cls)
        names = [field.name for field in fields if field.name not in omitted_fields(cls)]
        definitions[cls.__name__] = {
            "type": "object",
            "description": (cls.__doc__ or "").split("\n\n")[0],
            "properties": {name: _schema(hints_of(cls)[name], definitions) for name in names},
            "required": [name for name in names if name not in _OPTIONAL.get(cls, ())],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _any_answer(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer: an alternative for each registered analysis of a text or a model."""
    if "Answer" not in definitions:
        definitions["Answer"] = {}
        recorded = [analysis for analysis in ANALYSES.values() if analysis.subject != TEXTS]
        definitions["Answer"] = {
            "description": (Answer.__doc__ or "").split("\n\n")[0],
            "anyOf": [_answer(analysis, definitions) for analysis in recorded],
        }
    return {"$ref": "#/$defs/Answer"}


def _answer(analysis: type[Analysis[Any, Any]], definitions: dict[str, Any]) -> dict[str, Any]:
    settings = settings_of(analysis)
    return {
        "type": "object",
        "description": analysis.meaning,
        "properties": {
            "analysis": {"const": analysis.name},
            "settings": {
                "type": "object",
                "properties": {setting.name: _setting(setting) for setting in settings},
                "additionalProperties": False,
            },
            "result": _schema(analysis.returns, definitions),
        },
        "required": ["analysis", "settings", "result"],
        "additionalProperties": False,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": setting.help}
    if setting.codec is not None:
        return schema
    if setting.choices:
        return schema | {"enum": [*setting.choices, *([None] if setting.optional else [])]}
    kind = _NAMES[setting.type]
    bounds = {"minimum": setting.low, "maximum": setting.high}
    limits = {name: bound for name, bound in bounds.items() if bound is not None}
    return schema | {"type": [kind, "null"] if setting.optional else kind} | limits
