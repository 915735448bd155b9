/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ena CARD.XML: the life of an ENA with its driver, and with one that makes mistakes.
 * The log goes to standard output; ena.txt has it as it must be.
 */
#include "life.h"

#include "../unit/packet.h"

#include <string.h>

enum { /* registers */
       CAPS = 0x08,
       AQ_LO = 0x10,
       AQ_CAPS = 0x18,
       ACQ_LO = 0x20,
       ACQ_CAPS = 0x28,
       AQ_DB = 0x2c,
       AENQ_CAPS = 0x34,
       AENQ_LO = 0x38,
       AENQ_DB = 0x40,
       INTR_MASK = 0x4c,
       DEV_CTL = 0x54,
       DEV_STS = 0x58,
       REG_READ = 0x5c,
       RESP_LO = 0x60,
       TX_DB = 0x1000,
       RX_DB = 0x1100,
       IRQ = 0x1800,
       UNMASK = 1 << 30,
};

enum { /* guest memory */
       AQ = 0x1000,
       ACQ = 0x2000,
       AENQ = 0x3000,
       RESPONSE = 0x4000,
       BUFFER = 0x5000, /* of commands */
       TXQ = 0x10000,
       TXCQ = 0x20000,
       RXQ = 0x30000,
       RXCQ = 0x40000,
       SENT = 0x50000,
       GOT = 0x80000,
       STRIDE = 0x1000, /* from one queue to the next */
       ROOM = 0x800,
};

enum { ADMIN = 16, EVENTS = 8, DEPTH = 8, ENTRY = 64, QUEUES = 32, PAIRS = 2 };

enum {
	CREATE_SQ = 1,
	DESTROY_SQ = 2,
	CREATE_CQ = 3,
	DESTROY_CQ = 4,
	GET = 8,
	SET = 9,
	STATISTICS = 11,
	TX = 1,
	RX = 2
};

static struct life life;
static unsigned commands, events, sent[PAIRS], given[PAIRS], got[PAIRS];
static uint8_t command[ENTRY], frame[PACKET_MAX];
static uint32_t noise;

static uint32_t random_number(void)
{
	noise ^= noise << 13;
	noise ^= noise >> 17;
	noise ^= noise << 5;
	return noise;
}

static void put(uint8_t *to, unsigned bytes, uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | from[bytes];
	return value;
}

/* ---- the device ---- */

static void reset(void)
{
	life_write(&life, DEV_CTL, 1);
	life_read(&life, DEV_STS);
	life_write(&life, DEV_CTL, 0);
	life_read(&life, DEV_STS);
	memset(life.memory + AQ, 0, BUFFER - AQ);
	memset(life.memory + TXQ, 0, SENT - TXQ);
	commands = 0;
}

/* As the driver reads: by way of memory. */
static void read_registers(void)
{
	life_write(&life, RESP_LO, RESPONSE);
	life_write(&life, RESP_LO + 4, 0);
	for (unsigned at = 0; at < 0x68; at += 4)
		life_write(&life, REG_READ, at << 16 | (at + 1));
	life_write(&life, REG_READ, 0x4000u << 16 | 7); /* there is none */
}

static void open_admin(void)
{
	life_write(&life, AQ_LO, AQ);
	life_write(&life, AQ_LO + 4, 0);
	life_write(&life, AQ_CAPS, ENTRY << 16 | ADMIN);
	life_write(&life, ACQ_LO, ACQ);
	life_write(&life, ACQ_LO + 4, 0);
	life_write(&life, ACQ_CAPS, ENTRY << 16 | ADMIN);
	life_write(&life, AENQ_LO, AENQ);
	life_write(&life, AENQ_LO + 4, 0);
	life_write(&life, AENQ_CAPS, ENTRY << 16 | EVENTS);
	events = EVENTS;
	life_write(&life, AENQ_DB, events);
	life_write(&life, INTR_MASK, 0);
}

/* ---- commands ---- */

static void begin(unsigned opcode)
{
	memset(command, 0, sizeof(command));
	command[2] = (uint8_t)opcode;
}

static void enqueue(void)
{
	put(command, 2, commands & 0xfff);
	command[3] = (command[3] & 0xfe) | !(commands / ADMIN & 1);
	memcpy(life.memory + AQ + commands % ADMIN * ENTRY, command, ENTRY);
	commands++;
}

