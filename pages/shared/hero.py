"""The head of a page: the decision, and the text as heatmap and editor, on every page about one text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from explain.analyses.neuron_activations import NeuronActivations
from explain.analyses.word_edits import StrongestWordEdits, WordEdits
from explain.datatypes import Attribution, Report
from explain.methods.base import METHODS, Method
from explain.models.base import TextModel
from explain.report.record import report_of
from explain.run.plan import DEFAULT_METHODS, Plan, methods_from
from explain.run.results import Results
from explain.text.checks import whole_characters
from explain.text.edits import place_between, words_between
from explain.views.asked_words import context_sentence
from explain.views.base import VIEWS
from explain.views.hero import DEFAULT, decided, undecided
from pages.shared import changes, pickers, session, show
from pages.shared.work import Work, awaited, edits_of_strongest, predicted

NEURON = "neuron_to_open"  # in the session: what the page of layers is to show, until it is open
LAYERS = Path(__file__).parents[1] / "inside.py"
NEURONS = NeuronActivations()
GROUP = "text"  # a word picked in one picture is marked in all
KEY = "decision"

Boxes = Sequence[tuple[str, str]]


def draw_plain(boxes: Boxes) -> None:
    """Draw texts that can be edited, without a decision."""
    _component(undecided(boxes, GROUP))


def draw(
    boxes: Boxes,
    results: Results,
    attribution: Attribution | None,
    lead: str = "",
    contrasts: Sequence[str] = (),
) -> None:
    """Draw the decision and the text, colored by an attribution where there is one.

    Args:
        lead, contrasts: see `explain.views.hero.decided`.
    """
    if not results.observed:
        draw_plain(boxes)
        return
    title = "" if attribution is None else METHODS[attribution.method].title
    drawn = decided(
        results.prediction,
        results.target,
        attribution,
        title=title,
        group=GROUP,
        editor=boxes,
        chosen=picked(results),
        lead=lead,
        contrasts=contrasts,
    )
    _component(drawn | _sending(drawn))


def _component(drawn: dict[str, Any]) -> None:
    with st.container(key="hero"):
        show.component("hero", drawn, key=KEY, edited=edit, chosen=pick, contrasted=_contrast)


def _sending(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the colored text of a head, told to send the word that is picked."""
    return {} if drawn["heat"] is None else {"heat": drawn["heat"] | {"sends": True}}


def pick(clicked: Mapping[str, Any]) -> None:
    """Let a word be the picked one on every page, or the words from `token` to `last`; without a token, none is."""
    memory = st.session_state
    memory.token = clicked.get("token")
    memory.run_of_words = (memory.token, clicked.get("last", memory.token))


def _last_picked() -> int:
    """Return a token of the last word that is picked."""
    first, last = st.session_state.get("run_of_words") or (None, None)
    return last if last is not None and first == st.session_state.token else st.session_state.token


def _contrast(clicked: Mapping[str, Any]) -> None:
    """Explain the decided label rather than another one, or again without a contrast."""
    st.session_state.against = clicked["label"] or pickers.ANY_OTHER


def picked(results: Results) -> tuple[int, ...]:
    """Return the tokens of the picked words; none where no word is picked, or it is of another text."""
    token = st.session_state.get("token")
    tokens = results.prediction.tokens
    if token is None or not 0 <= token < len(tokens):
        return ()
    return words_between(tokens, token, _last_picked())


def edit(edited: Mapping[str, Any]) -> None:
    """Make an edit: `texts` are the edited texts, or `word` stands in the place of the picked words.

    What is typed into the text comes here, too; then `goes_on` says that the visitor has been typing since the last
    edit.
    """
    memory = st.session_state
    if "texts" in edited:
        text, *second = map(whole_characters, edited["texts"])
        pair = next(iter(second), memory.get("pair") or "")
        changes.change((text, pair), goes_on=bool(edited.get("goes_on")))
        return
    segment, start, stop = memory.picked_span
    texts = [memory.text, memory.get("pair") or ""]
    texts[segment] = texts[segment][:start] + whole_characters(str(edited["word"])[:200]) + texts[segment][stop:]
    changes.change((texts[0], texts[1]))


def method_shown(results: Results) -> Method | None:
    """Return the method whose scores are drawn large: the one that was picked, or the default, or the first."""
    methods = results.plan.methods
    name = st.session_state.get("method") or DEFAULT
    return next(iter([*(method for method in methods if method.name == name), *methods]), None)


def method_tiles(results: Results, report: Report) -> None:
    """Draw the scores of every method in small; a click draws a method's scores large."""
    if len(results.plan.methods) < 2:
        return
    if not report.attributions:
        awaited(70, missed=False)
        return
    method = method_shown(results)
    name = "" if method is None else method.name
    show.view(
        "method_tiles",
        report,
        key="tiles",
        on_chosen=_show_large,
        large=name,
        titles=show.method_titles(),
        group=GROUP,
    )


