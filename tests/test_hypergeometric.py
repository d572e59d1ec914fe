"""The tail is that of scipy, for few and for many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lmia.hypergeometric import tail


@given(among=st.sampled_from([1, 7, 100, 100_000]), shares=st.tuples(*[st.floats(0, 1)] * 3))
def test_it_is_scipys(among, shares):
    hits, drawn, marked = (round(share * among) for share in shares)
    expected = stats.hypergeom.sf(hits - 1, among, marked, drawn)
    assert tail(hits, drawn, marked, among) == pytest.approx(expected, rel=1e-6, abs=1e-12)
