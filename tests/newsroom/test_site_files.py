"""The files of a site that belong to no single article, at the newsroom's door."""

from __future__ import annotations

import random
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from lxml import etree, html
from sqlalchemy import select
from tests.newsroom.access_room import SECRET, SITE_URL, Room
from tests.newsroom.desk_room import NOW, Newsroom

from dispatch.errors import DeliveryError
from dispatch.newsroom import day_pages, edition_pages, mailings, publish, rebuild, site_files
from dispatch.newsroom.send import Plan
from dispatch.store import ledger
from dispatch.store.tables import blobs, edition_files, editions, epoch
from dispatch.syndication import release as releases
from dispatch.syndication import sitemaps

LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
TITLE = "{http://www.google.com/schemas/sitemap-news/0.9}title"
SERVED = re.compile(r"/[^/]+/(subscribe|unsubscribe|preferences|view|confirm)\b")
"""What is no file: `dispatch serve` answers it."""


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    made = Newsroom(tmp_path)
    made.settings = replace(made.settings, site_url=SITE_URL, desk="World")
    return made


def put(room: Newsroom, *names: str) -> list[publish.Outcome]:
    outcomes: list[publish.Outcome] = []
    watch = publish.Watch(outcomes.append)
    publish.publish(names, publish.Options(room.out), room.settings, room.now, watch)
    assert [outcome.notes for outcome in outcomes if outcome.action == "refused"] == []
    return outcomes


def article(room: Newsroom, n: int, day: str = "2026-11-20", **fields: str) -> str:
    """A file with an article that no other resembles."""
    words = " ".join(f"w{n}x{k}" for k in range(30))
    path = Path(room.article(f"{n}.md", f"Ferry {n}", date=f"{day}T09:{n % 60:02}Z", **fields))
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{words}\n", encoding="utf-8")
    return str(path)


def page(room: Newsroom, path: str) -> html.HtmlElement:
    return html.fromstring((room.out / "public" / path).read_bytes().decode())


def headlines(room: Newsroom, path: str) -> list[str]:
    return [h.text_content() for h in page(room, path).xpath("//article//h2 | //article//h3")]


def located(room: Newsroom, path: str) -> list[str]:
    root = etree.parse(room.out / "public" / path)
    return [element.text for element in root.iter(LOC)]


def files(room: Newsroom) -> dict[str, bytes]:
    found = sorted((room.out / "public").rglob("*"))
    return {
        path.relative_to(room.out / "public").as_posix(): path.read_bytes()
        for path in found
        if path.is_file()
    }


# By date -----------------------------------------------------------------------------------------


def test_a_day_lists_its_articles_newest_first(room: Newsroom) -> None:
    put(room, article(room, 2), article(room, 1), article(room, 3), article(room, 4, "2026-11-21"))
    assert headlines(room, "world/2026/11/20/index.html") == ["Ferry 3", "Ferry 2", "Ferry 1"]
    assert headlines(room, "world/2026/11/21/index.html") == ["Ferry 4"]
    root = page(room, "world/2026/11/20/index.html")
    assert root.xpath("//h1")[0].text == "Friday, 20 November 2026"
    assert root.xpath("//link[@rel='canonical']/@href") == [f"{SITE_URL}/world/2026/11/20/"]
    assert len(root.xpath("//link[@rel='alternate']")) == 3
    trail = [(a.text, a.get("href")) for a in root.xpath("//nav[@class='trail']//a")]
    assert trail == [
        ("World", f"{SITE_URL}/world/"),
        ("Archive", f"{SITE_URL}/world/archive/"),
        ("2026", f"{SITE_URL}/world/2026/"),
        ("November 2026", f"{SITE_URL}/world/2026/11/"),
    ]


