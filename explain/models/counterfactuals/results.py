"""The three results of a search: re-decided from the rendered text, with the figures a reader judges them by."""

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np

from explain.datatypes import Counterfactual, Tokens
from explain.models.counterfactuals.edited_texts import EditedTexts, Edits
from explain.models.counterfactuals.search import CERTIFIED, Outcome, Search

SPEAKS = 0.5  # nats, from which words count as speaking for an answer
RATED = 2  # sets that flip, whose likelihood is measured
FINAL_PASSES = 3  # of one result: its decision, and its words alone, before and after


def three_results(search: Search, flipping: Sequence[Outcome], robust: Sequence[Outcome]) -> tuple[Counterfactual, ...]:
    """Return the edits that are fewest, most fluent and most robust; those that are several of these once.

    Fewest edits: then the most likely text. Most fluent: the most likely text of all. Most robust: of the sets whose
    words say most by themselves, the smallest; where there is none, the flipping set whose words say most.
    """
    rated = _rated(search, flipping, robust)
    if not rated:
        return ()
    flips = [outcome for outcome in rated if outcome in flipping]
    chosen: dict[Edits, list[str]] = {}
    fewest = min(flips or rated, key=lambda outcome: (len(outcome.edits), -rated[outcome]))
    fluent = max(rated, key=lambda outcome: rated[outcome])
    sturdy = max([outcome for outcome in rated if outcome in robust] or rated, key=lambda outcome: outcome.evidence)
    for kind, outcome in (("fewest_edits", fewest), ("most_fluent", fluent), ("most_robust", sturdy)):
        chosen.setdefault(outcome.edits, []).append(kind)
    by_edits = {outcome.edits: outcome for outcome in rated}
    original = likelihood(search, ())
    return tuple(
        _counterfactual(search, by_edits[edits], tuple(kinds), original - rated[by_edits[edits]])
        for edits, kinds in chosen.items()
    )


def likelihood_passes(search: Search, edits: Edits) -> int:
    """Return the passes that `likelihood` takes."""
    segments = sorted({place.segment for place in search.places})
    rendered = search.texts.texts(edits)
    return sum(search.words.likelihood_passes(rendered[number]) for number in segments)


def likelihood(search: Search, edits: Edits) -> float:
    """Return the sum over the edited texts of the mean log-probability of their pieces."""
    segments = sorted({place.segment for place in search.places})
    rendered = search.texts.texts(edits)
    return sum(search.words.pseudo_log_likelihood(rendered[number], search.texts.meter) for number in segments)


def _rated(search: Search, flipping: Sequence[Outcome], robust: Sequence[Outcome]) -> dict[Outcome, float]:
    """Return the sets worth showing with the likelihood of their texts, as many as the budget allows."""
    listed = [*flipping[:1], *robust[:1], *flipping[1:RATED]]
    unique = list({outcome.edits: outcome for outcome in listed}.values())
    left = search.texts.left - likelihood_passes(search, ())  # that of the text as it was comes last
    rated = {}
    for outcome in unique:
        left -= likelihood_passes(search, outcome.edits) + FINAL_PASSES
        if left < 0:
            break
        rated[outcome] = likelihood(search, outcome.edits)
    return rated


def _counterfactual(search: Search, outcome: Outcome, kinds: tuple[str, ...], less_likely: float) -> Counterfactual:
    texts, edits = search.texts, outcome.edits
    rendered = texts.texts(edits)
    prediction = texts.model.predict(texts.model.encode(*rendered), texts.meter)
    alone = texts.alone(edits)
    return Counterfactual(
        kinds=kinds,
        edits=edits,
        texts=rendered,
        label=prediction.label,
        probability=prediction.confidence,
        margin=float(texts.margin(np.array([texts.model.value(prediction, texts.target)]))[0]),
        path=_path(texts, edits),
        certified=outcome.certified,
        least_margin=_largest_smaller(texts, edits),
        evidence=outcome.evidence,
        alone=alone,
        artefact=min(alone, outcome.evidence) < SPEAKS,
        perplexity_ratio=float(np.exp(less_likely)),
        words_changed=len(edits) / words_in(texts.tokens, {place.segment for place in search.places}),
        untried=outcome.untried,
    )


def words_in(tokens: Tokens, segments: Collection[int]) -> int:
    """Return the number of words, marks included, in some of the texts."""
    return sum(tokens.unit_span(unit)[0] in segments for unit in tokens.word_units())


def _path(texts: EditedTexts, edits: Edits) -> tuple[float, ...]:
    """Return the margins on the way, where every smaller set was run; else at its ends."""
    steps = [edits[:count] for count in range(len(edits) + 1)]
    if not all(map(texts.known, steps)):
        steps = [(), edits]
    return tuple(texts.margins(steps).tolist())


def _largest_smaller(texts: EditedTexts, edits: Edits) -> float:
    """Return the largest margin of a smaller set of these edits among those that were run."""
    sizes = range(len(edits)) if len(edits) <= CERTIFIED else (0, len(edits) - 1)
    smaller = [part for size in sizes for part in combinations(edits, size)]
    return float(texts.margins([part for part in smaller if texts.known(part)]).max())
