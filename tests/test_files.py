"""Files appear whole or not at all, whatever goes wrong while they are written."""

import os
import resource
import stat
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from spacy_radsent.errors import RadsentError
from spacy_radsent.files import atomic_folder, atomic_writer, file_name, read_text, text_lines, write_json

OLD = "以前の結果\r\n"


@pytest.fixture
def target(tmp_path):
    """A folder with one file, which a failed write must leave alone."""
    path = tmp_path / "結果.jsonl"
    path.write_text(OLD, encoding="utf-8", newline="")
    return path


def assert_untouched(path: Path) -> None:
    assert path.read_bytes().decode("utf-8") == OLD
    assert list(path.parent.iterdir()) == [path], "no temporary file is left"


def test_text_is_written_as_it_is(target):
    text = "右肺\r\n結節\n\u2028🫁\r末"
    with atomic_writer(target) as file:
        file.write(text)
        assert target.read_bytes().decode("utf-8") == OLD, "the old file is in place until the end"
    assert target.read_bytes() == text.encode("utf-8")
    assert read_text(target) == text
    assert list(target.parent.iterdir()) == [target]


def test_bytes_are_written_as_they_are(target):
    with atomic_writer(target, "wb") as file:
        file.write(b"\x00\r\n\xff")
    assert target.read_bytes() == b"\x00\r\n\xff"


def test_json_is_for_people_to_read(target):
    with pytest.raises(TypeError):
        write_json(target, {"肺": object()})
    assert_untouched(target)
    write_json(target, {"肺": ["結節"]})
    assert read_text(target) == '{\n  "肺": [\n    "結節"\n  ]\n}\n'


def test_missing_folders_are_made_and_others_cannot_read(tmp_path):
    target = tmp_path / "出力" / "2026" / "reports.jsonl"
    with atomic_writer(str(target)) as file:
        file.write("所見")
    assert target.read_text(encoding="utf-8") == "所見"
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 == 0, "reports are confidential"


@pytest.mark.parametrize(
    "error",
    [RadsentError("line 3: bad."), ValueError("x"), UnicodeError("x"), KeyboardInterrupt(), SystemExit(1)],
    ids=lambda error: type(error).__name__,
)
def test_exception_in_the_block_changes_nothing(error, target):
    with pytest.raises(type(error)) as info, atomic_writer(target) as file:
        file.write("半分" * 10_000)
        file.flush()
        raise error
    assert info.value is error
    assert_untouched(target)


