"""What a reader of a run's numbers must know, one sentence each."""

from collections.abc import Sequence

from aqa_pipeline.datasets.cross_validation import mixed_tasks
from aqa_pipeline.plurals import counted
from aqa_pipeline.video_names import count_of
from heads.training.planning.plan import Plan, SplitPlan

NUM_NAMED = 10  # problems of the label file


def notes_on(plan: Plan) -> tuple[str, ...]:
    """Return the sentences on a fit: flags, overlapping groups, videos and steps that were left out."""
    notes = _on_weights(plan)
    if plan.request.training.shuffle_labels:
        notes.append("CONTROL: the training labels were shuffled, so there is nothing to learn.")
    if plan.request.training.select == "best-on-test":
        notes.append("NOT MODEL SELECTION: the kept epoch is the one that scored best on the test videos.")
    if plan.head.imported:
        (split,) = plan.splits
        notes.append(
            f"IMPORTED: the weights come from checkpoints, and nothing was trained. That split {split.name} "
            "is the one that they were trained on, and the score scale "
            f"{split.scale.low:g} to {split.scale.high:g}, is taken from the options."
        )
    notes += _overlap(plan.splits)
    if mixed := mixed_tasks(plan.request.dataset, [split.name for split in plan.splits]):
        notes.append(
            f"MIXED TASKS: the folds hold videos of {', '.join(mixed)} together. A correlation over all of "
            "them also counts how these differ from each other."
        )
    notes += _labels_left_out(plan)
    if plan.left_out.missing:
        notes.append(f"Left out for want of features: {count_of(sorted(plan.left_out.missing))}.")
    empty = {
        s: sorted({v for split in plan.splits for v in split.without_steps[s]}) for s in plan.features.specs
    }
    notes += [f"Without a step of {s}: {count_of(videos)}." for s, videos in empty.items() if videos]
    for stream in plan.features.specs:
        num_empty = sum(split.empty_tubes.get(stream, 0) for split in plan.splits)
        if num_empty:
            steps = counted(num_empty, f"step of {stream} has", f"steps of {stream} have")
            they = "it has" if num_empty == 1 else "they have"
            notes.append(f"{steps} no grid position in the tube: {they} the whole grid instead.")
    return tuple(notes)


def _on_weights(plan: Plan) -> list[str]:
    """Return the sentences on features and backbones that know nothing of videos."""
    notes = []
    specs = plan.features.specs.values()
    if any(spec.random_weights for spec in specs):
        notes.append("RANDOM WEIGHTS: these features come from untrained networks; a demo, not a result.")
    tuned = plan.head.backbone
    if tuned is not None and tuned.weights.startswith("random:"):
        name = tuned.backbone.name
        notes.append(f"FROM SCRATCH: the backbone {name} began with random weights, not pretrained ones.")
    if any(spec.simulated for spec in specs):
        notes.append("SIMULATED: these features were drawn at random around the labels; no video was seen.")
    return notes


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
    if plan.left_out.unlabeled:
        notes.append(f"Left out for want of a {plan.target.name}: {count_of(plan.left_out.unlabeled)}.")
    if problems := plan.request.dataset.problems:
        notes.append(
            f"{counted(len(problems), 'label')} could not be used: {'; '.join(problems[:NUM_NAMED])}."
        )
    return notes
