"""Objects leave a pipe as they entered it, or not at all."""

import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from extract.decoding.pipe import receive, send

ARRAYS = hnp.arrays(
    st.sampled_from([np.uint8, np.float32, np.int64]), hnp.array_shapes(min_dims=0, max_side=7, min_side=0)
)


def through_a_pipe(*messages):
    out, into = os.pipe()
    with os.fdopen(out, "rb") as reading, os.fdopen(into, "wb", buffering=0) as writing:
        sender = threading.Thread(target=lambda: [send(writing, message) for message in messages])
        sender.start()
        try:
            return [receive(reading) for _ in messages]
        finally:
            sender.join()


@settings(max_examples=25, deadline=None)  # each example makes a pipe and a thread
@given(st.lists(st.dictionaries(st.text(), ARRAYS), max_size=3))
def test_arrays_of_any_shape(messages):
    for sent, came in zip(messages, through_a_pipe(*messages), strict=True):
        assert list(sent) == list(came)
        for name in sent:
            np.testing.assert_array_equal(sent[name], came[name])
            assert sent[name].dtype == came[name].dtype


def test_a_message_larger_than_the_pipe_and_one_that_is_not_in_one_piece():
    picture = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    (came, mirrored) = through_a_pipe(picture, picture[:, ::-1])
    np.testing.assert_array_equal(came, picture)
    np.testing.assert_array_equal(mirrored, picture[:, ::-1])
    came[0] = 0  # its memory is the receiver's own


@pytest.mark.parametrize("num_bytes", [0, 5, 30, 1000])
def test_a_broken_pipe_is_an_end_and_never_half_a_message(num_bytes):
    out, into = os.pipe()
    with os.fdopen(out, "rb") as reading, os.fdopen(into, "wb", buffering=0) as writing:
        whole_out, whole_into = os.pipe()
        with os.fdopen(whole_out, "rb") as whole, os.fdopen(whole_into, "wb", buffering=0) as into_whole:
            send(into_whole, np.arange(300))
            content = os.read(whole.fileno(), 10_000)
        assert len(content) > num_bytes
        writing.write(content[:num_bytes])
        writing.close()
        with pytest.raises(EOFError, match="the other end of the pipe is gone"):
            receive(reading)
