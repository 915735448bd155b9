/* SPDX-License-Identifier: Apache-2.0 */

/* Rings that are walked slot by slot: chains, stops, ends that stand in a slot. */
#include "card/rings.h"

#include <ctype.h>
#include <string.h>

static const char *const kinds[] = {"array", "registers", "stream", "chain"};

uint8_t read_next(struct draft *draft, const struct node *node)
{
	const char *text = node_get(node, "next");
	size_t length = text ? strcspn(text, " ") : 0;

	for (unsigned i = 0; text != broken && i < 4; i++) {
		if (strlen(kinds[i]) != length || memcmp(kinds[i], text, length))
			continue;
		if ((i == NEXT_CHAIN) == (text[length] != 0))
			return (uint8_t)i;
	}
	if (text != broken)
		wrong(draft, node,
		      "next=\"%s\": expected array, registers, stream or \"chain ADDRESS; ...\"",
		      text);
	return NEXT_ARRAY;
}

static void read_link(struct draft *draft, const struct node *node, char *text,
		      struct ring_link *link)
{
	char *condition = strstr(text, " if ");

	if (condition) {
		*condition = 0;
		expr_text(draft, node, condition + 4, &link->when);
	}
	expr_text(draft, node, text + strspn(text, " \n\t"), &link->address);
}

static void read_links(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *text = node_get(node, "next") + strlen("chain ");

	while (*text) {
		size_t length = strcspn(text, ";");

		if (ring->links_count == LINKS_MAX) {
			wrong(draft, node, "more than %d ways on in next=", LINKS_MAX);
			return;
		}
		read_link(draft, node, arena_text(&draft->arena, text, length),
			  &ring->links[ring->links_count++]);
		text += length + (text[length] == ';');
	}
}

static void read_stop(struct draft *draft, const struct node *node, struct ring_stop *stop)
{
	static const uint8_t states[] = {RING_STOPPED, RING_SUSPENDED, RING_STARVED};
	int as = node_choice(node, "as");

	expr_read(draft, node, "when", &stop->when);
	stop->state = as < 0 ? RING_STOPPED : states[as];
	actions_read(draft, node, "do", &stop->actions);
}

/* With the fields of the slots at hand. */
void read_walk(struct draft *draft, const struct node *node, struct ring *ring)
{
	const char *end = node_get(node, "end");

	draft->speaks |= SPEAKS_HERE;
	if (ring->next == NEXT_CHAIN)
		read_links(draft, node, ring);
	if (ring->end == END_BIT)
		expr_text(draft, node, end + strlen("bit "), &ring->end_value);
	for_each_node(child, node, "stop")
	{
		if (!ring->walks) {
			wrong(draft, child, "<stop> has no meaning where ready= is until a cursor");
			return;
		}
		if (ring->stops_count == STOPS_MAX) {
			wrong(draft, child, "more than %d <stop>", STOPS_MAX);
			return;
		}
		read_stop(draft, child, &ring->stops[ring->stops_count++]);
	}
	draft->speaks &= ~(unsigned)SPEAKS_HERE;
}