/* The answer. */
static const uint8_t *carry_out(const char *name)
{
	enqueue();
	life_note(&life, "command %u: %s", commands - 1, name);
	life_write(&life, AQ_DB, commands);
	return life.memory + ACQ + (commands - 1) % ADMIN * ENTRY;
}

static unsigned create_cq(unsigned words, unsigned depth, unsigned vector, uint64_t base)
{
	begin(CREATE_CQ);
	command[5] = (uint8_t)words;
	put(command + 6, 2, depth);
	put(command + 8, 4, vector);
	put(command + 12, 6, base);
	return (unsigned)get(carry_out("create a completion queue") + 8, 2);
}

static unsigned create_sq(unsigned way, unsigned placement, unsigned depth, unsigned cq,
			  uint64_t base)
{
	begin(CREATE_SQ);
	command[4] = (uint8_t)(way << 5);
	command[6] = (uint8_t)placement;
	put(command + 8, 2, cq);
	put(command + 10, 2, depth);
	put(command + 12, 6, base);
	return (unsigned)get(carry_out("create a submission queue") + 8, 2);
}

static void destroy(unsigned opcode, unsigned number, unsigned way)
{
	begin(opcode);
	put(command + 4, 2, number);
	command[6] = (uint8_t)(way << 5);
	carry_out(opcode == DESTROY_SQ ? "destroy a submission queue"
				       : "destroy a completion queue");
}

static void feature(unsigned opcode, unsigned which, uint64_t at, unsigned length, unsigned word)
{
	char name[64];

	snprintf(name, sizeof(name), "%s feature %u", opcode == GET ? "get" : "set", which);
	begin(opcode);
	put(command + 4, 4, length);
	put(command + 8, 6, at);
	command[17] = (uint8_t)which;
	if (opcode == SET) {
		put(command + 20, 4, word);
		put(command + 24, 4, word);
	}
	carry_out(name);
}

static void features(void)
{
	for (unsigned which = 0; which < 32; which++)
		feature(GET, which, BUFFER, 1024, 0);
	unit_fill(life.memory + BUFFER, 1024, 1);
	feature(SET, 10, BUFFER, 48, 2); /* the key */
	feature(GET, 10, BUFFER + 1024, 48, 0);
	for (unsigned i = 0; i < 128; i++) /* flows to one and the other queue */
		put(life.memory + BUFFER + i * 4, 4, i * 7 / 3 % PAIRS);
	feature(SET, 12, BUFFER, 512, 7);
	feature(SET, 18, BUFFER, 256, 0);
	feature(SET, 14, 0, 0, 9001);
	feature(SET, 28, BUFFER, 4096, 0);
	feature(SET, 10, BUFFER, 48, 1); /* what it does not have */
	feature(SET, 12, BUFFER, 512, 9);
	feature(SET, 12, BUFFER, 16, 7);
	feature(SET, 12, (uint64_t)MACHINE_MEMORY << 4, 512, 7);
	feature(GET, 12, MACHINE_MEMORY - 16, 512, 0);
	feature(SET, 11, BUFFER, 512, 7);
	feature(SET, 26, 0, 0, 0xffff);
}

static void statistics(unsigned kind)
{
	begin(STATISTICS);
	command[16] = (uint8_t)kind;
	carry_out("statistics");
}

/* More at once than there are slots behind them, and one that is not there yet. */
static void many(void)
{
	life_note(&life, "ten commands at once");
	for (unsigned i = 0; i < 10; i++) {
		begin(i & 1 ? STATISTICS : GET);
		command[17] = (uint8_t)i;
		enqueue();
	}
	life_write(&life, AQ_DB, commands);
	life_note(&life, "a doorbell for a command that nobody wrote");
	life_write(&life, AQ_DB, commands + 1);
	statistics(0);
}

