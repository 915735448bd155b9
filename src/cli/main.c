/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", run_main, "CARD --socket-path PATH [--net SPEC] [--mac MAC]: a card for a VM"},
	{"check", check_main, "FILE…: every mistake in a description"},
};

static int usage(void)
{
	fputs("usage: anynic COMMAND …\n", stderr);
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(stderr, "  %-6s %s\n", commands[i].name, commands[i].help);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return usage();
}
