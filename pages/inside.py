"""Inside the model, for one text: states, gradients and neurons of every layer, and neurons set to zero."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explain.analyses.hidden_states import HiddenStates
from explain.analyses.max_activations import MaxActivations
from explain.analyses.neuron_ablation import NeuronAblation
from explain.analyses.neuron_activations import NeuronActivations
from explain.core.guide import definition
from explain.datatypes import Neuron, NeuronActivity
from explain.models.analysis import Analysis
from explain.models.base import TextModel
from explain.report.as_python import ask_as_python
from explain.run.plan import Plan
from explain.run.results import Results
from explain.views.inside_tables import InsideTable, neurons_csv, states_csv, to_json
from explain.views.layer_states import STATE_FIGURES
from explain.views.top_neurons import neuron_rows
from pages.shared import files, hero, history, links, pickers, screen, show
from pages.shared.selection import current_selection
from pages.shared.work import CLICKED, Panel, awaited, follow

FIGURES_OF_ONE = {"activation": "activation", "activation_x_gradient": "activation x gradient"}

LAYERS, NEURONS = "layers", "neurons"
VIEWS = {LAYERS: "Layer by layer", NEURONS: "Neurons"}
PARAMETERS = (*links.OF_A_TEXT, "inside", "figure", "token", "layer", "by", "listed", "neuron", "zero", "shown")


def page() -> None:
    """Draw the page."""
    selection = current_selection()
    if selection.problem:
        selection.draw_problem()
        history.menu(selection.bar)
        return
    model, text, pair = selection.model, selection.text, selection.pair
    hero.beside(selection.boxes, selection.plan(), selection.model)
    model.require({"neurons"})
    view = links.segmented_control(
        "View",
        list(VIEWS),
        default=LAYERS,
        key="inside",
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
    windows = model.windows(text, pair)
    with selection.settings:
        token = pickers.word_picker(windows)
    panel = layers(model, token) if view == LAYERS else neurons(model, token)
    plan = selection.plan(analyses=panel.analyses)

    def draw_all(results: Results, model: TextModel) -> None:
        show.warnings(results.prediction, model)
        panel.draw(results)
        hero.inspector(hero.known_scores(results, model), model)

    follow(plan, model, draw_all)
    history.menu(selection.bar)


def layers(model: TextModel, token: int | None) -> Panel:
    """Draw the choice of a figure and a word, and return the panel of states."""
    analysis = HiddenStates()
    titles = {"length": "length", "gradient": "gradient", "state_x_gradient": "state x gradient"}
    titles |= {"to_previous": "similarity to the layer before", "to_input": "similarity to the input"}
    assert set(titles) == set(STATE_FIGURES)
    figure = links.segmented_control(
        "Figure", list(titles), default="length", key="figure", format_func=titles.__getitem__, wrap=True
    )

    def draw(results: Results) -> None:
        states = results.answer(analysis)
        if states is None:
            awaited(300)
            return
        word = pickers.word_at(states.tokens, token) or ()
        show.views(states, key="states", on_chosen=pickers.select, figure=figure, selected=word)
        downloads = {
            "CSV of the figures": ("states.csv", "text/csv", lambda: states_csv(states)),
            "JSON": ("states.json", "application/json", lambda: to_json(InsideTable(model.name, states=states))),
        }
        take_away(downloads, results, model)

    return Panel((analysis,), draw)


def neurons(model: TextModel, token: int | None) -> Panel:
    """Draw the choices about neurons and return their panel."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = pickers.layer_picker(model)
        figure, count = pickers.neuron_figure()
    with st.container(horizontal=True, vertical_alignment="top"):
        picked = pickers.neuron_picker(model)
        zeroed, wrong = pickers.silenced(model)
    for message in wrong:
        show.problem(message)
    lines = files.set_of_texts()
    inside = NeuronActivations()
    effect = (NeuronAblation(zeroed),) if zeroed else ()
    words = (MaxActivations(lines.texts, lines.rows),) if lines else ()

    def draw(results: Results) -> None:
        activity = results.answer(inside)
        if activity is None:
            awaited(300)
            return
        unit = pickers.word_at(activity.tokens, token)
        rows = neuron_rows(activity, unit=unit, layer=layer, by=figure, count=count)
        neuron = picked or Neuron(*map(int, rows[0]["neuron"].split(".")))
        st.header("Which neurons", anchor=False, help=definition("neuron"))
        show.view(
            "top_neurons",
            activity,
            key="top",
            on_chosen=choose,
            unit=unit,
            layer=layer,
            by=figure,
            count=count,
            selected=neuron,
        )
        one_neuron(activity, neuron, unit, zeroed)
        show.views(activity, key="activity", titled=True, unit=unit, layer=layer, neuron=neuron)
        if words:
            st.markdown(f"**Highest activations of neuron {neuron} in the set**")
            drawn_or_awaited(words[0], results, neuron=neuron)
        if effect:
            st.header("Does it matter?", anchor=False)
            drawn_or_awaited(effect[0], results)
        if results.has((*effect, *words)):
            table = InsideTable(
                model.name,
                activity,
                unit=unit,
                layer=layer,
                by=figure,
                count=count,
                effects=next(iter(results.of_type(NeuronAblation)), None),
                words=next(iter(results.of_type(MaxActivations)), None),
                neuron=neuron,
            )
            take_away(neuron_files(table), results, model)

    return Panel((inside, *effect, *words), draw)


