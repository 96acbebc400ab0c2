# The same verbs on a fresh machine, in CI and by hand. Each one sets up .venv itself; a second run reuses it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test check bench constraints picture clean

demo: $(READY)
	@$(BIN)/icp-sync demo

test: $(READY)
	@$(BIN)/python -m pytest -n 2 tests

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m tests.bench

picture: $(READY)  ## the demo's own output, as the SVG the README shows
	@$(BIN)/icp-sync demo --svg .github/demo.svg

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,console,cluster,dev]'
	@touch $(READY)

constraints:  ## new pins; the file names no registry
	@$(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/pip install --quiet uv
	@$(VENV)/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header --all-extras pyproject.toml -o constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
