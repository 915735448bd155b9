/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include "cli/cli.h"
#include "instance/control.h"
#include "instance/host.h"
#include "instance/nic_spec.h"

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

enum {
	SHARED_POLL_US = 50,
	OF_ONE = 4, /* options, from the front, that say something of one card */
};

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
	case 's':
		nic->socket_path = optarg;
		return true;
	case 'm':
		return mac_set(options, optarg);
	case 'w':
		nic->capture = optarg;
		return true;
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
		} else if (name == 1 && nic->card) {
			return cli_wrong(argv[0], "\"%s\" is one word too many", optarg);
		} else if (name == 1) {
			nic->card = optarg;
		} else if (!option_set(name, options)) {
			return CLI_USAGE;
		}
	}
	options->rest = argv + optind;
	return form_check(options, argv[0], of_one);
}

int serve_options(int argc, char **argv, struct serve_options *options)
{
	static const struct option names[] = {
		{"socket-path", required_argument, NULL, 's'},
		{"fd", required_argument, NULL, 'f'},
		{"mac", required_argument, NULL, 'm'},
		{"capture", required_argument, NULL, 'w'},
		{"nic", required_argument, NULL, 'N'},
		{"net", required_argument, NULL, 'n'},
		{"cards", required_argument, NULL, 'd'},
		{"control", required_argument, NULL, 'c'},
		{"cpu", required_argument, NULL, 'u'},
		{"poll-us", required_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int result;

	*options = (struct serve_options){.cpu = -1, .poll_us = -1};
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

/* ---- serving ---- */

struct server {
	struct loop *loop;
	struct loop_fd signals;
	struct host *host;
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

static void clients_gone(void *context)
{
	struct server *server = context;

	loop_stop(server->loop);
}

static unsigned users_of(const struct serve_options *options, const char *id, size_t length)
{
	unsigned count = 0;

	for (unsigned i = 0; i < options->nics_count; i++) {
		const char *net = options->nics[i].net;

		count += net && strlen(net) == length && !memcmp(net, id, length);
	}
	return count;
}

/* A network that nobody names yet is for those who come later. */
static int add_nets(struct host *host, const struct serve_options *options, struct error *err)
{
	for (unsigned i = 0; options->many && i < options->nets_count; i++) {
		const char *text = options->nets[i];
		size_t length = strcspn(text, "=,");
		char id[64];

		if (text[length] != '=')
			return error_set(err, -EINVAL, "--net %s: with --nic, expected ID=SPEC",
					 text);
		snprintf(id, sizeof(id), "%.*s", (int)length, text);
		if (host_add_net(host, id, text + length + 1, users_of(options, id, length) != 1,
				 err) < 0)
			return err->code;
	}
	return 0;
}

/* Of many, the one that fails is named. */
static int name_error(const struct serve_options *options, unsigned i, struct error *err)
{
	const struct nic_spec *nic = &options->nics[i];
	struct error what = *err;

	if (!options->many)
		return err->code;
	if (!*what.text)
		snprintf(what.text, sizeof(what.text), "there is no card %s", nic->card);
	if (nic->name)
		return error_set(err, what.code, "%s: %s", nic->name, what.text);
	return error_set(err, what.code, "nic%u: %s", i, what.text);
}

static int add_nics(struct host *host, const struct serve_options *options, struct error *err)
{
	for (unsigned i = 0; i < options->nics_count; i++) {
		struct mistakes mistakes = {0};
		int result = host_add(host, &options->nics[i], &mistakes, err);

		mistakes_print(&mistakes, stderr);
		mistakes_free(&mistakes);
		if (result < 0)
			return name_error(options, i, err);
	}
	return 0;
}

static int start(struct server *server, const struct serve_options *options, struct error *err)
{
	const struct host_config config = {server->loop, options->cards, clients_gone, server};
	int result;

	if (take_signals(server) < 0)
		return error_set(err, -errno, "signals: %s", strerror(errno));
	loop_busy_poll(server->loop, poll_us(options));
	server->host = host_new(&config, err);
	if (!server->host)
		return -ENOMEM;
	result = add_nets(server->host, options, err) ?: add_nics(server->host, options, err);
	if (result < 0)
		return result;
	if (options->control) {
		server->control = control_new(server->loop, options->control, server->host, err);
		if (!server->control)
			return err->code;
	}
	return 0;
}

static int serve_cards(const struct serve_options *options, const struct serve_hooks *hooks)
{
	struct server server = {.status = CLI_OK};
	struct error err = {0};
	struct clock clock;

	clock_init(&clock, false);
	server.loop = loop_new(&clock);
	if (server.loop && start(&server, options, &err) == 0 &&
	    (server.child = hooks->started(options, server.host)) >= 0) {
		loop_run(server.loop);
	} else {
		server.status = err.code == -EINVAL ? CLI_USAGE : CLI_FAILED;
		if (*err.text)
			fprintf(stderr, "anynic: error: %s\n", err.text);
	}
	if (server.child > 0)
		kill(server.child, SIGTERM);
	control_free(server.control);
	host_free(server.host);
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
	int result;

	if (options->cpu >= 0)
		share_cpu(options->cpu);
	result = serve_cards(options, hooks);
	serve_options_free(options);
	return result;
}
