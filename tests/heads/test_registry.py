"""The dict of heads can be listed without torch."""

import subprocess
import sys

import pytest

from aqa_pipeline.errors import UnknownName
from heads.registry import find_head


def test_listing_heads_imports_no_torch() -> None:
    code = (
        "import sys, heads, heads.registry; assert 'torch' not in sys.modules; print(*heads.registry.HEADS)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "action-net" in done.stdout


def test_unknown_heads_and_variants_list_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown head 'actionnet'. Did you mean 'action-net'"):
        find_head("actionnet")
    with pytest.raises(
        UnknownName, match=r"unknown variant of action-net 'best'\. Known: adapted, paper, released"
    ):
        find_head("action-net").check_variant("best")
