/* SPDX-License-Identifier: Apache-2.0 */

/*
 *      drop what goes out
 *      to a station:    all?           -> tag
 *      to all:          broadcast?     -> tag
 *      to a group:      all groups?    -> tag
 *      address 1?                      -> tag
 *      …
 *      drop
 *   tag:
 *      none, of another type, or all VLANs?  -> take
 *      VLAN 1?                               -> take
 *      …
 *      drop
 *
 * Conditional jumps reach 255 instructions, so they pass over one that jumps anywhere.
 */
#include "backend/bpf.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

enum { TAKE = 0x40000, VLANS_MAX = 800 };

static void put(struct bpf *bpf, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	if (bpf->count < BPF_ROOM)
		bpf->code[bpf->count++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct bpf *bpf, uint16_t size, uint32_t at)
{
	put(bpf, (uint16_t)(BPF_LD | BPF_ABS | size), 0, 0, at);
}

static void when_equal(struct bpf *bpf, uint32_t value, uint8_t yes, uint8_t no)
{
	put(bpf, BPF_JMP | BPF_JEQ | BPF_K, yes, no, value);
}

static void give(struct bpf *bpf, uint32_t length)
{
	put(bpf, BPF_RET | BPF_K, 0, 0, length);
}

/* Its target is known later. */
static void to_tag(struct bpf *bpf)
{
	put(bpf, BPF_JMP | BPF_JA, 0, 0, UINT32_MAX);
}

static void resolve(struct bpf *bpf)
{
	for (unsigned i = 0; i < bpf->count; i++) {
		if (bpf->code[i].code == (BPF_JMP | BPF_JA) && bpf->code[i].k == UINT32_MAX)
			bpf->code[i].k = bpf->count - i - 1;
	}
}

static void put_address(struct bpf *bpf, uint64_t address)
{
	load(bpf, BPF_W, 2);
	when_equal(bpf, __builtin_bswap32((uint32_t)(address >> 16)), 0, 3);
	load(bpf, BPF_H, 0);
	when_equal(bpf, __builtin_bswap16((uint16_t)address), 0, 1);
	to_tag(bpf);
}

static void put_destination(struct bpf *bpf, const struct port_filter *filter)
{
	if (filter->all) {
		load(bpf, BPF_B, 0);
		put(bpf, BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1);
		to_tag(bpf);
	}
	if (filter->broadcast)
		put_address(bpf, 0xffffffffffff);
	if (filter->all_groups) { /* that to all is none of these */
		load(bpf, BPF_B, 0);
		put(bpf, BPF_JMP | BPF_JSET | BPF_K, 0, filter->broadcast ? 1 : 5, 1);
		if (!filter->broadcast) {
			load(bpf, BPF_W, 2);
			when_equal(bpf, 0xffffffff, 0, 2);
			load(bpf, BPF_H, 0);
			when_equal(bpf, 0xffff, 1, 0);
		}
		to_tag(bpf);
	}
	for (unsigned i = 0; i < filter->count; i++)
		put_address(bpf, filter->addresses[i]);
	give(bpf, 0);
}

static unsigned vlans_of(const struct port_filter *filter)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PORT_VLANS / 64; i++)
		count += (unsigned)__builtin_popcountll(filter->vlans[i]);
	return count;
}

static void put_vlans(struct bpf *bpf, const struct port_filter *filter)
{
	if (filter->all_vlans || vlans_of(filter) > VLANS_MAX) {
		give(bpf, TAKE);
		return;
	}
	load(bpf, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	when_equal(bpf, 0, 0, 1);
	give(bpf, TAKE);
	load(bpf, BPF_H, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TPID));
	when_equal(bpf, 0x8100, 1, 0);
	give(bpf, TAKE);
	load(bpf, BPF_H, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG));
	put(bpf, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xfff);
	for (unsigned id = 0; id < PORT_VLANS; id++) {
		if (vlans_have(filter->vlans, id)) {
			when_equal(bpf, id, 0, 1);
			give(bpf, TAKE);
		}
	}
	give(bpf, 0);
}

void bpf_compile(struct bpf *bpf, const struct port_filter *filter)
{
	bpf->count = 0;
	load(bpf, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	when_equal(bpf, PACKET_OUTGOING, 0, 1);
	give(bpf, 0);
	put_destination(bpf, filter);
	resolve(bpf);
	put_vlans(bpf, filter);
}

int bpf_attach(const struct bpf *bpf, int fd)
{
	const struct sock_fprog program = {(unsigned short)bpf->count,
					   (struct sock_filter *)bpf->code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}
