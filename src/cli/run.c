/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/serve.h"

#include <stdio.h>

static int started(const struct serve_options *options, const char *title)
{
	if (options->fd >= 0)
		return 0;
	printf("%s at %s; arguments for QEMU 11:\n"
	       "  -object memory-backend-memfd,id=ram,size=SIZE,share=on \\\n"
	       "  -machine memory-backend=ram \\\n"
	       "  -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\","
	       "\"path\":\"%s\"}}'\n",
	       title, options->socket_path, options->socket_path);
	fflush(stdout);
	return 0;
}

int run_main(int argc, char **argv)
{
	static const struct serve_hooks hooks = {started};
	struct serve_options options;

	if (serve_options(argc, argv, &options) == CLI_OK && !*options.rest &&
	    (options.socket_path || options.fd >= 0))
		return serve(&options, &hooks);
	fprintf(stderr, "usage: anynic run CARD --socket-path PATH|--fd N [OPTIONS]\n%s",
		serve_usage);
	return CLI_USAGE;
}
