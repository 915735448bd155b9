/* SPDX-License-Identifier: Apache-2.0 */
#include "card/reader.h"
#include "cli/cli.h"

int check_main(int argc, char **argv)
{
	struct mistakes mistakes = {0};
	int result;

	if (argc < 2) {
		fputs("usage: anynic check FILE…\n", stderr);
		return CLI_USAGE;
	}
	for (int i = 1; i < argc; i++)
		card_free(card_read_file(argv[i], NULL, &mistakes));
	mistakes_print(&mistakes, stderr);
	result = mistakes.count ? CLI_FAILED : CLI_OK;
	mistakes_free(&mistakes);
	return result;
}
