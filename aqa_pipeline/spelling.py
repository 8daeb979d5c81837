"""What spellings of a name have in common."""

from unicodedata import normalize


def folded(name: str) -> str:
    """Return what all spellings of a name share: Unicode's canonical caseless form."""
    return normalize("NFD", normalize("NFD", name).casefold())
