"""One word: its score by each method, its attention to and from other words, its top neuron, and its pieces."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import AttentionMaps, Attribution, Neuron, NeuronActivity, Report
from explain.numerics.grouping import by_unit
from explain.numerics.neurons import most_above_elsewhere
from explain.views.base import VIEWS, View, visible
from explain.views.confidence import calibrated_unit, shown_divisor
from explain.views.token_heatmap import ranks

MOST_PARTNERS = 3  # words that are named for each direction of attention

_OVER = "Mean over all heads of all layers. Special tokens and the word itself are left out."
HINTS = {
    "to": f"The shares of this word's attention that go to other words. {_OVER}",
    "from": f"The shares of other words' attention that go to this word. {_OVER}",
    "neuron": (
        "The neuron that is highest at this word above its mean at the other tokens of this text. That it is high does "
        "not say that it matters."
    ),
}


class WordDetails(View):
    """The word that is picked in any drawing of the group."""

    name = "word_details"
    title = "One word"
    accepts = Report
    alone = False  # it shows the word that is picked in another picture
    placed = True

    def data(
        self,
        report: Report,
        /,
        *,
        group: str = "",
        titles: dict[str, str] | None = None,
        unknown: int | None = None,
        chosen: int | None = None,
        maps: AttentionMaps | None = None,
        activity: NeuronActivity | None = None,
        awaited: bool = False,
        sends: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: the methods' titles.
            unknown: the vocabulary's id for what it does not know.
            chosen: a token of the word that is picked already.
            maps: attention of the same text; activity: its neurons; awaited: whether these are being computed.
            sends: report clicks to the page.
        """
        tokens = report.prediction.tokens
        divisors = {each.method: shown_divisor(report.prediction, each) for each in report.attributions}
        by_method = {each.method: _by_token(each, divisors[each.method] or 1.0) for each in report.attributions}
        words = tokens.word_units()
        inside = _inside(words, maps, activity)
        return {
            "group": group,
            "hints": HINTS,
            "sends": sends,
            "awaited": awaited and activity is None,
            "chosen": [] if chosen is None or not 0 <= chosen < len(tokens) else list(tokens.word_around(chosen)),
            "strongest": _strongest(report, words),
            "methods": {
                attribution.method: {
                    "title": (titles or {}).get(attribution.method, attribution.method),
                    "scale": attribution.scale,
                    "unit": calibrated_unit(attribution, divisors[attribution.method]),
                    "signed": attribution.signed,
                    "largest": max((abs(own[0]) for own in by_method[attribution.method].values()), default=0.0),
                }
                for attribution in report.attributions
            },
            "words": [
                {
                    "text": visible(tokens.unit_text(unit)),
                    "tokens": list(unit),
                    "pieces": [
                        [visible(tokens.pieces[token]), int(tokens.ids[token]), int(tokens.ids[token]) == unknown]
                        for token in unit
                    ],
                    "scores": [[method, *scores[unit[0]]] for method, scores in by_method.items() if unit[0] in scores],
                    **more,
                }
                for unit, more in zip(words, inside)
            ],
        }


def _inside(
    words: Sequence[tuple[int, ...]], maps: AttentionMaps | None, activity: NeuronActivity | None
) -> list[dict[str, Any]]:
    """Return the attention and the top neuron of each word, as far as they are known."""
    attention = [{} for _ in words] if maps is None else _partners(maps, words)
    neurons = [None] * len(words) if activity is None else _top_neurons(activity, words)
    return [{"attention": partners, "neuron": neuron} for partners, neuron in zip(attention, neurons)]


def _partners(maps: AttentionMaps, words: Sequence[tuple[int, ...]]) -> list[dict[str, list[list[float]]]]:
    """Return for each word the words with most attention "to" and "from" it, as [number of the word, share]."""
    shares = by_unit(maps.mean().mean(axis=0), words)
    np.fill_diagonal(shares, 0.0)

    def most(row: Any) -> list[list[float]]:
        order = np.argsort(-row, kind="stable")[:MOST_PARTNERS]
        return [[int(number), round(float(row[number]), 5)] for number in order if row[number] > 0]

    return [{"to": most(shares[number]), "from": most(shares[:, number])} for number in range(len(words))]


def _top_neurons(activity: NeuronActivity, words: Sequence[tuple[int, ...]]) -> list[list[Any]]:
    """Return for each word its top neuron: name, activation there, and its mean at the other tokens."""
    return [
        [str(Neuron(layer, number)), round(here, 4), round(elsewhere, 4)]
        for layer, number, here, elsewhere in most_above_elsewhere(activity.activations, words)
    ]


def _strongest(report: Report, words: Sequence[tuple[int, ...]]) -> int | None:
    """Return the number of the strongest word by the first method with signs, or by the first."""
    ordered = sorted(report.attributions, key=lambda attribution: not attribution.signed)
    return words.index(ordered[0].strongest_word()) if ordered and words else None


def _by_token(attribution: Attribution, divisor: float = 1.0) -> dict[int, tuple[float, int, int, float | None]]:
    """Return for each token: score and rank of its unit, number of units, and half width of the interval.

    Args:
        divisor: scores and widths are divided by it.
    """
    shown = attribution.per_word() if attribution.granularity == "token" and attribution.additive else attribution
    place = ranks(shown)
    return {
        token: (
            float(shown.scores[number]) / divisor,
            place[number],
            len(place),
            None if shown.error is None else float(shown.error[number]) / divisor,
        )
        for number, unit in enumerate(shown.units)
        if number in place
        for token in unit
    }


VIEWS.register("word_details")(WordDetails())
