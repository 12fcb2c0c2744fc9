"""The engine: computes the parts of a plan, cheapest first; the same for page, command line and Python.

    one text:    encode -> observe (prediction and attention maps, one forward) -> methods -> phrases -> tests -> rest
    many texts:  vectors (one forward each) -> analyses of vectors

Every part is stored by what it depends on: the weights, the ids, the target, and the analysis with its version.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from explain.analyses.key_phrases import empty_text
from explain.analyses.word_edits import StrongestWordEdits, no_edits
from explain.core.meter import Meter
from explain.datatypes import Attribution, EmptyText, Prediction, Tokens
from explain.methods.base import Method
from explain.metrics.base import Trial, TrialSettings
from explain.models.analysis import MODEL, Analysis, ExplainedText
from explain.models.base import Observation, TextModel, check_same_score
from explain.models.cached_model import CachedModel
from explain.run import jobs
from explain.run.jobs import Cache, CacheCheckpoint, remembered
from explain.run.plan import Plan, TextsItem
from explain.run.results import EMPTY_TEXT, OBSERVATION, TARGET, VECTORS, Results
from explain.run.vectors import read_texts

PartKey = str | Analysis[Any, Any]

FEW_PASSES = 4  # so many never wait behind long work

Recall = Callable[[Hashable, Callable[[], Any]], Any]


def cost(plan: Plan, model: TextModel) -> int:
    """Return the most passes that a plan takes, and steps of arithmetic that take as long."""
    if isinstance(plan.item, TextsItem):
        texts = plan.item.texts
        read = 0 if plan.item.kept is not None else len(texts)
        return read + sum(analysis.passes(model, texts) for analysis in plan.analyses)
    windows = model.windows(plan.item.text, plan.item.text_pair)
    return _passes_of_prediction(windows) + max(_cost_of_window(plan, model, tokens) for tokens in windows)


def parts_at_once(plan: Plan, model: TextModel) -> int:
    """Return how many of a plan's first parts take at most `FEW_PASSES`: prediction with maps and target, or none."""
    if isinstance(plan.item, TextsItem):
        return 0
    if _passes_of_prediction(model.windows(plan.item.text, plan.item.text_pair)) > FEW_PASSES:
        return 0
    return len((OBSERVATION, TARGET)) if plan.analyses else jobs.ALL


def cheapest_first(plan: Plan, model: TextModel, subject: ExplainedText) -> list[Method]:
    """Return the methods of a plan in the order they are computed."""
    return sorted(plan.methods, key=lambda method: method.passes(model, subject))


def in_order(plan: Plan, model: TextModel, subject: ExplainedText) -> tuple[Analysis[Any, Any], ...]:
    """Return the analyses of a plan about one text in the order they are computed."""
    phrases = () if plan.phrases is None else (plan.phrases,)
    return (*cheapest_first(plan, model, subject), *phrases, *plan.tests, *plan.others)


def _passes_of_prediction(windows: Sequence[Tokens]) -> int:
    """Return the passes of predicting from all windows, and of reading the one that is explained once more."""
    return len(windows) + (len(windows) > 1)


def _cost_of_window(plan: Plan, model: TextModel, tokens: Tokens) -> int:
    subject = ExplainedText.untargeted(tokens)
    total = sum(analysis.passes(model, subject) for analysis in (*plan.methods, *plan.others))
    total += plan.phrases.passes(model, subject) if plan.phrases else 0
    total += 2 if plan.methods and model.task.positions(tokens, model.head) else 0  # the asked word alone, and the text
    for settings in dict.fromkeys(tests.tests for tests in plan.tests):
        tested = [tests.method for tests in plan.tests if tests.tests == settings]
        total += settings.cost(model, tokens, tested)
    return total


def known(plan: Plan, model: TextModel, cache: Cache) -> tuple[Results, bool]:
    """Return the parts of a plan that need no computing, up to the first that does, and whether these are all."""
    stored, complete = remembered(parts(plan, model, cache=cache, compute=False))
    return Results(plan, stored), complete


def results(plan: Plan, model: TextModel, meter: Meter | None = None, cache: Cache | None = None) -> Results:
    """Compute a whole plan; raises as `parts` does."""
    return Results.collect(plan, parts(plan, model, meter, cache))


def parts(
    plan: Plan,
    model: TextModel,
    meter: Meter | None = None,
    cache: Cache | None = None,
    *,
    compute: bool = True,
) -> Iterator[tuple[PartKey, Any]]:
    """Compute a plan part by part.

    Yields:
        Of one text (OBSERVATION, Observation) and (TARGET, Target), for heatmaps of a target that is read at
        words (EMPTY_TEXT, EmptyText), of many (VECTORS, TextVectors); then each analysis
        with its result: methods cheapest first, key phrases, tests, the others.

    Raises:
        ExplainError: something is wrong with text, target or settings, or the work was stopped.
    """
    store = cache if cache is not None else Cache()
    recall = partial(jobs.recall, store, compute=compute)
    if isinstance(plan.item, TextsItem):
        yield from _vector_parts(plan, plan.item, model, meter, recall)
    else:
        yield from _text_parts(plan, model, meter, recall, store)


