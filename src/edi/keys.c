/* Where business keys stand: message type, segment, element. One row for each; add rows, not code. */
#include "edi/check_private.h"

/* Sorted by type: the rows of one type stand together. */
static const struct edi_key_row x12_rows[] = {
	{"204", "B2", 4, NULL, "shipment"},
	{"210", "B3", 2, NULL, "invoice"}, {"210", "B3", 3, NULL, "shipment"},
	{"214", "B10", 2, NULL, "shipment"},
	{"810", "BIG", 2, NULL, "invoice"}, {"810", "BIG", 4, NULL, "po"},
	{"850", "BEG", 3, NULL, "po"},
	{"855", "BAK", 3, NULL, "po"},
	{"856", "BSN", 2, NULL, "shipment"}, {"856", "PRF", 1, NULL, "po"},
	{"857", "BHT", 3, NULL, "invoice"}, {"857", "PRF", 1, NULL, "po"},
	{"860", "BCH", 3, NULL, "po"},
	{"865", "BCA", 3, NULL, "po"},
	{"875", "G50", 3, NULL, "po"},
	{"880", "G01", 2, NULL, "invoice"}, {"880", "G01", 4, NULL, "po"},
	{"940", "W05", 2, NULL, "po"},
	{"943", "W06", 4, NULL, "shipment"}, {"943", "W06", 2, NULL, "po"},
	{"945", "W06", 4, NULL, "shipment"}, {"945", "W06", 2, NULL, "po"},
	{"990", "B1", 2, NULL, "shipment"},
};

static const struct edi_key_row edifact_rows[] = {
	{"APERAK", "RFF", 1, "ON", "po"}, {"APERAK", "RFF", 1, "IV", "invoice"}, {"APERAK", "RFF", 1, "AAK", "shipment"},
	{"DELJIT", "RFF", 1, "ON", "po"},
	{"DESADV", "BGM", 2, NULL, "shipment"}, {"DESADV", "RFF", 1, "ON", "po"},
	{"IFTMIN", "BGM", 2, NULL, "shipment"},
	{"IFTSTA", "RFF", 1, "CU", "shipment"}, {"IFTSTA", "CNI", 2, NULL, "shipment"},
	{"INVOIC", "BGM", 2, NULL, "invoice"}, {"INVOIC", "RFF", 1, "ON", "po"}, {"INVOIC", "RFF", 1, "AAK", "shipment"},
	{"INVOIC", "RFF", 1, "DQ", "shipment"},
	{"ORDCHG", "RFF", 1, "ON", "po"},
	{"ORDERS", "BGM", 2, NULL, "po"},
	{"ORDRSP", "RFF", 1, "ON", "po"},
	{"RECADV", "RFF", 1, "ON", "po"}, {"RECADV", "RFF", 1, "AAK", "shipment"},
	{"REMADV", "DOC", 2, NULL, "invoice"},
};

void edi_keys_begin(struct edi_checker *c)
{
	bool x12 = c->interchange->standard == EDI_X12;
	const struct edi_key_row *row = x12 ? x12_rows : edifact_rows;
	const struct edi_key_row *end = row + (x12 ? sizeof x12_rows : sizeof edifact_rows) / sizeof *row;
	while (row < end && !slice_is(c->message->type, row->type))
		row++;
	c->keys = c->keys_end = row;
	while (c->keys_end < end && slice_is(c->message->type, c->keys_end->type))
		c->keys_end++;
}

static void take(struct edi_checker *c, const char *kind, struct slice value)
{
	value = slice_trim(value);
	if (!value.n || c->key_count >= c->options.max_keys)
		return;
	for (const struct edi_key *k = c->message->keys; k; k = k->next)
		if (k->kind == kind && slice_eq(k->value, value))
			return;
	struct edi_key *k = edi_checker_alloc(c, EDI_LEVEL_MESSAGE, sizeof *k);
	if (!k)
		return;
	*k = (struct edi_key){.kind = kind, .value = edi_checker_readable(c, EDI_LEVEL_MESSAGE, value)};
	*c->key_tail = k;
	c->key_tail = &k->next;
	c->key_count++;
}

void edi_keys_segment(struct edi_checker *c, const struct edi_key_row *row, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	struct slice rest = edi_segment_element(s, row->element);
	if (!rest.p)
		return;
	struct slice value = s->standard == EDI_X12 ? rest : edi_cut(&rest, d->component, d->release);
	if (row->qualifier) {
		if (!slice_is(value, row->qualifier) || !rest.p)
			return;
		value = edi_cut(&rest, d->component, d->release);
	}
	char room[256];
	if (value.n <= sizeof room)
		take(c, row->kind, s->flags & EDI_SEGMENT_RELEASE ? edi_unescape(value, d->release, room) : value);
}
