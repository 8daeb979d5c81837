"""A page that is opened in a real Chromium."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chromium import Browser


@pytest.fixture
def open_page(browser: Browser) -> Callable[..., Browser]:
    def open_and_check(page: Path, **how: Any) -> Browser:
        browser.open(page, **how)
        return browser

    return open_and_check
