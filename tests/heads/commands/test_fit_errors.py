"""What `aqa fit` says to a request that it cannot carry out: the message, the exit code, and no run left."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

WD = ("--head", "wd", "--split", "given", "--seeds", "0", "--epochs", "1", "--device", "cpu")


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


UNKNOWN = [
    (("--head", "wdd"), "unknown head 'wdd'. Did you mean 'wd'? Known: action-net, "),
    (
        ("--variant", "relesed"),
        "unknown variant of wd 'relesed'. Did you mean 'released'? Known: adapted, paper, released.",
    ),
    (
        ("--target", "scores"),
        "unknown target of club 'scores'. Did you mean 'score'? Known: difficulty, execution",
    ),
    (("--split", "gven"), "unknown split of club 'gven'. Did you mean 'given'? Known: given, grouped-0"),
]
CONTRADICTIONS = [
    (("--seeds", "1,1"), "the options of a fit do not fit: seeds is '(1, 1)', expected different numbers."),
    (("--seeds", "-1"), "seeds.0 is '-1', expected greater than or equal to 0"),
    (("--split", "given,given"), """splits is "('given', 'given')", expected each split once."""),
    (("--streams", "clips,clips"), "wd reads one stream, such as clips; got ('clips', 'clips')."),
    (("--streams", "clips,segments"), "wd reads one stream, such as clips; got ('clips', 'segments')."),
    (("--streams", "pixels"), "wd reads pixels only while it is fine-tuned: add --fine-tune."),
    (("--streams", "tubes"), "wd reads features, not maps, such as clips; got ['tubes']."),
    (
        ("--head", "action-net", "--streams", "crops,crops"),
        "action-net reads different streams, such as segments,crops; got ('crops', 'crops').",
    ),
    (("--head", "tsa", "--streams", "clips"), "tsa reads maps, such as tubes; got ['clips']."),
    (
        ("--difficulty", "--target", "difficulty"),
        "target 'difficulty' is not made of an execution: expected score.",
    ),
    (
        ("--difficulty", "--shuffle-labels"),
        "shuffled labels are a control that can learn nothing, but the difficulty alone tells something of "
        "the score: shuffle with --target execution, without --difficulty.",
    ),
    (("--head", "tsa-musdl"), "club has no judge-1, judge-2"),
]
FEATURES = [
    (
        ("--streams", "frames"),
        "has no 'frames' of club. Make them with `aqa extract --dataset folder --root ",
    ),
    (("--streams", "frames"), "or read what is there with `--streams clips`."),
    (("--spec", "clips=ffff"), "made in 1 ways, and 'ffff' chooses none of them:"),
    (("--spec", "tubes=ffff"), "specs are chosen for ['tubes'], but the head reads ['clips'] only."),
    (("--backbone", "i3d"), "no clips of club of the backbone 'i3d' are stored, but of toy-clips."),
    (("--backbone", "clips=i3d"), "and --backbone i3d chooses none of them"),
    (("--name", "other"), "has no 'clips' of other."),
]
MACHINE = [
    (("--device", "tpu"), "device 'tpu' cannot be used: "),
    (("--device", "tpu"), "Try --device cpu."),
]


@pytest.mark.parametrize(
    ("options", "message"),
    [*UNKNOWN, *CONTRADICTIONS, *FEATURES, *MACHINE],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_request_that_cannot_be_met_is_one_message_and_leaves_no_run(
    club, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = aqa("fit", *club.options, *WD, "--out", tmp_path / "run", *options)
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "a"), "--seeds expects numbers such as 0,1,2; got 'a'."),
        (("--seeds", "0.5"), "--seeds expects numbers such as 0,1,2; got '0.5'."),
        (("--spec", "clips"), "--spec wants STREAM=HASH (see `aqa store ls`); got 'clips'."),
        (("--backbone", "clips="), "--backbone expects NAME or STREAM=NAME, once per stream; got 'clips='."),
        (("--backbone", "a", "--backbone", "b"), "once per stream; got 'b'."),
        (
            ("--spec", "clips=ab", "--spec", "clips=cd"),
            "--spec wants each stream once; got clips=ab, clips=cd.",
        ),
        (("--actors", "2"), "--ray-address and --actors are for --engine ray."),
        (("--ray-address", "auto"), "--ray-address and --actors are for --engine ray."),
        (("--select", "best"), "'best' is not one of 'last', 'val', 'best-on-test'"),
        (("--precision", "fp16"), "'fp16' is not one of 'fp32', 'bf16'"),
        (("--epochs", "0"), "0 is not in the range x>=1"),
        (("--threads", "0"), "0 is not in the range x>=1"),
        (("--second-stage", "nowhere.pt"), "Path 'nowhere.pt' does not exist"),
        (("--repeat", "nowhere"), "Path 'nowhere' does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_command_line_is_exit_code_2(
    club, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = aqa("fit", *club.options, *WD, "--out", tmp_path / "run", *options)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "run").exists()


def test_a_head_without_a_pretrained_part_takes_no_checkpoint(club, tmp_path: Path) -> None:
    (tmp_path / "i3d.pt").write_bytes(b"")
    options = ("--second-stage", tmp_path / "i3d.pt", "--out", tmp_path / "run")
    result = aqa("fit", *club.options, *WD, *options)
    assert result.exit_code == 1
    assert "i3d.pt was given to start from, but this head has no pretrained part." in result.output


def test_too_few_training_videos_for_validation_say_how_many_are_held_out(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=16)
    result = aqa("fit", *club.options, *WD, "--select", "val", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert (
        "--select val holds out 20 % of 8 training videos, which is 2: expected at least 3" in result.output
    )
    assert "Use --select last." in result.output


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "no CSV in "),
        ("name,score\na,1\n", "scores.csv has no column video. Its columns: name, score."),
        ("video\na\nb\n", "has no score to learn: add a column score to its table."),
        ("video,score\na,1\n", "has no split: expected at least 2 videos with a score, it has 1."),
        ("video,score\na,1\nb,\n", "has no split: expected at least 2 videos with a score, it has 1."),
    ],
    ids=["no table", "no videos", "no scores", "one video", "one score"],
)
def test_a_folder_that_cannot_be_trained_on_says_what_it_lacks(
    tmp_path: Path, rows: str | None, message: str
) -> None:
    (tmp_path / "club").mkdir()
    if rows is not None:
        (tmp_path / "club" / "scores.csv").write_text(rows)
    where = ("--dataset", "folder", "--root", tmp_path / "club", "--store", tmp_path / "features")
    result = aqa("fit", *where, "--head", "wd", "--device", "cpu", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert message in result.output


def test_a_file_in_the_place_of_the_run_is_refused_before_any_work(club, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    result = aqa("fit", *club.options, *WD, "--out", tmp_path / "run")
    assert result.exit_code in (1, 2)
    assert "is a file" in result.output
    assert (tmp_path / "run").read_text() == "mine"


def test_another_run_in_the_folder_lists_every_difference(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=8)
    assert aqa("fit", *club.options, *WD, "--out", tmp_path / "run").exit_code == 0
    result = aqa("fit", *club.options, *WD, "--out", tmp_path / "run", "--epochs", "2", "--seeds", "4")
    assert result.exit_code == 1
    assert "holds a run with another configuration (there != asked for):" in result.output
    assert "  training.epochs: 1 != 2\n" in result.output
    assert "  training.seeds: [0] != [4]\n" in result.output
    assert "Name another --out, or ask for the same again." in result.output
