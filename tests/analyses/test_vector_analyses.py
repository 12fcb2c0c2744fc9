"""Vectors of texts, and what is found out from them: beside plain code, and scikit-learn on all of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import csv, parquet
from sklearn.metrics import silhouette_score

import explain
from explain.analyses import clusters, cosine_matrix, umap_map
from explain.analyses.clusters import Clusters
from explain.analyses.cosine_matrix import CosineMatrix
from explain.analyses.nearest_neighbors import NearestNeighbors
from explain.analyses.pca_map import PCAMap
from explain.analyses.semantic_search import SemanticSearch
from explain.analyses.umap_map import UMAPMap
from explain.core.errors import Cancelled, FileError, ModelError, SettingError, TextError
from explain.core.meter import Meter
from explain.data.texts import LoadedTexts, pasted_texts
from explain.datatypes import ModelRecord, TextVectors
from explain.models.loading.catalogue import default_encoder
from explain.models.transformer import EncoderModel, EncoderVectors
from explain.report import vector_files
from explain.run import engine
from explain.run import vectors as run_vectors
from explain.run.jobs import Cache
from explain.run.plan import Plan, TextsItem
from explain.testing import TOY_MODELS

RECORD = ModelRecord("m", "r", "w", "s", "A", 1, 1, 1, 1, 1, "t")
LINES = "The film is good\nA bad story\n\nTwo people walk\nA bad story\n=a dog swims, in the sea\n"


def vectors_of(array: np.ndarray) -> TextVectors:
    nothing = np.zeros(len(array), dtype=np.int64)
    return TextVectors(array, nothing, nothing, nothing.astype(bool), RECORD, "mean")


@pytest.fixture(scope="module")
def grouped() -> TextVectors:
    """Three groups of directions, of 60, 40 and 20, in that order, each text of another length."""
    random = np.random.default_rng(0)
    middles = np.eye(3, 12)
    groups = [middle + 0.15 * random.normal(size=(count, 12)) for middle, count in zip(middles, (60, 40, 20))]
    return vectors_of(np.concatenate(groups) * random.uniform(0.5, 9, size=(120, 1)))


def answered(analysis, vectors: TextVectors, meter: Meter | None = None):
    return analysis.run(None, vectors, meter)


def test_batches_do_not_matter(tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pasted_texts(LINES).texts
    monkeypatch.setattr(run_vectors, "AT_ONCE", 2)
    meter = Meter()
    found = explain.embed(texts, tiny_bert, pooling="max", meter=meter)
    alone = [explain.embed([text], tiny_bert, pooling="max").vectors[0] for text in texts]
    assert np.allclose(found.vectors, alone, atol=1e-5) and found.vectors.dtype == np.float32
    assert meter.spent.forward == len(texts) == len(found)
    assert found.pooling == "max" and found.model == tiny_bert.record and not found.vectors.flags.writeable


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([], TextError, "a list of texts"),
        ("a text", TextError, "a list of texts"),
        (["a", " "], TextError, "Text 1, counted from 0: There is nothing"),
        (["a", "b\ud800"], TextError, "Text 1, counted from 0: Character 2"),
    ],
)
def test_texts_that_can_not_be_read(texts: list[str], error: type, message: str, tiny_bert: EncoderModel) -> None:
    with pytest.raises(error, match=message):
        explain.embed(texts, tiny_bert)


def test_toys_have_no_vectors() -> None:
    with pytest.raises(ModelError, match="gives no vectors of texts"):
        explain.embed(["a"], TOY_MODELS["linear"])


def test_parts_are_remembered_by_what_they_depend_on(tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, cache, meter = pasted_texts(LINES), Cache(), Meter()
    plan = Plan(TextsItem(texts, "mean"), (SemanticSearch("a story"), Clusters(2)))
    assert engine.cost(plan, tiny_bert) == 5 + 1 + 3
    nothing, complete = engine.known(plan, tiny_bert, cache)
    assert nothing.vectors is None and not complete
    results = engine.results(plan, tiny_bert, meter, cache)
    assert meter.spent.forward == 6 and meter.steps == 3
    again, complete = engine.known(plan, tiny_bert, cache)
    assert complete and again.complete and again.vectors is results.vectors
    assert all(again.answer(analysis) is results.answer(analysis) for analysis in plan.analyses)
    other = Plan(TextsItem(texts, "mean"), (SemanticSearch("a dog"),))
    partly, complete = engine.known(other, tiny_bert, cache)
    assert not complete and partly.vectors is results.vectors and not partly.has(other.analyses)
    assert not engine.known(Plan(TextsItem(texts, "cls")), tiny_bert, cache)[1]


def test_work_can_be_stopped(tiny_bert: EncoderModel) -> None:
    meter = Meter()
    meter.cancel()
    with pytest.raises(Cancelled):
        explain.embed(["a film"], tiny_bert, meter=meter)


def test_search_and_neighbours(tiny_bert: EncoderModel) -> None:
    texts = pasted_texts(LINES)
    vectors = explain.embed(texts.texts, tiny_bert)
    found = SemanticSearch("A bad story", 3).run(tiny_bert, vectors)
    assert found.members[:2].tolist() == [1, 3] and np.allclose(found.cosines[:2], 1) and not found.truncated
    assert SemanticSearch("walk " * 99).run(tiny_bert, vectors).truncated
    plain = vectors.vectors / np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
    near = NearestNeighbors(1, 4).run(tiny_bert, vectors)
    assert near.members[0] == 3 and 1 not in near.members and len(near.members) == 4
    assert np.allclose(near.cosines, (plain @ plain[1])[near.members], atol=1e-6)
    with pytest.raises(TextError, match="There is no text 5; there are 5"):
        NearestNeighbors(5).run(tiny_bert, vectors)
    with pytest.raises(TextError, match="nothing"):
        SemanticSearch(" ").run(tiny_bert, vectors)


def test_a_matrix_of_the_first_or_of_some_drawn(grouped: TextVectors) -> None:
    found = answered(CosineMatrix(40), grouped)
    unit = grouped.vectors / np.linalg.norm(grouped.vectors, axis=1, keepdims=True)
    assert found.members.tolist() == list(range(40)) and np.allclose(found.cosines, unit[:40] @ unit[:40].T, atol=1e-6)
    row, column = found.pairs[0]
    assert row < column and found.cosines[row, column] == np.triu(found.cosines, 1).max() and len(found.pairs) == 50
    drawn = answered(CosineMatrix(40, drawn=True), grouped)
    assert len(set(drawn.members.tolist())) == 40 and drawn.members.max() > 80
    assert len(answered(CosineMatrix(10_000), grouped).members) == 120
    assert len(answered(CosineMatrix(10_000), vectors_of(np.ones((501, 2)))).members) == cosine_matrix.MOST_COMPARED


def test_pca_is_the_plane_of_the_largest_variance(grouped: TextVectors) -> None:
    found = answered(PCAMap(), grouped)
    unit = (grouped.vectors / np.linalg.norm(grouped.vectors, axis=1, keepdims=True)).astype(float)
    centered = unit - unit.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centered, full_matrices=False)
    assert np.allclose(found.explained, (sizes**2 / (sizes**2).sum())[:2], atol=1e-5)
    assert np.allclose(np.abs(found.points), np.abs(centered @ axes[:2].T), atol=1e-4)
    with pytest.raises(TextError, match="needs 3 texts or more; there are 2"):
        answered(PCAMap(), vectors_of(np.eye(2)))
    for alike in (
        np.ones((5, 4)),
        np.random.default_rng(0).normal(size=4) * np.ones((300, 1)) * np.full((300, 4), 1.1),
    ):
        found = answered(PCAMap(), vectors_of(alike))
        assert found.explained.tolist() == [0, 0] and not found.points.any()
    near = np.array([1.0, 0, 0, 0]) + 1e-4 * np.random.default_rng(0).normal(size=(200, 4)) * [1, 3, 2, 0.1]
    found = answered(PCAMap(), vectors_of(near))  # what float32 leaves of it is seen whole
    assert found.explained == pytest.approx([9 / 13, 4 / 13], abs=0.06)


def test_keys_of_what_is_remembered_hold_no_texts(tiny_bert: EncoderModel) -> None:
    cache = Cache()
    texts = pasted_texts("a film\nthe dog swims\nthe sea")
    engine.results(Plan(TextsItem(texts, "mean"), (PCAMap(),)), tiny_bert, cache=cache)
    kept = list(cache._entries)
    assert kept and not any(isinstance(part, LoadedTexts) for key in kept for part in key)


def test_long_texts_are_cut_into_pieces_a_few_at_a_time(
    tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[list[int]] = []
    own = EncoderVectors.read

    def watched(self, texts, *rest):
        sizes.append([len(text) for text in texts])
        return own(self, texts, *rest)

    monkeypatch.setattr(EncoderVectors, "read", watched)
    monkeypatch.setattr(run_vectors, "MOST_CHARACTERS", 100)
    texts = ["a film " * 20, "a dog", "the sea", "a film " * 9, "so good " * 30]
    found = explain.embed(texts, tiny_bert)
    assert sizes == [[140], [5, 7, 63], [240]] and len(found.vectors) == 5
    monkeypatch.undo()
    assert np.allclose(found.vectors, explain.embed(texts, tiny_bert).vectors, atol=1e-5)


def test_umap_of_a_sample_keeps_neighbours_and_is_the_same_twice(
    grouped: TextVectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(umap_map, "_epochs", lambda texts: 10)
    monkeypatch.setattr(umap_map, "MOST_MAPPED", 40)
    meter = Meter()
    found = answered(UMAPMap(), grouped, meter)
    assert len(found.members) == 40 and found.texts == 120 and found.explained is None
    assert found.members.tolist() == sorted(set(found.members.tolist()))
    assert meter.steps == 10 == UMAPMap().passes(None, grouped)
    group = np.digitize(found.members, [60, 100])
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1) + 1e9 * np.eye(40)
    assert (group[distances.argmin(axis=1)] == group).mean() > 0.9
    assert np.array_equal(found.points, answered(UMAPMap(), grouped).points)
    meter.cancel()
    with pytest.raises(Cancelled):
        answered(UMAPMap(), grouped, meter)
    with pytest.raises(TextError, match="UMAP needs 10 texts"):
        answered(UMAPMap(), vectors_of(np.eye(9)))
    umap_map.compile_umap()
    assert torch.get_num_threads() == 1  # as tests/conftest.py sets it, whatever UMAP does with threads


def test_clusters_are_found_and_their_silhouette_is_scikit_learns(grouped: TextVectors) -> None:
    found = answered(Clusters(3), grouped)
    assert found.sizes.tolist() == [60, 40, 20] and found.of.tolist() == [0] * 60 + [1] * 40 + [2] * 20
    whole = silhouette_score(grouped.vectors, found.of, metric="cosine")
    assert found.silhouette == pytest.approx(whole, abs=1e-5) and found.measured == 120
    assert found.silhouette > 0.6 > 0.5 > found.one_cloud > 0
    assert np.average(found.by_cluster, weights=found.sizes) == pytest.approx(found.silhouette)
    for cluster, typical in enumerate(found.typical):
        assert (found.of[typical] == cluster).all()
    texts = LoadedTexts(tuple(f"=text {number}" for number in range(120)), tuple(range(2, 122)))
    lines = vector_files.clusters_csv(found, texts).splitlines()
    assert lines[:2] == ["row,text,cluster", "2,'=text 0,1"] and lines[-1] == "121,'=text 119,3"


def test_one_cloud_has_no_clusters() -> None:
    """k-means cuts it all the same; the figure beside says that there is nothing in that."""
    found = answered(Clusters(4), vectors_of(np.random.default_rng(1).normal(size=(400, 20)) + 1))
    assert found.silhouette == pytest.approx(found.one_cloud, abs=0.03)


def test_the_silhouette_of_a_sample_is_near_that_of_all(grouped: TextVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answered(Clusters(3), grouped).silhouette
    monkeypatch.setattr(clusters, "MOST_MEASURED", 60)
    part = answered(Clusters(3), grouped)
    assert part.measured == 60 and part.silhouette == pytest.approx(whole, abs=0.05)


def test_clusters_that_can_not_be_told_apart() -> None:
    assert len(answered(Clusters(9), vectors_of(np.eye(4))).sizes) == 3
    again = answered(Clusters(9), vectors_of(np.repeat(np.eye(4), 5, axis=0)))
    assert again.sizes.tolist() == [10, 5, 5] and again.silhouette > 0.4
    with pytest.raises(TextError, match="Of the 10 texts 2 differ; clusters need three"):
        answered(Clusters(3), vectors_of(np.repeat(np.eye(2), 5, axis=0)))
    for count in (1, 31):
        with pytest.raises(SettingError, match=f"count is {count}; expected 2 to 30"):
            Clusters(count)


@pytest.fixture
def written(tiny_bert: EncoderModel, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    texts = pasted_texts(LINES)
    vectors = explain.embed(texts.texts, tiny_bert)

    def write(name: str) -> Path:
        vector_files.write(vectors, texts, tmp_path / name)
        return tmp_path / name

    write.vectors = vectors.vectors  # type: ignore[attr-defined]
    yield write


def test_vectors_leave_as_npz_csv_and_parquet(written: Callable[[str], Path]) -> None:
    vectors = written.vectors  # type: ignore[attr-defined]
    with np.load(written("v.npz"), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["vectors"], vectors) and arrays["rows"].tolist() == [1, 2, 4, 5, 6]
        assert json.loads(str(arrays["about"]))["pooling"] == "mean"
    table = csv.read_csv(written("v.csv"))
    assert table.column_names[:5] == ["row", "text", "pieces", "truncated", "v0"]
    assert table["text"][4].as_py() == "'=a dog swims, in the sea"  # no formula for a spreadsheet
    assert np.allclose(np.array([table[f"v{column}"] for column in range(32)]).T, vectors, atol=0, rtol=1e-6)
    table = parquet.read_table(written("v.parquet"))
    assert table["text"][4].as_py() == "=a dog swims, in the sea"
    assert np.array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), vectors)
    assert pyarrow.types.is_fixed_size_list(table.schema.field("vector").type)
    with pytest.raises(SettingError, match=r"none of \.npz, \.csv, \.parquet"):
        written("v.txt")
    with pytest.raises(FileError, match="can't be written: there is no folder"):
        written("nowhere/v.npz")


def test_the_model_whose_vectors_are_to_be_compared(monkeypatch: pytest.MonkeyPatch, tiny_folder_of) -> None:
    assert default_encoder() in ("base", "similarity")
    monkeypatch.setenv("EXPLAIN_MODELS", f"mine={tiny_folder_of('bert', '')}")
    assert default_encoder() in ("mine", "similarity")
