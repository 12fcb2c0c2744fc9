"""Names and import paths of the release before; they work for one more release, with a `DeprecationWarning`.

    from explain.knobs import knob        # now: from explain.core.settings import setting

A module that is gone is imported as a shim, which hands out each name from its new place. The table is all there is to
add to; `tests/test_deprecated.py` imports every entry.
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# Modules that moved whole.
MOVED = {
    "explain.errors": "explain.core.errors",
    "explain.installation": "explain.core.installation",
    "explain.jobs": "explain.run.jobs",
    "explain.knobs": "explain.core.settings",
    "explain.meter": "explain.core.meter",
    "explain.registry": "explain.core.registry",
    "explain.ground_truth": "explain.evaluation.ground_truth",
    "explain.rationale": "explain.evaluation.plausibility",
    "explain.replay": "explain.report.replay",
    "explain.verdict": "explain.evaluation.verdict",
    "explain.pipeline": "explain.api",
    "explain.questions": "explain.analyses.base",
    "explain.randomization": "explain.analyses.parameter_randomization",
    "explain.embeddings.base": "explain.models.analysis",
    "explain.embeddings.clusters": "explain.analyses.clusters",
    "explain.embeddings.maps": "explain.analyses.umap_map",
    "explain.embeddings.ranking": "explain.analyses.semantic_search",
    "explain.embeddings.work": "explain.api",
    "explain.models.catalogue": "explain.models.loading.catalogue",
    "explain.models.encoder": "explain.models.transformer",
    "explain.models.game": "explain.models.coalition_game",
    "explain.models.moved": "explain.models.perturbed",
    "explain.models.own_module": "explain.models.target_module",
    "explain.models.path": "explain.models.straight_path",
    "explain.models.random_layers": "explain.models.reinitialized",
    "explain.numerics.intervals": "explain.numerics.statistics",
    "explain.embeddings.reading": "explain.data.texts",
    "explain.embeddings.writing": "explain.report.vector_files",
    "explain.text.lines": "explain.data.texts",
    "explain.text.reference": "explain.data.reference_texts",
    "explain.text.tables": "explain.data.formats",
    "explain.training.baselines": "explain.training.measure.baselines",
    "explain.training.budget": "explain.training.run.budget",
    "explain.training.charts": "explain.training.measure.charts",
    "explain.training.classifier_settings": "explain.training.recipes.classifier_settings",
    "explain.training.columns": "explain.training.labeled_rows",
    "explain.training.evaluate": "explain.training.measure.classification",
    "explain.training.figures": "explain.training.measure.figures",
    "explain.training.foreground": "explain.training.run.foreground",
    "explain.training.job": "explain.training.run.job",
    "explain.training.library_errors": "explain.training.run.trainer_errors",
    "explain.training.lines": "explain.training.recipes.lines",
    "explain.training.pretraining_run": "explain.training.run.pretraining_run",
    "explain.training.rows": "explain.data.splits",
    "explain.training.runs": "explain.training.run.runs",
    "explain.training.source_encoder": "explain.training.objectives.source_encoder",
    "explain.training.table_run": "explain.training.run.table_run",
    "explain.training.tables": "explain.training.labeled_rows",
    "explain.training.watch": "explain.training.run.watch",
}

# Names that changed, or went elsewhere than their module: old module -> old name -> new place.
RENAMED = {
    "explain.errors": {
        "KnobError": "explain.core.errors.SettingError",
        "told": "explain.core.errors.exit_with_message",
    },
    "explain.knobs": {
        "Knob": "explain.core.settings.Setting",
        "knob": "explain.core.settings.setting",
        "knobs_of": "explain.core.settings.settings_of",
        "check_knobs": "explain.core.settings.check_settings",
        "settings_of": "explain.core.settings.setting_values",
    },
    "explain.datatypes": {
        "Chart": "explain.views.charts.Chart",
        "Charts": "explain.views.charts.Charts",
        "Confusion": "explain.views.charts.Confusion",
        "Line": "explain.views.charts.Line",
        "VERDICTS": "explain.views.verdicts.VERDICTS",
    },
    "explain.ground_truth": {
        "SHORTCUTS": "explain.testing.planted_models.SHORTCUTS",
        "Planted": "explain.testing.planted_models.Planted",
        "PlantedText": "explain.testing.planted_models.PlantedText",
        "planted": "explain.testing.planted_models.planted",
    },
    "explain.replay": {
        "SCHEMA": "explain.report.migration.SCHEMA",
        "compare": "explain.report.comparison.compare",
        "Difference": "explain.report.comparison.Difference",
        "from_json": "explain.report.record.from_json",
        "from_record": "explain.report.record.from_record",
        "json_schema": "explain.report.schema.json_schema",
        "read": "explain.report.record.read",
        "to_json": "explain.report.record.to_json",
        "to_record": "explain.report.record.to_record",
    },
    "explain.pipeline": {
        "Request": "explain.run.plan.Plan",
        "DEFAULT_METHODS": "explain.run.plan.DEFAULT_METHODS",
        "methods_from": "explain.run.plan.methods_from",
        "parts": "explain.run.engine.parts",
    },
    "explain.questions": {
        "Question": "explain.models.analysis.TextAnalysis",
        "StepWeights": "explain.analyses.layer_weights.LayerWeights",
        "HeadFigures": "explain.analyses.head_statistics.HeadStatistics",
        "QueriesAndKeys": "explain.analyses.queries_and_keys.QueriesAndKeys",
        "EffectOfHeads": "explain.analyses.head_ablation.HeadAblation",
        "EffectOfCuts": "explain.analyses.attention_knockout.AttentionKnockout",
        "HowItForms": "explain.analyses.logit_lens.LogitLens",
        "StatesInside": "explain.analyses.hidden_states.HiddenStates",
        "NeuronsInside": "explain.analyses.neuron_activations.NeuronActivations",
        "EffectOfNeurons": "explain.analyses.neuron_ablation.NeuronAblation",
        "WordsOfNeurons": "explain.analyses.max_activations.MaxActivations",
        "ShapleyInteractions": "explain.analyses.word_interactions.WordInteractions",
        "SimilarityAttribution": "explain.analyses.similarity.SimilarityAttribution",
    },
    "explain.randomization": {"WeightsMatter": "explain.analyses.parameter_randomization.ParameterRandomization"},
    "explain.embeddings.reading": {
        "Texts": "explain.data.texts.LoadedTexts",
        "of_lines": "explain.data.texts.pasted_texts",
    },
    "explain.text.lines": {"Lines": "explain.data.texts.DifferentTexts"},
    "explain.embeddings.writing": {"written": "explain.report.vector_files.to_bytes"},
    "explain.embeddings.base": {"Analysis": "explain.models.analysis.VectorAnalysis"},
    "explain.embeddings.clusters": {"Clustering": "explain.analyses.clusters.Clusters"},
    "explain.embeddings.maps": {"PCAMap": "explain.analyses.pca_map.PCAMap"},
    "explain.embeddings.ranking": {
        "Search": "explain.analyses.semantic_search.SemanticSearch",
        "Neighbours": "explain.analyses.nearest_neighbors.NearestNeighbors",
        "Compared": "explain.analyses.cosine_matrix.CosineMatrix",
        "sample": "explain.numerics.nearest.evenly_drawn",
    },
    "explain.models.base": {"OFFERS": "explain.models.base.CAPABILITIES"},
    "explain.models.encoder": {"EncoderModel": "explain.models.transformer.EncoderModel"},
    "explain.models.game": {"Game": "explain.models.coalition_game.CoalitionGame"},
    "explain.models.moved": {"Moved": "explain.models.perturbed.PerturbedEmbeddings"},
    "explain.models.own_module": {"own_copy": "explain.models.target_module.shared_weight_copy"},
    "explain.models.random_layers": {"drawn_anew": "explain.models.reinitialized.reinitialized"},
    "explain.training.charts": {
        "progress_charts": "explain.training.run.progress_charts.progress_charts",
    },
    "explain.training.classifier_settings": {
        "prepare": "explain.training.run.preparation.prepare_classifier",
        "write_rows": "explain.training.run.preparation.write_rows",
    },
    "explain.training.lines": {
        "prepare": "explain.training.run.preparation.prepare_pretraining",
    },
    "explain.training.columns": {
        "Columns": "explain.data.columns.Columns",
        "Examples": "explain.training.labeled_rows.LabeledRows",
        "examples": "explain.training.labeled_rows.labeled_rows",
        "labels_of": "explain.data.splits.labels_of",
        "text_key": "explain.data.splits.text_key",
        "text_of": "explain.data.columns.plain_text",
        "TEXTS": "explain.data.splits.TEXTS",
    },
    "explain.training.rows": {"license_of": "explain.data.storage.license_of"},
    "explain.training.tables": {
        "read_file": "explain.training.labeled_rows.open_rows",
        "read_table": "explain.training.labeled_rows.uploaded_rows",
        "Table": "explain.data.dataset.Dataset",
    },
    "explain.training.evaluate": {
        "need_seqeval": "explain.training.measure.spans.need_seqeval",
        "span_figures": "explain.training.measure.spans.span_figures",
        "span_f1": "explain.training.measure.spans.span_f1",
        "normalized": "explain.training.measure.answers.normalized",
        "word_f1": "explain.training.measure.answers.word_f1",
        "answer_figures": "explain.training.measure.answers.answer_figures",
        "retrieval_figures": "explain.training.measure.retrieval.retrieval_figures",
    },
    "explain.training.finetune": {
        "adapted_model": "explain.training.run.adapter.adapted_model",
        "carry_out": "explain.training.run.finetuning.carry_out",
        "Finetuned": "explain.training.run.finetuning.Finetuned",
        "Further": "explain.training.run.finetuning.Further",
        "LINEAR_MAPS": "explain.training.run.adapter.LINEAR_MAPS",
        "read_examples": "explain.training.run.examples.read_examples",
        "save": "explain.training.run.finetuning.save",
        "shown_figures": "explain.training.run.finetuning.shown_figures",
    },
    "explain.training.pretrain": {
        "by_length": "explain.training.objectives.documents.by_length",
        "Document": "explain.training.objectives.documents.Document",
        "HELD_OUT": "explain.training.objectives.documents.HELD_OUT",
        "hold_out": "explain.training.objectives.documents.hold_out",
        "LONG_DOCUMENT": "explain.training.objectives.documents.LONG_DOCUMENT",
        "both_objectives": "explain.training.objectives.masked_pairs.both_objectives",
        "collate": "explain.training.objectives.masked_pairs.collate",
        "LONGEST": "explain.training.objectives.masked_pairs.LONGEST",
        "MASKED": "explain.training.objectives.masked_pairs.MASKED",
        "measure": "explain.training.objectives.masked_pairs.measure",
        "measure_by_source": "explain.training.objectives.masked_pairs.measure_by_source",
        "Pairs": "explain.training.objectives.masked_pairs.Pairs",
        "PretrainingTrainer": "explain.training.run.pretraining.PretrainingTrainer",
        "read_documents": "explain.training.run.pretraining.read_documents",
        "save": "explain.training.run.pretraining.save",
        "source_model": "explain.training.run.pretraining.source_model",
    },
    "explain.training.recipes": {
        "TASK_RECIPES": "explain.training.recipes.tasks.TASK_RECIPES",
        "TaskRecipe": "explain.training.recipes.tasks.TaskRecipe",
        "places_of": "explain.training.recipes.tasks.places_of",
    },
    "explain.training.table_run": {"about_of": "explain.training.run.table_run.task_of"},
    "explain.methods.coalitions": {"GameSettings": "explain.methods.coalitions.CoalitionSettings"},
}


def old_name(module: str, name: str) -> Any:
    """Return the object of an old name; for `__getattr__` of modules whose names changed.

    Raises:
        AttributeError: the module never had that name.
    """
    place = RENAMED.get(module, {}).get(name) or (f"{MOVED[module]}.{name}" if module in MOVED else "")
    home, _, leaf = place.rpartition(".")
    try:
        member = getattr(importlib.import_module(home), leaf) if home else None
    except AttributeError:
        member = None
    if member is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warnings.warn(f"{module}.{name} is now {place}; the old name goes with the next release.", DeprecationWarning, 3)
    return member


class _Shim(Loader):
    """A loader of modules that return names from their new places."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name, f"Moved to {MOVED.get(spec.name, 'several modules')}.")
        module.__getattr__ = lambda name: _attribute(spec.name, name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up on access."""


def _attribute(module: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return old_name(module, name)


class _Finder(MetaPathFinder):
    """A finder of modules that are gone, behind all other finders."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        packages = {name.rpartition(".")[0] for name in MOVED}
        if fullname in MOVED:
            return ModuleSpec(fullname, _Shim(), is_package=fullname in packages)
        if fullname in packages and fullname.startswith("explain."):
            return ModuleSpec(fullname, _Shim(), is_package=True)
        return None


def install() -> None:
    """Let old import paths be found; called once, by `explain/__init__.py`."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
