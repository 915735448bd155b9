/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <getopt.h>
#include <stdbool.h>

/* Exit status of a sub-command: 0, 1 for what failed, 2 for wrong usage. */
enum { CLI_OK, CLI_FAILED, CLI_USAGE };

int run_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int check_main(int argc, char **argv);
int list_main(int argc, char **argv);
int schema_main(int argc, char **argv);
int show_main(int argc, char **argv);
int ctl_main(int argc, char **argv);
int top_main(int argc, char **argv);
int pack_main(int argc, char **argv);

/*
 * As getopt_long(), which each sub-command calls with its own argv, but what is
 * wrong is told in one line of ours. CLI_ALLOW is seen to. ORDER: "-" gives operands as 1, in their
 * place.
 */
#define CLI_ALLOW                                                                                  \
	{                                                                                          \
		"allow-programs", no_argument, NULL, 'A'                                           \
	}
int cli_option(int argc, char **argv, const char *order, const struct option *names);

/* False: --cards does not name a folder, which is told. */
bool cli_cards(const char *command, const char *folder);

/* Tells in one line what is wrong with the words of a sub-command; CLI_USAGE. */
int cli_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What CARD is where --like says it: for as long as the program runs. */
const char *cli_like(const char *slot);