def _show_large(clicked: Mapping[str, Any]) -> None:
    """Draw the scores of the clicked method large."""
    st.session_state.method = clicked["method"]


def shown_attribution(results: Results) -> Attribution | None:
    """Return the scores that are drawn large, where they are there."""
    method = method_shown(results)
    return None if method is None else results.attribution(method)


def above(boxes: Boxes, model: TextModel, contrasts: Sequence[str] = ()) -> Callable[[Results], None]:
    """Return what draws the head of a page that computes scores itself: with each result it has more to show.

    Args:
        contrasts: see `explain.views.hero.decided`.
    """

    def head(results: Results) -> None:
        has_scores = results.observed and results.target is not None and results.attributions
        lead = context_sentence(report_of(results, model, edges=False)) if has_scores else ""
        draw(boxes, results, shown_attribution(results), lead, contrasts)

    return head


def beside(boxes: Boxes, plan: Plan, model: TextModel) -> None:
    """Draw the head of a page that computes no scores itself: colored by scores that are known already.

    Args:
        plan: of the page's text and target; its analyses do not matter.
    """
    predicted(model, plan.text.text, plan.text.text_pair)  # in a moment, unless it is known
    known = known_scores(Results(plan, {}), model)
    method = method_shown(known)
    draw(boxes, known, None if method is None else known.attribution(method))


def known_scores(results: Results, model: TextModel) -> Results:
    """Return what is known of the default methods and neurons about the same text and target; it costs no pass."""
    usual = [
        analysis for analysis in (*methods_from(DEFAULT_METHODS), NEURONS) if analysis.requires <= model.capabilities
    ]
    return Work(replace(results.plan, analyses=tuple(usual)), model).known()[0]


def edits_of_word(
    text: str, pair: str | None, model: TextModel, methods: Sequence[Method]
) -> WordEdits | StrongestWordEdits | None:
    """Return the analysis of the picked words' edits, or of the strongest word's while none is picked.

    None where the picked word can't be edited, or the model decides no label.
    """
    if "label" not in model.capabilities:
        return None
    token = st.session_state.get("token")
    tokens = model.encode(text, pair)
    if token is None or not 0 <= token < len(tokens):
        return next(iter(edits_of_strongest(model, methods)), None)
    last = _last_picked()
    return None if place_between(tokens, token, last) is None else WordEdits(token=token, last=last)


def neurons_of_word(model: TextModel) -> tuple[NeuronActivations, ...]:
    """Return the analysis of a text's neurons, drawn on the card of a picked word; none where no word is."""
    picked_one = st.session_state.get("token") is not None
    return (NEURONS,) if picked_one and NEURONS.requires <= model.capabilities else ()


def lasting(results: Results) -> Results:
    """Return results without what is in no file: neurons, which are too large, and edits that nobody asked for."""
    kept = tuple(
        analysis
        for analysis in results.plan.analyses
        if analysis != NEURONS and not isinstance(analysis, StrongestWordEdits)
    )
    return results.of_plan(replace(results.plan, analyses=kept))


def without_edits(results: Results) -> Results:
    """Return results without the edits of the picked word, so that a pick is no other explanation."""
    kept = tuple(analysis for analysis in results.plan.analyses if not isinstance(analysis, WordEdits))
    return results.of_plan(replace(results.plan, analyses=kept))


def _clicked_on_card(clicked: Mapping[str, Any]) -> None:
    """Pick a word that was clicked on the card; a neuron is shown on the page of layers."""
    pick(clicked)
    if "neuron" not in clicked:
        return
    memory, shown = st.session_state, {"inside": "neurons", "neuron": clicked["neuron"], "by": "above_elsewhere"}
    if memory.page == LAYERS.stem:
        memory.update(shown)
    else:
        memory[NEURON] = shown


def open_neuron() -> None:
    """Open the page of layers with the neuron that was clicked on a card, if one was."""
    shown = st.session_state.pop(NEURON, None)
    if shown is not None:
        session.remember()
        st.switch_page(LAYERS, query_params=shown)


def inspector(results: Results, model: TextModel, edits: WordEdits | StrongestWordEdits | None = None) -> None:
    """Draw the card of the word that is picked, with every score that is there, and its edits."""
    if not results.observed or results.target is None:
        return
    with st.container(key="inspector"):
        card = VIEWS["word_details"].data(
            report_of(results, model, edges=False),
            maps=results.maps,
            activity=results.answer(NEURONS),
            awaited=NEURONS in results.plan.analyses and bool(picked(results)),
            group=GROUP,
            titles=show.method_titles(),
            unknown=model.unk_id,
            sends=True,
        )
        card["chosen"] = list(picked(results))  # several words, where a run of them is picked
        show.component("word_details", card, key="details", chosen=_clicked_on_card)
        if edits is not None:
            tried = results.answer(edits)
            if tried is None:
                awaited(220)
            elif tried.edits:
                st.session_state.picked_span = results.prediction.tokens.unit_span(tried.tokens)
                show.views(tried, key="tries", on_chosen=edit)
