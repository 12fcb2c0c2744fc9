"""`docs/adding.md`, written from `explain.extend` and the example extension, whose files a test installs and runs."""

from pathlib import Path

from explain.extend import KINDS, Kind

EXAMPLE = Path(__file__).parent / "example_extension"
FILES = {  # the example of each group
    "explain.methods": "gradient_peak",
    "explain.metrics": "half_deletion",
    "explain.tasks": "acceptability",
    "explain.views": "margin_sentence",
    "explain.analyses": "decision_margin",
    "explain.families": "ernie",
}

HEAD = """\
# Adding one of each

Written by `make golden` from `explain/extend.py` and `tests/example_extension`; do not edit.

A new entry is one file. It works in two places:

- in this package: `explain/methods/<name>.py` and so on. The file's name is the name in the registry, and nobody lists it. A family is a file in `explain/models/families`.
- in a distribution of your own, which names it by an entry point. Once it is installed, it is in the app, on the command line and in Python. `explain extensions` lists it.

```toml
{entry_points}```

| kind | smallest base class | what you write |
|---|---|---|
{kinds}

Methods, metrics and analyses have a `version`, 1 unless you set it. Raise it when the arithmetic changes. It is part of keys and records, so the replay of an old record says what has changed.
"""

DETAILS = {
    "explain.methods": """\
That is all. `explain text ... --method gradient_peak --set gradient_peak.steepest=3` works, the contract tests run over it, and `make golden` writes its card. A test asks you to name a method of this package in `docs/guide`.

A method that needs more than the gradient at the text subclasses another class of `explain/methods/base.py`:

- `PathMethod` integrates the gradient between an empty text and this one.
- `AttentionMethod` weighs the steps through the layers; `ShareMethod` gives shares of a whole. `reads` names the pass that `maps` makes, so that a run makes it for several texts at once.
- `Method` does anything else. `cost` is the most passes it takes, and `attribute_batch` computes.

A slow method may show its scores so far. `watch.meter.publish(self, attribution)`, with `"partial": True` among the diagnostics, is drawn on the page until the next one arrives (`explain/methods/permutations.py`). Methods that remove sets of words share `explain/methods/coalitions.py`.

Your distribution can run the contract, too: `for check in explain.testing.METHOD_CHECKS: check(GradientPeak(), explain.testing.TOY_MODELS["curved"])`.

Does it find what decides? `pytest tests/evaluation/test_ground_truth.py` ends with the precision of every method, yours too, on models whose deciding words were planted. `python -m benchmarks.planted --method gradient_peak` measures it on 200 texts of each kind. With `--write` it puts all methods into [ground_truth.md](ground_truth.md), where a test expects yours.
""",
    "explain.metrics": """\
`counts` says how many words are removed or kept at each point of the curve, and `summary` turns curves into figures. The base class adds the control (random orders of the same words) and shares passes.

A metric of another kind subclasses `Metric` and works on a `Trial`. A trial has the words that may be removed, the target as a function of the words that are present, random orders, and the operator to test a method with, which is never the one the method used (`explain/metrics/infidelity.py`). A metric that runs the method again gives the cost in `reruns` (`explain/metrics/reference_robustness.py`). `check_metric` of `explain.testing` runs over every metric.
""",
    "explain.tasks": """\
A checkpoint has the task if its architecture ends like `auto_class` (or is in `also_in`; `is_in` decides) and `fits` accepts its labels. Of several tasks the first by name is the default. The page's widgets follow from `texts`, `pair`, `place` and `examples`. Tasks differ in what their head gives:

- **numbers for the whole text**, `{"logits": (B, C)}`: `LabelTask`, as above. `columns` names them where checkpoints do not (`next_sentence_prediction.py`). A single number of another kind has its own `target` (`sentence_similarity.py`).
- **a row over the vocabulary at some tokens**, `{"rows": (B, P, C)}`: `VocabularyTask`; `positions` says at which (`fill_mask.py`, `text_generation.py`).
- **a row of labels at each word**: `Task` (`token_classification.py`). Targets carry their position and the protected tokens (`protected`), here the whole word: no method removes them, and their positions are updated when earlier words are deleted. `places` names the words that may be explained.
- **positions to choose from**: `Task` (`question_answering.py`). `normalizer_positions` adds the rows that the target's sum runs over; the position of a deleted token is -1. `one_row = False` excludes methods that take a single row apart. With `windows = True` a long second text is read in windows, and `joined` says which one counts.
- **one pass for each of several second texts**: `second_texts` makes them from the user's second text, `read_as` names them, and `joined` combines their predictions and says which one is explained (`zero_shot_classification.py`).

Add a toy to `TOY_MODELS` in `explain/testing/toys.py`: a `ToyModel` with the task, a head and `raw`, whose answers can be computed by hand. The suite needs one for every task, and runs `check_task` and every method over it. A head that a family lists (`Family.heads`) is computed only at the rows that are read; others are run whole.
""",
    "explain.views": """\
The script defines `draw(root, data)`; the page and the stand-alone file use the same script. Put text in with `textContent` only. In this package the script is a file of its own, `explain/views/assets/<name>.js`. A view whose data fit another view's script names that view in `drawn_by`. `explain/views/probabilities.py` is the shortest here.

Pages, files and notebooks find a view by the type it `accepts`, so no page is edited. Four attributes say where it is drawn:

- `rank` orders the views of one type.
- `fits(result)` is false for a result that lacks what the view draws.
- `alone = False` keeps it out of files and notebooks: it needs options or a page around it.
- `placed = True` keeps it out of the pages' lists: a page names it and gives it a place.

`check_view` of `explain.testing` runs over every view.
""",
    "explain.analyses": """\
Fields that are declared with `setting` are its settings, as for methods. `VectorAnalysis` is about the vectors of several texts, and `ModelAnalysis` about a model. `explain ask decision_margin "a text"`, `explain.ask`, records and replay follow from the class. `check_analysis` of `explain.testing` runs over every analysis, yours too: `check_analysis(DecisionMargin(), explain.testing.TOY_MODELS["curved"])`.
""",
    "explain.families": """\
The name is the `model_type` of the model's `config.json`. The family must be one that transformers loads without code of the model's own.
""",
}


def page() -> str:
    """Return the page: all kinds in a table, then each with its example."""
    rows = "\n".join(f"| {kind.noun} | `{kind.base_name}` | {kind.sentence} |" for kind in KINDS)
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    first = project.index("[project.entry-points")
    entry_points = project[first : project.index("[tool.", first)].strip() + "\n"
    return HEAD.format(entry_points=entry_points, kinds=rows) + "".join(map(_section, KINDS))


def example(kind: Kind) -> str:
    """Return the example of a kind: a file of the example extension."""
    return (EXAMPLE / "explain_example" / f"{FILES[kind.group]}.py").read_text(encoding="utf-8")


def _section(kind: Kind) -> str:
    module = kind.base.partition(":")[0]
    article = "An" if kind.noun[0] in "aeiou" else "A"
    return (
        f"\n## {article} {kind.noun}: `{FILES[kind.group]}.py`\n\n{kind.sentence}\n"
        f"The smallest base class is `{kind.base_name}` of `{module}`.\n\n```python\n{example(kind)}```\n\n"
        f"{DETAILS[kind.group]}"
    )
