# The commands of the README, and those of a developer.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help demo serve test lint bench clean

help:
	@echo "make demo    publish the samples into demo/, send a newsletter to 1,000 invented readers"
	@echo "make serve   put the demo on the web, for this machine alone: read, sign up, confirm, leave"
	@echo "make test    install what the tests need and run them"
	@echo "make lint    style, types and import rules"
	@echo "make bench   measure speed and memory"
	@echo "make clean   remove what the others made"

demo: $(VENV)/installed
	@rm -rf demo && mkdir demo && cp samples/demo.env demo/.env
	@cd demo && $(CURDIR)/$(BIN)/dispatch publish ../samples
	@echo
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh samples/send.sh demo
	@echo
	@echo "Begin with"
	@echo "  demo/outbox/world/2026/10/09/grain-corridor/   an article as a newsletter (email.html, .txt, .eml) and as wire copy"
	@echo "  demo/public/world/                             the desk's page and feeds: index.html, feed.rss, feed.atom, feed.json"
	@echo "  demo/caught/                                   the messages that the mail server caught"
	@echo
	@echo "  cd demo; ../$(BIN)/dispatch mailing show 1     what became of every copy"
	@echo "  make serve                                     the site on this machine: read, sign up, confirm, leave"

serve: $(VENV)/installed
	@test -e demo/.env || { echo "There is no demo yet: make demo makes it."; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec sh samples/serve.sh demo

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
