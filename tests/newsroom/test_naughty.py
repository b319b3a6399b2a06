"""Strings that break software, as headline and as body of an article, through the whole road."""

from __future__ import annotations

import email
import email.policy
import json
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import html5lib
import pytest
from lxml import etree

from dispatch.newsroom.publish import Options, Outcome, Watch, publish
from dispatch.settings import Settings


@pytest.fixture(scope="module")
def published(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Outcome], list[str]]:
    """Every naughty string as an article of its own, in one run."""
    folder = tmp_path_factory.mktemp("naughty")
    strings = json.loads((shared / "data" / "blns.json").read_text(encoding="utf-8"))
    names = []
    for n, string in enumerate(strings):
        path = folder / f"{n:03}.txt"
        text = f"{string}\nWhat it says of number {n}.\n\nBefore {string} after.\nThe end of {n}.\n"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        names.append(str(path))
    outcomes: list[Outcome] = []
    settings = Settings(templates=folder / "none", publishers=folder / "none.toml")
    now = datetime(2026, 10, 4, tzinfo=UTC)
    publish(names, Options(folder / "out"), settings, now, Watch(outcomes.append))
    return folder / "out", outcomes, strings


def test_each_is_published_or_refused_in_a_sentence(
    published: tuple[Path, list[Outcome], list[str]],
) -> None:
    _, outcomes, strings = published
    assert len(outcomes) == len(strings)
    for outcome in outcomes:
        if outcome.action == "refused":
            assert "inside Dispatch" not in outcome.notes[-1].message
            assert outcome.notes[-1].message.endswith(".")
    assert sum(outcome.action == "published" for outcome in outcomes) > 0.9 * len(strings)


def test_every_feed_is_well_formed(published: tuple[Path, list[Outcome], list[str]]) -> None:
    out, _, _ = published
    feeds = sorted((out / "public").rglob("*.rss")) + sorted((out / "public").rglob("*.atom"))
    assert len(feeds) > 10
    for path in feeds:
        etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
        assert not feedparser.parse(path.read_bytes())["bozo"]
    for path in (out / "public").rglob("*.json"):
        json.loads(path.read_bytes())


def test_no_page_or_email_runs_anything(published: tuple[Path, list[Outcome], list[str]]) -> None:
    out, _, _ = published
    pages = sorted(out.rglob("*.html"))
    assert len(pages) > 900
    for path in pages[::7]:  # the whole corpus is checked block by block in tests/markup
        tree = html5lib.parse(path.read_text(encoding="utf-8"), namespaceHTMLElements=False)
        for element in tree.iter():
            if not isinstance(element.tag, str):
                continue
            if element.tag == "script":
                assert element.get("type") == "application/ld+json"
            assert not [name for name in element.attrib if str(name).startswith("on")]
            for name in ("href", "src"):
                assert not (element.get(name) or "").lower().startswith(("javascript:", "data:"))


def test_every_message_parses_without_a_defect(
    published: tuple[Path, list[Outcome], list[str]],
) -> None:
    out, _, _ = published
    for path in sorted(out.rglob("*.eml")):
        data = path.read_bytes()
        message = email.message_from_bytes(data, policy=email.policy.strict)
        assert [part.get_content_type() for part in message.iter_parts()] == [
            "text/plain",
            "text/html",
        ]
        assert max(map(len, data.split(b"\r\n"))) <= 998
        assert b"\n" not in data.replace(b"\r\n", b"")
        assert len(message.get_all("Subject", [])) == 1


def test_no_wire_copy_has_markup_controls_or_trailing_blanks(
    published: tuple[Path, list[Outcome], list[str]],
) -> None:
    out, _, _ = published
    for path in sorted(out.rglob("copy*.txt")):
        text = path.read_bytes().decode("ascii" if "ascii" in path.name else "utf-8")
        for line in text.split("\n"):
            assert line == line.rstrip()
            assert all(c.isprintable() or not c < " " for c in line)
        assert text.endswith("\n")
