/* What UNA, UNB, UNG, UNH, UNO and their trailers must say, in syntax 1 to 3 and in syntax 4. */
#include "edi/envelope_private.h"

#include "base/utf8.h"
#include "edi/calendar.h"
#include "edi/charset.h"

/* An element or component of a service segment. `max`: syntax 1 to 3 (0: it has none), `max4`: syntax 4. */
struct place {
	uint8_t element, component; /* component 0: the element has none */
	char requirement;           /* M; C: or the component may be missing when its composite is; 3: M before syntax 4 */
	char type;                  /* a: letters, n: digits, x: any */
	uint8_t min, max, max4;
};

static const struct place unb[] = {
	{1, 1, 'M', 'a', 4, 4, 4}, {1, 2, 'M', 'n', 1, 1, 1}, {1, 3, 'O', 'x', 1, 0, 6}, {1, 4, 'O', 'x', 1, 0, 3}, {1, 5, 'O', 'x', 2, 0, 2},
	{2, 1, 'M', 'x', 1, 35, 35}, {2, 2, 'O', 'x', 1, 4, 4}, {2, 3, 'O', 'x', 1, 14, 35}, {2, 4, 'O', 'x', 1, 0, 35},
	{3, 1, 'M', 'x', 1, 35, 35}, {3, 2, 'O', 'x', 1, 4, 4}, {3, 3, 'O', 'x', 1, 14, 35}, {3, 4, 'O', 'x', 1, 0, 35},
	{4, 1, 'M', 'n', 6, 8, 8}, {4, 2, 'M', 'n', 4, 4, 4}, {5, 0, 'M', 'x', 1, 14, 14}, {6, 1, 'C', 'x', 1, 14, 14},
	{6, 2, 'O', 'x', 2, 2, 2}, {7, 0, 'O', 'x', 1, 14, 14}, {8, 0, 'O', 'a', 1, 1, 1}, {9, 0, 'O', 'n', 1, 1, 1},
	{10, 0, 'O', 'x', 1, 35, 35}, {11, 0, 'O', 'n', 1, 1, 1}, {0}};
static const struct place ung[] = {
	{1, 0, '3', 'x', 1, 6, 6}, {2, 1, '3', 'x', 1, 35, 35}, {2, 2, 'O', 'x', 1, 4, 4}, {3, 1, '3', 'x', 1, 35, 35},
	{3, 2, 'O', 'x', 1, 4, 4}, {4, 1, '3', 'n', 6, 8, 8}, {4, 2, '3', 'n', 4, 4, 4}, {5, 0, 'M', 'x', 1, 14, 14},
	{6, 0, '3', 'x', 1, 3, 3}, {7, 1, '3', 'x', 1, 3, 3}, {7, 2, '3', 'x', 1, 3, 3}, {7, 3, 'O', 'x', 1, 6, 6}, {8, 0, 'O', 'x', 1, 14, 14}, {0}};
static const struct place unh[] = {
	{1, 0, 'M', 'x', 1, 14, 14}, {2, 1, 'M', 'x', 1, 6, 6}, {2, 2, 'M', 'x', 1, 3, 3}, {2, 3, 'M', 'x', 1, 3, 3},
	{2, 4, 'M', 'x', 1, 3, 3}, {2, 5, 'O', 'x', 1, 6, 6}, {2, 6, 'O', 'x', 1, 6, 6}, {2, 7, 'O', 'x', 1, 6, 6},
	{3, 0, 'O', 'x', 1, 35, 35}, {4, 1, 'C', 'n', 1, 2, 2}, {4, 2, 'O', 'a', 1, 1, 1}, {5, 1, 'C', 'x', 1, 14, 14},
	{5, 2, 'O', 'x', 1, 3, 3}, {5, 3, 'O', 'x', 1, 3, 3}, {5, 4, 'O', 'x', 1, 3, 3}, {6, 1, 'C', 'x', 1, 14, 14},
	{6, 2, 'O', 'x', 1, 3, 3}, {6, 3, 'O', 'x', 1, 3, 3}, {6, 4, 'O', 'x', 1, 3, 3}, {7, 1, 'C', 'x', 1, 14, 14},
	{7, 2, 'O', 'x', 1, 3, 3}, {7, 3, 'O', 'x', 1, 3, 3}, {7, 4, 'O', 'x', 1, 3, 3}, {0}};
