"""The functions of `import explain`: explain a text, compare two, run an analysis, read attention, embed texts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from explain.analyses.base import make_analysis
from explain.analyses.counterfactuals import Counterfactuals
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.datatypes import AttentionMaps, Comparison, CounterfactualList, Report, TextVectors
from explain.evaluation.verdict import verdict
from explain.methods.base import Method
from explain.metrics.base import TrialSettings
from explain.models.analysis import TEXTS, Analysis
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.report.dataset_run import Run
from explain.report.record import read, report_of
from explain.report.side_by_side import both_explained, compare_reports
from explain.run import engine
from explain.run.backends import backend_named
from explain.run.dataset_run import ROWS_OF_A_SHARD, RunCost, carry_out
from explain.run.jobs import Cache
from explain.run.plan import (
    DEFAULT_METHODS,
    Plan,
    methods_from,
    similarity_of,
)
from explain.run.run_plan import RunPlan
from explain.run.sample import Sample
from explain.run.shards import ShardProgress
from explain.run.vectors import default_pooling, read_texts
from explain.text.phrases import PhraseSettings

ResultType = TypeVar("ResultType")


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
    analyses: Sequence[Analysis[Any, Any]] = (),
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> Report:
    """Explain a text.

    Args:
        text, text_pair: a text, or two that are read together.
        model: a shipped name, a local folder, a hub name, or a loaded model.
        methods: names of `explain.METHODS`, or instances with their settings.
        settings: by method, for methods given by name: {"integrated_gradients": {"baseline": "pad"}}.
        label: the explained label (default: the decided one); against: the other label of a contrast.
        scale: "log_odds" (default), "probability", "log_probability" or "logit".
        position: the explained token, if the model is read at several: a mask, the first of a word or of an answer; by
            default the first mask, the most certain entity, the likeliest answer.
        task: the task of a model that is named and has several ("next-sentence-prediction").
        phrases: whether key phrases are searched for, or the settings of the search.
        tests: whether explanations are tested, or the settings of the tests: the report's `metrics`; see
            `explain.evaluation.verdict`.
        analyses: further analyses of a text, see `explain.ANALYSES`; their results are part of the report.
        meter: counts passes and can stop the work; cache: stores parts from call to call.

    Raises:
        ExplainError: any failure; the message says what is wrong and what to do next.

    >>> report = explain("A mess.", methods=["occlusion"], phrases=False)
    >>> report.prediction.label
    'negative'
    """
    loaded = _loaded(model, task)
    attribution_methods = methods_from(methods, settings)
    plan = Plan.for_text(
        text,
        text_pair,
        methods=attribution_methods,
        phrases=PhraseSettings() if phrases is True else phrases or None,
        tests=TrialSettings.from_names() if tests is True else tests or None,
        analyses=(*similarity_of(loaded), *analyses),
        label=label,
        against=against,
        scale=scale,
        position=position,
    )
    return report_of(engine.results(plan, loaded, meter, cache), loaded)


def compare(
    a: str | Path | Report,
    b: str | Path | Report | None = None,
    model: str | TextModel | Sequence[str | TextModel] = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | Sequence[str | None] | None = None,
    methods: Sequence[str | Method] = DEFAULT_METHODS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    label: str | Sequence[str | None] | None = None,
    against: str | Sequence[str | None] | None = None,
    scale: str | None = None,
    position: int | None = None,
    task: str | None = None,
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> Comparison:
    """Set two explanations side by side: two texts, two models on one text, or two labels of one text.

    Scores stand on one scale, words are aligned, and each row has its difference, of B less A. Log-odds are divided by
    the model's temperature.

    Args:
        a, b: two texts, or one; or two reports; or a `Path` of each, to its JSON file.
        model, text_pair, label, against: one for both, or two, those of A and of B. If no label is given, both explain
            the label that is decided for A, if B can have it.
        methods, settings, scale, position, task, meter, cache: see `explain`; for texts only.

    Raises:
        SettingError: nothing differs, or two things do at once, or the reports have no method in common.
        ExplainError: any other failure; the message says what is wrong and what to do next.

    >>> comparison = compare("A mess.", "A feast.", methods=["occlusion"])
    >>> [(row.word_a, row.word_b) for row in comparison.rows]
    [('A', 'A'), ('mess', 'feast'), ('.', '.')]
    """
    report_a, report_b = (read(side) if isinstance(side, Path) else side for side in (a, b))
    if isinstance(report_a, Report) and isinstance(report_b, Report):
        return compare_reports(report_a, report_b)
    if not isinstance(report_a, str) or not isinstance(report_b, str | None):
        raise SettingError("Give two reports, the paths of two, or texts: a report is compared with a report.")
    texts = (report_a, report_a if report_b is None else report_b)
    models = tuple(_loaded(name, task) for name in _both("model", model))
    pairs, labels, others = _both("text_pair", text_pair), _both("label", label), _both("against", against)
    sides = tuple(zip(texts, models, pairs, others))
    if (sides[0], labels[0]) == (sides[1], labels[1]):
        raise SettingError("Nothing differs: give two texts, two models or two labels.")
    options = {"methods": methods, "settings": settings, "scale": scale, "position": position}

    def explained(side: int, label: str | None) -> Report:
        text, loaded, pair, other = sides[side]
        question: dict[str, Any] = {"text_pair": pair, "label": label, "against": other, **options}
        return explain(text, loaded, phrases=False, meter=meter, cache=cache, **question)

    return compare_reports(*both_explained(explained, labels))


def ask(
    analysis: str | Analysis[Any, ResultType],
    text: str | Sequence[str],
    model: str | TextModel | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    against: str | None = None,
    scale: str | None = None,
    position: int | None = None,
    task: str | None = None,
    pooling: str | None = None,
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> ResultType:
    """Run an analysis of `explain.ANALYSES`.

    Args:
        analysis: its name, or an instance with its settings.
        text: a text; for analyses of vectors, a list of texts.
        settings: by name, if the analysis is named.
        pooling: for analyses of vectors, see `embed`.
        model, text_pair, label, against, scale, position, task, meter, cache: see `explain`.

    Returns:
        A result of the analysis' type, `type(analysis).returns`.

    Raises:
        ExplainError: any failure; the message says what is wrong and what to do next.

    >>> ask("hidden_states", "A mess.").norms.shape  # layers and the input, tokens
    (7, 5)
    """
    wanted: Any = make_analysis(analysis, dict(settings or {})) if isinstance(analysis, str) else analysis
    if isinstance(analysis, Analysis) and settings:
        raise SettingError("An instance of an analysis has its settings already: leave out `settings`.")
    if wanted.subject == TEXTS:
        loaded = _encoder(model)
        texts = [text] if isinstance(text, str) else text
        return wanted.run(loaded, read_texts(texts, loaded, pooling or default_pooling(loaded), meter), meter)
    if not isinstance(text, str):
        raise SettingError(f"{wanted.title} is about one text: pass a string, not a list.")
    loaded = _loaded(model or catalogue.DEFAULT_MODEL, task)
    plan = Plan.for_text(
        text, text_pair, analyses=(wanted,), label=label, against=against, scale=scale, position=position
    )
    return cast(ResultType, engine.results(plan, loaded, meter, cache).answer(wanted))


def counterfactuals(
    text: str,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | None = None,
    to: str | None = None,
    budget: int = 300,
    margin: float = 1.0,
    edited: str = "auto",
    deletions: bool = False,
    task: str | None = None,
    meter: Meter | None = None,
    cache: Cache | None = None,
) -> CounterfactualList:
    """Search the smallest fluent edits after which the model decides otherwise.

    Args:
        to: the label to be decided; by default the likeliest other one.
        budget: the most passes to spend.
        margin: the least log-odds of the new answer, divided by the temperature if there is one.
        edited: "first", "second" or "both" texts; "auto" is the second of a pair.
        deletions: whether words may be deleted.
        text, text_pair, model, task, meter, cache: see `explain`.

    Returns:
        The edits that are fewest, most fluent and most robust; none where none was found within the budget.

    Raises:
        ExplainError: a model that decides no label about a text, no such label, or any other failure.

    >>> search = counterfactuals("A mess.")
    >>> search.label, search.to, search.counterfactuals[0].label
    ('negative', 'positive', 'positive')
    """
    wanted = Counterfactuals(to=to, budget=budget, margin=margin, edited=edited, deletions=deletions)
    return ask(wanted, text, model, text_pair=text_pair, task=task, meter=meter, cache=cache)


def run(
    data: str | Path | Dataset,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    out: str | Path,
    columns: Columns | None = None,
    split: str | None = None,
    methods: Sequence[str | Method] = DEFAULT_METHODS[:1],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    phrases: bool | PhraseSettings = False,
    tests: bool | TrialSettings = False,
    texts: bool = True,
    embeddings: bool | str = False,
    task: str | None = None,
    backend: str = "auto",
    address: str | None = None,
    workers: int = 1,
    resume: bool = False,
    shard_size: int = ROWS_OF_A_SHARD,
    sample: Sample | int | None = None,
    on_cost: Callable[[RunCost], None] | None = None,
    on_progress: Callable[[ShardProgress], None] = lambda progress: None,
) -> Run:
    """Explain every row of a data set, and keep the rows in a folder.

    Args:
        data: a file or folder of any format that `Dataset.open` reads, its address (s3://...), or a `Dataset`.
        out: a new folder or its address; with `resume`, that of the same run, which goes on where it stopped.
        columns: which columns hold text, second text, label, id and groups; by default "text" or the only column.
        split: of a folder with several files.
        methods, settings, phrases, tests: see `explain`; no methods: predictions only. With tests, rows have verdicts.
        texts: whether texts and words are kept; else a hash of each text.
        embeddings: whether each text's vector is kept, too; or the pooling, see `embed`.
        backend, address: "threads", "processes", or "ray", of a cluster or one that is started here; "auto": processes
            where there are several workers.
        workers: how many, of one thread each; one "threads" worker has as many threads as torch was given.
        shard_size: rows that are computed and kept together.
        sample: explain drawn rows only: how many, or a `Sample`.
        on_cost: takes what the run will take, judged by its first 32 rows, before it begins; not of a smaller one.
        on_progress: takes the progress before the first shard and after each.

    Returns:
        The run: its rows, figures, words, and each row as a report.

    Raises:
        DataError: nothing can be read, ids are not unique, or `out` holds something else. SettingError: an address
            that is not taken. Busy: another process writes there. ExplainError: any other; what is done is kept.

    >>> import tempfile
    >>> data = Dataset.of_rows([{"text": "A mess."}, {"text": "A feast."}])
    >>> made = run(data, out=tempfile.mkdtemp(), methods=["occlusion"])
    >>> [row["prediction"] for row in made.rows()]
    ['negative', 'positive']
    """
    loaded, computing = _loaded(model, task), backend_named(backend, workers, address)
    dataset = data if isinstance(data, Dataset) else Dataset.open(data, split=split, keep_going=True)
    dataset = dataset if columns is None else dataset.with_columns(columns)
    plan = _run_plan(loaded, dataset.roles, methods_from(methods, settings), phrases, tests, texts, embeddings)
    carry_out(out, loaded, dataset, plan, computing, shard_size, resume, on_cost, on_progress, sample)
    return Run(out)


def _run_plan(
    model: TextModel,
    roles: Columns,
    methods: tuple[Method, ...],
    phrases: bool | PhraseSettings,
    tests: bool | TrialSettings,
    texts: bool,
    embeddings: bool | str,
) -> RunPlan:
    """Return the plan of a run, with the default settings of what is only named."""
    pooling = default_pooling(model) if embeddings is True else embeddings or None
    if pooling is not None:
        model.require(frozenset({"vectors"}))
    return RunPlan(
        methods,
        PhraseSettings() if phrases is True else phrases or None,
        texts,
        roles,
        tests=TrialSettings.from_names() if tests is True else tests or None,
        judge=verdict,
        embeddings=pooling,
    )


def attention(
    text: str,
    model: str | TextModel = catalogue.DEFAULT_MODEL,
    *,
    text_pair: str | None = None,
    task: str | None = None,
) -> AttentionMaps:
    """Return the attention of every layer and head on a text, by a single forward pass.

    Args:
        text, text_pair, model, task: see `explain`.

    Returns:
        Maps with `weights (L, H, T, T)`, row = the token that attends, column = the attended token, rows summing to 1.

    Raises:
        ExplainError: any failure; the message says what is wrong and what to do next.

    >>> attention("A mess.").weights.shape
    (6, 12, 5, 5)
    """
    loaded = _loaded(model, task)
    return loaded.observe(loaded.encode(text, text_pair)).maps


def embed(
    texts: Sequence[str],
    model: str | TextModel | None = None,
    *,
    pooling: str | None = None,
    meter: Meter | None = None,
) -> TextVectors:
    """Return the vector of each text, read by itself.

    Args:
        texts: at least one; a text that is too long for the model is truncated, see `truncated`.
        model: a shipped name, a local folder, a hub name, or a loaded model; by default the one for similarity.
        pooling: "mean", "cls", "max", "last_four", "layer:N" (from 0) or "lstm"; by default the pooling that the
            model was trained with, or the mean.
        meter: counts passes, one for each text, and can stop the work.

    Raises:
        ExplainError: a text that can't be read, or no such model or pooling; the message says what to do next.

    >>> embed(["A mess.", "A feast."]).vectors.shape
    (2, 384)
    """
    loaded = _encoder(model)
    return read_texts(texts, loaded, pooling or default_pooling(loaded), meter)


def _both(name: str, option: Any) -> tuple[Any, Any]:
    """Return an option for A and for B: the same twice, or the two that were given.

    Raises:
        SettingError: a list that does not have two entries.
    """
    if option is None or isinstance(option, str | TextModel):
        return option, option
    if len(option) != 2:
        raise SettingError(f"`{name}` has {len(option)} entries; give one for both sides, or two: of A and of B.")
    return tuple(option)


def _loaded(model: str | TextModel, task: str | None) -> TextModel:
    return catalogue.load_model(model, task=task) if isinstance(model, str) else model


def _encoder(model: str | TextModel | None) -> TextModel:
    return model if isinstance(model, TextModel) else catalogue.load_model(model or catalogue.default_encoder())
