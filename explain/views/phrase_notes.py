"""Sentences beside key phrases: notes on a phrase, and the decision of the model without any words."""

from explain.datatypes import NO_ANSWER, EmptyText, Phrase, Report, Target, Tokens
from explain.views.base import percent, visible


def phrase_notes(phrase: Phrase, tokens: Tokens) -> list[str]:
    """Return the notes on a phrase beside its score."""
    flags = (("enough alone", phrase.sufficient), ("needed", phrase.necessary))
    part = f"part of \u201c{visible(whole_text(phrase, tokens))}\u201d" if phrase.part_of else ""
    return [words for words, holds in ((part, phrase.part_of), *flags) if holds]


def whole_text(phrase: Phrase, tokens: Tokens) -> str:
    """Return the text of the phrase that this is a part of; empty where it is none."""
    words = tokens.word_units()[slice(*phrase.part_of)] if phrase.part_of else ()
    return tokens.unit_text([token for word in words for token in word]) if words else ""


def empty_sentence(report: Report) -> str:
    """Return a sentence on the decision of the model without any words; empty where that was not computed."""
    empty = report.empty_text
    if empty is None:
        return ""
    prediction, target = report.prediction, report.target
    lead = _lead(prediction.tokens, target)
    if empty.confidence is None:
        full = float(prediction.output.logits[0, target.index])
        return f"{lead}, the model gives {empty.value:+.3f}; for this text it gives {full:+.3f}."
    words = prediction.output.listed_of is not None  # else a vocabulary's "." would end the sentence
    return f"{lead}, {_decision(empty, target, quoted=words)} ({percent(empty.confidence)})."


def _lead(tokens: Tokens, target: Target) -> str:
    """Return the start of a sentence: which words are left, those that the target is read at, if any."""
    stretches: list[list[int]] = []
    for token in target.protected:
        if tokens.special[token]:
            continue
        if stretches and token == stretches[-1][-1] + 1:
            stretches[-1].append(token)
        else:
            stretches.append([token])
    if not stretches:
        return "With no words at all"
    texts = map(tokens.unit_text, stretches)
    return "With nothing but " + " and ".join(f"\u201c{visible(text)}\u201d" for text in texts)


def _decision(empty: EmptyText, target: Target, quoted: bool) -> str:
    already = "already " if empty.same_decision else ""
    if empty.label is None:
        return f"{visible(target.label)} is not there" + (" either" if empty.same_decision else "")
    label = f"\u201c{visible(empty.label)}\u201d" if quoted else visible(empty.label)
    if target.task != "question_answering":
        return f"the model {already}says {label}"
    if empty.label == NO_ANSWER:
        return f"the model {already}finds no answer"
    if empty.same_decision:
        return f"the model already picks {label}"
    return "the model picks another place"
