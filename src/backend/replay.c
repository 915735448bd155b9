/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A capture played into the guest: at its own pace, at so many frames a second, or as
 * fast as the NIC takes them. It begins some time after the card first takes anything,
 * so that a guest may boot. What the guest has no room for waits; what comes
 * later keeps its time. What the guest sends goes nowhere.
 */
#include "backend/backend.h"
#include "backend/inbox.h"

#include "base/log.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum pace { PACE_OWN, PACE_EACH, PACE_MOST };

static const uint64_t SECOND = 1000000000u, LONGEST = 1000000000000000000u;

struct replay {
	struct port port;
	struct loop *loop;
	struct timer timer;
	struct loop_work work;
	struct inbox inbox;
	char *path;
	pcap_t *pcap; /* NULL: it has ended */
	bool loops, begun;
	enum pace pace;
	uint64_t between, delay;	  /* ns */
	uint64_t due;			  /* of the next frame */
	uint64_t stamp;			  /* of the frame before, as the file has it */
	uint64_t frames;		  /* of this pass through the file */
	const struct pcap_pkthdr *header; /* of the next frame, or NULL */
	const uint8_t *data;
};

/* ---- the file ---- */

static int file_open(struct replay *replay, struct error *err)
{
	char text[PCAP_ERRBUF_SIZE];

	replay->pcap = pcap_open_offline_with_tstamp_precision(replay->path,
							       PCAP_TSTAMP_PRECISION_NANO, text);
	if (!replay->pcap)
		return error_set(err, -EIO, "--net pcap: %s", text);
	if (pcap_datalink(replay->pcap) == DLT_EN10MB)
		return 0;
	return error_set(err, -EINVAL, "--net pcap,file=%s: not of Ethernet, but %s", replay->path,
			 pcap_datalink_val_to_name(pcap_datalink(replay->pcap)) ?: "unknown");
}

static void file_end(struct replay *replay)
{
	bool again = replay->loops && replay->frames;
	struct error err = {0};

	pcap_close(replay->pcap);
	replay->pcap = NULL;
	replay->header = NULL;
	replay->frames = 0;
	if (again && file_open(replay, &err) < 0)
		log_guest("%s", err.text);
}

/* A file may say anything of time: never back, and not for ages. */
static uint64_t stamp_of(const struct pcap_pkthdr *header)
{
	uint64_t seconds = (uint64_t)header->ts.tv_sec;

	return seconds < LONGEST / SECOND ? seconds * SECOND + (uint64_t)header->ts.tv_usec % SECOND
					  : LONGEST;
}

static void schedule(struct replay *replay)
{
	uint64_t stamp = stamp_of(replay->header), step = 0;

	if (replay->frames && replay->pace == PACE_OWN && stamp > replay->stamp)
		step = stamp - replay->stamp;
	else if (replay->frames && replay->pace == PACE_EACH)
		step = replay->between;
	replay->stamp = stamp;
	replay->due += step;
	replay->frames++;
}

/* Whether there is a next frame. */
static bool file_next(struct replay *replay)
{
	struct pcap_pkthdr *header;
	int got;

	if (replay->header || !replay->pcap)
		return replay->header;
	got = pcap_next_ex(replay->pcap, &header, &replay->data);
	if (got == PCAP_ERROR)
		log_warn("--net pcap,file=%s: %s", replay->path, pcap_geterr(replay->pcap));
	if (got != 1) {
		file_end(replay);
		return false;
	}
	replay->header = header;
	schedule(replay);
	return true;
}

/* ---- to the guest ---- */

static void take(struct replay *replay)
{
	const struct pcap_pkthdr *header = replay->header;
	struct port_way *rx = &replay->port.stats.rx;
	uint8_t *buffer = inbox_buffer(&replay->inbox);

	replay->header = NULL;
	if (header->caplen < header->len || header->caplen < 14) {
		port_drop(rx, DROP_MALFORMED, 1); /* not all of it was captured */
	} else if (header->caplen > INBOX_BYTES) {
		port_drop(rx, DROP_TOO_LONG, 1);
	} else {
		memcpy(buffer, replay->data, header->caplen);
		inbox_put(&replay->inbox, &replay->port, buffer, header->caplen);
	}
}

