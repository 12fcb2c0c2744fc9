"""Figures of named entities: F1 of whole spans, as in CoNLL-2003."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.core.errors import DataError
from explain.numerics.statistics import bootstrap_ratio
from explain.training.measure.classification import rates


def need_seqeval() -> None:
    """Raises: DataError: seqeval, which only measuring needs, is not installed."""
    try:
        import seqeval.metrics  # noqa: F401
    except ImportError as error:
        raise DataError(
            "Entities are measured with seqeval, which is not installed: pip install -r requirements-dev.txt."
        ) from error


def span_figures(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Figures of whole entities: one counts as found if type, first and last token are all right (CoNLL-2003).

    Args:
        right (N), predicted (N): each text's tags, "O", "B-PER", "I-PER" ...; read as seqeval reads them, by which an
            I- after another type or after O begins an entity.

    Returns:
        `span_f1` with its 95 % interval (texts drawn anew), `span_precision`, `span_recall`, `by_label` (by type),
        `entities`, `count`.
    """
    from seqeval.metrics.sequence_labeling import get_entities

    pairs = [(set(get_entities(list(one))), set(get_entities(list(other)))) for one, other in zip(right, predicted)]
    kinds = sorted({kind for asked, _ in pairs for kind, *_ in asked})

    def of(kind: str | None) -> Any:
        """Found, asked and told (3, N) of each text, of one type or of all."""
        chosen = [
            tuple({span for span in spans if kind in (None, span[0])} for spans in (asked, told))
            for asked, told in pairs
        ]
        return np.array([(len(asked & told), len(asked), len(told)) for asked, told in chosen]).T

    found, asked, told = of(None)
    total = rates(int(found.sum()), int(asked.sum()), int(told.sum()))
    return {
        "count": len(right),
        "entities": int(asked.sum()),
        "span_f1": total["f1"],
        "span_f1_interval": list(bootstrap_ratio(2.0 * found, (asked + told).astype(float))),
        "span_precision": total["precision"],
        "span_recall": total["recall"],
        "by_label": {kind: rates(*map(int, of(kind).sum(axis=1))) for kind in kinds},
    }


def span_f1(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """The F1 of `span_figures` alone."""
    from seqeval.metrics import f1_score

    return float(f1_score(list(map(list, right)), list(map(list, predicted)), zero_division=0))
