"""Text and choices in, a report out: the one order in which things are computed, for page, command line and Python.

    encode -> observe (prediction and attention maps, one forward) -> each method -> key phrases

Every part is remembered by what it depends on: the weights, the ids, the target, the method and its settings.
"""

import datetime
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from typing import Any

from explain.analyses.questions import MaxActivations, Question, SimilarityAttribution
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import make, setting_values
from explain.datatypes import (
    AttentionEdge,
    AttentionMaps,
    Attribution,
    EmptyText,
    MetricResult,
    Phrase,
    Report,
    Target,
    Tokens,
)
from explain.methods.base import METHODS, Method
from explain.metrics.base import METRICS, Trial, TrialSettings
from explain.models.base import Observation, TextModel, check_same_score
from explain.models.cached_model import CachedModel
from explain.models.loading import catalogue
from explain.numerics.edges import top_edges
from explain.run import jobs
from explain.run.jobs import Cache, remembered
from explain.text.phrases import Effect, PhraseSettings, Variants, budget, find_phrases
from explain.text.units import units_of

SCHEMA = "explain-report-1"
DEFAULT_METHODS = ("integrated_gradients", "occlusion", "attention_rollout")  # see docs/decisions/0012
DEFAULT_METRICS = ("completeness_gap", "symmetric_relevance_gain", "deletion", "insertion")
EDGES_PER_LAYER = 40  # kept in a report


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        text, text_pair: what is explained.
        methods: the methods, with their settings, in the order they are computed.
        label, against, scale, position: the target; None means the decided label, no contrast, the task's first scale,
            and of several tokens that the model is read at the one that the task takes for meant.
        phrases: how key phrases are found; None: they are not.
        questions: what else is asked, see `explain.analyses.questions`.
        tests: what each method's explanation is put to; None: nothing.
    """

    text: str
    methods: tuple[Method, ...]
    text_pair: str | None = None
    label: str | None = None
    against: str | None = None
    scale: str | None = None
    phrases: PhraseSettings | None = field(default_factory=PhraseSettings)
    questions: tuple[Question, ...] = ()
    position: int | None = None
    tests: TrialSettings | None = None


@dataclass(frozen=True)
class Tested:
    """The name of a part: the results of `Request.tests` for one method."""

    method: Method


def methods_from(
    names: Sequence[str | Method], settings: Mapping[str, Mapping[str, Any]] | None = None, *, parse: bool = False
) -> tuple[Method, ...]:
    """Make methods from names and settings by method.

    Raises:
        UnknownNameError, SettingError: a name or a setting that does not exist, or a value out of its range.
    """
    settings = settings or {}
    made = [
        name if isinstance(name, Method) else make(METHODS[name], settings.get(name, {}), parse=parse) for name in names
    ]
    for name in settings:
        if name not in names:
            asked = ", ".join(one if isinstance(one, str) else one.name for one in names)
            raise SettingError(
                f"There are settings for {METHODS[name].name!r}, which was not asked for. Asked for: {asked}."
            )
    return tuple(dict.fromkeys(made))


def tests_from(names: Sequence[str] = (), orders: int = 40) -> TrialSettings:
    """The metrics that a verdict rests on and that are drawn, and further ones by name.

    Raises:
        UnknownNameError, SettingError: a metric that there is not, or a number of orders out of range.
    """
    return TrialSettings(tuple(METRICS[name]() for name in dict.fromkeys((*DEFAULT_METRICS, *names))), orders)


def cost(request: Request, model: TextModel, tokens: Tokens) -> int:
    """Most passes that a request takes, and steps of arithmetic that take as long."""
    windows = len(model.windows(request.text, request.text_pair))
    total = (1 if windows == 1 else windows + 1) + sum(
        method.cost(tokens) + method.arithmetic(tokens) for method in request.methods
    )
    total += sum(question.cost(model, tokens) for question in request.questions)
    total += request.tests.cost(model, tokens, request.methods) if request.tests else 0
    return total + (1 + budget(len(units_of(tokens, "word")), request.phrases) if request.phrases else 0)  # 1: no words


def known(request: Request, model: TextModel, cache: Cache) -> tuple[dict[str | Method | Question | Tested, Any], bool]:
    """The parts of a request that need no computing, up to the first that does, and whether these are all."""
    return remembered(parts(request, model, cache=cache, compute=False))


def parts(
    request: Request,
    model: TextModel,
    meter: Meter | None = None,
    cache: Cache | None = None,
    *,
    compute: bool = True,
) -> Iterator[tuple[str | Method | Question | Tested, Any]]:
    """Compute a request part by part, cheapest first.

    Yields:
        ("observation", Observation), ("target", Target), then each method with its `Attribution`,
        ("empty_text", EmptyText or None), ("phrases", tuple of Phrase), each method as `Tested` with its tuple of
        `MetricResult`, and each question with its answer.

    Raises:
        ExplainError: whatever is wrong with text, target or settings, or the work was stopped.
    """
    recall = partial(jobs.recall, cache if cache is not None else Cache(), compute=compute)
    windows = model.windows(request.text, request.text_pair)
    working = CachedModel(model)
    texts = (model.record, request.text, request.text_pair)
    tokens, prediction = windows[0], None
    if len(windows) > 1:
        predictions = recall((*texts, "windows"), lambda: tuple(model.predict(one, meter) for one in windows))
        number, prediction = model.task.joined(predictions, model.head, request.label)
        tokens = windows[number]
    where = (*texts, tokens.key)

    observation: Observation = recall((*where, "observation"), partial(model.observe, tokens, meter))
    if prediction is not None:
        observation = Observation(prediction, observation.maps)
    working.remember(observation)
    yield "observation", observation

    target = model.task.target(
        observation.prediction,
        model.head,
        label=request.label,
        against=request.against,
        scale=request.scale,
        position=request.position,
    )
    yield "target", target

    served = model.value(observation.prediction, target)
    attributions: dict[Method, Attribution] = {}
    for method in sorted(request.methods, key=lambda method: method.cost(tokens) + method.arithmetic(tokens)):
        found = recall((*where, target, method), partial(method.attribute, working, tokens, target, meter))
        check_same_score(found.output, served, model.name)
        attributions[method] = found
        yield method, found

    if (settings := request.phrases) is not None:
        operator = model.operator(settings.operator)
        empty = recall((*where, target, operator), partial(without_words, working, tokens, target, operator, meter))
        yield "empty_text", empty
        direction = model.task.direction(observation.prediction, target, model.head)
        search = partial(key_phrases, working, tokens, target, settings, meter, empty=empty, direction=direction)
        yield "phrases", recall((*where, target, settings), search)

    if request.tests is not None:
        trial = None
        for method in request.methods:

            def test(method: Method = method, tests: TrialSettings = request.tests) -> tuple[MetricResult, ...]:
                nonlocal trial
                if trial is None:
                    trial = Trial(working, tokens, target, orders=tests.orders, seed=tests.seed, meter=meter)
                return tests.run(trial, attributions[method])  # none, where there are too few words to order

            yield Tested(method), recall((*where, target, method, request.tests), test)

    for question in request.questions:
        about = (*where, target) if question.of_text else (model.record,)
        found = recall((*about, question), partial(question.answer, working, tokens, target, meter))
        yield question, found


def without_words(
    model: TextModel, tokens: Tokens, target: Target, operator: str, meter: Meter | None = None
) -> EmptyText | None:
    """The model's answer to a text without its words; None where no word may be removed."""
    if not len(model.removable(tokens, target)):
        return None
    decision = model.decide(model.only(tokens, (), operator, target), meter)
    full = int(model.scores([model.removed(tokens, (), operator, target)], meter).decisions[0])
    same = None if model.head.value else decision.number == full
    return EmptyText(operator, decision.value, decision.label, decision.confidence, same)


