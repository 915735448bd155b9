/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Written here instruction by instruction, so that nothing compiles BPF at run time
 * and no object file has to be there. Its shape is that of the socket filter (bpf.c): who
 * is the frame for, then which VLAN, then redirect.
 */
#include "backend/xdp_program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

enum { CODE_ROOM = 4096, QUEUES = 64, TO_TAG = 1, TO_TAKE = 2, TO_PASS = 3, VLANS_MAX = 800 };
enum { R0, R1, R2, R3, R4, R5, R6 };

struct code {
	struct bpf_insn list[CODE_ROOM];
	uint8_t targets[CODE_ROOM]; /* where a jump goes, as far as that is not known yet */
	unsigned count;
};

static struct bpf_insn *put(struct code *code, uint8_t op, uint8_t to, uint8_t from, int16_t offset,
			    int32_t value)
{
	struct bpf_insn *at = &code->list[code->count < CODE_ROOM ? code->count++ : CODE_ROOM - 1];

	*at = (struct bpf_insn){
		.code = op, .dst_reg = to & 15, .src_reg = from & 15, .off = offset, .imm = value};
	return at;
}

static void jump(struct code *code, uint8_t op, uint8_t reg, int32_t value, uint8_t target)
{
	struct bpf_insn *at = put(code, op, reg, 0, 0, value);

	code->targets[at - code->list] = target;
}

/* Jumps to TARGET go to what comes next. */
static void here(struct code *code, uint8_t target)
{
	for (unsigned i = 0; i < code->count; i++) {
		if (code->targets[i] == target) {
			code->list[i].off = (int16_t)(code->count - i - 1);
			code->targets[i] = 0;
		}
	}
}

static void always(struct code *code, uint8_t target)
{
	jump(code, BPF_JMP | BPF_JA, 0, 0, target);
}

/* r4, r5: bytes 2 to 5 and 0 to 1 of the destination, as they lie there */
static void put_address(struct code *code, uint64_t address)
{
	uint8_t bytes[8];
	uint32_t high;
	uint16_t low;

	memcpy(bytes, &address, sizeof(bytes));
	memcpy(&low, bytes, sizeof(low));
	memcpy(&high, bytes + 2, sizeof(high));
	put(code, BPF_JMP32 | BPF_JNE | BPF_K, R4, 0, 1, (int32_t)high);
	jump(code, BPF_JMP32 | BPF_JEQ | BPF_K, R5, low, TO_TAG);
}

static void put_destination(struct code *code, const struct port_filter *filter)
{
	if (filter->broadcast)
		put_address(code, 0xffffffffffff);
	for (unsigned i = 0; i < filter->count; i++)
		put_address(code, filter->addresses[i]);
	put(code, BPF_LDX | BPF_MEM | BPF_B, R3, R2, 0, 0);
	put(code, BPF_ALU | BPF_AND | BPF_K, R3, 0, 0, 1);
	if (filter->all)
		jump(code, BPF_JMP | BPF_JEQ | BPF_K, R3, 0, TO_TAG);
	if (filter->all_groups) { /* that to all has had its turn */
		jump(code, BPF_JMP | BPF_JEQ | BPF_K, R3, 0, TO_PASS);
		put(code, BPF_JMP32 | BPF_JNE | BPF_K, R4, 0, 1, -1);
		jump(code, BPF_JMP32 | BPF_JEQ | BPF_K, R5, 0xffff, TO_PASS);
		always(code, TO_TAG);
	} else { /* the kernel takes no code that nothing leads to */
		always(code, TO_PASS);
	}
}

static bool takes_some(const struct port_filter *filter)
{
	return filter->all || filter->all_groups || filter->broadcast || filter->count;
}

static unsigned vlans_of(const struct port_filter *filter)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PORT_VLANS / 64; i++)
		count += (unsigned)__builtin_popcountll(filter->vlans[i]);
	return count;
}

static void put_vlans(struct code *code, const struct port_filter *filter)
{
	here(code, TO_TAG);
	if (filter->all_vlans || vlans_of(filter) > VLANS_MAX)
		return;
	put(code, BPF_LDX | BPF_MEM | BPF_H, R3, R2, 12, 0);
	put(code, BPF_ALU | BPF_END | BPF_TO_BE, R3, 0, 0, 16);
	jump(code, BPF_JMP | BPF_JNE | BPF_K, R3, 0x8100, TO_TAKE);
	put(code, BPF_LDX | BPF_MEM | BPF_H, R3, R2, 14, 0);
	put(code, BPF_ALU | BPF_END | BPF_TO_BE, R3, 0, 0, 16);
	put(code, BPF_ALU | BPF_AND | BPF_K, R3, 0, 0, 0xfff);
	for (unsigned id = 0; id < PORT_VLANS; id++) {
		if (vlans_have(filter->vlans, id))
			jump(code, BPF_JMP | BPF_JEQ | BPF_K, R3, (int32_t)id, TO_TAKE);
	}
	always(code, TO_PASS);
}

