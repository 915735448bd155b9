/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses translated for a NIC that passes one only: against frames by the book. */
#include "packet.h"
#include "unit.h"

#include "backend/nat.h"

#include <string.h>

static const uint8_t host[6] = {0x02, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
static const uint8_t guest[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const uint8_t second[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x57};
static const uint8_t far[6] = {0x02, 0xbb, 0xbb, 0xbb, 0xbb, 0xbb};

static struct nat nat;
static uint8_t out[PACKET_MAX], room[NAT_BYTES], data[PACKET_MAX];

/* What goes out for DATA; its length. */
static uint32_t send_out(uint32_t length, bool open)
{
	struct frame frame = {.iovs = 2, .length = length, .flags = open ? FRAME_CHECKSUM : 0};
	struct frame to;
	uint32_t done = 0;

	frame.iov[0] = (struct iovec){data, 20};
	frame.iov[1] = (struct iovec){data + 20, length - 20};
	nat_out(&nat, &frame, &to, room);
	CHECK_EQUAL(to.length, length);
	CHECK_EQUAL(to.flags, frame.flags);
	for (unsigned i = 0; i < to.iovs; i++) {
		memcpy(out + done, to.iov[i].iov_base, to.iov[i].iov_len);
		done += (uint32_t)to.iov[i].iov_len;
	}
	CHECK_EQUAL(done, length);
	return length;
}

static bool take_in(uint32_t length)
{
	struct frame frame = {.iovs = 1, .length = length, .iov = {{data, length}}};

	return nat_in(&nat, &frame);
}

static void ethernet(const uint8_t *to, const uint8_t *from, uint16_t type)
{
	memset(data, 0, 400);
	memcpy(data, to, 6);
	memcpy(data + 6, from, 6);
	data[12] = (uint8_t)(type >> 8);
	data[13] = (uint8_t)type;
}

static uint32_t arp(uint8_t op, const uint8_t *to, const uint8_t *from, uint8_t sender,
		    const uint8_t *target_mac, uint8_t target)
{
	static const uint8_t fixed[8] = {0, 1, 8, 0, 6, 4, 0, 0};

	ethernet(to, from, 0x0806);
	memcpy(data + 14, fixed, 8);
	data[21] = op;
	memcpy(data + 22, from, 6);
	memcpy(data + 28, (uint8_t[]){10, 0, 0, sender}, 4);
	if (target_mac)
		memcpy(data + 32, target_mac, 6);
	memcpy(data + 38, (uint8_t[]){10, 0, 0, target}, 4);
	return 60;
}

static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};

static void introduce(void)
{
	nat_init(&nat, host);
	send_out(arp(1, all, guest, 2, NULL, 1), false);
}

static void test_arp(void)
{
	introduce();
	CHECK(!memcmp(out + 6, host, 6) && !memcmp(out + 22, host, 6));
	CHECK(!memcmp(data + 22, guest, 6)); /* the guest's own memory is as it was */
	CHECK(take_in(arp(2, host, far, 1, host, 2)));
	CHECK(!memcmp(data, guest, 6) && !memcmp(data + 32, guest, 6));
	CHECK(!take_in(arp(2, host, far, 1, host, 9))); /* the host's own */
	CHECK(take_in(arp(1, all, far, 1, NULL, 2)));
	CHECK(!memcmp(data, all, 6));
}

static uint32_t tcp_in(uint8_t last, bool v6)
{
	struct packet packet = {.v6 = v6, .flags = TCP_ACK, .payload = out, .length = 500};
	uint32_t length;

	memcpy(packet.to, host, 6);
	memcpy(packet.from, far, 6);
	length = packet_build(&packet, data);
	if (!v6)
		data[33] = last; /* whom it is for; sums are not looked at */
	return length;
}

static void test_ip(void)
{
	struct packet packet = {.flags = TCP_ACK, .payload = out + 2000, .length = 5000};
	uint32_t length;

	introduce();
	for (unsigned turn = 0; turn < 4; turn++) {
		packet.v6 = turn & 1;
		packet.tagged = turn & 2;
		memcpy(packet.to, far, 6);
		memcpy(packet.from, guest, 6);
		unit_fill(out + 2000, 5000, 7);
		length = packet_build(&packet, data);
		send_out(length, false);
		CHECK(!memcmp(out, data, 6) && !memcmp(out + 6, host, 6));
		CHECK(!memcmp(out + 12, data + 12, length - 12)); /* and nothing else */
	}
}

static void test_several_guests(void)
{
	introduce();
	send_out(arp(1, all, second, 3, NULL, 1), false);
	for (unsigned i = 0; i < 10; i++) {
		uint32_t length = tcp_in(0, false);

		memcpy(data + 30, (uint8_t[]){10, 0, 0, (uint8_t)(2 + i % 2)}, 4);
		CHECK(take_in(length));
		CHECK(!memcmp(data, i % 2 ? second : guest, 6));
	}
	ethernet(host, far, 0x88b5); /* whose? */
	CHECK(!take_in(60));
	/* a guest that makes up addresses: the table stays as large as it is */
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t length = arp(1, all, second, 0, NULL, 1);

		memcpy(data + 28, (uint8_t[]){11, 0, (uint8_t)(i >> 8), (uint8_t)i}, 4);
		send_out(length, false);
		if (i % 50 == 0) { /* the other one is in use */
			length = tcp_in(0, false);
			memcpy(data + 30, (uint8_t[]){10, 0, 0, 2}, 4);
			CHECK(take_in(length) && !memcmp(data, guest, 6));
		}
	}
}

