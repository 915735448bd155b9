/* SPDX-License-Identifier: Apache-2.0 */

/*
 * VLANs at the ports of a switch.
 *
 *   port        comes in                        goes out
 *   ordinary    as its tag says, 0 without      the same, all of them
 *   vlan=N      without a tag: N; tagged: not   of N only, without a tag
 *   trunk=…     tagged, of those only           of those, tagged
 *   both        and without a tag: N            and of N without a tag
 *
 * A tag with VLAN 0 says a priority, and is none here.
 *
 * Where a port has rules, what was decided by is what goes on: the addresses and the
 * tag are those that were read, since the sender may write to his memory meanwhile.
 */
#include "backend/switch_internal.h"

#include "nic/offload.h"

#include <string.h>

enum { ADDRESSES = 12, TAG = 4, VLAN_MASK = 0xfff, LEAST = 60 };

bool head_read(struct switch_head *head, const struct frame *frame)
{
	if (frame->length < ADDRESSES + 2)
		return false;
	if (frame->iov[0].iov_len >= sizeof(head->bytes)) {
		memcpy(head->bytes, frame->iov[0].iov_base, sizeof(head->bytes));
	} else {
		memset(head->bytes, 0, sizeof(head->bytes));
		if (frame_copy(frame, 0, head->bytes, sizeof(head->bytes)) < ADDRESSES + 2)
			return false;
	}
	head->tagged =
		frame->length >= ADDRESSES + TAG + 2 && head->bytes[12] == 0x81 && !head->bytes[13];
	head->vlan = 0;
	return true;
}

static unsigned tag_of(const struct switch_head *head)
{
	return head->tagged ? (unsigned)(head->bytes[14] << 8 | head->bytes[15]) : 0;
}

uint64_t head_address(const struct switch_head *head, unsigned at)
{
	uint64_t address = 0;

	memcpy(&address, head->bytes + at, 6);
	return address;
}

bool vlan_enters(const struct switch_end *end, struct switch_head *head)
{
	const struct switch_port *port = &end->to_be;
	unsigned vlan = tag_of(head) & VLAN_MASK;

	head->vlan = (uint16_t)(vlan ?: port->vlan);
	if (!switch_port_tags(port))
		return true;
	return vlan ? port->trunk && vlans_have(port->vlans, vlan) : port->native;
}

bool vlan_leaves(const struct switch_end *end, unsigned vlan)
{
	const struct switch_port *port = &end->to_be;

	if (!switch_port_tags(port))
		return true;
	return (port->native && port->vlan == vlan) ||
	       (port->trunk && vlans_have(port->vlans, vlan));
}

bool vlan_tagged(const struct switch_end *end, unsigned vlan)
{
	return vlan && !(end->to_be.native && end->to_be.vlan == vlan);
}

/* The tag that FRAME leaves with; false: without one. */
static bool tag_at(const struct switch_end *end, const struct switch_head *head, unsigned *tag)
{
	unsigned had = tag_of(head);

	if (vlan_tagged(end, head->vlan))
		*tag = (had & ~(unsigned)VLAN_MASK) | head->vlan;
	else
		*tag = had;
	return vlan_tagged(end, head->vlan) || (head->tagged && !(had & VLAN_MASK));
}

static void pieces_from(const struct frame *frame, size_t skip, struct frame *to)
{
	for (unsigned i = 0; i < frame->iovs; i++) {
		struct iovec part = frame->iov[i];
		size_t less = part.iov_len < skip ? part.iov_len : skip;

		part.iov_base = (uint8_t *)part.iov_base + less;
		part.iov_len -= less;
		skip -= less;
		if (part.iov_len)
			to->iov[to->iovs++] = part;
	}
}

static void shift(uint16_t *at, int by)
{
	if (*at)
		*at = (uint16_t)(*at + by);
}

/* A frame that was long enough with its tag, is so without. */
static void pad(struct frame *frame, size_t before)
{
	static uint8_t zeros[TAG];
	uint32_t lacks = before >= LEAST && frame->length < LEAST ? LEAST - frame->length : 0;

	if (!lacks)
		return;
	frame->iov[frame->iovs++] = (struct iovec){zeros, lacks};
	frame->length += lacks;
}

bool vlan_edit(const struct switch_end *end, const struct switch_head *head,
	       const struct frame *frame, struct frame *edited, uint8_t room[static 16])
{
	unsigned tag, own = ADDRESSES, skip = head->tagged ? ADDRESSES + TAG : ADDRESSES;
	int by;

	if (frame->iovs + 2 > FRAME_IOVS)
		return false;
	memcpy(edited, frame, offsetof(struct frame, iov));
	memcpy(room, head->bytes, ADDRESSES);
	if (tag_at(end, head, &tag)) {
		const uint8_t bytes[TAG] = {0x81, 0, (uint8_t)(tag >> 8), (uint8_t)tag};

		memcpy(room + ADDRESSES, bytes, TAG);
		own += TAG;
	}
	by = (int)own - (int)skip;
	edited->iovs = 1;
	edited->iov[0] = (struct iovec){room, own};
	edited->length = (uint32_t)((int)frame->length + by);
	if (by) {
		shift(&edited->header_length, by);
		if (frame->flags & FRAME_CHECKSUM)
			shift(&edited->checksum_start, by);
	}
	pieces_from(frame, skip, edited);
	pad(edited, frame->length);
	return true;
}
