"""CamemBERT (Martin et al. 2020, https://arxiv.org/abs/1911.03894): RoBERTa's modules, trained on French."""

from explain.models.families import FAMILIES
from explain.models.families.roberta import ROBERTA

FAMILIES.register("camembert")(ROBERTA)
