/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Services asked for by messages. What each takes, in the order of its parameters:
 *
 *   n  number          t  text            b  bytes to the host, their number before
 *   o  bytes from the host, as many as the number says     x  both
 *   f  frame of the batch (UINT32_MAX: none), with the program's copy of it
 *   m  a struct anynic_frame, or none     p  pieces
 */
#include "module/wire.h"

#include "nic/service.h"

#include <stdbool.h>
#include <string.h>

static const char *const takes[SERVICES] = {
	[SERVICE_find] = "nt",
	[SERVICE_get] = "nn",
	[SERVICE_set] = "nnn",
	[SERVICE_raise] = "nnn",
	[SERVICE_offset] = "nn",
	[SERVICE_message] = "n",
	[SERVICE_card_read] = "nno",
	[SERVICE_card_write] = "nnb",
	[SERVICE_read] = "no",
	[SERVICE_write] = "nb",
	[SERVICE_load] = "nn",
	[SERVICE_store] = "nn",
	[SERVICE_field] = "nb",
	[SERVICE_field_set] = "nxn",
	[SERVICE_peek] = "fno",
	[SERVICE_edit] = "fnnb",
	[SERVICE_put] = "fnnn",
	[SERVICE_send] = "fmb",
	[SERVICE_deliver] = "fmb",
	[SERVICE_gather] = "mp",
	[SERVICE_ring_open] = "nnnnn",
	[SERVICE_ring_close] = "nn",
	[SERVICE_ring_wake] = "nn",
	[SERVICE_produce] = "nnb",
	[SERVICE_timer_arm] = "nn",
	[SERVICE_timer_cancel] = "n",
	[SERVICE_now] = "",
	[SERVICE_link] = "",
	[SERVICE_link_set] = "n",
	[SERVICE_mac] = "",
	[SERVICE_kick] = "nn",
	[SERVICE_log] = "nt",
	[SERVICE_fail] = "t",
	[SERVICE_draft_element] = "ttn",
	[SERVICE_draft_attribute] = "tt",
	[SERVICE_draft_number] = "tn",
	[SERVICE_draft_end] = "",
	[SERVICE_draft_text] = "ttn",
	[SERVICE_draft_get] = "to",
	[SERVICE_draft_wrong] = "tnt",
};

enum { TEXT_MAX = 1 << 17 };
static const uint64_t NO_FRAME = UINT32_MAX;

/* What was asked, taken apart: per parameter its number, and what lies there. */
struct asked {
	uint64_t number[WIRE_NUMBERS];
	void *bytes[WIRE_NUMBERS];
	uint8_t out[WIRE_DATA];
	size_t out_length;
	struct anynic_frame meta;
	char texts[TEXT_MAX + 64]; /* with zeros behind them */
	size_t texts_used;
};

static void *text_of(struct asked *asked, const void *from, size_t length)
{
	char *to = asked->texts + asked->texts_used;

	if (length >= TEXT_MAX - asked->texts_used)
		return NULL;
	memcpy(to, from, length);
	to[length] = 0;
	asked->texts_used += length + 1;
	return to;
}

static struct anynic_frame *frame_at(const struct wire_context *context, uint64_t index)
{
	return index < context->frames_count ? &context->frames[index] : NULL;
}

/* What the program has changed of its copy is so here too, but for the length. */
static bool take_frame(struct wire *ask, const struct wire_context *context, uint64_t index)
{
	struct anynic_frame *frame = frame_at(context, index);
	const void *from = index == NO_FRAME ? NULL : wire_get_bytes(ask, sizeof(*frame));
	uint32_t length;

	if (!frame || !from)
		return index == NO_FRAME;
	length = frame->length;
	memcpy(frame, from, sizeof(*frame));
	frame->length = length;
	return true;
}

