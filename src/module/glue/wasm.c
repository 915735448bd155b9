/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Compiled behind what wasm2c made of a module, into one shared object that is a module
 * of kind native: hooks go into the sandbox from here, services come out. Nothing in
 * here trusts a number from inside: addresses are offsets into the module's memory and
 * are looked at, functions are entries of its table and must have the right type.
 *
 * A call that takes too long, needs too much stack, or touches what is not its own ends
 * in a trap: the module is stopped then, by the service fail().
 */
#define ANYNIC_HOST
#include <anynic/module.h>
#include <string.h>

enum { FRAMES_MAX = 256, SLOT_MAX = 32768, STATE_MAX = 65536, OWN = 131072 + 65536 };
enum { AT_FRAMES = 0, AT_SLOT = 16384, AT_STATE = 65536 };

static Z_module_instance_t instance;
static const struct anynic_services *services;
static struct anynic_nic *nic;
static struct anynic_draft *draft;
static struct anynic_frame *frames; /* of the batch at hand */
static u32 frames_count, own;	    /* own: our part of its memory */
static u32 table[16];		    /* its hooks, by their places */

/* ---- memory ---- */

static wasm_rt_memory_t *memory(void)
{
	return Z_moduleZ_memory(&instance);
}

static void *at(u32 offset, u32 length)
{
	if ((u64)offset + length > memory()->size)
		wasm_rt_trap(WASM_RT_TRAP_OOB);
	return memory()->data + offset;
}

static const char *text_at(u32 offset)
{
	const char *text = at(offset, 1);

	if (!memchr(text, 0, memory()->size - offset))
		wasm_rt_trap(WASM_RT_TRAP_OOB);
	return text;
}

/* ---- services ---- */

struct Z_anynic_instance_t {
	int nothing;
};

#define HOST struct Z_anynic_instance_t *host

/* What the module has changed of its copy is so for the card too, but for the length. */
static struct anynic_frame *frame_at(u32 offset)
{
	u32 index = (offset - own - AT_FRAMES) / sizeof(struct anynic_frame);
	struct anynic_frame *frame;
	u32 length;

	if (offset < own || (offset - own) % sizeof(*frame) || index >= frames_count)
		return 0;
	frame = &frames[index];
	length = frame->length;
	memcpy(frame, at(offset, sizeof(*frame)), sizeof(*frame));
	frame->length = length;
	return frame;
}

static struct anynic_frame *meta_at(u32 offset, struct anynic_frame *copy)
{
	return offset ? memcpy(copy, at(offset, sizeof(*copy)), sizeof(*copy)) : 0;
}

