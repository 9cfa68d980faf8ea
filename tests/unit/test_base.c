/* base: buffers, slices, time, identifiers, codecs, records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/record.h"

static void buffer_latches_its_maximum(void **state)
{
	(void)state;
	struct van_buf b = VAN_BUF_INIT(8);
	assert_int_equal(van_buf_append_str(&b, "12345678"), 0);
	assert_int_equal(van_buf_append_str(&b, "9"), VAN_ELIMIT);
	assert_int_equal(van_buf_append_str(&b, ""), VAN_ELIMIT);
	assert_int_equal(b.n, 8);
	van_buf_free(&b);
}

/* What standard error has got since the last look, in a buffer of its own. */
static const char *logged(int fd)
{
	static char text[65536];
	ssize_t n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void log_lines_are_held(void **state)
{
	(void)state;
	int pipes[2], real = dup(STDERR_FILENO);
	assert_true(real >= 0 && pipe2(pipes, O_NONBLOCK) == 0 && dup2(pipes[1], STDERR_FILENO) >= 0);
	log_hold(true);
	log_event(LOG_LEVEL_INFO, "first", NULL);
	log_event(LOG_LEVEL_INFO, "second", NULL);
	assert_string_equal(logged(pipes[0]), "");
	log_flush();
	const char *text = logged(pipes[0]);
	assert_true(strstr(text, "event=first\n") && strstr(text, "event=second\n") && strstr(text, "first") < strstr(text, "second"));
	log_event(LOG_LEVEL_INFO, "third", NULL);
	log_event(LOG_LEVEL_WARNING, "fourth", NULL); /* comes at once, and what was before it */
	text = logged(pipes[0]);
	assert_true(strstr(text, "event=third\n") && strstr(text, "event=fourth\n") && strstr(text, "third") < strstr(text, "fourth"));
	for (int i = 0; i < 1000; i++)
		log_event(LOG_LEVEL_INFO, "one-of-many", NULL);
	assert_true(strlen(logged(pipes[0])) > 16384); /* no more than so much is kept */
	log_hold(false);
	logged(pipes[0]);
	log_event(LOG_LEVEL_INFO, "last", NULL);
	assert_non_null(strstr(logged(pipes[0]), "event=last\n"));
	dup2(real, STDERR_FILENO);
	close(real);
	close(pipes[0]);
	close(pipes[1]);
}

static void *log_much(void *arg)
{
	for (unsigned long long i = 0; i < 16; i++)
		assert_non_null(log_u64(i));
	return arg;
}

/* The store's threads write lines at the same time. */
static void numbers_of_one_thread_stay(void **state)
{
	const char *mine = log_u64(4711);
	pthread_t other;
	(void)state;
	assert_int_equal(pthread_create(&other, NULL, log_much, NULL), 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_string_equal(mine, "4711");
}

static void times_round_trip(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"2026-02-28T23:59:59Z", "2026-02-28T23:59:59.000000Z"},
		{"2024-02-29T12:00:00.25+02:00", "2024-02-29T10:00:00.250000Z"},
		{"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
		{"2026-01-01", "2026-01-01T00:00:00.000000Z"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		van_time t;
		char text[VAN_TIME_TEXT];
		assert_int_equal(van_time_parse(slice_str(cases[i].in), &t), 0);
		assert_string_equal(van_time_rfc3339(text, t), cases[i].out);
	}
	static const char *const bad[] = {"", "2026", "2026-02-29", "2026-13-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00",
					  "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		van_time t;
		assert_int_equal(van_time_parse(slice_str(bad[i]), &t), VAN_ESYNTAX);
	}
}

static void ids_rise(void **state)
{
	(void)state;
	struct van_id last = van_id_new(1000000);
	for (int i = 0; i < 10000; i++) {
		struct van_id next = van_id_new(1000000 + i / 100);
		assert_true(van_id_valid(slice_str(next.text)));
		assert_true(strcmp(last.text, next.text) < 0);
		last = next;
	}
}

/* Small requests come from a reserve: a child that was forked in the middle of one gets bytes of its own. */
static void forks_have_their_own_randomness(void **state)
{
	(void)state;
	char first[16], mine[16], its[16];
	int pipes[2];
	van_random(first, sizeof first);
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		van_random(its, sizeof its);
		_exit(write(pipes[1], its, sizeof its) != sizeof its);
	}
	van_random(mine, sizeof mine);
	assert_int_equal(read(pipes[0], its, sizeof its), sizeof its);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_memory_not_equal(mine, its, sizeof mine);
	assert_memory_not_equal(mine, first, sizeof mine);
	close(pipes[0]);
	close(pipes[1]);
}

static void base64_round_trips(void **state)
{
	(void)state;
	for (size_t n = 0; n < 200; n++) {
		char raw[200];
		van_random(raw, sizeof raw);
		struct van_buf text = VAN_BUF_INIT(0), back = VAN_BUF_INIT(0);
		assert_int_equal(base64_encode(&text, raw, n, n % 2 ? 64 : 0), 0);
		assert_int_equal(base64_decode(&back, van_buf_slice(&text)), 0);
		assert_int_equal(back.n, n);
		assert_memory_equal(van_buf_slice(&back).p, raw, n);
		van_buf_free(&text);
		van_buf_free(&back);
	}
	static const char *const bad[] = {"A", "AA=", "AAA==", "A===", "AA=A", "AA*A"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct van_buf back = VAN_BUF_INIT(0);
		assert_int_equal(base64_decode(&back, slice_str(bad[i])), VAN_ESYNTAX);
		van_buf_free(&back);
	}
}

struct inner {
	struct slice name;
	uint64_t count;
};
struct outer {
	uint64_t n;
	bool flag;
	uint32_t colour;
	van_time at;
	struct slice text, none, hash;
	struct slice_list words;
	struct inner *one;
	struct record_list many;
};
static const char *const colours[] = {"red", "green", NULL};
static const struct record_field inner_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct inner, name),
	RECORD_FIELD(2, RECORD_U64, struct inner, count),
	RECORD_END,
};
static const struct record_table inner_table = {"inner", 1, sizeof(struct inner), inner_fields};
static const struct record_field outer_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct outer, n),
	RECORD_FIELD(2, RECORD_BOOL, struct outer, flag),
	RECORD_FIELD_ENUM(3, struct outer, colour, colours),
	RECORD_FIELD(4, RECORD_TIME, struct outer, at),
	RECORD_FIELD(5, RECORD_TEXT, struct outer, text),
	RECORD_FIELD(6, RECORD_TEXT, struct outer, none),
	RECORD_FIELD(7, RECORD_BYTES, struct outer, hash),
	RECORD_FIELD(8, RECORD_TEXTS, struct outer, words),
	RECORD_FIELD_SUB(9, RECORD_ONE, struct outer, one, &inner_table),
	RECORD_FIELD_SUB(10, RECORD_MANY, struct outer, many, &inner_table),
	RECORD_END,
};
static const struct record_table outer_table = {"outer", 3, sizeof(struct outer), outer_fields};