def _vector_parts(
    plan: Plan, item: TextsItem, model: TextModel, meter: Meter | None, recall: Recall
) -> Iterator[tuple[PartKey, Any]]:
    # keys are stored; texts would be stored with them
    place = (model.record, item.texts.digest, item.pooling, item.kept_in)
    vectors = item.kept
    if vectors is None:
        vectors = recall((*place, VECTORS), partial(read_texts, item.texts.texts, model, item.pooling, meter))
    yield VECTORS, vectors
    for analysis in plan.analyses:
        yield analysis, recall((*place, analysis.key), partial(analysis.run, model, vectors, meter))


def _text_parts(
    plan: Plan, model: TextModel, meter: Meter | None, recall: Recall, store: Cache
) -> Iterator[tuple[PartKey, Any]]:
    working = CachedModel(model)
    tokens, prediction, place = _window(plan, model, meter, recall)

    observation: Observation = recall((*place, OBSERVATION), partial(model.observe, tokens, meter))
    if prediction is not None:
        observation = Observation(prediction, observation.maps)
    working.remember(observation)
    yield OBSERVATION, observation

    choice = plan.target
    target = model.task.target(
        observation.prediction,
        model.head,
        label=choice.label,
        against=choice.against,
        scale=choice.scale,
        position=choice.position,
    )
    yield TARGET, target

    subject = ExplainedText(tokens, target)
    served = model.value(observation.prediction, target)
    if plan.methods and target.protected and len(model.removable(tokens, target)):  # said above the heatmaps
        yield EMPTY_TEXT, _asked_alone(plan, working, subject, meter, recall, (*place, target))
    attributions: dict[Method, Attribution] = {}
    for method in cheapest_first(plan, model, subject):
        attribution = recall((*place, target, method.key), partial(method.run, working, subject, meter))
        check_same_score(attribution.output, served, model.name)
        attributions[method] = attribution
        yield method, attribution

    if plan.phrases is not None:
        yield (
            plan.phrases,
            recall((*place, target, plan.phrases.key), partial(plan.phrases.run, working, subject, meter)),
        )

    yield from _test_parts(plan, working, subject, meter, recall, (*place, target), attributions)

    def other(analysis: Analysis[Any, Any]) -> Any:
        about_model = analysis.subject == MODEL
        key = (model.record, analysis.key) if about_model else (*place, target, analysis.key)
        checkpoint = CacheCheckpoint(store, key)
        return recall(key, partial(analysis.resume, working, None if about_model else subject, meter, checkpoint))

    for analysis in plan.others:
        if isinstance(analysis, StrongestWordEdits):
            known = attributions.get(analysis.method)
            attribution = analysis.method.run(working, subject, meter) if known is None else known
            edits = analysis.of(attribution)
            yield analysis, no_edits(attribution) if edits is None else other(edits)  # stored as of a picked word
        else:
            yield analysis, other(analysis)


def _test_parts(
    plan: Plan,
    model: TextModel,
    subject: ExplainedText,
    meter: Meter | None,
    recall: Recall,
    place: tuple[Hashable, ...],
    attributions: Mapping[Method, Attribution],
) -> Iterator[tuple[PartKey, Any]]:
    trials: dict[TrialSettings, Trial] = {}
    for tests in plan.tests:

        def test(tests: Any = tests) -> Any:
            if tests.tests not in trials:  # methods share the runs of random orders
                trials[tests.tests] = tests.trial(model, subject, meter)
            method = tests.method
            attribution = attributions[method] if method in attributions else method.run(model, subject, meter)
            return tests.run_on(trials[tests.tests], attribution)

        yield tests, recall((*place, tests.key), test)


def _asked_alone(
    plan: Plan,
    model: TextModel,
    subject: ExplainedText,
    meter: Meter | None,
    recall: Recall,
    place: tuple[Hashable, ...],
) -> EmptyText:
    """Return the answer to the words that the target is read at, the others removed as for key phrases."""
    operator = model.operator(plan.phrases.operator if plan.phrases else "auto")
    alone: EmptyText = recall((*place, EMPTY_TEXT, operator), partial(empty_text, model, subject, operator, meter))
    return alone


def _window(
    plan: Plan, model: TextModel, meter: Meter | None, recall: Recall
) -> tuple[Tokens, Prediction | None, tuple[Hashable, ...]]:
    """Return the window of a text that is explained, the prediction over all windows, and the key of the window."""
    item = plan.text
    windows = model.windows(item.text, item.text_pair)
    texts = (model.record, item.text, item.text_pair)
    tokens, prediction = windows[0], None
    if len(windows) > 1:
        predictions = recall((*texts, "windows"), lambda: tuple(model.predict(window, meter) for window in windows))
        number, prediction = model.task.joined(predictions, model.head, plan.target.label)
        tokens = windows[number]
    return tokens, prediction, (*texts, tokens.key)
