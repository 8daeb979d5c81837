"""What a stored stream is: the facts of how it is made, and the hash of them that names it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aqa_pipeline.records.read_only import read_only

SpecValue = str | int | float | bool | None

# Who in a video is meant, not how features are made: may be chosen anew for each video.
POINTING = frozenset({"start", "init_box"})


@dataclass(frozen=True)
class StreamSpec:
    """Exactly how a stream is made. Its hash names the stored stream: another spec is another stream.

    `facts` are flat `name: value` pairs: sampling, preprocessing, backbone, weights, detector, precision.
    """

    stream: str
    facts: Mapping[str, SpecValue]

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", read_only(dict(sorted(self.facts.items()))))

    def __hash__(self) -> int:
        return hash((self.stream, tuple(self.facts.items())))

    def to_json(self) -> str:
        """Canonical text: same spec, same bytes."""
        return json.dumps({"stream": self.stream, **self.facts}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "StreamSpec":
        """Return the spec that `to_json` wrote."""
        facts = json.loads(text)
        return cls(stream=facts.pop("stream"), facts=facts)

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical text."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def random_weights(self) -> bool:
        """Whether a network with random weights made this stream (true of demos and tests only)."""
        # A tracker's fact names its kind first: `siammask:davis random:0`.
        words = [word for value in self.facts.values() if isinstance(value, str) for word in value.split()]
        return any(word.startswith("random:") for word in words)

    @property
    def simulated(self) -> bool:
        """Whether these features were drawn at random around known labels; no video was seen."""
        return self.facts.get("simulated") is True

    @property
    def imported(self) -> bool:
        """Whether others made these features: no video was seen here."""
        return "imported" in self.facts

    @property
    def stores_pictures(self) -> bool:
        """Whether the stream holds pictures, as bytes, and not numbers that a network made of them."""
        return self.facts.get("dtype") == "uint8"

    @property
    def in_words(self) -> str:
        """Who made the features, and which: `imported segments (i3d)`, `extracted pixels (171x128)`."""
        origin = "simulated" if self.simulated else "imported" if self.imported else "extracted"
        size = f"{self.facts.get('width')}x{self.facts.get('height')}" if self.stores_pictures else "unknown"
        return f"{origin} {self.stream} ({self.facts.get('backbone', size)})"

    @property
    def views(self) -> tuple[str, ...]:
        """What each step was seen as (`end-0`, `end-0-flip`), the reference first; () for a single way."""
        views = self.facts.get("views")
        return tuple(views.split(",")) if isinstance(views, str) else ()

    def serves_for(self, other: "StreamSpec") -> bool:
        """Whether a head that learned from `other` may read this: they differ at most in who is meant."""
        return self.stream == other.stream and _making(self.facts) == _making(other.facts)

    def differences(self, other: "StreamSpec") -> list[str]:
        """One line per fact that differs, `name: mine != theirs`."""
        mine, theirs = {"stream": self.stream, **self.facts}, {"stream": other.stream, **other.facts}
        return [
            f"{name}: {mine.get(name, '(absent)')} != {theirs.get(name, '(absent)')}"
            for name in sorted({*mine, *theirs})
            if mine.get(name, "(absent)") != theirs.get(name, "(absent)")
        ]


def _making(facts: Mapping[str, SpecValue]) -> dict[str, SpecValue]:
    return {name: value for name, value in facts.items() if name not in POINTING}
