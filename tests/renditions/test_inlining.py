"""CSS into style attributes: what must come through premailer, lxml and cssutils unharmed."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dispatch.errors import TemplateError
from dispatch.renditions.addresses import ascii_url
from dispatch.renditions.inlining import inline_css


def inlined(body: str, css: str = "p {color: red}", head: str = "") -> str:
    return inline_css(
        f"<!DOCTYPE html>\n<html><head><style>{css}</style>{head}</head><body>{body}</body></html>"
    )


def attribute(html: str, tag: str, name: str) -> str:
    root = etree.fromstring(html, etree.HTMLParser())
    return str(root.find(f".//{tag}").get(name))


def test_a_rule_becomes_a_style_attribute() -> None:
    assert '<p style="color:red">Rain</p>' in inlined("<p>Rain</p>")


def test_the_style_sheet_itself_is_gone() -> None:
    assert "<style" not in inlined("<p>Rain</p>")


@pytest.mark.parametrize("doctype", ["<!DOCTYPE html>", "<!doctype html>", ""])
def test_the_doctype_opens_the_page_once(doctype: str) -> None:
    html = inline_css(f"{doctype}<html><head></head><body><p>Rain</p></body></html>")
    assert html.startswith("<!DOCTYPE html>\n<html>")
    assert html.lower().count("<!doctype") == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/?a=1&b=2",
        "https://example.org/?a=1&copy=2&lt=3&amp;=4",
        "https://example.org/a?x={{y}}&z=[1]#part|two",
        "https://example.org/%C3%A9?q=a+b%20c",
        "mailto:desk@example.org?subject=a&body=b",
    ],
)
def test_a_link_keeps_its_address(url: str) -> None:
    html = inlined(f'<p><a href="{url.replace("&", "&amp;")}">read</a></p>')
    assert f'href="{url.replace("&", "&amp;")}"' in html
    assert attribute(html, "a", "href") == url


def test_an_address_beyond_ascii_is_encoded() -> None:
    html = inlined('<p><a href="https://bücher.example:8080/straße?q=ü&amp;r=1#ende">lies</a></p>')
    expected = "https://xn--bcher-kva.example:8080/stra%C3%9Fe?q=%C3%BC&r=1#ende"
    assert attribute(html, "a", "href") == expected


def test_an_address_whose_host_cannot_be_encoded_stays() -> None:
    url = f"https://{'ü' * 80}.example/"
    assert ascii_url(url) == url


@given(st.text(max_size=40))
def test_an_encoded_address_is_ascii_and_is_not_encoded_again(path: str) -> None:
    url = ascii_url(f"https://example.org/ü{path}")
    if url.isascii():
        assert ascii_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "Größe, œuvre, Ελλάδα, العربية, 日本語",
        "👩🏽‍🚀 and 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        "a\u00a0b\u200c\u00a0c\u00add",
        "{{7*7}} {% raw %} ${x} <%= y %>".replace("<", "&lt;").replace(">", "&gt;"),
        "fish &amp; chips, 1 &lt; 2, &amp;amp; and &amp;nbsp;",
        "“quotes”, \"straight\" and 'single'",
    ],
)
def test_text_comes_through_to_the_letter(text: str) -> None:
    assert f'<p style="color:red">{text}</p>' in inlined(f"<p>{text}</p>")


def test_entities_come_out_as_the_characters_they_stand_for() -> None:
    assert ">\u200c\u00a0</p>" in inlined("<p>&zwnj;&nbsp;</p>")


def test_preformatted_text_keeps_its_white_space() -> None:
    pre = "<pre>\n\n  a\n\tb  c\n</pre>"
    assert pre in inlined(pre)


def test_void_tags_are_not_closed() -> None:
    html = inlined('<p>a<br>b<wbr>c</p><hr><img src="https://example.org/a.png" alt=""><p>d</p>')
    assert "a<br>b\u200bc</p><hr><img" in html
    for tag in ("br", "hr", "img", "wbr"):
        assert f"</{tag}>" not in html


@pytest.mark.parametrize(
    "comment",
    [
        '<!--[if mso]><table role="presentation" width="640"><tr><td><![endif]-->',
        "<!--[if mso]></td></tr></table><![endif]-->",
        "<!--[if !mso]><!-->",
        "<!--<![endif]-->",
    ],
)
def test_conditional_comments_stay(comment: str) -> None:
    assert f"<p>one</p>{comment}<p>two</p>" in inlined(f"<p>one</p>{comment}<p>two</p>", css="")


def test_a_style_marked_to_stay_stays_to_the_letter_and_is_not_inlined() -> None:
    css = (
        '@media (max-width: 600px) {.a > p {color: blue !important; content: "<&"}}\n'
        "a:hover {color: green}\n[data-ogsc] .a {color: #fff !important}"
    )
    html = inlined("<p>Rain</p>", head=f'<style data-premailer="ignore">{css}</style>')
    assert f"<style>{css}</style>" in html
    assert '<p style="color:red">' in html


def test_what_cannot_be_inlined_stays_in_a_style() -> None:
    html = inlined('<p><a href="https://example.org/">x</a></p>', css="a:hover {color: green}")
    assert "a:hover {color:green" in html
    assert "style=" not in html


def test_importance_is_for_the_style_sheet_alone() -> None:
    html = inlined("<p>Rain</p>", css="p {color: red !important; margin: 0}")
    assert "important" not in html
    assert "color:red" in html


def test_no_attributes_are_added_beside_the_style() -> None:
    css = "td {width: 100%; height: 3px; text-align: start; vertical-align: top; background-color: #fff}"
    html = inlined("<table><tr><td>Rain</td></tr></table>", css=css)
    td = etree.fromstring(html, etree.HTMLParser()).find(".//td")
    assert td.keys() == ["style"]


def test_attributes_of_the_template_stay() -> None:
    html = inlined(
        '<img src="https://example.org/a.png" alt="" width="560">', css="img {width: 9px}"
    )
    assert 'width="560"' in html


def test_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    html = inlined(
        '<p>Rain</p><img src="https://example.org/a.png" alt="">',
        css="@import url(https://example.org/more.css); p {background: url(https://example.org/b.png)}",
        head='<link rel="stylesheet" href="https://example.org/all.css">',
    )
    assert "Rain" in html


def test_broken_css_is_passed_over_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    html = inlined("<p>Rain</p>", css="p {color: red; ;; colour; -x: y} } @nonsense {{{ p {")
    assert "Rain" in html
    assert capfd.readouterr() == ("", "")


def test_a_selector_that_cannot_be_read_is_a_sentence() -> None:
    with pytest.raises(TemplateError, match="has a selector that cannot be read"):
        inlined("<p>Rain</p>", css="p:nth-child {color: red}")


def test_deep_nesting_comes_through() -> None:
    html = inlined("<div>" * 400 + "<p>Rain</p>" + "</div>" * 400)
    assert html.count("<div>") == 400
    assert '<p style="color:red">Rain</p>' in html


def test_premailer_is_given_no_http_client_and_leaves_none_behind() -> None:
    code = (
        "import sys\n"
        "from dispatch.renditions.inlining import inline_css\n"
        "inline_css('<html><head><style>p {color: red}</style></head><body><p>a</p></body></html>')\n"
        "import premailer.premailer\n"
        "assert not hasattr(premailer.premailer.requests, 'get')\n"
        "assert 'requests' not in sys.modules\n"
        "import requests\n"
        "assert requests.get\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("html", ["", "  ", "<!-- nothing -->"])
def test_an_email_without_html_is_a_broken_template(html: str) -> None:
    with pytest.raises(TemplateError, match="prints nothing"):
        inline_css(html)
