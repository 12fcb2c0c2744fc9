"""The files of a library.

    explanations/<id>/report.json    a record, which `explain replay` takes
    explanations/<id>/library.json   what the library knows about it besides
    runs/<id>.json                   where the folder of a run is; library.json lies in that folder

What others put there is never taken for ours: names and contents are checked, and what does not fit is left alone.
"""

import contextlib
import hashlib
import io
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from explain.core.errors import Busy, DataError, ExplainError, RecordError
from explain.core.files import UNFINISHED, atomic_file, file_errors, write_file
from explain.core.installation import runs_folder
from explain.core.locks import LOCK, FolderLock, is_held
from explain.library.entry import ID, RUN, Facts, Sidecar, clean_text

MANIFEST, REPORT, SIDECAR = "manifest.json", "report.json", "library.json"
LONGEST_SNIPPET = 2000  # characters
_SNIPPET_ROWS = 20  # of a run
_COMPUTED = "The run in {} is being computed. Stop it first."
_RUN_SCHEMA = re.compile(r"explain-run-\d{1,4}")
_INNER = ("predictions", "pilot")  # folders of a run whose rows are drawn, see `explain.run.sampled_run`
_PARTS = {
    **{f"{inner}parts": re.compile(r"\d{6,}\.parquet") for inner in ("", *(f"{name}/" for name in _INNER))},
    **{f"{inner}done": re.compile(r"\d{6,}\.json") for inner in ("", *(f"{name}/" for name in _INNER))},
    **dict.fromkeys(_INNER, re.compile(r"manifest\.json")),
}  # of a run, besides the manifest; a folder before the one that it is in
_DRAW = "draw.json"
_LARGEST_JSON = 50_000_000  # bytes of a manifest or sidecar
_LEFT_SECONDS = 3600  # a folder without a sidecar that is as old as this belongs to no one who still writes


class Folders:
    """The files of a library below one folder, which is made if it is not there.

    Raises:
        FileError: it can't be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        with file_errors(root):
            for folder in (root, root / "explanations", root / "runs"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def report(self, id: str) -> Path:
        """Return the place of an explanation's record."""
        assert ID.fullmatch(id)
        return self.root / "explanations" / id / REPORT

    def pointer(self, id: str) -> Path:
        """Return the place of the file that says where a run is."""
        assert ID.fullmatch(id)
        return self.root / "runs" / f"{id}.json"

    def write_report(self, id: str, record: str) -> Facts:
        """Write the record of an explanation, and return what it says."""
        with file_errors(self.report(id)):
            self.report(id).parent.mkdir(mode=0o700)
        write_file(self.report(id), record, mode=0o600)
        return facts_of_report(self.report(id))

    def write_sidecar(self, sidecar: Sidecar, place: str) -> None:
        """Write what is known about an entry beside it.

        Raises:
            DataError: the folder of the run is gone; FileError: it can't be written.
        """
        if sidecar.kind == RUN:
            if not (Path(place) / MANIFEST).is_file():
                raise DataError(f"The run is no longer in {place}. Keep it again from where it is now, or delete it.")
            write_file(self.pointer(sidecar.id), json.dumps({"place": place}, ensure_ascii=False) + "\n", mode=0o600)
            write_file(Path(place) / SIDECAR, sidecar.to_json(), mode=0o600)
        else:
            write_file(self.report(sidecar.id).with_name(SIDECAR), sidecar.to_json(), mode=0o600)

    def kept(self) -> Iterator[tuple[str, Sidecar | None, str, Facts | None]]:
        """Yield the id, sidecar, place and facts of each entry; None, None where its files can't be read."""
        for path in sorted((self.root / "runs").glob("*.json")):
            if ID.fullmatch(path.stem):
                yield path.stem, *self._run(path)
        for path in sorted((self.root / "explanations").iterdir()):
            if ID.fullmatch(path.name) and (path / SIDECAR).exists():
                yield path.name, *self._explanation(path)

    def _run(self, pointer: Path) -> tuple[Sidecar | None, str, Facts | None]:
        place = ""
        with contextlib.suppress(ExplainError, OSError):
            place = str(_object(pointer).get("place", ""))
            sidecar = read_sidecar(Path(place))
            if sidecar is not None and sidecar.id == pointer.stem and sidecar.kind == RUN and Path(place).is_absolute():
                return sidecar, place, facts_of_run(Path(place))
        return None, place, None

    def _explanation(self, folder: Path) -> tuple[Sidecar | None, str, Facts | None]:
        with contextlib.suppress(ExplainError, OSError):
            sidecar = read_sidecar(folder)
            if sidecar is not None and sidecar.id == folder.name and sidecar.kind != RUN:
                return sidecar, "", facts_of_report(folder / REPORT)
        return None, "", None

    def delete_explanation(self, id: str) -> None:
        """Delete the record of an explanation and what is beside it."""
        folder = self.report(id).parent
        for name in (SIDECAR, REPORT):  # a folder without a sidecar is no entry
            with file_errors(folder / name):
                (folder / name).unlink(missing_ok=True)
        with file_errors(folder):
            if folder.is_dir():
                shutil.rmtree(folder)

    def delete_run(self, id: str, place: Path, digest: str) -> tuple[str, ...]:
        """Delete the files of a run, if the folder still holds that run, and return the names of others that stay.

        Args:
            digest: of the run's manifest.

        Raises:
            Busy: the run is being computed; FileError: a file can't be deleted.
        """
        lock = run_lock(place) if _digest(place / MANIFEST) == digest else None
        with file_errors(self.pointer(id)):
            self.pointer(id).unlink(missing_ok=True)
        if lock is None:
            return ()
        if (app := folder_of_app(place)) is not None:  # the uploaded rows lie beside the run
            from explain.report import kept_runs

            lock.close()
            kept_runs.delete(app)
            return ()
        try:
            locks = [place / name / LOCK for name in _INNER if _is_own(place, name)]
            for path in [place / SIDECAR, *_files_of_run(place), place / MANIFEST, *locks, place / LOCK]:
                with file_errors(path):
                    path.unlink(missing_ok=True)
        finally:
            lock.close()
        for folder in (*(place / name for name in _PARTS if _is_own(place, name)), place):
            with contextlib.suppress(OSError):  # others have put something there
                folder.rmdir()
        return tuple(sorted(path.name for path in place.iterdir())) if place.exists() else ()

    def delete_unfinished(self) -> None:
        """Delete what a process has left that was killed while it wrote."""
        for folder in (self.root / "explanations").iterdir():
            with contextlib.suppress(OSError):
                old = time.time() - folder.stat().st_mtime > _LEFT_SECONDS
                if old and ID.fullmatch(folder.name) and not (folder / SIDECAR).exists():
                    shutil.rmtree(folder)


