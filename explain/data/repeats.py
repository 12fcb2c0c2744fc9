"""Rows that repeat an earlier one, among any number of rows in a bounded memory."""

import contextlib
import hashlib
import struct
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

import numpy as np

from explain.data.report import MOST_NUMBERS, RowNumbers

_PARTS = 64  # of the hashes, one part being looked at in memory at once
_IN_MEMORY = 1 << 16  # bytes of a part; what is more lies in a temporary file
_ENTRY = struct.Struct("<8sQ")


class Repeats:
    """Keys of rows, each as 8 bytes of a hash and the row's number.

    Of a million rows, two with different keys have one hash with a probability of 3e-8.

    >>> with Repeats() as repeats:
    ...     for number, text in enumerate(("a", "b", "a"), 1):
    ...         repeats.add(number, text)
    ...     repeats.numbers()
    RowNumbers(count=1, first=(3,))
    """

    def __init__(self) -> None:
        self._files = [SpooledTemporaryFile(_IN_MEMORY) for _ in range(_PARTS)]  # noqa: SIM115

    def __enter__(self) -> "Repeats":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the hashes take."""
        with contextlib.ExitStack() as closing:
            for file in self._files:
                closing.callback(file.close)

    def add(self, number: int, key: str) -> None:
        """Keep a row's key."""
        code = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self._files[code[0] % _PARTS].write(_ENTRY.pack(code, number))

    def numbers(self) -> RowNumbers:
        """Return the rows whose key an earlier row has."""
        count, first = 0, np.empty(0, dtype=np.uint64)
        for later in self._later_rows():
            count += len(later)
            first = np.sort(np.concatenate((first, later)))[:MOST_NUMBERS]
        return RowNumbers(count, tuple(first.tolist()))

    def _later_rows(self) -> Iterator["np.ndarray"]:
        """Yield for each part the numbers of its rows that repeat an earlier one."""
        for file in self._files:
            file.seek(0)
            entries = np.frombuffer(file.read(), dtype=[("code", "<u8"), ("number", "<u8")])
            file.seek(0, 2)
            order = np.lexsort((entries["number"], entries["code"]))
            codes = entries["code"][order]
            yield entries["number"][order][1:][codes[1:] == codes[:-1]]