static bool take_bytes(struct wire *ask, struct asked *asked, char kind, unsigned i)
{
	uint64_t length = asked->number[i];
	void *from;

	if (kind == 'm')
		length = length ? sizeof(struct anynic_frame) : 0;
	else if (kind == 'p')
		length = length <= 64 ? length * sizeof(struct anynic_piece) : UINT64_MAX;
	else if (kind == 'o')
		return length <= WIRE_DATA && (asked->bytes[i] = asked->out);
	else if (kind == 'n')
		return true;
	if (length > WIRE_DATA * 2 || !(from = wire_get_bytes(ask, length)))
		return false;
	asked->bytes[i] = from;
	if (kind == 't')
		asked->bytes[i] = text_of(asked, from, length);
	else if (kind == 'm')
		asked->bytes[i] = length ? memcpy(&asked->meta, from, length) : NULL;
	else if (kind == 'x' && length <= WIRE_DATA)
		asked->bytes[i] = memcpy(asked->out, from, length);
	return kind == 'm' || asked->bytes[i];
}

static bool take(struct wire *ask, struct asked *asked, const char *kinds,
		 const struct wire_context *context)
{
	for (unsigned i = 0; kinds[i]; i++)
		asked->number[i] = wire_get(ask);
	for (unsigned i = 0; kinds[i] && !ask->bad; i++) {
		if (kinds[i] == 'f' ? !take_frame(ask, context, asked->number[i])
				    : !take_bytes(ask, asked, kinds[i], i))
			return false;
	}
	return !ask->bad && ask->at == ask->length;
}

#define N(i) asked->number[i]
#define U(i) ((uint32_t)asked->number[i])
#define I(i) ((int32_t)asked->number[i])
#define B(i) asked->bytes[i]
#define F(i) frame_at(context, asked->number[i])

static uint64_t serve_state(unsigned service, struct asked *asked, struct anynic_nic *nic)
{
	switch (service) {
	case SERVICE_find:
		return (uint64_t)service_find(nic, U(0), B(1));
	case SERVICE_get:
		return service_get(nic, I(0), U(1));
	case SERVICE_set:
		return (uint64_t)service_set(nic, I(0), U(1), N(2));
	case SERVICE_raise:
		return (uint64_t)service_raise(nic, I(0), U(1), N(2));
	case SERVICE_offset:
		return (uint64_t)service_offset(nic, I(0), U(1));
	case SERVICE_message:
		return (uint64_t)service_message(nic, U(0));
	case SERVICE_timer_arm:
		return (uint64_t)service_timer_arm(nic, I(0), N(1));
	case SERVICE_timer_cancel:
		return (uint64_t)service_timer_cancel(nic, I(0));
	case SERVICE_now:
		return service_now(nic);
	case SERVICE_link:
		return (uint64_t)service_link(nic);
	case SERVICE_link_set:
		return (uint64_t)service_link_set(nic, U(0));
	case SERVICE_mac:
		return service_mac(nic);
	case SERVICE_kick:
		return (uint64_t)service_kick(nic, I(0), N(1));
	case SERVICE_log:
		return (uint64_t)service_log(nic, U(0), B(1));
	default:
		return (uint64_t)service_fail(nic, B(0));
	}
}

static uint64_t serve_memory(unsigned service, struct asked *asked, struct anynic_nic *nic)
{
	switch (service) {
	case SERVICE_card_read:
		return (uint64_t)service_card_read(nic, I(0), U(1), B(2), U(2));
	case SERVICE_card_write:
		return (uint64_t)service_card_write(nic, I(0), U(1), B(2), U(2));
	case SERVICE_read:
		return (uint64_t)service_read(nic, N(0), B(1), U(1));
	case SERVICE_write:
		return (uint64_t)service_write(nic, N(0), B(1), U(1));
	case SERVICE_load:
		return (uint64_t)service_load(nic, I(0), N(1));
	case SERVICE_store:
		return (uint64_t)service_store(nic, I(0), N(1));
	case SERVICE_field:
		return service_field(nic, I(0), B(1), U(1));
	default:
		return (uint64_t)service_field_set(nic, I(0), B(1), U(1), N(2));
	}
}

