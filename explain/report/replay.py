"""Replay: computing a report again from its record, and comparing the two."""

import dataclasses

from explain.analyses.base import make_analysis
from explain.core.errors import RecordError
from explain.core.meter import Meter
from explain.core.settings import make
from explain.datatypes import Comparison, Report
from explain.evaluation.plausibility import plausibility
from explain.methods.base import METHODS
from explain.metrics.base import TrialSettings
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.report.comparison import Difference, compare, compare_records, joined
from explain.report.comparison_record import comparison_to_record
from explain.report.record import report_of
from explain.report.side_by_side import compare_reports
from explain.run import engine
from explain.run.plan import Plan
from explain.text.phrases import PhraseSettings

DEFAULT_TOLERANCE = 1e-3
_HASHES = {
    "weight_sha256": "weights",
    "settings_sha256": "configuration, labels or vocabulary",
    "files_sha256": "configuration, labels or tokenizer files",
}


def replay(recorded: Report, model: TextModel | None = None, meter: Meter | None = None) -> Difference:
    """Compute a report again from its record, and compare everything but dates, times, passes and versions.

    Args:
        recorded: the record.
        model: the model, if it is in another place now; by default the record's model is loaded by name.

    Raises:
        RecordError: the model is not that of the record, or would have to be downloaded on the record's word.
        ModelError: the model is missing.
    """
    if model is None:
        if catalogue.would_be_fetched(recorded.model.id):
            raise RecordError(
                f"The record's model {recorded.model.id!r} is not on this machine, and a record does not decide what "
                "is fetched. Give the model with --model."
            )
        model = catalogue.load_model(recorded.model.id, task=recorded.model.task)
    for field, what in _HASHES.items():
        here, then = getattr(model.record, field), getattr(recorded.model, field)
        if here != then and (then or field != "files_sha256"):  # earlier versions did not write it
            raise RecordError(
                f"The {what} of {recorded.model.id!r} here are not those of the record (sha256 {here[:12]}, recorded "
                f"{then[:12]}). Give the recorded model with --model."
            )
    again = report_of(engine.results(plan_of(recorded), model, meter), model)
    if recorded.rationale is not None:
        again = dataclasses.replace(again, rationale=plausibility(again, recorded.rationale.words))
    return compare(recorded, again)


def replay_comparison(recorded: Comparison, model: TextModel | None = None, meter: Meter | None = None) -> Difference:
    """Compute both reports of a comparison again, and everything that follows from them.

    What follows is computed from the recorded reports, so that no rank jumps where two scores are nearly equal.

    Args:
        recorded: the record.
        model: a model that is in another place now; it serves each report that it made.

    Raises:
        RecordError, ModelError: as `replay`; the model made neither of the reports.
    """
    reports = {"report_a": recorded.report_a, "report_b": recorded.report_b}
    made = {name for name, report in reports.items() if model and _made_by(model, report)}
    if model is not None and not made:
        raise RecordError(f"The model {model.name!r} made neither of the two reports. Leave out --model, or give one.")
    follows, again = (
        {name: part for name, part in comparison_to_record(comparison).items() if name not in reports}
        for comparison in (recorded, compare_reports(recorded.report_a, recorded.report_b))
    )
    parts = [("", compare_records(follows, again))]
    for name, report in reports.items():
        parts.append((name, replay(report, model if name in made else None, meter)))
    return joined(parts)


def _made_by(model: TextModel, report: Report) -> bool:
    return all(getattr(model.record, field) == getattr(report.model, field) for field in ("weight_sha256", "task"))


def plan_of(recorded: Report) -> Plan:
    """Return the plan that computes a report again.

    Raises:
        UnknownNameError, SettingError: a method, metric or analysis that is not registered here, or its settings.
    """
    target = recorded.target
    contrast_or_value = target.scale in ("logit_difference", "value")
    searched, tested = recorded.phrase_settings, recorded.test_settings
    return Plan.for_text(
        recorded.text,
        recorded.text_pair,
        methods=tuple(make(METHODS[part.method], part.params) for part in recorded.attributions),
        phrases=make(PhraseSettings, searched) if searched else None,
        tests=TrialSettings.from_record(tested) if tested else None,
        analyses=tuple(make_analysis(answer.analysis, answer.settings) for answer in recorded.answers),
        label=target.label,
        against=target.against,
        scale=None if contrast_or_value else target.scale,
        position=target.positions[0] if target.positions else None,
    )
