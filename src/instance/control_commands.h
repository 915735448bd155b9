/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct host;
struct json_object;

/* Carries out a request of the control socket; docs/control.md has them all. */
void control_answer(struct host *host, struct json_object *request, struct json_object *answer);
void control_refuse(struct json_object *answer, const char *why);