u32 Z_anynicZ_find(HOST, u32 n, u32 kind, u32 name)
{
	return services->find(nic, kind, text_at(name));
}
u64 Z_anynicZ_get(HOST, u32 n, u32 place, u32 index)
{
	return services->get(nic, place, index);
}
u32 Z_anynicZ_set(HOST, u32 n, u32 place, u32 index, u64 value)
{
	return services->set(nic, place, index, value);
}
u32 Z_anynicZ_raise(HOST, u32 n, u32 place, u32 index, u64 bits)
{
	return services->raise(nic, place, index, bits);
}
u32 Z_anynicZ_offset(HOST, u32 n, u32 place, u32 index)
{
	return services->offset(nic, place, index);
}
u32 Z_anynicZ_message(HOST, u32 n, u32 vector)
{
	return services->message(nic, vector);
}
u32 Z_anynicZ_card_read(HOST, u32 n, u32 which, u32 from, u32 to, u32 length)
{
	return services->card_read(nic, which, from, at(to, length), length);
}
u32 Z_anynicZ_card_write(HOST, u32 n, u32 which, u32 to, u32 from, u32 length)
{
	return services->card_write(nic, which, to, at(from, length), length);
}
u32 Z_anynicZ_read(HOST, u32 n, u64 address, u32 to, u32 length)
{
	return services->read(nic, address, at(to, length), length);
}
u32 Z_anynicZ_write(HOST, u32 n, u64 address, u32 from, u32 length)
{
	return services->write(nic, address, at(from, length), length);
}
u32 Z_anynicZ_load(HOST, u32 n, u32 record, u64 address)
{
	return services->load(nic, record, address);
}
u32 Z_anynicZ_store(HOST, u32 n, u32 record, u64 address)
{
	return services->store(nic, record, address);
}
u64 Z_anynicZ_field(HOST, u32 n, u32 field, u32 record, u32 length)
{
	return services->field(nic, field, at(record, length), length);
}
u32 Z_anynicZ_field_set(HOST, u32 n, u32 field, u32 record, u32 length, u64 value)
{
	return services->field_set(nic, field, at(record, length), length, value);
}
u32 Z_anynicZ_peek(HOST, u32 n, u32 frame, u32 from, u32 to, u32 length)
{
	return services->peek(nic, frame_at(frame), from, at(to, length), length);
}
u32 Z_anynicZ_edit(HOST, u32 n, u32 frame, u32 where, u32 remove, u32 from, u32 length)
{
	struct anynic_frame *one = frame_at(frame);
	int32_t result = services->edit(nic, one, where, remove, at(from, length), length);

	if (one)
		memcpy(at(frame, sizeof(*one)), one, sizeof(*one));
	return result;
}
u32 Z_anynicZ_put(HOST, u32 n, u32 frame, u32 from, u64 address, u32 length)
{
	return services->put(nic, frame_at(frame), from, address, length);
}
u32 Z_anynicZ_send(HOST, u32 n, u32 after, u32 meta, u32 from, u32 length)
{
	struct anynic_frame copy;

	return services->send(nic, frame_at(after), meta_at(meta, &copy), at(from, length), length);
}
u32 Z_anynicZ_deliver(HOST, u32 n, u32 after, u32 meta, u32 from, u32 length)
{
	struct anynic_frame copy;

	return services->deliver(nic, frame_at(after), meta_at(meta, &copy), at(from, length),
				 length);
}
u32 Z_anynicZ_gather(HOST, u32 n, u32 meta, u32 pieces, u32 count)
{
	struct anynic_frame copy;
	struct anynic_piece list[64];

	if (count > 64)
		return ANYNIC_INVALID;
	memcpy(list, at(pieces, count * sizeof(list[0])), count * sizeof(list[0]));
	return services->gather(nic, meta_at(meta, &copy), list, count);
}
u32 Z_anynicZ_ring_open(HOST, u32 n, u32 ring, u64 base, u32 depth, u32 completion, u32 vector)
{
	return services->ring_open(nic, ring, base, depth, completion, vector);
}
u32 Z_anynicZ_ring_close(HOST, u32 n, u32 ring, u32 index)
{
	return services->ring_close(nic, ring, index);
}
u32 Z_anynicZ_ring_wake(HOST, u32 n, u32 ring, u32 index)
{
	return services->ring_wake(nic, ring, index);
}
u32 Z_anynicZ_produce(HOST, u32 n, u32 ring, u32 index, u32 entry, u32 length)
{
	return services->produce(nic, ring, index, at(entry, length), length);
}
u32 Z_anynicZ_timer_arm(HOST, u32 n, u32 timer, u64 after)
{
	return services->timer_arm(nic, timer, after);
}
u32 Z_anynicZ_timer_cancel(HOST, u32 n, u32 timer)
{
	return services->timer_cancel(nic, timer);
}
u64 Z_anynicZ_now(HOST, u32 n)
{
	return services->now(nic);
}
u32 Z_anynicZ_link(HOST, u32 n)
{
	return services->link(nic);
}
u32 Z_anynicZ_link_set(HOST, u32 n, u32 up)
{
	return services->link_set(nic, up);
}
u64 Z_anynicZ_mac(HOST, u32 n)
{
	return services->mac(nic);
}
u32 Z_anynicZ_kick(HOST, u32 n, u32 called, u64 value)
{
	return services->kick(nic, called, value);
}
u32 Z_anynicZ_log(HOST, u32 n, u32 level, u32 text)
{
	return services->log(nic, level, text_at(text));
}
u32 Z_anynicZ_fail(HOST, u32 n, u32 why)
{
	return services->fail(nic, text_at(why));
}
u32 Z_anynicZ_draft_element(HOST, u32 d, u32 word, u32 file, u32 line)
{
	return services->draft_element(draft, text_at(word), text_at(file), line);
}
u32 Z_anynicZ_draft_attribute(HOST, u32 d, u32 name, u32 value)
{
	return services->draft_attribute(draft, text_at(name), text_at(value));
}
u32 Z_anynicZ_draft_number(HOST, u32 d, u32 name, u64 value)
{
	return services->draft_number(draft, text_at(name), value);
}
u32 Z_anynicZ_draft_end(HOST, u32 d)
{
	return services->draft_end(draft);
}
u32 Z_anynicZ_draft_text(HOST, u32 d, u32 text, u32 file, u32 line)
{
	return services->draft_text(draft, text_at(text), text_at(file), line);
}
u32 Z_anynicZ_draft_get(HOST, u32 d, u32 name, u32 to, u32 room)
{
	return services->draft_get(draft, text_at(name), at(to, room), room);
}
u32 Z_anynicZ_draft_wrong(HOST, u32 d, u32 file, u32 line, u32 text)
{
	return services->draft_wrong(draft, text_at(file), line, text_at(text));
}

/* ---- traps ---- */

