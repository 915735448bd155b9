/* SPDX-License-Identifier: Apache-2.0 */
#include "card/nearest.h"
#include "cli/cli.h"
#include "instance/catalog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int cli_wrong(const char *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "anynic: error: %s: ", command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see `anynic %s --help`\n", command);
	return CLI_USAGE;
}

static const struct option *option_of(const struct option *names, int value)
{
	for (; names->name; names++) {
		if (names->val == value)
			return names;
	}
	return NULL;
}

static void unknown_option(const char *command, const char *word, const struct option *names)
{
	const char *text = word + strspn(word, "-");
	struct nearest nearest = nearest_of(text, strcspn(text, "="));

	for (; names->name; names++)
		nearest_offer(&nearest, names->name);
	if (nearest.best)
		cli_wrong(command, "no option %s; did you mean --%s?", word, nearest.best);
	else
		cli_wrong(command, "no option %s", word);
}

bool cli_cards(const char *command, const char *folder)
{
	struct stat found;

	if (stat(folder, &found) == 0 && (S_ISDIR(found.st_mode) || S_ISREG(found.st_mode)))
		return true;
	cli_wrong(command, "--cards %s is not a folder or a pack", folder);
	return false;
}

int cli_option(int argc, char **argv, const char *order, const struct option *names)
{
	char letters[8], letter[3] = "-";
	int name;

	snprintf(letters, sizeof(letters), "%s:", order);
	opterr = 0;
	while ((name = getopt_long(argc, argv, letters, names, NULL)) == 'A')
		catalog_allow_programs();
	if (name == ':') {
		cli_wrong(argv[0], "%s wants a value", argv[optind - 1]);
	} else if (name == '?' && option_of(names, optopt)) {
		cli_wrong(argv[0], "--%s takes no value", option_of(names, optopt)->name);
	} else if (name == '?') {
		letter[1] = (char)optopt;
		unknown_option(argv[0], optopt ? letter : argv[optind - 1], names);
	}
	return name == ':' ? '?' : name;
}

const char *cli_like(const char *slot)
{
	static char card[64];

	snprintf(card, sizeof(card), "like=%s", slot);
	return card;
}
