"""Datatypes as JSON values, field by field."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from explain.datatypes.decoding import left_away


def encode(value: Any) -> Any:
    """Return a datatype as JSON values; fields that are written elsewhere in a record are left away.

    >>> encode(np.array([1.5, 2.0]))
    [1.5, 2.0]
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        omitted = left_away(type(value))
        names = (field.name for field in dataclasses.fields(value) if field.name not in omitted)
        return {name: encode(getattr(value, name)) for name in names}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isnan(value).any():
        holes = value.astype(object)
        holes[np.isnan(value)] = None  # JSON has no NaN
        return holes.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): encode(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [encode(part) for part in value]
    return value
