"""`aqa run schema`: the committed schema is what the command writes, and it accepts what a fit writes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from heads.runs.run_config import RunConfig

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_committed_schema_is_what_the_command_writes() -> None:
    written = CliRunner().invoke(cli.main, ["run", "schema"])
    assert written.exit_code == 0, written.output
    assert (DOCS / "config-schema.json").read_text() == written.output, (
        "run `aqa run schema > docs/config-schema.json`"
    )


def test_the_schema_knows_every_field_and_no_other() -> None:
    schema = json.loads((DOCS / "config-schema.json").read_text())
    assert set(schema["properties"]) == set(schema["required"]) == set(RunConfig.model_fields)
    assert schema["additionalProperties"] is False
    for name, part in schema["$defs"].items():
        assert part.get("additionalProperties") is False, name


@pytest.mark.parametrize("name", RunConfig.model_fields)
def test_the_page_on_runs_explains_every_field(name: str) -> None:
    assert f"`{name}`" in (DOCS / "run-folder.md").read_text()
