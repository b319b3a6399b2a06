"""The web page of an article, and the index page of a desk."""

from __future__ import annotations

import json
import re
import warnings
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from lxml.html import HtmlElement
from tests.golden_files import check_golden

from dispatch.article import (
    Article,
    Author,
    Code,
    Crosshead,
    Embed,
    Image,
    List,
    Paragraph,
    Quotation,
    Source,
)
from dispatch.desk import Desk, Mailbox
from dispatch.errors import SettingsError, TemplateError
from dispatch.markup import blocks, escape
from dispatch.renditions import web
from dispatch.renditions.colour import TEXT_CONTRAST, contrast
from dispatch.renditions.templates import Templates
from dispatch.renditions.web import IndexEntry

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import html5lib

TEMPLATES = Templates()
DESK = Desk(
    name="World",
    slug="world",
    publisher="The Example Courier",
    site_url="https://news.example.org",
    sender=Mailbox("World desk", "world@example.org"),
    contact="world@example.org",
    postal_address="1 Example Street, Exampletown",
    usage_terms="For use by contracted partners.",
    rights="© {year} {publisher}",
    timezone=ZoneInfo("Europe/Prague"),
)
EVERY_KIND = """
<figure><img src="https://img.example.org/1.jpg" alt="Ships at dusk">
<figcaption>Ships wait outside. Photo: Ana Example</figcaption></figure>
<p>The port of <a href="https://port.example.org/report?a=1&amp;b=2">Lhotka</a> said it would
<em>reopen</em>, see <a href="https://news.example.org/world/">our reports</a>.</p>
<h2>What comes next</h2>
<ul><li>one</li><li><p>two</p><ol start=9><li>nine</li></ol></li></ul>
<blockquote><p>We have waited for months.</p><footer>— Jana Nováková, harbour master</footer></blockquote>
<h5>Tonnes</h5>
<table><caption>Tonnes a day</caption><tr><th>Port</th><th align=right>Tonnes</th></tr>
<tr><th>Lhotka</th><td align=right>1,200</td></tr></table>
<img src="https://img.example.org/2.jpg" alt="">
<pre><code>if ready:
    sail()</code></pre>
<hr>
<iframe src="https://video.example.org/1" title="The ships come in"></iframe>
"""
HARBOUR = Article(
    headline="Harbour talks resume in Lhotka",
    body=blocks(EVERY_KIND),
    standfirst="Ten ships wait outside; the mayor wants answers.",
    slug="harbour-talks-resume",
    desk="World",
    language="en-GB",
    byline=(
        Author(
            "Ana Example",
            role="Harbour correspondent",
            bio="Writes on ports & ships.",
            email="ana@example.org",
            url="https://ana.example.org/",
        ),
        Author("Ben Sample"),
    ),
    dateline="LHOTKA, Oct 3 (Example)",
    published=datetime(2026, 10, 3, 22, 5, tzinfo=UTC),
    updated=datetime(2026, 10, 4, 8, 5, tzinfo=UTC),
    keywords=("harbour", "trade"),
    sources=(
        Source("The state of the ports", "Example Ports", "https://ports.example.org/state"),
        Source("A letter to the mayor"),
    ),
    editors_note="The mayor's office was asked for comment.",
    corrections=("Ten ships wait, not nine.",),
    id="tag:news.example.org,2026-10-03:world/harbour-talks-resume",
    path="2026/10/03/harbour-talks-resume",
    version=2,
)
URL = "https://news.example.org/world/2026/10/03/harbour-talks-resume/"
SOUQ = replace(
    HARBOUR,
    headline="سوق الماء يعود إلى المدينة القديمة",
    standfirst="يقول العمدة إن السوق سيفتح أبوابه يوم الأحد.",
    body=blocks("<p>قال العمدة إن السوق سيعود، «إن شاء الله».</p><h2>ما التالي؟</h2>"),
    language="ar",
    dateline=None,
    byline=(Author("سلمى مثال"),),
    sources=(Source("The market report", "Example Press", "https://press.example/market"),),
)
NOON = datetime(2026, 10, 4, 10, 0, tzinfo=UTC)


