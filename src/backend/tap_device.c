/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/tap_device.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int tap_attach(int fd, const char *name, struct ifreq *request, struct error *err)
{
	if (ioctl(fd, TUNSETIFF, request) == 0)
		return 0;
	switch (errno) {
	case EINVAL:
		return error_set(err, -ENODEV, "--net tap,ifname=%s: not a tap with %s", name,
				 request->ifr_flags & IFF_MULTI_QUEUE ? "many queues"
								      : "one queue");
	case EBUSY:
		return error_set(err, -EBUSY, "--net tap,ifname=%s: another process has it", name);
	default:
		return error_set(err, -errno, "--net tap,ifname=%s: %s", name, strerror(errno));
	}
}

static int tap_setup(int fd, bool plain, struct error *err)
{
	int size = sizeof(struct virtio_net_hdr);
	unsigned offloads = plain ? 0 : TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || ioctl(fd, TUNSETOFFLOAD, offloads) < 0)
		return error_set(err, -errno, "--net tap: %s", strerror(errno));
	return 0;
}

int tap_device_open(const char *name, bool several, bool plain, struct error *err)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd, result;

	if (several)
		request.ifr_flags |= IFF_MULTI_QUEUE;

	/* the kernel would make one, which nobody has set up and which goes when we go */
	if (strlen(name) >= sizeof(request.ifr_name) || !if_nametoindex(name))
		return error_set(err, -ENODEV,
				 "--net tap,ifname=%s: no such interface; `ip tuntap add %s mode "
				 "tap` makes one",
				 name, name);
	strcpy(request.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, -errno, "/dev/net/tun: %s", strerror(errno));
	result = tap_attach(fd, name, &request, err) ?: tap_setup(fd, plain, err);
	if (result < 0)
		close(fd);
	return result < 0 ? result : fd;
}

int tap_device_inherit(const char *number, bool plain, struct error *err)
{
	const short wanted = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	struct ifreq request = {0};
	char *end;
	long fd = strtol(number, &end, 10);

	if (*end || end == number || fd < 0 || fd > INT_MAX)
		return error_set(err, -EINVAL, "--net tap,fd=%s: expected a number", number);
	if (fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0)
		return error_set(err, -errno, "--net tap,fd=%s: %s", number, strerror(errno));
	if (ioctl((int)fd, TUNGETIFF, &request) < 0 || (request.ifr_flags & wanted) != wanted)
		return error_set(
			err, -ENODEV,
			"--net tap,fd=%s: not a tap opened with IFF_NO_PI and IFF_VNET_HDR",
			number);
	return tap_setup((int)fd, plain, err) ?: (int)fd;
}

bool tap_device_alive(int fd)
{
	struct ifreq request = {0};

	return ioctl(fd, TUNGETIFF, &request) == 0;
}

/* Not where it has been moved to. */
bool tap_device_here(int fd, const char *name)
{
	struct ifreq request = {0};
	struct stat its, ours;
	int space;

	if (ioctl(fd, TUNGETIFF, &request) < 0 ||
	    strncmp(request.ifr_name, name, sizeof(request.ifr_name)) != 0)
		return false;
	space = ioctl(fd, TUNGETDEVNETNS);
	if (space < 0)
		return false;
	if (fstat(space, &its) < 0 || stat("/proc/thread-self/ns/net", &ours) < 0)
		its.st_ino = ours.st_ino = 0;
	close(space);
	return its.st_ino && its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}
