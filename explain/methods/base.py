"""What an attribution method is: a frozen dataclass whose fields are its knobs.

A new method is one file in this package:

    @METHODS.register("my_method")
    @dataclass(frozen=True, kw_only=True)
    class MyMethod(Method):
        name: ClassVar[str] = "my_method"
        ...
        steps: int = knob(64, low=8, high=512, help="Points on the path.")

        def cost(self, tokens): ...
        def attribute_batch(self, model, items, meter): ...

Widgets, flags, cache keys, report entries, the method's card and its contract tests follow from that.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from explain.datatypes import Attribution, Passes, Target, Tokens
from explain.knobs import check_knobs, settings_of
from explain.meter import Meter
from explain.models.base import TextModel
from explain.registry import Registry

METHODS: Registry[type["Method"]] = Registry("method", "explain.methods")

Item = tuple[Tokens, Target]


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """Base of all methods.

    Class attributes:
        name, title: the registry's name, and a reader's.
        meaning: one line: what a score of this method says.
        limits: one or two lines: what it does not say.
        signed: scores below zero mean "against the target".
        additive: scores of a word's pieces may be added up.
        complete: scores sum to F(text) - F(baseline), up to the gap that is reported.
        needs: "gradients" and/or "attention", where the model must offer them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    limits: ClassVar[str]
    signed: ClassVar[bool]
    additive: ClassVar[bool]
    complete: ClassVar[bool]
    needs: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        check_knobs(self)

    @abstractmethod
    def cost(self, tokens: Tokens) -> int:
        """Most passes it may spend on a text; a backward pass counts as one forward."""

    @abstractmethod
    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        """Attribute several texts; what can be batched over texts is."""

    def attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> Attribution:
        """Attribute one text."""
        return self.attribute_batch(model, [(tokens, target)], meter)[0]

    def _result(
        self,
        item: Item,
        units: Sequence[Sequence[int]],
        scores: Any,
        *,
        output: float,
        watch: "Stopwatch",
        passes: Passes | None = None,
        granularity: str = "token",
        scale: str | None = None,
        baseline_output: float | None = None,
        diagnostics: dict[str, Any] | None = None,
    ) -> Attribution:
        tokens, target = item
        return Attribution(
            tokens=tokens,
            target=target,
            units=tuple(tuple(unit) for unit in units),
            scores=scores,
            granularity=granularity,
            scale=scale or target.scale,
            signed=self.signed,
            additive=self.additive,
            method=self.name,
            output=output,
            baseline_output=baseline_output,
            params=settings_of(self),
            passes=passes or watch.meter.spent,
            seconds=watch.seconds,
            diagnostics=diagnostics or {},
        )


class Stopwatch:
    """Time and passes of one attribution; its meter passes everything on to the meter of the whole work."""

    def __init__(self, meter: Meter | None) -> None:
        self.meter = _Relay(meter)
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began


class _Relay(Meter):
    def __init__(self, above: Meter | None) -> None:
        super().__init__()
        self._above = above

    def tick(self, *, forward: int = 0, backward: int = 0, positions: int = 0) -> None:
        super().tick(forward=forward, backward=backward, positions=positions)
        if self._above is not None:
            self._above.tick(forward=forward, backward=backward, positions=positions)
