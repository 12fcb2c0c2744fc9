"""Neuron words: where in a set of texts one neuron gives most, each place with what stands around it.

What such lists can't tell: Bolukbasi et al. (2021), https://arxiv.org/abs/2104.07143.
"""

from typing import Any

from explain.datatypes import Neuron, NeuronWords, Tokens
from explain.views.base import VIEWS, View, sentence, visible
from explain.views.layer_graph import token_text

AROUND = 60  # characters shown on each side of the word


class NeuronWordsList(View):
    """A line for each place: the activation, and the word in its text."""

    name = "neuron_words"
    title = "Words of a set"
    accepts = NeuronWords

    def data(self, result: NeuronWords, *, neuron: Neuron | None = None, **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            neuron: whose places are listed; by default the first one's.
        """
        neuron = neuron or Neuron(0, 0)
        places = result.of(neuron)
        mean, active = (float(values[neuron.layer, neuron.number]) for values in (result.means, result.active))
        read = len(result.texts) - result.awaited
        skipped = f"{result.skipped} texts could not be read." if result.skipped else ""
        awaited = f"So far: {result.awaited:,} more texts are still to be read." if result.awaited else ""
        return {
            "title": f"Neuron {neuron}",
            "rows": [
                {"value": round(value, 5), "text": result.numbers[line], **in_context(result.texts[line], token)}
                for line, token, value in places
            ],
            "largest": max((value for *_, value in places), default=0.0),
            "note": sentence(
                awaited,
                f"The highest activations of neuron {neuron} in {read:,} texts, one place a text, special "
                f"tokens left out; the number on the right is that of the line it stands in. Over all {result.seen:,} "
                f"pieces its mean is {mean:+.3f}, and {active:.0%} are above zero.",
                skipped,
                f"Of {result.partly:,} texts only the beginning was read: they are longer than the model reads at once."
                if result.partly
                else "",
                "Where it is highest is not all it does: other texts may show another picture of the same neuron "
                "(Bolukbasi et al. 2021).",
            ),
            "caption": f"Highest activations of neuron {neuron} in {len(result.texts):,} texts",
        }


def in_context(tokens: Tokens, token: int) -> dict[str, str]:
    """The word around a token, and the characters before and behind it: "word", "before", "after"."""
    segment, start, stop = tokens.unit_span(tokens.word_around(token))
    if start == stop:
        return {"before": "", "word": visible(token_text(tokens, token)), "after": ""}
    text = tokens.texts[segment]
    first, last = max(0, start - AROUND), min(len(text), stop + AROUND)
    return {
        "before": visible(("\u2026" if first else "") + text[first:start]),
        "word": visible(text[start:stop]),
        "after": visible(text[stop:last] + ("\u2026" if last < len(text) else "")),
    }


VIEWS.register("neuron_words")(NeuronWordsList())
