"""Read-only arrays as fields of frozen dataclasses, each shape checked when it is set."""

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


IntArray = npt.NDArray[np.int64]


BoolArray = npt.NDArray[np.bool_]


def set_array(owner: object, name: str, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.float64) -> None:
    """Turn a field into a read-only array of `shape` (None: any length); a copy, so that nobody else can write it."""
    value = np.array(getattr(owner, name), dtype=dtype)
    if value.size == 0 and 0 in shape:
        value = value.reshape([length or 0 for length in shape])
    fits = value.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, value.shape))
    if not fits:
        raise ValueError(f"{type(owner).__name__}.{name} has shape {value.shape}; expected {shape}.")
    value.flags.writeable = False
    object.__setattr__(owner, name, value)


def check_finite(owner: object, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if value is not None and not np.isfinite(value).all():
            raise ValueError(f"{type(owner).__name__}.{name} is not finite.")


def freeze_mapping(owner: object, name: str) -> None:
    object.__setattr__(owner, name, MappingProxyType(dict(getattr(owner, name))))
