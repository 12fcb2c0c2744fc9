"""ERNIE: built of BERT's modules, with the encoder in the attribute `ernie`."""

from explain.models.families import FAMILIES, Family

ERNIE = FAMILIES.register("ernie")(Family(body="ernie"))
