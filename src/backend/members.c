/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/members.h"

#include "base/log.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

static void ask(int fd, int index, bool add, unsigned short type, uint64_t address)
{
	struct packet_mreq request = {.mr_ifindex = index, .mr_type = type, .mr_alen = 6};

	memcpy(request.mr_address, &address, 6);
	if (setsockopt(fd, SOL_PACKET, add ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP,
		       &request, sizeof(request)) < 0 &&
	    add)
		log_guest("packet membership: %s", strerror(errno));
}

static bool has(const uint64_t *list, unsigned count, uint64_t address)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i] == address)
			return true;
	}
	return false;
}

static void flag_set(int fd, int index, bool *now, bool wanted, unsigned short type)
{
	if (*now != wanted)
		ask(fd, index, wanted, type, 0);
	*now = wanted;
}

static void address_ask(int fd, int index, bool add, uint64_t address)
{
	ask(fd, index, add, address & 1 ? PACKET_MR_MULTICAST : PACKET_MR_UNICAST, address);
}

/* What is new comes first: nothing is missed in between. */
void members_set(struct members *members, int fd, int index, const struct port_filter *filter,
		 const uint8_t own[static 6])
{
	struct members wanted = {0};
	uint64_t mine = 0;

	memcpy(&mine, own, 6);
	for (unsigned i = 0; i < filter->count; i++) {
		if (filter->addresses[i] != mine)
			wanted.addresses[wanted.count++] = filter->addresses[i];
	}
	for (unsigned i = 0; i < wanted.count; i++) {
		if (!has(members->addresses, members->count, wanted.addresses[i]))
			address_ask(fd, index, true, wanted.addresses[i]);
	}
	flag_set(fd, index, &members->all, filter->all, PACKET_MR_PROMISC);
	flag_set(fd, index, &members->all_groups, filter->all_groups, PACKET_MR_ALLMULTI);
	for (unsigned i = 0; i < members->count; i++) {
		if (!has(wanted.addresses, wanted.count, members->addresses[i]))
			address_ask(fd, index, false, members->addresses[i]);
	}
	memcpy(members->addresses, wanted.addresses, sizeof(wanted.addresses));
	members->count = wanted.count;
}
