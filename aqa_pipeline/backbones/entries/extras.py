"""Explain that a backbone needs an optional package."""

from collections.abc import Iterator
from contextlib import contextmanager

from aqa_pipeline.errors import AqaError
from aqa_pipeline.installation import install_command


@contextmanager
def package_needed(backbone: str, extra: str) -> Iterator[None]:
    """Turn an `ImportError` inside the `with` block into an `AqaError` with the command for the extra.

    The extra has the name of the package that it installs.
    """
    try:
        yield
    except ImportError as error:
        raise AqaError(
            f"backbone {backbone!r} needs {extra}, which is not installed or too old ({error}): "
            f"{install_command(extra)}"
        ) from error
