/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The link as the card's PHY sees it.
 *
 *   wire up     -> negotiating (for negotiate=) -> up
 *   wire down   -> down
 *   negotiate   -> negotiating, if the wire is up and negotiation takes time
 *
 * The event "link" tells of every change of link.up. A latched bit keeps that
 * what it shows was 0 until somebody reads it: its stored bit is the latch, it
 * shows latch and live, and reading loads the latch with what is live.
 */
#include "nic/state.h"

static uint64_t period(struct nic *nic)
{
	const struct expr *negotiate = &nic->card->phy.negotiate;
	struct scope scope = {0};

	return nic->link && negotiate->count ? expr_eval(nic, negotiate, &scope) : 0;
}

static void latches_update(struct nic *nic)
{
	struct scope scope = {0};

	for (unsigned i = 0; i < nic->card->latches_count; i++) {
		const struct latch *latch = &nic->card->latches[i];
		uint64_t live = expr_eval(nic, &latch->live.value, &scope) << latch->live.shift;

		nic->state[latch->word] &= ~latch->live.mask | live;
	}
}

static void tell(struct nic *nic, bool before)
{
	struct scope scope = {0};

	if (phy_up(nic) == before)
		return;
	latches_update(nic);
	for (unsigned i = 0; i < nic->card->events_count; i++) {
		if (nic->card->events[i].event == EVENT_LINK)
			actions_run(nic, &nic->card->events[i].actions, &scope);
	}
	nic_changed_all(nic);
}

static void negotiate(struct nic *nic)
{
	uint64_t time = period(nic);

	timer_cancel(nic->bus.clock, &nic->negotiation);
	nic->negotiating = time != 0;
	if (time)
		timer_arm(nic->bus.clock, &nic->negotiation, clock_now(nic->bus.clock) + time);
}

static void negotiated(struct timer *timer)
{
	struct nic *nic = timer->context;
	bool before = phy_up(nic);

	nic->negotiating = false;
	tell(nic, before);
	interrupts_update(nic);
}

void phy_init(struct nic *nic)
{
	timer_init(&nic->negotiation, negotiated, nic);
}

void phy_reset(struct nic *nic)
{
	negotiate(nic);
}

void phy_negotiate(struct nic *nic)
{
	bool before = phy_up(nic);

	negotiate(nic);
	tell(nic, before);
}

/* The partner is another one now: as if the cable had been moved. */
void phy_speed(struct nic *nic)
{
	bool link = nic->link;

	phy_wire(nic, false);
	phy_wire(nic, link);
}

void phy_wire(struct nic *nic, bool up)
{
	bool before = phy_up(nic);

	if (nic->link == up)
		return;
	nic->link = up;
	negotiate(nic);
	tell(nic, before);
}
