/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/serve.h"
#include "instance/host.h"
#include "instance/host_net.h"
#include "instance/instance.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void print_device(const struct instance *instance)
{
	printf("  -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\","
	       "\"path\":\"%s\"}}'\n",
	       instance_socket(instance));
}

static void print_memory(void)
{
	puts("  -object memory-backend-memfd,id=ram,size=SIZE,share=on \\\n"
	     "  -machine memory-backend=ram \\");
}

/* For each VM, since each NIC has one of its own; a VM may take several. */
static void print_many(const struct host *host)
{
	const struct instance *instance;

	puts("arguments for QEMU 11, for each VM");
	print_memory();
	puts("and for each NIC");
	for (unsigned i = 0; (instance = host_nic(host, i)); i++) {
		printf("%s, %s:\n", instance_name(instance), instance_title(instance));
		if (instance_socket(instance))
			print_device(instance);
		else
			puts("  on a descriptor that was handed over");
	}
}

static int started(const struct serve_options *options, const struct host *host)
{
	const struct instance *first = host_nic(host, 0);

	if (options->many) {
		print_many(host);
	} else if (instance_socket(first)) {
		printf("%s at %s; arguments for QEMU 11:\n", instance_title(first),
		       instance_socket(first));
		print_memory();
		print_device(first);
	}
	fflush(stdout);
	return 0;
}

/*
 * Sockets that a service manager listens on for us, from descriptor 3 on: one
 * for each NIC that has been given none.
 */
static void take_activation(struct serve_options *options)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int next = 3, end = 3;

	if (pid && count && strtol(pid, NULL, 10) == getpid())
		end += atoi(count);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	for (unsigned i = 0; i < options->nics_count && next < end; i++) {
		struct nic_spec *nic = &options->nics[i];

		if (!nic->socket_path && nic->fd < 0) {
			fcntl(next, F_SETFD, FD_CLOEXEC);
			nic->fd = next++;
		}
	}
}

/* As managers of back-ends ask, before they start one. */
static int print_capabilities(void)
{
	const char *kind;

	puts("{\n"
	     "  \"type\": \"net\",\n"
	     "  \"protocol\": \"vfio-user\",\n"
	     "  \"version\": \"" ANYNIC_VERSION "\",\n"
	     "  \"features\": [\"socket-path\", \"fd\", \"nic\", \"control\", \"like\", "
	     "\"pack\"],");
	for (unsigned i = 0; (kind = host_net_kind(i)); i++)
		printf("%s\"%s\"", i ? ", " : "  \"nets\": [", kind);
	puts("]\n}");
	return CLI_OK;
}

int run_main(int argc, char **argv)
{
	static const struct serve_hooks hooks = {started};
	struct serve_options options;
	int result;

	if (serve_options(argc, argv, &options) != CLI_OK)
		return CLI_USAGE;
	if (options.capabilities)
		return print_capabilities();
	take_activation(&options);
	if (*options.rest)
		result = cli_wrong(argv[0], "\"%s\" is one word too many", *options.rest);
	else if (!options.many && !options.nics[0].socket_path == (options.nics[0].fd < 0))
		result = cli_wrong(argv[0], "one of --socket-path and --fd is needed, not both");
	else
		return serve(&options, &hooks);
	serve_options_free(&options);
	return result;
}