def test_exception_before_there_was_a_file_leaves_none(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_writer(tmp_path / "new.jsonl") as file:
        file.write(str(1 / 0))
    assert list(tmp_path.iterdir()) == []


def test_text_that_cannot_be_encoded_changes_nothing(target):
    with pytest.raises(UnicodeEncodeError), atomic_writer(target) as file:
        file.write("肺\ud800")
    assert_untouched(target)


def test_target_is_a_folder(target):
    folder = target.parent
    with pytest.raises(RadsentError, match="is a folder: name a file"), atomic_writer(folder):
        pytest.fail("the block must not run")
    assert_untouched(target)


def test_folder_of_the_target_is_a_file(target):
    inside = target / "out.jsonl"
    with pytest.raises(RadsentError, match="out.jsonl: cannot be written .*: choose a writ"), atomic_writer(inside):
        pytest.fail("the block must not run")
    assert_untouched(target)


def test_folder_cannot_be_made():
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    path = "/proc/radsent/out.jsonl"
    with pytest.raises(RadsentError, match=f"{path}: cannot be written"), atomic_writer(path):
        pytest.fail("the block must not run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_is_read_only(target):
    target.parent.chmod(0o500)
    try:
        with pytest.raises(RadsentError, match="cannot be written .Permission denied."), atomic_writer(target):
            pytest.fail("the block must not run")
        assert_untouched(target)
    finally:
        target.parent.chmod(0o700)


def test_file_size_limit(target):
    """What a quota does: the write itself fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(RadsentError, match="cannot be written .*: free some space"), atomic_writer(target) as file:
            file.write("x" * (1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_untouched(target)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a file system is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("size", [1 << 17, 62_000], ids=["in_the_block", "at_the_flush"])
def test_full_disk(size, small_disk):
    target = small_disk / "結果.jsonl"
    target.write_text(OLD, encoding="utf-8", newline="")
    message = "cannot be written .No space left on device.: free some space"
    with pytest.raises(RadsentError, match=message), atomic_writer(target, "wb") as file:
        for _ in range(0, size, 1000):
            file.write(b"x" * 1000)
    assert_untouched(target)


def test_read_text_keeps_line_ends_and_drops_the_bom(tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "肺：\r\nn.p.\r\u2028\n".encode())
    assert read_text(path) == "肺：\r\nn.p.\r\u2028\n"


@pytest.mark.parametrize(
    "content, line, byte",
    [
        ("所見".encode("cp932"), 1, "0x8f"),
        ("肺\r\n\n".encode() + b"ok \xff", 3, "0xff"),
        ("肺".encode()[:2], 1, "0xe8"),
    ],
    ids=["cp932", "third_line", "cut_off_inside_a_character"],
)
def test_read_text_names_the_line_that_is_not_utf8(content, line, byte, tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes(content)
    with pytest.raises(RadsentError) as info:
        read_text(path)
    assert str(info.value).startswith(f"{path}, line {line}: not UTF-8 (byte {byte}): save it as UTF-8")


@pytest.mark.parametrize("read", [read_text, lambda path: list(text_lines(path))], ids=["text", "lines"])
def test_reading_of_nothing(read, tmp_path):
    with pytest.raises(RadsentError, match="none.txt: no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(RadsentError, match="cannot be read"):
        read(tmp_path)


def test_lines_are_those_of_the_text_until_one_is_not_utf8(tmp_path):
    path = tmp_path / "reports.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "肺：\r\n\nn.p.\r\u2028\n".encode() + "所見".encode("cp932"))
    lines = text_lines(path)
    assert [next(lines) for _ in range(3)] == ["肺：\r", "", "n.p.\r\u2028"]
    with pytest.raises(RadsentError) as info:
        next(lines)
    assert str(info.value).startswith(f"{path}, line 4: not UTF-8 (byte 0x8f): save it as UTF-8")


def test_lines_take_memory_for_one(tmp_path):
    path = tmp_path / "reports.jsonl"
    path.write_text("右肺に結節あり。\n" * 100_000, encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(line == "右肺に結節あり。" for line in text_lines(path)) == 100_000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 4
    finally:
        tracemalloc.stop()


def test_a_name_of_many_bytes_fits(tmp_path):
    name = file_name("1. 胸部/" + "肺" * 80)
    assert name == "1.-胸部-" + "肺" * 63 and len(name.encode()) <= 200
    path = tmp_path / ("肺" * 83 + ".jsonl")  # 255 bytes
    with atomic_writer(path) as file:
        file.write("所見")
    with atomic_folder(tmp_path / ("肺" * 85)) as folder:
        (folder / "a").write_text("1")
    assert path.read_text(encoding="utf-8") == "所見"
    assert len(list(tmp_path.iterdir())) == 2


def test_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "結果"
    with pytest.raises(KeyError), atomic_folder(path) as folder:
        (folder / "a").write_text("1")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(path) as folder:
        (folder / "a").write_text("1")
    with pytest.raises(RadsentError, match="is there already: name a folder"), atomic_folder(path):
        pass
    with pytest.raises(KeyError), atomic_folder(path, overwrite=True) as folder:
        raise KeyError
    assert (path / "a").read_text() == "1"
    with atomic_folder(path, overwrite=True) as folder:
        (folder / "b").write_text("2")
    assert [file.name for file in path.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_before_stays_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    path = tmp_path / "結果"
    path.mkdir()
    (path / "a").write_text("1")
    rename = Path.rename

    def interrupted(self, target):
        if self.name == "new":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), atomic_folder(path, overwrite=True) as folder:
        (folder / "b").write_text("2")
    assert [file.name for file in path.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [path]
