"""Files are written whole or not at all, and by one function."""

import ast
import contextlib
import errno
import os
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest
import safetensors.torch
import torch

from explain.core import files
from explain.core.errors import FileError
from explain.core.files import append_text, atomic_file, atomic_files, check_writable, create_folder, write_file
from explain.training.run.trainer_errors import library_errors
from tests.full_disk import full_disk

ROOT = Path(__file__).parent.parent.parent


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_are_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_file(path, "ä\n")
    assert path.read_bytes() == b"\xc3\xa4\n"
    write_file(str(path), b"\r\n")
    assert path.read_bytes() == b"\r\n"
    assert names(tmp_path) == ["report.json"]


def test_a_block_that_fails_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_file(path, "earlier")
    for error in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(error), atomic_file(path) as file:
            file.write(b"half")
            file.flush()
            assert path.read_text() == "earlier"
            raise error
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "new.json"):
        raise ZeroDivisionError
    assert names(tmp_path) == ["report.json"] and path.read_text() == "earlier"


def test_permissions_of_a_new_and_of_an_earlier_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "new", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    path = tmp_path / "private"
    path.write_text("earlier")
    path.chmod(0o600)
    write_file(path, "later")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if os.geteuid() == 0:  # an administrator does not take a file away from its owner
        os.chown(path, 65534, 65534)
        write_file(path, "later still")
        assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link, dangling = tmp_path / "elsewhere" / "real", tmp_path / "link", tmp_path / "dangling"
    real.write_text("earlier")
    link.symlink_to(real)
    dangling.symlink_to("elsewhere/fresh")
    for path in (link, dangling):
        write_file(path, "later")
        assert path.is_symlink() and path.read_text() == "later"
    assert names(real.parent) == ["fresh", "real"]


def test_what_is_no_regular_file_is_written_straight_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_file(pipe, "through")
    assert reader.communicate()[0] == b"through"
    assert stat.S_ISFIFO(pipe.stat().st_mode) and names(tmp_path) == ["pipe"]
    write_file("/dev/null", "gone")
    with pytest.raises(FileError, match="/dev/full can't be written: the disk is full"):
        write_file("/dev/full", "x")


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_keeps_its_place_even_in_a_file(tmp_path: Path, place: str) -> None:
    program = f"from explain.core.files import write_file; print('a'); write_file({place!r}, 'b\\n'); print('c')"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True, cwd=ROOT)
    assert (tmp_path / "out").read_text() == "a\nb\nc\n"


def blocked(number: int) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def socket_at(path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(path))