/* Of UNO only what UNP and CONTRL need. */
static const struct place uno[] = {{1, 0, 'M', 'x', 1, 35, 35}, {2, 1, 'M', 'x', 1, 3, 3}, {2, 2, 'M', 'x', 1, 35, 35},
	{3, 1, 'M', 'x', 1, 3, 3}, {3, 4, 'O', 'x', 1, 3, 3}, {4, 1, 'M', 'n', 1, 18, 18}, {4, 4, 'O', 'x', 1, 1, 1}, {5, 4, 'O', 'x', 1, 35, 35},
	{6, 3, 'O', 'x', 1, 1, 1}, {7, 3, 'O', 'x', 1, 4, 4}, {8, 0, 'O', 'n', 1, 1, 1}, {0}};
static const struct place trailer[] = {{1, 0, 'M', 'x', 1, 10, 10}, {2, 0, 'M', 'x', 1, 14, 14}, {0}};
static const struct place unp[] = {{1, 0, 'M', 'n', 1, 18, 18}, {2, 0, 'M', 'x', 1, 35, 35}, {0}};

struct head {
	struct edi_envelope *e;
	enum edi_level level;
	const struct edi_segment *s;
};

static int bad(const struct head *h, const char *code, uint32_t element, uint32_t component, struct slice value, bool harmless,
	const char *text)
{
	return edi_envelope_report(h->e, &(struct edi_envelope_error){.level = h->level, .list = "0085", .code = code,
		.segment = edi_segment_element(h->s, 0), .element = element, .component = component, .value = value, .harmless = harmless,
		.text = text});
}

static struct slice component(const struct edi_segment *s, uint32_t element, uint32_t number)
{
	struct slice rest = edi_segment_element(s, element), part = rest;
	for (uint32_t i = 0; i < number; i++)
		part = rest.p ? edi_cut(&rest, s->delimiters->component, s->delimiters->release) : SLICE_NONE;
	return part;
}

/* The same for places in order: each component is cut once. */
struct cursor {
	uint32_t element, cut; /* components of it that were cut */
	struct slice rest;
};

static struct slice component_at(struct cursor *c, const struct edi_segment *s, const struct place *p)
{
	if (c->element != p->element)
		*c = (struct cursor){p->element, 0, edi_segment_element(s, p->element)};
	struct slice part = p->component ? SLICE_NONE : c->rest;
	for (; c->cut < p->component; c->cut++)
		part = c->rest.p ? edi_cut(&c->rest, s->delimiters->component, s->delimiters->release) : SLICE_NONE;
	return part;
}

/* Characters, not bytes: release characters do not count. */
static size_t length_of(struct slice s, const struct edi_segment *segment)
{
	size_t n = s.n;
	if (segment->flags & EDI_SEGMENT_RELEASE)
		for (size_t i = 0; i + 1 < s.n; i++)
			if (s.p[i] == segment->delimiters->release) {
				n--;
				i++;
			}
	return n;
}

static bool all_of(struct slice s, char type)
{
	if (type == 'x')
		return true;
	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9', letter = (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z');
		if ((type == 'n' && !digit) || (type == 'a' && !letter))
			return false;
	}
	return true;
}

static bool needed(const struct head *h, const struct place *p)
{
	return p->requirement == 'M' || (p->requirement == '3' && !h->e->syntax4) ||
	       (p->requirement == 'C' && edi_segment_element(h->s, p->element).n);
}

static int check_place(const struct head *h, const struct place *p, struct cursor *cursor)
{
	struct slice value = component_at(cursor, h->s, p);
	size_t max = h->e->syntax4 ? p->max4 : p->max, n = length_of(value, h->s);
	if (!n)
		return needed(h, p) ? bad(h, "13", p->element, p->component, SLICE_NONE, false, "is mandatory and missing; add it") : 0;
	if (n > max)
		return max ? bad(h, "39", p->element, p->component, value, false, "is too long")
		           : bad(h, "16", p->element, p->component, value, false, "this syntax version has no such component; leave it out");
	if (n < p->min)
		return bad(h, "40", p->element, p->component, value, false, "is too short");
	return all_of(value, p->type) ? 0 : bad(h, "37", p->element, p->component, value, false,
		p->type == 'n' ? "must be digits" : "must be letters");
}

/* More elements, or more components of an element, than there are. */
static int check_count(const struct head *h, const struct place *places)
{
	const struct place *last = places;
	for (const struct place *p = places; p->element; last = p++) {
		bool ends = p[1].element != p->element && p->element < h->s->count;
		uint32_t next = (p->component ? p->component : 1u) + 1;
		struct slice more = ends ? component(h->s, p->element, next) : SLICE_NONE;
		int rc = more.p ? bad(h, "16", p->element, next, more, false, "has more components than there are; leave them out") : 0;
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = last->element + 1u; i < h->s->count; i++)
		if (edi_segment_element(h->s, i).n)
			return bad(h, "16", i, 0, edi_segment_element(h->s, i), false, "is past the segment's last element; leave it out");
	return 0;
}