static uint64_t serve_frames(unsigned service, struct asked *asked,
			     const struct wire_context *context)
{
	struct anynic_nic *nic = context->nic;

	switch (service) {
	case SERVICE_peek:
		return (uint64_t)(F(0) ? service_peek(nic, F(0), U(1), B(2), U(2))
				       : ANYNIC_INVALID);
	case SERVICE_edit:
		return (uint64_t)(F(0) ? service_edit(nic, F(0), U(1), U(2), B(3), U(3))
				       : ANYNIC_INVALID);
	case SERVICE_put:
		return (uint64_t)(F(0) ? service_put(nic, F(0), U(1), N(2), U(3)) : ANYNIC_INVALID);
	case SERVICE_send:
		return (uint64_t)service_send(nic, F(0), B(1), B(2), U(2));
	case SERVICE_deliver:
		return (uint64_t)service_deliver(nic, F(0), B(1), B(2), U(2));
	default:
		return (uint64_t)service_gather(nic, B(0), B(1), U(1));
	}
}

static uint64_t serve_rings(unsigned service, struct asked *asked, struct anynic_nic *nic)
{
	switch (service) {
	case SERVICE_ring_open:
		return (uint64_t)service_ring_open(nic, I(0), N(1), U(2), I(3), I(4));
	case SERVICE_ring_close:
		return (uint64_t)service_ring_close(nic, I(0), U(1));
	case SERVICE_ring_wake:
		return (uint64_t)service_ring_wake(nic, I(0), U(1));
	default:
		return (uint64_t)service_produce(nic, I(0), U(1), B(2), U(2));
	}
}

static uint64_t serve_draft(unsigned service, struct asked *asked, struct anynic_draft *draft)
{
	switch (service) {
	case SERVICE_draft_element:
		return (uint64_t)service_draft_element(draft, B(0), B(1), U(2));
	case SERVICE_draft_attribute:
		return (uint64_t)service_draft_attribute(draft, B(0), B(1));
	case SERVICE_draft_number:
		return (uint64_t)service_draft_number(draft, B(0), N(1));
	case SERVICE_draft_end:
		return (uint64_t)service_draft_end(draft);
	case SERVICE_draft_text:
		return (uint64_t)service_draft_text(draft, B(0), B(1), U(2));
	case SERVICE_draft_get:
		return (uint64_t)service_draft_get(draft, B(0), B(1), U(1));
	default:
		return (uint64_t)service_draft_wrong(draft, B(0), U(1), B(2));
	}
}

static uint64_t serve(unsigned service, struct asked *asked, const struct wire_context *context)
{
	switch (service) {
	case SERVICE_card_read ... SERVICE_field_set:
		return serve_memory(service, asked, context->nic);
	case SERVICE_peek ... SERVICE_gather:
		return serve_frames(service, asked, context);
	case SERVICE_ring_open ... SERVICE_produce:
		return serve_rings(service, asked, context->nic);
	case SERVICE_draft_element ... SERVICE_draft_wrong:
		return serve_draft(service, asked, context->draft);
	default:
		return serve_state(service, asked, context->nic);
	}
}

/* Bytes that go back, and the frame as it is after an edit. */
static void put_back(struct wire *answer, unsigned service, const struct asked *asked,
		     const struct wire_context *context)
{
	const char *kinds = takes[service];

	for (unsigned i = 0; kinds[i]; i++) {
		if (kinds[i] == 'o' || kinds[i] == 'x')
			wire_put_bytes(answer, asked->out, asked->number[i]);
		else if (kinds[i] == 'f' && service == SERVICE_edit && F(i))
			wire_put_bytes(answer, F(i), sizeof(struct anynic_frame));
	}
}

const char *wire_serve(struct wire *ask, struct wire *answer, const struct wire_context *context)
{
	static _Thread_local struct asked room;
	struct asked *asked = &room;
	struct wire_head head;

	memcpy(&head, ask->bytes, sizeof(head));
	if (head.number >= SERVICES)
		return "asks for a service that does not exist";
	if ((head.number >= SERVICE_draft_element) != (context->draft != NULL))
		return "asks for a service that is not for this hook";
	asked->texts_used = 0;
	if (!take(ask, asked, takes[head.number], context))
		return "asks for a service with a message of the wrong size";
	memset(asked->out, 0, strchr(takes[head.number], 'o') ? sizeof(asked->out) : 0);
	wire_begin(answer, WIRE_ANSWER, head.number);
	wire_put(answer, serve(head.number, asked, context));
	put_back(answer, head.number, asked, context);
	return NULL;
}
