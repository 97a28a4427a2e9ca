# SPDX-License-Identifier: GPL-2.0-only
# make study   the whole job: set up what is missing, then `uaccel study $(ARGS)`, with its page in report/
# make test    the same set-up, then the tests
# make check   ruff and mypy
# make test-boot  kernels built, booted and counted in an emulator: minutes and a gigabyte at first
# make bench   the benchmarks
# make corpus  scan the tree anew into corpus/, and show what changed
# make corpus-styles  ask every style that needs no build about every cluster of the trees into corpus/
# make corpus-build   compile what the styles write, by allmodconfigs; hours at first, then little
# make corpus-windows unmake the windows that stand, make them again, build and count both
# make corpus-people  what people wrote as windows and scopes between two trees, beside ours
# make corpus-runs    run what `window` writes beside what stood there, on three architectures
# make corpus-cited   the functions of the seed's cited commits in every style, counted
# make corpus-check   every window of three trees judged, and what the styles write, beside what a person said
# make corpus-mutants the mistakes people made, made in what is written: is each noticed
# make corpus-objtool what objtool says of windows, right ones and wrong ones, beside `uaccel check`
# UACCEL_CACHE names the folder for kernel trees and builds.

TREE := 6.12
REPORT := report
TREES := 6.12 6.1 7.3
BIN := .venv/bin
SETUP := pyproject.toml tools/venv

.PHONY: study test test-boot check bench corpus corpus-styles corpus-build corpus-windows corpus-people \
	corpus-cited corpus-runs corpus-check corpus-mutants corpus-objtool \
	setup tree clean
.DELETE_ON_ERROR:

study: setup tree
	$(BIN)/uaccel study --html $(REPORT) $(ARGS)

test: $(BIN)/.tests-installed setup tree
	$(BIN)/uaccel doctor --install --tests
	$(BIN)/python -m pytest $(ARGS)

test-boot: $(BIN)/.tests-installed setup tree
	$(BIN)/uaccel doctor --install --boot
	$(BIN)/python -m pytest -m boot tests/boot $(ARGS)

check: $(BIN)/.tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BIN)/.tests-installed setup tree
	for file in $(wildcard benchmarks/*.py); do PYTHONPATH=. $(BIN)/python "$$file" $(ARGS) || exit; done

# Of the fetched tree, whatever $KDIR or the working folder would say.
corpus: tree
	$(BIN)/uaccel scan --no-cache --quiet --tree "$$($(BIN)/uaccel tree fetch $(TREE))" \
		--tsv corpus/v$(TREE).tsv | tail -n 2
	git --no-pager diff --stat -- corpus
	git --no-pager diff --unified=0 -- corpus

# The programs of the corpus are modules: they share corpus/tables.py.
corpus-styles: tree
	for tree in $(TREES); do \
		$(BIN)/python -m corpus.styles --tree "$$($(BIN)/uaccel tree fetch $$tree)" --out corpus $(ARGS) \
			|| exit; done
	git --no-pager diff --stat -- corpus

# What was built before is not built again; Ctrl-C leaves nothing half written.
corpus-build: tree
	$(BIN)/python -m corpus.build --tree "$$($(BIN)/uaccel tree fetch $(TREE))" --out corpus $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-windows: tree
	$(BIN)/python -m corpus.windows --tree "$$($(BIN)/uaccel tree fetch $(TREE))" --out corpus $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-people: tree
	$(BIN)/python -m corpus.people --old "$$($(BIN)/uaccel tree fetch 6.12)" \
		--new "$$($(BIN)/uaccel tree fetch 7.3)" --out corpus/people.tsv $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-cited: tree
	$(BIN)/python -m corpus.cited --tree "$$($(BIN)/uaccel tree fetch 6.12)" \
		--tree "$$($(BIN)/uaccel tree fetch 7.3)" --out corpus/cited.tsv $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-runs: tree
	$(BIN)/python -m corpus.runs --tree "$$($(BIN)/uaccel tree fetch $(TREE))" --out corpus $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-check: tree
	for tree in 6.1 6.12 7.3; do \
		$(BIN)/python -m corpus.check --tree "$$($(BIN)/uaccel tree fetch $$tree)" $(ARGS) || exit; \
	done
	$(BIN)/python -m corpus.check --tree "$$($(BIN)/uaccel tree fetch $(TREE))" \
		--style window --style fieldwise --style structcopy --style masked $(ARGS)

corpus-mutants: tree
	$(BIN)/python -m corpus.mutants --tree "$$($(BIN)/uaccel tree fetch $(TREE))" --out corpus $(ARGS)
	git --no-pager diff --stat -- corpus

corpus-objtool: tree
	$(BIN)/python -m corpus.objtool --tree "$$($(BIN)/uaccel tree fetch $(TREE))" --out corpus $(ARGS)
	git --no-pager diff --stat -- corpus

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
