"""Datatypes as JSON values, field by field."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from explain.datatypes.decoding import omitted_fields


def encode(part: Any) -> Any:
    """Return a datatype as JSON values, without fields that are written elsewhere in a record.

    >>> encode(np.array([1.5, 2.0]))
    [1.5, 2.0]
    """
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        omitted = omitted_fields(type(part))
        names = (field.name for field in dataclasses.fields(part) if field.name not in omitted)
        return {name: encode(getattr(part, name)) for name in names}
    if isinstance(part, np.ndarray) and part.dtype.kind == "f" and np.isnan(part).any():
        holes = part.astype(object)
        holes[np.isnan(part)] = None  # JSON has no NaN
        return holes.tolist()
    if isinstance(part, np.ndarray | np.generic):
        return part.tolist()
    if isinstance(part, Mapping):
        return {str(key): encode(inner) for key, inner in part.items()}
    if isinstance(part, tuple | list):
        return [encode(inner) for inner in part]
    return part
