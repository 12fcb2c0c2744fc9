"""Sentences beside key phrases: notes on a phrase, whether any speaks for the target, the decision without words."""

from explain.datatypes import NO_ANSWER, EmptyText, Phrase, Report, Target, Tokens
from explain.views.asked_words import quoted
from explain.views.base import percent, target_name, visible

TENTH = 0.1  # the share of the largest effect below which a phrase counts as nothing


def phrase_notes(phrase: Phrase, tokens: Tokens) -> list[str]:
    """Return the notes on a phrase beside its score."""
    flags = (("enough alone", phrase.sufficient), ("needed", phrase.necessary))
    part = f"part of \u201c{visible(whole_text(phrase, tokens))}\u201d" if phrase.part_of else ""
    return [words for words, holds in ((part, phrase.part_of), *flags) if holds]


def whole_text(phrase: Phrase, tokens: Tokens) -> str:
    """Return the text of the phrase that this is a part of; empty where it is none."""
    words = tokens.word_units()[slice(*phrase.part_of)] if phrase.part_of else ()
    return tokens.unit_text([token for word in words for token in word]) if words else ""


def nothing_for(report: Report) -> str:
    """Return a sentence that no phrase speaks for the target; empty where one does, or none was searched for.

    "Nothing in the text" where every word was searched and whatever is at least a tenth of the largest is listed.
    """
    searched = report.phrases or (report.phrase_settings and report.empty_text is not None)
    if not searched or any(phrase.score > 0 for phrase in report.phrases):
        return ""
    tokens, target = report.prediction.tokens, report.target
    name = visible(target_name(target))
    if report.prediction.output.listed_of is not None or target.task == "question_answering":
        name = f"\u201c{name}\u201d"
    kept = quoted(tokens, target)
    where = f"around {kept}" if kept else "in the text"
    return f"{'Nothing ' + where if _lists_all(report) else 'None of the phrases listed'} speaks for {name}."


def _lists_all(report: Report) -> bool:
    """Return whether all words were searched, and no phrase of a tenth of the largest effect is left out."""
    settings = report.phrase_settings
    wholes = sum(phrase.part_of is None for phrase in report.phrases)
    words = len(report.prediction.tokens.word_units())
    cut = wholes >= settings.get("top", wholes + 1) or words > settings.get("most_words", words)
    return not cut and settings.get("least_share", 0.0) <= TENTH


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
    kept = quoted(tokens, target)
    return f"With nothing but {kept}" if kept else "Without words"


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
