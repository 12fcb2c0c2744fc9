"""Neuron words: highest activations of one neuron in a set of texts, each with its context.

Limits of such lists: Bolukbasi et al. (2021), https://arxiv.org/abs/2104.07143.
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

    def data(self, words: NeuronWords, /, *, neuron: Neuron | None = None, **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            neuron: whose places are listed; by default the first one's.
        """
        neuron = neuron or Neuron(0, 0)
        places = words.of(neuron)
        mean, active = (float(values[neuron.layer, neuron.number]) for values in (words.means, words.active))
        read = len(words.texts) - words.awaited
        skipped = f"{words.skipped} texts could not be read." if words.skipped else ""
        awaited = f"So far: {words.awaited:,} more texts are still to be read." if words.awaited else ""
        return {
            "title": f"Neuron {neuron}",
            "rows": [
                {"value": round(activation, 5), "text": words.numbers[line], **in_context(words.texts[line], token)}
                for line, token, activation in places
            ],
            "largest": max((activation for *_, activation in places), default=0.0),
            "note": sentence(
                awaited,
                f"The highest activations of neuron {neuron} in {read:,} texts, one place a text, special "
                f"tokens left out; the number on the right is that of the line it stands in. Over all {words.seen:,} "
                f"pieces its mean is {mean:+.3f}, and {active:.0%} are above zero.",
                skipped,
                f"Of {words.partly:,} texts only the beginning was read: they are longer than the model reads at once."
                if words.partly
                else "",
                "Where it is highest is not all it does: other texts may show another picture of the same neuron "
                "(Bolukbasi et al. 2021).",
            ),
            "caption": f"Highest activations of neuron {neuron} in {len(words.texts):,} texts",
        }


def in_context(tokens: Tokens, token: int) -> dict[str, str]:
    """Return the word around a token, and the characters before and after it: "word", "before", "after"."""
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
