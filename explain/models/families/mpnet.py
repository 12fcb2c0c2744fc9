"""MPNet (Song et al. 2020, https://arxiv.org/abs/2004.09297): a position bias is added inside its own attention."""

from dataclasses import replace

from explain.models.families import FAMILIES
from explain.models.families.roberta import ROBERTA

FAMILIES.register("mpnet")(replace(ROBERTA, layer=None, probed=False, body=""))
