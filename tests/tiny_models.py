"""Tiny random models of every family, with tokenizers made here, saved as folders that the catalogue loads.

Random weights are drawn large, so that attention is far from uniform and a wrong position or segment shows. They are
the same in every run, and so are the tokenizers: what the library trains depends on the order of its hash tables, with
which a test that is near its tolerance would pass on one day and fail on the next.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "The film isn't good, but its top-notch cast saves it!",
    "An unbelievably bad, slow and charmless story; not one joke works.",
    "I loved every minute of this wonderful, moving picture. Unforgettable?",
    "Two people walk along the beach while their dog swims in the sea.",
    "这部电影非常好看。我喜欢演员的表演,但是结尾太长了。",
    "Этот фильм скучный и слишком длинный.",
] * 4

BERT_SPECIAL = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
    "unk_token": "[UNK]",
}
ROBERTA_SPECIAL: dict[str, Any] = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "mask_token": AddedToken("<mask>", lstrip=True, special=True),  # it eats the space before it, as RoBERTa's does
    "unk_token": "<unk>",
}

SIZES = dict(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64)  # noqa: C408


def wordpiece(**options: object) -> PreTrainedTokenizerFast:
    """BERT's kind: lower case, "##" continues a word, Chinese characters cut apart."""
    tokenizer = _of_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return _wrap(tokenizer, BERT_SPECIAL, **options)


def _of_pieces(special: Sequence[str | AddedToken], size: int = 220) -> Tokenizer:
    """A vocabulary of the corpus' characters, then of the parts of words, of two to four letters, that hold most."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    characters, longer = Counter[str](), Counter[str]()
    for line in CORPUS:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(line)):
            for start in range(len(word)):
                for stop in range(start + 1, min(start + 4, len(word)) + 1):
                    (characters if stop == start + 1 else longer)["##" * (start > 0) + word[start:stop]] += 1
    names = [str(one) for one in special]
    common = sorted(longer, key=lambda piece: (-longer[piece] * len(piece.removeprefix("##")), piece))
    pieces = [*names, *sorted(characters), *common][:size]
    tokenizer.model = models.WordPiece(
        {piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]", max_input_chars_per_word=100
    )
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def byte_level(**options: object) -> PreTrainedTokenizerFast:
    """RoBERTa's kind: bytes, "Ġ" begins a word, two separators in a pair; the padding id is 1, as there."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", ROBERTA_SPECIAL["mask_token"]]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    return _wrap(tokenizer, ROBERTA_SPECIAL, **options)


def plain_bytes() -> PreTrainedTokenizerFast:
    """GPT-2's kind: bytes, "Ġ" begins a word, nothing is put around a text; no mask, no padding."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    end = "<|endoftext|>"
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=420, special_tokens=[end], initial_alphabet=alphabet, show_progress=False),
    )
    return _wrap(tokenizer, {"bos_token": end, "eos_token": end, "unk_token": end}, segments=False)


def unigram(
    first: tuple[Any, ...], single: str, pair: str, special: dict[str, Any], **options: object
) -> PreTrainedTokenizerFast:
    """SentencePiece's kind: "▁" begins a word."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=260, special_tokens=list(first), unk_token=special["unk_token"], show_progress=False
        ),
    )
    trained = json.loads(tokenizer.to_str())["model"]
    pieces = [(piece, round(score, 3)) for piece, score in trained["vocab"]]
    tokenizer.model = models.Unigram(pieces[: len(first)] + sorted(pieces[len(first) :]), unk_id=trained["unk_id"])
    names = {special["cls_token"], special["sep_token"]}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names]
    )
    return _wrap(tokenizer, special, **options)


def _wrap(tokenizer: Tokenizer, special: dict[str, Any], segments: bool = True) -> PreTrainedTokenizerFast:
    names = ["input_ids", "token_type_ids", "attention_mask"] if segments else ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, model_max_length=64, **special)


