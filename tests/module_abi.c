/* SPDX-License-Identifier: Apache-2.0 */

/* Prints what modules that exist rely on, line by line; test_module.py has them by heart. */
#include <anynic/module.h>
#include <stddef.h>
#include <stdio.h>

#define NUMBER(name) printf("%s = %d\n", #name, (int)(name));
#define HOOK(name) printf("hook %s at %zu\n", #name, offsetof(struct anynic_module, name));
#define MEMBER(type, name)                                                                         \
	printf("%s.%s at %zu, %zu\n", #type, #name, offsetof(struct type, name),                   \
	       sizeof(((struct type *)0)->name));
#define SERVICE(returns, name, parameters, arguments)                                              \
	printf("service %s at %zu: %s %s\n", #name, offsetof(struct anynic_services, name),        \
	       #returns, #parameters);

static void numbers(void)
{
	NUMBER(ANYNIC_VERSION)
	NUMBER(ANYNIC_OK) NUMBER(ANYNIC_MORE) NUMBER(ANYNIC_AGAIN) NUMBER(ANYNIC_FAULT)
	NUMBER(ANYNIC_INVALID) NUMBER(ANYNIC_FULL) NUMBER(ANYNIC_LATER) NUMBER(ANYNIC_NONE)
	NUMBER(ANYNIC_PLACE) NUMBER(ANYNIC_CALLED) NUMBER(ANYNIC_RING) NUMBER(ANYNIC_RECORD)
	NUMBER(ANYNIC_FIELD) NUMBER(ANYNIC_TIMER) NUMBER(ANYNIC_RESET) NUMBER(ANYNIC_MEMORY)
	NUMBER(ANYNIC_CHECKSUM) NUMBER(ANYNIC_VALID) NUMBER(ANYNIC_TCP4) NUMBER(ANYNIC_TCP6)
	NUMBER(ANYNIC_SUM_IP) NUMBER(ANYNIC_SUM_L4)
	NUMBER(ANYNIC_PASS) NUMBER(ANYNIC_DROP) NUMBER(ANYNIC_TURN) NUMBER(ANYNIC_TAKEN)
	NUMBER(ANYNIC_HOLD) NUMBER(ANYNIC_INFO) NUMBER(ANYNIC_WARN)
}

static void structures(void)
{
	MEMBER(anynic_frame, length) MEMBER(anynic_frame, flags) MEMBER(anynic_frame, verdict)
	MEMBER(anynic_frame, header_length) MEMBER(anynic_frame, segment_size)
	MEMBER(anynic_frame, checksum_start) MEMBER(anynic_frame, checksum_offset)
	MEMBER(anynic_piece, address) MEMBER(anynic_piece, length)
	printf("anynic_frame %zu\n", sizeof(struct anynic_frame));
	printf("anynic_piece %zu\n", sizeof(struct anynic_piece));
	MEMBER(anynic_module, size) MEMBER(anynic_module, version)
	MEMBER(anynic_services, size) MEMBER(anynic_services, version)
}

static void hooks(void)
{
	HOOK(configure) HOOK(start) HOOK(stop) HOOK(reset) HOOK(read) HOOK(write) HOOK(call)
	HOOK(kick) HOOK(command) HOOK(transmit) HOOK(receive) HOOK(timer) HOOK(save)
	HOOK(restore)
}

ANYNIC_MODULE(.configure = NULL)

int main(void)
{
	numbers();
	structures();
	printf("entry %s, %d\n", ANYNIC_ENTRY, anynic_module(NULL)->version);
	hooks();
	ANYNIC_SERVICES(SERVICE)
	return 0;
}
