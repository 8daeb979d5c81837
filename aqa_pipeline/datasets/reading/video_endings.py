"""List the file endings of videos."""

VIDEO_SUFFIXES = frozenset(
    (
        ".mp4",
        ".avi",
        ".mkv",
        ".webm",
        ".mov",
        ".m4v",
        ".mpg",
        ".mpeg",
        ".ts",
        ".m2ts",
        ".mts",
        ".vob",
        ".mxf",
        ".flv",
        ".wmv",
        ".asf",
        ".ogv",
        ".3gp",
        ".3g2",
        ".gif",
    )
)
# A .gif is often a small preview beside the video of the same name.
PREVIEW_SUFFIX = ".gif"


def without_video_suffix(name: str) -> str:
    """Return `a/b` for `a/b.mp4`. Any other ending stays, because names may contain dots."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and f".{suffix.lower()}" in VIDEO_SUFFIXES else name


def without_previews(names: list[str]) -> list[str]:
    """Return the names without those that end in .gif, unless all of them do."""
    videos = [name for name in names if not name.lower().endswith(PREVIEW_SUFFIX)]
    return videos or names
