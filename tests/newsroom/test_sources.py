"""Where articles come from: files, folders, patterns, standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch.errors import ArticleError
from dispatch.newsroom.sources import expand, read

NONE = Path("no templates of one's own")


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    for name in ["b.txt", "a.md", "deep/c.html", "README.md", ".hidden.txt", "photo.jpg"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return folder


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_a_folder_means_its_articles_and_those_below(stories: Path, tmp_path: Path) -> None:
    assert names(expand([str(stories)], NONE)) == ["a.md", "b.txt", "c.html"]


@pytest.mark.parametrize("mark", ["dispatch.db", ".dispatch"])
@pytest.mark.parametrize("where", [".", "deep", "deep/site"])
def test_what_dispatch_wrote_is_not_an_article(stories: Path, mark: str, where: str) -> None:
    site = stories / where
    for name in ["public/world/index.html", "outbox/world/copy.txt", "templates/email/a.html"]:
        path = site / name
        path.parent.mkdir(parents=True)
        path.write_text("x")
    (site / mark).touch()
    assert names(expand([str(stories)], NONE)) == ["a.md", "b.txt", "c.html"]


def test_templates_are_not_articles(stories: Path) -> None:
    own = stories / "look" / "web"
    own.mkdir(parents=True)
    (own / "article.html").write_text("x")
    assert names(expand([str(stories)], stories / "look")) == ["a.md", "b.txt", "c.html"]


def test_links_that_lead_nowhere_or_in_a_circle_do_no_harm(stories: Path) -> None:
    (stories / "loop.md").symlink_to("loop.md")
    (stories / "up").symlink_to(stories)
    assert names(expand([str(stories)], NONE)) == ["a.md", "b.txt", "c.html"]


def test_an_empty_name_means_nothing(stories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stories)
    assert expand([""], NONE) == [""]
    with pytest.raises(ArticleError, match="name of an article is empty"):
        read("", 100)


def test_a_name_that_is_too_long_is_refused_like_any_other() -> None:
    name = "x" * 5000
    assert expand([name], NONE) == [name]
    with pytest.raises(ArticleError, match="cannot be read"):
        read(name, 100)


def test_a_pattern_means_what_matches(stories: Path, tmp_path: Path) -> None:
    assert names(expand([f"{stories}/*.md"], NONE)) == ["README.md", "a.md"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "what[now]?.txt"
    path.write_text("x")
    assert expand([str(path)], NONE) == [str(path)]


def test_each_file_once_in_the_order_they_were_named(stories: Path, tmp_path: Path) -> None:
    b = str(stories / "b.txt")
    assert names(expand([b, str(stories), "-", b], NONE)) == ["b.txt", "a.md", "c.html", "-"]


def test_a_name_that_means_nothing_stays_to_be_refused(tmp_path: Path) -> None:
    assert expand(["nowhere.txt", "no*thing.md"], NONE) == ["nowhere.txt", "no*thing.md"]
    with pytest.raises(ArticleError, match=r"There is no file nowhere\.txt"):
        read("nowhere.txt", 100)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * 101)
    with pytest.raises(ArticleError, match=r"long\.txt is larger than .* DISPATCH_MAX_ARTICLE"):
        read(str(path), 100)
    assert read(str(path), 101) == b"x" * 101


def test_a_folder_in_place_of_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="is a folder"):
        read(str(tmp_path), 100)


def test_a_name_with_a_nul_is_said() -> None:
    with pytest.raises(ArticleError, match="not the name of a file"):
        read("a\x00b", 100)
