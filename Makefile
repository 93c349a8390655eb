# Everything by one word; `make` alone lists the words. Set-up is part of each and done once.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin

CONFIG ?= configs/demo.toml
CLIP := work/demo_clip.mp4
DATA ?= work/data
RUN ?= work/run
MINUTES ?= 60
TESTS ?=
# A run of the tests that takes longer than this hangs.
TEST_LIMIT ?= 40m

.PHONY: help setup setup-test setup-train run test lint format bench nightly train clean

help: ## list these
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## what running needs: system packages, .venv
	@.ci/setup.sh run

setup-test:
	@.ci/setup.sh test

setup-train:
	@.ci/setup.sh train

run: setup ## start a world (CONFIG=configs/demo.toml)
	@$(BIN)/python -m drivers.demo_clip $(CLIP) || echo "make run: goes on without $(CLIP), so the camera will be missing"
	@exec $(BIN)/oysterd run --config $(CONFIG)

test: setup-test lint ## everything that CI runs (TESTS="tests/test_page.py -k sound")
	@timeout --foreground --kill-after=30s $(TEST_LIMIT) $(BIN)/python -m pytest $(TESTS)

lint: setup-test ## ruff, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup-test ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test ## measure the running daemon; writes bench.json
	@PYTHONPATH=.:tests $(BIN)/python tests/bench.py

nightly: setup-train ## judge the shipped model, quickly; report in work/evaluation
	@$(BIN)/oysterd evaluate --quick

train: setup-train ## episodes into DATA=work/data, train in RUN=work/run for twice MINUTES=60, pack RUN/nacre.safetensors
	@$(BIN)/oysterd train --data $(DATA) --work $(RUN) --minutes $(MINUTES)

clean: ## remove what set-up, tests and builds left; keeps work/
	rm -rf .venv .setup build dist *.egg-info bench.json
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find drivers model oysterd tests -name __pycache__ -prune -exec rm -rf {} +
