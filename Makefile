# A thin door to CMake. On a bare Debian machine `make demo` and `make check` are the only commands needed.
PREFIX ?= /usr/local
WERROR ?= OFF
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PYTHON ?= python3
export PYTHON

# The generated build has a make of its own; what this make was called with must not reach it.
configure = cmake -S . -B $(1) -DCMAKE_BUILD_TYPE=$(2) -DCMAKE_INSTALL_PREFIX="$(PREFIX)" -DSTENT_WERROR=$(WERROR)
compile = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL cmake --build $(1) --parallel $(JOBS)

.PHONY: all sanitize debug fuzz setup demo check check-long check-frameworks check-zoo bench dist sbom install clean

all:
	@$(call configure,build,Release) > /dev/null
	@$(call compile,build)

debug:
	@$(call configure,build/debug,Debug) > /dev/null
	@$(call compile,build/debug)

sanitize:
	@$(call configure,build/sanitize,Sanitize) > /dev/null
	@$(call compile,build/sanitize)

fuzz: setup all
	@tools/fuzz --seconds $(or $(SECONDS),60)

setup:
	@tools/setup

demo: setup
	@$(MAKE) --no-print-directory all
	build/stent demo -o demo-out

check: setup
	@tools/check

check-long: setup
	@tools/check --long

# Without TensorFlow or PyTorch (no network, no room) their tests are skipped and say so.
check-frameworks: all
	tools/venv test/frameworks/requirements.txt build/venv-frameworks
	-timeout 900 tools/venv test/frameworks/tensorflow.txt build/venv-tensorflow
	-timeout 900 tools/venv test/frameworks/torch.txt build/venv-torch
	status=0; build/venv-frameworks/bin/python test/frameworks/run.py $(if $(BUDGET),--budget $(BUDGET)) || status=1; \
	build/venv-frameworks/bin/python test/report/browser.py || status=1; exit $$status

# The networks of test/frameworks/zoo.txt in all formats and sizes: hours, and 5 gigabytes at a time.
check-zoo: all
	tools/venv test/frameworks/requirements.txt build/venv-frameworks
	tools/venv test/frameworks/torch.txt build/venv-torch
	build/venv-frameworks/bin/python test/frameworks/run.py --long --only '^zoo/$(NET)'

bench: all
	tools/venv bench/peers.txt build/venv-bench
	build/venv-bench/bin/python bench/versus.py

dist:
	@tools/setup dist
	@tools/dist

# The SBOM of the program in build/ (SPDX 2.3, JSON); `make dist` makes that of the delivered one.
sbom: all
	@tools/sbom --build build

install: all
	DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

clean:
	cmake -E rm -rf build dist demo-out
