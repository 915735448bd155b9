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

	if (serve_options(argc, argv, &options) != CLI_OK)
		return CLI_USAGE;
	if (*options.rest)
		return cli_wrong(argv[0], "\"%s\" is one word too many", *options.rest);
	if (!options.socket_path == (options.fd < 0))
		return cli_wrong(argv[0], "one of --socket-path and --fd is needed");
	return serve(&options, &hooks);
}
