# SPDX-License-Identifier: Apache-2.0
# The front door. Meson builds below build/; the lab is prepared there too.

BUILD := build

all: program

deps:
	@tools/deps

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/setup.log

program: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

lab: deps
	@tools/lab

test: program lab
	@tests/run

# memory watched, lines counted: builds of their own, below $(BUILD)
unit: program
	@tests/run unit wire

.PHONY: all deps program lab test unit

demo: program lab
	@tools/demo

.PHONY: demo

# one card: make test-card CARD=e1000
test-card: program lab
	@tests/run cards.$(subst -,_,$(CARD))

.PHONY: test-card
