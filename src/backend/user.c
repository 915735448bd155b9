/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A network of the user's own, by libslirp: no rights are needed.
 *
 * libslirp wants to be asked before every wait which descriptors it watches. It
 * has an epoll instance of its own here, brought up to date whenever libslirp
 * has worked, and the loop watches that one descriptor.
 *
 * Frames for the guest wait in a short queue and are given from the loop, since
 * libslirp may answer from within the call that brought it a frame.
 */
#include "backend/backend.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { USER_QUEUE = 256, USER_FRAME = 65536, USER_FDS = 1024 };
enum { NOTHING_DUE = 1000 /* ms: what libslirp says when it only likes to be asked */ };

struct user_frame {
	uint32_t length;
	uint8_t data[];
};

struct user_timer {
	struct timer timer;
	SlirpTimerCb callback;
	void *context;
	struct user *user;
};

struct user {
	struct port port;
	struct loop *loop;
	Slirp *slirp;
	struct loop_fd inner;
	struct loop_work give;
	struct timer timeout;
	unsigned fds_count;
	struct {
		int fd, revents;
	} fds[USER_FDS];
	struct user_frame *queue[USER_QUEUE];
	unsigned head, count;
	bool held;
	uint8_t linear[USER_FRAME];
	char *strings[16]; /* what libslirp keeps pointers to */
	unsigned strings_count;
};

/* ---- descriptors and timeouts ---- */

static int epoll_events(int events)
{
	return (events & SLIRP_POLL_IN ? EPOLLIN : 0) | (events & SLIRP_POLL_OUT ? EPOLLOUT : 0) |
	       (events & SLIRP_POLL_PRI ? EPOLLPRI : 0);
}

static int slirp_events(uint32_t events)
{
	return (events & EPOLLIN ? SLIRP_POLL_IN : 0) | (events & EPOLLOUT ? SLIRP_POLL_OUT : 0) |
	       (events & EPOLLPRI ? SLIRP_POLL_PRI : 0) | (events & EPOLLERR ? SLIRP_POLL_ERR : 0) |
	       (events & EPOLLHUP ? SLIRP_POLL_HUP : 0);
}

static int watch(int fd, int events, void *opaque)
{
	struct user *user = opaque;
	struct epoll_event event = {.events = (uint32_t)epoll_events(events)};

	if (user->fds_count == USER_FDS)
		return -1;
	event.data.u32 = user->fds_count;
	/* a number may have been closed and opened again since the last time */
	if (epoll_ctl(user->inner.fd, EPOLL_CTL_MOD, fd, &event) < 0)
		epoll_ctl(user->inner.fd, EPOLL_CTL_ADD, fd, &event);
	user->fds[user->fds_count].fd = fd;
	user->fds[user->fds_count].revents = 0;
	return (int)user->fds_count++;
}

static int happened(int index, void *opaque)
{
	struct user *user = opaque;

	return index >= 0 && (unsigned)index < user->fds_count ? user->fds[index].revents : 0;
}

static void user_sync(struct user *user)
{
	struct clock *clock = loop_clock(user->loop);
	uint32_t timeout = UINT32_MAX;
	unsigned before = user->fds_count;
	int old[USER_FDS];

	for (unsigned i = 0; i < before; i++)
		old[i] = user->fds[i].fd;
	user->fds_count = 0;
	slirp_pollfds_fill(user->slirp, &timeout, watch, user);
	for (unsigned i = 0; i < before; i++) {
		unsigned k = 0;

		while (k < user->fds_count && user->fds[k].fd != old[i])
			k++;
		if (k == user->fds_count)
			epoll_ctl(user->inner.fd, EPOLL_CTL_DEL, old[i], NULL);
	}
	timer_arm(clock, &user->timeout,
		  timeout >= NOTHING_DUE ? CLOCK_NEVER
					 : clock_now(clock) + (uint64_t)timeout * 1000000);
}

/* libslirp's own clock stands between polls: what begins now must not begin in the past. */
static void user_wind(struct user *user)
{
	if (!timer_armed(&user->timeout))
		slirp_pollfds_poll(user->slirp, true, happened, user);
}

