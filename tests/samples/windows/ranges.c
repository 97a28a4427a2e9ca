// SPDX-License-Identifier: GPL-2.0-only
/*
 * Range and mode: the begin covers every byte that is accessed, by the right
 * pointer and size; begin, accessors and end agree about the way.
 */
struct map_head {
	u32 version;
	u32 tiles;
};

struct map_tile {
	u64 place;
	u32 colour;
	u32 height;
};

struct map {
	struct map_head head;
	u64 north;
	struct map_tile tiles[4];
	u32 sum;
};

/* The range ends with the head. */
static int map_sum_short(u32 sum, struct map __user *map)
{
	if (!user_write_access_begin(map, sizeof(map->head)))
		return -EFAULT;
	unsafe_put_user(4, &map->head.tiles, fault);
	unsafe_put_user(sum, &map->sum, fault);		/* FINDS: short-range */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_sum(u32 sum, struct map __user *map)
{
	if (!user_write_access_begin(map, sizeof(*map)))
		return -EFAULT;
	unsafe_put_user(4, &map->head.tiles, fault);
	unsafe_put_user(sum, &map->sum, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Up to a field, and that field as well. */
static int map_north_short(u64 north, struct map __user *map)
{
	if (!user_write_access_begin(map, offsetof(struct map, north)))
		return -EFAULT;
	unsafe_put_user(1, &map->head.version, fault);
	unsafe_put_user(north, &map->north, fault);	/* FINDS: short-range */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_north(u64 north, struct map __user *map)
{
	if (!user_write_access_begin(map, offsetof(struct map, tiles)))
		return -EFAULT;
	unsafe_put_user(1, &map->head.version, fault);
	unsafe_put_user(north, &map->north, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* One field is checked, another one is read. */
static int map_tile_beside(u64 *place, const struct map_tile __user *tile)
{
	if (!user_read_access_begin(&tile->colour, sizeof(tile->colour)))
		return -EFAULT;
	unsafe_get_user(*place, &tile->place, fault);	/* FINDS: short-range */
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int map_tile(u64 *place, const struct map_tile __user *tile)
{
	if (!user_read_access_begin(&tile->place, sizeof(tile->place)))
		return -EFAULT;
	unsafe_get_user(*place, &tile->place, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* Eight bytes are read where four were checked. */
static int map_number_wide(u64 *number, const u64 __user *from)
{
	if (!user_read_access_begin(from, sizeof(u32)))
		return -EFAULT;
	unsafe_get_user(*number, from, fault);		/* FINDS: short-range */
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int map_number(u64 *number, const u64 __user *from)
{
	if (!user_read_access_begin(from, sizeof(u64)))
		return -EFAULT;
	unsafe_get_user(*number, from, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* The element behind the last one. */
static int map_pair_beyond(u32 __user *to, u32 low, u32 high)
{
	if (!user_write_access_begin(to, 2 * sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(low, &to[1], fault);
	unsafe_put_user(high, &to[2], fault);		/* FINDS: short-range */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_pair(u32 __user *to, u32 low, u32 high)
{
	if (!user_write_access_begin(to, 2 * sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(low, &to[0], fault);
	unsafe_put_user(high, &to[1], fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* More bytes are copied than were checked. */
static int map_tiles_longer(const struct map *map, struct map_tile __user *to)
{
	if (!user_write_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_copy_to_user(to, map->tiles, sizeof(map->tiles), fault);	/* FINDS: short-range */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_tiles(const struct map *map, struct map_tile __user *to)
{
	if (!user_write_access_begin(to, sizeof(map->tiles)))
		return -EFAULT;
	unsafe_copy_to_user(to, map->tiles, sizeof(map->tiles), fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* A size that is not known before it runs, for both. */
static int map_bytes(const void *from, char __user *to, size_t size)
{
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	unsafe_copy_to_user(to, from, size, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The size of the pointer: 8 bytes, or 4. */
static int map_head_pointer(const struct map *from, struct map __user *map)
{
	if (!user_write_access_begin(map, sizeof(map)))	/* FINDS: pointer-size */
		return -EFAULT;
	unsafe_put_user(from->head.version, &map->head.version, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_head(const struct map *from, struct map __user *map)
{
	if (!user_write_access_begin(map, sizeof(*map)))
		return -EFAULT;
	unsafe_put_user(from->head.version, &map->head.version, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Another pointer than that of the begin; one that is worked out from it is none. */
static int map_join_other(u64 north, struct map __user *map, struct map __user *next)
{
	if (!user_write_access_begin(map, sizeof(*map)))
		return -EFAULT;
	unsafe_put_user(north, &map->north, fault);
	unsafe_put_user(north, &next->north, fault);	/* FINDS: other-pointer */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_join(u64 north, struct map __user *map)
{
	struct map_tile __user *tile = map->tiles;
	u64 __user *at = &map->north;

	if (!user_write_access_begin(map, sizeof(*map)))
		return -EFAULT;
	unsafe_put_user(north, at, fault);
	unsafe_put_user(1, &tile->colour, fault);
	tile++;
	unsafe_put_user(2, &tile->colour, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* Through a variable of the right kind, that holds something else by now. */
static int map_walk_on(u64 north, struct map __user *map, struct map __user *next)
{
	struct map __user *at = map;

	if (!user_write_access_begin(map, sizeof(*map)))
		return -EFAULT;
	unsafe_put_user(north, &at->north, fault);
	at = next;
	unsafe_put_user(north, &at->north, fault);	/* FINDS: other-pointer */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

/* The modes. */
static int map_tile_mode_read(u32 colour, struct map_tile __user *tile)
{
	if (!user_read_access_begin(tile, sizeof(*tile)))
		return -EFAULT;
	unsafe_put_user(colour, &tile->colour, fault);	/* FINDS: wrong-mode */
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int map_tile_mode_write(struct map_tile *to, const struct map_tile __user *tile)
{
	if (!user_write_access_begin(tile, sizeof(*tile)))
		return -EFAULT;
	unsafe_copy_from_user(to, tile, sizeof(*to), fault);	/* FINDS: wrong-mode */
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

static int map_tile_mode_end(u32 colour, struct map_tile __user *tile)
{
	if (!user_write_access_begin(tile, sizeof(*tile)))
		return -EFAULT;
	unsafe_put_user(colour, &tile->colour, fault);
	user_write_access_end();
	return 0;
fault:
	user_read_access_end();				/* FINDS: wrong-end */
	return -EFAULT;
}

static int map_tile_mode_both(struct map_tile *to, struct map_tile __user *tile)
{
	if (!user_access_begin(tile, sizeof(*tile)))	/* FINDS: wider-mode */
		return -EFAULT;
	unsafe_get_user(to->colour, &tile->colour, fault);
	unsafe_get_user(to->height, &tile->height, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int map_tile_mode(struct map_tile *to, struct map_tile __user *tile)
{
	if (!user_read_access_begin(tile, sizeof(*tile)))
		return -EFAULT;
	unsafe_get_user(to->colour, &tile->colour, fault);
	unsafe_get_user(to->height, &tile->height, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}
