/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes a program out of a module in C, for kind="process":
 *
 *   cc -O2 short.c /usr/share/anynic/program.c -o short
 *
 * The module is the same source as of any other kind. Its hooks are called when
 * messages ask for them, and its services are messages; docs/module-process.md has
 * their format. Who is asked for what makes no sense, or is no longer needed, ends.
 */
#define ANYNIC_HOST
#include <anynic/module.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error messages are little-endian, and frames and pieces are sent as they lie in memory
#endif

enum {
	LINK = 3,
	MESSAGE_MAX = 160 << 10,
	BYTES_MAX = 64 << 10,
	NUMBERS = 8,
	PIECES_MAX = 64,
	FRAMES_MAX = 4096
};
enum { HELLO = 1, CALL, RETURN, SERVICE, ANSWER };

#define NUMBER(returns, name, parameters, arguments) ASK_##name,
enum { ANYNIC_SERVICES(NUMBER) };

struct head {
	uint16_t kind, number;
	uint32_t reserved;
};

/* A message on its way out: numbers, then bytes where they lie. */
static struct {
	struct head head;
	uint64_t numbers[NUMBERS];
	struct iovec parts[NUMBERS + 1];
	unsigned count, parts_count;
	size_t length;
} out;

/* One that came, as far as it was read. */
struct in {
	uint8_t bytes[MESSAGE_MAX];
	size_t length, at;
};

static struct in call, answer;
static struct anynic_frame frames[FRAMES_MAX]; /* of the batch at hand */
static uint32_t frames_count;

/* ---- messages ---- */

static void begin(unsigned kind, unsigned number)
{
	out.head = (struct head){(uint16_t)kind, (uint16_t)number, 0};
	out.parts_count = 1;
	out.count = 0;
	out.length = sizeof(out.head);
}

static void number(uint64_t value)
{
	out.numbers[out.count++] = value;
	out.length += sizeof(value);
}

static void bytes(const void *from, size_t length)
{
	if (!length)
		return;
	out.parts[out.parts_count++] = (struct iovec){(void *)from, length};
	out.length += length;
}

static void finish(void)
{
	struct {
		struct head head;
		uint64_t numbers[NUMBERS];
	} first = {out.head, {0}};
	struct msghdr message = {.msg_iov = out.parts, .msg_iovlen = out.parts_count};

	memcpy(first.numbers, out.numbers, sizeof(first.numbers));
	out.parts[0] = (struct iovec){&first, sizeof(first.head) + out.count * sizeof(uint64_t)};
	if (sendmsg(LINK, &message, MSG_NOSIGNAL) != (ssize_t)out.length)
		exit(1);
}

static struct head receive_message(struct in *in)
{
	ssize_t got = recv(LINK, in->bytes, sizeof(in->bytes), MSG_TRUNC);
	struct head head;

	if (got == 0)
		exit(0); /* the card has gone */
	if (got < (ssize_t)sizeof(head) || got > (ssize_t)sizeof(in->bytes))
		exit(1);
	memcpy(&head, in->bytes, sizeof(head));
	in->length = (size_t)got;
	in->at = sizeof(head);
	return head;
}

static const void *take(struct in *in, size_t length)
{
	const void *at = in->bytes + in->at;

	if (length > in->length - in->at)
		exit(1);
	in->at += length;
	return at;
}

static uint64_t take_number(struct in *in)
{
	uint64_t value;

	memcpy(&value, take(in, sizeof(value)), sizeof(value));
	return value;
}

/* ---- services ---- */

/* there is one NIC, or one draft: nobody asks which */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What it returns; what comes with it is still to be taken out of the answer. */
static uint64_t ask(void)
{
	struct head head;

	finish();
	head = receive_message(&answer);
	if (head.kind != ANSWER || head.number != out.head.number)
		exit(1);
	return take_number(&answer);
}

/* Bytes that were asked for. */
static uint64_t ask_for(void *to, size_t length)
{
	uint64_t result = ask();

	memcpy(to, take(&answer, length), length);
	return result;
}

static void buffer(const void *from, uint32_t length)
{
	number(length);
	bytes(from, length);
}

/* What is too much for a message goes in several; done again, it is the same. */
static uint32_t portion(uint32_t left)
{
	return left < BYTES_MAX ? left : BYTES_MAX;
}

static void text(const char *from)
{
	buffer(from, (uint32_t)strlen(from));
}

