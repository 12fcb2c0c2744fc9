"""Sizes of results in memory."""

import dataclasses
from collections.abc import Mapping
from typing import Any

_COUNTED = 2000  # entries of a long list whose sizes are measured


def size_of(part: Any) -> int:
    """Estimate the bytes of a result: arrays exactly, a hundred for anything else, long lists from a sample."""
    if isinstance(nbytes := getattr(part, "nbytes", None), int):  # an array
        return nbytes + 100
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return 100 + sum(size_of(getattr(part, field.name)) for field in dataclasses.fields(part))
    if isinstance(part, Mapping):
        return 100 + sum(size_of(inner) for inner in part.values())
    if isinstance(part, tuple | list):
        counted = part[:: -(-len(part) // _COUNTED) or 1]
        return 100 + round(sum(map(size_of, counted)) * len(part) / max(1, len(counted)))
    return 100 + (len(part) if isinstance(part, str) else 0)
