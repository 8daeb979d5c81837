"""numpy's global random state, left as it was found."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def numpy_state_kept() -> Iterator[None]:
    """Put numpy's global random state back afterwards: scikit-learn's SVR draws a seed that it never uses."""
    before = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(before)
