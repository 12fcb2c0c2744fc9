"""BERT with a linear head on the mean of its tokens, or on the mean of what an LSTM gives for them.

    logits = W mean_t h_t + b,    h: the last layer's rows, or those of a `TokenLSTM` over them

BERT's own classifier reads [CLS] through a pooler instead. These two differ by the LSTM and nothing else, so they can
be compared.
"""

from typing import Any

from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from explain.models.pooling import Pooling
from explain.models.token_lstm import TokenLSTM, kept_rows, started_anew


class BertForMeanClassification(BertPreTrainedModel):
    """One label of several; the configuration's `classifier_pooling` is "mean"."""

    with_lstm = False

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        config.classifier_pooling = "mean"
        self.num_labels = config.num_labels
        self.bert = BertModel(config, add_pooling_layer=False)
        self.lstm = TokenLSTM(config.hidden_size) if self.with_lstm else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if not started_anew(module):
            super()._init_weights(module)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **options: Any,
    ) -> SequenceClassifierOutput:
        """Run it; `loss` is the cross-entropy where there are labels (B,), `logits` are (B, C)."""
        output = self.bert(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            **options,
        )
        rows = output.last_hidden_state
        kept = kept_rows(rows, attention_mask)
        # The LSTM is called by name: peft puts the trained one in its place.
        read = rows if self.lstm is None else self.lstm(rows, kept)
        logits = self.classifier(self.dropout(Pooling().of(read, kept)))
        return SequenceClassifierOutput(
            loss=None if labels is None else nn.functional.cross_entropy(logits, labels),
            logits=logits,
            hidden_states=output.hidden_states,
            attentions=output.attentions,
        )


class BertForLSTMClassification(BertForMeanClassification):
    """The same on the mean of what an LSTM gives."""

    with_lstm = True
