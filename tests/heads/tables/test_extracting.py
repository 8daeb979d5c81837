"""A pass that fails is tried once more for each of its streams, and stops no other pass."""

from pathlib import Path

from aqa_pipeline.errors import WeightsError
from heads.tables.extracting import extract_passes
from heads.tables.planning.extraction_passes import ExtractionPass
from heads.tables.planning.plan import TablePlan, plan_table


def plan_of(scene) -> TablePlan:
    """Return the plan of the toy table whose videos are all there, over an empty store."""
    root: Path = scene.settings.roots["folder"]
    for number in range(60):
        (root / f"v{number:02d}.mp4").touch()
    return plan_table(scene.table, scene.with_settings(store=scene.settings.out / "empty").settings)


def test_a_pass_that_works_is_made_once(scene) -> None:
    news = []
    extract_passes(
        plan_of(scene), lambda one: f"made {', '.join(one.backbones)}", tell=lambda *each: news.append(each)
    )
    assert [kind for kind, _ in news] == ["command", "report"]
    assert news[0][1].startswith("aqa extract --dataset folder --root ")
    assert news[1][1] == "made segments, crops"


def test_a_stream_without_weights_does_not_stop_the_others(scene) -> None:
    news = []

    def extract(one: ExtractionPass) -> str:
        if "crops" in one.backbones:
            raise WeightsError("no weights of toy-2d")
        return "made"

    extract_passes(plan_of(scene), extract, tell=lambda *each: news.append(each))
    assert [kind for kind, _ in news] == ["command", "error", "command", "report", "command", "error"]
    assert "--streams segments,crops" in news[0][1]
    assert "--streams segments --backbone segments=toy-3d --videos" in news[2][1]
    assert news[5] == ("error", "no weights of toy-2d")


def test_a_long_list_of_videos_is_cut_in_the_printed_command(scene) -> None:
    plan, news = plan_of(scene), []
    extract_passes(plan, lambda one: "made", tell=lambda *each: news.append(each))
    assert news[0][1].endswith("...")
    assert len(news[0][1]) < 600
