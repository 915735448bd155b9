/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The admin commands, each with its answer. Rings, records, phases, doorbells, events
 * and timers are in card.xml; what a queue was opened with, and what features were set
 * to, stands in the registers there. So nothing is kept here, and a new version of
 * this file takes over in between two commands.
 *
 *   create CQ -> ring_open(txcq or rxcq), by the size of its entries
 *   create SQ -> ring_open(txq or rxq), onto one of those; its doorbell goes back
 */
#include <anynic/module.h>

#include <stdbool.h>

enum {
	ENTRY = 64,
	QUEUES = 32,
	DEPTH_MAX = 1024,
	VECTORS = 33,
	PIECES_MAX = 17, /* of one frame */
	TABLE_BITS = 7,
	FCS = 4,
	MTU_MAX = 9216,
	LINK = 1 << 0, /* events */
	KEEP_ALIVE = 1 << 4,
	TOEPLITZ = 1 << 1,
};

enum opcode {
	CREATE_SQ = 1,
	DESTROY_SQ = 2,
	CREATE_CQ = 3,
	DESTROY_CQ = 4,
	GET_FEATURE = 8,
	SET_FEATURE = 9,
	GET_STATISTICS = 11,
};

enum status {
	SUCCESS = 0,
	NO_RESOURCES = 1,
	UNSUPPORTED_OPCODE = 3,
	ILLEGAL_PARAMETER = 5,
	UNKNOWN_ERROR = 6,
	AGAIN = -1, /* no status: the driver's buffer is on its way */
};

enum { TX = 1, RX = 2, IN_HOST_MEMORY = 1 };

/* A command, and its answer. */
struct call {
	struct anynic_nic *nic;
	const uint8_t *from;
	uint8_t to[ENTRY];
};

static int32_t acq, txq, rxq, txcq, rxcq, tx_db, rx_db, irq, txcq_depth, rxcq_depth, mtu, groups,
	keep_alive, key_record, set_key, table_record, set_table, fields_record, set_fields,
	tx_bytes, tx_frames, rx_bytes, rx_frames, rx_drops, tx_drops;

static const struct {
	int32_t *handle;
	uint32_t kind;
	const char *name;
} names[] = {
	{&acq, ANYNIC_RING, "acq"},
	{&txq, ANYNIC_RING, "txq"},
	{&rxq, ANYNIC_RING, "rxq"},
	{&txcq, ANYNIC_RING, "txcq"},
	{&rxcq, ANYNIC_RING, "rxcq"},
	{&tx_db, ANYNIC_PLACE, "TX_DB"},
	{&rx_db, ANYNIC_PLACE, "RX_DB"},
	{&irq, ANYNIC_PLACE, "IRQ"},
	{&txcq_depth, ANYNIC_PLACE, "TXCQ_DEPTH"},
	{&rxcq_depth, ANYNIC_PLACE, "RXCQ_DEPTH"},
	{&mtu, ANYNIC_PLACE, "MTU"},
	{&groups, ANYNIC_PLACE, "GROUPS"},
	{&keep_alive, ANYNIC_TIMER, "keep-alive"},
	{&key_record, ANYNIC_RECORD, "rss-key"},
	{&set_key, ANYNIC_RECORD, "set-rss-key"},
	{&table_record, ANYNIC_RECORD, "rss-table"},
	{&set_table, ANYNIC_RECORD, "set-rss-table"},
	{&fields_record, ANYNIC_RECORD, "rss-fields"},
	{&set_fields, ANYNIC_RECORD, "set-rss-fields"},
	{&tx_bytes, ANYNIC_PLACE, "TX_BYTES"},
	{&tx_frames, ANYNIC_PLACE, "TX_FRAMES"},
	{&rx_bytes, ANYNIC_PLACE, "RX_BYTES"},
	{&rx_frames, ANYNIC_PLACE, "RX_FRAMES"},
	{&rx_drops, ANYNIC_PLACE, "RX_DROPS"},
	{&tx_drops, ANYNIC_PLACE, "TX_DROPS"},
};

static int32_t start(struct anynic_nic *nic)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		*names[i].handle = anynic_find(nic, names[i].kind, names[i].name);
		if (*names[i].handle < 0)
			return anynic_fail(nic, names[i].name);
	}
	return ANYNIC_OK;
}

static uint64_t take(const struct call *call, unsigned at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | call->from[at + bytes];
	return value;
}

static void give(struct call *call, unsigned at, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		call->to[at + i] = (uint8_t)(value >> (8 * i));
}

/* ---- queues ---- */

static enum status opened(int32_t number)
{
	return number >= 0 ? SUCCESS : number == ANYNIC_FULL ? NO_RESOURCES : ILLEGAL_PARAMETER;
}

static enum status create_cq(struct call *call)
{
	unsigned words = take(call, 5, 1) & 0x1f, depth = take(call, 6, 2);
	uint64_t vector = take(call, 8, 4);
	int32_t number;

