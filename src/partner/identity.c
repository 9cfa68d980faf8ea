#include "partner/identity.h"

#include "base/error.h"

const char *const identity_standard_names[] = {"x12", "edifact", NULL};

static struct slice unpadded(struct slice s)
{
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static bool printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
			return false;
	return true;
}

static int fail(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return VAN_ESYNTAX;
}

/* ISA05/ISA06: a qualifier of two characters and an identifier of at most 15. UNB 0007 has up to 4, 0004 up to 35. */
static int check_parts(const struct identity *i, const char **ret_why)
{
	if (i->id.n == 0)
		return fail(ret_why, "the identifier is empty: write \"x12 ZZ:ACME\" or \"edifact 14:4399901000009\"");
	if (i->standard == IDENTITY_X12 && i->qualifier.n != 2)
		return fail(ret_why, "an X12 qualifier has two characters: write \"x12 ZZ:ACME\"");
	if (i->standard == IDENTITY_X12 && i->id.n > 15)
		return fail(ret_why, "an X12 interchange identifier has at most 15 characters");
	if (i->qualifier.n > 4)
		return fail(ret_why, "an EDIFACT qualifier has at most 4 characters");
	if (i->id.n > 35 || i->sub.n > 35)
		return fail(ret_why, "an EDIFACT identifier has at most 35 characters");
	if (!printable(i->qualifier) || !printable(i->id) || !printable(i->sub))
		return fail(ret_why, "control characters are not allowed in an identity");
	return 0;
}

int identity_parse(struct slice text, struct identity *ret, const char **ret_why)
{
	struct identity i = {.sub = SLICE_NONE};
	struct slice rest = text;
	struct slice standard = slice_cut(&rest, ' ');
	if (slice_case_is(standard, "x12"))
		i.standard = IDENTITY_X12;
	else if (slice_case_is(standard, "edifact"))
		i.standard = IDENTITY_EDIFACT;
	else
		return fail(ret_why, "an identity begins with x12 or edifact: write \"x12 ZZ:ACME\" or \"edifact 14:4399901000009\"");
	while (rest.p && rest.n && rest.p[0] == ' ')
		rest = slice_make(rest.p + 1, rest.n - 1);
	if (!rest.p || !memchr(rest.p, ':', rest.n))
		return fail(ret_why, "an identity is QUALIFIER:ID: write \"x12 ZZ:ACME\" or \"edifact 14:4399901000009\"");
	i.qualifier = unpadded(slice_cut(&rest, ':'));
	/* An X12 identifier may hold a colon; in EDIFACT it separates the internal identification. */
	i.id = unpadded(i.standard == IDENTITY_X12 ? rest : slice_cut(&rest, ':'));
	if (i.standard == IDENTITY_EDIFACT && rest.p)
		i.sub = unpadded(rest);
	if (i.sub.n == 0)
		i.sub = SLICE_NONE;
	int rc = check_parts(&i, ret_why);
	if (rc == 0)
		*ret = i;
	return rc;
}

struct slice identity_text(struct van_arena *a, enum identity_standard standard, struct slice qualifier, struct slice id,
			   struct slice sub)
{
	qualifier = unpadded(qualifier);
	id = unpadded(id);
	sub = unpadded(sub);
	if (id.n == 0 || qualifier.n + id.n + sub.n + 12 > IDENTITY_TEXT_MAX)
		return SLICE_NONE;
	return van_arena_printf(a, "%s %.*s:%.*s%s%.*s", identity_standard_names[standard], SLICE_ARG(qualifier), SLICE_ARG(id),
				sub.n ? ":" : "", SLICE_ARG(sub));
}

struct slice identity_canonical(struct van_arena *a, struct slice text)
{
	struct identity i;
	if (identity_parse(text, &i, NULL) < 0)
		return SLICE_NONE;
	return identity_text(a, i.standard, i.qualifier, i.id, i.sub);
}
