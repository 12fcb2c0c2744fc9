"""Addresses of files and folders elsewhere than on this disk, such as s3://BUCKET/RUN; fsspec reads and writes them.

Only some protocols are taken. Others would run code, reach files of this machine by a way that nobody looks at, or
chain several file systems. Credentials come from the environment or the files of each service (AWS_ACCESS_KEY_ID,
~/.aws/credentials and the like), never from the address, and no message repeats what a library says: it may hold them.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from explain.core.errors import DataError, ExplainError, FileError, SettingError
from explain.core.installation import own_path

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_WEB = ("http", "https")  # read only
_PACKAGES = {
    "s3": "'explain-transformers[s3]'",
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs"), "adlfs"),
    **dict.fromkeys(_WEB, "aiohttp"),
    "memory": "fsspec",
}
_WITH_ACCOUNT = ("az", "abfs")  # abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME


@dataclass(frozen=True)
class Address:
    """An address that may be read.

    Attributes:
        protocol: what stands before "://".
        name: the address for messages and records: without a query, which may be a signature.
    """

    protocol: str
    name: str
    _whole: str = field(repr=False)

    @property
    def file_name(self) -> str:
        """Its last part, whose ending tells the format."""
        return PurePosixPath(urlsplit(self.name).path).name

    @property
    def is_web(self) -> bool:
        """True for http and https: files are read there, nothing is written, and no folder is listed."""
        return self.protocol in _WEB

    def filesystem(self) -> tuple[Any, str]:
        """Return the file system of fsspec, and the path in it.

        Raises:
            SettingError: a package is missing; DataError: the service takes no connection.
        """
        import fsspec  # of use to few

        try:
            with remote_errors(DataError, f"{self.name} can't be reached"):
                system = fsspec.filesystem(self.protocol)
        except ImportError as error:
            package = _PACKAGES[self.protocol]
            raise SettingError(
                f"{self.protocol}:// needs a package that is not here. Install it: pip install {package}."
            ) from error
        return system, str(system._strip_protocol(self._whole))


def local_or_address(place: str | Path, *, to_write: bool = False) -> Path | Address:
    """Return the path on this disk, or the address, that a user wrote; file:///PATH is a path.

    Args:
        to_write: whether something is written there.

    Raises:
        SettingError: an address that is not taken; DataError: see `own_path`.

    >>> local_or_address("rows.csv").name, local_or_address("s3://bucket/rows.csv").file_name
    ('rows.csv', 'rows.csv')
    >>> local_or_address("zip://rows.csv::s3://bucket/rows.zip")
    Traceback (most recent call last):
    explain.core.errors.SettingError: A chain of addresses (::) is not taken. Give one address.
    """
    scheme = _SCHEME.match(place) if isinstance(place, str) else None
    if isinstance(place, str) and "::" in place and "://" in place:
        raise SettingError("A chain of addresses (::) is not taken. Give one address.")
    if isinstance(place, Path) or scheme is None:
        return own_path(place)
    protocol = scheme[1].lower()
    if protocol == "file":
        return _local_path(place)
    if protocol not in _PACKAGES or (to_write and protocol in _WEB):
        taken = ", ".join(
            f"{known}://" for known in _PACKAGES if known != "memory" and not (to_write and known in _WEB)
        )
        purpose = "written to" if to_write else "read"
        raise SettingError(f"{protocol}:// can't be {purpose}. Give a path, or an address with {taken}.")
    return _checked(protocol, place)


def _local_path(place: str) -> Path:
    path = place[len("file://") :]
    if not path.startswith("/"):
        raise SettingError("An address of a file has three slashes: file:///PATH. Give that, or the path alone.")
    return own_path(path)


def _checked(protocol: str, place: str) -> Address:
    try:
        split = urlsplit(place)
    except ValueError:
        raise SettingError(f"This {protocol}:// address can't be read. Is it whole?") from None
    user, at, _ = split.netloc.rpartition("@")
    if at and (protocol not in _WITH_ACCOUNT or ":" in user):
        raise SettingError(
            f"This {protocol}:// address holds credentials. Leave them out: they are taken from the environment or the "
            "service's own file."
        )
    if not split.netloc or (protocol in _WEB and not split.path.strip("/")):
        raise SettingError(f"This {protocol}:// address names nothing. Give {protocol}://NAME/PATH.")
    if protocol in _WEB:
        return Address(protocol, split._replace(query="", fragment="").geturl(), place)
    if any(character in "*?[]#" or not character.isprintable() for character in place):
        raise SettingError(f"This {protocol}:// address holds one of * ? [ ] #, or a character that can't be seen.")
    name = place.rstrip("/")
    return Address(protocol, name, name)


@contextlib.contextmanager
def remote_errors(kind: type[ExplainError], what: str) -> Iterator[None]:
    """Turn any failure of a library that reads or writes elsewhere into one sentence.

    The library's own words are left out, the traceback too: they may hold a signature.

    Raises:
        ExplainError: of this kind; `FileNotFoundError`, `FileExistsError` and `ImportError` go through.
    """
    try:
        yield
    except (ExplainError, FileNotFoundError, FileExistsError, ImportError):
        raise
    except Exception as error:  # each library raises kinds of its own
        raise kind(f"{what}: {reason_of(error)}.") from None


def reason_of(error: Exception) -> str:
    """Return why a file elsewhere can't be read or written, by the kind of an error alone."""
    kind = type(error).__name__
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError) or status == 404:
        return "there is nothing of that name"
    if "Credentials" in kind or "CredentialError" in kind:
        return "there are no credentials; set them as the service says (for S3: AWS_ACCESS_KEY_ID and the like)"
    if isinstance(error, PermissionError) or status in (401, 403):
        return "access is denied; are the credentials right?"
    if isinstance(error, ConnectionError | TimeoutError) or "Connect" in kind or "Timeout" in kind:
        return "the service does not answer"
    if isinstance(status, int):
        return f"the server answers {status}"
    return f"the service refuses it ({kind})"


def missing_place(name: str) -> FileError:
    """Return the error for a place whose bucket does not exist."""
    return FileError(f"{name} can't be written: there is no bucket of that name. Create it first.")
