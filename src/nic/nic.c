/* SPDX-License-Identifier: Apache-2.0 */
#include "nic/hook_calls.h"
#include "nic/state.h"

#include <stdlib.h>
#include <string.h>

enum { RESET_POWER, RESET_FUNCTION };

static void timer_fired(struct timer *timer)
{
	struct nic *nic = timer->context;
	const struct card_timer *at = &nic->card->timers[timer - nic->timers];
	struct scope scope = {0};

	if (nic->stands) {
		nic->late |= 1ull << (timer - nic->timers);
		return;
	}
	if (nic->failed || !expr_holds(nic, &at->when, &scope))
		return;
	actions_run(nic, &at->actions, &scope);
	if (!at->actions.count)
		hooks_timer(nic, (unsigned)(timer - nic->timers));
	if (at->repeat) {
		uint64_t period = expr_eval(nic, &at->period, &scope);

		/* the driver may have chosen it: it must not keep us from all else */
		timer_arm(nic->bus.clock, timer,
			  clock_now(nic->bus.clock) + (period > PERIOD_MIN ? period : PERIOD_MIN));
	}
	interrupts_update(nic);
}

static void fill_crc(struct nic *nic)
{
	const struct crc_part *part = &nic->card->crc;
	uint64_t *words = &nic->state[part->first];
	uint32_t crc = ~0u;

	for (unsigned i = 0; i < part->count * 16u; i++)
		crc = crc >> 1 ^ (((crc ^ words[i / 16] >> i % 16) & 1) ? 0xedb88320u : 0);
	if (part->count)
		words[part->count] = ~crc & 0xffff;
	if (part->whole)
		words[part->count + 1] = ~crc >> 16;
}

static uint16_t swapped(uint64_t word)
{
	return (uint16_t)(word << 8 | (word >> 8 & 0xff));
}

static void fill_sum(struct nic *nic, const struct sum_part *part)
{
	uint16_t sum = 0, bytes = 0;

	for (unsigned k = 0; k < part->count; k++) {
		if (part->first + k == part->word)
			continue;
		sum = (uint16_t)(sum + nic->state[part->first + k]);
		bytes ^= (uint16_t)nic->state[part->first + k];
	}
	nic->state[part->word] = part->exclusive ? ((bytes ^ bytes >> 8 ^ part->total) & 0xff)
						 : (uint16_t)(part->total - sum);
}

/* Parts of EEPROM and registers that follow from the address, and sums over them. */
static void fill_identity(struct nic *nic)
{
	uint64_t mac = 0;

	memcpy(&mac, nic->mac, sizeof(nic->mac));
	for (unsigned i = 0; i < nic->card->macs_count; i++) {
		const struct mac_part *part = &nic->card->macs[i];
		uint64_t bits = part->shift < 0 ? mac << -part->shift : mac >> part->shift;

		nic->state[part->word] &= ~part->mask;
		nic->state[part->word] |= (part->swapped ? swapped(bits) : bits) & part->mask;
	}
	for (unsigned i = 0; i < nic->card->sums_count; i++)
		fill_sum(nic, &nic->card->sums[i]);
	fill_crc(nic);
}

static bool nic_allocate(struct nic *nic)
{
	const struct card *card = nic->card;

	nic->state = calloc(card->words + 1u, sizeof(*nic->state));
	nic->rings = calloc(card->instances + 1u, sizeof(*nic->rings));
	nic->live = calloc(card->instances + 1u, sizeof(*nic->live));
	nic->plans = calloc(card->rings_count + 1u, sizeof(*nic->plans));
	nic->shifters = calloc(card->pins_count + 1u, sizeof(*nic->shifters));
	nic->delayed = calloc(card->interrupts_count * MODERATE_MAX + 1u, sizeof(*nic->delayed));
	nic->timers = calloc(card->timers_count + 1u, sizeof(*nic->timers));
	nic->windows = calloc(card->windows_count + 1u, sizeof(*nic->windows));
	nic->counters = calloc(card->counters_count + 1u, sizeof(*nic->counters));
	nic->loop = calloc(LOOP_FRAMES, sizeof(*nic->loop));
	nic->memories = calloc(card->memories_count + 1u, sizeof(*nic->memories));
	return nic->state && nic->rings && nic->live && nic->plans && nic->shifters &&
	       nic->delayed && nic->timers && nic->windows && nic->counters && nic->loop &&
	       vectors_init(nic) && steer_init(nic) && memories_init(nic);
}

