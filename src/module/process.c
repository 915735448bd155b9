/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A module that is a program of its own, at the other end of a socket pair.
 *
 *   starting ── HELLO ──► ready ── CALL ──► called ── RETURN ──► ready
 *                                             │  ▲
 *                                     SERVICE └──┘ ANSWER
 *
 * The program has a time for each call; whoever is late, ends, or says what makes no
 * sense is killed, and its card answers all ones. Its NIC has a thread of its own,
 * so nobody else waits meanwhile. The program has descriptor 3 for messages, 4 for
 * its own code, its log as standard error, and nothing else of ours.
 */
#include "module/process.h"

#include "nic/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET = 3, CODE = 4, WORDS = 8, START_MS = 5000 };

/* ---- the program ---- */

/* Between fork and exec: nothing but system calls. */
static void child(char **words, int link, int code, uint64_t memory)
{
	const struct rlimit bytes = {memory, memory}, none = {0, 0}, few = {32, 32};
	sigset_t all;

	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	link = fcntl(link, F_DUPFD, 16); /* out of the way of what they become */
	code = fcntl(code, F_DUPFD, 16);
	if (dup2(link, SOCKET) < 0 || dup2(code, CODE) < 0 ||
	    dup2(open("/dev/null", O_RDWR), 0) < 0 || dup2(2, 1) < 0 ||
	    close_range(CODE + 1, ~0u, 0) < 0)
		_exit(126);
	setrlimit(RLIMIT_AS, &bytes);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_NOFILE, &few);
	execvp(words[0], words);
	_exit(127);
}

static unsigned words_of(char *text, char **words)
{
	unsigned count = 0;

	for (char *at = strtok(text, " "); at && count < WORDS - 2; at = strtok(NULL, " "))
		words[count++] = at;
	words[count++] = "/proc/self/fd/4";
	words[count] = NULL;
	return count;
}

static int code_of(const struct module *module, struct error *err)
{
	int fd = memfd_create(module->name, MFD_CLOEXEC);

	if (fd >= 0 &&
	    write(fd, module->code.bytes, module->code.length) == (ssize_t)module->code.length &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return error_set(err, -ENOMEM, "%s: %s", module->name, strerror(errno));
}

static int spawn(struct process *process, const struct module *module, struct error *err)
{
	char text[256], *words[WORDS];
	int pair[2], code = code_of(module, err);

	if (code < 0)
		return code;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		close(code);
		return error_set(err, -errno, "%s: %s", module->name, strerror(errno));
	}
	snprintf(text, sizeof(text), "%s", module->command ?: "");
	words_of(text, words);
	process->pid = fork();
	if (process->pid == 0)
		child(words, pair[1], code, module->memory);
	close(code);
	close(pair[1]);
	process->link = pair[0];
	return process->pid < 0 ? error_set(err, -errno, "%s: %s", module->name, strerror(errno))
				: 0;
}

void process_end(struct process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
	if (process->link >= 0)
		close(process->link);
	process->link = -1;
}

/* ---- messages ---- */

const char *process_send(struct process *process, struct wire *wire)
{
	if (wire->bad)
		return "is asked more than fits into a message";
	if (send(process->link, wire->bytes, wire->length, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)wire->length)
		return NULL;
	return errno == EAGAIN ? "does not take its messages" : "has ended";
}

const char *process_receive(struct process *process, struct wire *wire, int64_t deadline)
{
	struct pollfd look = {process->link, POLLIN, 0};
	int64_t left;
	ssize_t got;

	do
		left = deadline - program_now();
	while (poll(&look, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR);
	if (!look.revents)
		return "does not answer in time";
	got = recv(process->link, wire->bytes, sizeof(wire->bytes), MSG_DONTWAIT | MSG_TRUNC);
	if (got <= 0)
		return "has ended";
	if ((size_t)got > sizeof(wire->bytes) || (size_t)got < sizeof(struct wire_head))
		return "sends a message of the wrong size";
	wire->length = (size_t)got;
	wire->at = sizeof(struct wire_head);
	wire->bad = 0;
	return NULL;
}

struct wire_head process_head(const struct wire *wire)
{
	struct wire_head head;

	memcpy(&head, wire->bytes, sizeof(head));
	return head;
}

/* Services until it returns. */
static const char *converse(struct process *process, unsigned hook,
			    const struct wire_context *context, int64_t deadline)
{
	for (;;) {
		const char *wrong = process_receive(process, process->in, deadline);
		struct wire_head head = process_head(process->in);

		if (wrong)
			return wrong;
		if (head.kind == WIRE_RETURN && head.number == hook)
			return NULL;
		if (head.kind != WIRE_SERVICE)
			return "sends what nobody asked for";
		wrong = wire_serve(process->in, process->out, context)
				?: process_send(process, process->out);
		if (wrong)
			return wrong;
	}
}

void process_stop(struct process *process, const char *why)
{
	process_end(process);
	service_fail((struct anynic_nic *)process->hooks.nic, why);
}

bool process_call(struct process *process, unsigned hook, const struct wire_context *context)
{
	int64_t deadline = program_now() + (process->begun ? PROCESS_MS : START_MS);
	const char *wrong;

	if (process->link < 0)
		return false;
	wrong = process_send(process, process->out) ?: converse(process, hook, context, deadline);
	if (!wrong)
		return true;
	if (context->nic)
		process_stop(process, wrong);
	else
		service_draft_wrong(context->draft, process->hooks.name, 0, wrong);
	return false;
}

/* ---- an instance ---- */

static void process_close(struct hooks *hooks)
{
	struct process *process = (struct process *)hooks;

	process_end(process);
	free(process->in);
	free(process->out);
	free(process);
}

static int greet(struct process *process, const struct module *module, struct error *err)
{
	const char *wrong = process_receive(process, process->in, program_now() + START_MS);
	struct wire_head head;
	uint64_t version, hooks;

	if (wrong)
		return error_set(err, -EINVAL, "%s %s, before it has said what it is", module->name,
				 wrong);
	head = process_head(process->in);
	version = wire_get(process->in);
	hooks = wire_get(process->in);
	if (head.kind != WIRE_HELLO || process->in->bad)
		return error_set(err, -EINVAL, "%s does not begin with who it is", module->name);
	if (version != ANYNIC_VERSION)
		return error_set(err, -EINVAL,
				 "%s is for version %u of the module interface, this is version %d",
				 module->name, (unsigned)version, ANYNIC_VERSION);
	if (!hooks || hooks >> HOOKS)
		return error_set(err, -EINVAL, "%s has %s", module->name,
				 hooks ? "hooks that this program does not know" : "no hook");
	process_hooks(process, hooks);
	return 0;
}

static struct hooks *load(struct module *module, struct error *err)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process || !(process->in = malloc(sizeof(*process->in))) ||
	    !(process->out = malloc(sizeof(*process->out)))) {
		error_set(err, -ENOMEM, "no memory");
	} else {
		process->link = -1;
		process->hooks.name = module->name;
		process->hooks.self = (struct anynic_nic *)process;
		process->hooks.close = process_close;
		if (spawn(process, module, err) == 0 && greet(process, module, err) == 0)
			return &process->hooks;
	}
	if (process)
		process_close(&process->hooks);
	return NULL;
}

const struct loader loader_process = {
	.kind = "process", .trusts = true, .load = load, .configure = process_configure};