static void anything(unsigned count)
{
	static const uint8_t opcodes[] = {CREATE_SQ, DESTROY_SQ, CREATE_CQ,  DESTROY_CQ,
					  GET,	     SET,	 STATISTICS, 99};

	for (unsigned i = 0; i < count; i++) {
		begin(opcodes[random_number() % sizeof(opcodes)]);
		for (unsigned k = 4; k < 28; k++)
			command[k] = (uint8_t)(random_number() % 3 ? 0 : random_number() % 64);
		put(command + 12, 6, TXCQ + random_number() % 64 * ROOM);
		carry_out("whatever");
	}
}

/* ---- events ---- */

static void happenings(void)
{
	feature(SET, 26, 0, 0, 0x11);
	life_write(&life, AENQ_DB, events);
	for (unsigned i = 0; i < 3; i++) {
		life_turn(&life, 1000000000);
		life_write(&life, AENQ_DB, ++events);
	}
	life_link(&life, false);
	life_link(&life, true);
	life_write(&life, INTR_MASK, 1);
	life_turn(&life, 1000000000);
	life_write(&life, INTR_MASK, 0);
	for (unsigned i = 0; i < EVENTS + 2; i++) /* more than there is room for */
		life_turn(&life, 1000000000);
	life_write(&life, AENQ_DB, events += EVENTS);
	life_turn(&life, 2000000000);
	feature(SET, 26, 0, 0, 0x1);
	life_turn(&life, 3000000000u);
}

/* ---- frames from the driver ---- */

enum { FIRST = 1 << 26, EOP = 1 << 27, REPORT = 1 << 28, META = 1 << 23 };
enum { TSO = 1 << 7, TCP = 12 << 8, IP_SUM = 1 << 13, L4_SUM = 1 << 14, PARTIAL = 1 << 17 };

static void slot(unsigned pair, uint32_t first, uint32_t second, uint64_t address)
{
	uint8_t *to = life.memory + TXQ + pair * STRIDE + sent[pair] % DEPTH * 16;
	unsigned id = sent[pair] & 0x3ff;

	first |= !(sent[pair] / DEPTH & 1) << 24;
	put(to, 4, first);
	put(to + 4, 4, second | (first & META ? 0 : id << 22));
	put(to + 8, 8, address);
	sent[pair]++;
}

static uint64_t keep(unsigned pair, const uint8_t *bytes, uint32_t length)
{
	uint64_t at = SENT + (pair * DEPTH + sent[pair] % DEPTH) * STRIDE * 2 + sent[pair] % 3;

	memcpy(life.memory + at, bytes, length);
	return at;
}

static void ring(unsigned pair)
{
	life_write(&life, TX_DB + pair * 4, sent[pair]);
	life_write(&life, IRQ + (1 + pair) * 4, UNMASK);
}

static struct packet packet_of(bool v6, bool udp, uint32_t length, unsigned flow)
{
	static uint8_t payload[PACKET_MAX];
	struct packet packet = {.to = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
				.from = {0x52, 0x54, 0, 0xaa, 0xbb, 0xcc},
				.v6 = v6,
				.udp = udp,
				.id = (uint16_t)flow,
				.sequence = flow * 77,
				.flags = TCP_ACK,
				.payload = payload,
				.length = length};

	unit_fill(payload, length, flow);
	return packet;
}

static void send_plain(unsigned pair, uint32_t length)
{
	unit_fill(frame, length, length);
	slot(pair, FIRST | EOP | REPORT | length, 0, keep(pair, frame, length));
	ring(pair);
}

/* Three pieces; the first says that its frame's end is to be told of. */
static void send_pieces(unsigned pair, uint32_t length)
{
	uint32_t cuts[] = {0, 14, length / 2, length};

	unit_fill(frame, length, length);
	for (unsigned i = 0; i < 3; i++)
		slot(pair, (i ? 0 : FIRST | REPORT) | (i == 2 ? EOP : 0) | (cuts[i + 1] - cuts[i]),
		     0, keep(pair, frame + cuts[i], cuts[i + 1] - cuts[i]));
	ring(pair);
}

