"""What the networks' runtimes say reaches the person who waits."""

import logging

from extract.run.progress import extraction_progress


def test_what_a_runtime_says_stands_above_the_bar(capsys):
    log = logging.getLogger("extract.runtimes.runner")
    level = logging.getLogger("extract.runtimes").level
    with extraction_progress(1):
        log.info("%s runs in openvino", "i3d")
        log.warning("i3d: memory is out")
    log.info("nobody listens any more")
    told = capsys.readouterr()
    assert "i3d runs in openvino\n" in told.err
    assert "i3d: memory is out\n" in told.err
    assert "nobody" not in told.err
    assert told.out == ""
    assert logging.getLogger("extract.runtimes").level == level
