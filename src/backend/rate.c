/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A bucket for bits and one for frames, each way. A bucket holds time: what a
 * frame costs at the rate is taken out of it when it passes, and time fills it
 * up to its rim. A frame passes while neither is below zero, so that one as
 * large as a bucket passes too, and those behind it wait the longer. A frame that
 * will be cut counts as the frames that it will be.
 *
 *   rim  ──────────   BURST: what may come at once after a silence
 *                     passes
 *   0    ──────────
 *                     waits; the timer looks again when 0 is reached
 */
#include "backend/rate.h"

#include <errno.h>
#include <stdlib.h>

enum { BURST_NS = 5000000 };
static const uint64_t PS = 1000000000000ull; /* in a second */
static const int64_t PS_PER_NS = 1000;
static const uint64_t RATE_MAX = 1000000000000ull, SILENCE_MAX = 4000000000000000ull;

struct bucket {
	uint64_t rate; /* a second; 0: no limit */
	int64_t held;  /* ps */
};

struct way {
	struct bucket bits, frames;
	uint64_t at; /* when they were filled */
	struct timer timer;
	struct rate *rate;
};

struct rate {
	struct layer layer;
	struct loop *loop;
	struct way tx, rx;
};

static void bucket_fill(struct bucket *bucket, uint64_t ns)
{
	bucket->held += (int64_t)(ns < SILENCE_MAX ? ns : SILENCE_MAX) * PS_PER_NS;
	if (bucket->held > BURST_NS * PS_PER_NS)
		bucket->held = BURST_NS * PS_PER_NS;
}

static void bucket_take(struct bucket *bucket, uint64_t amount)
{
	if (bucket->rate)
		bucket->held -= (int64_t)(amount * PS / bucket->rate);
}

static void fill(struct way *way)
{
	uint64_t now = clock_now(loop_clock(way->rate->loop));

	bucket_fill(&way->bits, now - way->at);
	bucket_fill(&way->frames, now - way->at);
	way->at = now;
}

static bool passes(const struct way *way)
{
	return (!way->bits.rate || way->bits.held >= 0) &&
	       (!way->frames.rate || way->frames.held >= 0);
}

static void take(struct way *way, const struct frame *frame)
{
	uint32_t header = frame->header_length, payload = frame->length - header, frames = 1;

	if ((frame->flags & (FRAME_TCP4 | FRAME_TCP6)) && frame->segment_size &&
	    header < frame->length)
		frames = (payload + frame->segment_size - 1) / frame->segment_size;
	bucket_take(&way->bits, 8ull * (frame->length + (uint64_t)(frames - 1) * header));
	bucket_take(&way->frames, frames);
}

/* How many of the frames at the front may pass. They are paid for when they have. */
static unsigned allowed(struct way *way, const struct frame *frames, unsigned count)
{
	struct way then;
	unsigned i = 0;

	fill(way);
	then = *way;
	for (; i < count && passes(&then); i++)
		take(&then, &frames[i]);
	return i;
}

static int64_t missing(const struct bucket *bucket)
{
	return bucket->rate && bucket->held < 0 ? -bucket->held / PS_PER_NS + 1 : 0;
}

static void wait(struct way *way)
{
	int64_t bits = missing(&way->bits), frames = missing(&way->frames);

	way->rate->layer.port.stats.stalls++;
	timer_arm(loop_clock(way->rate->loop), &way->timer,
		  way->at + (uint64_t)(bits > frames ? bits : frames));
}

static void pay(struct way *way, const struct frame *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		take(way, &frames[i]);
}

static unsigned rate_transmit(struct layer *layer, const struct frame *frames, unsigned count)
{
	struct rate *rate = (struct rate *)layer;
	unsigned part = allowed(&rate->tx, frames, count), taken = 0;

	if (part)
		taken = layer_transmit(layer, frames, part);
	pay(&rate->tx, frames, taken);
	if (taken == part && part < count)
		wait(&rate->tx);
	return taken;
}

static unsigned rate_receive(struct layer *layer, const struct frame *frames, unsigned count)
{
	struct rate *rate = (struct rate *)layer;
	unsigned part = allowed(&rate->rx, frames, count), taken = 0;

	if (part)
		taken = port_receive(&layer->port, frames, part);
	pay(&rate->rx, frames, taken);
	if (taken == part && part < count)
		wait(&rate->rx);
	return taken;
}

static void tx_again(struct timer *timer)
{
	struct way *way = timer->context;

	port_writable(&way->rate->layer.port);
}

static void rx_again(struct timer *timer)
{
	struct way *way = timer->context;

	layer_resume(&way->rate->layer);
}

static void rate_free(struct layer *layer)
{
	struct rate *rate = (struct rate *)layer;

	timer_cancel(loop_clock(rate->loop), &rate->tx.timer);
	timer_cancel(loop_clock(rate->loop), &rate->rx.timer);
	free(rate);
}

static void way_init(struct way *way, struct rate *rate, void (*again)(struct timer *timer))
{
	way->rate = rate;
	way->at = clock_now(loop_clock(rate->loop));
	timer_init(&way->timer, again, way);
}

struct layer *rate_open(struct port *inner, const struct rate_limits *limits, struct loop *loop,
			struct error *err)
{
	struct rate *rate = calloc(1, sizeof(*rate));

	if (!rate) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	rate->loop = loop;
	rate->layer.transmit = rate_transmit;
	rate->layer.receive = rate_receive;
	rate->layer.free = rate_free;
	way_init(&rate->tx, rate, tx_again);
	way_init(&rate->rx, rate, rx_again);
	rate_set(&rate->layer, limits);
	layer_around(&rate->layer, inner);
	return &rate->layer;
}

static struct bucket full(uint64_t rate)
{
	return (struct bucket){rate < RATE_MAX ? rate : RATE_MAX, BURST_NS * PS_PER_NS};
}

void rate_set(struct layer *layer, const struct rate_limits *limits)
{
	struct rate *rate = (struct rate *)layer;

	rate->tx.bits = full(limits->tx_bits);
	rate->tx.frames = full(limits->tx_frames);
	rate->rx.bits = full(limits->rx_bits);
	rate->rx.frames = full(limits->rx_frames);
	/* who waited by the old limits looks again */
	if (timer_armed(&rate->tx.timer))
		timer_arm(loop_clock(rate->loop), &rate->tx.timer, 0);
	if (timer_armed(&rate->rx.timer))
		timer_arm(loop_clock(rate->loop), &rate->rx.timer, 0);
}

bool rate_unlimited(const struct rate_limits *limits)
{
	return !limits->tx_bits && !limits->tx_frames && !limits->rx_bits && !limits->rx_frames;
}