static const char *trap_name(int code)
{
	switch (code) {
	case WASM_RT_TRAP_OOB:
		return "reaches beyond its memory";
	case WASM_RT_TRAP_EXHAUSTION:
		return ticks_late ? "does not return in time" : "calls itself too often";
	case WASM_RT_TRAP_CALL_INDIRECT:
		return "calls what is no function of its kind";
	case WASM_RT_TRAP_UNREACHABLE:
		return "has given up";
	default:
		return "computes what cannot be";
	}
}

static void stopped(int code)
{
	if (draft)
		services->draft_wrong(draft, "module", 0, trap_name(code));
	else if (nic)
		services->fail(nic, trap_name(code));
}

/* The function that is hook K, if it has the type: for calling with the instance at hand. */
static void *function(unsigned k, u32 type)
{
	wasm_rt_funcref_table_t *functions = Z_moduleZ___indirect_function_table(&instance);
	wasm_rt_funcref_t *entry;

	if (table[k] >= functions->size)
		wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
	entry = &functions->data[table[k]];
	if (!entry->func || entry->func_type != type)
		wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
	return (void *)entry->func;
}

/*
 * The body of a hook: RESULT is what it returns, OTHERWISE what it does after a trap;
 * TYPE its parameters and results for wasm_rt_register_func_type(); CALL the call of F.
 */
#define I WASM_RT_I32
#define L WASM_RT_I64
#define TYPE(parameters, results, ...) wasm_rt_register_func_type(parameters, results, __VA_ARGS__)
#define ENTER(k, otherwise, ms, type)                                                              \
	void *f;                                                                                   \
	int code;                                                                                  \
	nic = self;                                                                                \
	ticks_begin(ms);                                                                           \
	code = wasm_rt_impl_try();                                                                 \
	if (code) {                                                                                \
		stopped(code);                                                                     \
		return otherwise;                                                                  \
	}                                                                                          \
	f = function(k, type)

enum { CALL_MS = 20, START_MS = 1000 };
#define IN Z_module_instance_t *

static int32_t hook_configure(struct anynic_draft *self_draft)
{
	struct anynic_nic *self = 0;

	draft = self_draft;
	ENTER(0, ANYNIC_INVALID, START_MS, TYPE(1, 1, I, I));
	code = (int)((u32(*)(IN, u32))f)(&instance, 1);
	draft = 0;
	return code;
}
static int32_t hook_start(struct anynic_nic *self)
{
	ENTER(1, ANYNIC_INVALID, START_MS, TYPE(1, 1, I, I));
	return (int32_t)((u32(*)(IN, u32))f)(&instance, 1);
}
static void hook_stop(struct anynic_nic *self)
{
	ENTER(2, , CALL_MS, TYPE(1, 0, I));
	((void (*)(IN, u32))f)(&instance, 1);
}
static void hook_reset(struct anynic_nic *self, uint32_t list)
{
	ENTER(3, , CALL_MS, TYPE(2, 0, I, I));
	((void (*)(IN, u32, u32))f)(&instance, 1, list);
}
static uint64_t hook_read(struct anynic_nic *self, uint32_t place, uint32_t index, uint64_t value)
{
	ENTER(4, UINT64_MAX, CALL_MS, TYPE(4, 1, I, I, I, L, L));
	return ((u64(*)(IN, u32, u32, u32, u64))f)(&instance, 1, place, index, value);
}
static uint64_t hook_write(struct anynic_nic *self, uint32_t place, uint32_t index, uint64_t value,
			   uint64_t old)
{
	ENTER(5, old, CALL_MS, TYPE(5, 1, I, I, I, L, L, L));
	return ((u64(*)(IN, u32, u32, u32, u64, u64))f)(&instance, 1, place, index, value, old);
}
static void hook_call(struct anynic_nic *self, uint32_t called, uint32_t index, uint64_t value)
{
	ENTER(6, , CALL_MS, TYPE(4, 0, I, I, I, L));
	((void (*)(IN, u32, u32, u32, u64))f)(&instance, 1, called, index, value);
}
static int32_t hook_kick(struct anynic_nic *self, uint32_t called, uint64_t value)
{
	ENTER(7, ANYNIC_OK, CALL_MS, TYPE(3, 1, I, I, L, I));
	return (int32_t)((u32(*)(IN, u32, u32, u64))f)(&instance, 1, called, value);
}
static int32_t hook_command(struct anynic_nic *self, uint32_t called, uint64_t value,
			    uint32_t ring, uint32_t queue, const void *slot, uint32_t length)
{
	ENTER(8, ANYNIC_OK, CALL_MS, TYPE(7, 1, I, I, L, I, I, I, I, I));
	if (length > SLOT_MAX)
		length = SLOT_MAX;
	memcpy(at(own + AT_SLOT, length), slot, length);
	return (int32_t)((u32(*)(IN, u32, u32, u64, u32, u32, u32, u32))f)(
		&instance, 1, called, value, ring, queue, length ? own + AT_SLOT : 0, length);
}

