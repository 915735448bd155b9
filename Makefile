# SPDX-License-Identifier: Apache-2.0
# The front door. Meson builds below build/; the lab is prepared there too.

BUILD := build
MINUTES ?= 10

all: program

help:
	@echo 'sudo make deps     Debian packages that are missing'
	@echo 'sudo make demo     a stock guest with a card from cards/, and what it says'
	@echo 'make               the program, $(BUILD)/anynic'
	@echo 'sudo make test     every test; tests/run WORD… runs some'
	@echo 'sudo make test-card CARD=e1000   one card in full, with each of its drivers and kernels'
	@echo 'sudo make unit     those without a guest, memory watched and lines counted'
	@echo 'sudo make fuzz     the reader of descriptions fuzzed, for MINUTES=$(MINUTES)'
	@echo "sudo make bench    our figures beside those of QEMU's own card"
	@echo 'sudo make soak     the long forms of the tests, for MINUTES=$(MINUTES)'
	@echo 'sudo make install  the program and the schema, below DESTDIR'

deps:
	@tools/deps

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/setup.log

program: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet >$(BUILD)/program.log || { cat $(BUILD)/program.log; exit 1; }

# stock QEMU and kernels; demo and bench fetch what they need by themselves
lab: deps
	@tools/lab

demo: program
	@tools/demo

# clang and its libFuzzer
fuzz-deps: deps
	@tools/deps clang libclang-rt-dev

# what the tests need besides
test-deps: deps
	@tools/deps openvswitch-switch

test: program lab fuzz-deps test-deps
	@tests/run

unit: program
	@tests/run unit wire

# one card in full, with each driver and kernel: make test-card CARD=e1000
test-card: program lab
	@tests/card $(CARD)

fuzz: program fuzz-deps
	@fuzz/run $(MINUTES)

bench: program
	@bench/run

soak: program lab
	@tests/soak $(MINUTES)

install: program
	@meson install -C $(BUILD) --no-rebuild --quiet

.PHONY: all help deps fuzz-deps test-deps program lab demo test fuzz unit test-card bench soak install