static void user_poll(struct user *user)
{
	struct epoll_event events[64];
	int ready = epoll_wait(user->inner.fd, events, 64, 0);

	for (int i = 0; i < ready; i++)
		user->fds[events[i].data.u32].revents = slirp_events(events[i].events);
	slirp_pollfds_poll(user->slirp, ready < 0, happened, user);
	user_sync(user);
}

static void inner_ready(struct loop_fd *fd, uint32_t events)
{
	(void)events;
	user_poll(fd->context);
}

static void timed_out(struct timer *timer)
{
	user_poll(timer->context);
}

/* ---- frames ---- */

static bool give_one(struct user *user)
{
	struct user_frame *held = user->queue[user->head];
	struct frame frame = {.iovs = 1, .length = held->length};

	frame.iov[0] = (struct iovec){held->data, held->length};
	if (port_receive(&user->port, &frame, 1) == 0)
		return false;
	user->port.stats.rx.frames++;
	user->port.stats.rx.waits--;
	user->port.stats.rx.bytes += held->length;
	free(held);
	user->head = (user->head + 1) % USER_QUEUE;
	user->count--;
	return true;
}

static bool give_run(struct loop_work *work)
{
	struct user *user = work->context;

	while (user->count && !user->held)
		user->held = !give_one(user);
	return false;
}

static ssize_t to_guest(const void *data, size_t length, void *opaque)
{
	struct user *user = opaque;
	struct user_frame *frame;

	if (user->count == USER_QUEUE || length > USER_FRAME ||
	    !(frame = malloc(sizeof(*frame) + length))) {
		port_drop(&user->port.stats.rx, length > USER_FRAME ? DROP_TOO_LONG : DROP_NO_ROOM,
			  1);
		return (ssize_t)length;
	}
	user->port.stats.rx.offered++;
	user->port.stats.rx.waits++;
	frame->length = (uint32_t)length;
	memcpy(frame->data, data, length);
	user->queue[(user->head + user->count++) % USER_QUEUE] = frame;
	loop_schedule(user->loop, &user->give);
	return (ssize_t)length;
}

/* An answer to who has an address: libslirp sends what waited for it when it is polled. */
static bool tells_address(const uint8_t *data, size_t length)
{
	if (length < 54)
		return length >= 14 && data[12] == 8 && data[13] == 6;
	return (data[12] == 8 && data[13] == 6) ||
	       (data[12] == 0x86 && data[13] == 0xdd && data[20] == IPPROTO_ICMPV6);
}

static unsigned user_transmit(struct port *port, const struct frame *frames, unsigned count)
{
	struct user *user = port->context;
	bool told = false;

	user_wind(user);
	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = &frames[i];
		size_t done = 0;

		if (frame->length > sizeof(user->linear)) {
			port_drop(&port->stats.tx, DROP_TOO_LONG, 1);
			continue;
		}
		for (unsigned k = 0; k < frame->iovs; k++) {
			memcpy(user->linear + done, frame->iov[k].iov_base, frame->iov[k].iov_len);
			done += frame->iov[k].iov_len;
		}
		slirp_input(user->slirp, user->linear, (int)done);
		told |= tells_address(user->linear, done);
		port_count(&port->stats.tx, frame->length);
	}
	if (told)
		slirp_pollfds_poll(user->slirp, true, happened, user);
	user_sync(user);
	return count;
}

static void user_resume(struct port *port)
{
	struct user *user = port->context;

	user->held = false;
	loop_schedule(user->loop, &user->give);
}

/* ---- libslirp's other wishes ---- */

static void guest_error(const char *text, void *opaque)
{
	(void)opaque;
	log_guest("user network: %s", text);
}

static int64_t clock_ns(void *opaque)
{
	struct user *user = opaque;

	return (int64_t)clock_now(loop_clock(user->loop));
}

static void slirp_timer_fired(struct timer *timer)
{
	struct user_timer *at = timer->context;

	at->callback(at->context);
	user_sync(at->user);
}