static void frames_in(struct anynic_frame *list, u32 count)
{
	frames = list;
	frames_count = count;
	memcpy(at(own + AT_FRAMES, count * sizeof(*list)), list, count * sizeof(*list));
}

static void frames_out(void)
{
	for (u32 i = 0; i < frames_count; i++)
		frame_at(own + AT_FRAMES + i * sizeof(struct anynic_frame));
	frames_count = 0;
}

static void hook_transmit(struct anynic_nic *self, uint32_t ring, uint32_t queue,
			  struct anynic_frame *list, uint32_t count)
{
	ENTER(9, , CALL_MS, TYPE(5, 0, I, I, I, I, I));
	frames_in(list, count < FRAMES_MAX ? count : FRAMES_MAX);
	((void (*)(IN, u32, u32, u32, u32, u32))f)(&instance, 1, ring, queue, own + AT_FRAMES,
						   frames_count);
	frames_out();
}
static void hook_receive(struct anynic_nic *self, struct anynic_frame *list, uint32_t count)
{
	ENTER(10, , CALL_MS, TYPE(3, 0, I, I, I));
	frames_in(list, count < FRAMES_MAX ? count : FRAMES_MAX);
	((void (*)(IN, u32, u32, u32))f)(&instance, 1, own + AT_FRAMES, frames_count);
	frames_out();
}
static void hook_timer(struct anynic_nic *self, uint32_t timer)
{
	ENTER(11, , CALL_MS, TYPE(2, 0, I, I));
	((void (*)(IN, u32, u32))f)(&instance, 1, timer);
}
static int32_t hook_save(struct anynic_nic *self, void *to, uint32_t room)
{
	ENTER(12, ANYNIC_INVALID, CALL_MS, TYPE(3, 1, I, I, I, I));
	if (room > STATE_MAX)
		room = STATE_MAX;
	code = (int)((u32(*)(IN, u32, u32, u32))f)(&instance, 1, own + AT_STATE, room);
	if (code > 0 && (u32)code <= room)
		memcpy(to, at(own + AT_STATE, code), code);
	return code > (int)room ? ANYNIC_INVALID : code;
}
static int32_t hook_restore(struct anynic_nic *self, const void *from, uint32_t length)
{
	ENTER(13, ANYNIC_INVALID, CALL_MS, TYPE(3, 1, I, I, I, I));
	if (length > STATE_MAX)
		return ANYNIC_INVALID;
	memcpy(at(own + AT_STATE, length), from, length);
	return (int32_t)((u32(*)(IN, u32, u32, u32))f)(&instance, 1, own + AT_STATE, length);
}

/* ---- the entry ---- */

static struct anynic_module module = {sizeof(module), ANYNIC_VERSION};

static int enter(void)
{
	u32 offset, size, head[2], words[16] = {0};
	int code;

	ticks_begin(START_MS);
	code = wasm_rt_impl_try();
	if (code)
		return 0;
	Z_module_instantiate(&instance IMPORTED);
	if (memory()->max_pages > MEMORY_PAGES)
		memory()->max_pages = MEMORY_PAGES;
	own = wasm_rt_grow_memory(memory(), OWN / 65536) * 65536;
	if (own == (u32)-1 * 65536)
		return 0;
	offset = Z_moduleZ_anynic_module(&instance, 0);
	memcpy(head, at(offset, sizeof(head)), sizeof(head));
	size = head[0];
	module.version = head[1];
	if (size % 4 || size < sizeof(head) || size > sizeof(head) + sizeof(words)) {
		module.size = size % 8 ? size : size + 1; /* whoever looks at it says what is wrong */
		return 1;
	}
	memcpy(words, at(offset + sizeof(head), size - sizeof(head)), size - sizeof(head));
	memcpy(table, words, sizeof(table));
	return 1;
}

/* When the shared object goes, so does all that it has taken. */
__attribute__((destructor)) static void leave(void)
{
	Z_module_free(&instance);
	wasm_rt_free();
}

#define HOOK(k, name)                                                                              \
	if (table[k])                                                                              \
	module.name = hook_##name

__attribute__((visibility("default"))) const struct anynic_module *
anynic_module(const struct anynic_services *given)
{
	services = given;
	wasm_rt_init();
	Z_module_init_module();
	if (!enter())
		return 0;
	HOOK(0, configure);
	HOOK(1, start);
	HOOK(2, stop);
	HOOK(3, reset);
	HOOK(4, read);
	HOOK(5, write);
	HOOK(6, call);
	HOOK(7, kick);
	HOOK(8, command);
	HOOK(9, transmit);
	HOOK(10, receive);
	HOOK(11, timer);
	HOOK(12, save);
	HOOK(13, restore);
	return &module;
}
