/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct host;
struct json_object;

/*
 * Carries out a request of the control socket; docs/control.md has them all. DONE has
 * the answer, for the time of the call: before this returns, or later.
 */
void control_answer(struct host *host, struct json_object *request,
		    void (*done)(void *context, struct json_object *answer), void *context);
void control_refuse(struct json_object *answer, const char *why);
