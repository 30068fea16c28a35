# make run   set everything up, then the whole pipeline on config.yaml
# make test  set everything up, then the tests
# make test-all   and the slow ones: pages in a browser, kills at many moments, ways out of a sandbox, whole stages
# make lint | types | clean
# make licences   what is installed, with versions and licences; fails on one that nobody has accepted
# make bench [REPO=path]   measure against git, PyDriller and GitPython

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready

.PHONY: run test test-all lint types licences bench clean

run: $(READY)
	$(BIN)/python pipeline.py --config config.yaml

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow"

test-all: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

licences: $(READY)
	$(BIN)/python scripts/licences.py

# PyDriller is only measured against, so only this needs it.
bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks $(REPO)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -exec rm -rf {} +

$(READY): requirements.txt requirements-no-deps.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-no-deps.txt
	@touch $(READY)
