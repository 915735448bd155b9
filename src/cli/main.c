/* SPDX-License-Identifier: Apache-2.0 */
#include "card/nearest.h"
#include "cli/cli.h"
#include "cli/ctl.h"
#include "cli/serve.h"

#include <stdio.h>
#include <string.h>

#define CARDS_OPTION                                                                               \
	"  --cards PLACE       a folder of cards or a pack; look there first\n"                    \
	"  --allow-programs    modules of cards in packs may run, which may do anything\n"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments, *help, *options;
} commands[] = {
	{"run", run_main, "CARD --socket-path PATH|--fd N [OPTION…], or --nic … [OPTION…]",
	 "cards for VMs", serve_usage},
	{"exec", exec_main, "CARD [OPTION…] -- QEMU ARGS…",
	 "a card and the VM that uses it; ends with the VM's status", serve_usage},
	{"check", check_main, "[--cards PLACE] FILE…",
	 "every mistake in a description, by its line", CARDS_OPTION},
	{"list", list_main, "[--cards PLACE] [--json]", "the cards there are",
	 CARDS_OPTION "  --json              for programs\n"},
	{"show", show_main, "CARD|--like SLOT [--cards PLACE] [--json]",
	 "a card as a person reads it", CARDS_OPTION "  --json              for programs\n"},
	{"pack", pack_main, "create PACK DIR… | list PACK [--json]", "many cards in one file",
	 "  --json              for programs\n"},
	{"schema", schema_main, "[--markdown]", "the language, for editors or for people",
	 "  --markdown          for people\n"},
	{"ctl", ctl_main, "SOCKET COMMAND …", "talk to running cards by their --control socket",
	 ctl_usage},
	{"top", top_main, "SOCKET", "NICs at work, by the --control socket of their process",
	 "  --interval SECONDS  between two looks, 1 by default\n"
	 "  --count N           so many times, and no more\n"},
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct command *command_find(const char *name)
{
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static int usage(FILE *out)
{
	fputs("usage: anynic COMMAND …\n", out);
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-7s %s\n", commands[i].name, commands[i].help);
	fputs("`anynic COMMAND --help` tells more. CARD is a name that `anynic list` shows,\n"
	      "VENDOR:DEVICE[:SUBSYSTEM-VENDOR:SUBSYSTEM], or the path of a description;\n"
	      "--like 0000:03:00.0 in its place is one like that PCI device of the host.\n",
	      out);
	return out == stdout ? CLI_OK : CLI_USAGE;
}

static int explain(const struct command *command)
{
	printf("usage: anynic %s %s\n%s\n\n%s", command->name, command->arguments, command->help,
	       command->options);
	return CLI_OK;
}

static int unknown(const char *name)
{
	struct nearest nearest = nearest_of(name, strlen(name));

	for (unsigned i = 0; i < COMMANDS; i++)
		nearest_offer(&nearest, commands[i].name);
	fprintf(stderr, "anynic: error: no command \"%s\"; ", name);
	if (nearest.best)
		fprintf(stderr, "did you mean %s?\n", nearest.best);
	else
		fputs("`anynic help` shows those there are\n", stderr);
	return CLI_USAGE;
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || !strcmp(word, b);
}

/* What follows "--" is the VM's. */
static bool asks_for_help(char **words)
{
	for (; *words && strcmp(*words, "--"); words++) {
		if (is_one_of(*words, "--help", "-h"))
			return true;
	}
	return false;
}

static int command_run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return usage(stderr);
	if (is_one_of(argv[1], "--version", "version")) {
		puts("anynic " ANYNIC_VERSION);
		return CLI_OK;
	}
	if (argc == 2 && (is_one_of(argv[1], "--help", "-h") || !strcmp(argv[1], "help")))
		return usage(stdout);
	command = command_find(argv[!strcmp(argv[1], "help") ? 2 : 1]);
	if (!command)
		return unknown(argv[!strcmp(argv[1], "help") ? 2 : 1]);
	if (!strcmp(argv[1], "help") || asks_for_help(argv + 2))
		return explain(command);
	return command->run(argc - 1, argv + 1);
}

/* What serves goes on when nobody takes its words; for the rest they are the result. */
static bool serves(const char *command)
{
	return command && is_one_of(command, "run", "exec");
}

int main(int argc, char **argv)
{
	int result = command_run(argc, argv);

	if ((fflush(stdout) == 0 && !ferror(stdout)) || serves(argv[1]))
		return result;
	fputs("anynic: error: standard output: not all could be written\n", stderr);
	return CLI_FAILED;
}
