/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include "cli/cli.h"
#include "instance/catalog.h"
#include "instance/control.h"
#include "instance/instance.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED_POLL_US = 50 };

/* ---- options ---- */

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

static int digit(char letter)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, tolower((unsigned char)letter), 16);

	return at ? (int)(at - digits) : -1;
}

static bool mac_read(const char *text, unsigned char mac[static 6])
{
	unsigned all = 0;

	for (unsigned i = 0; i < 6; i++) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : 0))
			return false;
		all |= mac[i] = (unsigned char)(high << 4 | low);
		text += 3;
	}
	return all && !(mac[0] & 1);
}

static bool mac_set(struct serve_options *options, const char *text)
{
	options->mac_given = mac_read(text, options->mac);
	if (!options->mac_given)
		fprintf(stderr,
			"anynic: error: --mac %s: expected six bytes as in 02:00:00:00:00:01, "
			"not a group address nor all zero\n",
			text);
	return options->mac_given;
}

static bool option_set(int name, struct serve_options *options)
{
	switch (name) {
	case 's':
		options->socket_path = optarg;
		break;
	case 'n':
		options->net = optarg;
		break;
	case 'm':
		return mac_set(options, optarg);
	case 'd':
		options->cards = optarg;
		break;
	case 'c':
		options->control = optarg;
		break;
	case 'w':
		options->capture = optarg;
		break;
	case 'f':
		return number("fd", optarg, 1 << 20, &options->fd);
	case 'u':
		return number("cpu", optarg, CPU_SETSIZE - 1, &options->cpu);
	case 'p':
		return number("poll-us", optarg, 1000000, &options->poll_us);
	default:
		return false;
	}
	return true;
}

/* Locally administered, and the same for the same card and socket every time. */
static void default_mac(struct serve_options *options)
{
	const char *const texts[] = {options->card, options->socket_path ?: ""};
	uint64_t hash = 0xcbf29ce484222325u;

	for (unsigned i = 0; i < 2; i++) {
		for (const char *at = texts[i]; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	}
	memcpy(options->mac, &hash, 6);
	options->mac[0] = (uint8_t)((options->mac[0] & 0xfc) | 0x02);
}

int serve_options(int argc, char **argv, struct serve_options *options)
{
	static const struct option names[] = {
		{"socket-path", required_argument, NULL, 's'},
		{"fd", required_argument, NULL, 'f'},
		{"net", required_argument, NULL, 'n'},
		{"mac", required_argument, NULL, 'm'},
		{"cards", required_argument, NULL, 'd'},
		{"control", required_argument, NULL, 'c'},
		{"capture", required_argument, NULL, 'w'},
		{"cpu", required_argument, NULL, 'u'},
		{"poll-us", required_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int name;

	*options = (struct serve_options){.net = "user", .fd = -1, .cpu = -1, .poll_us = -1};
	/* "-": operands in order, so that options may follow CARD */
	while ((name = cli_option(argc, argv, "-", names)) != -1) {
		if (name == 1 && options->card)
			return cli_wrong(argv[0], "\"%s\" is one word too many", optarg);
		if (name == 1)
			options->card = optarg;
		else if (!option_set(name, options))
			return CLI_USAGE;
	}
	options->rest = argv + optind;
	if (!options->card)
		return cli_wrong(argv[0], "which CARD?");
	if (options->control && options->socket_path &&
	    !strcmp(options->control, options->socket_path))
		return cli_wrong(argv[0], "--control and --socket-path are the same");
	return CLI_OK;
}

/* ---- serving ---- */

struct server {
	struct loop *loop;
	struct loop_fd signals;
	struct instance *instance;
	struct control *control;
	pid_t child;
	int status;
};

static void child_ended(struct server *server)
{
	int status;

	if (server->child <= 0 || waitpid(server->child, &status, WNOHANG) != server->child)
		return;
	server->child = 0;
	server->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	loop_stop(server->loop);
}

static void signal_ready(struct loop_fd *fd, uint32_t events)
{
	struct server *server = fd->context;
	struct signalfd_siginfo info;

	(void)events;
	while (read(fd->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			child_ended(server);
		else
			loop_stop(server->loop);
	}
}

static int take_signals(struct server *server)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* what is blocked is not ignored any more, and nohup means it */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	server->signals = (struct loop_fd){.ready = signal_ready, .context = server};
	server->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return server->signals.fd < 0 ? -errno : loop_add(server->loop, &server->signals, EPOLLIN);
}

/* On the VM's CPU looking is yielding: a moment of it saves wake-ups. */
static unsigned poll_us(const struct serve_options *options)
{
	if (options->poll_us >= 0)
		return (unsigned)options->poll_us;
	return options->cpu >= 0 ? SHARED_POLL_US : 0;
}

static void client_gone(void *context)
{
	struct server *server = context;

	loop_stop(server->loop);
}

static int start(struct server *server, const struct serve_options *options,
		 const struct card *card, struct error *err)
{
	struct instance_config config = {
		.loop = server->loop,
		.card = card,
		.name = "nic0",
		.socket_path = options->fd < 0 ? options->socket_path : NULL,
		.fd = options->fd,
		.net = options->net,
		.capture = options->capture,
		.gone = options->fd >= 0 ? client_gone : NULL,
		.context = server,
	};

	memcpy(config.mac, options->mac, sizeof(config.mac));
	if (take_signals(server) < 0)
		return error_set(err, -errno, "signals: %s", strerror(errno));
	loop_busy_poll(server->loop, poll_us(options));
	server->instance = instance_new(&config, err);
	if (!server->instance)
		return -EINVAL;
	if (options->control) {
		server->control =
			control_new(server->loop, options->control, server->instance, err);
		if (!server->control)
			return -EINVAL;
	}
	return 0;
}

static int serve_card(const struct serve_options *options, const struct serve_hooks *hooks,
		      const struct card *card)
{
	struct server server = {.status = CLI_OK};
	struct error err = {0};
	struct clock clock;

	clock_init(&clock, false);
	server.loop = loop_new(&clock);
	if (server.loop && start(&server, options, card, &err) == 0 &&
	    (server.child = hooks->started(options, card->title)) >= 0) {
		loop_run(server.loop);
	} else {
		server.status = err.code == -EINVAL ? CLI_USAGE : CLI_FAILED;
		if (*err.text)
			fprintf(stderr, "anynic: error: %s\n", err.text);
	}
	if (server.child > 0)
		kill(server.child, SIGTERM);
	control_free(server.control);
	instance_free(server.instance);
	loop_free(server.loop);
	return server.status;
}

/*
 * Beside the VM: as a batch task the server does not interrupt a virtual CPU at
 * each posted write, but sees several at once when that CPU waits.
 */
static void share_cpu(int cpu)
{
	struct sched_param none = {0};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((unsigned)cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    sched_setscheduler(0, SCHED_BATCH, &none) < 0)
		fprintf(stderr, "anynic: --cpu %d: %s\n", cpu, strerror(errno));
}

int serve(struct serve_options *options, const struct serve_hooks *hooks)
{
	struct mistakes mistakes = {0};
	struct card *card = catalog_find(options->card, options->cards, &mistakes);
	int result;

	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	if (!card)
		return CLI_FAILED;
	if (!options->mac_given)
		default_mac(options);
	if (options->cpu >= 0)
		share_cpu(options->cpu);
	result = serve_card(options, hooks, card);
	card_free(card);
	return result;
}
