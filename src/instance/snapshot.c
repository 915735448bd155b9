/* SPDX-License-Identifier: Apache-2.0 */
#include "instance/snapshot.h"

#include "nic/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20, DEPTH_MAX = 4 };
static const char format[] = "anynic state 1";

/* ---- values ---- */

static bool put_number(void *context, const char *key, uint64_t *value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, *value);
	json_object_object_add(context, key, json_object_new_string(text));
	return true;
}

static bool put_bytes(void *context, const char *key, uint8_t *data, size_t length)
{
	char *text = malloc(length * 2 + 1);

	if (!text)
		return false;
	for (size_t i = 0; i < length; i++)
		snprintf(text + i * 2, 3, "%02x", data[i]);
	text[length * 2] = 0;
	json_object_object_add(context, key, json_object_new_string(text));
	free(text);
	return true;
}

static const char *text_of(json_object *object, const char *key)
{
	json_object *at;

	return json_object_object_get_ex(object, key, &at) &&
			       json_object_is_type(at, json_type_string)
		       ? json_object_get_string(at)
		       : NULL;
}

static bool get_number(void *context, const char *key, uint64_t *value)
{
	const char *text = text_of(context, key);

	if (!text || strncmp(text, "0x", 2) || strlen(text) > 18 || strlen(text) < 3 ||
	    strspn(text + 2, "0123456789abcdef") != strlen(text + 2))
		return false;
	*value = strtoull(text + 2, NULL, 16);
	return true;
}

static int digit(char letter)
{
	return letter >= '0' && letter <= '9'	? letter - '0'
	       : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
						: -1;
}

static bool get_bytes(void *context, const char *key, uint8_t *data, size_t length)
{
	const char *text = text_of(context, key);

	if (!text || strlen(text) != length * 2 || strspn(text, "0123456789abcdef") != length * 2)
		return false;
	for (size_t i = 0; i < length; i++)
		data[i] = (uint8_t)(digit(text[i * 2]) << 4 | digit(text[i * 2 + 1]));
	return true;
}

/* ---- saving ---- */

/* FRESH takes the place of a file when it is whole; "": a pipe or device, written as it is. */
static int open_fresh(const char *path, char fresh[static PATH_MAX])
{
	struct stat file;

	*fresh = 0;
	if (stat(path, &file) == 0 && !S_ISREG(file.st_mode))
		return open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (snprintf(fresh, PATH_MAX, "%s.XXXXXX", path) >= PATH_MAX) {
		*fresh = 0;
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkostemp(fresh, O_CLOEXEC);
}

static int write_all(int fd, const char *text, size_t length)
{
	ssize_t put;

	for (; length; text += put, length -= (size_t)put) {
		put = write(fd, text, length);
		if (put <= 0)
			return put ? -errno : -EIO;
	}
	return 0;
}

/* What was saved there before stays where there is no room for this. */
static int write_file(const char *path, const char *text, size_t length, struct error *err)
{
	char fresh[PATH_MAX];
	int fd = open_fresh(path, fresh), result;

	if (fd < 0)
		return error_set(err, -EINVAL, "%s: %s", path, strerror(errno));
	result = write_all(fd, text, length);
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (*fresh && result == 0 && rename(fresh, path) < 0)
		result = -errno;
	if (*fresh && result < 0)
		unlink(fresh);
	return result < 0 ? error_set(err, -EINVAL, "%s: %s", path, strerror(-result)) : 0;
}

int snapshot_save(struct nic *nic, const struct pci_function *pci, const char *card,
		  const char *path, struct error *err)
{
	json_object *file = json_object_new_object(), *values = json_object_new_object();
	struct exchange exchange = {values, false, put_number, put_bytes, err};
	uint64_t fingerprint = nic_fingerprint(nic);
	uint8_t config[PCI_CONFIG_SIZE];
	const char *text;
	size_t length;
	int result = nic_save(nic, &exchange);

	pci_config_read(pci, 0, sizeof(config), config);
	put_bytes(values, "pci.config", config, sizeof(config));
	json_object_object_add(file, "format", json_object_new_string(format));
	json_object_object_add(file, "card", json_object_new_string(card));
	put_number(file, "fingerprint", &fingerprint);
	json_object_object_add(file, "values", values);
	text = json_object_to_json_string_length(file, JSON_C_TO_STRING_PRETTY, &length);
	if (result == 0)
		result = write_file(path, text, length, err);
	json_object_put(file);
	return result;
}

/* ---- loading ---- */

static char *read_file(const char *path, size_t *length, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;
	char *text = NULL;
	ssize_t got = 0;

	if (fd < 0 || fstat(fd, &file) < 0)
		error_set(err, -EINVAL, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(file.st_mode) || file.st_size > FILE_MAX)
		error_set(err, -EINVAL, "%s: not a file of at most %d MiB", path, FILE_MAX >> 20);
	else
		text = malloc((size_t)file.st_size + 1);
	for (*length = 0; text && *length < (size_t)file.st_size; *length += (size_t)got) {
		got = read(fd, text + *length, (size_t)file.st_size - *length);
		if (got <= 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static json_object *parse_file(const char *path, struct error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	size_t length;
	char *text = read_file(path, &length, err);
	json_object *file = NULL;

	if (text && tokener) {
		file = json_tokener_parse_ex(tokener, text, (int)length);
		if (!file || json_tokener_get_error(tokener) != json_tokener_success ||
		    !json_object_is_type(file, json_type_object)) {
			json_object_put(file);
			file = NULL;
			error_set(err, -EINVAL, "%s: not the saved state of a card", path);
		}
	}
	if (tokener)
		json_tokener_free(tokener);
	free(text);
	return file;
}

static int check_file(json_object *file, const struct nic *nic, const char *card, const char *path,
		      json_object **values, struct error *err)
{
	const char *kind = text_of(file, "format"), *whose = text_of(file, "card");
	uint64_t fingerprint;

	if (!kind || strcmp(kind, format) || !whose ||
	    !get_number(file, "fingerprint", &fingerprint) ||
	    !json_object_object_get_ex(file, "values", values) ||
	    !json_object_is_type(*values, json_type_object))
		return error_set(err, -EINVAL, "%s: not the saved state of a card", path);
	if (strcmp(whose, card))
		return error_set(err, -EINVAL, "%s: state of another card, %.64s", path, whose);
	if (fingerprint != nic_fingerprint(nic))
		return error_set(err, -EINVAL, "%s: state of another description of %.64s", path,
				 whose);
	return 0;
}

int snapshot_load(struct nic *nic, struct pci_function *pci, const char *card, const char *path,
		  struct error *err)
{
	json_object *file = parse_file(path, err), *values;
	struct exchange exchange = {NULL, true, get_number, get_bytes, err};
	uint8_t config[PCI_CONFIG_SIZE];
	int result = -EINVAL;

	if (file && check_file(file, nic, card, path, &values, err) == 0) {
		exchange.context = values;
		if (!get_bytes(values, "pci.config", config, sizeof(config)))
			error_set(err, -EINVAL, "%s: pci.config: missing", path);
		else
			result = nic_load(nic, &exchange);
		/* only what a driver may write: the rest is the card's own */
		if (result == 0)
			pci_config_write(pci, 0, sizeof(config), config);
	}
	json_object_put(file);
	return result;
}
