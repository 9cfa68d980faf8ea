/* Whether input is UTF-8, in any chunking. */
#include "map/form.h"

#include "base/utf8.h"

#include <stdint.h>

static size_t ascii_run(struct slice s)
{
	size_t i = 0;
	for (uint64_t eight; i + 8 <= s.n; i += 8) {
		memcpy(&eight, s.p + i, 8);
		if (eight & 0x8080808080808080u)
			break;
	}
	while (i < s.n && !((unsigned char)s.p[i] & 0x80))
		i++;
	return i;
}

/* How many bytes the character has that begins with this one; 1 for what begins none. */
static size_t wanted(unsigned char c)
{
	return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
}

void form_guess_feed(struct form_guess *g, struct slice chunk)
{
	while (chunk.n && !g->latin) {
		if (!g->held_n) {
			size_t run = ascii_run(chunk);
			chunk = slice_make(chunk.p + run, chunk.n - run);
			if (!chunk.n)
				return;
		}
		g->held[g->held_n++] = *chunk.p;
		chunk = slice_make(chunk.p + 1, chunk.n - 1);
		if (g->held_n < wanted((unsigned char)g->held[0]))
			continue;
		g->latin = van_utf8_length(slice_make(g->held, g->held_n)) != g->held_n;
		g->held_n = 0;
	}
}

enum edi_charset form_guess_fallback(const struct form_guess *g)
{
	return g->latin || g->held_n ? EDI_CHARSET_UNOC : EDI_CHARSET_NONE;
}
