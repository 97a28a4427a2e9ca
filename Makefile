# SPDX-License-Identifier: GPL-2.0-only
# make study   the whole job: set up what is missing, then `uaccel study $(ARGS)`
# make test    the same set-up, then the tests
# make check   ruff and mypy
# make bench   the benchmarks
# UACCEL_CACHE names the folder for kernel trees and builds.

TREE := 6.12
BIN := .venv/bin
SETUP := pyproject.toml tools/venv

.PHONY: study test check bench setup tree clean
.DELETE_ON_ERROR:

study: setup tree
	$(BIN)/uaccel study $(ARGS)

test: $(BIN)/.tests-installed setup tree
	$(BIN)/python -m pytest $(ARGS)

check: $(BIN)/.tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BIN)/.tests-installed setup tree
	for file in $(wildcard benchmarks/*.py); do $(BIN)/python "$$file" $(ARGS) || exit; done

# Missing packages of the distribution: installed when we may, else one line says how.
setup: $(BIN)/.installed
	$(BIN)/uaccel doctor --install

tree: $(BIN)/.installed
	$(BIN)/uaccel tree fetch $(TREE)

$(BIN)/.installed: $(SETUP)
	tools/venv
	touch $@

$(BIN)/.tests-installed: $(SETUP) | $(BIN)/.installed
	tools/venv '[test]'
	touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
