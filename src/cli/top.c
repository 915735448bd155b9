/* SPDX-License-Identifier: Apache-2.0 */

/* NICs at work: what changed between two looks at their statistics. */
#include "cli/cli.h"
#include "cli/ctl.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static json_object *at(json_object *object, const char *key)
{
	json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

static double count_of(json_object *nic, const char *group, const char *name)
{
	return json_object_get_double(at(at(nic, group), name));
}

struct look { /* of one NIC, at the end of some time and at its beginning */
	json_object *now, *before;
	double seconds;
};

static double more(const struct look *look, const char *group, const char *name)
{
	return count_of(look->now, group, name) - count_of(look->before, group, name);
}

/* In four figures at most: 0, 37, 1.50k, 820M. */
static const char *amount(double value, char *text, size_t room)
{
	static const char units[] = " kMGTP";
	unsigned unit = 0;

	for (; value >= 999.5 && unit + 2 < sizeof(units); unit++)
		value /= 1000;
	if (!unit)
		snprintf(text, room, "%.0f", value);
	else
		snprintf(text, room, "%.*f%c",
			 value < 9.995	 ? 2
			 : value < 99.95 ? 1
					 : 0,
			 value, units[unit]);
	return text;
}

static void print_rate(const struct look *look, const char *group, const char *name, double times)
{
	char text[32];

	printf(" %7s", amount(more(look, group, name) * times / look->seconds, text, sizeof(text)));
}

static void print_rings(json_object *rings)
{
	if (!rings)
		return;
	json_object_object_foreach(rings, name, ring)
	{
		int64_t entries = json_object_get_int64(at(ring, "entries"));

		printf("  %s", name);
		if (!strcmp(json_object_get_string(at(ring, "state")) ?: "", "stopped"))
			printf(" stopped");
		else if (entries)
			printf(" %s/%lld", json_object_get_string(at(ring, "ready")),
			       (long long)entries);
		else
			printf(" %s", json_object_get_string(at(ring, "ready")));
	}
}

static bool is_loss(const char *name)
{
	static const char *const losses[] = {"rx_filtered",  "rx_no_room",   "rx_stopped",
					     "rx_too_long",  "rx_too_short", "rx_malformed",
					     "rx_lost",	     "rx_unplugged", "tx_unplugged",
					     "tx_malformed", "tx_faults"};

	for (unsigned i = 0; i < sizeof(losses) / sizeof(*losses); i++) {
		if (!strcmp(losses[i], name))
			return true;
	}
	return false;
}

/* In this time, by reason: the card's own, and the host's. */
static void print_drops(const struct look *look)
{
	static const char *const groups[] = {"guest", "host_drops"};
	bool any = false;
	char text[32];

	for (unsigned i = 0; i < 2; i++) {
		json_object *group = at(look->now, groups[i]);

		if (!group)
			continue;
		json_object_object_foreach(group, name, value)
		{
			double lost = more(look, groups[i], name);

			(void)value;
			if (lost <= 0 || (i == 0 && !is_loss(name)))
				continue;
			printf("%s %s%s %s", any ? "," : "            dropped:", i ? "host " : "",
			       name, amount(lost, text, sizeof(text)));
			any = true;
		}
	}
	if (any)
		putchar('\n');
}

static void print_nic(const char *name, const struct look *look)
{
	printf("%-12s", name);
	print_rate(look, "guest", "tx_frames", 1);
	print_rate(look, "guest", "tx_bytes", 8);
	print_rate(look, "guest", "rx_frames", 1);
	print_rate(look, "guest", "rx_bytes", 8);
	print_rate(look, "guest", "interrupts", 1);
	print_rings(at(look->now, "rings"));
	putchar('\n');
	print_drops(look);
}

static void print_all(json_object *stats, json_object *before, double seconds)
{
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	printf("%-12s %7s %7s %7s %7s %7s  %s\n", "a second", "out", "bits", "in", "bits", "irqs",
	       "rings: ready");
	json_object_object_foreach(stats, name, nic)
	{
		struct look look = {nic, at(before, name), seconds};

		if (look.before) /* else it has just come */
			print_nic(name, &look);
	}
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
	fflush(stdout);
}

/* NULL: the mistake has been told. */
static json_object *ask(const char *path)
{
	json_object *request = json_object_new_object(), *answer, *stats = NULL;

	json_object_object_add(request, "command", json_object_new_string("stats"));
	json_object_object_add(request, "each", json_object_new_boolean(true));
	answer = ctl_request(path, request);
	json_object_put(request);
	if (answer && ctl_check(path, answer) == CLI_OK)
		stats = json_object_get(at(answer, "stats"));
	json_object_put(answer);
	return stats;
}

static void pause_for(double seconds)
{
	struct timespec left = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};

	nanosleep(&left, NULL);
}

static int watch(const char *path, double interval, long count)
{
	json_object *before = ask(path), *stats;
	double then = now(), time;

	for (long i = 0; before && (!count || i < count); i++) {
		pause_for(interval);
		stats = ask(path);
		time = now();
		if (stats)
			print_all(stats, before, time - then);
		json_object_put(before);
		before = stats;
		then = time;
	}
	if (!before)
		return CLI_FAILED;
	json_object_put(before);
	return CLI_OK;
}

static bool number(const char *text, double least, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return *text && !*end && *value >= least && *value <= most;
}

int top_main(int argc, char **argv)
{
	static const struct option names[] = {
		{"interval", required_argument, NULL, 'i'},
		{"count", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	double interval = 1, count = 0;
	int name;

	while ((name = cli_option(argc, argv, "", names)) != -1) {
		if (name == 'i' && !number(optarg, 0.05, 3600, &interval))
			return cli_wrong("top", "--interval %s: expected seconds", optarg);
		if (name == 'c' && !number(optarg, 1, 1e9, &count))
			return cli_wrong("top", "--count %s: expected a number", optarg);
		if (name != 'i' && name != 'c')
			return CLI_USAGE;
	}
	if (argc - optind != 1)
		return cli_wrong("top", argc == optind ? "which SOCKET?" : "expected one SOCKET");
	return watch(argv[optind], interval, (long)count);
}
