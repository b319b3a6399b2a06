"""What is said to readers is in their language; the article stays in its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.renditions.email_samples import ARABIC_DESK, CISTERNS, DESK, FERRY, article

from dispatch.article import Article
from dispatch.desk import Desk
from dispatch.errors import TemplateError
from dispatch.renditions import digest, email
from dispatch.renditions.email import EmailRendition
from dispatch.renditions.language import lookup
from dispatch.renditions.slots import SHARED
from dispatch.renditions.templates import Templates, shipped

LABELS = {
    "en": ["View in browser", "Preferences", "Unsubscribe"],
    "de": ["Im Browser ansehen", "Einstellungen", "Abbestellen"],
    "ar": ["العرض في المتصفح", "التفضيلات", "إلغاء الاشتراك"],
}


def render(
    sample: Article = FERRY, desk: Desk = DESK, own: Path | None = None, readers: Iterable[str] = ()
) -> EmailRendition:
    return email.render(sample, desk, Templates(own), personal=True, readers=readers)


def filled(data: bytes, rendition: EmailRendition) -> str:
    """A part as somebody's, who has no name."""
    text = data.decode()
    for mark, slot in rendition.placed.items():
        shown = "a@example.org" if slot.kind == "email" else ""
        said = f"{slot.before}{shown}{slot.after}" if shown else slot.otherwise
        text = text.replace(mark, said or f"https://{slot.kind}")
    return text


def page(rendition: EmailRendition) -> etree._Element:
    return etree.fromstring(filled(rendition.html, rendition), etree.HTMLParser())


def by_class(root: etree._Element, name: str) -> etree._Element:
    (found,) = [e for e in root.iter() if name in str(e.get("class", "")).split()]
    return found


def words(element: etree._Element) -> str:
    return " ".join("".join(map(str, element.itertext(etree.Element))).split())


def labels(rendition: EmailRendition) -> list[str]:
    return [words(link) for link in by_class(page(rendition), "footer").iter("a")]


def spoken(element: etree._Element) -> tuple[str | None, str | None]:
    return element.get("lang"), element.get("dir")


# The languages -----------------------------------------------------------------------------------


def test_a_reader_is_spoken_to_in_their_language_in_both_parts() -> None:
    german = render(readers=["de-AT"]).spoken("de")
    assert labels(german) == LABELS["de"]
    text = filled(german.text, german)
    assert "Guten Tag" in text
    for label in LABELS["de"]:
        assert label in text
    assert "Sie erhalten diese E-Mail, weil a@example.org" in text
    assert "Unsubscribe" not in text


def test_an_arabic_frame_in_an_english_newsletter_is_right_to_left() -> None:
    arabic = render(readers=["ar"]).spoken("ar")
    root = page(arabic)
    links, reason, imprint = by_class(root, "footer").iter("p")
    assert labels(arabic) == LABELS["ar"]
    assert spoken(by_class(root, "greeting")) == ("ar", "rtl")
    assert spoken(links) == spoken(reason) == ("ar", "rtl")
    assert spoken(imprint) == (None, None)
    assert spoken(root) == ("en", "ltr")


def test_an_english_frame_in_an_arabic_newsletter_is_left_to_right() -> None:
    english = render(CISTERNS, ARABIC_DESK, readers=["en-GB"]).spoken("en")
    root = page(english)
    assert labels(english) == LABELS["en"]
    assert {spoken(p) for p in list(by_class(root, "footer").iter("p"))[:2]} == {("en", "ltr")}
    assert spoken(by_class(root, "greeting")) == ("en", "ltr")
    assert spoken(root) == ("ar", "rtl")


def test_who_has_no_language_reads_all_of_it_in_the_articles() -> None:
    rendition = render(readers=["ar", "de"])
    assert labels(rendition) == LABELS["en"]
    assert spoken(by_class(page(rendition), "greeting")) == ("en", "ltr")


def test_where_all_read_the_same_language_there_is_nothing_to_mark() -> None:
    assert b'<p class="meta greeting" style' in render(readers=["en", "en-US"]).html


