/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
	const char *name, *options;
	struct port *(*open)(const char *spec, struct loop *loop, struct error *err);
} kinds[] = {
	{"null", "", null_open},
	{"tap", "ifname fd", tap_open},
	{"user", "net host dns dhcpstart hostname restrict tftp bootfile hostfwd", user_open},
};

char *backend_option(const char *spec, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = strchr(spec, ','); at; at = strchr(at + 1, ',')) {
		if (!strncmp(at + 1, key, length) && at[1 + length] == '=')
			return strndup(at + 2 + length, strcspn(at + 2 + length, ","));
	}
	return NULL;
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
	}
	return 0;
}

struct port *backend_open(const char *spec, struct loop *loop, struct error *err)
{
	size_t length = strcspn(spec, ",");

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strlen(kinds[i].name) == length && !memcmp(kinds[i].name, spec, length))
			return check_options(&kinds[i], spec, err) < 0
				       ? NULL
				       : kinds[i].open(spec, loop, err);
	}
	error_set(err, -EINVAL, "--net %s: no such kind; there is user, tap, null, switch", spec);
	return NULL;
}
