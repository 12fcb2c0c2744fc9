"""Migration of records of earlier schemas to the present one, before they are read."""

from collections.abc import Mapping
from typing import Any

from explain.core.errors import RecordError

SCHEMA = "explain-report-2"
FIRST = "explain-report-1"

_EMPTYING = (
    *("integrated_gradients", "expected_gradients", "deeplift"),
    *("lime", "kernel_shap", "shapley_values", "owen_values"),
)
# A setting's value before it could be set, for records that lack it.
_EARLIER_SETTINGS: dict[str, dict[str, Any]] = {
    "key_phrases": {"parts": False, "function_words": False, "least_share": 0.0},
    **{name: {"emptied": "together"} for name in _EMPTYING},
    "integrated_gradients": {"emptied": "together", "rule": "nested", "word_tolerance": 0.01},
}


def migrated(record: Any) -> Mapping[str, Any]:
    """Return a record in the present schema.

    Raises:
        RecordError: the record's schema is unknown.
    """
    schema = record.get("schema") if isinstance(record, dict) else type(record).__name__
    if not isinstance(record, dict) or schema not in (SCHEMA, FIRST):
        shown = repr(schema[:60]) if isinstance(schema, str) else type(schema).__name__
        raise RecordError(f"This is no report of schema {SCHEMA!r}; it says {shown}.")
    if schema == FIRST:
        record = _from_first(record)
    if isinstance(record.get("phrase_settings"), dict) and record["phrase_settings"]:
        record = record | {"phrase_settings": completed("key_phrases", record["phrase_settings"])}
    if isinstance(record.get("attributions"), list):
        record = record | {"attributions": [_with_all_settings(part) for part in record["attributions"]]}
    if isinstance(record.get("answers"), list):
        record = record | {"answers": [_with_whole_method(part) for part in record["answers"]]}
    return record


def completed(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded settings, completed by the earlier behavior of settings that the record lacks."""
    return _EARLIER_SETTINGS.get(name, {}) | dict(settings)


def _with_all_settings(attribution: Any) -> Any:
    fits = isinstance(attribution, dict) and isinstance(attribution.get("params"), dict)
    if not fits or not isinstance(attribution.get("method"), str):
        return attribution  # the reader reports what is wrong with it
    return attribution | {"params": completed(attribution["method"], attribution["params"])}


def _with_whole_method(answer: Any) -> Any:
    """Complete the settings of the method that an answer is about, and of its result."""
    settings = answer.get("settings") if isinstance(answer, dict) else None
    method = settings.get("method") if isinstance(settings, dict) else None
    if settings is None or not isinstance(method, dict) or not isinstance(method.get("settings"), dict):
        return answer
    name = str(method.get("name"))
    whole = answer | {"settings": settings | {"method": method | {"settings": completed(name, method["settings"])}}}
    measured = answer.get("result")
    if isinstance(measured, dict) and isinstance(measured.get("params"), dict):
        whole["result"] = measured | {"params": completed(name, measured["params"])}
    return whole


def _from_first(record: dict[str, Any]) -> dict[str, Any]:
    """Move the matrix of two compared texts into the answers; rename the target's protected tokens."""
    later = {name: part for name, part in record.items() if name != "similarity"} | {"schema": SCHEMA}
    target = record.get("target")
    if isinstance(target, dict) and "held" in target:
        later["target"] = {"protected" if name == "held" else name: part for name, part in target.items()}
    matrix = record.get("similarity")
    if matrix is None:
        return later
    settings = matrix.get("params", {}) if isinstance(matrix, dict) else {}
    return later | {"answers": [{"analysis": "similarity", "settings": settings, "result": matrix}]}
