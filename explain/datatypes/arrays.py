"""Read-only arrays as fields of frozen dataclasses, each shape checked when it is set."""

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def set_array(owner: object, name: str, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.float64) -> None:
    """Turn a field into a read-only array of `shape` (None: any length); a copy, so that nobody else can write it."""
    array = np.array(getattr(owner, name), dtype=dtype)
    if array.size == 0 and 0 in shape:
        array = array.reshape([length or 0 for length in shape])
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape))
    if not fits:
        raise ValueError(f"{type(owner).__name__}.{name} has shape {array.shape}; expected {shape}.")
    array.flags.writeable = False
    object.__setattr__(owner, name, array)


def check_finite(owner: object, *names: str) -> None:
    """Refuse fields that hold an infinite number or NaN.

    Raises:
        ValueError: a field is not finite; its name is in the message.
    """
    for name in names:
        numbers = getattr(owner, name)
        if numbers is not None and not np.isfinite(numbers).all():
            raise ValueError(f"{type(owner).__name__}.{name} is not finite.")


def freeze_mapping(owner: object, name: str) -> None:
    """Turn a field into a read-only copy of its mapping."""
    object.__setattr__(owner, name, MappingProxyType(dict(getattr(owner, name))))
