"""Reading and writing files so that a mistake costs nothing: clear errors in, whole files out."""

import codecs
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .errors import RadsentError

UTF8 = "UTF-8"
GIVE_ENCODING = "save it as UTF-8, or give --encoding (e.g. cp932), which radsent convert has, too"
NAME_BYTES = 200  # of the 255 that a file's name may have, its ending and more to come


@contextmanager
def _opened(path: str | Path) -> Iterator[IO[bytes]]:
    """YIELDS (IO[bytes]): A file to read, whatever is wrong with it told."""
    try:
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise RadsentError(f"{path}: no such file: check the path.") from None
    except OSError as error:
        raise RadsentError(f"{path}: cannot be read ({error.strerror}): give a readable file.") from None


def read_bytes(path: str | Path) -> bytes:
    """RETURNS (bytes): What a file holds."""
    with _opened(path) as file:
        return file.read()


def codec(encoding: str) -> str:
    """RETURNS (str): Python's name of an encoding; UTF-8 with or without a byte order mark."""
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def read_text(path: str | Path, encoding: str = UTF8) -> str:
    """Read a file, with or without a byte order mark; line ends are kept as they are."""
    return _decoded(read_bytes(path), path, encoding)


def text_lines(path: str | Path) -> Iterator[str]:
    """Read a UTF-8 file, with or without a byte order mark, however large.

    YIELDS (str): Its lines, one in memory at a time, without the \\n at their ends.
    """
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            yield _decoded(line.removesuffix(b"\n"), path, UTF8, number)


def _decoded(data: bytes, path: str | Path, encoding: str, line: int = 1) -> str:
    """RETURNS (str): Text of a file, from this line of it on."""
    try:
        return data.decode(codec(encoding))
    except UnicodeDecodeError as error:
        line += data[: error.start].count(b"\n")
        raise RadsentError(
            f"{path}, line {line}: not {encoding} (byte 0x{data[error.start]:02x}): {GIVE_ENCODING}."
        ) from None


@contextmanager
def _folder_above(path: Path) -> Iterator[None]:
    """Make the folder that a path is in, and tell where nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise RadsentError(f"{path}: cannot be written ({error.strerror}): choose a writable folder.") from None


@contextmanager
def atomic_writer(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Write a file that appears whole or not at all, with the old one in place until then.

    path (Union[str, Path]): Where it will be; missing folders are made.
    mode (str): "w" (UTF-8, line ends untouched) or "wb".
    """
    path = Path(path)
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    with _folder_above(path):
        refuse_folder(path)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{file_name(path.name)}.", suffix=".tmp")
    try:
        with os.fdopen(handle, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise RadsentError(
            f"{path}: cannot be written ({error.strerror}): free some space or choose another."
        ) from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON for people to read, whole or not at all."""
    with atomic_writer(path) as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def atomic_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Write a folder that appears whole or not at all.

    path (Union[str, Path]): Where it will be. Missing folders above it are made.
    overwrite (bool): Put it in place of one that is there, which is an error otherwise.
    YIELDS (Path): The folder to write to, beside it.
    """
    path = Path(path)
    if not overwrite:
        refuse_existing(path)
    with _folder_above(path):
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{file_name(path.name)}.", suffix=".tmp"))
    try:
        whole, old = temporary / "new", temporary / "old"
        whole.mkdir()
        yield whole
        try:
            if path.exists():
                path.rename(old)
            whole.rename(path)
        finally:
            if old.exists() and not path.exists():  # the new one could not take its place
                old.rename(path)
    except OSError as error:
        raise RadsentError(
            f"{path}: cannot be written ({error.strerror}): free some space or choose another."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def result_folder(path: str | Path, of: str) -> Iterator[Path]:
    """Write a folder of results, in place of an earlier one: nothing of that stays, and nothing is half-written.

    path (Union[str, Path]): Where it will be.
    of (str): A file that tells that a folder there holds such results; another one is not touched.
    YIELDS (Path): The folder to write to.
    """
    path = Path(path)
    refuse_other_folder(path, of)
    with atomic_folder(path, overwrite=True) as folder:
        yield folder


def sha256_of(files: Iterable[Path], below: Path | None = None) -> str:
    """RETURNS (str): SHA-256 of the content of files, and of their names below a folder if it is given."""
    digest = hashlib.sha256()
    for file in files:
        if below:
            digest.update(os.fsencode(file.relative_to(below)))
        with open(file, "rb") as content:
            while chunk := content.read(1 << 22):
                digest.update(chunk)
    return digest.hexdigest()


def file_id(path: Path) -> str:
    """RETURNS (str): A file's name without its ending, as an id, also where it is not UTF-8."""
    return path.with_suffix("").as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def file_name(name: str) -> str:
    """RETURNS (str): A name that a user gave as that of a file: no folder, nothing hidden, not too long."""
    name = re.sub(r"[^\w.()+-]+", "-", name).strip(".-")
    return name.encode("utf-8")[:NAME_BYTES].decode("utf-8", "ignore") or "unnamed"


def refuse_folder(path: Path) -> None:
    """Say so where a file is to be written in the place of a folder."""
    if path.is_dir():
        raise RadsentError(f"{path}: is a folder: name a file to write to.")


def refuse_file(path: Path) -> None:
    """Say so where a folder is to be written in the place of a file."""
    if path.exists() and not path.is_dir():
        raise RadsentError(f"{path}: is a file: name a folder.")


def refuse_other_folder(path: Path, of: str) -> None:
    """Say so where a folder is to be replaced that holds no results, by a file that tells them."""
    refuse_file(path)
    if path.exists() and any(path.iterdir()) and not (path / of).exists():
        raise RadsentError(f"{path}: holds something else (there is no {of}): name another folder.")


def refuse_unwritable(path: Path) -> None:
    """Say so where nothing can be written at a path. Missing folders above it are made."""
    with _folder_above(path):
        tempfile.TemporaryFile(dir=path.parent).close()


def refuse_existing(path: Path, otherwise: str = "") -> None:
    """Say so where something is already at a path that is to be written, and what may be done otherwise."""
    if path.exists():
        raise RadsentError(f"{path}: is there already: name a folder that is not{otherwise and f', {otherwise}'}.")