def key_phrases(
    model: TextModel,
    tokens: Tokens,
    target: Target,
    settings: PhraseSettings,
    meter: Meter | None = None,
    *,
    empty: EmptyText | None = None,
    direction: int = 0,
) -> tuple[Phrase, ...]:
    """The key phrases of a text; see `explain.text.phrases`.

    Args:
        empty, direction: what the model says without any word, and `Task.direction`; without them no phrase is
            sufficient or necessary.
    """
    words = tokens.word_units()
    operator = model.operator(settings.operator)
    removable = set(model.removable(tokens, target).tolist())

    def unit(phrase: tuple[int, int]) -> list[int]:
        return [token for word in words[phrase[0] : phrase[1]] for token in word]

    def measure(variants: Variants) -> tuple[list[Effect], list[Effect]]:
        rows = [model.removed(tokens, unit(phrase), operator, target) for phrase in variants.without]
        rows += [model.only(tokens, unit(phrase), operator, target) for phrase in variants.only]
        scores = model.scores(rows, meter)
        effects = [Effect(*pair) for pair in zip(scores.values.tolist(), scores.decisions.tolist())]
        return effects[: len(variants.without)], effects[len(variants.without) :]

    return find_phrases(
        tokens,
        measure,
        settings,
        lambda word: removable.issuperset(words[word]),
        direction=direction,
        empty_differs=empty is not None and empty.same_decision is False,
    )


