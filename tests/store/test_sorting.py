"""Sorting more rows than memory holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import StoreError
from dispatch.store.sorting import Sorter

KEYS = st.text(max_size=3) | st.sampled_from(["a", "b", "ß", "ss"])


@given(st.lists(st.tuples(KEYS, st.none() | st.text(max_size=3))), st.integers(1, 5))
def test_the_last_row_of_each_key_comes_back_by_its_key(
    rows: list[tuple[str, str | None]], size: int
) -> None:
    with Sorter(2) as sorter:
        sorter.put(rows[:3])
        sorter.put(rows[3:])
        batches = list(sorter.batches(size))
    assert [row for batch in batches for row in batch] == sorted(
        dict(rows).items(), key=lambda row: row[0].encode()
    )
    assert all(len(batch) == size for batch in batches[:-1])


def test_rows_that_do_not_fit_on_the_disk() -> None:
    with Sorter(1) as sorter:
        sorter._connection.execute("PRAGMA max_page_count = 10")
        with pytest.raises(StoreError, match=r"database or disk is full\. Make room"):
            sorter.put([("x" * 1000,)] * 1000)
