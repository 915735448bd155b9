/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Serial buses whose wires are bits of a register. Here are the wires: which bit
 * is which, which are inverted, and who drives a wire that several share. What is
 * said over them is in microwire.c (an EEPROM) and mdio.c (a PHY).
 */
#include "nic/state.h"

void pins_init(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->pins_count; i++)
		nic->shifters[i].data = true; /* nobody drives it */
}

static bool wire(const struct pins *pins, uint64_t value, uint8_t bit)
{
	return bit != NO_WIRE && ((value ^ pins->inverted) >> bit & 1);
}

/* Does the driver hold the wire it shares with the PHY? */
static bool driven(const struct pins *pins, uint64_t value)
{
	return pins->direction == NO_WIRE || wire(pins, value, pins->direction);
}

static void pins_moved(struct nic *nic, const struct pins *pins, struct shifter *shifter,
		       uint64_t value)
{
	bool clock = wire(pins, value, pins->clock), rises = clock && !shifter->clock;

	shifter->clock = clock; /* before the transfer: it may write the register again */
	if (pins->mdio) {
		if (rises)
			mdio_clock(nic, pins, shifter,
				   !driven(pins, value) || wire(pins, value, pins->in));
	} else if (!wire(pins, value, pins->select)) {
		microwire_deselect(shifter);
	} else if (rises) {
		microwire_clock(nic, pins, shifter, wire(pins, value, pins->in));
	}
}

void pins_written(struct nic *nic, unsigned word)
{
	for (unsigned i = 0; i < nic->card->pins_count; i++) {
		const struct pins *pins = &nic->card->pins[i];
		struct scope scope = {0};

		if (pins->word == word && expr_holds(nic, &pins->when, &scope))
			pins_moved(nic, pins, &nic->shifters[i], nic->state[word]);
	}
}

/* A wire of several chips is high when all of them leave it so. */
uint64_t pins_shown(const struct nic *nic, unsigned word, uint64_t value)
{
	uint64_t shown = 0, low = 0, stored = nic->state[word];

	for (unsigned i = 0; i < nic->card->pins_count; i++) {
		const struct pins *pins = &nic->card->pins[i];

		if (pins->word != word || (pins->in == pins->out && driven(pins, stored)))
			continue;
		shown |= 1ull << pins->out;
		if (nic->shifters[i].data == (pins->inverted >> pins->out & 1))
			low |= 1ull << pins->out;
	}
	return (value & ~shown) | (shown & ~low);
}
