/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is frozen is shared: NICs of one description have one card. A card that
 * has a module is its NIC's alone, for the module may have changed it.
 */
#include "card/node.h"
#include "instance/host_internal.h"

#include <stdlib.h>
#include <string.h>

struct host_card {
	struct card *card;
	unsigned users;
	struct host_card *next;
};

static bool same(const struct card *a, const struct card *b)
{
	return !a->module && !b->module && !strcmp(a->path, b->path) &&
	       node_same(a->description, b->description);
}

struct card *host_card_share(struct host *host, struct card *card)
{
	struct host_card *at = host->cards;

	while (at && !same(at->card, card))
		at = at->next;
	if (at) {
		card_free(card);
		at->users++;
		return at->card;
	}
	at = calloc(1, sizeof(*at));
	if (!at) {
		card_free(card);
		return NULL;
	}
	*at = (struct host_card){card, 1, host->cards};
	host->cards = at;
	return card;
}

void host_card_drop(struct host *host, const struct card *card)
{
	struct host_card **at = &host->cards, *gone;

	while (*at && (*at)->card != card)
		at = &(*at)->next;
	gone = *at;
	if (!gone || --gone->users)
		return;
	*at = gone->next;
	card_free(gone->card);
	free(gone);
}
