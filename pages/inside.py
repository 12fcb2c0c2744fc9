"""Inside the model, for one text: states, gradients and neurons of every layer, and neurons set to zero."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from explain.analyses.questions import HiddenStates, MaxActivations, NeuronAblation, NeuronActivations, Question
from explain.run.pipeline import Request, ask_as_python

from explain.core.errors import ExplainError
from explain.core.guide import definition
from explain.datatypes import LayerStates, Neuron, NeuronActivity, Tokens
from explain.models.base import TextModel
from explain.views.inside_tables import InsideTable, neurons_csv, states_csv, to_json
from explain.views.layer_states import STATE_FIGURES
from explain.views.top_neurons import neuron_rows
from pages.shared import controls, inside_controls, show, state
from pages.shared.follow import CLICKED, follow

MOST_LABELS = 5  # of the prediction, which is not what this page is about
ACTIVATION, PRODUCT = "activation", "activation x gradient"

# What a view asks for, and how it is drawn from what is found.
Drawer = tuple[tuple[Question, ...], Callable[[Mapping[Any, Any]], None]]

VIEWS = ("Layer by layer", "Neurons")


def page() -> None:
    state.carry_over("inside")
    st.title("What happens inside?", anchor=False)
    subject = controls.subject()
    if subject.lacking:
        show.advice(subject.lacking)
        return
    model, text, pair = subject.model, subject.text, subject.pair
    model.require({"neurons"})
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, key="inside", bind="query-params", label_visibility="collapsed"
    )
    windows = model.windows(text, pair)
    questions, draw = layers(model, windows) if view == VIEWS[0] else neurons(model, windows)
    request = Request(text, (), pair, phrases=None, questions=questions, **subject.question)

    def draw_all(request: Request, model: TextModel, found: Mapping[Any, Any]) -> None:
        prediction = found["observation"].prediction
        show.prediction(prediction, model, found.get("target"), most=MOST_LABELS)
        draw(found)
        if set(found) >= set(questions):
            python(request, model)

    follow(request, model, draw_all)


def layers(model: TextModel, windows: Sequence[Tokens]) -> Drawer:
    question = HiddenStates()
    names = {"length": "length", "gradient": "gradient", "state x gradient": "state_x_gradient"}
    names |= {"similarity to the layer before": "to_previous", "similarity to the input": "to_input"}
    assert set(names.values()) == set(STATE_FIGURES)
    figure = st.segmented_control(
        "Figure", list(names), default="length", required=True, key="figure", bind="query-params", wrap=True
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        token = inside_controls.word_picker(windows)

    def draw(found: Mapping[Any, Any]) -> None:
        if question not in found:
            st.skeleton(height=300)
            return
        states: LayerStates = found[question]
        chosen = inside_controls.word_at(states.tokens, token) or ()
        show.view("layer_states", states, key="states", on_chosen=controls.select, figure=names[figure], chosen=chosen)
        show.view("state_similarity", states, key="compared", chosen=chosen)
        files = {
            "CSV of the figures": ("states.csv", "text/csv", lambda: states_csv(states)),
            "JSON": ("states.json", "application/json", lambda: to_json(InsideTable(model.name, states=states))),
        }
        take_away(files, states)

    return (question,), draw


def neurons(model: TextModel, windows: Sequence[Tokens]) -> Drawer:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = inside_controls.layer_picker(model)
        figure, count = inside_controls.neuron_figure()
        token = inside_controls.word_picker(windows)
    with st.container(horizontal=True, vertical_alignment="top"):
        picked = inside_controls.neuron_picker(model)
        zeroed, wrong = inside_controls.silenced(model)
    for message in wrong:
        show.problem(message)
    lines = inside_controls.set_of_texts()
    inside = NeuronActivations()
    effect = (NeuronAblation(zeroed),) if zeroed else ()
    words = (MaxActivations(lines.texts, lines.numbers),) if lines else ()

    def draw(found: Mapping[Any, Any]) -> None:
        if inside not in found:
            st.skeleton(height=300)
            return
        activity: NeuronActivity = found[inside]
        unit = inside_controls.word_at(activity.tokens, token)
        rows = neuron_rows(activity, unit=unit, layer=layer, by=figure, count=count)
        neuron = picked or Neuron(*map(int, rows[0]["neuron"].split(".")))
        st.subheader("Which neurons", anchor=False, help=definition("neuron"))
        show.view(
            "top_neurons",
            activity,
            key="top",
            on_chosen=choose,
            unit=unit,
            layer=layer,
            by=figure,
            count=count,
            chosen=neuron,
        )
        one_neuron(activity, neuron, unit, zeroed)
        if words:
            st.markdown(f"**Where in the set neuron {neuron} gives most**")
            drawn_or_awaited("neuron_words", words[0], found, neuron=neuron)
        if effect:
            st.subheader("Does it matter?", anchor=False)
            drawn_or_awaited("neuron_effects", effect[0], found)
        if set(found) >= {*effect, *words} and not any(state.unfinished(found[one]) for one in words):
            table = InsideTable(
                model.name,
                activity,
                unit=unit,
                layer=layer,
                by=figure,
                count=count,
                effects=next((found[one] for one in effect), None),
                words=next((found[one] for one in words), None),
                chosen=neuron,
            )
            files = {
                "CSV of every neuron": ("neurons.csv", "text/csv", lambda: neurons_csv(table)),
                "JSON of what is shown": ("neurons.json", "application/json", lambda: to_json(table)),
            }
            take_away(files, activity)

    return (inside, *effect, *words), draw


def drawn_or_awaited(view: str, question: Question, found: Mapping[Any, Any], **options: Any) -> None:
    if question in found:
        show.view(view, found[question], key=view, **options)
    else:
        st.skeleton(height=160)


def choose(value: Mapping[str, Any]) -> None:
    st.session_state.neuron = value["neuron"]


def one_neuron(
    activity: NeuronActivity, neuron: Neuron, unit: tuple[int, ...] | None, zeroed: tuple[Neuron, ...]
) -> None:
    """What one neuron gives over the text, and a way to set it to zero."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Neuron {neuron}", anchor=False, width="content")
        shown = st.segmented_control(
            "Shown",
            (ACTIVATION, PRODUCT),
            default=ACTIVATION,
            required=True,
            key="shown",
            bind="query-params",
            label_visibility="collapsed",
        )
        st.button("Set it to zero", on_click=silence, args=(str(neuron),), disabled=neuron in zeroed)
    figure = shown.replace(" ", "_")
    show.view(
        "neuron_heatmap",
        activity,
        key="heatmap",
        on_chosen=controls.select,
        neuron=neuron,
        figure=figure,
        chosen=unit,
    )


def silence(name: str) -> None:
    session = st.session_state
    session.zero = [*(session.get("zero") or ()), name]
    session[CLICKED] = True  # the button stands in what is polled; what it changes concerns the page


def take_away(files: Mapping[str, tuple[str, str, Callable[[], str]]], found: LayerStates | NeuronActivity) -> None:
    st.subheader("Take it with you", anchor=False)
    with st.container(horizontal=True):
        for label, (name, kind, make) in files.items():
            st.download_button(label, make, name, kind, on_click="ignore")
    show.links(found.tokens.text, found.tokens.text_pair)
    st.caption("Pictures: each drawing has SVG and PNG buttons in its corner.")


def python(request: Request, model: TextModel) -> None:
    with st.expander("The Python that gives these figures"):
        for question in request.questions:
            st.code(ask_as_python(question, request, model), language="python")


try:
    page()
except ExplainError as problem:
    show.problem(str(problem))