	if ((words != 2 && words != 4) || depth > DEPTH_MAX || vector >= VECTORS)
		return ILLEGAL_PARAMETER;
	number = anynic_ring_open(call->nic, words == 2 ? txcq : rxcq, take(call, 12, 6), depth, -1,
				  (int32_t)vector);
	give(call, 8, 2, (uint64_t)number + (words == 2 ? 0 : QUEUES));
	give(call, 10, 2, depth);
	give(call, 20, 4, (uint64_t)anynic_offset(call->nic, irq, (uint32_t)vector));
	return opened(number);
}

static enum status create_sq(struct call *call)
{
	unsigned way = take(call, 4, 1) >> 5, depth = take(call, 10, 2), cq = take(call, 8, 2);
	int32_t ring = way == TX ? txq : rxq, doorbell = way == TX ? tx_db : rx_db, number;

	if (way == RX)
		cq -= QUEUES;
	if ((way != TX && way != RX) || depth > DEPTH_MAX || cq >= QUEUES ||
	    (take(call, 6, 1) & 0xf) != IN_HOST_MEMORY ||
	    !anynic_get(call->nic, way == TX ? txcq_depth : rxcq_depth, cq))
		return ILLEGAL_PARAMETER;
	number = anynic_ring_open(call->nic, ring, take(call, 12, 6), depth, (int32_t)cq, -1);
	if (number >= 0)
		anynic_set(call->nic, doorbell, (uint32_t)number, 0);
	give(call, 8, 2, (uint64_t)number);
	give(call, 12, 4, (uint64_t)anynic_offset(call->nic, doorbell, (uint32_t)number));
	return opened(number);
}

static enum status destroy_sq(struct call *call)
{
	unsigned way = take(call, 6, 1) >> 5, number = take(call, 4, 2);

	if (way != TX && way != RX)
		return ILLEGAL_PARAMETER;
	return opened(anynic_ring_close(call->nic, way == TX ? txq : rxq, number));
}

static enum status destroy_cq(struct call *call)
{
	unsigned number = take(call, 4, 2), rx = number >= QUEUES;

	number -= rx ? QUEUES : 0;
	anynic_set(call->nic, rx ? rxcq_depth : txcq_depth, number, 0);
	return opened(anynic_ring_close(call->nic, rx ? rxcq : txcq, number));
}

/* ---- features ---- */

static enum status moved(int32_t result)
{
	return result >= 0 ? SUCCESS : result == ANYNIC_AGAIN ? AGAIN : UNKNOWN_ERROR;
}

/* RECORD into the driver's buffer, if that has LENGTH bytes. */
static enum status show(const struct call *call, int32_t record, unsigned length)
{
	return take(call, 4, 4) < length ? SUCCESS
					 : moved(anynic_store(call->nic, record, take(call, 8, 6)));
}

/* And from there. */
static enum status learn(const struct call *call, int32_t record, unsigned length)
{
	return take(call, 4, 4) < length ? ILLEGAL_PARAMETER
					 : moved(anynic_load(call->nic, record, take(call, 8, 6)));
}

static enum status get_queues(struct call *call)
{
	give(call, 8, 4, QUEUES);
	give(call, 12, 4, DEPTH_MAX);
	give(call, 16, 4, QUEUES);
	give(call, 20, 4, DEPTH_MAX);
	give(call, 32, 4, 128); /* bytes of headers, were they in the queue */
	give(call, 36, 2, PIECES_MAX + 3);
	give(call, 38, 2, PIECES_MAX);
	return SUCCESS;
}

static enum status get_hash(struct call *call)
{
	give(call, 8, 4, TOEPLITZ);
	give(call, 12, 4, TOEPLITZ);
	return show(call, key_record, 48);
}

static enum status set_hash(struct call *call)
{
	return take(call, 24, 4) == TOEPLITZ ? learn(call, set_key, 48) : ILLEGAL_PARAMETER;
}

static enum status get_offloads(struct call *call)
{
	give(call, 8, 4, 0x6b); /* IPv4 header, TCP and UDP with part of the sum given, segments */
	give(call, 12, 4, 0x7); /* what is received: IPv4 header, TCP and UDP over both */
	give(call, 16, 4, 0x7);
	return SUCCESS;
}

static enum status get_table(struct call *call)
{
	give(call, 8, 2, TABLE_BITS);
	give(call, 10, 2, TABLE_BITS);
	give(call, 12, 2, TABLE_BITS);
	return show(call, table_record, 4u << TABLE_BITS);
}

static enum status set_table_of(struct call *call)
{
	return take(call, 24, 2) == TABLE_BITS ? learn(call, set_table, 4u << TABLE_BITS)
					       : ILLEGAL_PARAMETER;
}

static enum status set_mtu(struct call *call)
{
	anynic_set(call->nic, mtu, 0, take(call, 20, 4));
	return SUCCESS;
}

static enum status get_input(struct call *call)
{
	return show(call, fields_record, 256);
}

static enum status set_input(struct call *call)
{
	return learn(call, set_fields, 256);
}

