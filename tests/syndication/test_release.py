"""A release: all of its files or none, whatever happens in between."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.needs import needed

from dispatch.errors import OutputError
from dispatch.syndication.release import Release, exclusively, recover


def files(root: Path) -> dict[str, bytes]:
    found = (p for p in sorted(root.rglob("*")) if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found}


def staged(root: Path, **contents: bytes) -> Release:
    release = Release(root)
    for name, data in contents.items():
        release.write(f"{name}/index.html", data)
    release.seal()
    return release


def test_nothing_appears_before_it_is_placed(tmp_path: Path) -> None:
    release = staged(tmp_path, a=b"A", b=b"B")
    assert not (tmp_path / "a/index.html").exists()
    release.place()
    assert files(tmp_path) == {"a/index.html": b"A", "b/index.html": b"B"}


def test_what_stands_there_already_is_not_touched(tmp_path: Path) -> None:
    staged(tmp_path, a=b"A").place()
    os.utime(tmp_path / "a/index.html", (1, 1))
    again = staged(tmp_path, a=b"A")
    assert again.empty
    again.place()
    assert (tmp_path / "a/index.html").stat().st_mtime == 1


def test_after_a_crash_what_was_decided_is_finished(tmp_path: Path) -> None:
    release = staged(tmp_path, a=b"A", b=b"B")
    # The first file was in its place when the power went.
    (tmp_path / ".dispatch" / release.id / "a/index.html").replace(tmp_path / "a/index.html")
    recover(tmp_path, {release.id})
    assert files(tmp_path) == {"a/index.html": b"A", "b/index.html": b"B"}


def test_after_a_crash_what_was_not_decided_is_swept_away(tmp_path: Path) -> None:
    staged(tmp_path, a=b"old").place()
    staged(tmp_path, a=b"new", b=b"new")
    recover(tmp_path, set())
    assert files(tmp_path) == {"a/index.html": b"old"}


def test_after_a_crash_in_the_middle_of_staging_nothing_is_left(tmp_path: Path) -> None:
    Release(tmp_path).write("a/index.html", b"A")
    recover(tmp_path, set())
    assert files(tmp_path) == {}


def test_the_last_of_two_writes_holds(tmp_path: Path) -> None:
    staged(tmp_path, a=b"old").place()
    release = Release(tmp_path)
    release.write("a/index.html", b"new")
    release.write("a/index.html", b"old")
    release.seal()
    release.place()
    assert files(tmp_path) == {"a/index.html": b"old"}


def test_what_is_removed_goes_when_the_rest_is_placed_and_takes_its_empty_folders(
    tmp_path: Path,
) -> None:
    written = dict.fromkeys(("public/w/x", "public/w/y", "public/v"), b"A")
    staged(tmp_path, **written).place()
    release = Release(tmp_path)
    assert all(release.remove(f"{name}/index.html") for name in ("public/w/x", "public/w/y"))
    assert not release.remove("public/w/x/never-there.html")
    assert not release.remove("public/w"), "a folder is no file"
    release.write("public/v/index.html", b"B")
    release.seal()
    assert len(files(tmp_path / "public")) == 3
    release.place()
    assert files(tmp_path) == {"public/v/index.html": b"B"}
    assert not (tmp_path / "public/w").exists()


def test_a_folder_that_holds_something_else_stays(tmp_path: Path) -> None:
    staged(tmp_path, **{"public/w": b"A"}).place()
    (tmp_path / "public/w/logo.png").write_bytes(b"the desk's own")
    release = Release(tmp_path)
    release.remove("public/w/index.html")
    release.seal()
    release.place()
    assert files(tmp_path) == {"public/w/logo.png": b"the desk's own"}


def test_of_writing_and_removing_the_last_holds(tmp_path: Path) -> None:
    staged(tmp_path, a=b"old", b=b"old").place()
    release = Release(tmp_path)
    release.write("a/index.html", b"new")
    release.remove("a/index.html")
    release.remove("b/index.html")
    release.write("b/index.html", b"new")
    release.seal()
    release.place()
    assert files(tmp_path) == {"b/index.html": b"new"}


def test_a_link_goes_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "public").mkdir()
    (tmp_path / "public/link").symlink_to(tmp_path / "kept")
    release = Release(tmp_path)
    assert release.remove("public/link")
    release.seal()
    release.place()
    assert files(tmp_path) == {"kept": b"kept"}


def test_after_a_crash_removals_that_were_decided_are_finished_and_others_forgotten(
    tmp_path: Path,
) -> None:
    staged(tmp_path, a=b"A", b=b"B").place()
    decided, undecided = Release(tmp_path), Release(tmp_path)
    for release, name in ((decided, "a"), (undecided, "b")):
        release.remove(f"{name}/index.html")
        release.seal()
    (tmp_path / "a/index.html").unlink()  # the power went just after
    recover(tmp_path, {decided.id})
    assert files(tmp_path) == {"b/index.html": b"B"}


def test_a_release_that_an_earlier_version_left_behind_is_finished(tmp_path: Path) -> None:
    release = staged(tmp_path, a=b"A")
    manifest = tmp_path / ".dispatch" / release.id / "manifest.json"
    manifest.write_text('["a/index.html"]')
    recover(tmp_path, {release.id})
    assert files(tmp_path) == {"a/index.html": b"A"}


def test_what_stands_in_the_way_is_found_before_anything_is_decided(tmp_path: Path) -> None:
    (tmp_path / "a/index.html").mkdir(parents=True)
    release = Release(tmp_path)
    release.write("a/index.html", b"A")
    with pytest.raises(OutputError, match=r"a/index\.html is a folder"):
        release.seal()
    (tmp_path / "b").write_text("a file, where a folder belongs")
    release = Release(tmp_path)
    release.write("b/index.html", b"B")
    with pytest.raises(OutputError, match="b cannot be written"):
        release.seal()


def test_a_folder_may_be_a_disk_of_its_own(small_disk: Path) -> None:
    root = small_disk.parent / "root"
    root.mkdir()
    (root / "a").symlink_to(small_disk)
    staged(root, a=b"old", b=b"B").place()
    staged(root, a=b"new").place()
    assert (small_disk / "index.html").read_bytes() == b"new"
    assert [path.name for path in small_disk.iterdir()] == ["index.html"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    needed(not mounted.returncode, "root, to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_state(small_disk: Path) -> None:
    staged(small_disk, a=b"old").place()
    release = Release(small_disk)
    release.write("a/index.html", b"new")
    with pytest.raises(OutputError, match=r"no room left.*make room and run it again"):
        release.write("b/index.html", b"x" * 100_000)
    recover(small_disk, set())
    assert files(small_disk) == {"a/index.html": b"old"}


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file stands here")
    with pytest.raises(OutputError, match=r"results.* cannot be written"):
        Release(tmp_path / "results").write("a/index.html", b"A")


def test_no_permission_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_args: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write anywhere, so permission is feigned
    with pytest.raises(OutputError, match=r"Permission denied.*--out"):
        Release(tmp_path).write("a/index.html", b"A")


def test_only_one_process_publishes_at_a_time(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from dispatch.syndication.release import exclusively
        root = Path(sys.argv[1])
        counter = root / "counter"
        for _ in range(50):
            with exclusively(root):
                counter.write_text(str(int(counter.read_text()) + 1))
        """
    )
    (tmp_path / "counter").write_text("0")
    both = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "counter").read_text() == "100"


def test_the_lock_is_let_go_when_its_process_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from dispatch.syndication.release import exclusively
        with exclusively(Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(600)
        """
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with exclusively(tmp_path):
        pass
