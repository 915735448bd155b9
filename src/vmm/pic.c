/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/pic.h"

static void pic_show(struct pic *pic)
{
	bool level = pic->level && !pic->disabled && pic->messages == PIC_LINE;

	if (level == pic->shown)
		return;
	pic->shown = level;
	pic->fired += level;
	pic->sink.level(pic->sink.context, level);
}

static bool pic_due(const struct pic *pic)
{
	return pic->level && !pic->masked && pic->enabled && !pic->disabled &&
	       pic->messages == PIC_LINE;
}

static void pic_stop_waiting(struct pic *pic)
{
	if (timer_armed(&pic->again))
		timer_cancel(pic->clock, &pic->again);
}

static void pic_deliver(struct pic *pic)
{
	pic_stop_waiting(pic);
	if (pic->sink.level) {
		pic_show(pic);
		return;
	}
	if (!pic_due(pic))
		return;
	pic->masked = true; /* until the VM has looked */
	pic->fired++;
	pic->sink.fire(pic->sink.context, PIC_LINE, 0);
}

static void pic_waited(struct timer *timer)
{
	struct pic *pic = timer->context;
	uint64_t end = pic->touched + PIC_PATIENCE;

	if (end > pic->latest)
		end = pic->latest;
	if (clock_now(pic->clock) < end)
		timer_arm(pic->clock, &pic->again, end);
	else
		pic_deliver(pic);
}

void pic_init(struct pic *pic)
{
	*pic = (struct pic){.messages = PIC_LINE};
	timer_init(&pic->again, pic_waited, pic);
}

void pic_exit(struct pic *pic)
{
	pic_stop_waiting(pic);
}

void pic_line(struct pic *pic, bool level)
{
	bool rises = level && !pic->level;

	pic->level = level;
	if (rises)
		pic_message(pic, 0);
	pic_deliver(pic);
}

void pic_use(struct pic *pic, enum pic_kind kind)
{
	if (pic->messages == kind)
		return;
	pic->messages = kind;
	if (pic->level)
		pic_message(pic, 0);
	pic_deliver(pic);
}

void pic_message(struct pic *pic, unsigned vector)
{
	if (pic->messages == PIC_LINE || !pic->sink.fire)
		return;
	pic->fired++;
	pic->sink.fire(pic->sink.context, pic->messages, vector);
}

void pic_mask(struct pic *pic)
{
	pic->masked = true;
	pic_stop_waiting(pic);
}

void pic_unmask(struct pic *pic)
{
	pic->masked = false;
	if (!pic->clock || !pic_due(pic)) {
		pic_deliver(pic);
		return;
	}
	pic->touched = clock_now(pic->clock);
	pic->latest = pic->touched + PIC_PATIENCE_MAX;
	timer_arm(pic->clock, &pic->again, pic->touched + PIC_PATIENCE);
}

void pic_touched(struct pic *pic)
{
	if (timer_armed(&pic->again))
		pic->touched = clock_now(pic->clock);
}

void pic_listen(struct pic *pic, bool enabled)
{
	pic->enabled = enabled;
	pic->masked = false;
	pic_deliver(pic);
}

void pic_disable_line(struct pic *pic, bool disabled)
{
	pic->disabled = disabled;
	pic_deliver(pic);
}
