/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/watch.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536, LOWER_UP = 1 << 16 /* IFF_LOWER_UP; its header and net/if.h do not mix */ };
enum { BAD_IN, LOST_IN, BAD_OUT, LOST_OUT, COUNTERS };

/* What one message says of an interface. */
struct link_news {
	int index;
	unsigned flags;
	bool gone;
	const char *name;
	uint32_t mtu;
	const uint8_t *mac;
	struct rtnl_link_stats64 stats;
	bool has_stats;
};

static void attribute_read(struct link_news *news, const struct rtattr *at)
{
	size_t length = RTA_PAYLOAD(at);

	switch (at->rta_type) {
	case IFLA_IFNAME:
		if (length && !((const char *)RTA_DATA(at))[length - 1])
			news->name = RTA_DATA(at);
		break;
	case IFLA_MTU:
		if (length == sizeof(news->mtu))
			memcpy(&news->mtu, RTA_DATA(at), sizeof(news->mtu));
		break;
	case IFLA_ADDRESS:
		if (length == 6)
			news->mac = RTA_DATA(at);
		break;
	case IFLA_STATS64:
		memcpy(&news->stats, RTA_DATA(at),
		       length < sizeof(news->stats) ? length : sizeof(news->stats));
		news->has_stats = true;
		break;
	}
}

static bool message_read(const struct nlmsghdr *header, struct link_news *news)
{
	const struct ifinfomsg *info = NLMSG_DATA(header);
	const struct rtattr *at = IFLA_RTA(info);
	long left = (long)header->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*info));

	memset(news, 0, sizeof(*news));
	if (left < 0 || (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK))
		return false;
	news->index = info->ifi_index;
	news->flags = info->ifi_flags;
	news->gone = header->nlmsg_type == RTM_DELLINK;
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		attribute_read(news, at);
	return info->ifi_family == AF_UNSPEC; /* bridges speak of their ports in between */
}

/* Mb/s, 0: it does not say. */
static uint32_t speed_of(const char *name)
{
	struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
	struct ifreq request = {.ifr_data = (void *)&command};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t speed = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0)
		speed = ethtool_cmd_speed(&command);
	if (fd >= 0)
		close(fd);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

static void counters_read(struct watch *watch, const struct rtnl_link_stats64 *stats, bool first)
{
	const uint64_t now[COUNTERS] = {
		[BAD_IN] = stats->rx_errors,
		[LOST_IN] = stats->rx_missed_errors + stats->rx_fifo_errors,
		[BAD_OUT] = stats->tx_errors,
		[LOST_OUT] = stats->tx_dropped,
	};
	uint64_t *const totals[COUNTERS] = {
		[BAD_IN] = &watch->health.rx_errors,
		[LOST_IN] = &watch->health.rx_missed,
		[BAD_OUT] = &watch->health.tx_errors,
		[LOST_OUT] = &watch->health.tx_discarded,
	};

	for (unsigned i = 0; i < COUNTERS; i++) {
		if (!first && now[i] > watch->seen[i])
			*totals[i] += now[i] - watch->seen[i];
		watch->seen[i] = now[i];
	}
}

static void found(struct watch *watch, const struct link_news *news)
{
	const unsigned running = IFF_UP | LOWER_UP;
	bool first = !watch->index, up = (news->flags & running) == running;
	bool news_of_it = first || up != watch->up || news->mtu != watch->mtu ||
			  (news->mac && memcmp(news->mac, watch->mac, 6));

	watch->index = news->index;
	if (news->has_stats)
		counters_read(watch, &news->stats, first);
	if (first || (up && !watch->up))
		watch->health.mbps = speed_of(news->name ?: watch->name);
	watch->up = up;
	watch->mtu = news->mtu;
	if (news->mac)
		memcpy(watch->mac, news->mac, 6);
	if (news_of_it || news->has_stats)
		watch->changed(watch);
}

static void heard(struct watch *watch, const struct link_news *news)
{
	if (watch->index ? news->index != watch->index
			 : !news->name || strcmp(news->name, watch->name))
		return;
	if (!news->gone) {
		found(watch, news);
	} else if (watch->index) {
		watch->index = 0;
		watch->up = false;
		watch->changed(watch);
	}
}

static int request(struct watch *watch)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
		struct rtattr attribute;
		char name[IF_NAMESIZE];
	} ask = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			   .nlmsg_type = RTM_GETLINK,
			   .nlmsg_flags = NLM_F_REQUEST},
		.info = {.ifi_family = AF_UNSPEC, .ifi_index = watch->index},
		.attribute = {.rta_len = (unsigned short)RTA_LENGTH(strlen(watch->name) + 1),
			      .rta_type = IFLA_IFNAME},
	};

	if (!watch->index) {
		strcpy(ask.name, watch->name);
		ask.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(ask.info)) +
						  RTA_ALIGN(ask.attribute.rta_len));
	}
	return send(watch->fd.fd, &ask, ask.header.nlmsg_len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Messages that were lost are asked for: they said what is the case now. */
static void listen_to(struct watch *watch)
{
	_Alignas(struct nlmsghdr) static _Thread_local uint8_t room[ROOM];
	struct link_news news;
	ssize_t got;

	while ((got = recv(watch->fd.fd, room, sizeof(room), MSG_DONTWAIT)) != 0) {
		const struct nlmsghdr *at = (void *)room;
		unsigned left = got > 0 ? (unsigned)got : 0;

		if (got < 0 && errno == ENOBUFS && request(watch) == 0)
			continue;
		if (got < 0)
			return;
		for (; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
			if (message_read(at, &news))
				heard(watch, &news);
		}
	}
}

static void watch_ready(struct loop_fd *fd, uint32_t events)
{
	(void)events;
	listen_to(fd->context);
}

void watch_ask(struct watch *watch)
{
	if (request(watch) == 0) /* it is answered before this returns */
		listen_to(watch);
}

static void look(struct timer *timer)
{
	watch_ask(timer->context);
}

int watch_open(struct watch *watch, const char *name, struct error *err)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	timer_init(&watch->look, look, watch);
	watch->fd = (struct loop_fd){.fd = -1, .ready = watch_ready, .context = watch};
	if (strlen(name) >= sizeof(watch->name))
		return error_set(err, -ENAMETOOLONG, "longer than the %zu bytes of a name",
				 sizeof(watch->name) - 1);
	strcpy(watch->name, name);
	watch->fd.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (watch->fd.fd < 0 || bind(watch->fd.fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    loop_add(watch->loop, &watch->fd, EPOLLIN) < 0)
		return error_set(err, -errno, "netlink: %s", strerror(errno));
	watch_ask(watch);
	return watch->index ? 0 : error_set(err, -ENODEV, "%s: no such interface", name);
}

void watch_close(struct watch *watch)
{
	if (!watch->loop || !watch->fd.ready)
		return;
	timer_cancel(loop_clock(watch->loop), &watch->look);
	loop_remove(watch->loop, &watch->fd);
	if (watch->fd.fd >= 0)
		close(watch->fd.fd);
	watch->fd.fd = -1;
}