@pytest.mark.parametrize(
    "write", [lambda path: write_file(path, "x"), check_writable, lambda path: append_text(path, "x")]
)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "it is a folder; name a file"),
        ("nowhere/report", "there is no folder"),
        ("file/report", "a part of its path is a file, not a folder"),
        ("n" * 300, "its name is too long"),
        ("loop", "it is a symbolic link that leads back to itself"),
        ("a\0b", "no file can have that name"),
        ("\ud800", "no file can have that name"),
    ],
)
def test_places_that_can_not_be(tmp_path: Path, name: str, reason: str, write: Callable[[Path], None]) -> None:
    (tmp_path / "file").write_text("earlier")
    (tmp_path / "loop").symlink_to("loop")
    before = names(tmp_path)
    with pytest.raises(FileError, match="can't be written: ") as told:
        write(tmp_path / name)
    assert reason in str(told.value)
    assert names(tmp_path) == before and (tmp_path / "file").read_text() == "earlier"


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "there is no permission"), (errno.EROFS, "that disk can only be read"), (errno.EIO, "error")],
)
def test_a_folder_that_takes_no_file(tmp_path: Path, number: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report"
    write_file(path, "earlier")
    monkeypatch.setattr(Path, "touch", blocked(number))  # an administrator may write everywhere
    for write in (lambda: write_file(path, "x"), lambda: check_writable(path)):
        with pytest.raises(FileError, match=f"{reason}.*The earlier file is unchanged"):
            write()
    assert path.read_text() == "earlier"


def test_a_file_that_must_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report"
    path.write_text("earlier")
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(FileError, match="there is no permission"):
        write_file(path, "later")
    assert path.read_text() == "earlier"


def test_a_socket_is_no_file(tmp_path: Path) -> None:
    socket_at(tmp_path / "socket")
    with pytest.raises(FileError, match="can't be written"):
        write_file(tmp_path / "socket", "x")


def test_half_a_character_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "report"
    write_file(path, "earlier")
    with pytest.raises(FileError, match=r"its text holds '\\ud800', which is no character"):
        write_file(path, "a\ud800")
    assert path.read_text() == "earlier"


def test_a_disk_that_can_not_synchronize_is_no_failure_but_a_full_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", blocked(errno.EINVAL))
    write_file(tmp_path / "report", "x")
    monkeypatch.setattr(os, "fsync", blocked(errno.ENOSPC))
    with pytest.raises(FileError, match="the disk is full"):
        write_file(tmp_path / "report", "y")
    assert names(tmp_path) == ["report"] and (tmp_path / "report").read_text() == "x"


def test_several_files_move_in_together(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "model"
    with atomic_files(folder) as scratch:
        (scratch / "config.json").write_text("1")
        (scratch / "1_Pooling").mkdir()
        (scratch / "1_Pooling" / "config.json").write_text("2")
        assert names(folder) == [scratch.name]
    assert names(folder) == ["1_Pooling", "config.json"]
    with pytest.raises(ZeroDivisionError), atomic_files(folder) as scratch:
        (scratch / "config.json").write_text("3")
        raise ZeroDivisionError
    assert names(folder) == ["1_Pooling", "config.json"] and (folder / "config.json").read_text() == "1"
    with pytest.raises(FileError, match="a part of its path is a file"), atomic_files(folder / "config.json"):
        pass


def test_folders(tmp_path: Path) -> None:
    create_folder(tmp_path / "a" / "b")
    create_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="a part of its path is a file"):
        create_folder(tmp_path / "file" / "c")
    with pytest.raises(FileError, match="no file can have that name"):
        create_folder(tmp_path / "a\0b")


# Full disks


def write_text_file(folder: Path) -> None:
    write_file(folder / "target", "new" * 9000)


def write_in_parts(folder: Path) -> None:
    with atomic_file(folder / "target") as file:
        for _ in range(900):
            file.write(b"new" * 10)


def write_npz(folder: Path) -> None:
    with atomic_file(folder / "target") as file:
        np.savez(file, array=np.random.default_rng(0).normal(size=9000))


def write_csv(folder: Path) -> None:
    with atomic_file(folder / "target") as file:
        pyarrow.csv.write_csv(pyarrow.table({"a": list(range(9000))}), file)


def write_parquet(folder: Path) -> None:
    with atomic_file(folder / "target") as file:
        pyarrow.parquet.write_table(pyarrow.table({"a": list(range(9000))}), file)


def write_safetensors(folder: Path) -> None:
    with library_errors(folder), atomic_files(folder) as scratch:
        safetensors.torch.save_file({"a": torch.zeros(9000)}, scratch / "target")


def write_with_torch(folder: Path) -> None:
    with library_errors(folder), atomic_files(folder) as scratch:
        torch.save({"a": torch.zeros(9000)}, scratch / "target")


@pytest.mark.parametrize(
    "write",
    [write_text_file, write_in_parts, write_npz, write_csv, write_parquet, write_safetensors, write_with_torch],
)
def test_a_full_disk_costs_no_earlier_file(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "target"
    path.write_text("earlier")
    with pytest.raises(FileError, match="can't be written: "), full_disk(8192):
        write(tmp_path)
    assert names(tmp_path) == ["target"] and path.read_text() == "earlier"
    write(tmp_path)
    assert names(tmp_path) == ["target"] and path.stat().st_size > 8192


def test_appending_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    append_text(path, "first\n")
    with pytest.raises(FileError, match="The earlier file is unchanged"), full_disk(8192):
        append_text(path, "x" * 9000)
    assert path.read_text() == "first\n"
    append_text(path, "second\n")
    assert path.read_text() == "first\nsecond\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 64 KiB where the system lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(options, capture_output=True).returncode == 0
    yield folder if mounted else None
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path | None) -> None:
    if small_disk is None:  # the same by a limit on the size of files is tested above
        return
    path = small_disk / "report"
    write_file(path, "earlier")
    (small_disk / "filler").write_bytes(b"x" * 40_000)
    for write in (lambda: write_file(path, "x" * 40_000), lambda: append_text(path, "x" * 40_000)):
        with pytest.raises(FileError, match=r"the disk is full\. The earlier file is unchanged"):
            write()
        assert names(small_disk) == ["filler", "report"] and path.read_text() == "earlier"


def test_a_kill_in_mid_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    write_file(tmp_path / "report", "earlier")
    program = """
        import time
        from explain.core.files import atomic_file
        with atomic_file('report') as file:
            file.write(b'half' * 9000)
            file.flush()
            print('written', flush=True)
            time.sleep(600)
        """
    running = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None and running.stdout.readline() == b"written\n"
    running.kill()
    running.communicate()
    assert (tmp_path / "report").read_text() == "earlier"
    (part,) = set(names(tmp_path)) - {"report"}
    assert part.startswith(".explain-") and part.endswith(".part")


# No other writer

# Calls that write, by what they are called; with the function they stand in, and why they may.
OTHER_WRITERS = {
    ("explain/cli/output.py", "discard_output"): "the null device, where nobody reads any more",
    ("explain/run/folder_store.py", "parquet_of"): "into memory",
    ("explain/run/run_export.py", "parquet_of_rows"): "into memory",
    ("explain/library/folders.py", "_export"): "into a file that `atomic_file` opened",
    ("explain/library/database.py", "_folder_lock"): "the lock of a folder, an empty file for its owner alone",
    ("explain/library/database.py", "_create"): "an index that was filled beside its place",
    ("explain/cli/library.py", "run_keep"): "names an entry, no file",
    ("explain/cli/library.py", "run_name"): "names an entry, no file",
    ("pages/shared/entry.py", "_rename"): "names an entry, no file",
    ("benchmarks/rehearsal.py", "write_model"): "a model that is measured and thrown away",
    ("benchmarks/integrals.py", "path_of"): "gradients that are kept from run to run",
    ("explain/report/vector_files.py", "write_opened"): "into a file that `atomic_file` opened, or into memory",
    ("explain/report/vector_files.py", "_write_npz"): "into a file that `atomic_file` opened, or into memory",
    ("explain/views/attention_arrays.py", "to_npz"): "into memory",
    ("explain/training/run/pretraining.py", "save"): "into the folder of `atomic_files`",
    ("explain/training/run/finetuning.py", "save"): "into the folder of `atomic_files`",
    ("explain/training/run/runs.py", "created"): "names a folder that was filled beside its place",
    ("explain/run/background.py", "start"): "the log that a process writes itself",
    ("explain/core/locks.py", "__init__"): "the lock of a folder, which names its owner",
    ("explain/core/locks.py", "is_held"): "the lock of a folder, an empty file",
    ("explain/run/history.py", "_writing"): "the lock of a folder, an empty file for its owner alone",
    ("explain/testing/planted_models.py", "_model"): "into a temporary folder",
}
WRITING_CALLS = {
    *("write_text", "write_bytes", "savez", "savez_compressed", "savetxt", "tofile", "save_pretrained"),
    *("save_file", "save_model", "write_table", "write_csv", "write_feather", "to_parquet", "to_excel", "to_pickle"),
    *("mkstemp", "NamedTemporaryFile", "rename", "renames", "copy2", "copyfile", "copytree", "symlink_to", "touch"),
}
OPENING_CALLS = {"open", "fdopen", "GzipFile", "ZipFile", "TarFile", "memmap"}


def mode_of(call: ast.Call) -> str:
    """The mode a call of `open` names, or all of them where it is none of the constants we can read."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    strings = [one for one in (*call.args[:2], *named) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    modes = [str(one.value) for one in strings if len(str(one.value)) <= 3]
    flags = [one for one in call.args[1:2] if not isinstance(one, ast.Constant)]
    return "w" if flags else "".join(modes)


def writers(path: Path) -> Iterator[tuple[str, str]]:
    """Each call of a file that writes: the function it stands in, and what is called."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            module = getattr(getattr(node.func, "value", None), "id", "")
            if (
                called in WRITING_CALLS
                or (called == "save" and module in ("np", "numpy", "torch"))
                or (called == "dump" and module in ("json", "pickle", "yaml", "joblib"))
                or (called == "replace" and (module == "os" or len(node.args) + len(node.keywords) == 1))
                or (called in OPENING_CALLS and set(mode_of(node)) & set("wax+"))
                or (called == "to_csv" and isinstance(node.func, ast.Attribute) and (node.args or node.keywords))
            ):
                yield function, called
        for child in ast.iter_child_nodes(node):
            yield from walk(child, function)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), "")


