/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include "base/crew.h"
#include "cli/cli.h"
#include "instance/control.h"
#include "instance/host.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED_POLL_US = 50 };

struct server {
	struct loop *loop;
	struct loop_fd signals;
	struct crew *crew;
	struct host *host;
	struct control *control;
	pid_t child;
	bool ending;
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

/* The VM goes first, and its status is ours; told twice we do not wait for it. */
static void told_to_end(struct server *server)
{
	if (server->child <= 0 || server->ending)
		loop_stop(server->loop);
	else
		kill(server->child, SIGTERM);
	server->ending = true;
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
			told_to_end(server);
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
	const struct crew_config crew = {server->loop, options->workers, options->cpu,
					 poll_us(options)};
	struct host_config config = {.loop = server->loop,
				     .cards = options->cards,
				     .ended = clients_gone,
				     .context = server};
	int result;

	if (take_signals(server) < 0)
		return error_set(err, -errno, "signals: %s", strerror(errno));
	loop_busy_poll(server->loop, poll_us(options));
	config.crew = server->crew = crew_new(&crew, err);
	if (!server->crew)
		return err->code;
	server->host = host_new(&config, err);
	if (!server->host)
		return -ENOMEM;
	result = add_nets(server->host, options, err) ?: add_nics(server->host, options, err);
	if (result < 0)
		return result;
	if (options->watch && host_watch(server->host, options->watch_resets, err) < 0)
		return err->code;
	malloc_trim(0); /* what the reader needed */
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

	mallopt(M_ARENA_MAX, 1); /* what threads read is handed from one to another */
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
	crew_free(server.crew);
	loop_free(server.loop);
	return server.status;
}

int serve(struct serve_options *options, const struct serve_hooks *hooks)
{
	int result;

	if (options->cpu >= 0 && (result = crew_share_cpu(options->cpu)) < 0)
		fprintf(stderr, "anynic: --cpu %d: %s\n", options->cpu,
			result == -EINVAL ? "no such CPU for this process" : strerror(-result));
	result = serve_cards(options, hooks);
	serve_options_free(options);
	return result;
}