def test_the_article_is_the_same_in_every_language() -> None:
    rendition = render(CISTERNS, ARABIC_DESK, readers=["de", "fr", "en"])
    assert rendition.translated.keys() == {"de", "fr", "en"}
    for tag in rendition.translated:
        own = rendition.spoken(tag)
        assert (own.html, own.text, own.language) == (rendition.html, rendition.text, "ar")
        shown = filled(own.html, own)
        assert "المصادر" in shown  # Sources
        assert "أكتوبر" in shown  # October


def test_a_digest_speaks_to_its_readers_too() -> None:
    articles = (FERRY, replace(FERRY, path="b"))
    rendition = digest.render(articles, DESK, Templates(), readers=["ar"])
    arabic = rendition.spoken("ar")
    assert labels(arabic) == LABELS["ar"]
    assert "More from World" in filled(arabic.html, arabic)
    assert "إلغاء الاشتراك" in filled(arabic.text, arabic)


def test_a_language_without_a_catalogue_is_spoken_to_in_english_and_says_so() -> None:
    persian = render(replace(CISTERNS, language="fa"), ARABIC_DESK)
    root = page(persian)
    assert labels(persian) == LABELS["en"]
    assert spoken(by_class(root, "greeting")) == ("en", "ltr")
    assert spoken(root) == ("fa", "rtl")


@pytest.mark.parametrize(
    ("readers", "expected"),
    [
        ([], []),
        (["de", "de-AT", "DE_ch", "de-AT-1996-x-y"], ["de"]),
        (["en", "en-GB"], []),  # the newsletter's own
        (["pt", "tlh", "x", "", "de\r\nX: y", "../de", "d", "-", "de" * 5000], []),
        (["fr-CA", "ar-Latn", "ja-JP"], ["ar", "fr", "ja"]),
    ],
)
def test_there_are_as_many_languages_as_readers_have_catalogues(
    readers: list[str], expected: list[str]
) -> None:
    assert sorted(render(readers=readers).translated) == expected


def test_a_million_odd_languages_are_still_only_those_with_catalogues() -> None:
    odd = (f"{tag}-x{n}" for n in range(10_000) for tag in ("aa", "de", "zz"))
    assert list(Templates().readers(odd, Templates().language(FERRY, DESK))) == ["de"]


@given(st.text() | st.from_regex(r"[a-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,6}", fullmatch=True))
def test_any_text_can_be_looked_up(tag: str) -> None:
    known = {"de": "de", "de-at": "de-AT", "zh-hant": "zh-Hant"}
    found = lookup(tag, known)
    begins = tag.lower().replace("_", "-") + "-"
    assert found in {None, *known.values()}
    assert found is None or begins.startswith(f"{found.lower()}-")


# The newsroom's own ------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def catalogue(**said: str) -> str:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    return head + "".join(f'\nmsgid "{k}"\nmsgstr "{v}"\n' for k, v in said.items())


def test_a_catalogue_of_the_newsrooms_own_is_spoken_too(own: Callable[[str, str], Path]) -> None:
    folder = own("locale/pt-BR.po", catalogue(Unsubscribe="Cancelar <assinatura>"))
    assert not render(own=folder, readers=["pt", "pt-PT"]).translated
    rendition = render(own=folder, readers=["pt_br", "pt-BR"])
    assert list(rendition.translated) == ["pt-BR"]
    brazilian = rendition.spoken("pt-BR")
    assert "Cancelar <assinatura>" in filled(brazilian.text, brazilian)
    assert spoken(by_class(page(brazilian), "greeting")) == ("pt-BR", "ltr")


def test_a_catalogue_that_loses_the_address_is_named(own: Callable[[str, str], Path]) -> None:
    reason = "You get this because %(email)s is subscribed to %(desk)s."
    folder = own("locale/cy.po", catalogue(**{reason: "Tanysgrifiwyd chi i %(desk)s."}))
    render(own=folder)  # nobody reads it in Welsh
    with pytest.raises(TemplateError, match="Tanysgrifiwyd chi"):
        render(own=folder, readers=["cy"])


