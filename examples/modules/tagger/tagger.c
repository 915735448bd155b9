/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames on their way: what the driver sends gets a VLAN tag, what comes with that
 * tag loses it, and what comes without is not for us. ARP questions for one
 * address are turned into their answers and go back to the driver.
 */
#include <anynic/module.h>

enum { TYPE_AT = 12, ARP_BYTES = 42, ARP_OPERATION = 20, ARP_SENDER = 22, ARP_TARGET = 32 };

static int32_t vlan, address, answered;

static int32_t start(struct anynic_nic *nic)
{
	vlan = anynic_find(nic, ANYNIC_PLACE, "VLAN");
	address = anynic_find(nic, ANYNIC_PLACE, "ADDRESS");
	answered = anynic_find(nic, ANYNIC_PLACE, "ANSWERED");
	return vlan < 0 || address < 0 || answered < 0 ? ANYNIC_NONE : ANYNIC_OK;
}

static void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - i * 8));
}

static int same(const uint8_t *left, const uint8_t *right, unsigned length)
{
	while (length && *left == *right)
		left++, right++, length--;
	return !length;
}

static void copy(uint8_t *to, const uint8_t *from, unsigned length)
{
	while (length--)
		*to++ = *from++;
}

/* Who has our address? */
static int is_question(struct anynic_nic *nic, const uint8_t *frame)
{
	static const uint8_t question[10] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1};
	uint8_t wanted[4];

	put32(wanted, (uint32_t)anynic_get(nic, address, 0));
	return same(frame + TYPE_AT, question, sizeof(question)) &&
	       same(frame + ARP_TARGET + 6, wanted, sizeof(wanted));
}

static void answer(struct anynic_nic *nic, struct anynic_frame *frame, uint8_t *bytes)
{
	static const uint8_t us[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
	uint8_t sender[10], target[4];

	copy(sender, bytes + ARP_SENDER, sizeof(sender));
	copy(target, bytes + ARP_TARGET + 6, sizeof(target));
	copy(bytes, sender, 6);
	copy(bytes + 6, us, 6);
	bytes[ARP_OPERATION + 1] = 2;
	copy(bytes + ARP_SENDER, us, 6);
	copy(bytes + ARP_SENDER + 6, target, 4);
	copy(bytes + ARP_TARGET, sender, 10);
	anynic_edit(nic, frame, 0, ARP_BYTES, bytes, ARP_BYTES);
	frame->verdict = ANYNIC_TURN;
	anynic_set(nic, answered, 0, anynic_get(nic, answered, 0) + 1);
}

static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue,
		     struct anynic_frame *frames, uint32_t count)
{
	uint8_t tag[4] = {0x81, 0x00}, bytes[ARP_BYTES];
	uint32_t id = (uint32_t)anynic_get(nic, vlan, 0);

	(void)ring;
	(void)queue;
	tag[2] = (uint8_t)(id >> 8);
	tag[3] = (uint8_t)id;
	for (uint32_t i = 0; i < count; i++) {
		if (anynic_peek(nic, &frames[i], 0, bytes, ARP_BYTES) == ARP_BYTES &&
		    is_question(nic, bytes))
			answer(nic, &frames[i], bytes);
		else
			anynic_edit(nic, &frames[i], TYPE_AT, 0, tag, sizeof(tag));
	}
}

static void receive(struct anynic_nic *nic, struct anynic_frame *frames, uint32_t count)
{
	uint32_t id = (uint32_t)anynic_get(nic, vlan, 0);
	uint8_t tag[4];

	for (uint32_t i = 0; i < count; i++) {
		if (anynic_peek(nic, &frames[i], TYPE_AT, tag, sizeof(tag)) == sizeof(tag) &&
		    tag[0] == 0x81 && tag[1] == 0x00 &&
		    (uint32_t)((tag[2] & 0xf) << 8 | tag[3]) == id)
			anynic_edit(nic, &frames[i], TYPE_AT, sizeof(tag), 0, 0);
		else
			frames[i].verdict = ANYNIC_DROP;
	}
}

ANYNIC_MODULE(.start = start, .transmit = transmit, .receive = receive)
