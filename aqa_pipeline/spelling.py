"""Compare names regardless of their spelling in Unicode and of upper and lower case."""

from unicodedata import normalize


def folded(name: str) -> str:
    """Return the canonical caseless form of Unicode, which all spellings of a name share."""
    return normalize("NFD", normalize("NFD", name).casefold())
