"""Sizes of results in memory."""

import dataclasses
from collections.abc import Mapping
from typing import Any

_COUNTED = 2000  # of a long list, whose sizes are looked at


def size_of(value: Any) -> int:
    """Return the bytes that a result holds: arrays exactly, a hundred for anything else, long lists by a part."""
    if isinstance(nbytes := getattr(value, "nbytes", None), int):  # an array
        return nbytes + 100
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return 100 + sum(size_of(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return 100 + sum(size_of(part) for part in value.values())
    if isinstance(value, tuple | list):
        counted = value[:: -(-len(value) // _COUNTED) or 1]
        return 100 + round(sum(map(size_of, counted)) * len(value) / max(1, len(counted)))
    return 100 + (len(value) if isinstance(value, str) else 0)
