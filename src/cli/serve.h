/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* What `run` and `exec` share: options, and serving one card until told to end. */
struct serve_options {
	const char *card, *cards, *socket_path, *net, *mac, *control, *capture;
	int fd, cpu;
	int poll_us; /* -1: as the placement wants */
	char **rest; /* what follows CARD */
};

/* CLI_OK or CLI_USAGE, with the mistake told. */
int serve_options(int argc, char **argv, struct serve_options *options);
extern const char serve_usage[];

/* Serves until SIGINT or SIGTERM, or until CHILD (0: none) has ended; its status then. */
struct serve_hooks {
	/* Called once the socket listens: the VMM's process, 0 for none, -1 for failure. */
	int (*started)(const struct serve_options *options, const char *title);
};

int serve(const struct serve_options *options, const struct serve_hooks *hooks);
