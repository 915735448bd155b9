/* SPDX-License-Identifier: Apache-2.0 */

/* A port around a port, which writes what passes into a pcap file. */
#include "backend/backend.h"

#include "base/log.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { CAPTURE_FRAME = 262144 };

struct capture {
	struct port port;
	struct port_ops ops;
	struct port *inner;
	pcap_t *pcap;
	pcap_dumper_t *file; /* NULL once writing has failed */
	const char *path;
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
		capture->port.stats.uncaptured += count;
}

static unsigned capture_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct capture *capture = port->context;
	unsigned taken = capture->inner->ops->transmit(capture->inner, frames, count);

	capture_batch(capture, frames, taken);
	return taken;
}

static unsigned inner_receive(void *context, const struct frame *frames, unsigned count)
{
	struct capture *capture = context;
	unsigned taken = port_receive(&capture->port, frames, count);

	capture_batch(capture, frames, taken);
	return taken;
}

static void inner_link(void *context, bool up)
{
	struct capture *capture = context;

	port_link(&capture->port, up);
}

static void inner_writable(void *context)
{
	struct capture *capture = context;

	port_writable(&capture->port);
}

static void inner_sent(void *context, unsigned count)
{
	struct capture *capture = context;

	port_sent(&capture->port, count);
}

static void inner_health(void *context, const struct port_health *health)
{
	struct capture *capture = context;

	port_health(&capture->port, health);
}

static void capture_resume(struct port *port)
{
	struct capture *capture = port->context;

	if (capture->inner->ops->resume)
		capture->inner->ops->resume(capture->inner);
}

static void capture_filter(struct port *port, const struct port_filter *filter)
{
	struct capture *capture = port->context;

	capture->inner->ops->filter(capture->inner, filter);
}

static void capture_examine(struct port *port)
{
	struct capture *capture = port->context;

	if (capture->inner->ops->examine)
		capture->inner->ops->examine(capture->inner);
}

static void capture_close(struct port *port)
{
	struct capture *capture = port->context;

	if (capture->inner)
		capture->inner->ops->close(capture->inner);
	if (capture->file)
		pcap_dump_close(capture->file);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture);
}

struct port *capture_open(struct port *inner, const char *path, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	capture->ops = (struct port_ops){
		.transmit = capture_transmit,
		.resume = capture_resume,
		.filter = inner->ops->filter ? capture_filter : NULL,
		.examine = capture_examine,
		.close = capture_close,
		.offloads = inner->ops->offloads,
		.defers = inner->ops->defers,
	};
	capture->port = (struct port){
		.ops = &capture->ops,
		.context = capture,
		.health = inner->health,
		.down = inner->down,
	};
	capture->pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_FRAME);
	capture->file = capture->pcap ? pcap_dump_open(capture->pcap, path) : NULL;
	if (!capture->file) {
		error_set(err, -EIO, "--capture %s",
			  capture->pcap ? pcap_geterr(capture->pcap) : "no memory");
		capture_close(&capture->port);
		return NULL;
	}
	capture->path = path;
	capture->inner = inner;
	inner->peer = (struct port_peer){capture,	 inner_receive, inner_link,
					 inner_writable, inner_sent,	inner_health};
	return &capture->port;
}
