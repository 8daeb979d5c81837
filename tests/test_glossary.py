"""The glossary has each word once, and guides and help do not paraphrase the field's words."""

import re
from pathlib import Path

import click
import pytest

import cli

REPOSITORY = Path(__file__).resolve().parents[1]
TERM = re.compile(r"^\*\*(.+)\*\*\n: (.+)$", re.M)
# A paraphrase that hides a standard word, and the word.
PARAPHRASES = {
    r"told right": "correct",
    r"what is learned": "the label, or the training set",
    r"videos that it learned from": "training set",
    r"judgement": "scored video",
    r"told by": "the metric, or the label",
    r"tested on once": "in the test set once",
    r"is judged too": "the score is too high or too low",
    r"\bCSV cells?\b": "field, or value",
    r"cells? of (a|the) map": "grid position",
    r"trains? (\w+ )?cells": "trained cell, or table cell",
}


def texts() -> dict[str, str]:
    """Return README, all docs and the help of every command, by name."""
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    return {page.name: page.read_text() for page in pages} | dict(helps(cli.main, "aqa"))


def helps(command: click.Command, name: str, parent: click.Context | None = None) -> list[tuple[str, str]]:
    """Return the help of a command and of those within it. A command keeps the first help option it makes."""
    context = click.Context(command, parent, info_name=name, **command.context_settings)
    found = [(context.command_path, command.get_help(context))]
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        found += helps(inner, str(inner.name), context)
    return found


def test_each_word_is_explained_once_in_order() -> None:
    glossary = (REPOSITORY / "docs" / "glossary.md").read_text()
    terms = [term for term, _ in TERM.findall(glossary)]
    assert len(terms) == glossary.count("**") // 2, "every bold term has an explanation on the next line"
    assert terms == sorted(set(terms), key=str.lower)


@pytest.mark.parametrize("paraphrase", PARAPHRASES)
def test_no_text_paraphrases_a_standard_word(paraphrase: str) -> None:
    found = [name for name, text in texts().items() if re.search(paraphrase, text, re.I)]
    assert not found, f"say {PARAPHRASES[paraphrase]!r} in {found}"
