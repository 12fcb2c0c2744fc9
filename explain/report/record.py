"""The report of one text: results of a plan, put together with all that recomputing them needs."""

import datetime

from explain.analyses.similarity import SimilarityAttribution
from explain.core.settings import setting_values
from explain.core.versions import versions
from explain.datatypes import AttentionEdge, AttentionMaps, Report
from explain.models.base import TextModel
from explain.numerics.edges import top_edges
from explain.run.results import Results

SCHEMA = "explain-report-1"
EDGES_PER_LAYER = 40  # kept in a report


def report_of(results: Results, model: TextModel, *, edges: bool = True) -> Report:
    """Put the results of a plan together.

    Args:
        edges: whether the strongest attention edges are part of it; finding them takes a while.

    Raises:
        ExplainError: the prediction or the target is not computed yet.
    """
    plan, observation = results.plan, results.observation
    tests = next((tests.tests for tests in plan.tests), None)
    matrices = results.of_type(SimilarityAttribution)
    return Report(
        schema=SCHEMA,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        text=plan.text.text,
        text_pair=plan.text.text_pair,
        model=model.record,
        prediction=observation.prediction,
        target=results.decided_target,
        attributions=results.attributions,
        phrases=results.phrases or (),
        phrase_settings=setting_values(plan.phrases) if plan.phrases else {},
        metrics=results.metrics,
        edges=strongest_edges(observation.maps) if edges else (),
        versions=versions(),
        seed=0,
        test_settings=tests.record if tests else {},
        similarity=matrices[0] if matrices else None,
        empty_text=results.empty_text,
    )


def strongest_edges(maps: AttentionMaps, per_layer: int = EDGES_PER_LAYER) -> tuple[AttentionEdge, ...]:
    """Return the largest attention weights of each layer, averaged over heads."""
    return tuple(AttentionEdge(*edge) for edge in top_edges(maps.mean(), per_layer))