static void send_sums(unsigned pair, bool v6, uint32_t length, unsigned mss)
{
	struct packet packet = packet_of(v6, false, length, length);
	unsigned at = packet_l3(&packet), header = packet_header(&packet),
		 l3 = packet_l4(&packet) - at;
	uint32_t whole = header + length, sums = TCP | L4_SUM | PARTIAL | (v6 ? 11 : 8 | IP_SUM);

	packet_build(&packet, frame);
	packet_open(&packet, frame, !mss);
	slot(pair, META | 1 << 14 | (mss >> 10) << 16, 0,
	     l3 | at << 8 | 5u << 16 | (uint64_t)(mss & 0x3ff) << 22);
	slot(pair, FIRST | EOP | REPORT | whole, sums | (mss ? TSO : 0),
	     keep(pair, frame, whole) | (uint64_t)header << 56);
	ring(pair);
}

static void frames_out(void)
{
	for (unsigned i = 0; i < 5; i++)
		send_plain(i % PAIRS, 60 + i * 333);
	send_pieces(0, 1514);
	send_sums(1, false, 1000, 0);
	send_sums(0, true, 1400, 0);
	send_sums(1, false, 4000, 1000);
	send_sums(0, true, 3000, 700);
	life_note(&life, "a frame that is nowhere, and one behind it");
	slot(0, FIRST | EOP | REPORT | 100, 0, 0xfffffff00000);
	send_plain(0, 77);
	life_note(&life, "the network is full");
	life.port.room = 0;
	send_plain(1, 88);
	send_plain(1, 99);
	life_note(&life, "and has room again");
	test_port_writable(&life.port);
	life_turn(&life, 1000);
	life_note(&life, "a bell for more than the ring has");
	life_write(&life, TX_DB, sent[0] + 1000);
	life_write(&life, TX_DB, sent[0]);
}

/* ---- frames to the driver ---- */

/* What has come, by the phase of its results. */
static void look_for_frames(unsigned pair)
{
	for (;; got[pair]++) {
		unsigned at = got[pair] % (DEPTH * 2), phase = !(got[pair] / (DEPTH * 2) & 1);

		if ((life.memory[RXCQ + pair * STRIDE + at * 16 + 3] & 1) != phase)
			return;
	}
}

/* All slots that are free. */
static void give(unsigned pair, uint32_t room)
{
	look_for_frames(pair);
	for (; given[pair] < got[pair] + DEPTH; given[pair]++) {
		unsigned number = given[pair] % DEPTH;
		uint8_t *to = life.memory + RXQ + pair * STRIDE + number * 16;

		put(to, 4, room | !(given[pair] / DEPTH & 1) << 24);
		put(to + 4, 4, 100 + number);
		put(to + 8, 8, GOT + (pair * DEPTH + number) * ROOM);
	}
	life_write(&life, RX_DB + pair * 4, given[pair]);
}

static void arrive(bool v6, bool udp, uint32_t length, unsigned flow)
{
	struct packet packet = packet_of(v6, udp, length, flow);
	uint32_t whole = packet_build(&packet, frame);

	frame[packet_l4(&packet) + 1] ^= flow; /* another port, and a sum that is wrong */
	if (flow % 2 == 0)
		put(frame + packet_put(&packet), 2, 0);
	life_offer(&life, frame, whole < 60 ? 60 : whole);
	for (unsigned i = 0; i < PAIRS; i++)
		life_write(&life, IRQ + (1 + i) * 4, UNMASK);
}

static void frames_in(void)
{
	for (unsigned i = 0; i < PAIRS; i++)
		give(i, ROOM);
	for (unsigned i = 0; i < 10; i++)
		arrive(i & 1, i & 2, 10 + i * 150, i);
	life_note(&life, "frames in several buffers");
	for (unsigned i = 0; i < PAIRS; i++)
		give(i, 0x100);
	for (unsigned i = 0; i < 12; i++)
		arrive(false, i & 1, 700, 20 + i);
	life_note(&life, "room once more");
	for (unsigned i = 0; i < PAIRS; i++)
		give(i, ROOM);
	life_turn(&life, 1000000);
	unit_fill(frame, 60, 9);
	life_offer(&life, frame, 60);
	for (unsigned i = 0; i < PAIRS; i++)
		give(i, ROOM);
}

