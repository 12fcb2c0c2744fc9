"""Datatypes from JSON values that anyone may have written.

Every value is checked against the type of its field, at every level: texts, numbers and arrays of the right kind, and
all numbers finite.
"""

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from explain.core.errors import RecordError
from explain.datatypes.prediction import Output, Target
from explain.datatypes.report import Report
from explain.datatypes.tokens import Tokens

LARGEST = 1e100  # of any number, so that sums and products of many stay finite
_LARGEST_INTEGER = 2**63 - 1
_DEEPEST = 40  # lists and objects in one another
_SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((float, int), "a number"),
}
_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    np.floating: ((float, int), "a number"),
    np.int64: ((int,), "a whole number"),
    np.bool_: ((bool,), "true or false"),
}


def parse(document: str) -> Any:
    """Return the JSON values of a document.

    Raises:
        RecordError: the document is no JSON.
    """
    try:
        return json.loads(document, parse_constant=_no_number)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise RecordError(f"The report is no JSON: {error}.") from error


def _no_number(name: str) -> NoReturn:
    raise RecordError(f"The report can't be read: it holds {name}, which is no number.")


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name."""
    return typing.get_type_hints(cls)


@functools.cache
def omitted_fields(cls: type) -> frozenset[str]:
    """Return the fields that a record does not hold: its report's text and target, all numbers of a vocabulary."""
    if cls is Output:
        return frozenset({"every_logit"})
    if cls is Report:
        return frozenset()
    return frozenset(name for name, hint in hints_of(cls).items() if hint in (Tokens, Target))


def decode(hint: Any, content: Any, place: str, shared: Mapping[str, Any] | None = None) -> Any:
    """Read an object of a type from JSON values.

    Args:
        content: the JSON values; place: the path to them, for messages.
        shared: fields that are written once for several parts, by name.

    Raises:
        RecordError: the content is not of the type.
    """
    if isinstance(hint, types.UnionType):
        if content is None:
            return None
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return decode_object(typing.cast(type, hint), content, place, shared or {})
    if origin is np.ndarray:
        return _decode_array(hint, content, place)
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), content, place, shared)
    if origin is not None and issubclass(origin, Mapping):
        expect(isinstance(content, dict), place, content, "an object")
        inner = typing.get_args(hint)[1]
        return {
            _text(name, place): decode(inner, part, f"{place}.{shown_value(name)}") for name, part in content.items()
        }
    if hint is Any:
        check_json(content, place, 0)
        return content
    kinds, what = _SCALARS[hint]
    expect(type(content) in kinds, place, content, what)
    check_json(content, place, 0)
    return float(content) if hint is float else content


def decode_object(
    cls: type,
    content: Any,
    place: str,
    shared: Mapping[str, Any],
    decoded: Mapping[str, Any] = types.MappingProxyType({}),
) -> Any:
    """Read a dataclass from a JSON object, see `decode`; `decoded` holds fields that were read before."""
    expect(isinstance(content, dict), place, content, "an object")
    hints = hints_of(cls)
    own = {name: part for name, part in shared.items() if name in omitted_fields(cls)}
    known = [field for field in dataclasses.fields(cls) if field.name not in omitted_fields(cls)]
    names = {field.name for field in known}
    for name in content:
        require(name in names, place, f"it has no field {shown_value(name)}")
    for field in known:
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        require(field.name in content or not needed, place, f"it lacks {field.name!r}")
    within = f"{place}." if place else ""
    undefined = getattr(cls, "may_be_nan", ())
    parts = {
        name: decoded[name]
        if name in decoded
        else _decode_array(hints[name], part, f"{within}{name}", undefined=True)
        if name in undefined
        else decode(hints[name], part, f"{within}{name}", shared)
        for name, part in content.items()
    }
    try:
        return cls(**parts, **own)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        require(False, place, str(error))


