/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Addresses translated between guests and a NIC that passes one address only.
 *
 *   out   source            the host's
 *         ARP               the sender's, in the packet
 *         NDP               link-layer address options of the sender's
 *         DHCP requests     the answer is asked for as a broadcast: to an address of the
 *                           client's it would not pass
 *   in    destination       the guest's, that has the IP address it is for
 *         ARP               the target's, in the packet
 *
 * Which guest has an IP address is learned from what guests send: ARP, IPv4 and IPv6
 * sources, addresses that they are about to use. The table is bounded: of those that
 * are there the one that was used longest ago gives way. Frames to the host that are of
 * no known address are the host's own; of other protocols, a guest's where there is one
 * guest only.
 *
 * A checksum that is complete is corrected for what was changed; one that is still to be
 * made is made later, of the frame as it is then.
 */
#include "backend/nat.h"

#include "nic/offload.h"

#include <stddef.h>
#include <string.h>

enum { ETH = 14, ARP_BYTES = 28, IP6 = 40, DHCP_FLAGS = 10 };
enum { RS = 133, RA = 134, NS = 135, NA = 136, REDIRECT = 137 };

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint64_t mac_at(const uint8_t *at)
{
	uint64_t mac = 0;

	memcpy(&mac, at, 6);
	return mac;
}

void nat_init(struct nat *nat, const uint8_t host[static 6])
{
	memset(nat, 0, sizeof(*nat));
	memcpy(nat->host, host, 6);
}

/* ---- who has which IP address ---- */

static struct nat_entry *find(struct nat *nat, const uint8_t ip[static 16])
{
	for (unsigned i = 0; i < NAT_ENTRIES; i++) { /* mostly the one of the frame before */
		unsigned at = (nat->last + i) % NAT_ENTRIES;
		struct nat_entry *entry = &nat->entries[at];

		if (entry->mac && !memcmp(entry->ip, ip, 16)) {
			entry->used = ++nat->clock;
			nat->last = at;
			return entry;
		}
	}
	return NULL;
}

static void learn(struct nat *nat, const uint8_t ip[static 16], uint64_t mac)
{
	struct nat_entry *entry = find(nat, ip);

	if (!entry) {
		entry = &nat->entries[0];
		for (unsigned i = 1; i < NAT_ENTRIES && entry->mac; i++) {
			if (!nat->entries[i].mac || nat->entries[i].used < entry->used)
				entry = &nat->entries[i];
		}
		memcpy(entry->ip, ip, 16);
		entry->used = ++nat->clock;
	}
	entry->mac = mac;
}

static void ip4(uint8_t ip[static 16], const uint8_t *at)
{
	memset(ip, 0, 12);
	memcpy(ip + 12, at, 4);
}

static bool none(const uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (at[i])
			return false;
	}
	return true;
}

static void learn4(struct nat *nat, const uint8_t *at, uint64_t mac)
{
	uint8_t ip[16];

	ip4(ip, at);
	if (!none(at, 4))
		learn(nat, ip, mac);
}

static void learn6(struct nat *nat, const uint8_t *at, uint64_t mac)
{
	if (!none(at, 16) && at[0] != 0xff)
		learn(nat, at, mac);
}

static void learn_sender(struct nat *nat, uint64_t mac)
{
	if (nat->several || (mac & 1) || nat->sole == mac)
		return;
	nat->several = nat->sole != 0;
	nat->sole = nat->several ? 0 : mac;
}

/* ---- a frame that may be changed ---- */

struct packet {
	struct nat *nat;
	uint8_t *head; /* the frame, or its beginning */
	size_t held;   /* bytes of it */
	size_t l3;     /* behind tags */
	uint16_t type;
	bool open; /* its checksum is still to be made */
};

static bool packet_parse(struct packet *packet, struct nat *nat, uint8_t *head, size_t held,
			 bool open)
{
	*packet = (struct packet){.nat = nat, .head = head, .held = held, .l3 = ETH, .open = open};
	if (held < ETH)
		return false;
	packet->type = get16(head + 12);
	while ((packet->type == 0x8100 || packet->type == 0x88a8) && held >= packet->l3 + 4) {
		packet->type = get16(head + packet->l3 + 2);
		packet->l3 += 4;
	}
	return true;
}

/* A changed word of what the sum at SUM covers. RFC 1624. */
static void sum_changed(struct packet *packet, size_t sum, uint16_t before, uint16_t after)
{
	uint32_t total = (uint16_t)~get16(packet->head + sum);

	if (packet->open)
		return;
	total += (uint16_t)~before;
	total += after;
	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	put16(packet->head + sum, (uint16_t)~total);
}

static void address_put(struct packet *packet, size_t at, const uint8_t mac[static 6], size_t sum)
{
	for (size_t i = 0; i < 6; i += 2) {
		uint16_t before = get16(packet->head + at + i), after = get16(mac + i);

		put16(packet->head + at + i, after);
		sum_changed(packet, sum, before, after);
	}
}

/* ---- out ---- */

static bool is_arp(const struct packet *packet)
{
	const uint8_t *arp = packet->head + packet->l3;

	return packet->type == 0x0806 && packet->held >= packet->l3 + ARP_BYTES &&
	       get16(arp) == 1 && get16(arp + 2) == 0x0800 && arp[4] == 6 && arp[5] == 4;
}

static void arp_out(struct packet *packet)
{
	uint8_t *arp = packet->head + packet->l3;

	learn4(packet->nat, arp + 14, mac_at(arp + 8));
	memcpy(arp + 8, packet->nat->host, 6);
}

