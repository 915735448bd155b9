/* SPDX-License-Identifier: Apache-2.0 */

/* Starts a card and the VM that uses it, and ends with the VM's status. */
#include "cli/cli.h"
#include "cli/serve.h"
#include "instance/host.h"
#include "instance/instance.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 1024 };

static bool mentions(char **words, const char *text)
{
	for (; *words; words++) {
		if (strstr(*words, text))
			return true;
	}
	return false;
}

static const char *memory_of(char **words)
{
	for (; *words; words++) {
		if (!strcmp(*words, "-m") && words[1])
			return words[1] + (strncmp(words[1], "size=", 5) ? 0 : 5);
	}
	return "128M";
}

/* QEMU reads a bare number as megabytes; a memory object wants the unit. */
static void memory_words(char **words, char **out, unsigned *count)
{
	const char *size = memory_of(words);
	size_t length = strcspn(size, ",");
	char *object;

	if (asprintf(&object, "memory-backend-memfd,id=anynic-ram,share=on,size=%.*s%s",
		     (int)length, size, size[length ? length - 1 : 0] <= '9' ? "M" : "") < 0)
		return;
	out[(*count)++] = "-object";
	out[(*count)++] = object;
	out[(*count)++] = "-machine";
	out[(*count)++] = "memory-backend=anynic-ram";
}

static void device_word(const char *socket_path, char **out, unsigned *count)
{
	char *device;

	if (asprintf(
		    &device,
		    "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}",
		    socket_path) < 0)
		return;
	out[(*count)++] = "-device";
	out[(*count)++] = device;
}

static int started(const struct serve_options *options, const struct host *host)
{
	static char *words[ARGUMENTS_MAX + 2 * SERVE_NICS + 8];
	pid_t parent = getpid(), child;
	const struct instance *nic;
	unsigned count = 0;
	sigset_t none;

	while (options->rest[count] && count < ARGUMENTS_MAX) {
		words[count] = options->rest[count];
		count++;
	}
	if (!mentions(options->rest, "memory-backend"))
		memory_words(options->rest, words, &count);
	for (unsigned i = 0; (nic = host_nic(host, i)); i++)
		device_word(instance_socket(nic), words, &count);
	words[count] = NULL;
	child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(words[0], words);
	fprintf(stderr, "anynic: error: %s: %s\n", words[0], strerror(errno));
	_exit(127);
}

/* Each NIC that was not told where has its socket in FOLDER. */
static bool place_sockets(struct serve_options *options, const char *folder)
{
	static char paths[SERVE_NICS][64];

	for (unsigned i = 0; i < options->nics_count; i++) {
		struct nic_spec *nic = &options->nics[i];

		if (nic->fd >= 0) {
			cli_wrong("exec", "--fd is of no use here");
			return false;
		}
		snprintf(paths[i], sizeof(paths[i]), "%s/card%u.sock", folder, i);
		if (!nic->socket_path)
			nic->socket_path = paths[i];
	}
	return true;
}

int exec_main(int argc, char **argv)
{
	static const struct serve_hooks hooks = {started};
	struct serve_options options;
	char folder[] = "/tmp/anynic-XXXXXX";
	int result;

	if (serve_options(argc, argv, &options) != CLI_OK)
		return CLI_USAGE;
	if (options.capabilities || !*options.rest) {
		serve_options_free(&options);
		return cli_wrong(argv[0], "no VM; its command follows \"--\"");
	}
	if (!mkdtemp(folder)) {
		fprintf(stderr, "anynic: error: %s: %s\n", folder, strerror(errno));
		return CLI_FAILED;
	}
	result = place_sockets(&options, folder) ? serve(&options, &hooks) : CLI_USAGE;
	rmdir(folder);
	return result;
}