static void moderated(void)
{
	life_note(&life, "interrupts that wait");
	for (unsigned i = 0; i < PAIRS; i++)
		life_write(&life, IRQ + (1 + i) * 4, UNMASK | 40u << 15 | 100);
	for (unsigned i = 0; i < 3; i++) {
		unit_fill(frame, 200, i);
		slot(0, FIRST | EOP | REPORT | 200, 0, keep(0, frame, 200));
		life_write(&life, TX_DB, sent[0]);
		life_turn(&life, 15000);
	}
	life_turn(&life, 100000);
	for (unsigned i = 0; i < PAIRS; i++)
		life_write(&life, IRQ + (1 + i) * 4, UNMASK);
}

/* ---- queues ---- */

static void open_queues(void)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		unsigned tx = create_cq(2, DEPTH * 2, 1 + i, TXCQ + i * STRIDE);
		unsigned rx = create_cq(4, DEPTH * 2, 1 + i, RXCQ + i * STRIDE);

		create_sq(TX, 1, DEPTH, tx, TXQ + i * STRIDE);
		create_sq(RX, 1, DEPTH, rx, RXQ + i * STRIDE);
		sent[i] = given[i] = got[i] = 0;
		life_write(&life, IRQ + (1 + i) * 4, UNMASK);
	}
}

static void wrong_queues(void)
{
	create_cq(3, DEPTH, 1, TXCQ);
	create_cq(2, 2000, 1, TXCQ);
	create_cq(2, 0, 1, TXCQ);
	create_cq(2, 7, 1, TXCQ);
	create_cq(2, DEPTH, 33, TXCQ);
	create_cq(4, DEPTH, 0xffffffff, RXCQ);
	create_sq(TX, 1, DEPTH, 20, TXQ); /* to a queue that is not there */
	create_sq(TX, 1, DEPTH, 40, TXQ);
	create_sq(RX, 1, DEPTH, 3, RXQ);
	create_sq(3, 1, DEPTH, 0, TXQ);
	create_sq(TX, 3, DEPTH, 0, TXQ); /* in memory of the card */
	create_sq(TX, 1, 0, 0, TXQ);
	create_sq(TX, 1, 0xffff, 0, TXQ);
	destroy(DESTROY_SQ, 9, TX);
	destroy(DESTROY_SQ, 9, 0);
	destroy(DESTROY_SQ, 0xffff, RX);
	destroy(DESTROY_CQ, 9, 0);
	destroy(DESTROY_CQ, 70, 0);
	begin(99);
	carry_out("nobody knows what");
	begin(0);
	carry_out("nothing");
}

/* All that there are, and one more. */
static void too_many(void)
{
	for (unsigned i = 0; i < QUEUES + 1; i++)
		create_cq(2, DEPTH, 1 + i % QUEUES, TXCQ + 0x8000 + i * 64);
	for (unsigned i = PAIRS; i < QUEUES; i++)
		destroy(DESTROY_CQ, i, 0);
}

static void close_queues(void)
{
	destroy(DESTROY_CQ, 0, 0); /* with a queue that has its results there */
	send_plain(0, 100);
	destroy(DESTROY_SQ, 0, TX);
	life_note(&life, "bells of queues that are closed");
	life_write(&life, TX_DB, sent[0] + 1);
	life_write(&life, TX_DB + 31 * 4, 5);
	life_write(&life, RX_DB + 31 * 4, 5);
	send_plain(1, 101);
	destroy(DESTROY_SQ, 0, TX);
	destroy(DESTROY_SQ, 1, TX);
	for (unsigned i = 0; i < PAIRS; i++) {
		destroy(DESTROY_SQ, i, RX);
		destroy(DESTROY_CQ, QUEUES + i, 0);
	}
	destroy(DESTROY_CQ, 1, 0);
	arrive(false, false, 100, 3);
}

/* ---- its life ---- */

static void live(const char *path, bool offloads)
{
	life_begin(&life, path, offloads, stdout);
	noise = 0x2545f491;
	reset();
	read_registers();
	open_admin();
	features();
	wrong_queues();
	open_queues();
	happenings();
	frames_out();
	frames_in();
	statistics(0);
	statistics(1);
	life_reload(&life, path);
	many();
	moderated();
	frames_out();
	frames_in();
	too_many();
	close_queues();
	statistics(0);
	anything(60);
	reset();
	open_admin();
	open_queues();
	send_plain(0, 1000);
	life_end(&life);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	live(argv[1], true);
	live(argv[1], false);
	return 0;
}
