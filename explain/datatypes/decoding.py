"""Datatypes from JSON values that anyone may have written.

Every value is checked against the type of its field, all the way down: a number is no text, an array holds numbers of
its kind, every number is finite.
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
    """JSON values of a document.

    Raises:
        RecordError: it is no JSON.
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
    """The types of a dataclass's fields, by name."""
    return typing.get_type_hints(cls)


@functools.cache
def left_away(cls: type) -> frozenset[str]:
    """Return the fields that a record does not hold: its report's text and target, all numbers of a vocabulary."""
    if cls is Output:
        return frozenset({"every_logit"})
    if cls is Report:
        return frozenset()
    return frozenset(name for name, hint in hints_of(cls).items() if hint in (Tokens, Target))


def decode(hint: Any, value: Any, place: str, shared: Mapping[str, Any] | None = None) -> Any:
    """A value of a type, from JSON values.

    Args:
        place: where the value stands, for messages.
        shared: fields that are written once for several parts, by name.

    Raises:
        RecordError: the value is not of the type.
    """
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return decode_object(typing.cast(type, hint), value, place, shared or {})
    if origin is np.ndarray:
        return _decode_array(hint, value, place)
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), value, place, shared)
    if origin is not None and issubclass(origin, Mapping):
        expect(isinstance(value, dict), place, value, "an object")
        inner = typing.get_args(hint)[1]
        return {_text(name, place): decode(inner, part, f"{place}.{shown_value(name)}") for name, part in value.items()}
    if hint is Any:
        check_json(value, place, 0)
        return value
    kinds, what = _SCALARS[hint]
    expect(type(value) in kinds, place, value, what)
    check_json(value, place, 0)
    return float(value) if hint is float else value


def decode_object(
    cls: type,
    value: Any,
    place: str,
    shared: Mapping[str, Any],
    decoded: Mapping[str, Any] = types.MappingProxyType({}),
) -> Any:
    expect(isinstance(value, dict), place, value, "an object")
    hints = hints_of(cls)
    own = {name: part for name, part in shared.items() if name in left_away(cls)}
    known = [field for field in dataclasses.fields(cls) if field.name not in left_away(cls)]
    names = {field.name for field in known}
    for name in value:
        require(name in names, place, f"it has no field {shown_value(name)}")
    for field in known:
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        require(field.name in value or not needed, place, f"it lacks {field.name!r}")
    within = f"{place}." if place else ""
    undefined = getattr(cls, "may_be_nan", ())
    parts = {
        name: decoded[name]
        if name in decoded
        else _decode_array(hints[name], part, f"{within}{name}", undefined=True)
        if name in undefined
        else decode(hints[name], part, f"{within}{name}", shared)
        for name, part in value.items()
    }
    try:
        return cls(**parts, **own)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        require(False, place, str(error))


def _decode_array(hint: Any, value: Any, place: str, *, undefined: bool = False) -> np.ndarray:
    """Return an array; where numbers may be undefined, null stands for NaN."""
    kind = typing.get_args(typing.get_args(hint)[1])[0]
    kinds, what = _KINDS[kind]
    kinds = (*kinds, type(None)) if undefined else kinds
    _check_leaves(value, place, kinds, what, 0)
    expect(isinstance(value, list | tuple), place, value, "a list")
    try:
        return np.array(value, dtype=np.float64 if kind is np.floating else kind)
    except (ValueError, OverflowError) as error:
        raise RecordError(f"The report can't be read: {place} is no array: its lines differ in length.") from error


def _check_leaves(value: Any, place: str, kinds: tuple[type, ...], what: str, depth: int) -> None:
    if isinstance(value, list | tuple):
        require(depth < _DEEPEST, place, "its lists are nested too deep")
        for part in value:
            _check_leaves(part, place, kinds, what, depth + 1)
        return
    expect(type(value) in kinds, place, value, what)
    check_json(value, place, depth)


def _decode_tuple(inner: tuple[Any, ...], value: Any, place: str, shared: Mapping[str, Any] | None) -> tuple[Any, ...]:
    expect(isinstance(value, list | tuple), place, value, "a list")
    if inner[-1] is Ellipsis:
        inner = (inner[0],) * len(value)
    require(len(value) == len(inner), place, f"it has {len(value)} entries; expected {len(inner)}")
    return tuple(
        decode(hint, part, f"{place}[{number}]", shared) for number, (hint, part) in enumerate(zip(inner, value))
    )


def check_json(value: Any, place: str, depth: int) -> None:
    """Check that a value is JSON that can be written again: finite numbers, whole characters, no endless nesting."""
    if isinstance(value, dict):
        require(depth < _DEEPEST, place, "its objects are nested too deep")
        for name, part in value.items():
            check_json(part, f"{place}.{_text(name, place)}", depth + 1)
    elif isinstance(value, list | tuple):
        require(depth < _DEEPEST, place, "its lists are nested too deep")
        for number, part in enumerate(value):
            check_json(part, f"{place}[{number}]", depth + 1)
    elif isinstance(value, str):
        _text(value, place)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        expect(abs(value) <= _LARGEST_INTEGER, place, value, "a smaller number")
    else:
        expect(isinstance(value, float), place, value, "a JSON value")
        expect(math.isfinite(value) and abs(value) <= LARGEST, place, value, "a number that can be reckoned with")


def _text(value: Any, place: str) -> str:
    expect(isinstance(value, str), place, value, "text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        require(False, place, "it holds half a character")
    return str(value)


def expect(holds: bool, place: str, value: Any, what: str) -> None:
    if not holds:
        require(False, place, f"it is {shown_value(value)}; expected {what}")


def require(holds: bool, place: str, wrong: str) -> None:
    if not holds:
        short = wrong.rstrip(".") if len(wrong) < 300 else f"{wrong[:300]} ..."
        raise RecordError(f"The report can't be read: {place or 'the report'}: {short}.")


def shown_value(value: Any) -> str:
    """A value for a message: short, whatever it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_INTEGER:
        return "a number of very many digits"
    if isinstance(value, dict | list | tuple):
        return {dict: "an object", list: "a list", tuple: "a list"}[type(value)]
    return repr(value if not isinstance(value, str) else value[:60])