static void put_take(struct code *code, int sockets, int otherwise)
{
	here(code, TO_TAKE);
	put(code, BPF_LDX | BPF_MEM | BPF_W, R2, R6, offsetof(struct xdp_md, rx_queue_index), 0);
	put(code, BPF_LD | BPF_IMM | BPF_DW, R1, BPF_PSEUDO_MAP_FD, 0, sockets);
	put(code, 0, 0, 0, 0, 0);
	put(code, BPF_ALU64 | BPF_MOV | BPF_K, R3, 0, 0, otherwise);
	put(code, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map);
	put(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void put_pass(struct code *code)
{
	here(code, TO_PASS);
	put(code, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, XDP_PASS);
	put(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* What is too short for a tag is no frame. */
int xdp_program_load(int sockets, const struct port_filter *filter, int otherwise)
{
	static _Thread_local struct code code;
	int fd;

	memset(&code, 0, sizeof(code));
	put(&code, BPF_ALU64 | BPF_MOV | BPF_X, R6, R1, 0, 0);
	put(&code, BPF_LDX | BPF_MEM | BPF_W, R2, R1, offsetof(struct xdp_md, data), 0);
	put(&code, BPF_LDX | BPF_MEM | BPF_W, R3, R1, offsetof(struct xdp_md, data_end), 0);
	put(&code, BPF_ALU64 | BPF_MOV | BPF_X, R4, R2, 0, 0);
	put(&code, BPF_ALU64 | BPF_ADD | BPF_K, R4, 0, 0, 18);
	jump(&code, BPF_JMP | BPF_JGT | BPF_X, R4, 0, TO_PASS);
	code.list[code.count - 1].src_reg = R3;
	put(&code, BPF_LDX | BPF_MEM | BPF_W, R4, R2, 2, 0);
	put(&code, BPF_LDX | BPF_MEM | BPF_H, R5, R2, 0, 0);
	if (takes_some(filter)) {
		put_destination(&code, filter);
		put_vlans(&code, filter);
		put_take(&code, sockets, otherwise);
	}
	put_pass(&code);
	if (code.count == CODE_ROOM)
		return -E2BIG;
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "anynic", "Apache-2.0", code.list, code.count, NULL);
	return fd < 0 ? -errno : fd;
}

static int link_make(struct xdp_program *program, int fd, int index)
{
	static const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
	int link = -1;

	for (unsigned i = 0; i < 2 && link < 0; i++) {
		LIBBPF_OPTS(bpf_link_create_opts, options, .flags = modes[i]);

		program->driver = modes[i] == XDP_FLAGS_DRV_MODE;
		link = bpf_link_create(fd, index, BPF_XDP, &options);
		if (link < 0 && (errno == EBUSY || errno == EEXIST))
			break;
	}
	return link < 0 ? -errno : link;
}

int xdp_program_attach(struct xdp_program *program, int index, const struct port_filter *filter,
		       struct error *err)
{
	int fd;

	*program = (struct xdp_program){.sockets = -1, .link = -1};
	program->sockets = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "anynic", sizeof(int), sizeof(int),
					  QUEUES, NULL);
	if (program->sockets < 0)
		return error_set(err, -errno, "a map of sockets: %s", strerror(errno));
	fd = xdp_program_load(program->sockets, filter, XDP_PASS);
	if (fd >= 0) {
		program->link = link_make(program, fd, index);
		close(fd);
	}
	if (fd >= 0 && program->link >= 0)
		return 0;
	fd = fd < 0 ? fd : program->link;
	xdp_program_detach(program);
	if (fd == -EBUSY || fd == -EEXIST)
		return error_set(err, fd, "the interface has an XDP program already");
	return error_set(err, fd, "an XDP program: %s", strerror(-fd));
}

int xdp_program_change(struct xdp_program *program, const struct port_filter *filter)
{
	int fd = xdp_program_load(program->sockets, filter, XDP_PASS), result;

	if (fd < 0)
		return fd;
	result = bpf_link_update(program->link, fd, NULL) < 0 ? -errno : 0;
	close(fd);
	return result;
}

int xdp_program_socket(const struct xdp_program *program, unsigned queue, int fd)
{
	return bpf_map_update_elem(program->sockets, &queue, &fd, 0) < 0 ? -errno : 0;
}

void xdp_program_detach(struct xdp_program *program)
{
	if (program->link >= 0)
		close(program->link);
	if (program->sockets >= 0)
		close(program->sockets);
	program->link = program->sockets = -1;
}
