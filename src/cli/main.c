/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", run_main, "CARD --socket-path PATH|--fd N [OPTIONS]: a card for a VM"},
	{"exec", exec_main, "CARD [OPTIONS] -- QEMU ARGS…: a card and the VM that uses it"},
	{"check", check_main, "[--cards DIR] FILE…: every mistake in a description"},
	{"list", list_main, "[--cards DIR] [--json]: the cards there are"},
	{"show", show_main, "CARD [--cards DIR]: a card as a person reads it"},
	{"schema", schema_main, "[--markdown]: the language, for editors or for people"},
	{"ctl", ctl_main, "SOCKET list|stats|link NIC up|down [--json]: talk to a running card"},
};

static int usage(FILE *out)
{
	fputs("usage: anynic COMMAND …\n", out);
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(out, "  %-6s %s\n", commands[i].name, commands[i].help);
	return out == stdout ? CLI_OK : CLI_USAGE;
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (argc > 1)
		fprintf(stderr, "anynic: error: no command \"%s\"\n", argv[1]);
	return usage(stderr);
}
