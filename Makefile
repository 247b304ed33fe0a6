# The words to type; what they do is in scripts/, tests/, CMakePresets.json and examples/.
.PHONY: help setup build test demo bench asan tsan tidy format clean distclean
.DEFAULT_GOAL := help

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: ## install what is missing (Debian, Node, DuckDB, packages of the tests and the page), each pinned by hash
	@scripts/setup

build: setup ## build/caudal, optimised
	@scripts/build release
	@ln -sfn release/caudal build/caudal

test: setup ## build with tests and run every one; the last line says N passed, N failed, N skipped
	@scripts/build dev
	@tests/run

demo: build ## the example shop, told with real data, in a copy under build/demo
	@examples/shop/demo

bench: build ## the measurements, each beside its peer in one run
	@bench/run

asan: setup ## the tests under the address and undefined behaviour sanitizers
	@scripts/build asan
	@tests/run --preset asan

tsan: setup ## the unit tests under the thread sanitizer
	@scripts/build tsan
	@tests/run --preset tsan --unit

tidy: ## the rules of structure, then clang-tidy where it is installed (after make test)
	@tests/tidy
	@scripts/lint tidy

format: ## clang-format over src, where it is installed
	@scripts/lint format

clean: ## throw away what was built
	rm -rf build/dev build/asan build/tsan build/release build/caudal build/demo build/page build/test

distclean: ## and what was fetched
	rm -rf build third_party/duckdb web/node_modules
