/* SPDX-License-Identifier: Apache-2.0 */

/* QEMU's e1000 under qtest: rings in a file that both sides map, registers over a socket. */
#include "engine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TESTS_FD = 50, NET_FD = 51, GROUP = 16 };
enum { BAR0 = 0xe0000000, BAR_SIZE = 128 << 10, PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc };

/*
 * Four e1000: one whose frames go to the sink, one whose frames go through a
 * hub to a receiver, and one at a hub with nobody else.
 */
enum nic { TO_SINK, TO_RECEIVER, RECEIVER, TO_NOBODY, NICS, SLOT = 4 };
#define NIC(id, slot, mac) "-device", "e1000,netdev=" id ",addr=" slot ",mac=52:54:00:12:34:" mac

struct theirs {
	pid_t pid;
	clockid_t clock;
	int tests;
	uint8_t *memory;
	struct sink *sink;
	char memory_path[64], sink_path[64];
	char lines[8192];
	size_t length;
	unsigned asked;
};

static void *shared(char *path, size_t size, const char *name)
{
	void *memory;
	int fd;

	sprintf(path, "/dev/shm/anynic-%s-%d", name, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static void child(const struct theirs *theirs, const char *qemu, const char *preload, int tests,
		  int net)
{
	char memory[200], sink[100];

	sprintf(memory, "memory-backend-file,id=ram,size=16M,share=on,mem-path=%s",
		theirs->memory_path);
	sprintf(sink, "%d %s", NET_FD, theirs->sink_path);
	setenv("ANYNIC_SINK", sink, 1);
	setenv("LD_PRELOAD", preload, 1);
	dup2(tests, TESTS_FD);
	dup2(net, NET_FD);
	execl(qemu, qemu, "-nodefaults", "-no-user-config", "-display", "none", "-accel", "qtest",
	      "-machine", "pc,memory-backend=ram", "-m", "16", "-object", memory, "-chardev",
	      "socket,id=tests,fd=50", "-qtest", "chardev:tests", "-qtest-log", "none", "-netdev",
	      "dgram,id=sink,local.type=fd,local.str=51", "-netdev", "hubport,id=a,hubid=0",
	      "-netdev", "hubport,id=b,hubid=0", "-netdev", "hubport,id=c,hubid=1",
	      NIC("sink", "4", "01"), NIC("a", "5", "02"), NIC("b", "6", "56"), NIC("c", "7", "03"),
	      (char *)NULL);
	perror(qemu);
	_exit(1);
}

__attribute__((format(printf, 2, 3))) static void ask(struct theirs *theirs, const char *format,
						      ...)
{
	va_list list;

	va_start(list, format);
	theirs->length += (size_t)vsprintf(theirs->lines + theirs->length, format, list);
	va_end(list);
	theirs->asked++;
}

/* Sends what was asked and waits until each line is answered. */
static bool tell(struct theirs *theirs)
{
	char answer[4096];

	if (send(theirs->tests, theirs->lines, theirs->length, MSG_NOSIGNAL) < 0)
		return false;
	theirs->length = 0;
	while (theirs->asked) {
		ssize_t got = recv(theirs->tests, answer, sizeof(answer), 0);

		if (got <= 0)
			return false;
		for (ssize_t i = 0; i < got; i++)
			theirs->asked -= answer[i] == '\n';
	}
	return true;
}

static void put(struct theirs *theirs, enum nic nic, uint32_t reg, uint32_t value)
{
	ask(theirs, "writel 0x%x 0x%x\n", BAR0 + nic * BAR_SIZE + reg, value);
}

static bool plug(struct theirs *theirs)
{
	for (unsigned nic = 0; nic < NICS; nic++) {
		uint32_t slot = 0x80000000 | (SLOT + nic) << 11;

		ask(theirs, "outl 0x%x 0x%x\n", PORT_ADDRESS, slot | 0x10);
		ask(theirs, "outl 0x%x 0x%x\n", PORT_DATA, BAR0 + nic * BAR_SIZE);
		ask(theirs, "outl 0x%x 0x%x\n", PORT_ADDRESS, slot | 4);
		ask(theirs, "outw 0x%x 0x%x\n", PORT_DATA, 6);
	}
	return tell(theirs);
}

struct theirs *theirs_start(const char *qemu, const char *preload)
{
	struct theirs *theirs = calloc(1, sizeof(*theirs));
	int tests[2], net[2];

	theirs->memory = shared(theirs->memory_path, MEMORY, "memory");
	theirs->sink = shared(theirs->sink_path, 4096, "sink");
	if (!theirs->memory || !theirs->sink || socketpair(AF_UNIX, SOCK_STREAM, 0, tests) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, net) < 0) {
		perror("bench");
		return NULL;
	}
	theirs->pid = fork();
	if (theirs->pid == 0)
		child(theirs, qemu, preload, tests[1], net[1]);
	theirs->tests = tests[0];
	close(tests[1]);
	close(net[1]);
	if (!plug(theirs) || clock_getcpuclockid(theirs->pid, &theirs->clock)) {
		fprintf(stderr, "QEMU did not start\n");
		theirs_stop(theirs);
		return NULL;
	}
	return theirs;
}

void theirs_stop(struct theirs *theirs)
{
	kill(theirs->pid, SIGKILL);
	waitpid(theirs->pid, NULL, 0);
	unlink(theirs->memory_path);
	unlink(theirs->sink_path);
	close(theirs->tests);
	free(theirs);
}

/* The receiver takes frames only some virtual time after RCTL was written. */
static bool program(struct theirs *theirs)
{
	const uint32_t writes[][2] = {
		{REG_TCTL, 0},		{REG_RCTL, 0},		{REG_TDBAL, TX_RING},
		{REG_TDBAH, 0},		{REG_TDLEN, RING * 16}, {REG_TDH, 0},
		{REG_TDT, 0},		{REG_RDBAL, RX_RING},	{REG_RDBAH, 0},
		{REG_RDLEN, RING * 16}, {REG_RDH, 0},		{REG_RDT, 0},
		{REG_TCTL, TCTL_EN},
	};

	for (unsigned nic = 0; nic < NICS; nic++) {
		for (unsigned i = 0; i < sizeof(writes) / sizeof(*writes); i++)
			put(theirs, nic, writes[i][0], writes[i][1]);
		if (nic == RECEIVER)
			put(theirs, nic, REG_RCTL, RCTL_EN | RCTL_SECRC);
	}
	ask(theirs, "clock_step 2000000000\n");
	return tell(theirs);
}

static uint64_t theirs_now(const struct theirs *theirs)
{
	struct timespec now;

	clock_gettime(theirs->clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CPU time of ROUNDS tails, each with one of receive before it. STEP 0: no work in them. */
static uint64_t tails(struct theirs *theirs, enum nic to, enum nic from, unsigned rounds,
		      unsigned step)
{
	uint64_t begin = theirs_now(theirs);

	for (unsigned i = 1; i <= rounds; i++) {
		put(theirs, to, REG_RDT, i * step % RING);
		put(theirs, from, REG_TDT, i * step % RING);
		if ((i % GROUP == 0 || i == rounds) && !tell(theirs))
			break;
	}
	return theirs_now(theirs) - begin;
}

/*
 * Transmit: tails with work less tails without. Receive: frames sent through a
 * hub to the receiver less frames sent to a hub without one.
 */
bool theirs_run(struct theirs *theirs, bool receives, uint32_t length, unsigned rounds,
		struct sample *sample)
{
	enum nic to = receives ? RECEIVER : TO_NOBODY, from = receives ? TO_RECEIVER : TO_SINK;
	uint64_t without, with;

	rounds &= ~1u; /* whole laps */
	layout_fill(theirs->memory, length);
	if (!program(theirs))
		return false;
	tails(theirs, TO_NOBODY, TO_NOBODY, 2, RUN);
	tails(theirs, to, from, 2, RUN);
	*theirs->sink = (struct sink){0};
	without = tails(theirs, TO_NOBODY, TO_NOBODY, rounds, receives ? RUN : 0);
	with = tails(theirs, to, from, rounds, RUN);
	sample->ns = (double)(int64_t)(with - without) / ((double)RUN * rounds);
	if (receives && !layout_received(theirs->memory, theirs->sink))
		return false;
	sample->sink = *theirs->sink;
	return true;
}