static enum status get_moderation(struct call *call)
{
	give(call, 8, 2, 1); /* us */
	return SUCCESS;
}

static enum status get_events(struct call *call)
{
	give(call, 8, 4, LINK | KEEP_ALIVE);
	give(call, 12, 4, anynic_get(call->nic, groups, 0));
	return SUCCESS;
}

static enum status set_events(struct call *call)
{
	uint64_t wanted = take(call, 24, 4);

	if (wanted & ~(uint64_t)(LINK | KEEP_ALIVE))
		return ILLEGAL_PARAMETER;
	anynic_set(call->nic, groups, 0, wanted);
	if (wanted & KEEP_ALIVE)
		anynic_timer_arm(call->nic, keep_alive, 0);
	return SUCCESS;
}

static enum status get_link(struct call *call)
{
	give(call, 8, 4, 10000); /* Mbit/s */
	give(call, 12, 4, 8);	 /* 10 Gbit/s is there to choose */
	give(call, 16, 4, 2);	 /* full duplex */
	return SUCCESS;
}

/* The driver tells of itself. */
static enum status set_host(struct call *call)
{
	(void)call;
	return SUCCESS;
}

static enum status get_attributes(struct call *call);

static const struct {
	unsigned feature;
	enum status (*get)(struct call *call), (*set)(struct call *call);
} features[] = {
	{1, get_attributes, 0},
	{2, get_queues, 0},
	{10, get_hash, set_hash},
	{11, get_offloads, 0},
	{12, get_table, set_table_of},
	{14, 0, set_mtu},
	{18, get_input, set_input},
	{20, get_moderation, 0},
	{26, get_events, set_events},
	{27, get_link, 0},
	{28, 0, set_host},
};

static enum status get_attributes(struct call *call)
{
	uint32_t supported = 0;

	for (unsigned i = 0; i < sizeof(features) / sizeof(*features); i++)
		supported |= 1u << features[i].feature;
	give(call, 8, 4, 1);  /* this card's kind */
	give(call, 12, 4, 2); /* and version */
	give(call, 16, 4, supported);
	give(call, 24, 4, 48); /* bits of addresses, and of virtual ones */
	give(call, 28, 4, 48);
	give(call, 32, 6, anynic_mac(call->nic));
	give(call, 40, 4, MTU_MAX);
	return SUCCESS;
}

static enum status feature(struct call *call, bool set)
{
	unsigned wanted = (unsigned)take(call, 17, 1);

	for (unsigned i = 0; i < sizeof(features) / sizeof(*features); i++) {
		if (features[i].feature != wanted)
			continue;
		if (set ? features[i].set : features[i].get)
			return set ? features[i].set(call) : features[i].get(call);
	}
	return UNSUPPORTED_OPCODE;
}

static enum status statistics(struct call *call)
{
	static const int32_t *const counters[] = {&tx_bytes,  &tx_frames, &rx_bytes,
						  &rx_frames, &rx_drops,  &tx_drops};
	uint64_t value[6];

	if (take(call, 16, 1))
		return UNSUPPORTED_OPCODE;
	for (unsigned i = 0; i < 6; i++)
		value[i] = anynic_get(call->nic, *counters[i], 0);
	value[0] -= value[1] * FCS;
	value[2] -= value[3] * FCS;
	for (unsigned i = 0; i < 6; i++)
		give(call, 8 + i * 8, 8, value[i]);
	return SUCCESS;
}

/* ---- the queue of commands ---- */

static enum status carry_out(struct call *call)
{
	switch (take(call, 2, 1)) {
	case CREATE_SQ:
		return create_sq(call);
	case DESTROY_SQ:
		return destroy_sq(call);
	case CREATE_CQ:
		return create_cq(call);
	case DESTROY_CQ:
		return destroy_cq(call);
	case GET_FEATURE:
		return feature(call, false);
	case SET_FEATURE:
		return feature(call, true);
	case GET_STATISTICS:
		return statistics(call);
	default:
		return UNSUPPORTED_OPCODE;
	}
}

/* VALUE: how many commands there were, with this one. */
static int32_t command(struct anynic_nic *nic, uint32_t called, uint64_t value, uint32_t ring,
		       uint32_t queue, const void *slot, uint32_t length)
{
	struct call call;
	enum status status;

	(void)called, (void)ring, (void)queue;
	if (length != ENTRY)
		return ANYNIC_INVALID;
	call.nic = nic;
	call.from = slot;
	give(&call, 0, ENTRY, 0);
	status = carry_out(&call);
	if (status == AGAIN)
		return ANYNIC_AGAIN;
	if (status != SUCCESS)
		give(&call, 8, ENTRY - 8, 0);
	give(&call, 0, 2, take(&call, 0, 2) & 0xfff);
	give(&call, 2, 1, status);
	give(&call, 6, 2, value);
	return anynic_produce(nic, acq, 0, call.to, ENTRY);
}

ANYNIC_MODULE(.start = start, .command = command)