def folder_of_app(place: Path) -> Path | None:
    """Return the folder of a run that was begun on the page *Data set*; None for any other run."""
    folder = runs_folder() / place.parent.name
    ours = place.name == "run" and (folder / "request.json").is_file() and (folder / "run").resolve() == place.resolve()
    return folder if ours else None


def check_idle(place: Path) -> None:
    """Check that nobody computes a run.

    Raises:
        Busy: somebody does.
    """
    for folder in (place, folder_of_app(place)):
        if folder is not None and is_held(folder):
            raise Busy(_COMPUTED.format(place))


def run_lock(place: Path) -> FolderLock:
    """Return the lock of a run's folder, so that nobody computes there.

    Raises:
        Busy: somebody does.
    """
    with file_errors(place):
        return FolderLock(place, _COMPUTED.format(place))


def read_sidecar(folder: Path) -> Sidecar | None:
    """Return what is kept beside a run or a record; None where nothing is.

    Raises:
        RecordError: it can't be read.
    """
    path = folder / SIDECAR
    if not path.exists():
        return None
    with _reading(path):
        return Sidecar.from_json(_text(path))


def facts_of_run(folder: Path) -> Facts:
    """Return what the folder of a run says.

    Raises:
        DataError: it holds no run of this version.
    """
    manifest: dict[str, Any] = {}
    with contextlib.suppress(RecordError):
        manifest = _object(folder / MANIFEST)
    model, dataset = manifest.get("model"), manifest.get("data")
    if (
        not _RUN_SCHEMA.fullmatch(str(manifest.get("schema")))
        or not isinstance(model, dict)
        or not isinstance(dataset, dict)
    ):
        raise DataError(f"{folder} holds no run of this version. Name a run's folder.")
    rows = dataset.get("rows")
    return Facts(
        digest=_digest(folder / MANIFEST),
        model=_short(model.get("id")),
        weights=_short(model.get("weight_sha256"), 64),
        task=_short(model.get("task")),
        dataset=_short(dataset.get("name")),
        rows=rows if isinstance(rows, int) and 0 <= rows < 2**62 else 0,
        bytes=sum(_size(path) for path in [folder / MANIFEST, *_files_of_run(folder)]),
        snippet=_first_texts(folder),
    )