/* BOOTP from a client: op 1, and the flags behind 10 bytes. */
static void udp_out(struct packet *packet, size_t l4)
{
	uint8_t *udp = packet->head + l4, *flags = udp + 8 + DHCP_FLAGS;
	uint16_t before;

	if (packet->held < l4 + 8 + 236 || get16(udp) != 68 || get16(udp + 2) != 67 || udp[8] != 1)
		return;
	before = get16(flags);
	put16(flags, before | 0x8000);
	if (get16(udp + 6))
		sum_changed(packet, l4 + 6, before, before | 0x8000);
}

static void ip4_out(struct packet *packet, uint64_t mac)
{
	const uint8_t *ip = packet->head + packet->l3;
	size_t l4 = packet->l3 + (ip[0] & 15) * 4u;

	if (packet->held < packet->l3 + 20 || ip[0] >> 4 != 4 || l4 < packet->l3 + 20)
		return;
	learn4(packet->nat, ip + 12, mac);
	if (ip[9] == 17 && !(get16(ip + 6) & 0x3fff))
		udp_out(packet, l4);
}

/* Options of a link-layer address: 1 the source's, 2 the target's. Their offset by message. */
static void ndp_out(struct packet *packet, size_t l4, size_t end)
{
	uint8_t *icmp = packet->head + l4;
	size_t at;

	switch (icmp[0]) {
	case RS:
		at = l4 + 8;
		break;
	case RA:
		at = l4 + 16;
		break;
	case NS:
	case NA:
		at = l4 + 24;
		break;
	case REDIRECT:
		at = l4 + 40;
		break;
	default:
		return;
	}
	if ((icmp[0] == NS || icmp[0] == NA) && end >= l4 + 24 &&
	    (icmp[0] == NA || none(packet->head + packet->l3 + 8, 16)))
		learn6(packet->nat, icmp + 8, mac_at(packet->head + 6));
	while (at + 8 <= end && packet->head[at + 1]) {
		unsigned kind = packet->head[at];

		if (packet->head[at + 1] == 1 && (kind == 1 || (kind == 2 && icmp[0] == NA)))
			address_put(packet, at + 2, packet->nat->host, l4 + 2);
		at += packet->head[at + 1] * 8u;
	}
}

static void ip6_out(struct packet *packet, uint64_t mac)
{
	const uint8_t *ip = packet->head + packet->l3;
	size_t l4 = packet->l3 + IP6, end;

	if (packet->held < l4 + 8 || ip[0] >> 4 != 6)
		return;
	learn6(packet->nat, ip + 8, mac);
	end = l4 + get16(ip + 4);
	if (ip[6] == 58)
		ndp_out(packet, l4, end < packet->held ? end : packet->held);
}

/* What asks for addresses is short; of anything else only the Ethernet header is changed. */
void nat_out(struct nat *nat, const struct frame *frame, struct frame *to,
	     uint8_t room[static NAT_BYTES])
{
	size_t held = frame_copy(frame, 0, room, NAT_BYTES), skip = ETH;
	struct packet packet;
	uint64_t mac;

	if (!packet_parse(&packet, nat, room, held, frame->flags & FRAME_CHECKSUM)) {
		*to = *frame;
		return;
	}
	mac = mac_at(room + 6);
	learn_sender(nat, mac);
	if (is_arp(&packet))
		arp_out(&packet);
	else if (packet.type == 0x0800)
		ip4_out(&packet, mac);
	else if (packet.type == 0x86dd)
		ip6_out(&packet, mac);
	memcpy(room + 6, nat->host, 6);
	if (held == frame->length)
		skip = held;
	memcpy(to, frame, offsetof(struct frame, iov));
	to->iov[0] = (struct iovec){room, skip};
	to->iovs = 1;
	for (unsigned i = 0; i < frame->iovs; i++) {
		size_t part = frame->iov[i].iov_len;

		if (skip >= part) {
			skip -= part;
			continue;
		}
		if (to->iovs == FRAME_IOVS)
			break;
		to->iov[to->iovs++] =
			(struct iovec){(uint8_t *)frame->iov[i].iov_base + skip, part - skip};
		skip = 0;
	}
}

/* ---- in ---- */

static uint64_t guest_of(struct nat *nat, const uint8_t ip[static 16])
{
	const struct nat_entry *entry = find(nat, ip);

	return entry ? entry->mac : 0;
}

static uint64_t arp_in(struct packet *packet)
{
	uint8_t *arp = packet->head + packet->l3, ip[16];
	uint64_t guest;

	ip4(ip, arp + 24);
	guest = guest_of(packet->nat, ip);
	if (guest && !memcmp(arp + 18, packet->nat->host, 6))
		memcpy(arp + 18, &guest, 6);
	return guest;
}

static uint64_t ip_in(struct packet *packet)
{
	const uint8_t *at = packet->head + packet->l3;
	uint8_t ip[16];

	if (packet->type == 0x86dd)
		return packet->held < packet->l3 + IP6 ? 0 : guest_of(packet->nat, at + 24);
	if (packet->held < packet->l3 + 20)
		return 0;
	ip4(ip, at + 16);
	return guest_of(packet->nat, ip);
}

bool nat_in(struct nat *nat, const struct frame *frame)
{
	uint8_t *head = frame->iov[0].iov_base;
	struct packet packet;
	uint64_t guest;

	if (!packet_parse(&packet, nat, head, frame->iov[0].iov_len, false))
		return false;
	if (is_arp(&packet))
		guest = arp_in(&packet);
	else if (packet.type == 0x0800 || packet.type == 0x86dd)
		guest = ip_in(&packet);
	else
		guest = nat->sole;
	if (head[0] & 1)
		return true; /* for all that listen */
	if (memcmp(head, nat->host, 6) || !guest)
		return false;
	memcpy(head, &guest, 6);
	return true;
}
