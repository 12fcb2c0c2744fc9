"""DistilBERT (Sanh et al. 2019, https://arxiv.org/abs/1910.01108)."""

from torch.nn.functional import relu

from explain.models.families import FAMILIES, LINEAR_HEADS, Family, LayerParts

FAMILIES.register("distilbert")(
    Family(
        heads={
            "AutoModelForSequenceClassification": ("pre_classifier", relu, "classifier"),
            "AutoModelForMaskedLM": ("vocab_transform", "activation", "vocab_layer_norm", "vocab_projector"),
            **LINEAR_HEADS,
        },
        second_map=r"transformer\.layer\.\d+\.ffn\.lin2",
        layer=LayerParts(
            layers="transformer.layer",
            value="attention.v_lin",
            output="attention.out_lin",
            attention_norm="sa_layer_norm",
            inner="ffn.lin1",
            activation="ffn.activation",
            outer="ffn.lin2",
            output_norm="output_layer_norm",
        ),
    )
)