struct nic *nic_new(const struct card *card, const uint8_t mac[static 6], const struct bus *bus)
{
	struct nic *nic = calloc(1, sizeof(*nic));

	if (!nic)
		return NULL;
	nic->card = card;
	nic->bus = *bus;
	nic->link = nic->carrier = nic->plugged = true;
	memcpy(nic->mac, mac, 6);
	if (!nic_allocate(nic)) {
		nic_free(nic);
		return NULL;
	}
	interrupts_init(nic);
	windows_init(nic);
	pins_init(nic);
	phy_init(nic);
	plans_init(nic);
	if (!cares_init(nic)) {
		nic_free(nic);
		return NULL;
	}
	counters_init(nic);
	filter_init(nic);
	receive_init(nic);
	rings_init(nic);
	for (unsigned i = 0; i < card->timers_count; i++)
		timer_init(&nic->timers[i], timer_fired, nic);
	memcpy(nic->state, card->reset_words, card->words * sizeof(*nic->state));
	fill_identity(nic);
	memories_fill(nic);
	nic->reset_time = clock_now(bus->clock);
	nic_reset_list(nic, RESET_POWER);
	phy_reset(nic);
	return nic;
}

void nic_free(struct nic *nic)
{
	if (!nic)
		return;
	hooks_free(nic);
	if (nic->delayed)
		interrupts_reset(nic);
	if (nic->vectors)
		vectors_reset(nic);
	timer_cancel(nic->bus.clock, &nic->negotiation);
	timer_cancel(nic->bus.clock, &nic->look);
	for (unsigned i = 0; nic->timers && i < nic->card->timers_count; i++)
		timer_cancel(nic->bus.clock, &nic->timers[i]);
	for (unsigned i = 0; nic->windows && i < nic->card->windows_count; i++)
		timer_cancel(nic->bus.clock, &nic->windows[i].timer);
	memories_free(nic);
	free(nic->state);
	free(nic->rings);
	free(nic->live);
	free(nic->vectors);
	free(nic->hasher);
	free(nic->plans);
	free(nic->shifters);
	free(nic->delayed);
	free(nic->timers);
	free(nic->windows);
	free(nic->counters);
	free(nic->cares);
	free(nic->loop);
	free(nic);
}

static unsigned peer_receive(void *context, const struct frame *frames, unsigned count)
{
	return nic_receive(context, frames, count);
}

void nic_wire_update(struct nic *nic)
{
	phy_wire(nic, nic->carrier && nic->plugged && !nic->module_link_down);
}

void nic_link_update(struct nic *nic)
{
	nic_wire_update(nic);
	interrupts_update(nic);
}

static void peer_link(void *context, bool up)
{
	struct nic *nic = context;

	nic->carrier = up;
	nic_link_update(nic);
}

static void peer_writable(void *context)
{
	struct nic *nic = context;

	for (unsigned i = 0; i < nic->card->instances; i++)
		nic->rings[i].waits = false;
	nic->bus.schedule(nic->bus.context);
}

static void peer_sent(void *context, unsigned count)
{
	flights_gone(context, count);
	peer_writable(context);
}

/* Errors of the host's NIC are the card's: posted as they become known. */
static void peer_health(void *context, const struct port_health *health)
{
	struct nic *nic = context;
	bool news = nic->health.mbps != health->mbps;

	nic->counts[COUNT_RX_ERRORS] += health->rx_errors - nic->health.rx_errors;
	nic->counts[COUNT_RX_NO_ROOM] += health->rx_missed - nic->health.rx_missed;
	nic->counts[COUNT_TX_ERRORS] += health->tx_errors - nic->health.tx_errors;
	nic->health = *health;
	counters_post(nic);
	if (news)
		phy_speed(nic);
	interrupts_update(nic);
}

