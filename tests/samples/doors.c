/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A function that goes on only where it is given what it asks for: what the search for inputs is
 * tried on.  Each way out has a number of its own.
 */
#include "accesses.c"

struct link { struct link *next, *prev; };
struct door { u32 number; struct link link; u32 key; };
struct request { u32 magic; unsigned short version; unsigned char kind; u32 key; };

int door_state(void);
struct door *door_find(struct door *from);
static struct link doors = { &doors, &doors };

static struct door *door_with(u32 key)
{
	struct link *at;

	for (at = doors.next; at != &doors; at = at->next) {
		struct door *door = (void *)((char *)at - __builtin_offsetof(struct door, link));

		if (door->key == key)
			return door;
	}
	return (void *)0;
}

int door_open(struct request *request, u32 command, u32 flags, u32 *to)
{
	struct door *door;
	int error = 0;

	if (request->magic != 0x4c414d50)
		return 1;
	if (request->version < 0x0102 || request->version > 0x0104)
		return 2;
	if (!(flags & 0x400))
		return 3;
	if (door_state() != 37)
		return 4;
	switch (command) {
	case 0x5700:
		return 5;
	case 0x5701:
		return door_state() + 6;
	case 0x5702:
		return 7;
	case 0x5703:
		return door_state() * 8;
	case 0x5704:
		break;
	case 0x5705:
		return door_state() - 9;
	case 0x5706:
		return 10;
	case 0x5707:
		return door_state() ^ 11;
	default:
		return 12;
	}
	door = door_with(request->key);
	if (!door)
		return 13;
	if (door_find(door))
		return 14;
	WINDOW_OPEN();
	PUT(error, door->key, to);
	WINDOW_CLOSE();
	return error;
}
