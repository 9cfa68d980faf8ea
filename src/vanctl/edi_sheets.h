/* The maps and flat sheets that a conversion has: those that are installed, and before them the file that --map or --sheet names. */
#ifndef OPENVAN_VANCTL_EDI_SHEETS_H
#define OPENVAN_VANCTL_EDI_SHEETS_H

#include "map/map.h"

struct flat_sheet;

struct edi_sheets {
	struct map_set *installed;
	struct map_set *own;     /* of the file; it sees the installed tables. NULL: --map or --sheet is a name, or absent */
	struct van_arena *arena; /* of the file's text */
	const struct map *named; /* the installed one of this name; NULL: there is none */
};

/* `what`: a name, or the path of a .csv or .json file; may be NULL. EDI_DONE, or a status after an error was printed. */
int edi_sheets_open(const char *what, struct edi_dictionary_set *dictionaries, struct edi_sheets *ret);
void edi_sheets_close(struct edi_sheets *s);
/* The map of that file or name that goes this way. Of a file: for this standard, and of the document (out; absent: any), type and version (absent: any) the first. */
struct edi_sheets_wanted {
	enum map_way way;
	const char *standard;
	struct slice document, type, version;
};
const struct map *edi_sheets_map(const struct edi_sheets *s, const struct edi_sheets_wanted *wanted);
/* The flat sheet `what`; NULL after an error was printed. */
const struct flat_sheet *edi_sheets_flat(const struct edi_sheets *s, const char *what);

#endif