static void wait_for_next(struct replay *replay)
{
	if (replay->due <= clock_now(loop_clock(replay->loop)))
		loop_schedule(replay->loop, &replay->work);
	else
		timer_arm(loop_clock(replay->loop), &replay->timer, replay->due);
}

static bool replay_run(struct loop_work *work)
{
	struct replay *replay = work->context;
	uint64_t now = clock_now(loop_clock(replay->loop));

	if (replay->inbox.held)
		return false;
	while (!inbox_full(&replay->inbox) && file_next(replay) && replay->due <= now)
		take(replay);
	if (inbox_give(&replay->inbox, &replay->port) && file_next(replay))
		wait_for_next(replay);
	return false;
}

static void timer_fired(struct timer *timer)
{
	replay_run(&((struct replay *)timer->context)->work);
}

static void replay_resume(struct port *port)
{
	struct replay *replay = port->context;

	if (replay->inbox.held && inbox_give(&replay->inbox, port))
		loop_schedule(replay->loop, &replay->work);
}

static void replay_filter(struct port *port, const struct port_filter *filter)
{
	struct replay *replay = port->context;
	bool takes = filter->all || filter->all_groups || filter->broadcast || filter->count;

	if (replay->begun || !takes)
		return;
	replay->begun = true;
	replay->due = clock_now(loop_clock(replay->loop)) + replay->delay;
	timer_arm(loop_clock(replay->loop), &replay->timer, replay->due);
}

static unsigned replay_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		port_count(&port->stats.tx, frames[i].length);
	return count;
}

static void replay_close(struct port *port)
{
	struct replay *replay = port->context;

	timer_cancel(loop_clock(replay->loop), &replay->timer);
	loop_unschedule(replay->loop, &replay->work);
	if (replay->pcap)
		pcap_close(replay->pcap);
	inbox_free(&replay->inbox);
	free(replay->path);
	free(replay);
}

static const struct port_ops replay_ops = {
	.transmit = replay_transmit,
	.resume = replay_resume,
	.filter = replay_filter,
	.close = replay_close,
	.offloads = true,
};

/* ---- options ---- */

static int pace_option(struct replay *replay, const char *spec, struct error *err)
{
	char *text = backend_option(spec, "pace");
	uint64_t each;
	int result = 0;

	if (text && !strcmp(text, "max")) {
		replay->pace = PACE_MOST;
	} else if (text && strcmp(text, "own")) {
		result = backend_number(spec, "pace", 0, SECOND, &each, err);
		if (result < 0 || !each)
			result = error_set(err, -EINVAL,
					   "--net pcap: pace=%s: expected own, max, or frames a "
					   "second",
					   text);
		else
			replay->between = SECOND / each;
		replay->pace = PACE_EACH;
	}
	free(text);
	return result;
}

static int replay_start(struct replay *replay, const char *spec, struct error *err)
{
	uint64_t ms;
	int result;

	if (!replay->path)
		return error_set(err, -EINVAL, "--net pcap: file= must say which");
	result = pace_option(replay, spec, err) ?: backend_flag(spec, "loop", &replay->loops, err)
							   ?: backend_number(spec, "delay", 0, 86400000, &ms, err);
	if (result < 0)
		return result;
	replay->delay = ms * 1000000;
	return file_open(replay, err);
}

struct port *replay_open(const char *spec, struct loop *loop, struct error *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay || !inbox_init(&replay->inbox)) {
		free(replay);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	replay->port = (struct port){.ops = &replay_ops, .context = replay};
	replay->loop = loop;
	replay->work = (struct loop_work){.run = replay_run, .context = replay};
	replay->path = backend_option(spec, "file");
	timer_init(&replay->timer, timer_fired, replay);
	if (replay_start(replay, spec, err) < 0) {
		replay_close(&replay->port);
		return NULL;
	}
	return &replay->port;
}
