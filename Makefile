# `make demo` and `make test` need Python 3.11 to 3.13 and nothing else; they make .venv by themselves.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
PYTEST_JOBS ?= 3  # one more than cores: many tests wait for processes
# Where this variable is set, every process compiles torch's sources again, for seconds.
export PYTHONDONTWRITEBYTECODE :=
# A worker that crashes ends the run: a new one in its place can wait for ever.
IN_PARALLEL := -n $(PYTEST_JOBS) --dist loadgroup --max-worker-restart 0
NEWEST := build/newest
QUICK := tests/test_house.py tests/test_glossary.py tests/cli/test_front_door.py tests/cli/test_defaults.py \
  tests/cli/test_environment_and_exit_codes.py tests/aqa_pipeline/test_metrics.py tests/aqa_pipeline/store \
  tests/aqa_pipeline/datasets/adapters tests/aqa_pipeline/video/test_sampling.py tests/extract/streams \
  tests/heads/models tests/heads/data tests/heads/evaluation tests/journeys/scoring/test_report.py \
  tests/journeys/scoring/test_score.py::test_own_videos_get_a_score_a_page_and_files

.DEFAULT_GOAL := help
OTHER_TABLES := wd-table1a wd-table1b wd-table3 $(foreach n,1 2 3 4 5 6,tsa-table$(n))
.PHONY: reproduce-table1 reproduce-table2 reproduce-table3 reproduce-table4 $(OTHER_TABLES:%=reproduce-%)
.PHONY: help setup demo test quick check lint types fmt smoke docs release newest older-cpu bench gpu campaign clean

# Code 3 says that a part of the table was run: make calls that an error, so that it needs a word.
define reproduce
$(info $(BIN)/aqa reproduce $(1) $(ARGS))
@$(BIN)/aqa reproduce $(1) $(ARGS); code=$$?; \
  [ $$code -ne 3 ] || echo "Not all cells could be run (see above for what they lack): exit code 3."; \
  [ $$code -ne 4 ] || echo "A quick look, no reproduction: exit code 4."; exit $$code
endef

help:            ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 24

setup: $(VENV)/.dev  ## everything for work on the project, in .venv

demo: $(VENV)/.core  ## the whole pipeline on rendered videos: no download, minutes
	$(BIN)/aqa demo

reproduce-table1: $(VENV)/.dev  ## ACTION-NET's Table 1 from features, or from videos (options: ARGS="--root mit-skating=DIR")
	$(call reproduce,action-net-table1)

reproduce-table2: $(VENV)/.dev  ## its Table 2: dynamic and static stream
	$(call reproduce,action-net-table2)

reproduce-table3: $(VENV)/.dev  ## its Table 3: aggregation
	$(call reproduce,action-net-table3)

reproduce-table4: $(VENV)/.dev  ## its Table 4: with and without detection
	$(call reproduce,action-net-table4)

reproduce-wd-table1a:  ## Weight-Decider's Table 1a: depths and convolutions
reproduce-wd-table1b:  ## its Table 1b: lengths of clips
reproduce-wd-table3:  ## its Table 3: MTL-AQA
reproduce-tsa-table1:  ## TSA-Net's Table 1: AQA-7
reproduce-tsa-table2:  ## its Table 2: how many modules
reproduce-tsa-table3:  ## its Table 3: what attention costs and brings
reproduce-tsa-table4:  ## its Table 4: MTL-AQA
reproduce-tsa-table5:  ## its Table 5: correlation, error and cost
reproduce-tsa-table6:  ## its Table 6: accuracy on FR-FS
$(OTHER_TABLES:%=reproduce-%): reproduce-%: $(VENV)/.dev
	$(call reproduce,$*)

test: $(VENV)/.dev  ## all tests (those that need ../shared or a GPU are skipped without)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(IN_PARALLEL)

quick: $(VENV)/.dev  ## the core's tests and one way from videos to a report, about two minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q $(IN_PARALLEL) $(QUICK)

check: lint types docs test smoke  ## what CI runs

lint: $(VENV)/.dev  ## format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## static types
	$(BIN)/mypy

fmt: $(VENV)/.dev  ## put the format right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

smoke: $(VENV)/.dev  ## the wheel holds what it must, and `aqa` starts without development tools
	$(BIN)/python -m build --wheel --outdir build/wheel . >/dev/null
	$(BIN)/python tests/smoke.py build/wheel

docs: $(VENV)/.dev  ## the guides and the reference as pages in build/docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -q -b html docs build/docs

release: $(VENV)/.dev  ## builds sdist and wheel, tries the wheel in a fresh environment, writes the notes of the tag
	$(BIN)/python tests/release.py

newest:          ## the newest version of every library: demo, pages, clips (PYTHON=python3.13; 6 GB meanwhile)
	rm -rf $(NEWEST)
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check .
	$(NEWEST)/bin/python tests/smoke_newest.py
	rm -rf $(NEWEST)

older-cpu: $(VENV)/.dev  ## the tests that choose a precision, with the instructions of a CPU of 2013
	TORCHINDUCTOR_CACHE_DIR=build/older-cpu ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OMP_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -q \
	  tests/aqa_pipeline/test_precision.py tests/extract tests/heads -k "bf16 or bfloat16 or precision or choices"

bench: $(VENV)/.dev  ## speed against the plain ways, and docs/performance.md (a quarter of an hour, idle)
	$(BIN)/python -m benchmarks.report

gpu: $(VENV)/.dev  ## what needs a GPU: tests, speed, fine-tuning steps, eight minutes (on a CPU: ARGS=--rehearse)
	$(BIN)/python -m benchmarks.gpu $(ARGS)

campaign: $(VENV)/.dev  ## kills, full disks, flipped bits, hostile files: the figures of docs/reliability.md (three quarters of an hour, idle)
	OMP_NUM_THREADS=1 $(BIN)/python -m campaigns.all $(ARGS)

clean:           ## remove what make and the demo made
	rm -rf $(VENV) build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11 to 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV): one to three minutes, torch is large."
	$(PIP) -e '.[openvino]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) -e '.[dev,all]'
	@touch $@
