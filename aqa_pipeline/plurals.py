"""Numbers of things in a sentence."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 video`, or `2 videos`; `many` is the plural where an s at the end does not make it."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
