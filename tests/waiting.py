"""How tests wait: for what they need, as long as it takes."""

import time
from collections.abc import Callable

PATIENCE = 240  # seconds until what is awaited counts as missing: the machine may do other things


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not hold within `PATIENCE`.
    """
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, f"this did not come in {PATIENCE} seconds: {condition}"
        time.sleep(0.02)
