"""The registry against itself and against the packages that publish the files."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from torchvision.models import get_model_weights, list_models

from aqa_pipeline.weights import WEIGHTS, Identity
from aqa_pipeline.weights.registry import by_name
from aqa_pipeline.weights.sizes import ABOUT_MB, PUBLISHED_MIB

REPOSITORY = Path(__file__).resolve().parents[3]
TORCHVISION = [name for name, entry in WEIGHTS.items() if "download.pytorch.org" in "".join(entry.urls)]

TRUSTED_ON_FIRST_USE = {
    "yolov3u",
    "siammask-vot",
    "siammask-vot-ld",
    "c3d-sports1m-davidea",
    "swin3d_b-kinetics600",
    "videoprism-base-f16r288",
    *(f"{net}-kinetics700-hara" for net in ("r3d34", "r3d50", "r3d101", "r2p1d34", "r2p1d50")),
    *(f"{net}-kinetics400" for net in ("i3d_r50", "slow_r50", "slowfast_r50", "x3d_s", "x3d_m", "csn_r101")),
    "mvit_base_16x4-kinetics400",
    *(f"dinov3-vit{size}16-lvd1689m" for size in "sbl"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_entry_says_what_it_is_and_where_it_comes_from(name):
    entry = WEIGHTS[name]
    assert entry.name == name
    assert entry.license
    assert entry.note
    assert entry.can_be_fetched or entry.manual
    assert all(url.startswith("https://") for url in entry.urls)
    assert ("trust on first use" in entry.identity_text) == (entry.identity is None)


def test_only_files_without_a_published_digest_are_trusted_on_first_use():
    trusted = {name for name, entry in WEIGHTS.items() if entry.identity is None}
    assert trusted == TRUSTED_ON_FIRST_USE


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_publishes_the_same_urls(name):
    model, _, training = name.partition("-")
    publication = {
        "": "COCO_V1",
        "imagenet-v1": "IMAGENET1K_V1",
        "imagenet-v2": "IMAGENET1K_V2",
        "kinetics400": "KINETICS400_V1",
    }[training]
    member = get_model_weights(model)[publication]
    assert WEIGHTS[name].urls == (member.url,)


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_publishes_the_same_sizes(name):
    file_name = WEIGHTS[name].file_name
    members = [member for model in list_models() for member in get_model_weights(model)]
    (size,) = {each.meta["_file_size"] for each in members if each.url.endswith(f"/{file_name}")}
    assert PUBLISHED_MIB[name] == size


def test_sizes_belong_to_entries_and_are_not_stated_twice():
    assert {*PUBLISHED_MIB} == {*TORCHVISION}
    assert not {*ABOUT_MB} & {*TORCHVISION}
    assert all(WEIGHTS[name].size is None for name in ABOUT_MB)


PACKAGED = [name for name, entry in WEIGHTS.items() if entry.package is not None]


@pytest.mark.parametrize("name", PACKAGED)
def test_a_file_of_a_package_is_one_exact_file_of_one_exact_wheel(name):
    entry = WEIGHTS[name]
    assert not entry.urls
    assert entry.size
    assert entry.identity.kind == "sha256"
    assert Identity("sha256", entry.package.wheel_sha256)
    assert f"{entry.package.name}=={entry.package.version}" == entry.package.requirement
    assert entry.package.member.endswith(f"/{entry.file_name}")


def test_the_package_that_our_installation_brings_is_the_one_of_the_registry():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    packages = {WEIGHTS[name].package.requirement for name in PACKAGED}
    assert packages & {*project["dependencies"]} == {WEIGHTS["lite0"].package.requirement}


def test_two_entries_of_one_name_or_file_are_an_error():
    entry = WEIGHTS["yolov3u"]
    with pytest.raises(ValueError, match="registered twice"):
        by_name([entry, entry])


def test_the_registry_needs_no_torch():
    code = "import aqa_pipeline.weights, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_address_of_the_registry_is_safe():
    assert {url.partition(":")[0] for entry in WEIGHTS.values() for url in entry.urls} == {"https"}