static void test_other_protocols(void)
{
	introduce();
	ethernet(host, far, 0x88b5);
	CHECK(take_in(60) && !memcmp(data, guest, 6));
	ethernet(guest, far, 0x88b5);
	CHECK(!take_in(60)); /* would not have come */
	ethernet(all, far, 0x88b5);
	CHECK(take_in(60) && !memcmp(data, all, 6));
}

static uint16_t udp_sum(const uint8_t *frame, uint32_t length)
{
	uint8_t pseudo[1600];

	memset(pseudo, 0, 12);
	memcpy(pseudo, frame + 26, 8);
	pseudo[9] = 17;
	pseudo[10] = (uint8_t)((length - 34) >> 8);
	pseudo[11] = (uint8_t)(length - 34);
	memcpy(pseudo + 12, frame + 34, length - 34);
	return packet_sum(pseudo, length - 34 + 12);
}

static void test_dhcp(void)
{
	static uint8_t bootp[300];
	struct packet packet = {.udp = true, .payload = bootp, .length = sizeof(bootp)};
	uint32_t length;

	bootp[0] = 1;
	memcpy(bootp + 28, guest, 6);
	memcpy(packet.to, all, 6);
	memcpy(packet.from, guest, 6);
	for (unsigned open = 0; open < 2; open++) {
		uint16_t sum;

		nat_init(&nat, host);
		length = packet_build(&packet, data);
		memcpy(data + 34, (uint8_t[]){0, 68, 0, 67}, 4);
		memset(data + 40, 0, 2);
		sum = (uint16_t)~udp_sum(data, length);
		data[40] = (uint8_t)(sum >> 8);
		data[41] = (uint8_t)sum;
		CHECK_EQUAL(udp_sum(data, length), 0xffff);
		send_out(length, open);
		CHECK(out[42 + 10] == 0x80 && !data[42 + 10]); /* the answer to all */
		CHECK(!memcmp(out + 42 + 28, guest, 6));
		CHECK_EQUAL(udp_sum(out, length) == 0xffff, !open); /* else it is made later */
	}
}

static uint16_t icmp6_sum(const uint8_t *frame, uint32_t length)
{
	uint8_t pseudo[1600] = {0};

	memcpy(pseudo, frame + 22, 32);
	pseudo[35] = (uint8_t)(length - 54);
	pseudo[39] = 58;
	memcpy(pseudo + 40, frame + 54, length - 54);
	return packet_sum(pseudo, length - 54 + 40);
}

static uint32_t neighbour(uint8_t type, uint8_t option, size_t at, const uint8_t *source)
{
	uint32_t length = (uint32_t)(54 + at + 8);
	uint16_t sum;

	ethernet((const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, guest, 0x86dd);
	data[14] = 0x60;
	data[19] = (uint8_t)(length - 54);
	data[20] = 58;
	data[21] = 255;
	memcpy(data + 22, source, 16);
	data[38] = 0xff;
	data[54] = type;
	memset(data + 62, 0x20, 16); /* the target */
	data[54 + at] = option;
	data[54 + at + 1] = 1;
	memcpy(data + 54 + at + 2, guest, 6);
	sum = (uint16_t)~icmp6_sum(data, length);
	data[56] = (uint8_t)(sum >> 8);
	data[57] = (uint8_t)sum;
	return length;
}

static void test_ndp(void)
{
	static const struct {
		uint8_t type, option;
		size_t at;
	} messages[] = {{133, 1, 8}, {134, 1, 16}, {135, 1, 24}, {136, 2, 24}};
	static const uint8_t source[16] = {0xfe, 0x80, [15] = 5}, nobody[16];

	for (unsigned i = 0; i < 4; i++) {
		uint32_t length =
			neighbour(messages[i].type, messages[i].option, messages[i].at, source);

		nat_init(&nat, host);
		send_out(length, false);
		CHECK(!memcmp(out + 6, host, 6));
		CHECK(!memcmp(out + 54 + messages[i].at + 2, host, 6));
		CHECK_EQUAL(icmp6_sum(out, length), 0xffff);
		/* the sender is known by its address now */
		length = tcp_in(0, true);
		memcpy(data + 38, source, 16);
		CHECK(take_in(length) && !memcmp(data, guest, 6));
	}
	/* an address that is about to be used is known as well */
	nat_init(&nat, host);
	send_out(neighbour(135, 14, 24, nobody), false);
	CHECK(take_in(tcp_in(0, true)) == false);
	tcp_in(0, true);
	memset(data + 38, 0x20, 16);
	CHECK(take_in(200) && !memcmp(data, guest, 6));
}

/* Whatever a guest or the wire sends. */
static void test_noise(void)
{
	static const uint16_t types[] = {0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8};

	nat_init(&nat, host);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t length = 21 + unit_random() % 200;

		for (uint32_t k = 0; k < length; k++)
			data[k] = (uint8_t)unit_random();
		data[12] = (uint8_t)(types[i % 5] >> 8);
		data[13] = (uint8_t)types[i % 5];
		if (i % 3 == 0)
			memcpy(data, host, 6);
		if (i % 7 == 0)
			data[14] = i % 5 ? 0x60 : 0x45;
		if (i % 11 == 0)
			data[20] = 58;
		send_out(length, i & 1);
		take_in(length);
	}
}

UNIT_FILE(nat, {"arp", test_arp}, {"ip", test_ip}, {"several_guests", test_several_guests},
	  {"other_protocols", test_other_protocols}, {"dhcp", test_dhcp}, {"ndp", test_ndp},
	  {"noise", test_noise});
