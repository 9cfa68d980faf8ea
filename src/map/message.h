/* One message as segments and elements, with a mark on each element that a row took. */
#ifndef OPENVAN_MAP_MESSAGE_H
#define OPENVAN_MAP_MESSAGE_H

#include "map/map.h"

#include <stdint.h>

struct map_element {
	struct slice value; /* as it came, with release characters */
	bool taken;
};

struct map_segment {
	struct map_element *elements; /* 0 is the identifier */
	uint32_t count;
	int32_t owner; /* while running: the loop instance it stands in */
};

struct map_message {
	struct map_segment *segments;
	uint32_t count;
	struct map_delimiters delimiters;
	struct van_arena *arena;
};

/* Splits the bytes. 0, VAN_ENOMEM or VAN_ELIMIT. */
int map_message_split(struct map_message *m, struct slice bytes);
/* The value of element.component (component 0: the first, or all when there is none), unescaped, without blanks at its end.
 * Absent when empty. */
struct slice map_value(struct map_message *m, const struct map_segment *s, uint32_t element, uint32_t component);

#endif