static void records_round_trip(void **state)
{
	(void)state;
	struct inner inners[2] = {{SLICE("a"), 1}, {SLICE("b\n\"\xff"), UINT64_MAX}};
	struct slice words[2] = {SLICE("x"), SLICE("")};
	struct outer in = {.n = 300, .flag = true, .colour = 1, .at = 1, .text = SLICE("t"), .hash = SLICE("\x01\xff"),
			   .words = {words, 2}, .one = &inners[0], .many = {inners, 2}};
	struct van_buf bytes = VAN_BUF_INIT(0), json = VAN_BUF_INIT(0);
	assert_int_equal(record_encode(&outer_table, &in, &bytes), 0);
	struct van_arena *arena = van_arena_new(0);
	struct outer out;
	assert_int_equal(record_decode(&outer_table, van_buf_slice(&bytes), arena, &out), 0);
	assert_int_equal(record_to_json(&outer_table, &out, &json), 0);
	van_buf_append_char(&json, 0);
	assert_string_equal(json.p, "{\"n\":300,\"flag\":true,\"colour\":\"green\",\"at\":\"1970-01-01T00:00:00.000001Z\","
				    "\"text\":\"t\",\"none\":null,\"hash\":\"01ff\",\"words\":[\"x\",\"\"],"
				    "\"one\":{\"name\":\"a\",\"count\":1},\"many\":[{\"name\":\"a\",\"count\":1},"
				    "{\"name\":\"b\\n\\\"\xef\xbf\xbd\",\"count\":18446744073709551615}]}");
	/* every truncation is either refused or decodes to fewer fields; never a read past the end */
	for (size_t n = 0; n < bytes.n; n++)
		record_decode(&outer_table, slice_make(bytes.p, n), arena, &out);
	bytes.p[0] = 9;
	assert_int_equal(record_decode(&outer_table, van_buf_slice(&bytes), arena, &out), VAN_EVERSION);
	van_arena_free(arena);
	van_buf_free(&bytes);
	van_buf_free(&json);
}

/* Every length, so that what is printed ends before, at and behind the end of the room there is. */
static void printf_fits_any_room(void **state)
{
	(void)state;
	struct van_buf b = VAN_BUF_INIT(1 << 20), small = VAN_BUF_INIT(10);
	struct van_arena *a = van_arena_new(1 << 20);
	struct slice last = SLICE_NONE;
	char filler[400];
	memset(filler, 'x', sizeof filler);
	for (int n = 0; n < 400; n++) {
		size_t before = b.n;
		assert_int_equal(van_buf_printf(&b, "<%.*s>", n, filler), 0);
		assert_int_equal(b.n, before + (size_t)n + 2);
		assert_true(b.p[before] == '<' && b.p[b.n - 1] == '>');
		struct slice s = van_arena_printf(a, "<%.*s>", n, filler);
		assert_int_equal(s.n, (size_t)n + 2);
		assert_true(s.p[0] == '<' && s.p[s.n - 1] == '>' && s.p[s.n] == 0);
		assert_true(!last.p || (last.p[last.n - 1] == '>' && last.p[last.n] == 0)); /* not written over */
		last = s;
	}
	assert_int_equal(van_buf_printf(&small, "%s", "1234567890"), VAN_ELIMIT); /* with the NUL it would not fit */
	van_buf_free(&b);
	van_buf_free(&small);
	van_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_latches_its_maximum), cmocka_unit_test(times_round_trip), cmocka_unit_test(log_lines_are_held), cmocka_unit_test(ids_rise),
		cmocka_unit_test(numbers_of_one_thread_stay),
		cmocka_unit_test(forks_have_their_own_randomness),
		cmocka_unit_test(base64_round_trips),         cmocka_unit_test(records_round_trip), cmocka_unit_test(printf_fits_any_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