def _decode_array(hint: Any, numbers: Any, place: str, *, undefined: bool = False) -> np.ndarray:
    """Return an array; where numbers may be undefined, null stands for NaN."""
    kind = typing.get_args(typing.get_args(hint)[1])[0]
    kinds, what = _KINDS[kind]
    kinds = (*kinds, type(None)) if undefined else kinds
    _check_leaves(numbers, place, kinds, what, 0)
    expect(isinstance(numbers, list | tuple), place, numbers, "a list")
    try:
        return np.array(numbers, dtype=np.float64 if kind is np.floating else kind)
    except (ValueError, OverflowError) as error:
        raise RecordError(f"The report can't be read: {place} is no array: its lines differ in length.") from error


def _check_leaves(numbers: Any, place: str, kinds: tuple[type, ...], what: str, depth: int) -> None:
    if isinstance(numbers, list | tuple):
        require(depth < _DEEPEST, place, "its lists are nested too deep")
        for part in numbers:
            _check_leaves(part, place, kinds, what, depth + 1)
        return
    expect(type(numbers) in kinds, place, numbers, what)
    check_json(numbers, place, depth)


def _decode_tuple(inner: tuple[Any, ...], parts: Any, place: str, shared: Mapping[str, Any] | None) -> tuple[Any, ...]:
    expect(isinstance(parts, list | tuple), place, parts, "a list")
    if inner[-1] is Ellipsis:
        inner = (inner[0],) * len(parts)
    require(len(parts) == len(inner), place, f"it has {len(parts)} entries; expected {len(inner)}")
    return tuple(
        decode(hint, part, f"{place}[{number}]", shared) for number, (hint, part) in enumerate(zip(inner, parts))
    )


def check_json(content: Any, place: str, depth: int) -> None:
    """Check JSON values that are to be written again: finite numbers, whole characters, no endless nesting.

    Raises:
        RecordError: the content breaks one of these rules.
    """
    if isinstance(content, dict):
        require(depth < _DEEPEST, place, "its objects are nested too deep")
        for name, part in content.items():
            check_json(part, f"{place}.{_text(name, place)}", depth + 1)
    elif isinstance(content, list | tuple):
        require(depth < _DEEPEST, place, "its lists are nested too deep")
        for number, part in enumerate(content):
            check_json(part, f"{place}[{number}]", depth + 1)
    elif isinstance(content, str):
        _text(content, place)
    elif isinstance(content, bool) or content is None:
        return
    elif isinstance(content, int):
        expect(abs(content) <= _LARGEST_INTEGER, place, content, "a smaller number")
    else:
        expect(isinstance(content, float), place, content, "a JSON value")
        expect(math.isfinite(content) and abs(content) <= LARGEST, place, content, "a number that can be reckoned with")


def _text(content: Any, place: str) -> str:
    expect(isinstance(content, str), place, content, "text")
    try:
        content.encode("utf-8")
    except UnicodeEncodeError:
        require(False, place, "it holds half a character")
    return str(content)


def expect(holds: bool, place: str, content: Any, what: str) -> None:
    """Refuse content that is not of the expected kind.

    Raises:
        RecordError: `holds` is false.
    """
    if not holds:
        require(False, place, f"it is {shown_value(content)}; expected {what}")


def require(holds: bool, place: str, wrong: str) -> None:
    """Refuse a report with a reason.

    Raises:
        RecordError: `holds` is false.
    """
    if not holds:
        short = wrong.rstrip(".") if len(wrong) < 300 else f"{wrong[:300]} ..."
        raise RecordError(f"The report can't be read: {place or 'the report'}: {short}.")


def shown_value(content: Any) -> str:
    """Return a short text of JSON content, for messages."""
    if isinstance(content, int) and not isinstance(content, bool) and abs(content) > _LARGEST_INTEGER:
        return "a number of very many digits"
    if isinstance(content, dict | list | tuple):
        return {dict: "an object", list: "a list", tuple: "a list"}[type(content)]
    return repr(content if not isinstance(content, str) else content[:60])
