"""Runs on the Hugging Face hub: a repository with the one file of a run, and its card as the README.

A pulled file is read like any file of a stranger: see `heads.runs.shared_run`.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aqa_pipeline.errors import RunError
from aqa_pipeline.installation import install_command
from heads.runs.shared_run import MODEL_BYTES

FILE = "run.zip"
CARD = "README.md"
HEADER = """\
---
library_name: aqa-pipeline
pipeline_tag: video-classification
tags: [action-quality-assessment]
---

"""


def push_run(shared: Path, card: str, repository: str, *, public: bool) -> str:
    """Write a shared run and its card into a repository, which is made if need be; return its address.

    A new repository is private unless `public`. One that exists keeps its visibility. Raises `RunError` if
    the hub refuses, or the extra is absent.
    """
    hub = _library()
    files = {FILE: shared, CARD: (HEADER + card).encode()}
    with _explained(repository):
        api = hub.HfApi()
        address = api.create_repo(repository, private=not public, exist_ok=True)
        operations = [
            hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
            for name, content in files.items()
        ]
        api.create_commit(repository, operations, commit_message="A run of aqa-pipeline")
    return str(address)


def pull_run(repository: str, folder: Path, *, revision: str | None = None) -> Path:
    """Load the file of a run from a repository into `folder`; return its path.

    Raises `RunError` if the hub refuses, the extra is absent, or the file is larger than a run may be.
    """
    hub = _library()
    with _explained(repository):
        address = hub.hf_hub_url(repository, FILE, revision=revision)
        size = hub.get_hf_file_metadata(address).size
        if size is None or size > MODEL_BYTES:
            raise RunError(f"{FILE} of {repository} has {size} bytes, expected at most {MODEL_BYTES}.")
        return Path(hub.hf_hub_download(repository, FILE, revision=revision, local_dir=folder))


def _library() -> Any:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise RunError(f"the hub needs the package huggingface_hub: {install_command('hub')}")
    import huggingface_hub

    return huggingface_hub


@contextmanager
def _explained(repository: str) -> Iterator[None]:
    """Turn errors of the hub into a `RunError` that says what to do."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise RunError(f"{repository!r} is no name of a repository, such as OWNER/NAME.") from error
    except errors.EntryNotFoundError as error:
        raise RunError(f"{repository} holds no {FILE}: `aqa run push` writes one.") from error
    except errors.RepositoryNotFoundError as error:
        raise RunError(
            f"there is no repository {repository}, or it is private: log in with `hf auth login`."
        ) from error
    except errors.LocalTokenNotFoundError as error:
        raise RunError("the hub does not know you: log in with `hf auth login`.") from error
    except errors.HfHubHTTPError as error:
        raise RunError(f"the hub refused: {_first_line(error)}") from error
    except errors.HTTPError as error:  # type: ignore[attr-defined]
        raise RunError(f"the hub cannot be reached: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
