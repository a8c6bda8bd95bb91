# Every target sets itself up in .venv; needed beforehand: Python 3.11 or newer, make, git.
SHELL := /bin/sh
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PY := $(BIN)/python
# More workers than this only crowd each other: many tests start whole programs.
PYTEST_ARGS ?= -n logical --maxprocesses=4 --dist=loadfile
ARGS ?=
FAULTS ?=

# What an installed tree is made from, besides Python files (those are read in place).
BUILT_FROM := pyproject.toml hatch_build.py hatch_native.py install.json $(wildcard nuvo_jupyter/native/*.[ch]) $(shell find labextension nuvo_jupyter/etc -type f \
  -not -path '*/node_modules/*' -not -path '*/lib/*' -not -path '*/.yarn/*' -not -name '*.tsbuildinfo')
BASE := $(VENV)/.ready-base
DEMO := $(VENV)/.ready-demo
TEST := $(VENV)/.ready-test
LINT := $(VENV)/.ready-lint

.PHONY: help demo test test-faults lint format bench clean
help:
	@echo 'make demo    build, create a course with 30 students, open JupyterLab (ARGS=--check: run the story headless)'
	@echo 'make test    the whole test suite (PYTEST_ARGS="tests/merge -k notebook" for a part)'
	@echo 'make test-faults  the tests of faults in their long form (FAULTS="--faults-seed=1 -k power")'
	@echo 'make lint    ruff, mypy, eslint, prettier, tsc, lock files'
	@echo 'make format  let ruff, eslint and prettier rewrite what they can'
	@echo 'make bench   compare with restic, borg, git, cp, rsync, nbgitpuller'
	@echo 'make clean   remove everything make built or set up'

demo: $(DEMO)
	$(BIN)/nuvo demo $(ARGS)

test: $(TEST)
	PATH="$(BIN):$$PATH" $(PY) -m pytest $(PYTEST_ARGS)

# An hour or more. As many at once as there are processors would change what is tested.
test-faults: $(TEST)
	PATH="$(BIN):$$PATH" $(PY) -m pytest tests/faults -n0 -v -s --long-faults --timeout=7200 $(FAULTS)

lint: $(LINT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd labextension && PATH="$(BIN):$$PATH" && jlpm install --immutable && jlpm lint:check
	@test -s labextension/yarn.lock
	@echo 'lock files hold no addresses'
	@! grep -nE 'https?(:|%3A)|archiveUrl' $$(git ls-files -- '*yarn.lock' '*.lock' '*-lock.json' '*-lock.yaml')

format: $(LINT)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	cd labextension && PATH="$(BIN):$$PATH" jlpm lint

bench: $(DEMO)
	PATH="$(BIN):$$PATH" $(PY) -m bench $(ARGS)

clean:
	rm -rf $(VENV) dist build nuvo_jupyter/labextension nuvo_jupyter/_version.py nuvo_jupyter/native/*.so
	rm -rf labextension/lib labextension/node_modules labextension/.yarn labextension/*.tsbuildinfo
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis

$(PY):
	@for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14; do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; exec "$$python" -m venv $(VENV); \
	  fi; \
	done; \
	echo 'No Python 3.11 or newer with venv was found; name one: make PYTHON=/path/to/python3.11' >&2; exit 1

$(BASE): $(BUILT_FROM) | $(PY)
	$(PY) -m pip install --quiet -e .
	@touch $@

$(DEMO): $(BUILT_FROM) | $(PY)
	$(PY) -m pip install --quiet -e '.[demo]'
	@touch $(BASE) $@

$(TEST): $(BUILT_FROM) | $(PY)
	$(PY) -m pip install --quiet -e '.[test]'
	@touch $(BASE) $@

# The Node that came with the environment serves jlpm too.
$(LINT): $(BUILT_FROM) | $(PY)
	$(PY) -m pip install --quiet -e '.[lint]'
	ln -sf "$$($(PY) -c 'import hatch_build; print(hatch_build.node_folder())')/node" $(BIN)/node
	@touch $(BASE) $(TEST) $@