def test_templates_that_know_nothing_of_it_speak_the_articles_language(
    own: Callable[[str, str], Path],
) -> None:
    footer = (
        '<p>{{ _("Preferences") }} {{ recipient.say(_("Hello %(name)s,"), _("Hello reader,")) }}'
        '<a href="{{ unsubscribe_url }}">{{ _("Unsubscribe") }}</a></p>'
    )
    own("email/masthead.html", "<p>{{ desk.name }}</p>")
    own("email/article.txt", '{{ _("Unsubscribe") }} {{ unsubscribe_url }}')
    folder = own("email/footer.html", footer)
    rendition = render(own=folder, readers=["ar"])
    assert rendition.translated == {"ar": {}}
    assert rendition.spoken("ar").placed == rendition.placed
    assert b"Preferences" in rendition.html


@pytest.mark.parametrize(
    "more",
    [
        '<p title="{{ _("Unsubscribe") }}"{{ reader.attributes }}>{{ _("Preferences") }}</p>',
        '<p>{{ _("More from %(desk)s") % {"desk": desk.name} }}</p>',
        '<p>{{ recipient.say(_("Hello %(name)s,"), "x") }} {{ _("Links") ~ "!" }}</p>',
    ],
)
def test_a_template_prints_labels_where_it_likes(
    own: Callable[[str, str], Path], more: str
) -> None:
    shipped_footer = (shipped() / "email/footer.html").read_text("utf-8")
    rendition = render(own=own("email/footer.html", shipped_footer + more), readers=["de"])
    german = filled(rendition.spoken("de").html, rendition.spoken("de"))
    assert etree.fromstring(german, etree.HTMLParser()) is not None
    assert not any(mark in german for mark in rendition.placed)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("<!-- {{ _('Unsubscribe') }} -->", r"_\('Unsubscribe'\) stands in a comment"),
        ("<p>{{ _('Unsubscribe')|upper }}</p>", r"_\('Unsubscribe'\) was cut or changed"),
        ("<p>{{ _('Unsubscribe')|length }}</p>", "footer.html, line"),
        (
            '<style data-premailer="ignore">{{ reader.attributes }}</style>',
            "reader.attributes stands in <style>",
        ),
        ("<p>{{ _('Hello %(name)s,') % {'name': recipient.name} }}</p>", "Use recipient.say"),
        ("{% set x = recipient.translated.clear() %}", "not safely callable|unsafe|may not"),
    ],
)
def test_a_label_that_could_not_be_filled_in_is_refused(
    own: Callable[[str, str], Path], more: str, says: str
) -> None:
    footer = (shipped() / "email/footer.html").read_text("utf-8")
    with pytest.raises(TemplateError, match=says):
        render(own=own("email/footer.html", footer + more), readers=["ar"])


# Size --------------------------------------------------------------------------------------------


def test_the_newsletter_stays_below_the_size_in_the_longest_language(
    own: Callable[[str, str], Path],
) -> None:
    folder = own("locale/de.po", catalogue(Unsubscribe="Ab" * 2000))
    long = article(*["Rain all day. " * 20] * 400)
    rendition = email.render(
        long, DESK, Templates(folder), max_bytes=30_000, personal=True, readers=["de", "ar"]
    )
    for tag in ("de", "ar"):
        own_one = rendition.spoken(tag)
        personal = [s for s in own_one.placed.values() if s.kind not in SHARED]
        shown = filled(own_one.html, own_one)
        assert len(shown.encode()) + 300 * len(personal) < 30_000
    assert len(rendition.html) > 20_000


# Nobody's ----------------------------------------------------------------------------------------


def test_what_is_published_is_in_the_articles_language() -> None:
    rendition = email.render(FERRY, DESK, Templates(), readers=["ar"])
    assert not rendition.translated
    assert not rendition.placed
    assert b"Unsubscribe" in rendition.html
