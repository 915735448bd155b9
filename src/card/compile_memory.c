/* SPDX-License-Identifier: Apache-2.0 */

/* Memory on the card, and the ports in front of it. */
#include "card/draft.h"

#include <string.h>

enum { FILLS_MAX = 256 };

int memory_read_name(struct draft *draft, const struct node *node, const char *attribute)
{
	const char *name = node_get(node, attribute);
	struct symbol *symbol;

	if (!name || name == broken)
		return -1;
	symbol = symbol_kind_find(draft, name, strlen(name), SYMBOL_MEMORY);
	if (symbol)
		return symbol->index;
	wrong(draft, node, "%s=\"%s\": no memory has this name%s", attribute, name,
	      symbol_hint(draft, name, strlen(name), SYMBOL_MEMORY));
	return -1;
}

static void read_fill(struct draft *draft, const struct node *node, const struct memory *memory,
		      struct memory_fill *fill)
{
	uint64_t at = 0, bytes = 1, repeat = 1;

	node_number(draft, node, "at", UINT64_MAX, &at);
	node_number(draft, node, "bytes", UINT64_MAX, &bytes);
	node_number(draft, node, "repeat", UINT64_MAX, &repeat);
	expr_read(draft, node, "from", &fill->from);
	if (memory->size && at + bytes * repeat > memory->size)
		wrong(draft, node, "the memory has %u bytes", memory->size);
	fill->at = (uint32_t)at;
	fill->bytes = (uint8_t)bytes;
	fill->repeat = (uint8_t)repeat;
}

static void read_memory(struct draft *draft, const struct node *node, struct memory *memory)
{
	struct memory_fill *fills = draft_take(draft, struct memory_fill, FILLS_MAX);
	uint64_t size = 0, rom = 0;

	memory->name = node_get(node, "name");
	memory->fills = fills;
	node_number(draft, node, "size", UINT64_MAX, &size);
	memory->size = (uint32_t)size;
	if (node_number(draft, node, "rom", UINT64_MAX, &rom) && size && rom > size)
		wrong(draft, node, "rom= is more than the %u bytes of the memory", memory->size);
	memory->rom = (uint32_t)rom;
	for_each_node(child, node, "fill")
	{
		if (memory->fills_count == FILLS_MAX) {
			wrong(draft, child, "more than %d <fill> in one memory", FILLS_MAX);
			return;
		}
		read_fill(draft, child, memory, &fills[memory->fills_count++]);
	}
}

void compile_memories(struct draft *draft)
{
	for_each_symbol(symbol, draft)
	{
		if (symbol->kind == SYMBOL_MEMORY)
			read_memory(draft, symbol->node,
				    (struct memory *)&draft->card->memories[symbol->index]);
	}
}

void port_behaviour(struct draft *draft, const struct node *node, struct reg *reg)
{
	struct data_port *port = draft_take(draft, struct data_port, 1);
	int memory = memory_read_name(draft, node, "memory");

	reg->port = port;
	reg->plain = false;
	reg->takes_nothing = node_choice(node, "access") == 1;
	reg->write_only = node_choice(node, "access") == 2 ? reg->valid : 0;
	port->memory = memory < 0 ? 0 : (uint16_t)memory;
	place_read(draft, node, "address", false, &port->address);
	place_read(draft, node, "left", false, &port->left);
	expr_read(draft, node, "unit", &port->unit);
	expr_read(draft, node, "wrap-at", &port->wrap_at);
	expr_read(draft, node, "wrap-to", &port->wrap_to);
	if (!node_get(node, "wrap-at") != !node_get(node, "wrap-to"))
		wrong(draft, node, "wrap-at= and wrap-to= stand together or not at all");
	expr_read(draft, node, "when", &reg->when);
	actions_read(draft, node, "do", &port->actions);
}
