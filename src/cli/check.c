/* SPDX-License-Identifier: Apache-2.0 */
#include "card/reader.h"
#include "cli/cli.h"
#include "instance/catalog.h"

#include <stdio.h>

int check_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"cards", required_argument, NULL, 'd'},
		CLI_ALLOW,
		{NULL, 0, NULL, 0},
	};
	struct mistakes mistakes = {0};
	struct finder finder;
	const char *folder = NULL;
	int name, result;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name != 'd' || !cli_cards(argv[0], optarg))
			return CLI_USAGE;
		folder = optarg;
	}
	if (optind == argc)
		return cli_wrong(argv[0], "which FILE?");
	finder = catalog_finder(folder);
	for (int i = optind; i < argc; i++)
		card_free(card_read_file_among(argv[i], &finder, &mistakes));
	mistakes_print(&mistakes, stderr);
	result = mistakes.count ? CLI_FAILED : CLI_OK;
	mistakes_free(&mistakes);
	return result;
}