def xlm_roberta_tokenizer() -> PreTrainedTokenizerFast:
    return unigram(
        ("<s>", "<pad>", "</s>", "<unk>", ROBERTA_SPECIAL["mask_token"]),
        "<s> $A </s>",
        "<s> $A </s> </s> $B </s>",
        ROBERTA_SPECIAL,
        segments=False,
    )


def albert_tokenizer() -> PreTrainedTokenizerFast:
    special = BERT_SPECIAL | {"pad_token": "<pad>", "unk_token": "<unk>"}
    return unigram(
        ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        "[CLS]:0 $A:0 [SEP]:0",
        "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special,
    )


def deberta_tokenizer() -> PreTrainedTokenizerFast:
    return unigram(
        ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
        "[CLS]:0 $A:0 [SEP]:0",
        "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        BERT_SPECIAL,
    )


def mpnet_tokenizer() -> PreTrainedTokenizerFast:
    """MPNet: word pieces, RoBERTa's special tokens; the padding id is 1."""
    tokenizer = _of_pieces(["<s>", "<pad>", "</s>", "[UNK]", ROBERTA_SPECIAL["mask_token"]])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return _wrap(tokenizer, ROBERTA_SPECIAL | {"unk_token": "[UNK]"}, segments=False)


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "bert": wordpiece,
    "distilbert": lambda: wordpiece(segments=False),
    "roberta": lambda: byte_level(segments=False),
    "xlm-roberta": xlm_roberta_tokenizer,
    "camembert": xlm_roberta_tokenizer,
    "albert": albert_tokenizer,
    "electra": wordpiece,
    "deberta-v2": deberta_tokenizer,
    "mpnet": mpnet_tokenizer,
    "modernbert": lambda: wordpiece(segments=False),
}
FAMILY_NAMES = tuple(TOKENIZERS)


def config_of(family: str, tokenizer: PreTrainedTokenizerFast, **changes: object) -> transformers.PretrainedConfig:
    common = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": 64,
        "num_labels": 3,
        **SIZES,
    }
    if family == "distilbert":
        common |= {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}
        for name in SIZES:
            del common[name]
    if family in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        common["max_position_embeddings"] = 66  # two are never used: positions begin after the padding id
    if family in ("albert", "electra"):
        common["embedding_size"] = 16
    if family == "deberta-v2":
        common |= {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "max_relative_positions": 16,
        }
    if family == "modernbert":
        special = {"cls_token_id": tokenizer.cls_token_id, "sep_token_id": tokenizer.sep_token_id}
        common |= special | {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
        common |= {"local_attention": 8, "global_attn_every_n_layers": 2, "classifier_pooling": "mean"}
    return transformers.AutoConfig.for_model(family, **(common | changes))


def tiny_gpt2(folder: Path) -> Path:
    """Save a tiny random GPT-2 with its tokenizer."""
    torch.manual_seed(7)
    tokenizer = plain_bytes()
    sizes = {"n_embd": SIZES["hidden_size"], "n_layer": SIZES["num_hidden_layers"], "n_head": 4, "n_positions": 64}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=len(tokenizer), **sizes))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.25)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_folder(
    family: str,
    folder: Path,
    *,
    head: str = "ForSequenceClassification",
    dtype: torch.dtype = torch.float32,
    **changes: object,
) -> Path:
    """Save a tiny random model with its tokenizer; see `config_of` for `changes`."""
    torch.manual_seed(7)
    tokenizer = TOKENIZERS[family]()
    if head == "ForQuestionAnswering":
        changes = {"num_labels": 2} | changes
    config = config_of(family, tokenizer, **changes)
    model = getattr(transformers, f"AutoModel{head}").from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.25)
            elif "norm" not in name.lower():
                parameter.normal_(std=0.1)
    model.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | changes))


def unsaid(folder: Path) -> Path:
    """The same folder, its configuration no longer saying what was saved."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": None}))
    return folder