static int check_places(const struct head *h, const struct place *places)
{
	struct cursor cursor = {0};
	int rc = 0;
	for (const struct place *p = places; p->element && rc == 0; p++)
		if (p->element < h->s->count || p->requirement == 'M' || p->requirement == '3')
			rc = check_place(h, p, &cursor);
	return rc == 0 ? check_count(h, places) : rc;
}

/* S004. Six digits in syntax 4, and eight before it, are understood. */
static int check_time(const struct head *h, uint32_t element)
{
	struct slice date = component(h->s, element, 1), time = component(h->s, element, 2);
	int rc = 0;
	if ((date.n == 6 || date.n == 8) && all_of(date, 'n')) {
		if (!edi_good_date(date))
			rc = bad(h, "12", element, 1, date, false, "is not a date that exists");
		else if (date.n == 8 && !h->e->syntax4)
			rc = bad(h, "39", element, 1, date, true, "a date has six digits before syntax version 4 (YYMMDD)");
		else if (date.n == 6 && h->e->syntax4)
			rc = bad(h, "40", element, 1, date, true, "a date has eight digits in syntax version 4 (CCYYMMDD)");
	}
	if (rc == 0 && time.n == 4 && all_of(time, 'n') && !edi_good_time(time))
		rc = bad(h, "12", element, 2, time, false, "is not a time that exists (HHMM)");
	return rc;
}

static int check_syntax(const struct head *h)
{
	struct slice id = component(h->s, 1, 1), version = component(h->s, 1, 2), encoding = component(h->s, 1, 4);
	enum edi_charset set = edi_charset_of(id);
	if (version.n == 1 && (*version.p < '1' || *version.p > '4'))
		return bad(h, "2", 1, 2, version, false, "the syntax version is none of 1 to 4");
	/* airlines say IATA, Koreans KECA: the same syntax under another agency's name */
	if (id.n && set == EDI_CHARSET_NONE)
		return bad(h, "2", 1, 1, id, id.n == 4 && all_of(id, 'a') && memcmp(id.p, "UNO", 3) != 0,
			"the syntax identifier is none of UNOA to UNOL, UNOW, UNOX, UNOY; nothing is known of its characters");
	if (version.n == 1 && set && (unsigned)(*version.p - '0') < edi_charset_since(set))
		return bad(h, "2", 1, 1, id, true, "this syntax version has no such level; use a later version");
	bool other = encoding.n && !slice_is(encoding, "1") && !slice_is(encoding, "2") && !slice_is(encoding, "7");
	if (h->e->syntax4 && other)
		return bad(h, "46", 1, 4, encoding, false, "this character encoding cannot be read; send ISO 8859 or UTF-8");
	return 0;
}

/* Of all elements, in the repertoire that the first one names. */
static int check_characters(const struct head *h)
{
	enum edi_charset set = edi_charset_of(component(h->s, 1, 1));
	const unsigned char *classes = edi_charset_classes(set);
	for (uint32_t i = 2; i < h->s->count && set; i++) {
		struct slice value = edi_segment_element(h->s, i);
		bool foreign = edi_charset_is_utf8(set) && !van_utf8_valid(value);
		for (size_t k = 0; k < value.n; k++)
			foreign = foreign || (classes[(unsigned char)value.p[k]] & EDI_CHARACTER_BAD && value.p[k] != h->s->delimiters->component &&
			                      value.p[k] != h->s->delimiters->release);
		if (foreign)
			return bad(h, "21", i, 0, value, true, "holds a character that the interchange's syntax level does not have");
	}
	return 0;
}

/* Letters, digits, controls that separate nothing, and one character for two uses. */
static int check_una(const struct head *h)
{
	const char *p = h->e->advice;
	for (int i = 0; i < 6; i++) {
		bool optional = i == 3 || i == 4, used = !(optional && p[i] == ' ');
		bool alnum = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z');
		bool doubled = false;
		for (int k = 0; k < i; k++)
			doubled = doubled || (used && k != 2 && i != 2 && p[k] == p[i] && !(i == 4 && !h->e->syntax4));
		if ((alnum || doubled || (i == 2 && p[i] != '.' && p[i] != ',' && p[i] != ' ')) && !(i == 4 && !h->e->syntax4))
			return edi_envelope_report(h->e, &(struct edi_envelope_error){.level = EDI_LEVEL_INTERCHANGE, .list = "0085", .code = "20",
				.segment = SLICE("UNA"), .value = slice_make(p + i, 1), .harmless = true,
				.text = "UNA names a character that cannot serve, or one for two uses; the separators found in UNB were used"});
	}
	return 0;
}

