/* SPDX-License-Identifier: Apache-2.0 */

/* One port of a switch in words: isolated=on,spoofchk=on,vlan=N,trunk=N-M,trunk=… */
#include "backend/switch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VLAN_MOST = 4094 };

static int flag(const char *key, const char *value, bool *place, struct error *err)
{
	*place = !strcmp(value, "on");
	return *place || !strcmp(value, "off")
		       ? 1
		       : error_set(err, -EINVAL, "%s=%s: expected on or off", key, value);
}

static bool number(const char **text, unsigned *vlan)
{
	char *end;
	unsigned long got = strtoul(*text, &end, 10);

	if (**text < '0' || **text > '9' || !got || got > VLAN_MOST)
		return false;
	*text = end;
	*vlan = (unsigned)got;
	return true;
}

static int take_vlan(struct switch_port *port, const char *value, struct error *err)
{
	const char *at = value;
	unsigned vlan;

	if (!number(&at, &vlan) || *at)
		return error_set(err, -EINVAL, "vlan=%s: expected a number from 1 to %u", value,
				 VLAN_MOST);
	port->native = true;
	port->vlan = (uint16_t)vlan;
	return 1;
}

static int take_trunk(struct switch_port *port, const char *value, struct error *err)
{
	const char *at = value;
	unsigned first, last;
	bool right = number(&at, &first);

	last = right ? first : 0;
	if (right && *at == '-') {
		at++;
		right = number(&at, &last);
	}
	if (!right || *at || last < first)
		return error_set(err, -EINVAL, "trunk=%s: expected N or N-M, from 1 to %u", value,
				 VLAN_MOST);
	port->trunk = true;
	for (; first <= last; first++)
		vlans_add(port->vlans, first);
	return 1;
}

int switch_port_word(struct switch_port *port, const char *key, const char *value,
		     struct error *err)
{
	if (!strcmp(key, "isolated"))
		return flag(key, value, &port->isolated, err);
	if (!strcmp(key, "spoofchk"))
		return flag(key, value, &port->spoofchk, err);
	if (!strcmp(key, "vlan"))
		return take_vlan(port, value, err);
	return strcmp(key, "trunk") ? 0 : take_trunk(port, value, err);
}

/* An up-link has no address of its own, and may not be isolated from itself. */
int switch_port_take(struct switch_port *port, char *spec, struct error *err)
{
	char *at = strchr(spec, ',');

	while (at) {
		char *word = at + 1, *end = strchrnul(word, ','), after = *end, *value;
		int result = 0;

		*end = 0;
		value = strchr(word, '=');
		if (value && (!strncmp(word, "vlan=", 5) || !strncmp(word, "trunk=", 6))) {
			*value = 0;
			result = switch_port_word(port, word, value + 1, err);
			*value = '=';
		}
		*end = after;
		if (result < 0)
			return result;
		if (result)
			memmove(at, end, strlen(end) + 1);
		at = strchr(result ? at : at + 1, ',');
	}
	return 0;
}

struct text {
	char *at;
	size_t room;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
	va_list words;
	int length;

	va_start(words, format);
	length = vsnprintf(text->at, text->room, format, words);
	va_end(words);
	if (length < 0 || (size_t)length >= text->room)
		length = text->room ? (int)text->room - 1 : 0;
	text->at += length;
	text->room -= (size_t)length;
}

static void say_trunk(struct text *text, const uint64_t *vlans)
{
	for (unsigned first = 1, last; first <= VLAN_MOST; first = last + 1) {
		for (last = first; last <= VLAN_MOST && vlans_have(vlans, last); last++)
			;
		if (last == first)
			continue;
		if (last - first == 1)
			say(text, ",trunk=%u", first);
		else
			say(text, ",trunk=%u-%u", first, last - 1);
	}
}

void switch_port_text(const struct switch_port *port, char *text, size_t room)
{
	struct text to = {text, room};

	*text = 0;
	if (port->isolated)
		say(&to, ",isolated=on");
	if (port->spoofchk)
		say(&to, ",spoofchk=on");
	if (port->native)
		say(&to, ",vlan=%u", port->vlan);
	if (port->trunk)
		say_trunk(&to, port->vlans);
	if (*text)
		memmove(text, text + 1, strlen(text));
}
