/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "front/protocol.h"
#include "front/vfio_user.h"

enum { VECTORS_MAX = PIC_VECTORS, FDS_QUEUED = 256, INPUT_SIZE = 128 << 10, OUTPUT_MAX = 32 << 20 };

/* One message to the client, sent whole or in pieces, never interleaved. */
struct output {
	struct output *next;
	size_t length, sent;
	uint8_t data[];
};

struct dma_request {
	bool used, write;
	uint16_t id;
	uint32_t token;
	uint64_t length;
};

struct vfio_user {
	struct vfio_user_config config;
	struct vfio_user_stats stats;
	char path[108];
	struct loop_fd listener, client, resample;
	bool broken; /* the client is dropped once the call stack is out of its messages */
	bool versioned;
	bool told_of_faults;
	uint64_t faults_seen;  /* of the process, when we last asked for ours */
	bool messages_allowed; /* made a map without a descriptor: it serves DMA messages */

	/* input: bytes [begin, end) of buffer; descriptors that came with them */
	uint8_t *input;
	size_t begin, end, room;
	int fds[VU_MAX_FDS];
	unsigned fds_count;
	size_t owner; /* where the message begins that they came with */

	struct output *first, **last;
	size_t queued; /* bytes of it */

	int line;		 /* eventfd of INTx */
	int *vectors[PIC_KINDS]; /* of MSI and MSI-X */
	unsigned vectors_count[PIC_KINDS];

	struct dma_request requests[1024];
	uint16_t next_id;
	unsigned outstanding; /* of them */
	struct timer silence; /* while it is not known whether they are answered */
};

/* message.c */
void message_init(struct vfio_user *front);
void message_drop(struct vfio_user *front); /* forgets input, output and descriptors */
bool message_input(struct vfio_user *front);
void message_flush(struct vfio_user *front);
void message_reply(struct vfio_user *front, const struct vu_header *request, const void *payload,
		   size_t length);
void message_error(struct vfio_user *front, const struct vu_header *request, int error);
int message_command(struct vfio_user *front, uint16_t id, enum vu_command command,
		    const void *payload, size_t length, const void *data, size_t data_length);
int message_take_fd(struct vfio_user *front); /* the next descriptor that came, or -1 */

/* vfio_user.c */
void client_faults(struct vfio_user *front); /* memory that is gone: says so */

/* request.c */
void request_handle(struct vfio_user *front, const struct vu_header *header, uint8_t *payload,
		    size_t length);

/* irqs.c */
void irqs_init(struct vfio_user *front);
void irqs_release(struct vfio_user *front);
unsigned irqs_count(const struct vfio_user *front, unsigned index);
int irqs_set(struct vfio_user *front, const struct vu_set_irqs *set, const uint8_t *data,
	     size_t length);

/* dma_channel.c */
void dma_channel_init(struct vfio_user *front);
void dma_channel_stop(struct vfio_user *front);
void dma_channel_allow(struct vfio_user *front); /* the client serves DMA messages */
void dma_channel_reply(struct vfio_user *front, const struct vu_header *header,
		       const uint8_t *payload, size_t length);
