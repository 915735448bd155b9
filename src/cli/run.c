/* SPDX-License-Identifier: Apache-2.0 */
#include "card/reader.h"
#include "cli/cli.h"
#include "instance/instance.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct options {
	const char *card, *socket_path, *net, *mac, *control;
};

static int usage(void)
{
	fputs("usage: anynic run CARD --socket-path PATH [--net SPEC] [--mac MAC]\n", stderr);
	return CLI_USAGE;
}

static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{"socket-path", required_argument, NULL, 's'},
		{"net", required_argument, NULL, 'n'},
		{"mac", required_argument, NULL, 'm'},
		{"control", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	int name;

	*options = (struct options){.net = "null"};
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (name == 's')
			options->socket_path = optarg;
		else if (name == 'n')
			options->net = optarg;
		else if (name == 'm')
			options->mac = optarg;
		else if (name == 'c')
			options->control = optarg;
		else
			return usage();
	}
	options->card = optind < argc ? argv[optind] : NULL;
	return options->card && options->socket_path && optind + 1 == argc ? CLI_OK : usage();
}

/* Locally administered, and the same for the same card and socket every time. */
static void default_mac(const struct options *options, uint8_t mac[static 6])
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const char *at = options->card; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	for (const char *at = options->socket_path; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	memcpy(mac, &hash, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

static bool read_mac(const struct options *options, uint8_t mac[static 6])
{
	int end = 0;

	if (!options->mac) {
		default_mac(options, mac);
		return true;
	}
	if (sscanf(options->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &end) == 6 &&
	    !options->mac[end] && !(mac[0] & 1))
		return true;
	fprintf(stderr, "anynic: error: --mac %s: expected 02:00:00:00:00:01, no group address\n",
		options->mac);
	return false;
}

static struct card *read_card(const char *name)
{
	struct mistakes mistakes = {0};
	struct card *card;
	char path[4096];

	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "cards/%s/card.xml", name);
	card = card_read_file(path, &mistakes);
	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	return card;
}

static void signal_ready(struct loop_fd *fd, uint32_t events)
{
	(void)events;
	loop_stop(fd->context);
}

static int serve(struct loop *loop, const struct instance_config *config)
{
	struct loop_fd signals = {.ready = signal_ready, .context = loop};
	struct instance *instance;
	struct error err = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	loop_add(loop, &signals, EPOLLIN);
	instance = instance_new(config, &err);
	if (!instance) {
		fprintf(stderr, "anynic: error: %s\n", err.text);
		return CLI_FAILED;
	}
	printf("%s at %s; arguments for QEMU:\n"
	       "  -object memory-backend-memfd,id=ram,size=SIZE,share=on -machine "
	       "memory-backend=ram\n"
	       "  -device "
	       "'{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}'\n",
	       config->card->title, config->socket_path, config->socket_path);
	fflush(stdout);
	loop_run(loop);
	instance_free(instance);
	close(signals.fd);
	return CLI_OK;
}

int run_main(int argc, char **argv)
{
	struct instance_config config = {0};
	struct options options;
	struct clock clock;
	struct card *card;
	int result = read_options(argc, argv, &options);

	if (result != CLI_OK)
		return result;
	if (!read_mac(&options, config.mac))
		return CLI_USAGE;
	card = read_card(options.card);
	if (!card)
		return CLI_FAILED;
	clock_init(&clock, false);
	config.card = card;
	config.loop = loop_new(&clock);
	config.socket_path = options.socket_path;
	config.net = options.net;
	result = config.loop ? serve(config.loop, &config) : CLI_FAILED;
	loop_free(config.loop);
	card_free(card);
	return result;
}
