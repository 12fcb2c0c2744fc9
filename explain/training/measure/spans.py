"""Figures of named entities: F1 of whole spans, as in CoNLL-2003."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.core.errors import DataError
from explain.numerics.statistics import bootstrap_ratio
from explain.training.measure.classification import rates


def need_seqeval() -> None:
    """Check that seqeval is installed, which only measuring uses.

    Raises:
        DataError: it is not.
    """
    try:
        import seqeval.metrics  # noqa: F401
    except ImportError as error:
        raise DataError(
            "seqeval, which measures entities, is not installed. Run: pip install -r requirements-dev.txt"
        ) from error


def span_figures(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the figures of whole entities: type, first and last token have to be correct (CoNLL-2003).

    Args:
        right (N), predicted (N): tags of each text, "O", "B-PER", "I-PER" ...; as in seqeval, an I- after another type
            or after O begins an entity.

    Returns:
        `span_f1` with its 95 % interval (bootstrap over texts), `span_precision`, `span_recall`, `by_label` (by type),
        `entities`, `count`.
    """
    from seqeval.metrics.sequence_labeling import get_entities

    pairs = [
        (set(get_entities(list(tags))), set(get_entities(list(predicted_tags))))
        for tags, predicted_tags in zip(right, predicted)
    ]
    kinds = sorted({kind for spans, _ in pairs for kind, *_ in spans})

    def counts(kind: str | None) -> Any:
        """Return hits, entities and predictions (3, N) of each text, of one type or of all."""
        of_kind = [tuple({span for span in spans if kind in (None, span[0])} for spans in of_text) for of_text in pairs]
        return np.array([(len(spans & predictions), len(spans), len(predictions)) for spans, predictions in of_kind]).T

    hits, entities, predictions = counts(None)
    total = rates(int(hits.sum()), int(entities.sum()), int(predictions.sum()))
    return {
        "count": len(right),
        "entities": int(entities.sum()),
        "span_f1": total["f1"],
        "span_f1_interval": list(bootstrap_ratio(2.0 * hits, (entities + predictions).astype(float))),
        "span_precision": total["precision"],
        "span_recall": total["recall"],
        "by_label": {kind: rates(*map(int, counts(kind).sum(axis=1))) for kind in kinds},
    }


def span_f1(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Return the F1 of `span_figures` alone."""
    from seqeval.metrics import f1_score

    return float(f1_score(list(map(list, right)), list(map(list, predicted)), zero_division=0))