def page(article: Article, desk: Desk = DESK) -> str:
    return web.render(article, desk, TEMPLATES).html.decode()


def tree(html: str) -> HtmlElement:
    return lxml_html.document_fromstring(html)


def with_body(html: str, **facts: object) -> Article:
    return replace(HARBOUR, body=blocks(html), **facts)  # type: ignore[arg-type]


def words(html: str, path: str) -> list[str]:
    """The text of every element at ``path``."""
    return [" ".join(element.text_content().split()) for element in tree(html).xpath(path)]


def metas(html: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in tree(html).xpath("//meta[@content]"):
        name = meta.get("name") or meta.get("property") or meta.get("http-equiv")
        found.setdefault(name, []).append(meta.get("content"))
    return found


def facts(html: str) -> dict[str, object]:
    (script,) = tree(html).xpath("//script")
    assert script.get("type") == "application/ld+json"
    return dict(json.loads(script.text))


def entries(count: int) -> list[IndexEntry]:
    return [
        IndexEntry(
            headline=f"Headline {n}",
            standfirst=f"Standfirst {n}" if n % 2 else None,
            url=f"https://news.example.org/world/{n}/",
            byline=("Ana Example", "Ben Sample") if n % 3 else (),
            published=NOON - timedelta(days=n),
            image="https://img.example.org/1.jpg" if n % 4 == 0 else None,
        )
        for n in range(count)
    ]


def index(count: int = 0, **pages: str) -> str:
    return web.render_index(DESK, entries(count), TEMPLATES, **pages).html.decode()


def well_formed(html: str) -> None:
    """By the strictest parser there is, and by what it does not look at."""
    html5lib.HTMLParser(strict=True).parse(html)
    root = tree(html)
    ids = root.xpath("//@id")
    assert sorted(ids) == sorted(set(ids))
    assert len(root.xpath("//h1")) == 1
    assert len(root.xpath("//main")) == 1
    levels = [int(e.tag[1]) for e in root.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert root.xpath("//img[not(@alt)]") == []


def harmless(html: str) -> None:
    """No element, attribute or address that could act."""
    root = tree(html)
    assert [script.get("type") for script in root.iter("script")] in ([], ["application/ld+json"])
    assert not list(
        root.iter("iframe", "object", "embed", "form", "base", "svg", "math", "template")
    )
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                assert value.startswith(("https://", "http://", "mailto:", "#")), value


# The whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "article"), [("harbour", HARBOUR), ("souq", SOUQ)])
def test_pages_that_a_person_has_read(name: str, article: Article) -> None:
    check_golden(f"web/{name}.html", web.render(article, DESK, TEMPLATES).html)


def test_an_index_that_a_person_has_read() -> None:
    check_golden("web/index.html", web.render_index(DESK, entries(5), TEMPLATES).html)


@pytest.mark.parametrize(
    "article", [HARBOUR, SOUQ, with_body("")], ids=["every kind", "rtl", "bare"]
)
def test_a_page_is_well_formed_and_harmless(article: Article) -> None:
    well_formed(page(article))
    harmless(page(article))


@pytest.mark.parametrize("count", [0, 1, 7, 50])
def test_an_index_is_well_formed_and_harmless(count: int) -> None:
    html = index(count, older="https://news.example.org/world/2.html")
    well_formed(html)
    harmless(html)


def test_the_same_article_gives_the_same_bytes() -> None:
    assert web.render(HARBOUR, DESK, Templates()) == web.render(HARBOUR, DESK, TEMPLATES)


def test_an_article_that_was_not_placed_has_no_page() -> None:
    with pytest.raises(ValueError, match="not placed"):
        web.render(replace(HARBOUR, path=None), DESK, TEMPLATES)
    with pytest.raises(ValueError, match="not published"):
        web.render(replace(HARBOUR, published=None), DESK, TEMPLATES)


def test_one_file_of_the_newsrooms_own_is_enough(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/style.css").write_text("h1 { color: {{ accent }} }\n")
    html = web.render(HARBOUR, DESK, Templates(tmp_path)).html.decode()
    assert "<style>h1 { color: #8c1c13 }</style>" in html
    assert style_is_allowed(html)


def test_a_broken_template_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/index.html").write_text("\n{{ entrys }}\n")
    with pytest.raises(TemplateError, match=r"index\.html, line 2: 'entrys' is undefined"):
        web.render_index(DESK, [], Templates(tmp_path))


# What a browser is told --------------------------------------------------------------------------


def style_is_allowed(html: str) -> bool:
    (style,) = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    (policy,) = metas(html)["Content-Security-Policy"]
    return f"style-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("html", [page(HARBOUR), index(2)], ids=["article", "index"])
def test_a_page_may_load_pictures_and_nothing_else(html: str) -> None:
    (policy,) = metas(html)["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src https: http:; style-src 'sha256-")
    assert policy.endswith("; base-uri 'none'; form-action 'none'")
    assert style_is_allowed(html)
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert tree(html).xpath("//link[@rel='stylesheet' or @rel='preload' or @rel='icon']") == []
    assert "@import" not in html
    assert "url(" not in html


def test_the_document_names_its_language_and_direction() -> None:
    assert dict(tree(page(HARBOUR)).attrib) | {"prefix": ""} == {
        "lang": "en-GB", "dir": "ltr", "prefix": ""
    }  # fmt: skip
    assert tree(page(SOUQ)).get("dir") == "rtl"


def test_the_feeds_are_found() -> None:
    for html in (page(HARBOUR), index()):
        found = tree(html).xpath("//link[@rel='alternate']")
        assert [(link.get("type"), link.get("href"), link.get("title")) for link in found] == [
            ("application/rss+xml", DESK.feed_url("rss"), "The Example Courier – World (RSS)"),
            ("application/atom+xml", DESK.feed_url("atom"), "The Example Courier – World (Atom)"),
            (
                "application/feed+json",
                DESK.feed_url("json"),
                "The Example Courier – World (JSON Feed)",
            ),
        ]


def test_the_article_has_one_address() -> None:
    assert tree(page(HARBOUR)).xpath("//link[@rel='canonical']/@href") == [URL]


def test_what_social_networks_read() -> None:
    found = metas(page(HARBOUR))
    said = {
        "description": [HARBOUR.standfirst],
        "referrer": ["strict-origin-when-cross-origin"],
        "author": ["Ana Example", "Ben Sample"],
        "og:type": ["article"],
        "og:url": [URL],
        "og:title": [HARBOUR.headline],
        "og:description": [HARBOUR.standfirst],
        "og:site_name": ["The Example Courier"],
        "og:locale": ["en_GB"],
        "og:image": ["https://img.example.org/1.jpg"],
        "og:image:alt": ["Ships at dusk"],
        "article:published_time": ["2026-10-04T00:05:00+02:00"],
        "article:modified_time": ["2026-10-04T10:05:00+02:00"],
        "article:author": ["https://ana.example.org/"],
        "article:section": ["World"],
        "article:tag": ["harbour", "trade"],
        "twitter:card": ["summary_large_image"],
        "theme-color": ["#8c1c13", web.NIGHT],
    }
    assert {name: found.get(name) for name in said} == said


def test_an_article_without_picture_or_standfirst_is_described_all_the_same() -> None:
    found = metas(page(with_body(f"<p>{'many words ' * 40}</p>", standfirst=None, language="de")))
    assert "og:image" not in found
    assert "og:locale" not in found
    assert found["twitter:card"] == ["summary"]
    (description,) = found["description"]
    assert description.startswith("many words many words")
    assert description.endswith("words…")
    assert len(description) <= 200


def test_what_search_engines_read() -> None:
    assert facts(page(HARBOUR)) == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": HARBOUR.id,
        "mainEntityOfPage": {"@type": "WebPage", "@id": URL},
        "url": URL,
        "headline": HARBOUR.headline,
        "description": HARBOUR.standfirst,
        "inLanguage": "en-GB",
        "datePublished": "2026-10-04T00:05:00+02:00",
        "dateModified": "2026-10-04T10:05:00+02:00",
        "author": [
            {
                "@type": "Person",
                "name": "Ana Example",
                "jobTitle": "Harbour correspondent",
                "url": "https://ana.example.org/",
            },
            {"@type": "Person", "name": "Ben Sample"},
        ],
        "publisher": {
            "@type": "Organization",
            "name": "The Example Courier",
            "url": "https://news.example.org/",
        },
        "articleSection": "World",
        "keywords": ["harbour", "trade"],
        "image": ["https://img.example.org/1.jpg", "https://img.example.org/2.jpg"],
        "dateline": HARBOUR.dateline,
        "citation": [
            {
                "@type": "CreativeWork",
                "name": "The state of the ports",
                "publisher": {"@type": "Organization", "name": "Example Ports"},
                "url": "https://ports.example.org/state",
            },
            {"@type": "CreativeWork", "name": "A letter to the mayor"},
        ],
        "correction": ["Ten ships wait, not nine."],
        "isAccessibleForFree": True,
        "copyrightNotice": "© 2026 The Example Courier",
        "version": 2,
    }


def test_without_a_byline_the_publisher_is_the_author() -> None:
    author = facts(page(replace(HARBOUR, byline=())))["author"]
    assert author == [facts(page(HARBOUR))["publisher"]]


# What a reader sees ------------------------------------------------------------------------------


def test_the_opening() -> None:
    html = page(HARBOUR)
    assert words(html, "//article//h1") == [HARBOUR.headline]
    assert words(html, "//p[@class='standfirst']") == [HARBOUR.standfirst]
    assert words(html, "//address/p") == [
        "By Ana Example and Ben Sample",
        "Sunday, 4 October 2026, 00:05 CEST",
        "Updated Sunday, 4 October 2026, 10:05 CEST",
    ]
    assert tree(html).xpath("//address//time/@datetime") == [
        "2026-10-04T00:05:00+02:00",
        "2026-10-04T10:05:00+02:00",
    ]


def test_an_article_that_was_not_updated_does_not_say_so() -> None:
    assert len(words(page(replace(HARBOUR, updated=HARBOUR.published)), "//address/p")) == 2


def test_the_masthead_leads_to_the_front_page_and_the_desk() -> None:
    links = tree(page(HARBOUR)).xpath("//header[@class='masthead']//a")
    assert [(a.text, a.get("href")) for a in links] == [
        ("The Example Courier", "https://news.example.org/"),
        ("World", "https://news.example.org/world/"),
    ]


def test_the_masthead_of_the_index_leads_to_the_front_page() -> None:
    (masthead,) = tree(index()).xpath("//header[@class='masthead']")
    assert " ".join(masthead.itertext()).strip() == "The Example Courier"
    assert masthead.xpath(".//a/@href") == ["https://news.example.org/"]


def test_the_index_leads_to_sign_up_editions_and_archive() -> None:
    ways = "//nav[@class='ways']/a/@href"
    own = [f"{DESK.index_url}{page}" for page in ("subscribe", "editions/", "archive/")]
    assert tree(index(1)).xpath(ways) == own
    members = web.render_index(replace(DESK, access="members"), entries(1), TEMPLATES)
    assert tree(members.html.decode()).xpath(ways) == [own[0], own[2]]


def test_a_subscriber_s_own_index_leads_to_no_page_of_everybody_s_and_is_not_indexed() -> None:
    html = web.render_index(DESK.for_reader("1-abc"), entries(1), TEMPLATES).html.decode()
    assert tree(html).xpath("//nav") == []
    assert tree(html).xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert tree(html).xpath("//link[@rel='canonical']") == []


def test_the_dateline_opens_the_first_paragraph() -> None:
    assert words(page(HARBOUR), "//div[@class='text']/p")[0].startswith(
        "LHOTKA, Oct 3 (Example) — The port of Lhotka said"
    )


def test_a_dateline_that_no_paragraph_carries_stands_before_the_date() -> None:
    html = page(with_body("<ul><li>It began.</li></ul>"))
    assert words(html, "//address/p")[1].startswith("LHOTKA, Oct 3 (Example), Sunday")


def test_the_first_picture_leads_and_the_others_load_late() -> None:
    first, second = tree(page(HARBOUR)).xpath("//figure/img")
    assert first.getparent().get("class") == "lead"
    assert first.get("alt") == "Ships at dusk"
    assert (first.get("loading"), second.get("loading")) == (None, "lazy")
    assert second.get("alt") == ""
    assert words(page(HARBOUR), "//figcaption") == ["Ships wait outside. · Ana Example"]


def test_a_table_has_a_head_and_says_what_its_heads_are_for() -> None:
    root = tree(page(HARBOUR))
    assert root.xpath("//table/caption/text()") == ["Tonnes a day"]
    assert [(th.text, th.get("scope")) for th in root.xpath("//th")] == [
        ("Port", "col"), ("Tonnes", "col"), ("Lhotka", "row"),
    ]  # fmt: skip
    assert root.xpath("//tbody//td[@class='right']/text()") == ["1,200"]


def test_lists_quotations_code_and_embeds() -> None:
    html = page(HARBOUR)
    assert tree(html).xpath("//ol/@start") == ["9"]
    assert words(html, "//blockquote/footer") == ["— Jana Nováková, harbour master"]
    assert tree(html).xpath("//pre/code/text()") == ["if ready:\n    sail()"]
    (embed,) = tree(html).xpath("//p[@class='embed']/a")
    assert (embed.text, embed.get("href")) == (
        "See it on video.example.org",
        "https://video.example.org/1",
    )


def test_crossheads_leave_out_no_level_wherever_they_stand() -> None:
    deep = Quotation((Crosshead(escape("e"), 6), List(((Crosshead(escape("f"), 6),),))))
    body = (Crosshead(escape("a"), 4), Crosshead(escape("b"), 6), Crosshead(escape("c"), 2), deep)
    root = tree(page(replace(HARBOUR, body=body)))
    levels = [e.tag for e in root.xpath("//div[@class='text']")[0].iter("h2", "h3", "h4", "h5")]
    assert levels == ["h2", "h3", "h2", "h3", "h4"]
    well_formed(page(replace(HARBOUR, body=body)))


def test_what_closes_the_article() -> None:
    html = page(HARBOUR)
    assert words(html, "//footer[@class='closing']//h2") == [
        "Editor’s note", "Correction", "Sources", "About the author",
    ]  # fmt: skip
    assert words(html, "//ul[@class='sources']/li/bdi | //ul[@class='sources']/li/*/bdi") == [
        "Example Ports",
        "The state of the ports",
        "A letter to the mayor",
    ]
    (author,) = tree(html).xpath("//p[@class='author']")
    assert list(author.itertext()) == [
        "Ana Example", "Harbour correspondent", "Writes on ports & ships.",
    ]  # fmt: skip
    # What is copied out of the page has to fall apart again: a name from a role, a title from a
    # publisher. Layout alone does not reach the clipboard of every browser.
    assert len(author.xpath(".//br")) == 2
    assert len(tree(html).xpath("//ul[@class='sources']/li[1]/br")) == 1
    assert author.xpath(".//a/@href") == ["https://ana.example.org/"]
    assert "ana@example.org" not in html  # harvesters read the web
    assert "© 2026 The Example Courier" in words(html, "//footer[@class='foot']/p")


def test_what_is_not_known_leaves_no_trace() -> None:
    bare = with_body(
        "<p>Text.</p>", standfirst=None, byline=(), sources=(), editors_note=None, corrections=(),
        keywords=(), dateline=None, updated=None, id=None, version=None,
    )  # fmt: skip
    html = page(bare)
    assert words(html, "//footer[@class='closing']//h2") == []
    assert "None" not in html
    well_formed(html)


def test_links_to_other_sites_give_them_no_hold_on_the_page() -> None:
    root = tree(page(HARBOUR))
    text = root.xpath("//div[@class='text']//a")
    assert [(a.get("href"), a.get("rel")) for a in text] == [
        ("https://port.example.org/report?a=1&b=2", "noopener"),
        ("https://news.example.org/world/", None),
        ("https://video.example.org/1", "noopener"),
    ]
    assert root.xpath("//ul[@class='sources']//a/@rel") == ["noopener"]


def test_the_first_link_skips_to_the_text() -> None:
    root = tree(page(HARBOUR))
    assert root.xpath("(//a)[1]/@href") == ["#main"]
    assert root.xpath("//main/@id") == ["main"]


def test_labels_follow_the_language() -> None:
    html = page(replace(HARBOUR, language="de"))
    assert words(html, "//address/p")[0] == "Von Ana Example und Ben Sample"
    assert "Quellen" in words(html, "//footer//h2")


@pytest.mark.parametrize(
    "accent", ["#8c1c13", "#ffe680", "#000000", "#ffffff", "#3366ff", "#777777"]
)
def test_whatever_the_accent_it_can_be_read_in_both_schemes(accent: str) -> None:
    html = page(HARBOUR, replace(DESK, accent=accent))
    light, dark = re.findall(r"--accent: (#[0-9a-f]{6});", html)
    assert contrast(light, web.PAPER) >= TEXT_CONTRAST
    assert contrast(dark, web.NIGHT) >= TEXT_CONTRAST


def test_every_text_can_be_read_in_both_schemes() -> None:
    html = page(HARBOUR)
    colours = re.findall(r"--(ink|soft|paper|panel): (#[0-9a-f]{6})", html)
    light, dark = dict(colours[:4]), dict(colours[4:])
    for scheme in (light, dark):
        for ground in (scheme["paper"], scheme["panel"]):
            assert contrast(scheme["ink"], ground) >= 7
            assert contrast(scheme["soft"], ground) >= TEXT_CONTRAST


def test_a_desk_whose_accent_is_no_colour_is_told() -> None:
    with pytest.raises(SettingsError, match="#rrggbb"):
        page(HARBOUR, replace(DESK, accent="red"))


# The index ---------------------------------------------------------------------------------------


def test_the_index_lists_articles_in_the_order_given() -> None:
    html = index(7)
    assert words(html, "//h1") == ["World"]
    assert words(html, "//article/div/h2") == [f"Headline {n}" for n in range(7)]
    assert tree(html).xpath("//article//h2/a/@href")[1] == "https://news.example.org/world/1/"
    assert words(html, "//article//p[@class='summary']") == [
        "Standfirst 1",
        "Standfirst 3",
        "Standfirst 5",
    ]
    assert words(html, "//article//p[@class='meta']")[:2] == [
        "4 October 2026",
        "Ana Example and Ben Sample · 3 October 2026",
    ]
    assert tree(html).xpath("//article[1]//time/@datetime") == ["2026-10-04T12:00:00+02:00"]


def test_the_first_article_of_an_index_leads() -> None:
    classes = tree(index(3)).xpath("//article/@class")
    assert [name.split() for name in classes] == [["entry", "first"], ["entry"], ["entry"]]


def test_an_index_without_articles_says_so() -> None:
    assert words(index(), "//main//p") == ["No article has been published here yet."]


def test_an_index_leads_to_older_and_newer_articles() -> None:
    root = tree(index(1, older="https://news.example.org/o", newer="https://news.example.org/n"))
    assert root.xpath("//nav[@class='pages']/a/@href") == [
        "https://news.example.org/n",
        "https://news.example.org/o",
    ]
    assert root.xpath("//link[@rel='canonical']") == []
    assert tree(index(1)).xpath("//nav[@class='pages']") == []
    assert tree(index(1)).xpath("//link[@rel='canonical']/@href") == [DESK.index_url]


def test_an_entry_may_be_in_another_language() -> None:
    entry = replace(entries(1)[0], headline="سوق الماء", language="ar")
    root = tree(web.render_index(DESK, [entry], TEMPLATES).html.decode())
    assert root.xpath("//article/@lang") == ["ar"]
    assert root.xpath("//article//h2/@dir") == ["auto"]


# A real article ----------------------------------------------------------------------------------


def test_a_real_article_comes_out_whole(cairo: Path) -> None:
    headline, standfirst, *rest = filter(None, cairo.read_text("utf-8").splitlines())
    paragraphs = rest[: rest.index("Sources & References")]
    body = tuple(Paragraph(escape(line)) for line in paragraphs)
    html = page(
        replace(HARBOUR, headline=headline, standfirst=standfirst, body=body, dateline=None)
    )
    well_formed(html)
    assert words(html, "//h1 | //p[@class='standfirst']") == [headline, standfirst]
    assert words(html, "//div[@class='text']/p") == paragraphs


# What no text may do -----------------------------------------------------------------------------

HOSTILE = [
    "{{7*7}} {% x %}",
    "]]>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; &#x41;",
    "a\u2028b\u2029c",
    "a\x00b\x1bc\x9fd\ufffee",
]


def hostile(text: str) -> Article:
    """An article that says ``text`` in every field."""
    line = " ".join(text.splitlines())
    html = escape(text)
    return replace(
        HARBOUR,
        headline=f"Said: {line}",
        standfirst=line,
        slug=line,
        desk=line,
        dateline=line,
        rights=line,
        id=line,
        editors_note=text,
        corrections=(text,),
        keywords=(text,),
        byline=(Author(line, line, line, line, line, line),),
        sources=(Source(text, text, text),),
        body=(
            Image("https://img.example.org/" + line, text, html, text),
            Paragraph(html),
            Crosshead(html, 3),
            Quotation((Paragraph(html),), html),
            Code(text, text),
            Embed("https://video.example.org/" + line, text),
            *blocks(f"<table><caption>{html}</caption><tr><th>{html}<td>{html}</table>"),
            *blocks(f"<ul><li>{html}<p>{html}</ul>"),
        ),
    )


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_stays_text_in_every_field(text: str) -> None:
    html = page(hostile(text))
    well_formed(html)
    harmless(html)
    seen = " ".join(re.sub("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe]", "", text).split())
    assert words(html, "//h1") == [f"Said: {seen}"]
    assert " ".join(str(facts(html)["headline"]).split()) == f"Said: {seen}"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_stays_text_in_an_index(text: str) -> None:
    entry = IndexEntry(text, text, "https://news.example.org/", (text,), NOON, text, text)
    html = web.render_index(replace(DESK, name=text), [entry], TEMPLATES).html.decode()
    well_formed(html)
    harmless(html)


def test_lone_surrogates_do_not_stop_a_page() -> None:
    assert "<h1>ab</h1>" in page(replace(HARBOUR, headline="a\ud800b"))


def test_naughty_strings_stay_text(shared: Path) -> None:
    for text in json.loads((shared / "data" / "blns.json").read_text("utf-8")):
        html = page(hostile(text))
        well_formed(html)
        harmless(html)


texts = st.text(
    st.sampled_from("<>&\"'/!-=;:{}%]\\ \n\x00\u2028aA1é世\u202e") | st.characters(), max_size=40
)


@given(texts)
@settings(derandomize=True, max_examples=80, deadline=None)
def test_any_text_gives_a_well_formed_harmless_page(text: str) -> None:
    html = page(hostile(text))
    well_formed(html)
    harmless(html)
    assert facts(html)["@type"] == "NewsArticle"