def facts_of_report(path: Path) -> Facts:
    """Return what the record of an explanation says.

    Raises:
        RecordError: it can't be read.
    """
    with _reading(path):
        content = path.read_bytes()
        record = json.loads(content)
        model = record["model"]
        texts = [text for text in (record["text"], record["text_pair"]) if isinstance(text, str)]
        return Facts(
            digest=hashlib.sha256(content).hexdigest(),
            model=_short(model["id"]),
            weights=_short(model["weight_sha256"], 64),
            task=_short(model["task"]),
            dataset="",
            rows=1,
            bytes=len(content),
            snippet=_short(" · ".join(texts), LONGEST_SNIPPET),
        )


def export_run(place: Path, sidecar: Sidecar, out: Path | BinaryIO) -> None:
    """Write the files of a run, its name and its notes as a ZIP file, or into one that is open.

    Raises:
        DataError: the run is gone; FileError: the file can't be written.
    """
    if not (place / MANIFEST).is_file():
        raise DataError(f"The run is no longer in {place}.")
    _export([place / MANIFEST, *_files_of_run(place)], place, sidecar, out)


def export_explanation(report: Path, sidecar: Sidecar, out: Path | BinaryIO) -> None:
    """Write the record of an explanation, its name and its notes as a ZIP file, or into one that is open.

    Raises:
        DataError: the record is gone; FileError: the file can't be written.
    """
    if not report.is_file():
        raise DataError("The record of the explanation is gone.")
    _export([report], report.parent, sidecar, out)


def _export(paths: list[Path], folder: Path, sidecar: Sidecar, out: Path | BinaryIO) -> None:
    opened = atomic_file(out) if isinstance(out, Path) else contextlib.nullcontext(out)
    with opened as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            stored = zipfile.ZIP_STORED if path.suffix == ".parquet" else zipfile.ZIP_DEFLATED  # compressed already
            about = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            about.compress_type = stored
            with path.open("rb") as source, archive.open(about, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
        archive.writestr(zipfile.ZipInfo(SIDECAR), sidecar.to_json())


def _files_of_run(folder: Path) -> list[Path]:
    """Return the files of a run but the manifest, in order; links to folders are not followed."""
    paths: list[Path] = []
    for name, pattern in _PARTS.items():
        if _is_own(folder, name):
            names = sorted((folder / name).iterdir())
            paths += [path for path in names if pattern.fullmatch(path.name) or path.match(UNFINISHED)]
    draw = [folder / _DRAW] if (folder / _DRAW).is_file() else []
    return [*paths, *draw, *sorted(folder.glob(UNFINISHED))]


def _is_own(folder: Path, name: str) -> bool:
    """Return whether a folder inside a run's is there, and no link on the way leads elsewhere."""
    place = folder / name
    return place.is_dir() and not any(part.is_symlink() for part in (place, *place.parents) if folder in part.parents)


def _first_texts(folder: Path) -> str:
    """Return the beginning of a run's first texts; empty where it has none, or keeps none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with contextlib.suppress(OSError, StopIteration, KeyError, pa.ArrowException):
        part = next(path for path in _files_of_run(folder) if path.suffix == ".parquet")
        with pq.ParquetFile(io.BytesIO(part.read_bytes())) as table:
            rows = next(table.iter_batches(_SNIPPET_ROWS, columns=["text"])).to_pylist()
        return _short(" · ".join(row["text"] for row in rows if row["text"]), LONGEST_SNIPPET)
    return ""


def _object(path: Path) -> dict[str, Any]:
    with _reading(path):
        content = json.loads(_text(path))
        if isinstance(content, dict):
            return content
    raise RecordError(f"{path} can't be read: it holds no object.")


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LARGEST_JSON + 1)
    if len(content) > _LARGEST_JSON:
        raise RecordError(f"{path} can't be read: it is too large.")
    return content.decode("utf-8")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, ExplainError):
            raise
        raise RecordError(f"{path} can't be read: it is damaged.") from error


def _digest(path: Path) -> str:
    with contextlib.suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return ""


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_size
    return 0


def _short(text: Any, longest: int = 300) -> str:
    return clean_text(text)[:longest] if isinstance(text, str) else ""
