/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

unsigned packet_l3(const struct packet *packet)
{
	return packet->tagged ? 18 : 14;
}

unsigned packet_l4(const struct packet *packet)
{
	return packet_l3(packet) + (packet->v6 ? 40 : 20 + packet->options);
}

unsigned packet_header(const struct packet *packet)
{
	return packet_l4(packet) + (packet->udp ? 8 : 20 + packet->tcp_options);
}

unsigned packet_put(const struct packet *packet)
{
	return packet_l4(packet) + (packet->udp ? 6 : 16);
}

uint16_t packet_sum(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += (i & 1) ? data[i] : (unsigned)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t pseudo(const struct packet *packet, const uint8_t *frame, uint32_t length)
{
	unsigned at = packet_l3(packet), bytes = packet->v6 ? 32 : 8;
	uint8_t header[40] = {0};

	memcpy(header, frame + at + (packet->v6 ? 8 : 12), bytes);
	put32(header + bytes, length);
	header[bytes + 7] = packet->udp ? 17 : 6;
	return packet_sum(header, bytes + 8);
}

static uint16_t add(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void build_ip(const struct packet *packet, uint8_t *ip, uint32_t l4_length)
{
	unsigned length = 20 + packet->options;

	if (packet->v6) {
		ip[0] = 0x60;
		put16(ip + 4, l4_length);
		ip[6] = packet->udp ? 17 : 6;
		ip[7] = 64;
		memcpy(ip + 8, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
		memcpy(ip + 24, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
		return;
	}
	ip[0] = (uint8_t)(0x40 | length / 4);
	put16(ip + 2, length + l4_length);
	put16(ip + 4, packet->id);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = packet->udp ? 17 : 6;
	memcpy(ip + 12, "\x0a\x09\0\2\x0a\x09\0\1", 8);
	memset(ip + 20, 1, packet->options); /* no-operation */
	put16(ip + 10, (uint16_t)~packet_sum(ip, length));
}

static void build_l4(const struct packet *packet, uint8_t *l4, uint32_t l4_length)
{
	put16(l4, 40000);
	put16(l4 + 2, 5201);
	if (packet->udp) {
		put16(l4 + 4, l4_length);
		return;
	}
	put32(l4 + 4, packet->sequence);
	put32(l4 + 8, 0x01020304);
	l4[12] = (uint8_t)((20 + packet->tcp_options) / 4 << 4);
	l4[13] = packet->flags;
	put16(l4 + 14, 500);
	memset(l4 + 20, 1, packet->tcp_options);
}

uint32_t packet_build(const struct packet *packet, uint8_t *out)
{
	unsigned l3 = packet_l3(packet), l4 = packet_l4(packet), header = packet_header(packet);
	uint32_t l4_length = header - l4 + packet->length;
	uint16_t sum;

	memset(out, 0, header);
	memcpy(out, packet->to, 6);
	memcpy(out + 6, packet->from, 6);
	if (packet->tagged) {
		put16(out + 12, 0x8100);
		put16(out + 14, packet->tci);
	}
	put16(out + l3 - 2, packet->v6 ? 0x86dd : 0x0800);
	build_ip(packet, out + l3, l4_length);
	build_l4(packet, out + l4, l4_length);
	if (packet->length) /* else there is nothing to point to */
		memcpy(out + header, packet->payload, packet->length);
	sum = (uint16_t)~add(pseudo(packet, out, l4_length), packet_sum(out + l4, l4_length));
	if (sum == 0 && packet->udp)
		sum = 0xffff;
	put16(out + packet_put(packet), sum);
	return header + packet->length;
}

void packet_open(const struct packet *packet, uint8_t *frame, bool length_too)
{
	unsigned l4 = packet_l4(packet);
	uint32_t l4_length = packet_header(packet) - l4 + packet->length;

	if (!packet->v6)
		put16(frame + packet_l3(packet) + 10, 0);
	put16(frame + packet_put(packet), pseudo(packet, frame, length_too ? l4_length : 0));
}
