"""Addresses that are taken, and that none of them tells a secret."""

import doctest
import traceback
from pathlib import Path

import pytest

from explain.core import addresses, locks
from explain.core.addresses import Address, local_or_address, reason_of, remote_errors
from explain.core.errors import DataError, SettingError


def test_the_examples_run() -> None:
    for module in (addresses, locks):
        results = doctest.testmod(module)
        assert results.attempted and not results.failed


def test_paths_stay_paths() -> None:
    assert local_or_address("a/b.csv") == local_or_address(Path("a/b.csv")) == Path("a/b.csv")
    assert local_or_address("file:///tmp/a b.csv") == Path("/tmp/a b.csv")
    assert local_or_address("notes::1.csv") == Path("notes::1.csv")
    assert local_or_address(Path("s3://bucket/a")) == Path("s3:/bucket/a")
    assert local_or_address("~/a") == Path.home() / "a"


@pytest.mark.parametrize(
    ("text", "name", "file_name"),
    [
        ("s3://bucket/run/", "s3://bucket/run", "run"),
        ("S3://bucket/a b.csv", "S3://bucket/a b.csv", "a b.csv"),
        ("gs://bucket", "gs://bucket", ""),
        ("abfs://container@account.dfs.core.windows.net/a.csv",) * 2 + ("a.csv",),
        ("https://host/a/rows.csv?X-Amz-Signature=secret#secret", "https://host/a/rows.csv", "rows.csv"),
        ("memory://a/b", "memory://a/b", "b"),
    ],
)
def test_an_address_has_a_name_without_its_query(text: str, name: str, file_name: str) -> None:
    address = local_or_address(text)
    assert isinstance(address, Address) and (address.name, address.file_name) == (name, file_name)
    assert "secret" not in repr(address) + str(address)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("simplecache::s3://bucket/a", "A chain of addresses"),
        ("s3://bucket/a::file:///etc/passwd", "A chain of addresses"),
        ("reference://x", "reference:// can't be read"),
        ("local:///etc/passwd", "local:// can't be read"),
        ("ftp://secret:secret@host/a", "ftp:// can't be read"),
        ("github://a:b@c/d", "github:// can't be read"),
        ("file://etc/passwd", "three slashes"),
        ("s3://secret:secret@bucket/a", "holds credentials. Leave them out"),
        ("s3://secret@bucket/a", "holds credentials"),
        ("https://secret:secret@host/a.csv", "holds credentials"),
        ("abfs://container:secret@account.dfs.core.windows.net/a", "holds credentials"),
        ("s3:///a", "names nothing"),
        ("https://host/", "names nothing"),
        ("s3://bucket/*.csv", r"holds one of \* \?"),
        ("s3://bucket/a?versionId=secret", r"holds one of \* \?"),
        ("s3://bucket/a\nb", "can't be seen"),
        ("s3://[bucket/a", "can't be read. Is it whole"),
    ],
)
def test_other_addresses_are_refused_without_repeating_them(text: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as refusal:
        local_or_address(text)
    assert "secret" not in "".join(traceback.format_exception(refusal.value)).partition("local_or_address")[2]


def test_a_page_is_only_read() -> None:
    assert isinstance(local_or_address("https://host/a.csv"), Address)
    with pytest.raises(SettingError, match=r"https:// can't be written to\. Give a path, or .* s3://, gs://"):
        local_or_address("https://host/RUN", to_write=True)


def test_a_missing_package_is_named() -> None:
    for text, package in (("gs://bucket/a", "gcsfs"), ("az://bucket/a", "adlfs")):
        address = local_or_address(text)
        assert isinstance(address, Address)
        with pytest.raises(SettingError, match=f"pip install {package}"):
            address.filesystem()


class NoCredentialsError(Exception):
    """As botocore calls it."""


class ResponseError(Exception):
    """As aiohttp's, which holds the whole address."""

    status = 403


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoCredentialsError("secret"), "there are no credentials"),
        (ResponseError("url=https://host/a?sig=secret"), "access is denied"),
        (PermissionError("secret"), "access is denied"),
        (ConnectionRefusedError("secret"), "the service does not answer"),
        (TimeoutError("secret"), "the service does not answer"),
        (ValueError("secret"), r"the service refuses it \(ValueError\)"),
    ],
)
def test_what_a_library_says_is_not_repeated(error: Exception, reason: str) -> None:
    with (
        pytest.raises(DataError, match=rf"^a\.csv can't be read: {reason}") as raised,
        remote_errors(DataError, "a.csv can't be read"),
    ):
        raise error
    assert raised.value.__suppress_context__ and "secret" not in reason_of(error)
