/* SPDX-License-Identifier: GPL-2.0-only
 *
 * One function as it stood (HOW 0) and as it might be rewritten, rightly or not.
 * What goes wrong in each is what tests/test_rig.py says of it.
 */
#include "accesses.c"

enum { STOOD, WINDOW, SWAPPED, VALUE, ARGUMENT, STACK, VARIABLE, OBJECT, OPEN, OUTSIDE, LOST };
enum { BUSY = -16, INVALID = -22 };

struct lamp { int state; unsigned char on; struct lamp *next; u32 made; };
struct order { u32 colour, light; };

int lamp_tell(struct lamp *lamp, int kind);
int lamp_order(struct order *order);
static u32 served;

int lamp_get(struct lamp *lamp, u32 *to, int kind)
{
	struct order order = { 0, 0 };
	int error = 0;

	if (!lamp->next)
		return INVALID;
	if (lamp->state != kind)
		return BUSY;
	order.colour = HOW == STACK ? lamp->made : lamp->next->made;
	order.light = lamp->made;
	if (lamp_order(&order))
		return BUSY;
	if (lamp_tell(lamp, HOW == ARGUMENT ? kind + 1 : kind) < 0)
		return INVALID;
	served += HOW == VARIABLE ? 2 : 1;
	lamp->on = HOW == OBJECT ? 2 : 1;
	if (HOW != OUTSIDE)
		WINDOW_OPEN();
	PUT(error, HOW == VALUE ? lamp->made + 1 : lamp->made, HOW == SWAPPED ? &to[1] : &to[0]);
	if (HOW == STOOD) {
		WINDOW_CLOSE();
		WINDOW_OPEN();
	}
	if (error && HOW == OPEN)
		return error;
	if (!error)
		PUT(error, order.colour, HOW == SWAPPED ? &to[0] : &to[1]);
	if (HOW != OUTSIDE)
		WINDOW_CLOSE();
	return HOW == LOST ? 0 : error;
}
