"""Who is where in a frame: person detectors behind one small interface."""

from extract.detectors.choose import DETECTORS, load_detector
from extract.detectors.detector import Detect, PersonDetector
from extract.detectors.person_boxes import crop_person, largest_person

__all__ = ["DETECTORS", "Detect", "PersonDetector", "crop_person", "largest_person", "load_detector"]
