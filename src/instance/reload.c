/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A new description under a running guest. What the VM has looked at once and
 * for all (identity, BARs, capabilities with their vectors) cannot change while
 * the function is plugged in; the rest is a successor of the NIC.
 */
#include "instance/instance_internal.h"
#include "module/module.h"
#include "nic/successor.h"

#include <errno.h>
#include <string.h>

static bool bars_alike(const struct bar *a, const struct bar *b)
{
	return a->size == b->size && a->io == b->io && a->wide == b->wide &&
	       a->prefetch == b->prefetch;
}

static bool capabilities_alike(const struct capability *a, const struct capability *b)
{
	return a->kind == b->kind && a->bar == b->bar && a->wide == b->wide &&
	       a->vectors == b->vectors && a->table == b->table && a->pending == b->pending &&
	       a->at == b->at && a->length == b->length &&
	       (!a->length || !memcmp(a->bytes, b->bytes, a->length));
}

static bool config_alike(const struct card *a, const struct card *b)
{
	for (unsigned i = 0; i < a->config_parts_count && i < b->config_parts_count; i++) {
		if (a->config_parts[i].at != b->config_parts[i].at ||
		    a->config_parts[i].size != b->config_parts[i].size)
			return false;
	}
	return a->config_parts_count == b->config_parts_count;
}

static int differs(const char *what, struct error *err)
{
	return error_set(err, -EBUSY,
			 "the new description has %s, which a VM sees when the card is plugged in",
			 what);
}

static int check_function(const struct card *a, const struct card *b, struct error *err)
{
	if (a->vendor != b->vendor || a->device != b->device ||
	    a->subsystem_vendor != b->subsystem_vendor || a->subsystem != b->subsystem ||
	    a->revision != b->revision || a->class_code != b->class_code)
		return differs("another identity", err);
	if (a->interrupt_pin != b->interrupt_pin)
		return differs("another interrupt line", err);
	for (unsigned i = 0; i < PCI_REGIONS; i++) {
		if (!bars_alike(&a->bars[i], &b->bars[i]))
			return differs("other BARs", err);
	}
	if (!config_alike(a, b))
		return differs("other registers in configuration space", err);
	if (a->capabilities_count != b->capabilities_count)
		return differs("other capabilities", err);
	for (unsigned i = 0; i < a->capabilities_count; i++) {
		if (!capabilities_alike(&a->capabilities[i], &b->capabilities[i]))
			return differs("other capabilities", err);
	}
	return 0;
}

static int replace(struct instance *instance, const struct card *card, bool afresh,
		   struct error *err)
{
	struct hooks *hooks = card->module ? module_instance(card->module, err) : NULL;
	struct nic *nic;

	if (card->module && !hooks)
		return err->code;
	nic = nic_successor(instance->nic, card, hooks, afresh, err);
	if (!nic)
		return err->code;
	nic_free(instance->nic);
	instance->nic = nic;
	instance->card = card;
	return 0;
}

int instance_reload(struct instance *instance, const struct card *card, bool reset,
		    struct error *err)
{
	int result;

	nic_go_on(instance->nic); /* what it is late with goes along */
	if (!instance->connected) {
		result = replace(instance, card, true, err);
		if (result == 0)
			instance_describe_function(instance, card);
		return result < 0 ? result : RELOADED_AFRESH;
	}
	result = check_function(instance->card, card, err);
	if (result < 0)
		return result;
	result = replace(instance, card, false, err);
	if (result == 0)
		return RELOADED_CARRIED;
	if (result != -ECANCELED || !reset)
		return result;
	result = replace(instance, card, true, err);
	return result < 0 ? result : RELOADED_RESET;
}
