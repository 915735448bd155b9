/* SPDX-License-Identifier: Apache-2.0 */

/* QEMU's model under qtest: rings in a file that both sides map, registers over a socket. */
#include "engine_e1000.h"
#include "qtest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TESTS_FD = 50, NET_FD = 51 };
enum { BAR0 = 0xe0000000, BAR_SIZE = 128 << 10, PORT0 = 0xc000, PORT_SIZE = 0x100 };
enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc };

/*
 * Two cards of the family: one whose frames go to the sink, and one that receives
 * what an e1000 sends through a hub. And an e1000 at a hub with nobody else.
 */
enum nic { TO_SINK, TO_RECEIVER, RECEIVER, TO_NOBODY, NICS, SLOT = 4 };
#define NIC(model, id, slot, mac)                                                                  \
	"-device", nic_option(options[slot], model,                                                \
			      ",netdev=" id ",addr=" #slot ",mac=52:54:00:12:34:" mac)

struct theirs {
	const struct family *family;
	pid_t pid;
	clockid_t clock;
	struct qtest qtest;
	uint8_t *memory;
	struct sink *sink;
	char memory_path[64], sink_path[64];
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

static const char *nic_option(char *text, const char *model, const char *rest)
{
	sprintf(text, "%s%s", model, rest);
	return text;
}

static void child(const struct theirs *theirs, const char *qemu, const char *preload, int tests,
		  int net)
{
	char memory[200], sink[100], options[SLOT + NICS][100];
	const char *model = theirs->family->model;

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
	      NIC(model, "sink", 4, "01"), NIC("e1000", "a", 5, "02"), NIC(model, "b", 6, "56"),
	      NIC("e1000", "c", 7, "03"), (char *)NULL);
	perror(qemu);
	_exit(1);
}

static bool in_ports(const struct theirs *theirs, enum nic nic)
{
	return theirs->family->io && (nic == TO_SINK || nic == RECEIVER);
}

static uint64_t bar_of(const struct theirs *theirs, enum nic nic)
{
	return in_ports(theirs, nic) ? PORT0 + nic * PORT_SIZE : BAR0 + nic * (uint64_t)BAR_SIZE;
}

static void put(struct theirs *theirs, enum nic nic, uint32_t reg, unsigned width, uint32_t value)
{
	qtest_write(&theirs->qtest, in_ports(theirs, nic), bar_of(theirs, nic) + reg, width, value);
}

static void sink_write(struct drive *drive, uint32_t reg, unsigned width, uint32_t value)
{
	put(drive->context, TO_SINK, reg, width, value);
}

static void receiver_write(struct drive *drive, uint32_t reg, unsigned width, uint32_t value)
{
	put(drive->context, RECEIVER, reg, width, value);
}

static uint32_t receiver_read(struct drive *drive, uint32_t reg, unsigned width)
{
	struct theirs *theirs = drive->context;

	return qtest_read(&theirs->qtest, in_ports(theirs, RECEIVER),
			  bar_of(theirs, RECEIVER) + reg, width);
}

/* BARs where the writes above go; the senders in between are e1000s. */
static bool plug(struct theirs *theirs)
{
	struct qtest *qtest = &theirs->qtest;

	for (unsigned nic = 0; nic < NICS; nic++) {
		uint32_t slot = 0x80000000 | (SLOT + nic) << 11;
		uint32_t bar = nic == TO_SINK || nic == RECEIVER ? theirs->family->bar : 0;

		qtest_write(qtest, true, PORT_ADDRESS, 4, slot | (0x10 + bar * 4));
		qtest_write(qtest, true, PORT_DATA, 4, (uint32_t)bar_of(theirs, nic));
		qtest_write(qtest, true, PORT_ADDRESS, 4, slot | 4);
		qtest_write(qtest, true, PORT_DATA, 2, in_ports(theirs, nic) ? 5 : 6);
	}
	return qtest_tell(qtest);
}

struct theirs *theirs_start(const struct family *family, const char *qemu, const char *preload)
{
	struct theirs *theirs = calloc(1, sizeof(*theirs));
	int tests[2], net[2];

	theirs->family = family;
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
	theirs->qtest.fd = tests[0];
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
	close(theirs->qtest.fd);
	free(theirs);
}

static uint64_t theirs_now(const struct theirs *theirs)
{
	struct timespec now;

	clock_gettime(theirs->clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The e1000s that send: the receiver takes frames only some virtual time after it was told. */
static bool program_senders(struct theirs *theirs, uint32_t length)
{
	static const struct write list[] = {
		{REG_TCTL, 4, 0},	{REG_TDBAL, 4, SEND_AT},
		{REG_TDBAH, 4, 0},	{REG_TDLEN, 4, SEND_RING * 16},
		{REG_TDH, 4, 0},	{REG_TDT, 4, 0},
		{REG_TCTL, 4, TCTL_EN},
	};

	e1000_fill(theirs->memory, SEND_AT, SEND_RING, length);
	for (unsigned nic = TO_RECEIVER; nic < NICS; nic += TO_NOBODY - TO_RECEIVER) {
		for (unsigned i = 0; i < sizeof(list) / sizeof(*list); i++)
			put(theirs, nic, list[i].reg, list[i].width, list[i].value);
	}
	qtest_ask(&theirs->qtest, "clock_step 2000000000\n");
	return qtest_tell(&theirs->qtest);
}

struct turn { /* one job, as it is now */
	struct theirs *theirs;
	const struct job *job;
	struct drive drive;
	uint32_t tails[NICS]; /* of those that send */
};

/* Answers are waited for before the driver touches what the device is working on. */
static void transmit_rounds(struct turn *turn, unsigned rounds, bool work)
{
	const struct job *job = turn->job;

	for (unsigned i = 0; i < rounds && !turn->theirs->qtest.broken; i++) {
		(work ? job->family->send : job->family->idle)(&turn->drive, job->run);
		qtest_tell(&turn->theirs->qtest);
	}
}

/* WORK: to the receiver, which makes room each time; else to nobody, the same writes. */
static void receive_rounds(struct turn *turn, unsigned rounds, bool work)
{
	const struct job *job = turn->job;
	enum nic from = work ? TO_RECEIVER : TO_NOBODY;
	struct drive drive = turn->drive;

	for (unsigned i = 0; i < rounds && !turn->theirs->qtest.broken; i++) {
		turn->tails[from] = (turn->tails[from] + job->run) % SEND_RING;
		job->family->room(&turn->drive, work ? job->run : 0);
		if (!work)
			turn->drive = drive;
		put(turn->theirs, from, REG_TDT, 4, turn->tails[from]);
		qtest_tell(&turn->theirs->qtest);
	}
}

static int64_t spent(struct turn *turn, unsigned rounds, bool work)
{
	uint64_t begin = theirs_now(turn->theirs);

	(turn->job->receives ? receive_rounds : transmit_rounds)(turn, rounds, work);
	return (int64_t)(theirs_now(turn->theirs) - begin);
}

/*
 * Transmit: doorbells with work less doorbells without. Receive: frames sent
 * through a hub to the receiver less frames sent to a hub without one.
 */
bool theirs_run(struct theirs *theirs, const struct job *job, struct sample *sample)
{
	struct turn turn = {.theirs = theirs, .job = job};
	unsigned lap = 2 * FRAMES / job->run;
	int64_t work = 0;

	turn.drive = (struct drive){.write = job->receives ? receiver_write : sink_write,
				    .read = receiver_read,
				    .context = theirs,
				    .memory = theirs->memory,
				    .length = job->length,
				    .fcs = job->fcs};
	frames_fill(theirs->memory, job->length);
	job->family->program(&turn.drive);
	if (!program_senders(theirs, job->length))
		return false;
	spent(&turn, lap, true);
	*theirs->sink = (struct sink){0};
	for (unsigned done = 0; done < job->rounds;
	     done += lap) /* both see the same of this machine */
		work += spent(&turn, lap, true) - spent(&turn, lap, false);
	sample->ns = (double)work / ((double)job->run * job->rounds);
	if (!theirs->qtest.broken && job->receives &&
	    !job->family->received(&turn.drive, theirs->sink)) {
		fprintf(stderr, "%s: QEMU's frames are not there\n", job->family->name);
		return false;
	}
	sample->sink = *theirs->sink;
	return !theirs->qtest.broken;
}