static void *slirp_timer_make(SlirpTimerCb callback, void *context, void *opaque)
{
	struct user_timer *at = calloc(1, sizeof(*at));

	if (!at)
		abort(); /* libslirp cannot be told no */
	*at = (struct user_timer){.callback = callback, .context = context, .user = opaque};
	timer_init(&at->timer, slirp_timer_fired, at);
	return at;
}

static void slirp_timer_drop(void *timer, void *opaque)
{
	struct user *user = opaque;
	struct user_timer *at = timer;

	timer_cancel(loop_clock(user->loop), &at->timer);
	free(at);
}

static void slirp_timer_set(void *timer, int64_t expire_ms, void *opaque)
{
	struct user *user = opaque;
	struct user_timer *at = timer;

	timer_arm(loop_clock(user->loop), &at->timer, (uint64_t)expire_ms * 1000000);
}

static void descriptor_known(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = to_guest,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = slirp_timer_make,
	.timer_free = slirp_timer_drop,
	.timer_mod = slirp_timer_set,
	.register_poll_fd = descriptor_known,
	.unregister_poll_fd = descriptor_known,
	.notify = notify,
};

/* ---- options, by the names of QEMU's user network ---- */

static const char *text_option(struct user *user, const char *spec, const char *key)
{
	char *value = backend_option(spec, key);

	if (value && user->strings_count < 16)
		user->strings[user->strings_count++] = value;
	return value;
}

/* One of the network that CONFIG has; the one that is NUMBER there where SPEC says none. */
static int address_option(struct user *user, const char *spec, const char *key, uint32_t number,
			  const SlirpConfig *config, struct in_addr *address, struct error *err)
{
	const char *text = text_option(user, spec, key);

	address->s_addr = config->vnetwork.s_addr | htonl(number);
	if (text && inet_pton(AF_INET, text, address) != 1)
		return error_set(err, -EINVAL, "--net user: %s=%s is not an IPv4 address", key,
				 text);
	if ((address->s_addr & config->vnetmask.s_addr) != config->vnetwork.s_addr)
		return error_set(err, -EINVAL, "--net user: %s=%s is not in the guest's network",
				 key, text);
	return 0;
}

static int configure(struct user *user, const char *spec, SlirpConfig *config, struct error *err)
{
	const char *net = text_option(user, spec, "net") ?: "10.0.2.0/24";
	const char *restricted = text_option(user, spec, "restrict");
	unsigned a, b, c, d, bits = 24;
	uint32_t base, mask;
	int end = 0;

	if (sscanf(net, "%u.%u.%u.%u%n/%u%n", &a, &b, &c, &d, &end, &bits, &end) < 4 || net[end] ||
	    (a | b | c | d) > 255 || bits < 8 || bits > 28)
		return error_set(err, -EINVAL, "--net user: net=%s: expected 10.0.2.0/24", net);
	mask = ~0u << (32 - bits);
	base = (a << 24 | b << 16 | c << 8 | d) & mask;
	if (restricted && strcmp(restricted, "on") && strcmp(restricted, "off"))
		return error_set(err, -EINVAL, "--net user: restrict=%s: expected on or off",
				 restricted);
	*config = (SlirpConfig){.version = 1, .in_enabled = true};
	config->vnetwork.s_addr = htonl(base);
	config->vnetmask.s_addr = htonl(mask);
	config->restricted = restricted && !strcmp(restricted, "on");
	config->vhostname = text_option(user, spec, "hostname");
	config->tftp_path = text_option(user, spec, "tftp");
	if (config->tftp_path && access(config->tftp_path, R_OK | X_OK) < 0)
		return error_set(err, -errno, "--net user: tftp=%s: %s", config->tftp_path,
				 strerror(errno));
	config->bootfile = text_option(user, spec, "bootfile");
	return address_option(user, spec, "host", 2, config, &config->vhost, err) ?:
	       address_option(user, spec, "dns", 3, config, &config->vnameserver, err) ?:
	       address_option(user, spec, "dhcpstart", bits > 27 ? 4 : 15, config,
			      &config->vdhcp_start, err);
}

