/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A layer that writes what passes into a pcap file.
 *
 * The file is well-formed at any time, if its medium can be cut: a batch that does not
 * fit is taken out again, whole. Its frames are counted as not captured, and it
 * is tried again with those that pass later, so that the file goes on when there is
 * room. What cannot be cut, as a pipe, ends with the first failure.
 */
#include "backend/backend.h"

#include "base/log.h"
#include "nic/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	CAPTURE_FRAME = 262144,
	CAPTURE_ROOM = CAPTURE_FRAME + 16 + 24,
	TRY_AGAIN_MS = 100,
	ROOM_AGAIN = 65536, /* else it would go on and be full in turns */
	MICROSECONDS = (int)0xa1b2c3d4,
	ETHERNET = 1,
};

struct file_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, longest, link;
};

static const struct file_head file_head = {(uint32_t)MICROSECONDS, 2,	    4, 0, 0,
					   CAPTURE_FRAME,	   ETHERNET};

struct record_head {
	uint32_t seconds, microseconds, held, length;
};

struct capture {
	struct layer layer;
	int fd;	    /* -1 once it cannot be written any more */
	off_t good; /* up to here it is well-formed */
	bool stuck; /* it had no room the last time, which was at */
	struct timeval stuck_at;
	uint64_t lost; /* since */
	char *path;
	size_t used; /* of ROOM: for FRAMES of the batch */
	unsigned frames;
	uint8_t room[CAPTURE_ROOM];
};

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length) {
		ssize_t part = write(fd, data, length);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return part < 0 ? -errno : -EIO;
		data += part;
		length -= (size_t)part;
	}
	return 0;
}

static void say_stuck(struct capture *capture, int why, bool for_good)
{
	if (!capture->stuck)
		log_warn("--capture %s: %s; %s", capture->path, strerror(-why),
			 for_good ? "no more frames are captured"
				  : "frames are not captured until there is room");
}

static void lose(struct capture *capture, unsigned frames)
{
	capture->layer.port.stats.uncaptured += frames;
	capture->lost += frames;
}

/* Without what did not fit. */
static void failed(struct capture *capture, int why)
{
	bool cut = ftruncate(capture->fd, capture->good) == 0 &&
		   lseek(capture->fd, capture->good, SEEK_SET) == capture->good;

	say_stuck(capture, why, !cut);
	lose(capture, capture->frames);
	capture->stuck = true;
	gettimeofday(&capture->stuck_at, NULL);
	if (cut)
		return;
	close(capture->fd);
	capture->fd = -1;
}

/* What cannot tell is tried. */
static bool roomy(const struct capture *capture)
{
	if (fallocate(capture->fd, FALLOC_FL_KEEP_SIZE, capture->good, ROOM_AGAIN) == 0)
		return ftruncate(capture->fd, capture->good) == 0;
	return errno == EOPNOTSUPP || errno == ENOSYS;
}

static void flush(struct capture *capture)
{
	int result = write_all(capture->fd, capture->room, capture->used);

	if (result < 0) {
		failed(capture, result);
	} else {
		capture->good += (off_t)capture->used;
		if (capture->stuck)
			log_warn("--capture %s: goes on; %llu frames were not captured",
				 capture->path, (unsigned long long)capture->lost);
		capture->stuck = false;
		capture->lost = 0;
	}
	capture->used = 0;
	capture->frames = 0;
}

static void put(struct capture *capture, const void *data, size_t length)
{
	memcpy(capture->room + capture->used, data, length);
	capture->used += length;
}

static void capture_frame(struct capture *capture, const struct frame *frame,
			  const struct timeval *now)
{
	struct record_head head = {(uint32_t)now->tv_sec, (uint32_t)now->tv_usec, frame->length,
				   frame->length};
	uint8_t *at;
	size_t got;

	if (head.held > CAPTURE_FRAME)
		head.held = CAPTURE_FRAME;
	if (capture->used + sizeof(head) + head.held > sizeof(capture->room))
		flush(capture);
	if (capture->fd < 0) {
		lose(capture, 1);
		return;
	}
	put(capture, &head, sizeof(head));
	at = capture->room + capture->used;
	got = frame_copy(frame, 0, at, head.held);
	memset(at + got, 0, head.held - got); /* pieces that are shorter than said */
	capture->used += head.held;
	capture->frames++;
}

static bool waits(const struct capture *capture, const struct timeval *now)
{
	int64_t ms = (int64_t)(now->tv_sec - capture->stuck_at.tv_sec) * 1000 +
		     (now->tv_usec - capture->stuck_at.tv_usec) / 1000;

	return ms >= 0 && ms < TRY_AGAIN_MS;
}

/* Whether it is worth trying. */
static bool ready(struct capture *capture, const struct timeval *now)
{
	if (capture->fd < 0 || (capture->stuck && waits(capture, now)))
		return false;
	if (!capture->stuck || roomy(capture))
		return true;
	capture->stuck_at = *now;
	return false;
}

static void capture_batch(struct capture *capture, const struct frame *frames, unsigned count)
{
	struct timeval now;

	if (!count)
		return;
	gettimeofday(&now, NULL);
	if (!ready(capture, &now)) {
		lose(capture, count);
		return;
	}
	if (!capture->good) /* there was no room for it at first */
		put(capture, &file_head, sizeof(file_head));
	for (unsigned i = 0; i < count; i++)
		capture_frame(capture, &frames[i], &now);
	if (capture->frames)
		flush(capture);
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

	if (capture->fd >= 0)
		close(capture->fd);
	free(capture->path);
	free(capture);
}

/* "-" is standard output. */
static int file_open(struct capture *capture)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

	capture->fd = strcmp(capture->path, "-") ? open(capture->path, flags, 0666)
						 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (capture->fd < 0)
		return -errno;
	if (write_all(capture->fd, (const uint8_t *)&file_head, sizeof(file_head)) == 0)
		capture->good = sizeof(file_head);
	return 0;
}

struct layer *capture_open(struct port *inner, const char *path, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int result;

	if (!capture || !(capture->path = strdup(path))) {
		free(capture);
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	capture->layer.transmit = capture_transmit;
	capture->layer.receive = capture_receive;
	capture->layer.free = capture_free;
	result = file_open(capture);
	if (result < 0) {
		error_set(err, result, "--capture %s: %s", path, strerror(-result));
		capture_free(&capture->layer);
		return NULL;
	}
	layer_around(&capture->layer, inner);
	return &capture->layer;
}
