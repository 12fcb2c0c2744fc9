"""Records of earlier schemas, turned into records of today's before they are read."""

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
    "key_phrases": {"parts": False},
    **{name: {"emptied": "together"} for name in _EMPTYING},
}


def migrated(record: Any) -> Mapping[str, Any]:
    """Return a record in today's schema.

    Raises:
        RecordError: it is of no schema that is known.
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
    return record


def completed(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded settings, and those that the record lacks as they were before they could be set."""
    return _EARLIER_SETTINGS.get(name, {}) | dict(settings)


def _with_all_settings(attribution: Any) -> Any:
    fits = isinstance(attribution, dict) and isinstance(attribution.get("params"), dict)
    if not fits or not isinstance(attribution.get("method"), str):
        return attribution  # reading says what is wrong with it
    return attribution | {"params": completed(attribution["method"], attribution["params"])}


def _from_first(record: dict[str, Any]) -> dict[str, Any]:
    """Make the matrix of two compared texts one of the answers."""
    later = {name: part for name, part in record.items() if name != "similarity"} | {"schema": SCHEMA}
    matrix = record.get("similarity")
    if matrix is None:
        return later
    settings = matrix.get("params", {}) if isinstance(matrix, dict) else {}
    return later | {"answers": [{"analysis": "similarity", "settings": settings, "result": matrix}]}
