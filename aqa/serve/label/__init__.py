"""The label page: cut performances out of videos, and enter who did what, when, and for which score."""
