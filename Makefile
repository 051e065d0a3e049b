# Everything here needs only Python 3.11 or later, pip and make; each target makes what it needs.
PYTHON ?= python3
VENV ?= .venv
VENV_TFLITE ?= .venv-tflite
PYTEST_FLAGS ?=

BIN = $(VENV)/bin

.PHONY: help demo test check fast slow tflite device-test figures reference reference-check clean

help:
	@echo "make demo         train, export, classify, benchmark: the whole way, in a few minutes"
	@echo "make test         every test, but for the next"
	@echo "make device-test  the device files on emulated Raspberry Pis, 64-bit and 32-bit"
	@echo "make check        format, lint, types, import contracts, docs' figures, fast tests"
	@echo "make reference    train and export the shipped model anew"
	@echo "make reference-check  score the shipped models on the real test pictures"
	@echo "make figures      write the figures of README.md and docs/ anew from docs/reports/"
	@echo "make clean        remove what these targets made"

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# Its own environment: the engine for 32-bit devices was built against NumPy 1.
$(VENV_TFLITE)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV_TFLITE)
	$(VENV_TFLITE)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -e '.[tflite]' pytest pytest-timeout hypothesis
	touch $@

demo: $(VENV)/ready
	PATH="$(abspath $(BIN)):$$PATH" sh scripts/demo.sh

# tflite-runtime has no wheels for Python 3.12 and later.
test: fast slow $(shell $(PYTHON) -c 'import sys; sys.version_info < (3, 12) and print("tflite")')

fast: $(VENV)/ready
	$(BIN)/python -m pytest -m "not slow" -n 2 $(PYTEST_FLAGS)

slow: $(VENV)/ready
	$(BIN)/python -m pytest -m slow -n 2 --dist loadfile --ignore=tests/device $(PYTEST_FLAGS)

tflite: $(VENV_TFLITE)/ready
	$(VENV_TFLITE)/bin/python -m pytest tests/edge_runtime \
	  tests/benchmarks/test_limit.py tests/benchmarks/test_synthetic.py $(PYTEST_FLAGS)

# Debian's own Python and packages for ARM, run by QEMU; kept in .device-lab/.
device-test: $(VENV)/ready
	$(BIN)/python -m tests.device.lab
	$(BIN)/python -m pytest tests/device -m device $(PYTEST_FLAGS)

check: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m scripts.figures --check
	$(BIN)/python -m pytest -q -m "not slow" -n 2

figures: $(VENV)/ready
	$(BIN)/python -m scripts.figures

reference: $(VENV)/ready
	PATH="$(abspath $(BIN)):$$PATH" sh scripts/reference.sh

reference-check: $(VENV)/ready
	$(BIN)/python -m scripts.reference_check

clean:
	rm -rf $(VENV) $(VENV_TFLITE) .device-lab demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
