/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/nic_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 40, FD_MAX = 1 << 20 };

static int digit(char letter)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, tolower((unsigned char)letter), 16);

	return at ? (int)(at - digits) : -1;
}

bool mac_parse(const char *text, uint8_t mac[static 6])
{
	unsigned all = 0;

	for (unsigned i = 0; i < 6; i++) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : 0))
			return false;
		all |= mac[i] = (uint8_t)(high << 4 | low);
		text += 3;
	}
	return all && !(mac[0] & 1);
}

void mac_make(const char *card, const char *place, uint8_t mac[static 6])
{
	const char *const texts[] = {card, place};
	uint64_t hash = 0xcbf29ce484222325u;

	for (unsigned i = 0; i < 2; i++) {
		for (const char *at = texts[i]; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	}
	memcpy(mac, &hash, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

bool id_right(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t length = strlen(text);

	return length && length <= ID_MAX && strspn(text, letters) == length;
}

static int fd_parse(struct nic_spec *spec, const char *value, struct error *err)
{
	char *end;
	long fd = strtol(value, &end, 10);

	if (*end || !isdigit((unsigned char)*value) || fd > FD_MAX)
		return error_set(err, -EINVAL, "--nic: fd=%s: expected a number", value);
	spec->fd = (int)fd;
	return 0;
}

static int word_set(struct nic_spec *spec, const char *key, const char *value, struct error *err)
{
	const struct {
		const char *key;
		const char **place;
	} texts[] = {
		{"socket", &spec->socket_path}, {"net", &spec->net},	 {"name", &spec->name},
		{"capture", &spec->capture},	{"trace", &spec->trace},
	};

	if (!value || !*value)
		return error_set(err, -EINVAL, "--nic: %s= wants a value", key);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!strcmp(texts[i].key, key)) {
			*texts[i].place = value;
			return 0;
		}
	}
	if (!strcmp(key, "fd"))
		return fd_parse(spec, value, err);
	if (strcmp(key, "mac"))
		return error_set(
			err, -EINVAL,
			"--nic: no option \"%s\"; there is: socket fd net mac name capture trace",
			key);
	spec->mac_given = mac_parse(value, spec->mac);
	if (!spec->mac_given)
		return error_set(err, -EINVAL,
				 "--nic: mac=%s: expected six bytes as in 02:00:00:00:00:01, "
				 "not a group address nor all zero",
				 value);
	return 0;
}

static int words_read(struct nic_spec *spec, struct error *err)
{
	char *rest = spec->text, *word;
	int result = 0;

	spec->card = strsep(&rest, ",");
	if (!*spec->card || (strchr(spec->card, '=') && strncmp(spec->card, "like=", 5)))
		return error_set(err, -EINVAL, "--nic %s: a CARD comes first", spec->card);
	while (result == 0 && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		result = word_set(spec, word, value, err);
	}
	if (result == 0 && spec->name && !id_right(spec->name))
		result = error_set(err, -EINVAL, "--nic: name=%s: expected letters and digits",
				   spec->name);
	return result;
}

int nic_spec_parse(struct nic_spec *spec, const char *text, struct error *err)
{
	int result;

	*spec = (struct nic_spec){.text = strdup(text), .fd = -1};
	if (!spec->text)
		return error_set(err, -ENOMEM, "no memory");
	result = words_read(spec, err);
	if (result < 0)
		nic_spec_free(spec);
	return result;
}

void nic_spec_free(struct nic_spec *spec)
{
	free(spec->text);
	*spec = (struct nic_spec){.fd = -1};
}
