"""Person detectors behind one small interface, and rules to choose the athlete among the persons."""

from extract.detectors.athlete import Athlete, AthleteRule
from extract.detectors.choose import DETECTORS, load_detector
from extract.detectors.detector import Detect, PersonDetector
from extract.detectors.person_boxes import crop_person, largest_person

__all__ = [
    "DETECTORS",
    "Athlete",
    "AthleteRule",
    "Detect",
    "PersonDetector",
    "crop_person",
    "largest_person",
    "load_detector",
]
