"""What a reader of a run's numbers must know, one sentence each."""

from collections.abc import Sequence

from aqa_pipeline.video_names import count_of
from heads.training.plan import Plan, SplitPlan

NUM_NAMED = 10  # problems of the label file


def notes_on(plan: Plan) -> tuple[str, ...]:
    """Return the sentences on a fit: flags, overlapping groups, videos and steps that were left out."""
    notes = []
    if any(spec.random_weights for spec in plan.specs.values()):
        notes.append("RANDOM WEIGHTS: these features come from untrained networks; a demo, not a result.")
    if any(spec.simulated for spec in plan.specs.values()):
        notes.append("SIMULATED: these features were drawn at random around the labels; no video was seen.")
    if plan.request.training.shuffle_labels:
        notes.append("CONTROL: the training labels were shuffled, so there is nothing to learn.")
    if plan.request.training.select == "best-on-test":
        notes.append("NOT MODEL SELECTION: the kept epoch is the one that scored best on the test videos.")
    if plan.imported:
        (split,) = plan.splits
        notes.append(
            f"IMPORTED: the weights come from checkpoints, and nothing was trained. That split {split.name} "
            "is the one that they were trained on, and the score scale "
            f"{split.scale.low:g} to {split.scale.high:g}, is taken from the options."
        )
    notes += _overlap(plan.splits)
    notes += _labels_left_out(plan)
    if plan.missing:
        notes.append(f"Left out for want of features: {count_of(sorted(plan.missing))}.")
    empty = {s: sorted({v for split in plan.splits for v in split.without_steps[s]}) for s in plan.specs}
    notes += [f"Without a step of {s}: {count_of(videos)}." for s, videos in empty.items() if videos]
    for stream in plan.specs:
        num_empty = sum(split.empty_tubes.get(stream, 0) for split in plan.splits)
        if num_empty:
            notes.append(
                f"{num_empty} steps of {stream} have no grid position in the tube: they have the whole grid "
                "instead."
            )
    return tuple(notes)


def _overlap(splits: Sequence[SplitPlan]) -> list[str]:
    """Return one sentence on all splits that test videos of groups that they train on, or none."""
    shared = [
        f"{split.num_sharing_group} of {len(split.test)} in split {split.name}"
        for split in splits
        if split.num_sharing_group
    ]
    if not shared:
        return []
    return [
        "GROUPS OVERLAP: some test videos share their group (athlete, event) with training videos, which "
        f"flatters the numbers: {', '.join(shared)}. "
        "`--split grouped` keeps groups apart, where the dataset has such splits."
    ]


def _labels_left_out(plan: Plan) -> list[str]:
    """Return the sentences on labels that are missing or could not be used."""
    notes = []
    if plan.unlabeled:
        notes.append(f"Left out for want of a {plan.target.name}: {count_of(plan.unlabeled)}.")
    if problems := plan.request.dataset.problems:
        notes.append(f"{len(problems)} labels could not be used: {'; '.join(problems[:NUM_NAMED])}.")
    return notes
