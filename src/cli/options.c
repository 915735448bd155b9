/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"
#include "cli/cli.h"
#include "cli/serve.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OF_ONE = 6 }; /* options, from the front, that say something of one card */

static bool number(const char *option, const char *text, long limit, int *value)
{
	char *end;
	long got = strtol(text, &end, 10);

	if (*end || !isdigit((unsigned char)*text) || got > limit) {
		fprintf(stderr, "anynic: error: --%s %s: expected a number up to %ld\n", option,
			text, limit);
		return false;
	}
	*value = (int)got;
	return true;
}

static bool mac_set(struct serve_options *options, const char *text)
{
	struct nic_spec *nic = &options->nics[0];

	nic->mac_given = mac_parse(text, nic->mac);
	if (!nic->mac_given)
		fprintf(stderr,
			"anynic: error: --mac %s: expected six bytes as in 02:00:00:00:00:01, "
			"not a group address nor all zero\n",
			text);
	return nic->mac_given;
}

static bool workers_set(struct serve_options *options, const char *text)
{
	int count;

	if (!number("workers", text, CREW_MAX, &count))
		return false;
	options->workers = count ? (unsigned)count : 1;
	return true;
}

static bool nic_add(struct serve_options *options, const char *text)
{
	struct error err = {0};

	if (options->nics_count == SERVE_NICS) {
		cli_wrong("run", "at most %d times --nic", SERVE_NICS);
		return false;
	}
	if (nic_spec_parse(&options->nics[options->nics_count], text, &err) < 0) {
		fprintf(stderr, "anynic: error: %s\n", err.text);
		return false;
	}
	options->nics_count++;
	return true;
}

static bool net_add(struct serve_options *options, const char *text)
{
	if (options->nets_count == SERVE_NETS) {
		cli_wrong("run", "at most %d times --net", SERVE_NETS);
		return false;
	}
	options->nets[options->nets_count++] = text;
	return true;
}

static bool option_set(int name, struct serve_options *options)
{
	struct nic_spec *nic = &options->nics[0]; /* unless there are many */

	switch (name) {
	case 'n':
		return net_add(options, optarg);
	case 'd':
		options->cards = optarg;
		return true;
	case 'c':
		options->control = optarg;
		return true;
	case 'u':
		return number("cpu", optarg, CPU_SETSIZE - 1, &options->cpu);
	case 'p':
		return number("poll-us", optarg, 1000000, &options->poll_us);
	case 'k':
		return workers_set(options, optarg);
	case 's':
		nic->socket_path = optarg;
		return true;
	case 'm':
		return mac_set(options, optarg);
	case 'w':
		nic->capture = optarg;
		return true;
	case 't':
		nic->trace = optarg;
		return true;
	case 'W':
		options->watch = true;
		options->watch_resets = optarg;
		if (!optarg || !strcmp(optarg, "reset"))
			return true;
		fprintf(stderr, "anynic: error: --watch=%s: expected --watch or --watch=reset\n",
			optarg);
		return false;
	case 'f':
		return number("fd", optarg, 1 << 20, &nic->fd);
	default:
		return false;
	}
}

/* Either CARD with options of its own, or --nic as often as wanted. */
static int form_check(struct serve_options *options, const char *command, const char *of_one)
{
	struct nic_spec *nic = &options->nics[0];

	if (options->many && of_one)
		return cli_wrong(command, "%s does not go with --nic", of_one);
	if (options->many)
		return CLI_OK;
	if (!nic->card)
		return cli_wrong(command, "which CARD?");
	if (options->nets_count > 1)
		return cli_wrong(command, "one card is on one --net; a switch has several uplink=");
	nic->own = options->nets_count ? options->nets[options->nets_count - 1] : "user";
	options->nics_count = 1;
	if (options->control && nic->socket_path && !strcmp(options->control, nic->socket_path))
		return cli_wrong(command, "--control and --socket-path are the same");
	return CLI_OK;
}

static int words_read(int argc, char **argv, const struct option *names,
		      struct serve_options *options)
{
	const char *of_one = NULL; /* what is said of one card's form */
	static char option[32];
	int name;

	/* "-": operands in order, so that options may follow CARD */
	while ((name = cli_option(argc, argv, "-", names)) != -1) {
		struct nic_spec *nic = &options->nics[0];

		if (name == 'C') {
			options->capabilities = true;
			return CLI_OK;
		}
		if (name == 1)
			of_one = optarg;
		for (unsigned i = 0; i < OF_ONE; i++) {
			if (names[i].val != name)
				continue;
			snprintf(option, sizeof(option), "--%s", names[i].name);
			of_one = option;
		}
		if (name == 'N') {
			options->many = true;
			if (of_one)
				break;
			if (!nic_add(options, optarg))
				return CLI_USAGE;
		} else if (options->many && of_one) {
			break;
		} else if ((name == 1 || name == 'l') && nic->card) {
			return cli_wrong(argv[0], "\"%s\" is one word too many: CARD is %s", optarg,
					 nic->card);
		} else if (name == 1) {
			nic->card = optarg;
		} else if (name == 'l') {
			nic->card = cli_like(optarg);
		} else if (!option_set(name, options)) {
			return CLI_USAGE;
		}
	}
	options->rest = argv + optind;
	if (options->cards && !cli_cards(argv[0], options->cards))
		return CLI_USAGE;
	return form_check(options, argv[0], of_one);
}

int serve_options(int argc, char **argv, struct serve_options *options)
{
	static const struct option names[] = {
		{"socket-path", required_argument, NULL, 's'},
		{"fd", required_argument, NULL, 'f'},
		{"mac", required_argument, NULL, 'm'},
		{"capture", required_argument, NULL, 'w'},
		{"like", required_argument, NULL, 'l'},
		{"trace", required_argument, NULL, 't'},
		{"nic", required_argument, NULL, 'N'},
		{"net", required_argument, NULL, 'n'},
		{"cards", required_argument, NULL, 'd'},
		CLI_ALLOW,
		{"control", required_argument, NULL, 'c'},
		{"cpu", required_argument, NULL, 'u'},
		{"poll-us", required_argument, NULL, 'p'},
		{"workers", required_argument, NULL, 'k'},
		{"watch", optional_argument, NULL, 'W'},
		{"print-capabilities", no_argument, NULL, 'C'},
		{NULL, 0, NULL, 0},
	};
	int result;

	*options = (struct serve_options){.cpu = -1, .poll_us = -1, .workers = 1};
	options->nics[0].fd = -1;
	result = words_read(argc, argv, names, options);
	if (result != CLI_OK)
		serve_options_free(options);
	return result;
}

void serve_options_free(struct serve_options *options)
{
	for (unsigned i = 0; i < options->nics_count; i++)
		nic_spec_free(&options->nics[i]);
	options->nics_count = 0;
}
