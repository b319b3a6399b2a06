"""Accept-Encoding, by the letter of RFC 9110, 12.5.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.web.files.negotiation import CODINGS, IDENTITY, acceptable

ALL = ("br", "zstd", "gzip", "identity")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, ("identity",)),  # a client that says nothing may know nothing
        ("", ("identity",)),
        ("identity", ("identity",)),
        ("gzip", ("gzip", "identity")),
        ("x-gzip", ("gzip", "identity")),
        ("GZip", ("gzip", "identity")),
        ("gzip, deflate, br, zstd", ALL),
        ("gzip;q=1.0, br;q=0.5", ("gzip", "br", "identity")),
        ("gzip;q=0.5 , br ; q=0.8", ("br", "gzip", "identity")),
        ("gzip;q=0", ("identity",)),
        ("gzip;q=0.000, br", ("br", "identity")),
        ("identity, gzip;q=0.5", ("identity", "gzip")),
        ("identity;q=0.2, gzip;q=0.5", ("gzip", "identity")),
        ("*", ALL),
        ("*;q=0.1, gzip", ("gzip", "br", "zstd", "identity")),
        ("br;q=0, *", ("zstd", "gzip", "identity")),
        ("gzip, *;q=0", ("gzip",)),
        ("gzip, identity;q=0", ("gzip",)),
        ("identity;q=0", ()),
        ("*;q=0", ()),
        ("identity, *;q=0", ("identity",)),
        ("compress, deflate", ("identity",)),
        ("gzip;q=2", ("identity",)),  # no weight is more than 1
        ("gzip;q=-1, br", ("br", "identity")),
        ("gzip;level=9, br", ("br", "identity")),
        (",,gzip,,", ("gzip", "identity")),
    ],
)
def test_what_a_client_takes(field: str | None, expected: tuple[str, ...]) -> None:
    assert acceptable(None if field is None else field.encode()) == expected


@given(st.binary(max_size=2000))
def test_anything_can_stand_there(field: bytes) -> None:
    codings = acceptable(field)
    assert len(set(codings)) == len(codings)
    assert set(codings) <= {*CODINGS, IDENTITY}


@given(st.lists(st.sampled_from(["gzip", "br;q=0.5", "*;q=0", "identity;q=0", "zstd"])))
def test_what_is_refused_never_comes(items: list[str]) -> None:
    codings = acceptable(", ".join(items).encode())
    if "identity;q=0" in items or ("*;q=0" in items):
        assert IDENTITY not in codings
    if "*;q=0" in items:
        assert set(codings) <= {item.partition(";")[0] for item in items}
