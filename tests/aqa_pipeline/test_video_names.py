"""A count of videos names them, and not hundreds of them."""

from aqa_pipeline.video_names import count_of, some


def test_a_count_names_what_it_counts() -> None:
    assert count_of(["lift_04"]) == "1 video (lift_04)"
    assert count_of(["a", "b"]) == "2 videos (a, b)"
    assert count_of(["a"], of=12) == "1 of 12 videos (a)"
    assert count_of(["a"], of=1, what="record") == "1 of 1 record (a)"


def test_of_many_names_the_first_are_enough() -> None:
    names = [f"v{number}" for number in range(12)]
    assert some(names) == "v0, v1, v2, v3, v4, v5, v6, v7, v8, v9 and 2 more"
    assert some(names[:10]).endswith("v8, v9")