/* Separators that nobody advised: read all the same. */
static int check_separators(const struct head *h)
{
	const struct edi_delimiters *d = h->s->delimiters;
	bool plain = d->element == '+' && d->component == ':' && d->terminator == '\'';
	bool separators = d->element == 0x1d && d->component == 0x1f && d->terminator == 0x1c;
	if (h->e->advised || plain || (separators && slice_is(component(h->s, 1, 1), "UNOB")))
		return 0;
	return bad(h, "22", 0, 0, slice_make(&d->terminator, 1), true, "its separators are not the usual ones, and no UNA says so; send UNA");
}

static int check_unb(const struct head *h)
{
	struct slice test = edi_segment_element(h->s, 11);
	int rc = h->e->advised ? check_una(h) : check_separators(h);
	if (rc == 0)
		rc = check_syntax(h);
	if (rc == 0)
		rc = check_places(h, unb);
	if (rc == 0)
		rc = check_time(h, 4);
	if (rc == 0)
		rc = check_characters(h);
	if (rc == 0 && test.n == 1 && *test.p >= '0' && *test.p <= '9' && (*test.p == '0' || *test.p > '4'))
		rc = bad(h, "12", 11, 0, test, false, "the test indicator must be 1 or left out");
	return rc;
}

/* Behind the reference, messages of an interchange begin alike: what was found good is not looked at again. */
static int check_unh_places(const struct head *h)
{
	struct edi_envelope *e = h->e;
	const struct edi_segment *s = h->s;
	struct slice rest = s->count > 2 ? slice_make(s->base + s->at[2], s->at[0] + s->length - s->at[2]) : SLICE_NONE;
	uint64_t reports = e->reports;
	struct cursor cursor = {0};
	if (rest.n && slice_eq(rest, slice_make(e->good_unh, e->good_unh_length)) && !component(s, 1, 2).p)
		return check_place(h, &unh[0], &cursor);
	int rc = check_places(h, unh);
	if (rc == 0 && e->reports == reports && rest.n <= sizeof e->good_unh) {
		memcpy(e->good_unh, rest.p, rest.n);
		e->good_unh_length = rest.n;
	}
	return rc;
}

/* Before syntax 4 a group holds messages of one type. */
static int check_unh(const struct head *h)
{
	struct edi_envelope *e = h->e;
	struct slice type = component(h->s, 2, 1);
	int rc = check_unh_places(h);
	if (rc < 0 || !e->levels[EDI_LEVEL_GROUP].real || !type.n || type.n >= sizeof e->group_type)
		return rc;
	if (!*e->group_type)
		memcpy(e->group_type, type.p, type.n);
	else if (!e->syntax4 && !slice_is(type, e->group_type) && !e->types_reported) {
		e->types_reported = true;
		return edi_envelope_report(e, &(struct edi_envelope_error){.level = EDI_LEVEL_GROUP, .list = "0085", .code = "31",
			.segment = SLICE("UNG"), .value = type, .text = "the group holds messages of more than one type; put each into its own group"});
	}
	return rc;
}

static int check_uno(const struct head *h)
{
	unsigned long long n = 0;
	struct slice length = component(h->s, 4, 1);
	h->e->object_length = length.n <= 18 && slice_u64(length, &n) ? n : 0;
	return check_places(h, uno);
}

int edi_envelope_check_edifact(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	const struct head h = {e, level, s};
	switch (level) {
	case EDI_LEVEL_INTERCHANGE: {
		struct slice version = component(s, 1, 2);
		e->syntax4 = version.n && *version.p >= '4';
		e->good_unh_length = 0;
		return check_unb(&h);
	}
	case EDI_LEVEL_GROUP: {
		memset(e->group_type, 0, sizeof e->group_type);
		e->types_reported = false;
		int rc = check_places(&h, ung);
		return rc == 0 ? check_time(&h, 4) : rc;
	}
	case EDI_LEVEL_MESSAGE: return e->package ? check_uno(&h) : check_unh(&h);
	}
	return 0;
}

int edi_envelope_check_edifact_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	const struct head h = {e, level, s};
	return check_places(&h, edi_segment_is(s, "UNP") ? unp : trailer);
}
