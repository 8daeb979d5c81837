"""What a person may choose about tubes, or what a run remembers of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from aqa_pipeline.records import SpecValue, StreamSpec
from extract.detectors import PersonDetector
from extract.detectors.choose import official_weights as detector_weights
from extract.detectors.first_person import Start
from extract.streams.tube_sampling import VIEWS, TubeSampling
from extract.trackers import Rules, TubeSource, load_tube_source
from extract.trackers.choose import ANNOTATIONS
from extract.trackers.choose import official_weights as tracker_weights

RULES = {"start", "init_box", "doubt_below", "look_seconds", "again_seconds", "missed_looks"}
USUAL_TRACKER = "siammask"


@dataclass(frozen=True)
class TubeChoices:
    """How the stream `tubes` is cut, and who follows the athlete: see `load_tube_source`.

    Without a `tracker` it is SiamMask, or the one of the run that is rebuilt; so are its weights, else
    official. `start` and `init_box`, where given, go before those of the `rules`. Raises `AqaError` for
    choices that make no sense.
    """

    sampling: TubeSampling = field(default_factory=TubeSampling)
    tracker: str | None = None
    weights: str | None = None
    rules: Rules = field(default_factory=Rules)
    start: Start | None = None
    init_box: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        _ = self.chosen_rules  # checked here, before anything is loaded

    @property
    def chosen_rules(self) -> Rules:
        """The rules with the start that was given."""
        start, box = self.start or self.rules.start, self.init_box or self.rules.init_box
        return replace(self.rules, start=start, init_box=box)

    def official_weights(self, detector: str) -> tuple[str, ...]:
        """Return what `aqa weights` must have; the detector's too where a tracker needs one."""
        tracker = self.tracker or USUAL_TRACKER
        of_tracker = tracker_weights(tracker) if (self.weights or "official") == "official" else ()
        is_read = tracker.partition(":")[0] == ANNOTATIONS
        return of_tracker if is_read else (*of_tracker, *detector_weights(detector))

    def load(self, detector: Callable[[], PersonDetector], *, device: str) -> TubeSource:
        """Raise as `load_tube_source`; `detector` is called only where the tracker needs one."""
        return load_tube_source(
            self.tracker or USUAL_TRACKER,
            detector=detector,
            device=device,
            weights=self.weights or "official",
            rules=self.chosen_rules,
        )


def tubes_as_in(spec: StreamSpec, choices: TubeChoices) -> TubeChoices:
    """How the spec's tubes were made, with the tracker, its weights and the start at hand if they are chosen.

    What the spec does not say is as in `choices`: of other streams, everything.
    """
    if spec.stream != "tubes":
        return choices
    tracker = str(spec.facts["tracker"])
    random = re.search(r"random:\d+", tracker)
    return replace(
        choices,
        sampling=_sampling_as_in(spec),
        tracker=choices.tracker or tracker.partition(" ")[0],
        weights=choices.weights or (random[0] if random else None),
        rules=_rules_as_in(spec.facts),
    )


def _sampling_as_in(spec: StreamSpec) -> TubeSampling:
    usual = TubeSampling()
    by_views = {tuple(view.name for view in views): name for name, views in VIEWS.items()}
    views = by_views.get(spec.views, usual.views)  # unknown ones differ from the spec right after
    return TubeSampling(int(spec.facts["num_frames"] or 0), int(spec.facts["stride"] or 0), views)


def _rules_as_in(facts: Mapping[str, SpecValue]) -> Rules:
    """Return the rules of a tracker; quads from disk have none."""
    if not facts.keys() >= RULES:  # quads from disk, or tubes that were made in another way
        return Rules()
    box = facts["init_box"]
    return Rules(
        start=facts["start"],  # type: ignore[arg-type]  # checked by Rules
        init_box=tuple(float(number) for number in box.split(",")) if isinstance(box, str) else None,
        doubt_below=float(facts["doubt_below"] or 0),
        look_seconds=float(facts["look_seconds"] or 0),
        again_seconds=float(facts["again_seconds"] or 0),
        missed_looks=int(facts["missed_looks"] or 0),
    )
