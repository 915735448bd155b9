/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include "cli/cli.h"
#include "instance/catalog.h"
#include "instance/control.h"
#include "instance/instance.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED_POLL_US = 50 };

const char serve_usage[] =
	"options:\n"
	"  --socket-path PATH  listen here\n"
	"  --fd N              or serve this connected socket\n"
	"  --net SPEC          user[,hostfwd=…] (default), tap,ifname=NAME, tap,fd=N, null\n"
	"  --mac MAC           address; default: made from card and socket path\n"
	"  --cards DIR         look for cards here first\n"
	"  --control PATH      socket for `anynic ctl`\n"
	"  --capture FILE      write frames to a pcap file\n"
	"  --cpu N             run on this CPU; best the one QEMU runs on\n"
	"  --poll-us N         look this long before sleeping; takes an idle CPU's time\n";

/* ---- options ---- */

static bool number(const char *option, const char *text, long limit, int *value)
{
	char *end;
	long got = strtol(text, &end, 10);

	if (*end || end == text || got < 0 || got > limit) {
		fprintf(stderr, "anynic: error: --%s %s: expected a number up to %ld\n", option,
			text, limit);
		return false;
	}
	*value = (int)got;
	return true;
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
		options->mac = optarg;
		break;
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
	while ((name = getopt_long(argc, argv, "-", names, NULL)) != -1) {
		if (name == 1 && !options->card)
			options->card = optarg;
		else if (name == 1 || !option_set(name, options))
			return CLI_USAGE;
	}
	options->rest = argv + optind;
	if (!options->card) {
		fputs("anynic: error: which CARD?\n", stderr);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* Locally administered, and the same for the same card and socket every time. */
static void default_mac(const struct serve_options *options, uint8_t mac[static 6])
{
	const char *const texts[] = {options->card, options->socket_path ?: ""};
	uint64_t hash = 0xcbf29ce484222325u;

	for (unsigned i = 0; i < 2; i++) {
		for (const char *at = texts[i]; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	}
	memcpy(mac, &hash, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

static bool read_mac(const struct serve_options *options, uint8_t mac[static 6])
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
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
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
	};

	if (!read_mac(options, config.mac))
		return -EINVAL;
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
		server.status = CLI_FAILED;
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

int serve(const struct serve_options *options, const struct serve_hooks *hooks)
{
	struct mistakes mistakes = {0};
	struct card *card = catalog_find(options->card, options->cards, &mistakes);
	int result;

	mistakes_print(&mistakes, stderr);
	mistakes_free(&mistakes);
	if (!card)
		return CLI_FAILED;
	malloc_trim(0); /* what the reader needed */
	if (options->cpu >= 0)
		share_cpu(options->cpu);
	result = serve_card(options, hooks, card);
	card_free(card);
	return result;
}
