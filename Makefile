# Two commands matter: `make demo` shows Serment at work, `make test` proves it.
# A fresh machine needs Python 3.11 or later with pip, and make; everything else is set up here.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
TESTS ?= tests
ARGS ?=
FR ?=
KILLS ?= 1000
CALLERS ?= 100000
FUZZ_SECONDS ?= 600
VAULT ?= var/vault
KIT ?= var/kit
PRACTICE ?= Cabinet d'essai
ADMIN ?= admin

# The stock tools come first (dcmtk and pynetdicom share command names); .venv may add node.
export PATH := $(PATH):$(CURDIR)/$(BIN)

.PHONY: help setup demo run test components lint format bench fuzz kills callers messages lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS=$$'\t' read -r name text; do \
	  printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: $(VENV)/stamp-serment ## Make .venv with the locked packages and Serment itself

demo: setup ## Show a fictional practice at work (ARGS="--once --json" does not wait)
	$(BIN)/serment demo $(ARGS)

run: setup ## Serve the vault VAULT, made first if there is none
	@test -e "$(VAULT)/serment.toml" || $(BIN)/serment init "$(VAULT)" \
	  --practice "$(PRACTICE)" --admin "$(ADMIN)" --kit "$(KIT)"
	$(BIN)/serment serve --vault "$(VAULT)" $(ARGS)

test: setup components ## Run every test, with format, lint, types and layers
	$(BIN)/pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder -rs --durations=20 $(TESTS) $(ARGS)

components: setup ## Install the real programs that tests talk to, where that is allowed
	@bash tests/components.sh

lint: setup ## Check format, lint, types and layers only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup components ## Measure Serment beside its peers on this machine
	$(BIN)/python -m bench $(ARGS)

kills: setup ## Kill the receiver KILLS (1000) times while devices send
	KILLS=$(KILLS) $(BIN)/pytest -n0 -s tests/e2e/faults/test_killed_at_random.py

callers: setup ## Call the receiver CALLERS (100,000) times; its memory must stay flat
	$(BIN)/python -m tests.e2e.hostile.many --count $(CALLERS)

fuzz: $(VENV)/stamp-fuzzer ## Look for hostile input that breaks a parser, FUZZ_SECONDS (600) for each
	@for file in $$(grep -l '^def fuzz_one' tests/fuzz/*.py); do target=$$(basename "$$file" .py); \
	  if $(BIN)/python -c 'import atheris' 2> /dev/null; \
	    then $(BIN)/python -m tests.fuzz.guided "$$target" --seconds $(FUZZ_SECONDS); \
	    else $(BIN)/python -m tests.fuzz.run "$$target" --seconds $(FUZZ_SECONDS); fi; done

messages: setup ## Update and compile the catalogues, list what is missing (FR=FILE.json fills in)
	$(BIN)/python tools/messages.py $(FR)

lock: $(VENV)/stamp-uv ## Make requirements.lock again from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --quiet -o requirements.lock

clean: ## Remove what was made here
	rm -rf $(VENV) tests/tools/node_modules .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# uv is installed by pip, pinned and hashed by the lock as everything else.
$(VENV)/stamp-uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Serment needs Python 3.11 or later; try: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)
	awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock > $(VENV)/uv.txt
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check \
	  --require-hashes -r $(VENV)/uv.txt
	touch $@

$(VENV)/stamp-packages: requirements.lock $(VENV)/stamp-uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	touch $@

# Atheris (Apache-2.0) leads the search by what each input reaches. It has no build for every
# system: where there is none the same targets are searched without it.
$(VENV)/stamp-fuzzer: tests/fuzz/requirements.lock $(VENV)/stamp-serment
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --only-binary :all: --require-hashes \
	  --no-deps -r tests/fuzz/requirements.lock || echo "fuzzing without Atheris: none for this system" >&2
	touch $@

$(VENV)/stamp-serment: pyproject.toml $(VENV)/stamp-packages
	$(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps \
	  --no-build-isolation --editable .
	touch $@
