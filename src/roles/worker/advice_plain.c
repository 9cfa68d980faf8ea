/* What tells a sender without EDI which of its documents went to quarantine, and why: a canonical application advice, as JSON. */
#include "map/rules.h"
#include "map/tree.h"
#include "roles/worker/interchange.h"

#define KIND SLICE("application-advice")
#define VERSION SLICE("1.0")
#define REJECTED SLICE("RE") /* UNTDID 4343 */
#define VALUES 200000
#define TEXT_MAX ((size_t)64 << 20)

/* A value that is there; an error latches in the room. */
static void put(struct tree_room *room, struct tree *object, const char *name, struct slice text)
{
	struct tree *t = object && text.n ? tree_member(room, object, slice_str(name), TREE_TEXT) : NULL;
	if (t)
		t->text = text;
}

static struct tree *put_object(struct tree_room *room, struct tree *object, const char *name)
{
	return object ? tree_member(room, object, slice_str(name), TREE_OBJECT) : NULL;
}

/* A new item of the list. */
static struct tree *put_item(struct tree_room *room, struct tree *object, const char *name, enum tree_kind kind)
{
	struct tree *list = object ? tree_member(room, object, slice_str(name), TREE_ARRAY) : NULL;
	return list ? tree_append(room, list, kind) : NULL;
}

static void put_finding(struct tree_room *room, struct tree *response, const struct map_finding *f)
{
	struct tree *status = put_item(room, response, "Status", TREE_OBJECT);
	put(room, status, "ConditionCode", f->code);
	struct tree *text = put_item(room, status, "Text", TREE_TEXT);
	if (text)
		text->text = f->text.n ? f->text : f->rule;
	put(room, status, "Path", f->place.n ? van_arena_printf(room->arena, "%.*s: %.*s", SLICE_ARG(f->place), SLICE_ARG(f->value)) : f->value);
}

static void put_document(struct tree_room *room, struct tree *advice, const struct work_advice *a)
{
	struct tree *one = put_item(room, advice, "DocumentResponse", TREE_OBJECT), *response = put_object(room, one, "Response");
	put(room, response, "ResponseCode", REJECTED);
	for (const struct map_finding *f = a->findings; f; f = f->next)
		if (f->severity == MAP_RULE_ERROR)
			put_finding(room, response, f);
	struct tree *reference = put_item(room, one, "DocumentReference", TREE_OBJECT);
	put(room, reference, "ID", a->message->control_number);
	put(room, reference, "DocumentType", a->message->type);
}

static struct tree *make(struct work *w, struct tree_room *room)
{
	struct van_civil now = van_time_civil(van_clock_now() + (van_time)w->zone_offset * 60 * VAN_SECOND);
	struct tree *advice = tree_new(room, TREE_OBJECT);
	put(room, advice, "_document", SLICE("application-advice/1.0"));
	put(room, advice, "ID", w->job->from->message);
	put(room, advice, "IssueDate", van_arena_printf(room->arena, "%04d-%02d-%02d", now.year, now.month, now.day));
	put(room, advice, "IssueTime", van_arena_printf(room->arena, "%02d:%02d:%02d", now.hour, now.minute, now.second));
	struct tree *note = w->job->from->file_name.n ? put_item(room, advice, "Note", TREE_TEXT) : NULL;
	if (note)
		note->text = van_arena_printf(room->arena, "of file %.*s", SLICE_ARG(w->job->from->file_name));
	for (size_t i = 0; i < w->advices.n; i++)
		put_document(room, advice, (const struct work_advice *)w->advices.v + i);
	struct tree *envelope = put_object(room, advice, "_envelope");
	put(room, envelope, "sender", w->in->receiver);
	put(room, envelope, "receiver", w->in->sender);
	return room->error ? NULL : advice;
}

static int put_advice(struct work *w, struct slice text)
{
	struct ipc_output *o;
	int rc = work_answer(w, KIND, VERSION, &o);
	if (rc < 0)
		return rc;
	o->standard = SLICE("JSON");
	o->control_number = w->in->control_number;
	o->extension = SLICE("json");
	return work_content(w, o, text);
}

int work_advise_plain(struct work *w)
{
	struct tree_room room = {.arena = w->job->worker->arena, .left = VALUES};
	struct van_buf text = VAN_BUF_INIT(TEXT_MAX);
	const struct tree *advice = make(w, &room);
	int rc = advice ? tree_write(advice, true, &text) : room.error;
	if (rc == 0)
		rc = put_advice(w, van_buf_slice(&text));
	van_buf_free(&text);
	return rc;
}
