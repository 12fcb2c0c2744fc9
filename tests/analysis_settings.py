"""Settings that every registered analysis can be tested with on a tiny model, in one place."""

from typing import Any

from explain.analyses.base import make_analysis
from explain.models.analysis import Analysis

# As on the command line, where the defaults are not enough or too slow.
SETTINGS = {
    "attention_knockout": {"cuts": "0.0, 1"},
    "clusters": {"count": "2"},
    "counterfactuals": {"budget": "60"},
    "word_edits": {"token": "1"},
    "layer_weights": {"method": "attention_rollout"},
    "max_activations": {"lines": "a good film\na bad film"},
    "method_tests": {"method": "occlusion", "tests": "deletion"},
    "nearest_neighbors": {"member": "0"},
    "neuron_ablation": {"neurons": "0.1, 1.all"},
    "parameter_randomization": {"method": "attention_rollout"},
    "semantic_search": {"query": "a good film"},
}


def analysis_of(name: str) -> Analysis[Any, Any]:
    """Return the analysis of a name with these settings."""
    return make_analysis(name, SETTINGS.get(name, {}), parse=True)