def test_days_lead_to_their_neighbours_also_when_one_comes_between(room: Newsroom) -> None:
    def beside(path: str) -> list[str]:
        links = page(room, f"world/{path}/index.html").xpath("//nav[@class='pages']/a/@href")
        return [link.removeprefix(f"{SITE_URL}/world/") for link in links]

    put(room, article(room, 1, "2026-11-20"), article(room, 2, "2025-02-03"))
    assert (beside("2026/11/20"), beside("2025/02/03")) == (["2025/02/03/"], ["2026/11/20/"])
    assert (beside("2026/11"), beside("2025/02")) == (["2025/02/"], ["2026/11/"])
    put(room, article(room, 3, "2026-10-01"))
    assert (beside("2026/11/20"), beside("2025/02/03")) == (["2026/10/01/"], ["2026/10/01/"])
    assert beside("2026/10/01") == ["2025/02/03/", "2026/11/20/"]
    assert (beside("2026/11"), beside("2025/02")) == (["2026/10/"], ["2026/10/"])
    assert (beside("2026"), beside("2025")) == (["2025/"], ["2026/"])


def test_the_archive_counts(room: Newsroom) -> None:
    put(room, article(room, 1), article(room, 2), article(room, 3, "2025-02-03"))
    lines = page(room, "world/archive/index.html").xpath("//ul[@class='lines']/li")
    counted = [" ".join(line.text_content().split()) for line in lines]
    assert counted == ["November 2026 2 articles", "February 2025 1 article"]


