/* Business rules: rows of a sheet about canonical documents (maps/README.md says how). Compiled once, run over many documents. */
#ifndef OPENVAN_MAP_RULES_H
#define OPENVAN_MAP_RULES_H

#include "base/clock.h"
#include "map/expression.h"

struct map_rules;

enum map_severity { MAP_RULE_ERROR, MAP_RULE_WARNING, MAP_RULE_INFORMATION };
extern const char *const map_severity_names[]; /* ends with NULL */

/* `text` (CSV) is copied; all that is made lives in the arena. 0; VAN_ESYNTAX (e names sheet, row, cell and remedy); VAN_ELIMIT;
 * VAN_ENOMEM. */
int map_rules_compile(struct van_arena *arena, struct slice name, struct slice text, const struct map_rules **ret, struct van_error *e);

/* One broken rule. */
struct map_finding {
	struct map_finding *next;
	enum map_severity severity;
	struct slice sheet, rule, place, value, text, code; /* place: "OrderLine[1]", empty: the document */
	unsigned row; /* of the sheet */
};
/* A value that must not have been seen within `window` before (0: ever): whoever keeps documents decides. */
struct map_unique {
	struct map_unique *next;
	struct map_finding finding; /* to be told where it was seen; value: the key */
	van_time window;
};
struct map_findings {
	struct map_finding *first;
	struct map_unique *unique;
};

/* Runs all rows. Results live in the room's arena. `look_up` (may be NULL) is $table. 0; VAN_ESYNTAX (an expression can't be
 * computed: `e` names sheet, row and cell); VAN_ELIMIT; VAN_ENOMEM. */
int map_rules_run(const struct map_rules *r, const struct tree *document, struct tree_room *room, expression_table_fn look_up,
	void *look_up_ctx, struct map_findings *ret, struct van_error *e);

/* Each place of a document that the rows name: in `each`, as what must be there together or in order, and as what must be unique where that is no more
 * than a place. `each`: what it is within; empty: the document. */
typedef void (*map_rules_place_fn)(void *ctx, unsigned row, const char *cell, struct slice each, struct slice place);
void map_rules_places(const struct map_rules *r, map_rules_place_fn fn, void *ctx);

/* "rule NAME of rules-SHEET, row 4: TEXT (PLACE: VALUE)", in the arena. */
struct slice map_finding_text(struct van_arena *arena, const struct map_finding *f);

#endif
