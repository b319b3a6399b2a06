# The two commands of the README, and those of a developer.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint bench clean

help:
	@echo "make demo    publish the sample articles into demo/ and say where the results lie"
	@echo "make test    install what the tests need and run them"
	@echo "make lint    style, types and import rules"
	@echo "make bench   measure speed and memory"
	@echo "make clean   remove what the others made"

demo: $(VENV)/installed
	@rm -rf demo
	@DISPATCH_SITE_URL=https://courier.example $(BIN)/dispatch publish samples --out demo
	@echo
	@echo "Open in a browser:"
	@find demo/public -maxdepth 2 -name index.html | sort | sed 's/^/  /'
	@echo "The newsletters, the feeds and the wire copies:"
	@find demo/outbox -name email.html | sort | head -n 1 | sed 's/^/  /; s/$$/   (one for each article)/'
	@find demo/outbox -name email.eml | sort | head -n 1 | sed 's/^/  /; s/$$/    (opens in any mail program)/'
	@find demo/outbox -name copy.txt | sort | head -n 1 | sed 's/^/  /; s/$$/     (what a partner takes)/'
	@find demo/public -maxdepth 2 -name 'feed.*' | sort | sed 's/^/  /'

test: $(VENV)/installed-test
	$(BIN)/pytest -n auto

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) demo dist build benchmarks/results .hypothesis .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Dispatch needs Python 3.11 or newer; this is $$($(PYTHON) -V). Run: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python cannot make a virtual environment here. On Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[all]'
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --group test
	@touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(BIN)/pip install --quiet --group lint
	@touch $@
