/* The header tokenizer against any bytes: no crash, bounds kept, values without line ends and blanks around; what was read,
 * written out again, reads the same. Values are read as structured ones, as AS2 names and as file names. */
#include "as2/request.h"
#include "mime/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void look_at_value(struct slice value, struct van_arena *arena)
{
	struct mime_value v;
	struct slice id;
	char name[64];
	check(!value.n || (!blank(value.p[0]) && !blank(value.p[value.n - 1])));
	if (mime_value_parse(value, arena, &v) == 0) {
		check(v.nparams <= MIME_PARAMS_MAX);
		for (size_t i = 0; i < v.nparams; i++) {
			check(v.params[i].value.n <= value.n);
			mime_safe_file_name(name, sizeof name, v.params[i].value);
			check(!strchr(name, '/') && !strchr(name, '\\') && name[0] != '.');
		}
	}
	if (as2_id_parse(value, arena, &id) == 0) {
		struct van_buf again = VAN_BUF_INIT(0);
		struct slice back;
		check(id.n >= 1 && id.n <= AS2_ID_MAX && as2_id_write(&again, id) == 0);
		check(as2_id_parse(van_buf_slice(&again), arena, &back) != 0 || slice_eq(back, slice_trim(id)) || slice_eq(back, id));
		van_buf_free(&again);
	}
}

static void look_again(const struct mime_headers *h, struct van_arena *arena)
{
	struct van_buf text = VAN_BUF_INIT(0);
	struct mime_headers again;
	for (size_t i = 0; i < h->n; i++) {
		van_buf_append_slice(&text, h->v[i].name);
		van_buf_append_str(&text, ": ");
		van_buf_append_slice(&text, h->v[i].value);
		van_buf_append_str(&text, "\r\n");
	}
	struct slice s = van_buf_slice(&text);
	if (mime_headers_parse(s, arena, &again, NULL) == 0) {
		check(again.n == h->n);
		for (size_t i = 0; i < h->n; i++)
			check(slice_eq(again.v[i].name, h->v[i].name) && slice_eq(again.v[i].value, h->v[i].value));
	}
	van_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 17)
		return 0;
	struct slice in = slice_make(data, size);
	struct van_arena *arena = van_arena_new((size_t)32 << 20);
	struct mime_headers h;
	size_t end = mime_headers_end(in);
	check(end <= in.n);
	if (mime_headers_parse(in, arena, &h, NULL) == 0) {
		check(h.n <= MIME_HEADERS_MAX);
		for (size_t i = 0; i < h.n; i++)
			look_at_value(h.v[i].value, arena);
		if (h.n)
			check(mime_header_count(&h, "x-none") <= h.n);
		look_again(&h, arena);
	}
	van_arena_free(arena);
	return 0;
}
