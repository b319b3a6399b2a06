"""The sample articles: what must be understood of each form that Dispatch reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatch import markup
from dispatch.article import Article, Image, List, Quotation, Table
from dispatch.newsroom.check import check_article
from dispatch.newsroom.sources import SUFFIXES
from dispatch.readers import read
from dispatch.settings import Settings

P, H, L, Q, T, R = "paragraph", "crosshead", "list", "quotation", "table", "rule"
PICTURE = "image"


@dataclass(frozen=True)
class Understood:
    reader: str
    headline: str
    standfirst: str
    """How it begins."""
    authors: tuple[tuple[str, str | None], ...]
    """Name and role."""
    desk: str | None
    language: str | None
    published: str | None
    dateline: str | None
    keywords: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    """Publisher, title and host."""
    body: tuple[str, ...]
    last: str
    """How the text ends."""


SAMPLES = {
    "harbour-ferry.txt": Understood(
        reader="pasted",
        headline="Skerrow Islands Lose Their Night Ferry as Inspectors Find Cracks in Its Second Engine",
        standfirst="The boat has brought bread, post and newspapers before breakfast since 1965.",
        authors=(("Marit Aldersund", "Coasts and Islands Correspondent"),),
        desk="World",
        language=None,
        published=None,
        dateline=None,
        keywords=(),
        sources=(
            ("Skerry Courier", "Night ferry withdrawn after cracks are found in second engine", "www.skerrycourier.example"),
            ("Hallin Maritime Authority", "Preliminary report on the fire aboard the ferry Halla", "www.hma.example"),
            ("Radio Vestrand", "7 questions that the ferry inspectors have yet to answer", "radiovestrand.example"),
            ("Northern Freight Review", "What a tonne costs when the boat does not sail", "northernfreightreview.example"),
        ),
        body=(P,) * 8,
        last="“From here, everybody can see the pier.”",
    ),
    "grain-corridor.md": Understood(
        reader="markdown",
        headline="The grain reaches the sea in five days. The price at the farm has hardly moved",
        standfirst="A year after Karvel and Sorvia sealed a railway line",
        authors=(("Teodor Vash", "Economics Correspondent"), ("Lene Karras", "Reporter, Melinos")),
        desk="World",
        language="en",
        published="2026-10-09T05:30:00+02:00",
        dateline="MELINOS, Sorvia",
        keywords=("grain", "railways", "trade", "farming"),
        sources=(
            ("Melinos Port Council", "Quarterly traffic report, July to September 2026", "portcouncil.example"),
            ("Karvel Growers’ Union", "Where fifteen crowns went", "growers.example"),
            ("Sorvian Railways", "Corridor timetable, winter 2026", "railways.example"),
        ),
        body=(P, P, P, H, P, T, P, P, H, Q, P, L, P, P, R, P, R, L),
        last="large shippers pay less.",
    ),
    "night-bus.md": Understood(
        reader="markdown",
        headline="Ferrant’s night buses will run until the bakers are at work",
        standfirst="Three lines gain an hour",
        authors=(("Joana Reid", None),),
        desk="World",
        language="en-GB",
        published="2026-11-17T18:15:00+00:00",
        dateline="FERRANT",
        keywords=("transport", "night work", "cities"),
        sources=(("Ferrant City Council", "Minutes of the transport committee, 16 November 2026", "ferrant.example"),),
        body=(P,) * 5,
        last="She now starts at half past three.",
    ),
    "harbour-trains.html": Understood(
        reader="webpage",
        headline="Averne sends its containers inland by night, and the lorries stay home",
        standfirst="Since Sunday the port loads nine trains between dusk and dawn.",
        authors=(("Imogen Castellane", "Transport Correspondent"), ("Rui Valadar", "Reporter")),
        desk="World",
        language="en-GB",
        published="2026-11-03T05:45:00+00:00",
        dateline=None,
        keywords=("ports", "railways", "freight"),
        sources=(),
        body=(P, P, PICTURE, H, P, P, H, P, Q, P, L, P, P),
        last="asked when the next one would pass.",
    ),
    "souq-water.md": Understood(
        reader="markdown",
        headline="خزانات سوق غدران تعود إلى العمل بعد تسعين عامًا",
        standfirst="أربعة عشر خزانًا حجريًا تحت سوق النحّاسين",
        authors=(("سلمى الحدراوي", "مراسلة شؤون المدن"),),
        desk="World",
        language="ar",
        published="2026-11-12T07:00:00+03:00",
        dateline="غدران",
        keywords=("مياه", "تراث", "مدن"),
        sources=(
            ("بلدية غدران", "تقرير المرحلة الأولى من ترميم خزانات السوق", "ghudran.example"),
            ("صحيفة الساحة", "رسوم الصيانة تقسم تجار النحّاسين", "assaha.example"),
        ),
        body=(P, P, P, H, P, P, Q, P, H, P, L, P, P),
        last="أي متر وأربعين سنتيمترًا تقريبًا.",
    ),
    "hashi-repair.md": Understood(
        reader="markdown",
        headline="架け替えず、直して渡る 緒瀬町の吊り橋、六十年目の選択",
        standfirst="人口三千百人の町が、県の勧めた新しい橋を断った。",
        authors=(("深見 環", "地域報道部"),),
        desk="World",
        language="ja",
        published="2026-10-29T11:00:00+09:00",
        dateline="緒瀬町",
        keywords=("橋", "過疎", "公共工事"),
        sources=(
            ("緒瀬町", "向坂橋の補修に関する住民説明会資料", "town-ose.example"),
            ("緒瀬川新報", "橋を残した町、三つの宿題", "oseshimpo.example"),
        ),
        body=(P, P, P, H, P, P, Q, P, T, H, P, P),
        last="四十年後の人に聞いてちょうだい」",
    ),
    "stadtwerke.md": Understood(
        reader="markdown",
        headline="Brenkenau heizt mit dem Fluss und streitet über die Rechnung",
        standfirst="Die Großwärmepumpe an der Elve ersetzt ein Kohlekraftwerk.",
        authors=(("Katrin Osterloh", None), ("Jannis Weidt", None)),
        desk="Wirtschaft",
        language="de",
        published="2026-10-14T05:00:00+02:00",
        dateline="BRENKENAU",
        keywords=("Energie", "Fernwärme", "Kommunen"),
        sources=(
            ("Stadtwerke Brenkenau", "Preisblatt Fernwärme ab 1. Januar 2027", "stadtwerke-brenkenau.example"),
            ("Mieterverein Brenkenau", "Stellungnahme zur neuen Preisgleitklausel", "mieterverein.example"),
        ),
        body=(P, P, H, P, P, T, P, Q, H, P, P, P),
        last="nie kälter als neun Grad.",
    ),
    "marche-couvert.md": Understood(
        reader="markdown",
        headline="À Montbrelan, la halle a rouvert, mais les maraîchers restent sur le parking",
        standfirst="Trois ans de travaux ont rendu au marché couvert",
        authors=(("Apolline Verzat", None),),
        desk="Société",
        language="fr",
        published="2026-10-26T06:00:00+01:00",
        dateline="MONTBRELAN",
        keywords=("commerce", "patrimoine", "agriculture"),
        sources=(
            ("Ville de Montbrelan", "Délibération du 28 septembre 2026\N{NO-BREAK SPACE}: tarifs des marchés", "ville-montbrelan.example"),
            ("L’Écho de l’Orve", "Marché couvert\N{NO-BREAK SPACE}: ce que disent les marchands", "echo-orve.example"),
        ),
        body=(P, P, P, H, P, P, Q, H, P, P, P),
        last="des bâches jusqu’à Pâques.",
    ),
    "faro-norte.txt": Understood(
        reader="pasted",
        headline="El faro del Norte vuelve a tener guardianes, treinta y un años después",
        standfirst="Dos familias vivirán en el islote de Barlova",
        authors=(("Inés Quiralte", None),),
        desk="Internacional",
        language="es",
        published=None,
        dateline="PUERTO BARLOVA, 12 oct (Litoral)",
        keywords=(),
        sources=(
            ("Diario de Barlova", "El faro del Norte enciende su luz con dos familias dentro", "www.diariodebarlova.example"),
            ("Servicio de Faros del Litoral", "Memoria de averías y salidas de mantenimiento 2025", "sfl.example"),
            ("Radio Marejada", "17 noches sin luz en la costa norte", "radiomarejada.example"),
        ),
        body=(P,) * 7,
        last="a alguien se le oyó decir que menos mal.",
    ),
}  # fmt: skip


def understood(samples: Path, name: str) -> Article:
    return read((samples / name).read_bytes(), name)


def text(article: Article) -> str:
    return "\n".join(markup.block_text(block) for block in article.body)


@pytest.mark.parametrize("name", SAMPLES)
class TestSample:
    def test_head(self, samples: Path, name: str):
        article, expected = understood(samples, name), SAMPLES[name]
        assert article.reader == expected.reader
        assert article.headline == expected.headline
        assert article.standfirst is not None
        assert article.standfirst.startswith(expected.standfirst)
        assert tuple((author.name, author.role) for author in article.byline) == expected.authors
        assert article.desk == expected.desk
        assert article.language == expected.language
        published = article.published.isoformat() if article.published else None
        assert published == expected.published
        assert article.dateline == expected.dateline
        assert article.keywords == expected.keywords

    def test_sources(self, samples: Path, name: str):
        article, expected = understood(samples, name), SAMPLES[name].sources
        told = [(source.publisher, source.title) for source in article.sources]
        assert told == [(publisher, title) for publisher, title, _ in expected]
        for source, (_, _, host) in zip(article.sources, expected, strict=True):
            assert (source.url or "").startswith(f"https://{host}/")

    def test_body(self, samples: Path, name: str):
        article, expected = understood(samples, name), SAMPLES[name]
        assert tuple(block.kind for block in article.body) == expected.body
        assert text(article).endswith(expected.last)

    def test_nothing_is_left_to_decide(self, samples: Path, name: str):
        notes = understood(samples, name).notes
        assert [note.message for note in notes if note.level == "warning"] == []

    def test_nothing_would_embarrass_the_desk(self, samples: Path, name: str):
        found = check_article(str(samples / name), Settings())
        assert {finding.where for finding in found} <= {"language"}  # text cannot name it

    def test_length_is_that_of_an_article(self, samples: Path, name: str):
        article = understood(samples, name)
        words = text(article).split()
        length = len("".join(words)) // 2 if article.language == "ja" else len(words)
        assert (150 if name == "night-bus.md" else 350) <= length <= 800


def test_every_sample_has_a_line_in_the_readme(samples: Path):
    articles = {path.name for path in samples.iterdir() if path.suffix in SUFFIXES} - {"README.md"}
    named = set(re.findall(r"^\| `([^`]+)`", (samples / "README.md").read_text("utf-8"), re.M))
    assert articles == named == set(SAMPLES)


def test_addresses_are_reserved_for_examples(samples: Path):
    for path in sorted(samples.iterdir()):
        hosts = re.findall(r"(?:https?://|@)([\w.-]*\w)", path.read_text("utf-8"))
        for host in set(hosts) - {"schema.org", "context", "graph", "type", "id", "127.0.0.1"}:
            assert re.search(r"(?:^|\.)example(?:\.(?:com|net|org))?$", host), (path.name, host)


class TestGrainCorridor:
    """The sample that has nearly everything, in detail."""

    @pytest.fixture
    def article(self, samples: Path) -> Article:
        return understood(samples, "grain-corridor.md")

    def test_identity(self, article: Article):
        assert (article.slug, article.id) == ("grain-corridor", "world-2026-0412")
        assert article.priority == 4

    def test_authors_are_known(self, article: Article):
        vash, karras = article.byline
        assert vash.email == "teodor.vash@example.org"
        assert vash.bio == "Teodor Vash has covered farming and freight for eleven years."
        assert karras.bio == "Lene Karras reports from the ports of the southern coast."

    def test_quotation_is_attributed(self, article: Article):
        (quotation,) = (block for block in article.body if isinstance(block, Quotation))
        assert quotation.attribution == "Irena Dolk, grower at Upper Tarsk"

    def test_figures_stand_right(self, article: Article):
        (table,) = (block for block in article.body if isinstance(block, Table))
        assert [cell.html for cell in table.rows[0]] == ["", "Autumn 2025", "Autumn 2026"]
        assert [cell.html for cell in table.rows[-1]] == [
            "Price on board, crowns a tonne",
            "231",
            "229",
        ]
        assert all(row[1].align == row[2].align == "right" for row in table.rows)

    def test_markup_and_links_are_kept(self, article: Article):
        html = "".join(markup.block_html(block) for block in article.body)
        assert "<em>sealed corridor</em>" in html
        assert (
            '<a href="https://treaties.example/karvel-sorvia/2025-17">a treaty of nine pages</a>'
            in html
        )
        (demands, _footnotes) = (block for block in article.body if isinstance(block, List))
        assert len(demands.items) == 3


class TestHarbourTrains:
    def test_what_surrounds_the_article_is_left_out(self, samples: Path):
        body = text(understood(samples, "harbour-trains.html"))
        for boilerplate in (
            "cookies",
            "Share",
            "morning letter",
            "Read next",
            "Most read",
            "Comments",
            "Subscribe",
            "By Imogen",
        ):
            assert boilerplate not in body

    def test_relative_picture_is_found_where_the_page_was(self, samples: Path):
        article = understood(samples, "harbour-trains.html")
        (picture,) = (block for block in article.body if isinstance(block, Image))
        assert picture.src == "https://ledger.example.org/media/harbour-trains/sidings.jpg"
        assert picture.credit == "Della Quist"
        assert article.updated is not None
        assert article.updated.isoformat() == "2026-11-03T09:10:00+00:00"


def test_correspondent_of_the_ferry_keeps_her_desk_and_biography(samples: Path):
    (author,) = understood(samples, "harbour-ferry.txt").byline
    assert author.desk == "World"
    assert author.bio is not None
    assert author.bio.endswith("Reports on shipping, fisheries and the towns that live by them.")
