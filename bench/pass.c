/* SPDX-License-Identifier: Apache-2.0 */

/* A module that passes every frame on, and counts; see module_bench.py. */
#include <anynic/module.h>

static uint64_t seen;

static void transmit(struct anynic_nic *nic, uint32_t ring, uint32_t queue,
		     struct anynic_frame *frames, uint32_t count)
{
	(void)nic;
	(void)ring;
	(void)queue;
	(void)frames;
	seen += count;
}

static void receive(struct anynic_nic *nic, struct anynic_frame *frames, uint32_t count)
{
	(void)nic;
	(void)frames;
	seen += count;
}

ANYNIC_MODULE(.transmit = transmit, .receive = receive)
