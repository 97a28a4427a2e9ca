# SPDX-License-Identifier: GPL-2.0-only
# make study   the whole job: set up what is missing, then `uaccel study $(ARGS)`
# make test    the same set-up, then the tests
# make check   ruff and mypy
# make bench   the benchmarks
# make corpus  scan the tree anew into corpus/, and show what changed
# UACCEL_CACHE names the folder for kernel trees and builds.

TREE := 6.12
BIN := .venv/bin
SETUP := pyproject.toml tools/venv

.PHONY: study test check bench corpus setup tree clean
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

# Of the fetched tree, whatever $KDIR or the working folder would say.
corpus: tree
	$(BIN)/uaccel scan --no-cache --quiet --tree "$$($(BIN)/uaccel tree fetch $(TREE))" \
		--tsv corpus/v$(TREE).tsv | tail -n 2
	git --no-pager diff --stat -- corpus
	git --no-pager diff --unified=0 -- corpus

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