def neuron_files(table: InsideTable) -> dict[str, tuple[str, str, Callable[[], str]]]:
    """Return the files of neurons: label of the button, then name, type and content."""
    return {
        "CSV of every neuron": ("neurons.csv", "text/csv", lambda: neurons_csv(table)),
        "JSON of what is shown": ("neurons.json", "application/json", lambda: to_json(table)),
    }


def drawn_or_awaited(analysis: Analysis[Any, Any], results: Results, **options: Any) -> None:
    """Draw an answer, or a placeholder while it is computed."""
    answer = results.answer(analysis)
    if answer is None:
        awaited(160)
    else:
        show.views(answer, key=analysis.name, **options)


def choose(clicked: Mapping[str, Any]) -> None:
    """Show the clicked neuron."""
    st.session_state.neuron = clicked["neuron"]


def one_neuron(
    activity: NeuronActivity, neuron: Neuron, unit: tuple[int, ...] | None, zeroed: tuple[Neuron, ...]
) -> None:
    """Draw the activation of one neuron over the text, and a button that sets it to zero."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"Neuron {neuron}", anchor=False, width="content")
        figure = links.segmented_control(
            "Shown",
            list(FIGURES_OF_ONE),
            default="activation",
            key="shown",
            format_func=FIGURES_OF_ONE.__getitem__,
            label_visibility="collapsed",
        )
        st.button("Set it to zero", on_click=silence, args=(str(neuron),), disabled=neuron in zeroed)
    show.view(
        "neuron_heatmap",
        activity,
        key="heatmap",
        on_chosen=pickers.select,
        neuron=neuron,
        figure=figure,
        selected=unit,
    )


def silence(name: str) -> None:
    """Add a neuron to those that are set to zero."""
    memory = st.session_state
    memory.zero = [*(memory.get("zero") or ()), name]
    memory[CLICKED] = True  # the button is in a part that reruns alone, but changes the whole page


def take_away(downloads: Mapping[str, tuple[str, str, Callable[[], str]]], results: Results, model: TextModel) -> None:
    """Draw the menu of files, links and the Python of the page."""
    with show.export_menu():
        for label, (name, kind, make) in downloads.items():
            st.download_button(label, make, name, kind, on_click="ignore")
        show.record_button(results, model)
        show.links(results.plan.text.text, results.plan.text.text_pair)
        st.caption("Each picture has SVG and PNG buttons in its corner.")
        show.python("The Python that gives these figures", lambda: as_python(results.plan, model))


def as_python(plan: Plan, model: TextModel) -> str:
    """Return the Python that gives the figures."""
    return "\n".join(ask_as_python(analysis, plan, model) for analysis in plan.analyses)


screen.draw("inside", "", page, PARAMETERS)
