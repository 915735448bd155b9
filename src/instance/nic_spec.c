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

/* Digits, and k, M or G for thousands, millions, or thousands of these. */
static bool amount_parse(const char *text, uint64_t *amount)
{
	static const char units[] = "kMG";
	const char *unit;
	uint64_t times = 1;
	char *end;

	errno = 0;
	*amount = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	for (size_t i = 0; unit && i <= (size_t)(unit - units); i++)
		times *= 1000;
	end += unit != NULL;
	return !*end && !__builtin_mul_overflow(*amount, times, amount);
}

static const char *const rate_keys[] = {"tx-bits", "tx-frames", "rx-bits", "rx-frames"};

enum { RATE_KEYS = sizeof(rate_keys) / sizeof(*rate_keys) };

static int rate_key(const char *key)
{
	for (int i = 0; i < RATE_KEYS; i++) {
		if (!strcmp(rate_keys[i], key))
			return i;
	}
	return -1;
}

bool rate_parse(const char *key, const char *text, uint64_t *rate)
{
	return rate_key(key) >= 0 && amount_parse(text, rate);
}

static int rate_set_word(struct nic_spec *spec, const char *key, const char *value,
			 struct error *err)
{
	uint64_t *const places[RATE_KEYS] = {&spec->limits.tx_bits, &spec->limits.tx_frames,
					     &spec->limits.rx_bits, &spec->limits.rx_frames};
	uint64_t rate;

	if (!rate_parse(key, value, &rate))
		return error_set(err, -EINVAL,
				 "--nic: rate-%s=%s: expected rate-tx-bits, rate-tx-frames, "
				 "rate-rx-bits or rate-rx-frames and a number a second, as in 10M",
				 key, value);
	*places[rate_key(key)] = rate;
	return 0;
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

static int mac_set(struct nic_spec *spec, const char *value, struct error *err)
{
	spec->mac_given = mac_parse(value, spec->mac);
	if (!spec->mac_given)
		return error_set(err, -EINVAL,
				 "--nic: mac=%s: expected six bytes as in 02:00:00:00:00:01, "
				 "not a group address nor all zero",
				 value);
	return 0;
}

/* What is left are the words of a switch's port. */
static int port_word_set(struct nic_spec *spec, const char *key, const char *value,
			 struct error *err)
{
	int known = switch_port_word(&spec->port, key, value, err);

	if (known)
		return known < 0 ? known : 0;
	return error_set(err, -EINVAL,
			 "--nic: no option \"%s\"; there is: socket fd net mac name capture trace "
			 "rate-… isolated spoofchk vlan trunk",
			 key);
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
	if (!strncmp(key, "rate-", 5))
		return rate_set_word(spec, key + 5, value, err);
	return strcmp(key, "mac") ? port_word_set(spec, key, value, err)
				  : mac_set(spec, value, err);
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
