/* SPDX-License-Identifier: Apache-2.0 */

/* A layer that writes what passes into a pcap file. */
#include "backend/backend.h"

#include "base/log.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { CAPTURE_FRAME = 262144 };

struct capture {
	struct layer layer;
	pcap_t *pcap;
	pcap_dumper_t *file; /* NULL once writing has failed */
	char *path;
	uint8_t linear[CAPTURE_FRAME];
};

static void capture_frame(struct capture *capture, const struct frame *frame)
{
	struct pcap_pkthdr header;
	size_t done = 0;

	for (unsigned i = 0; i < frame->iovs; i++) {
		size_t part = frame->iov[i].iov_len;

		if (part > sizeof(capture->linear) - done)
			break;
		memcpy(capture->linear + done, frame->iov[i].iov_base, part);
		done += part;
	}
	gettimeofday(&header.ts, NULL);
	header.caplen = (bpf_u_int32)done;
	header.len = frame->length;
	pcap_dump((uint8_t *)capture->file, &header, capture->linear);
}

static void capture_give_up(struct capture *capture)
{
	log_warn("--capture %s: %s; no more frames are captured", capture->path, strerror(errno));
	pcap_dump_close(capture->file);
	capture->file = NULL;
}

static void capture_batch(struct capture *capture, const struct frame *frames, unsigned count)
{
	for (unsigned i = 0; capture->file && i < count; i++)
		capture_frame(capture, &frames[i]);
	if (capture->file && count &&
	    (pcap_dump_flush(capture->file) < 0 || ferror(pcap_dump_file(capture->file))))
		capture_give_up(capture);
	if (!capture->file)
		capture->layer.port.stats.uncaptured += count;
}

static unsigned capture_transmit(struct layer *layer, const struct frame *frames, unsigned count)
{
	unsigned taken = layer_transmit(layer, frames, count);

	capture_batch((struct capture *)layer, frames, taken);
	return taken;
}

static unsigned capture_receive(struct layer *layer, const struct frame *frames, unsigned count)
{
	unsigned taken = port_receive(&layer->port, frames, count);

	capture_batch((struct capture *)layer, frames, taken);
	return taken;
}

static void capture_free(struct layer *layer)
{
	struct capture *capture = (struct capture *)layer;

	if (capture->file)
		pcap_dump_close(capture->file);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture->path);
	free(capture);
}

struct layer *capture_open(struct port *inner, const char *path, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture || !(capture->path = strdup(path))) {
		free(capture);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	capture->layer.transmit = capture_transmit;
	capture->layer.receive = capture_receive;
	capture->layer.free = capture_free;
	capture->pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_FRAME);
	capture->file = capture->pcap ? pcap_dump_open(capture->pcap, path) : NULL;
	if (!capture->file) {
		error_set(err, -EIO, "--capture %s",
			  capture->pcap ? pcap_geterr(capture->pcap) : "no memory");
		capture_free(&capture->layer);
		return NULL;
	}
	layer_around(&capture->layer, inner);
	return &capture->layer;
}
