/* SPDX-License-Identifier: Apache-2.0 */
#include "card/draft.h"

struct node *extend(struct draft *draft, struct node *root)
{
	(void)draft;
	return root;
}