def sources() -> Iterator[Path]:
    yield ROOT / "app.py"
    for folder in ("explain", "pages", "benchmarks"):
        yield from (ROOT / folder).rglob("*.py")


def test_nothing_else_writes_files() -> None:
    others = {
        (path.relative_to(ROOT).as_posix(), function): called
        for path in sources()
        if path != Path(files.__file__)
        for function, called in writers(path)
    }
    assert others.keys() == OTHER_WRITERS.keys(), "write with explain.core.files, or say here why not"


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')",
        "path.open('w')",
        "path.open(mode='ab')",
        "open(path, 'x')",
        "open(path, mode)",
        "io.open(path, 'r+')",
        "gzip.open(path, 'wt')",
        "os.open(path, os.O_WRONLY)",
        "np.savez(path, a=a)",
        "torch.save(a, path)",
        "json.dump(a, file)",
        "frame.to_csv(path)",
        "beside.replace(path)",
        "os.replace(beside, path)",
        "os.rename(beside, path)",
        "tempfile.NamedTemporaryFile()",
        "save_file(tensors, path)",
    ],
)
def test_the_search_finds_each_way_to_write(tmp_path: Path, line: str) -> None:
    (tmp_path / "module.py").write_text(f"def f():\n    {line}\n")
    assert [function for function, _ in writers(tmp_path / "module.py")] == ["f"]


@pytest.mark.parametrize(
    "line",
    ["path.open()", "open(path, 'rb')", "gzip.open(path)", "text.replace('a', 'b')", "json.dumps(a)", "to_csv(a)"],
)
def test_the_search_takes_nothing_else_for_writing(tmp_path: Path, line: str) -> None:
    (tmp_path / "module.py").write_text(line)
    assert list(writers(tmp_path / "module.py")) == []
