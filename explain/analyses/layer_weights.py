"""Layer weights: the weights of each layer by a method of the rollout family, and the attribution that follows."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, METHOD, ExplainedText, TextAnalysis
from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import LayerWeightMaps
from explain.methods.base import AttentionMethod, Stopwatch
from explain.models.base import TextModel


@ANALYSES.register("layer_weights")
@dataclass(frozen=True)
class LayerWeights(TextAnalysis[LayerWeightMaps]):
    """Weights of each layer by a method of the rollout family; passes as the method takes."""

    name: ClassVar[str] = "layer_weights"
    title: ClassVar[str] = "Weights of each layer"
    meaning: ClassVar[str] = "How much each token takes from each other token, layer by layer, by one method."
    limits: ClassVar[str] = "The weights are those of the method; see its own limits."
    returns: ClassVar[type] = LayerWeightMaps

    method: AttentionMethod = setting(codec=METHOD, help="A method of the rollout family.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.method, AttentionMethod):
            raise SettingError(
                f"{self.method.name} gives no weights of layers; take a method such as attention_rollout."
            )

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return self.method.cost(subject.tokens) + self.method.arithmetic(subject.tokens)

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> LayerWeightMaps:
        model.require(self.method.requires)
        explained = subject.tokens, subject.target
        watch = Stopwatch(meter)
        maps, output = self.method.maps(model, explained, watch.meter)
        return LayerWeightMaps(maps, self.method.attribution(model, explained, maps, output, watch))
