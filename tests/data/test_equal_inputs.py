"""Equal inputs have one number, and others have others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmia.data.equal_inputs import number_inputs


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_numbers_are_equal_where_inputs_are(values):
    found = number_inputs(np.array(values, np.float32).reshape(-1, 1, 1) * np.ones((1, 2, 3), np.float32))
    assert (np.equal.outer(found, found) == np.equal.outer(values, values)).all()
    assert sorted(set(found.tolist()), key=found.tolist().index) == list(range(len(set(values))))