def explain(
    text: str,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | None = None,
    methods: Sequence[str | Method] = DEFAULT_METHODS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    label: str | None = None,
    against: str | None = None,
    scale: str | None = None,
    position: int | None = None,
    task: str | None = None,
    phrases: bool | PhraseSettings = True,
    tests: bool | TrialSettings = False,
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> Report:
    """Explain one text.

    Args:
        text, text_pair: one text, or two that are read together.
        model: a shipped name, a local folder, a hub name, or a loaded model.
        methods: names of `explain.METHODS`, or instances with their settings.
        settings: by method, for methods given by name: {"integrated_gradients": {"baseline": "pad"}}.
        label: the label asked about (default: the decided one); against: the other label of a contrast.
        scale: "log_odds" (default), "probability", "log_probability" or "logit".
        position: the token asked about, where the model is read at several: a mask, a word's first, an answer's first;
            by default the first mask, the surest entity, the likeliest answer.
        task: which of the things that a model given by name can do ("next-sentence-prediction").
        phrases: whether, or how, key phrases are found.
        tests: whether, or to what, each explanation is put: the report's `metrics`; see `explain.evaluation.verdict`.
        meter: counts passes and can stop the work; cache: remembers parts from call to call.

    Raises:
        ExplainError: what is wrong and what to do, whatever it is.
    """
    loaded = catalogue.load_model(model, task=task) if isinstance(model, str) else model
    chosen = PhraseSettings() if phrases is True else phrases or None
    put_to = tests_from() if tests is True else tests or None
    made = methods_from(methods, settings)
    asked = questions_of(loaded)
    request = Request(text, made, text_pair, label, against, scale, chosen, asked, position, put_to)
    found = dict(parts(request, loaded, meter, cache))
    return report(request, loaded, found)


def attention(
    text: str,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | None = None,
    task: str | None = None,
) -> AttentionMaps:
    """The attention of every layer and head on one text: exactly one forward pass.

    Args:
        text, text_pair: one text, or two that are read together.
        model: a shipped name, a local folder, a hub name, or a loaded model.
        task: which of the things that a model given by name can do; see `explain`.

    Returns:
        Maps with `weights (L, H, T, T)`, row = the token that looks, column = the token looked at, rows summing to 1.

    Raises:
        ExplainError: what is wrong and what to do, whatever it is.
    """
    loaded = catalogue.load_model(model, task=task) if isinstance(model, str) else model
    return loaded.observe(loaded.encode(text, text_pair)).maps


def ask(
    question: Question,
    text: str,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | None = None,
    label: str | None = None,
    against: str | None = None,
    scale: str | None = None,
    position: int | None = None,
    task: str | None = None,
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> Any:
    """Answer a question of `explain.analyses.questions` about one text, such as `NeuronActivations()`.

    Args:
        question: what is to be found out; its class says what the answer is.
        text, text_pair, model, label, against, scale, position, task, meter, cache: see `explain`.

    Raises:
        ExplainError: what is wrong and what to do, whatever it is.
    """
    loaded = catalogue.load_model(model, task=task) if isinstance(model, str) else model
    request = Request(text, (), text_pair, label, against, scale, None, (question,), position)
    return dict(parts(request, loaded, meter, cache))[question]


def questions_of(model: TextModel) -> tuple[Question, ...]:
    """What is always asked of a model, besides attributions: of two texts that are compared, which words are alike."""
    return (SimilarityAttribution(),) if "vectors_moved" in model.capabilities else ()


def report(request: Request, model: TextModel, found: Mapping[Any, Any], *, edges: bool = True) -> Report:
    """Put the parts of a request together; `edges=False` leaves the attention edges out, which take a while to find."""
    observation: Observation = found["observation"]
    alike = [one for one in request.questions if isinstance(one, SimilarityAttribution) and one in found]
    return Report(
        schema=SCHEMA,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        text=request.text,
        text_pair=request.text_pair,
        model=model.record,
        prediction=observation.prediction,
        target=found["target"],
        attributions=tuple(found[method] for method in request.methods if method in found),
        phrases=found.get("phrases", ()),
        phrase_settings=setting_values(request.phrases) if request.phrases else {},
        metrics=tuple(result for method in request.methods for result in found.get(Tested(method), ())),
        edges=strongest_edges(observation.maps) if edges else (),
        versions=versions(),
        seed=0,
        test_settings=request.tests.record if request.tests else {},
        similarity=found[alike[0]] if alike else None,
        empty_text=found.get("empty_text"),
    )


def strongest_edges(maps: AttentionMaps, per_layer: int = EDGES_PER_LAYER) -> tuple[AttentionEdge, ...]:
    """The largest attention weights of each layer, averaged over heads."""
    return tuple(AttentionEdge(*edge) for edge in top_edges(maps.mean(), per_layer))


def versions() -> dict[str, str]:
    """Versions of what computes."""
    names = ("torch", "transformers", "tokenizers", "numpy", "safetensors")
    return {"python": platform.python_version(), "explain": own_version()} | {n: metadata.version(n) for n in names}


def own_version() -> str:
    try:
        return metadata.version("explain-transformers")
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return "checkout"


def as_python(request: Request, model: TextModel) -> str:
    """The Python that gives the same report."""
    settings = {
        method.name: {
            name: value for name, value in setting_values(method).items() if value != getattr(type(method)(), name)
        }
        for method in request.methods
    }
    phrases: Any = request.phrases is not None
    changed = {name: values for name, values in settings.items() if values}
    arguments = [
        *_text_and_model(request, model),
        f"    methods={tuple(method.name for method in request.methods)!r},",
        *([f"    settings={changed!r},"] if changed else []),
        *_target(request),
    ]
    header = "import explain\n"
    if request.phrases is None:
        arguments.append(f"    phrases={phrases},")
    elif request.phrases != PhraseSettings():
        header += "from explain.text.phrases import PhraseSettings\n"
        arguments.append(f"    phrases={request.phrases!r},")
    body = "\n".join(arguments)
    return f"{header}\nreport = explain.explain(\n{body}\n)\nprint(report.prediction.label, report.phrases[:3])\n"


def ask_as_python(question: Question, request: Request, model: TextModel) -> str:
    """The Python that asks one question about the same text; a set of texts is read from a file."""
    body = "\n".join((*_text_and_model(request, model), *_target(request)))
    kind = type(question).__name__
    written, header = repr(question), ""
    if "Neuron(" in written:
        header = "from explain.datatypes import Neuron\n"
    if isinstance(question, MaxActivations):
        written = f"{kind}(read_lines(open('texts.txt', 'rb').read()).texts)"
    imports = f"import explain\n{header}from explain.analyses.questions import {kind}\n"
    if isinstance(question, MaxActivations):
        imports += "from explain.text.lines import read_lines\n"
    return f"{imports}\nfound = explain.ask(\n    {written},\n{body}\n)\n"


def _text_and_model(request: Request, model: TextModel) -> list[str]:
    """The first arguments of a call, a line each."""
    return [
        f"    {request.text!r},",
        f"    model={model.name!r},",
        *([] if catalogue.is_default(model) else [f"    task={model.task.hub_name!r},"]),
    ]


def _target(request: Request) -> list[str]:
    """The arguments that are not left to their defaults, a line each."""
    names = ("text_pair", "label", "against", "scale", "position")
    return [f"    {name}={value!r}," for name in names if (value := getattr(request, name)) is not None]
