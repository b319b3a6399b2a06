"""Slugs: from any headline to an address, and never out of their folder."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import ArticleError
from dispatch.newsroom.slugs import asked, slugify


@pytest.mark.parametrize(
    ("headline", "language", "slug"),
    [
        ("The Ferry Is Late, Again", "en", "the-ferry-is-late-again"),
        ("Don’t call it 'reform'", "en", "dont-call-it-reform"),
        ("Größere Züge für Köln", "de", "groessere-zuege-fuer-koeln"),
        ("Größere Züge für Köln", "fr", "grossere-zuge-fur-koln"),
        ("L’été à Évian : 35 °C", "fr", "lete-a-evian-35-c"),
        ("Łódź wins", "en", "lodz-wins"),
        ("  --  7 things  -- ", None, "7-things"),
        ("!!!", None, ""),
    ],
)
def test_a_headline_becomes_words_and_hyphens(
    headline: str, language: str | None, slug: str
) -> None:
    assert slugify(headline, language) == slug


@pytest.mark.parametrize("headline", ["مياه السوق تعود", "橋の修理が始まる", "Мост закрыт"])
def test_other_scripts_are_transliterated(headline: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slugify(headline))


def test_a_long_headline_is_cut_between_words() -> None:
    slug = slugify("word " * 100)
    assert len(slug) <= 72
    assert set(slug.split("-")) == {"word"}


@given(st.text(max_size=300), st.sampled_from(["en", "de", "ar", None]))
def test_whatever_the_headline_the_slug_is_safe(headline: str, language: str | None) -> None:
    slug = slugify(headline, language)
    assert slug == "" or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 72


@pytest.mark.parametrize(
    "slug", ["../../etc/passwd", "a/b", "a\\b", "..", "a\nb", "a\x00b", "!!!", "", "a\u2028b"]
)
def test_a_slug_that_could_leave_its_folder_is_refused(slug: str) -> None:
    with pytest.raises(ArticleError, match="slug"):
        asked(slug, "slug")


def test_a_slug_that_was_asked_for_is_made_fit_for_an_address() -> None:
    assert asked("World Cup Final", "slug") == "world-cup-final"
