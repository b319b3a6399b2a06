"""Publishing: what becomes of an article, the second time too, and whatever goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatch.newsroom.publish import Options, Outcome, Watch, publish
from dispatch.settings import Settings

NOW = datetime(2026, 10, 4, 9, 30, tzinfo=UTC)
BODY = """The first ferry left Port Ellery at dawn on Sunday with forty passengers aboard.

Captain Ida Marlow said the crossing took nineteen minutes, two fewer than the old boat.

The council will decide in November whether a second boat is worth its price.
"""


class Newsroom:
    """A folder of articles and a folder of results; ``now`` moves by hand."""

    def __init__(self, folder: Path) -> None:
        self.articles = folder / "articles"
        self.articles.mkdir()
        self.out = folder / "out"
        self.now = NOW
        self.settings = Settings(templates=folder / "templates", publishers=folder / "none.toml")

    def write(self, name: str, text: str) -> str:
        path = self.articles / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def article(self, name: str, headline: str, body: str = BODY, **fields: str) -> str:
        front = "".join(f"{key}: {value}\n" for key, value in fields.items())
        return self.write(name, f"---\ntitle: {headline}\nlang: en\n{front}---\n\n{body}")

    def publish(self, *names: str, **options: object) -> list[Outcome]:
        outcomes: list[Outcome] = []
        chosen = Options(self.out, **options)  # type: ignore[arg-type]
        publish(names, chosen, self.settings, self.now, Watch(outcomes.append))
        return outcomes

    def files(self) -> dict[str, bytes]:
        found = [p for folder in ("public", "outbox") for p in (self.out / folder).rglob("*")]
        return {
            p.relative_to(self.out).as_posix(): p.read_bytes() for p in sorted(found) if p.is_file()
        }

    def feed(self, desk: str = "world") -> list[dict[str, str]]:
        items = json.loads((self.out / "public" / desk / "feed.json").read_bytes())["items"]
        return list(items)


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path)


def only(outcomes: list[Outcome]) -> Outcome:
    (outcome,) = outcomes
    return outcome


def test_an_article_becomes_every_rendition(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", date="2026-10-04T08:00+02:00")
    outcome = only(newsroom.publish(name))
    assert (outcome.action, outcome.version, outcome.desk) == ("published", 1, "World")
    assert outcome.id == "tag:news.example.org,2026-10-04:world/new-ferry"
    place = "world/2026/10/04/new-ferry"
    assert sorted(newsroom.files()) == sorted(
        [f"outbox/{place}/{f}" for f in ("copy.ascii.txt", "copy.txt")]
        + [f"outbox/{place}/email.{f}" for f in ("eml", "html", "txt")]
        + [f"public/{place}/index.html", "public/world/index.html"]
        + [f"public/world/feed.{f}" for f in ("atom", "json", "rss")]
        + [f"public/world/{f}/index.html" for f in ("2026/10/04", "2026/10", "2026", "archive")]
        + ["public/world/editions/index.html", "public/world/sitemap-2026-10.xml"]
        + [f"public/{f}" for f in ("index.html", "feeds.opml", "robots.txt", "sitemap.xml")]
        + ["public/news-sitemap.xml", "public/sitemap-desks.xml"]
    )
    for path in [*outcome.files.values(), *outcome.feeds.values()]:
        assert path is not None
        assert Path(path).is_file()


def test_the_same_article_again_changes_nothing(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    first = only(newsroom.publish(name))
    before = newsroom.files()
    newsroom.now += timedelta(days=1)
    again = only(newsroom.publish(name))
    assert (again.action, again.version, again.id) == ("unchanged", 1, first.id)
    assert newsroom.files() == before


def test_an_article_without_a_date_keeps_the_time_of_its_first_publication(
    newsroom: Newsroom,
) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    outcome = only(newsroom.publish(name))
    assert "2026-10-04T09:30:00Z" in next(
        n.message for n in outcome.notes if n.where == "published"
    )
    newsroom.now += timedelta(days=1)
    newsroom.article("a.md", "New ferry", BODY + "\nIt rained.\n", desk="World")
    newsroom.publish(name)
    (item,) = newsroom.feed()
    assert item["date_published"].startswith("2026-10-04T09:30:00")
    assert item["date_modified"].startswith("2026-10-05T09:30:00")


def test_a_changed_article_is_its_next_version(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    first = only(newsroom.publish(name))
    newsroom.now += timedelta(hours=1)
    newsroom.article("a.md", "New ferry", BODY.replace("forty", "forty-one"), desk="World")
    second = only(newsroom.publish(name))
    assert (second.action, second.version, second.id) == ("updated", 2, first.id)
    assert second.files == first.files
    assert "forty-one" in newsroom.feed()[0]["content_html"]
    assert only(newsroom.publish(name)).action == "unchanged"


def test_a_changed_headline_finds_its_earlier_version_by_its_file(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    first = only(newsroom.publish(name))
    newsroom.article("a.md", "Port Ellery’s new ferry is faster", desk="World")
    second = only(newsroom.publish(name))
    assert (second.action, second.id, second.slug) == ("updated", first.id, "new-ferry")
    assert [item["title"] for item in newsroom.feed()] == ["Port Ellery’s new ferry is faster"]


def test_a_renamed_file_finds_its_earlier_version_by_its_words(newsroom: Newsroom) -> None:
    first = only(newsroom.publish(newsroom.article("a.md", "New ferry", desk="World")))
    (newsroom.articles / "a.md").unlink()
    moved = newsroom.article("b.md", "New ferry", BODY + "\nIt rained.\n", desk="World")
    second = only(newsroom.publish(moved))
    assert (second.action, second.id) == ("updated", first.id)


def test_two_files_that_are_much_alike_are_two_articles(newsroom: Newsroom) -> None:
    one = newsroom.article("a.md", "New ferry", desk="World")
    two = newsroom.article("b.md", "New ferry", BODY + "\nIt rained.\n", desk="World")
    assert [o.slug for o in newsroom.publish(one, two)] == ["new-ferry", "new-ferry-2"]
    assert [o.action for o in newsroom.publish(two, one)] == ["unchanged", "unchanged"]


def test_an_id_finds_its_article_whatever_else_changed(newsroom: Newsroom) -> None:
    first = only(newsroom.publish(newsroom.article("a.md", "New ferry", desk="World", id="4711")))
    assert first.id == "tag:news.example.org,2026-10-04:world:4711"
    newsroom.now += timedelta(days=2)
    other = newsroom.article(
        "b.md", "Something else", "Every word of it is new here.\n", desk="World", id="4711"
    )
    second = only(newsroom.publish(other))
    assert (second.action, second.id, second.slug) == ("updated", first.id, "new-ferry")


def test_an_id_can_be_added_later(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    first = only(newsroom.publish(name))
    newsroom.article("a.md", "New ferry", desk="World", id="4711")
    assert only(newsroom.publish(name)).id == first.id
    newsroom.article("a.md", "Another headline", "New words alone.\n", desk="World", id="4711")
    assert only(newsroom.publish(name)).id == first.id


def test_two_articles_with_one_headline_on_one_day_are_two(newsroom: Newsroom) -> None:
    one = newsroom.article(
        "a.md", "Weather", "Rain in the north until the evening.\n", desk="World"
    )
    two = newsroom.article("b.md", "Weather", "Sunshine wherever you look today.\n", desk="World")
    first, second = newsroom.publish(one, two)
    assert (first.slug, second.slug) == ("weather", "weather-2")
    assert first.id != second.id
    assert any(note.where == "slug" for note in second.notes)
    assert [o.action for o in newsroom.publish(one, two)] == ["unchanged", "unchanged"]


def test_tomorrows_briefing_does_not_overwrite_todays(newsroom: Newsroom) -> None:
    name = newsroom.article("briefing.md", "Briefing", "Ten things to know today.\n", desk="World")
    first = only(newsroom.publish(name))
    newsroom.now += timedelta(days=1)
    newsroom.article("briefing.md", "Briefing", "Snow fell on every pass.\n", desk="World")
    second = only(newsroom.publish(name))
    assert second.action == "published"
    assert second.id != first.id
    assert len(newsroom.feed()) == 2


def test_published_does_not_move_when_the_article_names_another_date(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", date="2026-10-01T08:00Z")
    newsroom.publish(name)
    newsroom.article(
        "a.md", "New ferry", BODY + "\nIt rained.\n", desk="World", date="2026-10-03T08:00Z"
    )
    outcome = only(newsroom.publish(name))
    assert outcome.action == "updated"
    assert newsroom.feed()[0]["date_published"].startswith("2026-10-01T08:00:00")
    assert any("2026-10-01T08:00:00Z, and that stays" in n.message for n in outcome.notes)


def test_another_day_from_the_same_file_is_another_article(newsroom: Newsroom) -> None:
    def market(day: int, close: str) -> str:
        body = BODY + f"\nShares closed {close} on day {day}, said the exchange this evening.\n"
        headline = f"Markets close {close}"
        return newsroom.article("m.md", headline, body, desk="World", date=f"2026-10-0{day}T17:00Z")

    first = only(newsroom.publish(market(5, "higher")))
    second = only(newsroom.publish(market(6, "lower")))
    assert (second.action, second.slug) == ("published", "markets-close-lower")
    assert second.id != first.id


@pytest.mark.parametrize("updated", ["2026-10-02T00:00Z", "2030-01-01T00:00Z"])
def test_updated_moves_whatever_the_article_says_of_it(newsroom: Newsroom, updated: str) -> None:
    fields = {"desk": "World", "date": "2026-10-01T08:00Z", "updated": updated}
    name = newsroom.article("a.md", "New ferry", **fields)
    newsroom.publish(name)
    before = newsroom.feed()[0]["date_modified"]
    newsroom.article("a.md", "New ferry", BODY + "\nIt rained.\n", **fields)
    newsroom.publish(name)
    assert datetime.fromisoformat(newsroom.feed()[0]["date_modified"]) > datetime.fromisoformat(
        before
    )


def test_a_changed_headline_and_a_renamed_file_are_no_second_article(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    first = only(newsroom.publish(name))
    newsroom.article("a.md", "Port Ellery’s new ferry", desk="World")
    newsroom.publish(name)
    Path(name).rename(newsroom.articles / "b.md")
    again = only(newsroom.publish(str(newsroom.articles / "b.md")))
    assert (again.action, again.id) == ("unchanged", first.id)


def test_a_copy_does_not_take_the_place_of_its_original(newsroom: Newsroom) -> None:
    one = newsroom.article("a.md", "New ferry", desk="World")
    two = newsroom.article("b.md", "New ferry", desk="World")
    first, twin = newsroom.publish(one, two)
    assert (twin.action, twin.id) == ("unchanged", first.id)
    newsroom.article("a.md", "New ferry", BODY + "\nIt rained.\n", desk="World")
    assert only(newsroom.publish(one)).id == first.id


def test_two_files_cannot_claim_one_id_in_a_run(newsroom: Newsroom) -> None:
    one = newsroom.article("a.md", "New ferry", desk="World", id="x")
    two = newsroom.article("b.md", "Old ferry", "To a museum it goes.\n", desk="World", id="x")
    first, second = newsroom.publish(one, two)
    assert (first.action, second.action) == ("published", "refused")
    assert "both have the id x" in second.notes[-1].message
    assert [o.action for o in newsroom.publish(one, two)] == ["unchanged", "refused"]


def test_text_without_spaces_is_compared_by_its_characters(newsroom: Newsroom) -> None:
    text = "町の吊り橋は六十年のあいだ人と自転車を渡してきた。県は新しい橋を勧めた。\n"
    name = newsroom.article("a.md", "橋", text, desk="World")
    first = only(newsroom.publish(name))
    newsroom.now += timedelta(days=1)
    newsroom.article("a.md", "橋", text.replace("六十", "六一"), desk="World")
    second = only(newsroom.publish(name))
    assert (second.action, second.id) == ("updated", first.id)


def test_the_zone_that_days_are_told_in_may_change(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", date="2026-10-01T23:30Z")
    first = only(newsroom.publish(name))
    newsroom.settings = replace(newsroom.settings, timezone=ZoneInfo("Asia/Tokyo"))
    Path(name).rename(newsroom.articles / "b.md")
    again = only(newsroom.publish(str(newsroom.articles / "b.md")))
    assert again.id == first.id


def test_the_desk_may_be_named_in_another_case(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    newsroom.publish(name)
    assert only(newsroom.publish(name, desk="WORLD")).action == "unchanged"


def test_a_feed_keeps_its_id_when_the_site_moves(newsroom: Newsroom) -> None:
    def feed_id() -> str:
        atom = (newsroom.out / "public/world/feed.atom").read_text(encoding="utf-8")
        return re.search(r"<id>(.*?)</id>", atom)[1]  # type: ignore[index]

    name = newsroom.article("a.md", "New ferry", desk="World")
    newsroom.publish(name)
    assert feed_id() == "tag:news.example.org,2026-10-04:world"
    newsroom.settings = replace(newsroom.settings, site_url="https://courier.example")
    newsroom.publish(name)
    assert feed_id() == "tag:news.example.org,2026-10-04:world"


def test_only_an_address_or_a_name_is_an_id_for_the_world(newsroom: Newsroom) -> None:
    article = newsroom.article("a.md", "New ferry", desk="World", id="javascript:alert(1)")
    outcome = only(newsroom.publish(article))
    assert outcome.id == "tag:news.example.org,2026-10-04:world:javascript%3Aalert%281%29"
    urn = newsroom.article("b.md", "Old ferry", "Elsewhere.\n", desk="World", id="urn:x:1")
    assert only(newsroom.publish(urn)).id == "urn:x:1"


def test_results_are_never_taken_for_articles(newsroom: Newsroom) -> None:
    from dispatch.newsroom.sources import expand

    name = newsroom.article("a.md", "Top secret plan", desk="World", embargo="2027-01-01T00:00Z")
    newsroom.out = newsroom.articles / "site"
    newsroom.publish(name)
    assert expand([str(newsroom.articles)], Path("templates")) == [name]


def test_what_was_asked_for_wins_over_the_articles_own(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", date="2026-10-01T08:00Z")
    outcome = only(
        newsroom.publish(
            name, desk="Metro", slug="ferry", published=datetime(2026, 9, 1, 8, tzinfo=UTC)
        )
    )
    assert (outcome.desk, outcome.slug) == ("Metro", "ferry")
    assert (newsroom.out / "public/metro/2026/09/01/ferry/index.html").is_file()


@pytest.mark.parametrize("where", ["desk", "slug"])
def test_an_article_cannot_leave_its_folder(newsroom: Newsroom, where: str) -> None:
    name = newsroom.article("a.md", "New ferry", **{where: "../../elsewhere"})
    outcome = only(newsroom.publish(name))
    assert outcome.action == "refused"
    assert where in outcome.notes[-1].message
    assert newsroom.files() == {}


def test_one_bad_article_stops_nothing_else(newsroom: Newsroom) -> None:
    good = newsroom.article("a.md", "New ferry", desk="World")
    bad = newsroom.write("b.md", "---\ntitle: [\n---\n\nText.\n")
    also_good = newsroom.article("c.md", "Old ferry", "It goes to a museum.\n", desk="World")
    outcomes = newsroom.publish(good, bad, also_good)
    assert [o.action for o in outcomes] == ["published", "refused", "published"]
    assert len(newsroom.feed()) == 2


def test_a_rehearsal_writes_nothing(newsroom: Newsroom, tmp_path: Path) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    assert only(newsroom.publish(name, dry_run=True)).action == "published"
    assert not newsroom.out.exists()
    newsroom.publish(name)
    before = newsroom.files()
    newsroom.article("a.md", "New ferry", BODY + "\nIt rained.\n", desk="World")
    assert only(newsroom.publish(name, dry_run=True)).action == "updated"
    assert newsroom.files() == before
    assert only(newsroom.publish(name)).version == 2


def test_strict_refuses_what_the_reader_was_not_sure_of(newsroom: Newsroom) -> None:
    text = (
        "A headline\nA standfirst that says more.\n\n"
        + BODY.replace("\n\n", "\n")
        + "Sources\n- Alpha BetaGammaDelta Epsilonhttps://example.org/1\n"
    )
    name = newsroom.write("a.txt", text)
    lenient = only(newsroom.publish(name, dry_run=True))
    assert any(note.level == "warning" for note in lenient.notes)
    strict = only(newsroom.publish(name, strict=True))
    assert strict.action == "refused"
    assert "--strict" in strict.notes[-1].message


def test_a_broken_template_is_named_and_nothing_is_written(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    own = tmp_path / "templates/web/article.html"
    own.parent.mkdir(parents=True)
    own.write_text("<h1>\n{{ article.headlin }}\n</h1>")
    outcome = only(newsroom.publish(newsroom.article("a.md", "New ferry", desk="World")))
    assert outcome.action == "refused"
    assert re.search(r"web/article\.html, line 2: .*headlin", outcome.notes[-1].message)
    assert newsroom.files() == {}


def test_a_changed_template_shows_at_once_and_makes_no_version(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    newsroom.publish(name)
    own = tmp_path / "templates/web/article.html"
    own.parent.mkdir(parents=True)
    own.write_text("<h1>{{ article.headline }}</h1>")
    outcome = only(newsroom.publish(name))
    assert outcome.action == "unchanged"
    page = newsroom.out / "public/world/2026/10/04/new-ferry/index.html"
    assert page.read_text() == "<h1>New ferry</h1>"


def test_deleted_files_come_back(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    newsroom.publish(name)
    before = newsroom.files()
    for path in before:
        (newsroom.out / path).unlink()
    newsroom.publish(name)
    assert newsroom.files() == before


# Embargo -----------------------------------------------------------------------------------------


def test_an_embargoed_article_is_not_public_before_its_time(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", embargo="2026-10-04T12:00Z")
    outcome = only(newsroom.publish(name))
    assert outcome.files["web"] is None
    assert any(note.where == "embargo" for note in outcome.notes)
    public = {path: data for path, data in newsroom.files().items() if path.startswith("public/")}
    assert public
    assert not any(b"erry" in data for data in public.values())
    copy = Path(str(outcome.files["wire"])).read_text(encoding="utf-8")
    assert "EMBARGO" in copy

    newsroom.now = datetime(2026, 10, 4, 12, 0, tzinfo=UTC)
    released = only(newsroom.publish(name))
    assert (released.action, released.version) == ("published", 1)
    assert Path(str(released.files["web"])).is_file()
    assert [item["title"] for item in newsroom.feed()] == ["New ferry"]


def test_an_embargo_on_a_public_article_keeps_it_as_it_was(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World")
    newsroom.publish(name)
    public = {p: d for p, d in newsroom.files().items() if p.startswith("public/")}
    newsroom.article(
        "a.md", "New ferry", BODY + "\nA secret.\n", desk="World", embargo="2026-10-09T12:00Z"
    )
    newsroom.publish(name)
    assert {p: d for p, d in newsroom.files().items() if p.startswith("public/")} == public
    newsroom.now = datetime(2026, 10, 10, tzinfo=UTC)
    released = only(newsroom.publish(name))
    assert (released.action, released.version) == ("published", 2)
    assert "A secret." in newsroom.feed()[0]["content_html"]


def test_an_embargo_that_is_lifted_leaves_no_date_in_the_future(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", embargo="2026-12-24T09:00Z")
    newsroom.publish(name)
    newsroom.article("a.md", "New ferry", desk="World")
    newsroom.now += timedelta(hours=1)
    newsroom.publish(name)
    (item,) = newsroom.feed()
    assert item["date_published"].startswith("2026-10-04T10:30:00")


def test_a_date_that_is_still_to_come_is_noticed(newsroom: Newsroom) -> None:
    name = newsroom.article("a.md", "New ferry", desk="World", date="2027-01-01T00:00Z")
    (note,) = [n for n in only(newsroom.publish(name)).notes if n.where == "published"]
    assert note.level == "warning"
    assert "embargo" in note.message


# Feeds and their archives ------------------------------------------------------------------------


def many(
    newsroom: Newsroom, numbers: range, name: Callable[[int], str] = "{:03}".format
) -> list[str]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        newsroom.article(
            f"{name(n)}.md",
            f"Story {n:03}",
            f"Only this story says {n} and nothing else at all.\n",
            desk="World",
            date=(start + timedelta(hours=n)).isoformat(),
        )
        for n in numbers
    ]


def archives(newsroom: Newsroom) -> list[list[str]]:
    folder = newsroom.out / "public/world/archive"
    count = len(list(folder.glob("*.json")))
    return [
        [item["title"] for item in json.loads((folder / f"{n}.json").read_bytes())["items"]]
        for n in range(1, count + 1)
    ]


def test_the_feed_has_the_newest_fifty_newest_first(newsroom: Newsroom) -> None:
    newsroom.publish(*many(newsroom, range(60)))
    assert [item["title"] for item in newsroom.feed()] == [
        f"Story {n:03}" for n in range(59, 9, -1)
    ]


def test_every_article_stands_in_the_feed_or_an_archive(newsroom: Newsroom) -> None:
    newsroom.publish(*many(newsroom, range(120)))
    archived = archives(newsroom)
    assert [len(titles) for titles in archived] == [50, 50]
    titles = {item["title"] for item in newsroom.feed()}.union(*archived)
    assert titles == {f"Story {n:03}" for n in range(120)}


def test_an_archives_set_never_changes(newsroom: Newsroom) -> None:
    names = many(newsroom, range(70))
    newsroom.publish(*names[10:60])
    seen: list[list[str]] = []
    for late in [*names[60:], *names[:10]]:  # in order first, then stories with old dates
        newsroom.publish(late)
        now = archives(newsroom)
        assert now[: len(seen)] == seen
        seen = now
    everything = {item["title"] for item in newsroom.feed()}.union(*seen)
    assert everything == {f"Story {n:03}" for n in range(70)}


def test_every_article_can_be_reached_from_the_index(newsroom: Newsroom) -> None:
    newsroom.publish(*many(newsroom, range(130)))
    site = "https://news.example.org/"
    page, seen = f"{site}world/", set()
    while page:
        path = newsroom.out / "public" / page.removeprefix(site)
        text = (path / "index.html" if path.is_dir() else path).read_text(encoding="utf-8")
        seen |= set(re.findall(r"Story \d{3}", text))
        older = re.search(r'<link rel="next" href="([^"]+)"', text)
        page = older[1] if older else ""
    assert seen == {f"Story {n:03}" for n in range(130)}


def test_a_correction_reaches_an_archived_article(newsroom: Newsroom) -> None:
    names = many(newsroom, range(60))
    newsroom.publish(*names)
    newsroom.article(
        "000.md", "Story 000", "Corrected: only this story says 0 and nothing else at all.\n",
        desk="World", date="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    assert only(newsroom.publish(names[0])).action == "updated"
    (archive,) = [p.read_text() for p in (newsroom.out / "public/world/archive").glob("*.atom")]
    assert "Corrected: only this story" in archive


def test_feeds_do_not_change_when_nothing_changed(newsroom: Newsroom) -> None:
    names = many(newsroom, range(60))
    newsroom.publish(*names)
    before = newsroom.files()
    newsroom.now += timedelta(days=30)
    newsroom.publish(*reversed(names))
    assert newsroom.files() == before
