"""What the tests of the email render: a desk, and two invented articles with everything in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dispatch.article import Article, Author, Embed, Html, Paragraph, Source
from dispatch.desk import Desk, Mailbox
from dispatch.markup import blocks

PUBLISHED = datetime(2026, 10, 3, 14, 20, tzinfo=UTC)

DESK = Desk(
    name="World",
    slug="world",
    publisher="The Meridian Courier",
    site_url="https://news.example.org",
    sender=Mailbox("Meridian World", "world@news.example.org"),
    contact="desk@news.example.org",
    postal_address="14 Quay Street, Port Alder",
    usage_terms="Free to use with credit.",
    rights="© {year} {publisher}",
)
ARABIC_DESK = replace(
    DESK,
    name="العالم",
    publisher="صحيفة الميناء",
    postal_address="١٤ شارع الرصيف، غدران",
    accent="#0b5c4d",
)

_FERRY = """
<figure><img src="https://images.example.org/ferry.jpg?w=1280&amp;h=760"
 alt="A car ferry leaves a harbour at dusk">
<figcaption>The <em>Alder Maid</em> on its last evening crossing. Photo: Inez Vale</figcaption>
</figure>
<p>The last diesel ferry in the Alder strait will make its final crossing on Friday night, eleven
weeks early, after a vote that had been delayed
<a href="https://example.org/board?year=2026&amp;item=4">twice in three years</a>.</p>
<h2>What the board decided</h2>
<p>Two boats of <b>180 passengers</b> each will run from six until midnight. Fares stay:</p>
<ul><li>single crossings at 4.20, and a <strong>weekly pass at 21</strong>;</li>
<li>bicycles free outside the rush hours;<ul><li>cargo bicycles count as one</li></ul></li></ul>
<blockquote><p>I will believe it when I am standing on it.</p>
<footer>Marta Oyelaran, ferry user for 31 years</footer></blockquote>
<table><caption>Crossings in a week</caption>
<tr><th>Season</th><th align="right">Diesel</th><th align="right">Battery</th></tr>
<tr><th>Summer</th><td align="right">98</td><td align="right">126</td></tr>
<tr><th>Winter</th><td align="right">42</td><td align="right">105</td></tr></table>
<h3>How it will be paid for</h3>
<ol start="3"><li>A loan, repaid over eighteen years.</li>
<li><p>A grant for clean harbours.</p><p>It covers the chargers alone.</p></li></ol>
<pre><code class="language-python">def crossing(boat, tide):
    # minutes, at slack water

    return 23 if boat == "battery" &amp; tide &lt; 2 else 31</code></pre>
<hr>
<figure><img src="https://images.example.org/mast.jpg" alt="A charging mast">
<figcaption>The mast on the mole.</figcaption></figure>
<p>The board meets again on <code>12 November</code>; write to
<a href="mailto:board@example.org">board@example.org</a>, or read the
<a href="https://example.org/board?year=2026&amp;item=4">minutes</a>.</p>
"""

FERRY = Article(
    headline="Battery Boats to Replace the Last Diesel Ferry Eleven Weeks Early",
    standfirst="The harbour board ends a three-year dispute over crossings to Tern.",
    body=(
        *blocks(_FERRY),
        Embed("https://video.example.org/watch?v=1&t=2", "Watch: the boat on its sea trial"),
    ),
    language="en",
    slug="battery-boats",
    desk="World",
    dateline="PORT ALDER",
    byline=(
        Author("Inez Vale", "Transport correspondent", bio="Inez Vale lives on Tern."),
        Author("Tom Achterberg", "Reporter"),
    ),
    published=PUBLISHED,
    updated=PUBLISHED + timedelta(hours=3),
    keywords=("ferries", "harbours"),
    sources=(
        Source("Minutes of the extraordinary meeting", "Harbour Board", "https://example.org/m"),
        Source("Interview notes, unpublished"),
    ),
    editors_note="An earlier headline named the wrong strait.",
    corrections=("An earlier version said that fares would stay until 2028.",),
    id="tag:news.example.org,2026-10-03:world/battery-boats",
    path="2026/10/03/battery-boats",
    version=2,
)

_CISTERNS = """
<p>في السادسة والنصف من صباح الأحد رفع عامل البلدية غطاءً من الحجر في وسط السوق، ثم قرأ الرقم بصوت
مسموع: متر وأربعون سنتيمترًا. انظر <a href="https://example.org/t?a=1&amp;b=2">التقرير</a>.</p>
<h2>كلفة أقلّ من أنبوب جديد</h2>
<blockquote><p>نحن من يكنس السطح قبل المطر ويحرس الغطاء بعده.</p><footer>نقيب التجار</footer></blockquote>
<ul><li>مياه للحديقة؛</li><li>فحص أسبوعي في <bdi>Lab 7</bdi>.</li></ul>
<table><tr><th>الخزان</th><th>المنسوب</th></tr><tr><th>الأول</th><td>1.4 م</td></tr></table>
"""

CISTERNS = Article(
    headline="خزانات السوق القديم تعود إلى العمل بعد تسعين عامًا",
    standfirst="أربعة عشر خزانًا حجريًا تحت السوق تجمع مياه المطر لريّ الحديقة.",
    body=blocks(_CISTERNS),
    language="ar",
    slug="cisterns",
    dateline="غدران",
    byline=(Author("سلمى الحدراوي", "مراسلة شؤون المدن", bio="تكتب عن العمارة القديمة."),),
    published=PUBLISHED,
    updated=PUBLISHED,
    sources=(Source("Maintenance fees divide traders", "The Square", "https://example.org/b"),),
    id="tag:news.example.org,2026-10-03:world/cisterns",
    path="2026/10/03/cisterns",
    version=1,
)


def article(*texts: str, **fields: object) -> Article:
    """A placed article of plain paragraphs."""
    known: dict[str, object] = {
        "headline": "A quiet day",
        "body": tuple(Paragraph(Html(text)) for text in texts),
        "language": "en",
        "published": PUBLISHED,
        "updated": PUBLISHED,
        "path": "2026/10/03/a-quiet-day",
        "slug": "a-quiet-day",
        "id": "tag:news.example.org,2026-10-03:world/a-quiet-day",
        "version": 1,
    }
    return Article(**known | fields)  # type: ignore[arg-type]