/* Its place in the batch; what is no frame of it is none, and refused by the card. */
static void frame(const struct anynic_frame *from)
{
	uintptr_t at = (uintptr_t)from - (uintptr_t)frames;
	uint32_t index = (uint32_t)(at / sizeof(*from));

	if (from && at < sizeof(frames) && at % sizeof(*from) == 0 && index < frames_count) {
		number(index);
		bytes(from, sizeof(*from));
	} else {
		number(UINT32_MAX);
	}
}

static void meta(const struct anynic_frame *from)
{
	number(from != NULL);
	bytes(from, from ? sizeof(*from) : 0);
}

#define NIC struct anynic_nic *nic
#define DRAFT struct anynic_draft *draft
#define SIGNED(value) number((uint64_t)(int64_t)(value))
/* ASK(name, number(a), text(b)): begins a message with these parameters. */
#define ASK(name, ...)                                                                             \
	do {                                                                                       \
		begin(SERVICE, ASK_##name);                                                        \
		__VA_ARGS__;                                                                       \
	} while (0)
/* A service whose answer is a number. */
#define PLAIN(returns, name, parameters, ...)                                                      \
	static returns ask_##name parameters                                                       \
	{                                                                                          \
		ASK(name, __VA_ARGS__);                                                            \
		return (returns)ask();                                                             \
	}
/* One whose buffer, of LENGTH bytes, may be larger than a message. */
#define LIMITED(most, name, parameters, ...)                                                       \
	static int32_t ask_##name parameters                                                       \
	{                                                                                          \
		if (length > (most))                                                               \
			return ANYNIC_INVALID;                                                     \
		ASK(name, __VA_ARGS__);                                                            \
		return (int32_t)ask();                                                             \
	}
/* And that comes back with the answer. */
#define FETCHED(name, parameters, to, ...)                                                         \
	static int32_t ask_##name parameters                                                       \
	{                                                                                          \
		if (length > BYTES_MAX)                                                            \
			return ANYNIC_INVALID;                                                     \
		ASK(name, __VA_ARGS__);                                                            \
		return (int32_t)ask_for(to, length);                                               \
	}

/* clang-format off */
PLAIN(int32_t, find, (NIC, uint32_t kind, const char *name), number(kind), text(name))
PLAIN(uint64_t, get, (NIC, int32_t place, uint32_t index), SIGNED(place), number(index))
PLAIN(int32_t, set, (NIC, int32_t place, uint32_t index, uint64_t value),
      SIGNED(place), number(index), number(value))
PLAIN(int32_t, raise, (NIC, int32_t place, uint32_t index, uint64_t bits),
      SIGNED(place), number(index), number(bits))
PLAIN(int32_t, offset, (NIC, int32_t place, uint32_t index), SIGNED(place), number(index))
PLAIN(int32_t, message, (NIC, uint32_t vector), number(vector))
FETCHED(card_read, (NIC, int32_t memory, uint32_t at, void *to, uint32_t length),
	to, SIGNED(memory), number(at), number(length))
LIMITED(BYTES_MAX, card_write,
	(NIC, int32_t memory, uint32_t at, const void *from, uint32_t length),
	SIGNED(memory), number(at), buffer(from, length))
PLAIN(int32_t, load, (NIC, int32_t record, uint64_t at), SIGNED(record), number(at))
PLAIN(int32_t, store, (NIC, int32_t record, uint64_t at), SIGNED(record), number(at))
PLAIN(uint64_t, field, (NIC, int32_t field, const void *record, uint32_t length),
      SIGNED(field), buffer(record, portion(length)))
FETCHED(field_set, (NIC, int32_t field, void *record, uint32_t length, uint64_t value),
	record, SIGNED(field), buffer(record, length), number(value))
FETCHED(peek, (NIC, const struct anynic_frame *from, uint32_t at, void *to, uint32_t length),
	to, frame(from), number(at), number(length))
PLAIN(int32_t, put, (NIC, const struct anynic_frame *from, uint32_t at, uint64_t to,
		     uint32_t length),
      frame(from), number(at), number(to), number(length))
LIMITED(BYTES_MAX * 2, send,
	(NIC, const struct anynic_frame *after, const struct anynic_frame *what,
	 const void *from, uint32_t length),
	frame(after), meta(what), buffer(from, length))
LIMITED(BYTES_MAX * 2, deliver,
	(NIC, const struct anynic_frame *after, const struct anynic_frame *what,
	 const void *from, uint32_t length),
	frame(after), meta(what), buffer(from, length))
PLAIN(int32_t, ring_open,
      (NIC, int32_t ring, uint64_t base, uint32_t depth, int32_t completion, int32_t vector),
      SIGNED(ring), number(base), number(depth), SIGNED(completion), SIGNED(vector))
PLAIN(int32_t, ring_close, (NIC, int32_t ring, uint32_t index), SIGNED(ring), number(index))
PLAIN(int32_t, ring_wake, (NIC, int32_t ring, uint32_t index), SIGNED(ring), number(index))
LIMITED(BYTES_MAX, produce,
	(NIC, int32_t ring, uint32_t index, const void *entry, uint32_t length),
	SIGNED(ring), number(index), buffer(entry, length))
PLAIN(int32_t, timer_arm, (NIC, int32_t timer, uint64_t after), SIGNED(timer), number(after))
PLAIN(int32_t, timer_cancel, (NIC, int32_t timer), SIGNED(timer))
PLAIN(uint64_t, now, (NIC), )
PLAIN(int32_t, link, (NIC), )
PLAIN(int32_t, link_set, (NIC, uint32_t up), number(up))
PLAIN(uint64_t, mac, (NIC), )
PLAIN(int32_t, kick, (NIC, int32_t called, uint64_t value), SIGNED(called), number(value))
PLAIN(int32_t, log, (NIC, uint32_t level, const char *line), number(level), text(line))
PLAIN(int32_t, fail, (NIC, const char *why), text(why))
PLAIN(int32_t, draft_element, (DRAFT, const char *word, const char *file, uint32_t line),
      text(word), text(file), number(line))
PLAIN(int32_t, draft_attribute, (DRAFT, const char *name, const char *value),
      text(name), text(value))
PLAIN(int32_t, draft_number, (DRAFT, const char *name, uint64_t value),
      text(name), number(value))
PLAIN(int32_t, draft_end, (DRAFT), )
PLAIN(int32_t, draft_text, (DRAFT, const char *xml, const char *file, uint32_t line),
      text(xml), text(file), number(line))
PLAIN(int32_t, draft_wrong, (DRAFT, const char *file, uint32_t line, const char *what),
      text(file), number(line), text(what))
FETCHED(draft_get, (DRAFT, const char *name, char *to, uint32_t length),
	to, text(name), number(length))
/* clang-format on */

static int32_t ask_read(NIC, uint64_t address, void *to, uint32_t length)
{
	uint32_t done = 0, part;
	int32_t result;

	do {
		part = portion(length - done);
		ASK(read, number(address + done), number(part));
		result = (int32_t)ask_for((char *)to + done, part);
		done += part;
	} while (result >= 0 && done < length);
	return result;
}

static int32_t ask_write(NIC, uint64_t address, const void *from, uint32_t length)
{
	uint32_t done = 0, part;
	int32_t result;

	do {
		part = portion(length - done);
		ASK(write, number(address + done), buffer((const char *)from + done, part));
		result = (int32_t)ask();
		done += part;
	} while (result >= 0 && done < length);
	return result;
}

/* The frame comes back as it is then. */
static int32_t ask_edit(NIC, struct anynic_frame *one, uint32_t at, uint32_t remove,
			const void *from, uint32_t length)
{
	int32_t result;

	if (length > BYTES_MAX)
		return ANYNIC_INVALID;
	ASK(edit, frame(one), number(at), number(remove), buffer(from, length));
	result = (int32_t)ask();
	if (answer.at < answer.length)
		memcpy(one, take(&answer, sizeof(*one)), sizeof(*one));
	return result;
}

static int32_t ask_gather(NIC, const struct anynic_frame *what, const struct anynic_piece *pieces,
			  uint32_t count)
{
	if (count > PIECES_MAX)
		return ANYNIC_INVALID;
	ASK(gather, meta(what), number(count), bytes(pieces, count * sizeof(*pieces)));
	return (int32_t)ask();
}

#define ENTRY(returns, name, parameters, arguments) ask_##name,
static const struct anynic_services services = {sizeof(services), ANYNIC_VERSION,
						ANYNIC_SERVICES(ENTRY)};

/* ---- hooks ---- */

const struct anynic_module *anynic_module(const struct anynic_services *given);

static struct anynic_module module; /* what the one of the source has; the rest is NULL */
static char self[1];		    /* nobody looks into a NIC or a draft */
#define SELF ((struct anynic_nic *)self)
#define U ((uint32_t)take_number(&call))
#define N take_number(&call)

static void give_back(unsigned hook, uint64_t result)
{
	begin(RETURN, hook);
	number(result);
	finish();
}

static void take_frames(uint32_t count)
{
	if (count > FRAMES_MAX)
		exit(1);
	memcpy(frames, take(&call, count * sizeof(*frames)), count * sizeof(*frames));
	frames_count = count;
}

static void give_frames(unsigned hook)
{
	begin(RETURN, hook);
	bytes(frames, frames_count * sizeof(*frames));
	finish();
	frames_count = 0;
}

/* Hooks by their number, in the order of struct anynic_module. */

static void call_configure(unsigned hook)
{
	give_back(hook, (uint64_t)module.configure((struct anynic_draft *)self));
}

static void call_start(unsigned hook)
{
	give_back(hook, (uint64_t)module.start(SELF));
}

static void call_stop(unsigned hook)
{
	module.stop(SELF);
	give_back(hook, 0);
}

static void call_reset(unsigned hook)
{
	module.reset(SELF, U);
	give_back(hook, 0);
}

static void call_read(unsigned hook)
{
	uint32_t place = U, index = U;

	give_back(hook, module.read(SELF, place, index, N));
}

static void call_write(unsigned hook)
{
	uint32_t place = U, index = U;
	uint64_t value = N, old = N;

	give_back(hook, module.write(SELF, place, index, value, old));
}

static void call_call(unsigned hook)
{
	uint32_t called = U, index = U;

	module.call(SELF, called, index, N);
	give_back(hook, 0);
}

static void call_kick(unsigned hook)
{
	uint32_t called = U;

	give_back(hook, (uint64_t)module.kick(SELF, called, N));
}

static void call_command(unsigned hook)
{
	uint32_t called = U;
	uint64_t value = N;
	uint32_t ring = U, queue = U, length = U;
	const void *slot = take(&call, length);

	give_back(hook, (uint64_t)module.command(SELF, called, value, ring, queue,
						 length ? slot : NULL, length));
}

static void call_transmit(unsigned hook)
{
	uint32_t ring = U, queue = U;

	take_frames(U);
	module.transmit(SELF, ring, queue, frames, frames_count);
	give_frames(hook);
}

static void call_receive(unsigned hook)
{
	take_frames(U);
	module.receive(SELF, frames, frames_count);
	give_frames(hook);
}

static void call_timer(unsigned hook)
{
	module.timer(SELF, U);
	give_back(hook, 0);
}

static void call_save(unsigned hook)
{
	static uint8_t state[BYTES_MAX];
	uint32_t room = U;
	int32_t length = module.save(SELF, state, room < BYTES_MAX ? room : BYTES_MAX);

	begin(RETURN, hook);
	number((uint64_t)length);
	bytes(state, length > 0 && length <= BYTES_MAX ? (size_t)length : 0);
	finish();
}

static void call_restore(unsigned hook)
{
	uint32_t length = U;

	give_back(hook, (uint64_t)module.restore(SELF, take(&call, length), length));
}

#define HOOKS(H)                                                                                   \
	H(configure)                                                                               \
	H(start)                                                                                   \
	H(stop)                                                                                    \
	H(reset) H(read) H(write) H(call) H(kick) H(command) H(transmit) H(receive) H(timer)       \
		H(save) H(restore)

/* ---- the program ---- */

/* A module of another version says so itself, and has no hook that is called. */
static void hello(const struct anynic_module *given)
{
	uint64_t bit = 1, hooks = 0;

	if (given->version == ANYNIC_VERSION)
		memcpy(&module, given, given->size < sizeof(module) ? given->size : sizeof(module));
#define HAS(name)                                                                                  \
	hooks |= module.name ? bit : 0;                                                            \
	bit <<= 1;
	HOOKS(HAS)
	begin(HELLO, 0);
	number(given->version);
	number(hooks);
	finish();
}

int main(void)
{
#define CALLS(name) call_##name,
	static void (*const calls[])(unsigned hook) = {HOOKS(CALLS)};
	const struct anynic_module *given = anynic_module(&services);

	if (!given)
		return 1;
	for (hello(given);;) {
		struct head head = receive_message(&call);

		if (head.kind != CALL || head.number >= sizeof(calls) / sizeof(*calls))
			return 1;
		calls[head.number](head.number);
	}
}
