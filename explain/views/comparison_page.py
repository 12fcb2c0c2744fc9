"""A comparison as one file that opens anywhere: both texts, the picture, and both models."""

from collections.abc import Mapping

from explain.datatypes import Comparison, Report
from explain.views.base import VIEWS, Html, escape, sentence, target_name, text_label, visible
from explain.views.compare import CHANGES, SIDES, side_names
from explain.views.document import model_line, record_script, stand_alone
from explain.views.scores_table import place_of


def comparison_document(comparison: Comparison, titles: Mapping[str, str], *, record: str = "") -> Html:
    """Return the file.

    Args:
        comparison: what the file shows.
        titles: of methods, by name.
        record: the comparison as JSON, kept inside the file so that it can be replayed from it.
    """
    reports = comparison.report_a, comparison.report_b
    names = side_names(comparison)
    apart = comparison.differs == "texts"
    quotes = [_quote(name, report) for name, report in zip(names, reports)] if apart else [_quote("", reports[0])]
    models = reports if comparison.differs == "models" else reports[:1]
    sections = [
        f"<h1>{escape(CHANGES[comparison.differs])}</h1>",
        f'<p class="meaning">{escape(_what(comparison))}</p>',
        *quotes,
        VIEWS["compare"].html(comparison, titles=dict(titles)),
        *(model_line(report) for report in models),
    ]
    if record:
        sections.append(record_script(record))
    return stand_alone(f"{CHANGES[comparison.differs]}: {visible(comparison.report_a.text[:40])}", sections)


def _what(comparison: Comparison) -> str:
    """Return what both sides explain, in a sentence."""
    names, report = side_names(comparison), comparison.report_a
    if names == SIDES:
        names = (f"{visible(report.model.id)}; explained: {visible(target_name(report.target))}{place_of(report)}", "")
    return sentence(*(f"{name}." for name in names if name), "Differences are of B less A.")


def _quote(name: str, report: Report) -> str:
    """Return the text, or the two texts that are read together, with the side's name before them."""
    lines = []
    for number, text in enumerate(report.prediction.tokens.texts):
        second = [text_label(report.prediction.tokens, number)] if report.text_pair is not None else []
        label = ", ".join([*([name] if name else []), *second])
        before = (
            f'<b dir="ltr">{escape(label)}</b> ' if label else ""
        )  # no part of the text, whose direction it has not
        lines.append(f'<p class="quote" dir="auto">{before}{escape(visible(text))}</p>')
    return "".join(lines)
