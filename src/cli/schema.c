/* SPDX-License-Identifier: Apache-2.0 */
#include "card/words.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int schema_main(int argc, char **argv)
{
	if (argc == 1) {
		words_schema(stdout);
	} else if (argc == 2 && !strcmp(argv[1], "--markdown")) {
		words_document(stdout);
	} else {
		return cli_wrong(argv[0], "\"%s\" is not --markdown", argv[argc - 1]);
	}
	return CLI_OK;
}
