/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

struct json_object;

#define ctl_usage                                                                                  \
	"commands:\n"                                                                              \
	"  list                NICs and networks\n"                                                \
	"  stats [NIC]         what was counted, on either side\n"                                 \
	"  filters NIC         what its driver wants to get\n"                                     \
	"  link NIC up|down    plug its cable in, or pull it\n"                                    \
	"  attach NIC NET      plug its cable in elsewhere\n"                                      \
	"  rate NIC off|KEY=N… limits a second: tx-bits=10M, tx-frames=, rx-bits=, rx-frames=\n" \
	"  port NIC off|WORD…  at a switch: isolated=on, spoofchk=on, vlan=N, trunk=N-M\n"       \
	"  capture NIC FILE|off  write its frames to a pcap file, from now on\n"                   \
	"  add WORDS           one more NIC; words as behind --nic of run\n"                       \
	"  remove NIC          the VM that has it is cut off\n"                                    \
	"  add-net ID=SPEC     one more network; as behind --net of run\n"                         \
	"  remove-net ID       one that no NIC is on\n"                                            \
	"  reload NIC          its description as it is now, if the driver need not notice;\n"     \
	"    --reset           or else as a reset of the card\n"                                   \
	"    --qmp PATH        or else unplug it and plug it in by QEMU's QMP socket,\n"           \
	"    --id ID           where QEMU has several: the id of the device there\n"               \
	"  save NIC FILE       all that it holds;\n"                                               \
	"    --hold            and then it stands, until it is loaded or its driver goes on\n"     \
	"  load NIC FILE       the same again\n"                                                   \
	"options:\n"                                                                               \
	"  --json              the whole answer, for programs\n"                                   \
	"paths are those of the running process\n"

/* ctl_link.c: -1 and errno */
int ctl_dial(const char *path);
/* One request, one answer; NULL: none, or not one of a card, with errno ETIMEDOUT where that is
 * why. The socket is closed. */
struct json_object *ctl_ask(int fd, struct json_object *request);
/* The same from the path on; says what is wrong, and is NULL then. */
struct json_object *ctl_request(const char *path, struct json_object *request);
/* CLI_OK, or CLI_FAILED with what the answer says is wrong told. */
int ctl_check(const char *path, struct json_object *answer);

/* ctl_reload.c: as ctl_request(), until the card is not busy; by way of QMP where that is needed.
 */
struct reload_words {
	bool reset;
	const char *qmp, *id; /* or NULL */
};
struct json_object *ctl_reload(const char *path, const char *nic, const struct reload_words *words);
