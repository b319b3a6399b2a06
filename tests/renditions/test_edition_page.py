"""An edition in a browser: the mail's look without style attributes, and nothing that acts."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from tests.mailing.editions import MADE, composed
from tests.renditions.email_samples import DESK

from dispatch.renditions.edition_page import render_edition
from dispatch.renditions.templates import Templates

TEMPLATES = Templates()
MARK = "m0123456789abcdef0123456"
URL = "https://news.example.org/world"


def shown(mail: str) -> str:
    return render_edition(mail, MARK, DESK, TEMPLATES, sent=MADE).html.decode()


def in_body(body: str) -> html.HtmlElement:
    """The page of a mail with this body, from the mail on."""
    page = shown(f"<!DOCTYPE html><html lang='en'><head><title>T</title></head><body>{body}")
    (main,) = html.fromstring(page).xpath("//main")
    return main


def style(page: str) -> str:
    (found,) = html.fromstring(page).xpath("//style/text()")
    return str(found)


def test_a_real_mail_keeps_its_words_in_order() -> None:
    mail = html.fromstring(composed().browser_html(MARK))
    page = html.fromstring(shown(composed().browser_html(MARK)))
    (body,) = page.xpath("//main")
    words = " ".join(body.text_content().split())
    before = " ".join(mail.xpath("//body")[0].text_content().split())
    for line in ("View in browser", "Preferences", "Unsubscribe"):
        assert line in before
        assert line not in words
    assert (
        words.split("This newsletter goes")[0]
        == (
            before.replace("View in browser · Preferences · Unsubscribe ", "").split(
                "This newsletter goes"
            )[0]
        )
    )
    assert page.xpath("//@style") == []
    assert MARK not in shown(composed().browser_html(MARK))


def test_equal_attributes_are_one_rule() -> None:
    page = shown('<body><p style="color: red">a</p><p style="color:  red" class="x">b</p>')
    (rule,) = [line for line in style(page).split("\n") if "color: red" in line]
    (name,) = html.fromstring(page).xpath("//main/p[1]/@class")
    assert rule == f":is(.{name}, #{name}) {{color: red}}"
    assert html.fromstring(page).xpath("//main/p[2]/@class") == [f"x {name}"]


def test_the_mails_own_sheets_stay_in_their_order_before_it() -> None:
    page = shown(
        "<html><head><style>.a {x: 1}</style><style media='print'>.b {x: 2}</style></head>"
        "<body class='page' bgcolor='#fff'><p style='x: 3'>"
    )
    sheet = style(page)
    assert sheet.index(".a {x: 1}") < sheet.index("@media print {\n.b {x: 2}\n}")
    assert sheet.index("x: 2") < sheet.index("{x: 3}") < sheet.index(".dispatch-frame")
    (body,) = html.fromstring(page).xpath("//body")
    assert dict(body.attrib) == {"class": "page", "bgcolor": "#fff"}


@pytest.mark.parametrize(
    "declared",
    [
        "color: red} body {display: none",
        "color: red; } @import 'https://evil.example/x.css'; a {",
        "background: url(https://a.example/</style><script>alert(1)</script>)",
        "color: red /*",
        "content: 'a",
        'content: "a',
        "width: calc(1px",
        "width: 1px)",
        "c\\olor: red",
        "<!-- color: red -->",
    ],
)
def test_a_style_that_could_be_more_than_that_is_none(declared: str) -> None:
    attribute = declared.replace("&", "&amp;").replace('"', "&quot;")
    page = shown(f'<body><p style="{attribute}">a</p>')
    assert "dispatch-1" not in page
    assert "evil" not in page
    assert html.fromstring(page).xpath("//script") == []


@pytest.mark.parametrize(
    "declared",
    ["font: bold 12px/16px 'Noto Serif', \"A; B\", serif", "background: url('a;b(c') no-repeat"],
)
def test_quotation_marks_may_hold_anything(declared: str) -> None:
    attribute = declared.replace('"', "&quot;")
    assert f"{{{declared}}}" in style(shown(f'<body><p style="{attribute}">a</p>'))


def test_nothing_that_acts_or_loads_comes_along() -> None:
    page = shown(
        "<head><base href='https://evil.example/'><meta http-equiv='refresh' content='0;url=x'>"
        "<link rel=stylesheet href=x><script>1</script></head><body onload='x()'>"
        "<iframe src=x>y</iframe><object data=x>z</object><form action=x><p onclick='x()'>kept"
        "<input></form><script>2</script><!-- a comment --><!--[if mso]>outlook<![endif]-->after"
    )
    tags = {e.tag for e in html5lib.parse(page, namespaceHTMLElements=False).iter()}
    assert not tags & {"script", "iframe", "object", "form", "input", "base"}
    assert "refresh" not in page
    assert "onload" not in page
    assert "onclick" not in page
    assert "outlook" not in page
    assert "after" in page


def test_links_with_a_token_go_and_take_a_line_of_their_own_along() -> None:
    main = in_body(
        f'<p>a</p><p><a href="{URL}/view/{MARK}">View</a> &nbsp;·&nbsp; '
        f'<a href="{URL}/unsubscribe/{MARK}">Leave</a></p>b<p>c</p>'
    )
    assert html.tostring(main, encoding="unicode").split() == (
        ["<main>", "<p>a</p>b<p>c</p>", "</main>"]
    )


def test_in_a_sentence_the_words_stay() -> None:
    main = in_body(f'<p>You may <a class="x" href="{URL}/unsubscribe/{MARK}">leave</a>.</p>')
    assert main.text_content().strip() == "You may leave."
    assert main.xpath("//main//a") == []


def test_in_a_cell_they_leave_the_table_whole() -> None:
    main = in_body(
        f'<table><tr><td><a href="{URL}/view/{MARK}">View</a></td><td>x</td></tr></table>'
    )
    assert len(main.xpath(".//td")) == 2
    assert main.text_content().strip() == "x"


def test_other_links_stay() -> None:
    main = in_body(
        f'<p><a href="https://example.org/view/">a</a> <a href="{URL}/view/{MARK}">b</a></p>'
    )
    assert main.xpath(".//a/@href") == ["https://example.org/view/"]


@given(st.text(alphabet="<>/\"'ap =style{};:!-&m0b", max_size=80))
def test_whatever_a_mail_holds_no_attribute_of_style_and_no_script_is_left(body: str) -> None:
    page = shown(f"<body>{body}<p style='color: red'>x")
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    for element in tree.iter():
        assert element.tag != "script"
        assert "style" not in element.attrib
    assert len(list(tree.iter("style"))) == 1
