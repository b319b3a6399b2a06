"""Writing a desk's pages and feeds again: after a change of access, templates or settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.newsroom.access_room import NOW, SECRET, Room

from dispatch.errors import StoreError
from dispatch.newsroom import rebuild

ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("DISPATCH_")}
ACCESS = ("public", "members", "private")


def fresh(folder: Path, access: str, *, articles: int = 2) -> dict[str, bytes]:
    """What a newsroom has that never was anything else."""
    folder.mkdir()
    room = Room(folder, {"access": access})
    publish(room, articles)
    return {**room.files("public"), **room.files("members")}


def publish(room: Room, articles: int = 2) -> None:
    for day, title in ((8, "Harbour reopens"), (7, "Lighthouse lit"))[:articles]:
        room.publish(title, day=day)


@pytest.mark.parametrize("before", ACCESS)
@pytest.mark.parametrize("after", ACCESS)
def test_a_change_of_access_leaves_nothing_behind(tmp_path: Path, before: str, after: str) -> None:
    room = Room(tmp_path, {"access": before})
    publish(room)
    room.variables["access"] = after
    (done,) = room.rebuild()
    assert (done.articles, done.access, done.left) == (2, after, ())
    assert {**room.files("public"), **room.files("members")} == fresh(tmp_path / "f", after)
    if after != "public":
        assert SECRET not in room.public_text()
    if after == "private":
        assert not (room.out / "public/world").exists()
    if after == "public":
        assert not (room.out / "members/world").exists()


@pytest.mark.parametrize("before", ACCESS)
@pytest.mark.parametrize("after", ACCESS)
def test_a_publish_says_that_what_is_there_is_of_another_access(
    tmp_path: Path, before: str, after: str
) -> None:
    room = Room(tmp_path, {"access": before})
    publish(room)
    room.variables["access"] = after
    for title in ("Tide turns", "Tide turns again"):
        said = [note.message for note in room.publish(title).notes if note.where == "access"]
        assert bool(said) is (before != after)
        if said:
            assert f"World is {after} now" in said[0]
            assert "dispatch rebuild --desk world" in said[0]
    room.rebuild()
    assert not [note for note in room.publish("Ebb").notes if note.where == "access"]


def test_without_a_change_nothing_is_written(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access": "members"})
    publish(room)
    times = {name: (room.out / name).stat().st_mtime_ns for name in room.files("public")}
    room.rebuild()
    assert times == {name: (room.out / name).stat().st_mtime_ns for name in room.files("public")}


def test_a_changed_template_reaches_pages_and_feeds(tmp_path: Path) -> None:
    room = Room(tmp_path)
    publish(room)
    own = tmp_path / "own"
    (own / "feed").mkdir(parents=True)
    (own / "feed/content.html").write_text("<p>Written another way: {{ article.headline }}</p>")
    room.variables["templates"] = str(own)
    room.rebuild()
    assert "Written another way" in room.files()["public/world/feed.json"].decode()


def test_one_desk_alone_is_written_again(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    room.publish("Exhibition opens", desk="Culture")
    room.variables["access"] = "private"
    assert [done.desk for done in room.rebuild("culture")] == ["Culture"]
    assert room.files("public/world")
    assert not room.files("public/culture")


def test_what_dispatch_did_not_write_is_left_and_told(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    (room.out / "public/world/logo.png").write_bytes(b"the desk's own")
    room.variables["access"] = "private"
    (done,) = room.rebuild()
    assert done.left == ("public/world/logo.png",)
    assert list(room.files("public/world")) == ["public/world/logo.png"]


def test_a_version_that_is_held_back_does_not_become_public(tmp_path: Path) -> None:
    room = Room(tmp_path)
    text = "---\ntitle: Tide\ndesk: World\nlang: en\nid: tide\n{more}---\n\n{words}\n"
    article = tmp_path / "tide.md"
    article.write_text(text.format(more="", words="As it was."))
    room.publish_files(article)
    before = room.files("public")
    held = "embargo: 2026-12-01T08:00+00:00\n"
    article.write_text(text.format(more=held, words=f"As it will be, in {SECRET}."))
    room.publish_files(article)
    room.rebuild()
    assert room.files("public") == before


def test_an_article_that_was_never_public_stays_so(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access": "members"})
    text = "---\ntitle: Tide\ndesk: World\nlang: en\nembargo: 2026-12-01T08:00+00:00\n---\n\nX.\n"
    article = tmp_path / "tide.md"
    article.write_text(text)
    room.publish_files(article)
    room.rebuild()
    assert not [name for name in room.files() if "tide" in name and "outbox" not in name]


def test_a_desk_that_is_not_there_is_refused(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    with pytest.raises(StoreError, match=r"desk sports has published nothing here.*world"):
        room.rebuild("sports")


def test_a_folder_without_a_database_is_refused_and_none_is_made(tmp_path: Path) -> None:
    room = Room(tmp_path)
    with pytest.raises(StoreError, match="nothing to write again"):
        room.rebuild()
    assert not room.out.exists()


def test_stopped_it_says_nothing_of_the_desk_it_did_not_finish(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.publish()
    done: list[rebuild.Rebuilt] = []
    watch = rebuild.Watch(done.append, stopped=lambda: True)
    rebuild.rebuild(None, room.out, room.settings, NOW, watch)
    assert not done


DYING = """
import os, sys
from pathlib import Path
from dispatch.syndication import release

left = 0

def dying(function):
    def step(*arguments, **named):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return function(*arguments, **named)
    return step

for owner, name in (
    (Path, "replace"), (Path, "unlink"), (Path, "rmdir"), (release.shutil, "rmtree"),
    (release.Release, "place"), (release.Release, "seal"),
):
    setattr(owner, name, dying(getattr(owner, name)))
from dispatch.cli import main
from dispatch.newsroom import rebuild  # once, not in each that dies
from dispatch.syndication import xmlfeeds
for line in sys.stdin:
    if not os.fork():
        steps, folder = line.split(None, 1)
        left = int(steps)
        sys.argv = ["dispatch", "rebuild", "--out", folder.strip()]
        main()
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.mark.parametrize("after", ["private", "members"])
def test_dying_before_any_step_it_is_completed_by_the_next_run(tmp_path: Path, after: str) -> None:
    """Going private, nobody can read half of it at any moment but those who could all of it."""
    expected = fresh(tmp_path / "fresh", after, articles=1)
    (tmp_path / "made").mkdir()
    made = Room(tmp_path / "made")
    publish(made, 1)
    process = subprocess.Popen(
        [sys.executable, "-c", DYING],
        env={**ENVIRONMENT, "DISPATCH_SITE_URL": "https://news.example.org",
             "DISPATCH_ACCESS": after},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        cwd=tmp_path,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    with process:
        for steps in range(200):
            room = Room(tmp_path / f"died-{steps}", {"access": after})
            subprocess.run(["cp", "-r", str(made.folder), str(room.folder)], check=True)
            process.stdin.write(f"{steps} {room.out}\n")
            process.stdin.flush()
            while (line := process.stdout.readline()) and not line.strip().isdigit():
                pass  # what the command printed
            if line.strip() == "0":
                break
            assert line.strip() == "9"
            room.rebuild()
            assert {**room.files("public"), **room.files("members")} == expected, steps
            assert not [p for p in (room.out / ".dispatch").iterdir() if p.is_dir()]
        process.stdin.close()
    assert steps > 15
