/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct kind {
	const char *name, *options;
	struct port *(*open)(const char *spec, struct loop *loop, struct error *err);
} kinds[] = {
	{"user", "net host dns dhcpstart hostname restrict tftp bootfile hostfwd", user_open},
	{"tap", "ifname queues fd plain", tap_open},
	{"packet", "ifname mac-nat", packet_socket_open},
	{"xdp", "ifname queue copy", xdp_open},
	{"stream", "path server reconnect fd", stream_open},
	{"dgram", "local remote fd reconnect", dgram_open},
	{"pcap", "file pace loop delay", replay_open},
	{"null", "", null_open},
};

static const char REPEATS[] = "hostfwd"; /* may be given several times */

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

char *backend_option(const char *spec, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = strchr(spec, ','); at; at = strchr(at + 1, ',')) {
		if (!strncmp(at + 1, key, length) && at[1 + length] == '=')
			return strndup(at + 2 + length, strcspn(at + 2 + length, ","));
	}
	return NULL;
}

static int name_length(const char *spec)
{
	return (int)strcspn(spec, ",");
}

int backend_flag(const char *spec, const char *key, bool *value, struct error *err)
{
	char *text = backend_option(spec, key);
	int result = 0;

	*value = text && !strcmp(text, "on");
	if (text && !*value && strcmp(text, "off"))
		result = error_set(err, -EINVAL, "--net %.*s: %s=%s: expected on or off",
				   name_length(spec), spec, key, text);
	free(text);
	return result;
}

int backend_number(const char *spec, const char *key, uint64_t else_value, uint64_t most,
		   uint64_t *value, struct error *err)
{
	char *text = backend_option(spec, key), *end = NULL;
	int result = 0;

	*value = else_value;
	if (text) {
		*value = strtoull(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || *value > most)
			result = error_set(
				err, -EINVAL, "--net %.*s: %s=%s: expected a number up to %llu",
				name_length(spec), spec, key, text, (unsigned long long)most);
	}
	free(text);
	return result;
}

int backend_descriptor(const char *spec, int type, struct error *err)
{
	uint64_t number;
	int got = 0;

	if (backend_number(spec, "fd", UINT64_MAX, INT_MAX, &number, err) < 0)
		return err->code;
	if (number == UINT64_MAX)
		return -ENOENT;
	if (getsockopt((int)number, SOL_SOCKET, SO_TYPE, &got, &(socklen_t){sizeof(got)}) < 0 ||
	    got != type || fcntl((int)number, F_SETFL, O_NONBLOCK) < 0)
		return error_set(err, -ENOTSOCK, "--net %.*s: fd=%llu: not such a socket",
				 name_length(spec), spec, (unsigned long long)number);
	return (int)number;
}

static bool known(const char *options, const char *key, size_t length)
{
	for (const char *at = options; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (word == length && !memcmp(at, key, length))
			return true;
		at += word;
	}
	return false;
}

static bool repeated(const char *key, const char *at, size_t length)
{
	while ((at = strchr(at, ','))) {
		if (!strncmp(++at, key, length) && at[length] == '=')
			return true;
	}
	return false;
}

static int check_options(const struct kind *kind, const char *spec, struct error *err)
{
	for (const char *at = strchr(spec, ','); at; at = strchr(at + 1, ',')) {
		size_t length = strcspn(at + 1, "=,");

		if (!known(kind->options, at + 1, length))
			return error_set(err, -EINVAL, "--net %s: no option \"%.*s\"; there is: %s",
					 kind->name, (int)length, at + 1,
					 *kind->options ? kind->options : "none");
		if (at[1 + length] != '=' || strchr(",", at[2 + length]))
			return error_set(err, -EINVAL, "--net %s: %.*s= wants a value", kind->name,
					 (int)length, at + 1);
		if (!known(REPEATS, at + 1, length) && repeated(at + 1, at + 1 + length, length))
			return error_set(err, -EINVAL, "--net %s: %.*s= is given twice", kind->name,
					 (int)length, at + 1);
	}
	return 0;
}

const char *backend_kind(unsigned index)
{
	return index < KINDS ? kinds[index].name : NULL;
}

static void kinds_list(char *text, size_t room)
{
	size_t used = 0;

	for (unsigned i = 0; i < KINDS && used < room; i++)
		used += (size_t)snprintf(text + used, room - used, "%s, ", kinds[i].name);
}

static const struct kind *kind_of(const char *spec, struct error *err)
{
	size_t length = strcspn(spec, ",");
	char names[128];

	for (unsigned i = 0; i < KINDS; i++) {
		if (strlen(kinds[i].name) == length && !memcmp(kinds[i].name, spec, length))
			return check_options(&kinds[i], spec, err) < 0 ? NULL : &kinds[i];
	}
	kinds_list(names, sizeof(names));
	error_set(err, -EINVAL, "--net %s: no such kind; there is %sswitch", spec, names);
	return NULL;
}

int backend_check(const char *spec, struct error *err)
{
	return kind_of(spec, err) ? 0 : err->code;
}

struct port *backend_open(const char *spec, struct loop *loop, struct error *err)
{
	const struct kind *kind = kind_of(spec, err);

	return kind ? kind->open(spec, loop, err) : NULL;
}