def test_a_long_day_has_parts_and_one_more_article_touches_the_last_alone(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_pages, "PART", 3)
    monkeypatch.setattr(sitemaps, "URLS", 4)
    put(room, *(article(room, n) for n in range(1, 12)))
    day = "world/2026/11/20"
    assert headlines(room, f"{day}/page-1.html") == ["Ferry 3", "Ferry 2", "Ferry 1"]
    assert headlines(room, f"{day}/page-2.html") == ["Ferry 6", "Ferry 5", "Ferry 4"]
    assert headlines(room, f"{day}/index.html") == [f"Ferry {n}" for n in range(11, 6, -1)]
    before = files(room)
    put(room, article(room, 12))
    after = files(room)
    changed = {path for path in after if after[path] != before.get(path)}
    assert headlines(room, f"{day}/page-3.html") == ["Ferry 9", "Ferry 8", "Ferry 7"]
    # The second part has a newer one now; of the sitemaps, the third has another article.
    assert {path for path in changed if path.startswith(f"{day}/")} == {
        f"{day}/ferry-12/index.html",
        f"{day}/index.html",
        f"{day}/page-2.html",
        f"{day}/page-3.html",
    }
    assert {path for path in changed if "sitemap-2026" in path} == {"world/sitemap-2026-11-3.xml"}
    assert [
        len(located(room, f"world/sitemap-2026-11{part}.xml")) for part in ("", "-2", "-3")
    ] == [
        4,
        4,
        4,
    ]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_piece_by_piece_is_what_is_written_at_once(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """However articles come in: new, changed, again, embargoed first, on days in any order."""
    monkeypatch.setattr(day_pages, "PART", 2)
    monkeypatch.setattr(day_pages, "_FEW", 2)
    monkeypatch.setattr(sitemaps, "URLS", 3)
    chance = random.Random(seed)
    written: list[str] = []
    for n in range(8):
        names = []
        for k in range(chance.randint(1, 4)):
            day = chance.choice(
                ("2026-11-20", "2026-11-20", "2026-11-21", "2026-10-31", "2025-01-01")
            )
            ahead = chance.random() < 0.2
            later = {"embargo": (room.now + timedelta(hours=30)).isoformat()} if ahead else {}
            names.append(article(room, 10 * n + k, day, **later))
        for name in chance.sample(written, min(len(written), chance.randint(0, 3))):
            with Path(name).open("a", encoding="utf-8") as file:
                file.write(f"\nMore in round {n}.\n")
            names.append(name)
        room.now += timedelta(hours=12)
        chance.shuffle(names)
        put(room, *names)
        written += [name for name in names if name not in written]
    piecemeal = files(room)
    watch = rebuild.Watch(lambda _done: None)
    rebuild.rebuild(None, room.out, room.settings, room.now, watch)
    at_once = files(room)
    assert sorted(piecemeal) == sorted(at_once)
    assert [path for path in at_once if at_once[path] != piecemeal[path]] == []
    assert not dead_ends(room)
    assert missed(room) == set()


def addresses(room: Newsroom, path: str) -> Iterator[str]:
    """Paths below the site that a page leads to."""
    base = f"{SITE_URL}/{path}"
    for href in page(room, path).xpath("//a/@href | //link/@href"):
        parts = urlsplit(urljoin(base, href))
        if f"{parts.scheme}://{parts.netloc}" == SITE_URL and not SERVED.match(parts.path):
            found = unquote(parts.path).lstrip("/")
            yield f"{found}index.html" if not found or found.endswith("/") else found


def dead_ends(room: Newsroom) -> list[tuple[str, str]]:
    there = files(room)
    pages = [path for path in there if path.endswith(".html")]
    return [(p, target) for p in pages for target in addresses(room, p) if target not in there]


def missed(room: Newsroom) -> set[str]:
    """The pages that nobody comes to from the front page."""
    seen, waiting = {"index.html"}, ["index.html"]
    while waiting:
        for target in addresses(room, waiting.pop()):
            if target not in seen and target.endswith(".html"):
                seen.add(target)
                waiting.append(target)
    return {path for path in files(room) if path.endswith(".html")} - seen


def test_what_is_embargoed_is_nowhere(room: Newsroom) -> None:
    put(room, article(room, 1), article(room, 2, "2026-11-21", embargo="2026-12-24T00:00Z"))
    assert not any(b"Ferry 2" in data or b"ferry-2" in data for data in files(room).values())
    assert not any(path.startswith("world/2026/11/21") for path in files(room))


def test_a_changed_version_that_is_held_back_is_not_told_of(room: Newsroom) -> None:
    name = article(room, 1)
    put(room, name)
    before = files(room)
    Path(name).write_text(
        Path(name)
        .read_text("utf-8")
        .replace("---\n\n", "embargo: 2026-12-24T00:00Z\n---\n\nNew. "),
        encoding="utf-8",
    )
    room.now += timedelta(hours=1)
    (outcome,) = put(room, name)
    assert outcome.version == 2
    assert files(room) == before


# Who may read ------------------------------------------------------------------------------------


def test_of_a_private_desk_there_is_not_even_its_name(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access__ciphers": "private"})
    room.publish("Harbour reopens")
    room.publish("Lighthouse lit", desk="Ciphers")
    told = room.public_text() + "\n".join(room.files("public"))
    assert "ciphers" not in told.lower()
    assert "Lighthouse" not in told


def test_of_a_members_desk_everybody_sees_headlines_and_standfirsts(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access": "members"})
    room.publish("Harbour reopens")
    told = room.public_text()
    assert SECRET not in told
    for path in ("public/index.html", "public/world/2026/10/08/index.html"):
        assert b"Boats sail again after the storm." in room.files("public")[path]
    assert not any("editions" in path for path in room.files("public"))
    assert "/editions/" not in told


def test_an_article_without_a_standfirst_shows_no_word_of_its_text(tmp_path: Path) -> None:
    room = Room(tmp_path, {"access": "members"})
    room.publish("Harbour reopens", standfirst="")
    assert "reopened on Friday" not in room.public_text()


# The front page, and what machines read ----------------------------------------------------------


def test_the_front_page_has_each_desk_with_its_newest(room: Newsroom) -> None:
    put(room, *(article(room, n) for n in range(1, 9)))
    put(room, article(room, 20, desk="Métro"))
    assert headlines(room, "index.html") == ["Ferry 20", *(f"Ferry {n}" for n in range(8, 3, -1))]
    root = page(room, "index.html")
    assert [h.text_content() for h in root.xpath("//section/h2")] == ["Métro", "World"]
    assert f"{SITE_URL}/metro/subscribe" in root.xpath("//section//a/@href")
    assert root.xpath("//link[@type='text/x-opml']/@href") == [f"{SITE_URL}/feeds.opml"]
    opml = etree.parse(room.out / "public/feeds.opml")
    assert [outline.get("xmlUrl") for outline in opml.iter("outline")] == [
        f"{SITE_URL}/metro/feed.rss",
        f"{SITE_URL}/world/feed.rss",
    ]


def test_every_article_is_in_a_sitemap_that_the_index_and_robots_lead_to(room: Newsroom) -> None:
    put(room, article(room, 1), article(room, 2, "2025-01-01"), article(room, 3, desk="Métro"))
    robots = (room.out / "public/robots.txt").read_text("ascii")
    assert f"Sitemap: {SITE_URL}/sitemap.xml\n" in robots
    assert f"Sitemap: {SITE_URL}/news-sitemap.xml\n" in robots
    assert "Disallow: /world/unsubscribe/\n" in robots
    listed = [
        address
        for sitemap in located(room, "sitemap.xml")
        for address in located(room, sitemap.removeprefix(f"{SITE_URL}/"))
    ]
    assert sorted(listed) == sorted(
        f"{SITE_URL}/{path}"
        for path in (
            "",
            "metro/",
            "world/",
            "world/2026/11/20/ferry-1/",
            "world/2025/01/01/ferry-2/",
            "metro/2026/11/20/ferry-3/",
        )
    )


def test_a_site_below_a_path_keeps_robots_out_of_that_path(room: Newsroom) -> None:
    room.settings = replace(room.settings, site_url="https://example.org/news")
    put(room, article(room, 1))
    robots = (room.out / "public/robots.txt").read_text("ascii")
    assert "Disallow: /news/world/view/\n" in robots


def test_the_news_sitemap_holds_two_days_and_forgets(room: Newsroom) -> None:
    def titles() -> list[str]:
        root = etree.parse(room.out / "public/news-sitemap.xml")
        return [element.text or "" for element in root.iter(TITLE)]

    put(room, article(room, 5, "2026-11-23"), article(room, 2, "2026-11-22"))
    put(room, article(room, 3, "2026-11-21"), article(room, 0, "2026-11-25"))
    assert titles() == ["Ferry 5", "Ferry 2"]  # one is too old, one is dated ahead
    site_files.catch_up(room.out, room.settings, datetime(2026, 11, 25, 9, 2, tzinfo=UTC))
    assert titles() == ["Ferry 0", "Ferry 5"]
    site_files.catch_up(room.out, room.settings, NOW + timedelta(days=9))
    assert titles() == []


def test_the_news_sitemap_has_the_newest_where_there_are_too_many(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps, "NEWS", 2)
    put(room, article(room, 1, "2026-11-23"), article(room, 2, "2026-11-23"))
    put(room, article(room, 3, "2026-11-23", desk="Métro"))
    root = etree.parse(room.out / "public/news-sitemap.xml")
    assert [element.text for element in root.iter(TITLE)] == ["Ferry 3", "Ferry 2"]


# Editions ----------------------------------------------------------------------------------------


def mailing(room: Newsroom, n: int = 1, **options: object) -> Plan:
    return room.make(article(room, n, "2026-11-23"), **options)


def catch_up(room: Newsroom) -> None:
    site_files.catch_up(room.out, room.settings, room.now)


def shown(room: Newsroom, desk: str = "world") -> list[str]:
    links = page(room, f"{desk}/editions/index.html").xpath("//ul[@class='lines']//a/@href")
    return [link.removeprefix(f"{SITE_URL}/{desk}/editions/") for link in links]


def begin(room: Newsroom, number: int) -> None:
    """The time of a scheduled mailing has come."""
    with mailings.transaction(room.out) as connection:
        ledger.begin(connection, number, epoch(room.now))


def edition(room: Newsroom, number: int = 1) -> str:
    return (room.out / f"public/world/editions/{number}/index.html").read_text("utf-8")


def test_an_edition_is_shown_once_its_mailing_has_begun(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    scheduled = mailing(room, 1, at="2026-11-24T09:00Z").mailing
    catch_up(room)
    assert (shown(room), (room.out / "public/world/editions/1").exists()) == ([], False)
    sending = mailing(room, 2).mailing
    catch_up(room)
    assert shown(room) == [f"{sending}/"]
    begin(room, scheduled)
    catch_up(room)
    assert shown(room) == [f"{sending}/", f"{scheduled}/"]  # it began at the same moment


def test_what_was_cancelled_before_it_began_is_never_shown(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1, at="2026-11-24T09:00Z")
    mailings.cancel(room.out, 1, room.now)
    mailing(room, 2)
    mailings.cancel(room.out, 2, room.now)
    catch_up(room)
    assert shown(room) == ["2/"]  # some may have it


@pytest.mark.parametrize("kind", ["confirm", "welcome", "already"])
def test_a_letter_to_one_person_is_not_shown(room: Newsroom, kind: str) -> None:
    room.subscribe("ann@example.org")
    number = mailing(room).mailing
    with mailings.transaction(room.out) as connection:
        connection.execute(editions.update().values(kind=kind))
    catch_up(room)
    assert shown(room) == []
    assert not (room.out / f"public/world/editions/{number}").exists()


def test_digests_that_are_alike_are_shown_once_a_day(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    for n in (1, 2, 3):
        room.make(article(room, n, "2026-11-23"), subject="World: Ferry")
        room.now += timedelta(hours=12)
    with mailings.transaction(room.out) as connection:
        connection.execute(editions.update().values(kind="digest"))
    catch_up(room)
    assert shown(room) == ["3/", "1/"]  # the second began on the day of the first
    room.make(article(room, 9), subject="World: Ferry")
    catch_up(room)
    assert shown(room) == ["4/", "3/", "1/"]


def test_publishing_and_rebuilding_show_editions_too(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    put(room, article(room, 2))
    assert shown(room) == ["1/"]
    before = files(room)
    (room.out / "public/world/editions/1/index.html").write_text("damaged")
    rebuild.rebuild(None, room.out, room.settings, room.now, rebuild.Watch(lambda _done: None))
    assert files(room) == before


def test_an_edition_is_as_it_was_mailed_whatever_becomes_of_the_article(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    catch_up(room)
    before = edition(room)
    path = Path(room.out / "1.md")
    path.write_text(path.read_text("utf-8").replace("nineteen", "twenty"), encoding="utf-8")
    put(room, str(path))
    catch_up(room)
    assert edition(room) == before
    assert "nineteen minutes" in before


def test_a_list_of_many_editions_has_parts(room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition_pages, "PART", 2)
    room.subscribe("ann@example.org")
    for n in range(1, 8):
        mailing(room, n)
        room.now += timedelta(hours=1)
        catch_up(room)
    assert shown(room) == ["7/", "6/", "5/"]
    parts = {
        part: page(room, f"world/editions/page-{part}.html").xpath("//nav[@class='pages']/a/@href")
        for part in (1, 2)
    }
    url = f"{SITE_URL}/world/editions/"
    assert parts == {1: [f"{url}page-2.html"], 2: [url, f"{url}page-1.html"]}
    assert dead_ends(room) == []
    assert missed(room) == set()


FOOTER = """\
<table role="presentation"><tr><td title="{{ recipient and recipient.email }}">
{% if recipient %}
<p>{{ recipient.say(_("Hello %(name)s,"), _("Hello reader,")) }}
<img src="https://img.example.org/a.png" alt="for {{ recipient.name }}"></p>
{% endif %}
<p>You may <a href="{{ unsubscribe_url }}" target="_blank">leave us</a> at any time.</p>
<p><a href="{{ browser_url }}">View</a> &middot; <a href="{{ preferences_url }}">Set</a></p>
<span>{{ unsubscribe_url }}</span>
</td></tr><tr><td><a href="{{ unsubscribe_url }}">Leave</a></td></tr></table>
"""


@pytest.mark.parametrize("own", [False, True], ids=["templates that ship", "a desk's own"])
def test_nothing_on_it_is_anybodys(room: Newsroom, own: bool) -> None:
    if own:
        (room.out / "templates/email").mkdir(parents=True)
        (room.out / "templates/email/footer.html").write_text(FOOTER, encoding="utf-8")
    people = {f"reader{n}@example.net": f"Zebediah{n} Q." for n in range(5)}
    for n, (email, name) in enumerate(people.items()):
        room.subscribe(email, name=name, language=("de", "ar", "en", None, "fr")[n])
    mailing(room)
    catch_up(room)
    html_ = edition(room)
    for email, name in people.items():
        token = re.search(
            rb"/unsubscribe/([0-9a-f]+-[0-9a-f]+)",
            mailings.replay(room.out, 1, email, room.settings, room.now).data.replace(
                b"=\r\n", b""
            ),
        )
        assert token is not None
        assert email not in html_
        assert name.split()[0] not in html_
        assert token[1].decode() not in html_
    assert not re.search(r"[0-9a-f]{1,12}-[0-9a-f]{24}", html_)
    assert "Hello reader," in html_
    links = page(room, "world/editions/1/index.html").xpath("//a/@href")
    assert [link for link in links if SERVED.match(urlsplit(link).path)] == [
        f"{SITE_URL}/world/subscribe"
    ]
    if own:
        assert re.search(r"You may <span[^>]*>leave us</span> at any time\.", html_)
        assert "View" not in html_  # a line of nothing but personal links goes as a whole


def test_its_policy_allows_its_style_and_no_other(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room)
    catch_up(room)
    root = page(room, "world/editions/1/index.html")
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = root.xpath("//style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; img-src https: http:;")
    assert "unsafe" not in policy
    assert root.xpath("//@style | //script | //form | //iframe | //link[@rel='stylesheet']") == []


def test_search_engines_are_led_to_the_article_where_there_is_one(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    room.make(article(room, 2), article(room, 3))
    catch_up(room)
    canonical = "//link[@rel='canonical']/@href"
    assert page(room, "world/editions/1/index.html").xpath(canonical) == [
        f"{SITE_URL}/world/2026/11/23/ferry-1/"
    ]
    assert page(room, "world/editions/2/index.html").xpath(canonical) == [
        f"{SITE_URL}/world/editions/2/"
    ]


def test_editions_go_when_a_desk_is_no_longer_everybodys(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    catch_up(room)
    room.settings = replace(room.settings, values={"DISPATCH_ACCESS__WORLD": "members"})
    catch_up(room)
    assert not (room.out / "public/world/editions").exists()


def test_an_edition_that_is_damaged_keeps_no_other_out(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    with mailings.transaction(room.out) as connection:
        composed = select(edition_files.c.sha256).where(edition_files.c.name.startswith("body/"))
        connection.execute(blobs.update().where(blobs.c.sha256.in_(composed)).values(data=b"{}"))
    mailing(room, 2)
    with pytest.raises(DeliveryError, match=r"Edition 1 is not in the archive: .* backup"):
        catch_up(room)
    assert (room.out / "public/world/editions/2/index.html").exists()
    assert not (room.out / "public/world/editions/1").exists()


# The round of dispatch run -----------------------------------------------------------------------


def test_where_nothing_is_due_nothing_is_written(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    catch_up(room)
    written = {path: path.stat().st_mtime_ns for path in room.out.rglob("*") if path.is_file()}
    catch_up(room)
    assert {p: p.stat().st_mtime_ns for p in room.out.rglob("*") if p.is_file()} == written


def test_in_a_folder_where_nothing_was_published_nothing_is_made(room: Newsroom) -> None:
    site_files.bring_up_to_date(room.out, room.settings, pytest.fail, lambda: False)
    assert list(room.out.iterdir()) == []
    room.subscribe("ann@example.org")
    catch_up(room)
    assert not (room.out / "public").exists()


def test_while_another_process_publishes_it_does_not_wait(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    with releases.exclusively(room.out):
        catch_up(room)
        assert shown(room) == []
    catch_up(room)
    assert shown(room) == ["1/"]


def test_what_a_crash_left_is_mended_first(room: Newsroom) -> None:
    room.subscribe("ann@example.org")
    mailing(room, 1)
    left = releases.Release(room.out)
    left.write("public/world/feed.rss", b"never decided")
    left.seal()
    catch_up(room)
    assert not releases.unplaced(room.out)
    assert (room.out / "public/world/feed.rss").read_bytes() != b"never decided"
