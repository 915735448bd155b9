/* SPDX-License-Identifier: Apache-2.0 */

/* Hooks as messages; what a program that was stopped returns is what does least. */
#include "module/process.h"

#include <string.h>

static struct process *begin(struct anynic_nic *self, unsigned hook)
{
	struct process *process = (struct process *)self;

	wire_begin(process->out, WIRE_CALL, hook);
	return process;
}

static bool call_with(struct process *process, unsigned hook, struct anynic_frame *frames,
		      uint32_t count)
{
	const struct wire_context context = {
		.nic = (struct anynic_nic *)process->hooks.nic,
		.frames = frames,
		.frames_count = count,
	};

	return process_call(process, hook, &context);
}

/* The number it returns, or OTHERWISE. */
static uint64_t call(struct process *process, unsigned hook, uint64_t otherwise)
{
	uint64_t result;

	if (!call_with(process, hook, NULL, 0))
		return otherwise;
	result = wire_get(process->in);
	if (!process->in->bad)
		return result;
	process_stop(process, "does not say what it returns");
	return otherwise;
}

/* Only says that there is one; see process_configure(). */
static int32_t configure(struct anynic_draft *draft)
{
	(void)draft;
	return ANYNIC_INVALID;
}

int32_t process_configure(struct hooks *hooks, struct anynic_draft *draft)
{
	const struct wire_context context = {.draft = draft};
	struct process *process = begin((struct anynic_nic *)hooks, HOOK_CONFIGURE);

	if (!process_call(process, HOOK_CONFIGURE, &context))
		return ANYNIC_INVALID;
	return (int32_t)wire_get(process->in);
}

static int32_t start(struct anynic_nic *self)
{
	struct process *process = begin(self, HOOK_START);
	int32_t result = (int32_t)call(process, HOOK_START, (uint64_t)ANYNIC_INVALID);

	process->begun = true;
	return result;
}

static void stop(struct anynic_nic *self)
{
	call(begin(self, HOOK_STOP), HOOK_STOP, 0);
}

static void reset(struct anynic_nic *self, uint32_t list)
{
	struct process *process = begin(self, HOOK_RESET);

	wire_put(process->out, list);
	call(process, HOOK_RESET, 0);
}

static uint64_t read(struct anynic_nic *self, uint32_t place, uint32_t index, uint64_t value)
{
	struct process *process = begin(self, HOOK_READ);

	wire_put(process->out, place);
	wire_put(process->out, index);
	wire_put(process->out, value);
	return call(process, HOOK_READ, UINT64_MAX);
}

static uint64_t write(struct anynic_nic *self, uint32_t place, uint32_t index, uint64_t value,
		      uint64_t old)
{
	struct process *process = begin(self, HOOK_WRITE);

	wire_put(process->out, place);
	wire_put(process->out, index);
	wire_put(process->out, value);
	wire_put(process->out, old);
	return call(process, HOOK_WRITE, old);
}

static void called(struct anynic_nic *self, uint32_t name, uint32_t index, uint64_t value)
{
	struct process *process = begin(self, HOOK_CALL);

	wire_put(process->out, name);
	wire_put(process->out, index);
	wire_put(process->out, value);
	call(process, HOOK_CALL, 0);
}

static int32_t kick(struct anynic_nic *self, uint32_t name, uint64_t value)
{
	struct process *process = begin(self, HOOK_KICK);

	wire_put(process->out, name);
	wire_put(process->out, value);
	return (int32_t)call(process, HOOK_KICK, ANYNIC_OK);
}

static int32_t command(struct anynic_nic *self, uint32_t name, uint64_t value, uint32_t ring,
		       uint32_t queue, const void *slot, uint32_t length)
{
	struct process *process = begin(self, HOOK_COMMAND);

	wire_put(process->out, name);
	wire_put(process->out, value);
	wire_put(process->out, ring);
	wire_put(process->out, queue);
	wire_put(process->out, length);
	wire_put_bytes(process->out, slot, length);
	return (int32_t)call(process, HOOK_COMMAND, ANYNIC_OK);
}

/* The frames go there and come back; their lengths are what the card knows. */
static void frames(struct process *process, unsigned hook, struct anynic_frame *list,
		   uint32_t count)
{
	const struct anynic_frame *back;

	wire_put_bytes(process->out, list, count * sizeof(*list));
	if (!call_with(process, hook, list, count))
		return;
	back = wire_get_bytes(process->in, count * sizeof(*list));
	for (uint32_t i = 0; back && i < count; i++) {
		uint32_t length = list[i].length;

		memcpy(&list[i], &back[i], sizeof(*list));
		list[i].length = length;
	}
}

static void transmit(struct anynic_nic *self, uint32_t ring, uint32_t queue,
		     struct anynic_frame *list, uint32_t count)
{
	struct process *process = begin(self, HOOK_TRANSMIT);

	wire_put(process->out, ring);
	wire_put(process->out, queue);
	wire_put(process->out, count);
	frames(process, HOOK_TRANSMIT, list, count);
}

static void receive(struct anynic_nic *self, struct anynic_frame *list, uint32_t count)
{
	struct process *process = begin(self, HOOK_RECEIVE);

	wire_put(process->out, count);
	frames(process, HOOK_RECEIVE, list, count);
}

static void timer(struct anynic_nic *self, uint32_t which)
{
	struct process *process = begin(self, HOOK_TIMER);

	wire_put(process->out, which);
	call(process, HOOK_TIMER, 0);
}

static int32_t save(struct anynic_nic *self, void *to, uint32_t room)
{
	struct process *process = begin(self, HOOK_SAVE);
	const void *bytes;
	int32_t length;

	wire_put(process->out, room);
	length = (int32_t)call(process, HOOK_SAVE, (uint64_t)ANYNIC_INVALID);
	if (length <= 0 || (uint32_t)length > room)
		return length > 0 ? ANYNIC_INVALID : length;
	bytes = wire_get_bytes(process->in, (size_t)length);
	if (!bytes)
		return ANYNIC_INVALID;
	memcpy(to, bytes, (size_t)length);
	return length;
}

static int32_t restore(struct anynic_nic *self, const void *from, uint32_t length)
{
	struct process *process = begin(self, HOOK_RESTORE);

	wire_put(process->out, length);
	wire_put_bytes(process->out, from, length);
	return (int32_t)call(process, HOOK_RESTORE, (uint64_t)ANYNIC_INVALID);
}

void process_hooks(struct process *process, uint64_t set)
{
	struct anynic_module *call = &process->hooks.call;

#define HOOK(number, name, function)                                                               \
	if (set >> (number)&1)                                                                     \
	call->name = function
	HOOK(HOOK_CONFIGURE, configure, configure);
	HOOK(HOOK_START, start, start);
	HOOK(HOOK_STOP, stop, stop);
	HOOK(HOOK_RESET, reset, reset);
	HOOK(HOOK_READ, read, read);
	HOOK(HOOK_WRITE, write, write);
	HOOK(HOOK_CALL, call, called);
	HOOK(HOOK_KICK, kick, kick);
	HOOK(HOOK_COMMAND, command, command);
	HOOK(HOOK_TRANSMIT, transmit, transmit);
	HOOK(HOOK_RECEIVE, receive, receive);
	HOOK(HOOK_TIMER, timer, timer);
	HOOK(HOOK_SAVE, save, save);
	HOOK(HOOK_RESTORE, restore, restore);
#undef HOOK
	process->begun = !call->start;
}
