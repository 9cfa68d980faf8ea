/* The seam between form_write.c (segments to values), form_read.c (values to segments), and what JSON and XML are. */
#ifndef OPENVAN_MAP_FORM_PRIVATE_H
#define OPENVAN_MAP_FORM_PRIVATE_H

#include "base/buf.h"

#include "edi/lexer.h"
#include "edi/write.h"

#include "map/form.h"

#define FORM_SEGMENT_MAX ((size_t)16 << 20)
#define FORM_FLUSH ((size_t)64 << 10)
#define FORM_OBJECT ((size_t)48 << 10) /* of an object (UNO), bytes in one piece */

/* How a value is written: as text; with its release characters, because putting them back would not give the same bytes;
 * or as base64 of its bytes. */
enum form_kind { FORM_TEXT, FORM_RAW, FORM_BINARY };

enum form_level { FORM_ELEMENT, FORM_REPETITION, FORM_COMPONENT };

struct form_envelope {
	enum edi_standard standard;
	const char *charset;
	struct slice una; /* what stands behind "UNA", UTF-8; absent: there is none */
	struct slice element, component, repetition, release, terminator; /* UTF-8; empty: none */
};

/* --- writing ----------------------------------------------------------------------------------------------------------- */

#define FORM_CLASS_SPECIAL 1    /* needs more than copying in this form */
#define FORM_CLASS_HIGH 2       /* above ASCII */
#define FORM_CLASS_SPLIT 4      /* component or repetition separator */
#define FORM_CLASS_RELEASE 8
#define FORM_CLASS_FORBIDDEN 16 /* cannot be in the form's text */

struct form_writer;

/* What a form does. `first`: nothing stands before it in its parent. */
struct form_language {
	const char *special;        /* bytes that need more than copying, of the printable ones */
	bool controls;              /* control characters can be written */
	void (*begin)(struct form_writer *w);
	void (*end)(struct form_writer *w);
	void (*interchange)(struct form_writer *w, const struct form_envelope *e, bool first);
	void (*interchange_end)(struct form_writer *w);
	/* A segment whose elements are all plain text that can be copied. */
	void (*plain_segment)(struct form_writer *w, const struct edi_segment *s, bool first);
	/* The same where elements hold components, but no repetitions. NULL: there is no shorter way. */
	void (*split_segment)(struct form_writer *w, const struct edi_segment *s, bool first);
	/* `id` absent: it is not plain text. True when this wrote it, so that no value follows for it. */
	bool (*segment)(struct form_writer *w, struct slice id, bool first);
	void (*segment_end)(struct form_writer *w);
	/* An element that holds components or repetitions, or a repetition of one. */
	void (*group)(struct form_writer *w, enum form_level level, bool first);
	void (*group_end)(struct form_writer *w, enum form_level level);
	void (*value)(struct form_writer *w, enum form_level level, enum form_kind kind, struct slice value, bool first);
	/* A piece of an object, between segments. */
	void (*object)(struct form_writer *w, struct slice bytes, bool first);
};

extern const struct form_language form_json, form_xml;

struct form_writer {
	const struct form_language *language;
	struct form_options options;
	form_output_fn fn;
	void *ctx;
	struct edi_lexer *lexer;
	struct van_buf out, text, again;
	struct van_buf object; /* the piece in hand: what was read in any chunks is written in pieces of one size */
	enum edi_charset charset;
	bool begun, open;
	bool first_segment;
	struct edi_delimiters delimiters; /* the classes are of these */
	unsigned char classes[256], special[256];
	char una[9];
	bool has_una;
	struct form_counts counts;
	struct van_error error;
};

/* --- reading ----------------------------------------------------------------------------------------------------------- */

/* What JSON and XML readers call, in the order of the document. All return 0 or negative with b->error set. */
struct form_builder {
	struct form_options options;
	form_output_fn fn;
	void *ctx;
	struct van_buf out, bytes;
	struct edi_writer writer;
	enum edi_charset charset;
	char terminator[8];
	bool skip;          /* an interchange of the other standard */
	bool begun;         /* the segment's identifier was written */
	bool object;        /* the last was a piece of an object: a line end would belong to it when it was cut off */
	uint32_t values;    /* of the element in hand */
	struct form_counts counts;
	struct van_error error;
	uint64_t line;      /* of the document, for errors */
};

int form_build_interchange(struct form_builder *b, const struct form_envelope *e);
int form_build_segment(struct form_builder *b, struct slice id); /* absent: the first element is its identifier */
int form_build_element(struct form_builder *b);
int form_build_repetition(struct form_builder *b, bool first);
int form_build_value(struct form_builder *b, enum form_kind kind, struct slice value);
int form_build_segment_end(struct form_builder *b);
int form_build_object(struct form_builder *b, struct slice base64); /* between segments */
int form_build_interchange_end(struct form_builder *b);
int form_build_error(struct form_builder *b, enum van_err code, const char *format, ...) __attribute__((format(printf, 3, 4)));

struct form_json_reader;
struct form_json_reader *form_json_reader_new(struct form_builder *b);
void form_json_reader_free(struct form_json_reader *r);
int form_json_reader_feed(struct form_json_reader *r, struct slice chunk, bool last);
struct form_xml_reader;
struct form_xml_reader *form_xml_reader_new(struct form_builder *b);
void form_xml_reader_free(struct form_xml_reader *r);
int form_xml_reader_feed(struct form_xml_reader *r, struct slice chunk, bool last);

#endif
