/* SPDX-License-Identifier: Apache-2.0 */

/* An instance behind the vfio-user server, on a socket that is handed over. */
#include "machine.h"

#include "front/protocol.h"
#include "nic/nic.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct clock manual;

static struct instance *serve(struct loop *loop, const char *path, int fd, const char *net,
			      const char *capture, struct error *err)
{
	const struct instance_config config = {
		.loop = loop,
		.card = test_card("e1000"),
		.name = "nic",
		.socket_path = path,
		.fd = fd,
		.net = net,
		.capture = capture,
		.mac = {2},
	};

	return instance_new(&config, err);
}

static size_t exchange(struct loop *loop, int fd, unsigned command, const void *payload,
		       size_t length, uint8_t *answer)
{
	struct vu_header header = {1, (uint16_t)command, (uint32_t)(16 + length), 0, 0};
	ssize_t got;

	CHECK(send(fd, &header, sizeof(header), 0) == sizeof(header));
	CHECK(send(fd, payload, length, 0) == (ssize_t)length);
	loop_turn(loop, 0);
	loop_turn(loop, 0);
	got = recv(fd, answer, 512, MSG_DONTWAIT);
	return got > 0 ? (size_t)got : 0;
}

static void test_handed_over_socket(void)
{
	static const char version[] = "\0\0\0\0{}";
	const struct vu_access access = {0, VU_REGION_CONFIG, 4};
	struct error err = {0};
	struct instance *instance;
	struct json_object *stats;
	uint8_t answer[512];
	struct loop *loop;
	int fds[2];

	clock_init(&manual, true);
	loop = loop_new(&manual);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	instance = serve(loop, NULL, fds[0], "null", NULL, &err);
	CHECK(instance);
	CHECK(exchange(loop, fds[1], VU_VERSION, version, sizeof(version), answer) > 20);
	CHECK_EQUAL(exchange(loop, fds[1], VU_REGION_READ, &access, sizeof(access), answer), 36);
	CHECK(!memcmp(answer + 32, "\x86\x80\x0e\x10", 4));
	stats = instance_stats(instance);
	CHECK(strstr(json_object_to_json_string(stats), "\"requests\": 2"));
	json_object_put(stats);
	close(fds[1]);
	loop_turn(loop, 0); /* gone, and nobody else will come */
	loop_turn(loop, 0);
	machine_unplug(instance);
	loop_free(loop);
}

static void test_what_cannot_be_served(void)
{
	static char path[300];
	struct error err = {0};
	struct loop *loop;

	clock_init(&manual, true);
	loop = loop_new(&manual);
	memset(path, 'x', sizeof(path) - 1);
	CHECK(!serve(loop, path, -1, "null", NULL, &err) && *err.text);
	CHECK(!serve(loop, "/nonexistent/socket", -1, "null", NULL, &err));
	CHECK(!serve(loop, NULL, 9999, "null", NULL, &err));
	CHECK(!serve(loop, "/tmp/unit.sock", -1, "teapot", NULL, &err));
	CHECK(strstr(err.text, "teapot"));
	CHECK(!serve(loop, "/tmp/unit.sock", -1, "null", "/nonexistent/file", &err));
	loop_free(loop);
}

UNIT_FILE(front, {"handed_over_socket", test_handed_over_socket},
	  {"what_cannot_be_served", test_what_cannot_be_served});
