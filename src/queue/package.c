#include "queue/package.h"

#include "queue/internal.h"

#define BODY SLICE(QUEUE_PACKAGE_PART)
#define FACTS SLICE("package-facts")

int queue_package_put(struct queue_work *w, struct slice message, struct slice facts, uint64_t bytes)
{
	struct queue_part body = {.kind = QUEUE_PART_FILE, .name = BODY, .bytes = bytes};
	struct queue_part said = {.kind = QUEUE_PART_INLINE, .name = FACTS, .bytes = facts.n, .content = facts};
	int rc = queue_part_put(w, message, &body);
	return rc < 0 ? rc : queue_part_put(w, message, &said);
}

int queue_package_get(struct queue_work *w, struct slice message, struct slice *ret_facts, struct queue_content *ret)
{
	struct queue_content facts;
	int rc = queue_part_open(w, message, FACTS, &facts);
	if (rc == 0)
		rc = queue_part_open(w, message, BODY, ret);
	if (rc == 0)
		*ret_facts = facts.bytes;
	return rc;
}

int queue_package_forget(struct queue_work *w, struct slice message, bool *ret_was)
{
	struct queue_part p;
	int rc = queue_part_get(w, message, BODY, &p);
	*ret_was = rc == 0;
	w->err.text[0] = 0;
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	rc = queue_part_forget(w, message, BODY);
	return rc < 0 ? rc : queue_part_forget(w, message, FACTS);
}