void nic_attach(struct nic *nic, struct port *port)
{
	nic->port = port;
	nic->filter_told = false;
	if (!port)
		return;
	port->peer = (struct port_peer){nic,	       peer_receive, peer_link,
					peer_writable, peer_sent,    peer_health};
	peer_link(nic, !port->down);
	/* what was counted before is no news of this card's */
	nic->health = (struct port_health){.mbps = nic->health.mbps,
					   .rx_errors = port->health.rx_errors,
					   .rx_missed = port->health.rx_missed,
					   .tx_errors = port->health.tx_errors};
	peer_health(nic, &port->health);
	nic->bus.schedule(nic->bus.context); /* for its filter */
}

void nic_moved(struct nic *nic)
{
	flights_gone(nic, nic->flights_count);
	for (unsigned i = 0; i < nic->card->instances; i++) {
		nic->stats.tx_abandoned += nic->rings[i].cut;
		nic->rings[i].cut = 0;
	}
	hooks_moved(nic);
	nic->held = false;
	nic->stats.rx_cut += nic->held_segments;
	nic->held_segments = 0;
}

void nic_reset(struct nic *nic)
{
	for (unsigned i = 0; i < nic->card->windows_count; i++)
		timer_cancel(nic->bus.clock, &nic->windows[i].timer);
	for (unsigned i = 0; i < nic->card->timers_count; i++)
		timer_cancel(nic->bus.clock, &nic->timers[i]);
	nic->reset_time = clock_now(nic->bus.clock);
	nic->stats.loop_lost += nic->loop_count;
	nic->loop_count = 0;
	nic->recorded_count = 0;
	nic->late = 0;
	vectors_reset(nic);
	nic_reset_list(nic, RESET_FUNCTION);
	phy_reset(nic);
	interrupts_update(nic);
}

/* For the frame that waits; where no ring runs and none soon will, it is taken and dropped. */
static bool receive_room(struct nic *nic)
{
	bool stopped = nic->rings[nic->held_ring].state == RING_STOPPED;

	return nic->held && nic->port && nic->port->ops->resume &&
	       (nic->held_fetch || (stopped ? !nic->held_dry : ring_room(nic, nic->held_ring)));
}

bool nic_work(struct nic *nic)
{
	bool more;

	if (nic->failed || nic->stands)
		return false;
	more = recorded_work(nic);
	rings_update(nic);
	if (nic->hooked) {
		more |= hooks_work(nic);
		rings_update(nic);
	}
	for (unsigned k = 0; k < nic->live_count; k++) {
		if (nic->rings[nic->live[k]].ring->direction == RING_TRANSMIT)
			more |= transmit_work(nic, nic->live[k]);
	}
	more |= receive_loop(nic);
	dma_flush(nic->bus.memory);
	counters_post(nic);
	interrupts_update(nic);
	if (nic->port && nic->port->ops->filter)
		port_filter_tell(nic);
	if (receive_room(nic)) {
		nic->held = false;
		nic->port->ops->resume(nic->port);
	} else if (nic->held) {
		streams_wait(nic);
	}
	return more;
}

void nic_stand(struct nic *nic)
{
	nic->stands = true;
}

void nic_go_on(struct nic *nic)
{
	if (!nic->stands)
		return;
	nic->stands = false;
	for (; nic->late; nic->late &= nic->late - 1)
		timer_arm(nic->bus.clock, &nic->timers[__builtin_ctzll(nic->late)],
			  clock_now(nic->bus.clock));
	nic->bus.schedule(nic->bus.context);
}

void nic_link(struct nic *nic, bool up)
{
	nic->plugged = up;
	nic_link_update(nic);
}

const struct nic_stats *nic_stats(const struct nic *nic)
{
	return &nic->stats;
}