/* tcp|udp:[host]:port-[guest]:port */
static int forward(struct user *user, const char *text, struct in_addr guest, struct error *err)
{
	char protocol[4], host[40] = "", to[40] = "";
	struct in_addr at = {htonl(INADDR_ANY)};
	unsigned from, port;
	int end = 0;

	if ((sscanf(text, "%3[a-z]:%39[0-9.]:%u-%39[0-9.]:%u%n", protocol, host, &from, to, &port,
		    &end) != 5 ||
	     text[end]) &&
	    (sscanf(text, "%3[a-z]::%u-%39[0-9.]:%u%n", protocol, &from, to, &port, &end) != 4 ||
	     text[end]) &&
	    (sscanf(text, "%3[a-z]:%39[0-9.]:%u-:%u%n", protocol, host, &from, &port, &end) != 4 ||
	     text[end]) &&
	    (sscanf(text, "%3[a-z]::%u-:%u%n", protocol, &from, &port, &end) != 3 || text[end]))
		return error_set(err, -EINVAL,
				 "--net user: hostfwd=%s: expected tcp:[host]:port-[guest]:port",
				 text);
	if ((strcmp(protocol, "tcp") && strcmp(protocol, "udp")) || from > 65535 || port > 65535 ||
	    (*host && inet_pton(AF_INET, host, &at) != 1) ||
	    (*to && inet_pton(AF_INET, to, &guest) != 1))
		return error_set(err, -EINVAL, "--net user: hostfwd=%s: not such addresses", text);
	if (slirp_add_hostfwd(user->slirp, !strcmp(protocol, "udp"), at, (int)from, guest,
			      (int)port) < 0)
		return error_set(err, -errno, "--net user: hostfwd=%s: %s", text, strerror(errno));
	return 0;
}

static int forwards(struct user *user, const char *spec, struct in_addr guest, struct error *err)
{
	int result = 0;

	for (const char *at = strstr(spec, ",hostfwd="); at && result == 0;
	     at = strstr(at + 1, ",hostfwd=")) {
		char *text = strndup(at + 9, strcspn(at + 9, ","));

		result = forward(user, text ?: "", guest, err);
		free(text);
	}
	return result;
}

static void user_close(struct port *port)
{
	struct user *user = port->context;

	if (user->slirp)
		slirp_cleanup(user->slirp);
	timer_cancel(loop_clock(user->loop), &user->timeout);
	loop_unschedule(user->loop, &user->give);
	loop_remove(user->loop, &user->inner);
	if (user->inner.fd >= 0)
		close(user->inner.fd);
	for (; user->count; user->count--, user->head = (user->head + 1) % USER_QUEUE)
		free(user->queue[user->head]);
	for (unsigned i = 0; i < user->strings_count; i++)
		free(user->strings[i]);
	free(user);
}

static const struct port_ops user_ops = {
	.transmit = user_transmit,
	.resume = user_resume,
	.close = user_close,
};

static int user_start(struct user *user, const char *spec, struct error *err)
{
	SlirpConfig config;
	int result = configure(user, spec, &config, err);

	if (result < 0)
		return result;
	user->slirp = slirp_new(&config, &callbacks, user);
	if (!user->slirp)
		return error_set(err, -EINVAL, "--net %s: libslirp refuses this", spec);
	result = forwards(user, spec, config.vdhcp_start, err);
	if (result < 0)
		return result;
	result = loop_add(user->loop, &user->inner, EPOLLIN);
	user_sync(user);
	return result;
}

struct port *user_open(const char *spec, struct loop *loop, struct error *err)
{
	struct user *user = calloc(1, sizeof(*user));

	if (!user) {
		error_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	user->port = (struct port){.ops = &user_ops, .context = user};
	user->loop = loop;
	user->inner = (struct loop_fd){
		.fd = epoll_create1(EPOLL_CLOEXEC), .ready = inner_ready, .context = user};
	user->give = (struct loop_work){.run = give_run, .context = user};
	timer_init(&user->timeout, timed_out, user);
	if (user_start(user, spec, err) < 0) {
		user_close(&user->port);
		return NULL;
	}
	return &user->port;
}
