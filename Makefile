# The two commands of the README, and those of a developer.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint bench clean

help:
	@echo "make demo    publish the samples into demo/, send a newsletter to 1,000 invented readers"
	@echo "make test    install what the tests need and run them"
	@echo "make lint    style, types and import rules"
	@echo "make bench   measure speed and memory"
	@echo "make clean   remove what the others made"

demo: $(VENV)/installed
	@rm -rf demo
	@DISPATCH_SITE_URL=https://courier.example $(BIN)/dispatch publish samples --out demo
	@echo
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh samples/send.sh demo
	@echo
	@echo "Each desk's page and its feeds (feed.rss, feed.atom, feed.json) lie in:"
	@for folder in demo/public/*/; do echo "  $${folder}index.html"; done
	@echo "Each article's web page:"
	@for page in demo/public/*/*/*/*/*/index.html; do echo "  $$page"; done
	@echo "Each article's newsletter (email.html, email.txt, email.eml) and wire copy (copy.txt, copy.ascii.txt):"
	@for folder in demo/outbox/*/*/*/*/*/; do echo "  $$folder"; done
	@echo "The messages that were caught: demo/caught/"
	@echo
	@echo "Begin with demo/outbox/world/2026/10/09/grain-corridor/email.html in a browser, and with"
	@echo "  $(BIN)/dispatch mailing recipients 1 --out demo"

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
