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
# Memory that training frees and takes again at once is kept: fetched anew, it costs as much as the work.
TUNED := MALLOC_TOP_PAD_=268435456 MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184
# A run of the tests that takes longer than this hangs.
TEST_LIMIT ?= 40m

.PHONY: help setup setup-test setup-train run test lint format bench train clean

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

train: setup-train ## episodes into DATA=work/data, train in RUN=work/run for twice MINUTES=60, pack RUN/nacre.safetensors
	@$(BIN)/python -m model.training.prepare --out $(DATA)
	@test -f $(DATA)/head.safetensors || $(BIN)/python -m model.training.text --out $(DATA)/head.safetensors
	@$(TUNED) $(BIN)/python -m model.training.view --work $(RUN) --minutes $(MINUTES)
	@$(TUNED) $(BIN)/python -m model.training.brush --work $(RUN) --minutes 20
	@$(TUNED) $(BIN)/python -m model.training.train --data $(DATA) --work $(RUN) --minutes $(MINUTES)
	@$(BIN)/python -m model.training.pack --data $(DATA) --work $(RUN) --head $(DATA)/head.safetensors --out $(RUN)/nacre.safetensors

clean: ## remove what set-up, tests and builds left; keeps work/
	rm -rf .venv .setup build dist *.egg-info bench.json
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find drivers model oysterd tests -name __pycache__ -prune -exec rm -rf {} +
