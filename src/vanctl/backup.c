/* vanctl backup: vand streams a copy of its data folder as of one moment (ipc/copy_stream.h); this end writes it, so that the folder is
 * whoever's runs vanctl, and adds configuration and keys, which vand's store can't read. */
#include "vanctl/backup.h"

#include "base/error.h"
#include "base/fdio.h"
#include "ipc/channel.h"
#include "ipc/copy_stream.h"
#include "partner/settings.h"
#include "vanctl/client.h"
#include "vanctl/print.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

int backup_file_end(struct backup_making *b, const char *path)
{
	char hash[COPY_HASH_TEXT];
	int status = copy_file_end(b->to, hash);
	if (!status && fprintf(b->sums, "%s  %s\n", hash, path) < 0)
		status = ctl_fail(CTL_USAGE, "%s.part/" BACKUP_SUMS ": %s; free space there", b->c->args[0], strerror(errno));
	return status;
}

/* --- what vand streams ---------------------------------------------------------------------------------------------------------------- */

struct stream {
	struct backup_making *b;
	char path[sizeof "data/" + COPY_PATH_MAX]; /* of the file at hand; empty: none */
	char piece[COPY_FRAME_MAX];
};

static int end_file(struct stream *s)
{
	int status = s->path[0] ? backup_file_end(s->b, s->path) : CTL_DONE;
	s->path[0] = 0;
	return status;
}

static int begin_file(struct stream *s, uint32_t n)
{
	int status = end_file(s);
	if (status)
		return status;
	snprintf(s->path, sizeof s->path, "data/%.*s", (int)n, s->piece);
	return copy_file_begin(s->b->to, s->path, 0600);
}

static int note_missing(struct stream *s, uint32_t n)
{
	char path[COPY_PATH_MAX + 1];
	snprintf(path, sizeof path, "%.*s", (int)n, s->piece);
	return json_array_append_new(s->b->missing, json_string(path)) ? ctl_fail(CTL_USAGE, "out of memory") : CTL_DONE;
}

static int not_understood(void)
{
	return ctl_fail(CTL_USAGE, "what vand sends is not understood; is it of the same version as vanctl?");
}

static int take(struct stream *s, const struct copy_header *h)
{
	switch (h->kind) {
	case COPY_FILE: return h->length <= COPY_PATH_MAX ? begin_file(s, h->length) : not_understood();
	case COPY_DATA: return s->path[0] ? copy_file_write(s->b->to, s->piece, h->length) : not_understood();
	case COPY_MISSING: return h->length <= COPY_PATH_MAX ? note_missing(s, h->length) : not_understood();
	case COPY_END: return end_file(s);
	default: return not_understood();
	}
}

/* Until COPY_END. *ret_broken: the stream ended before it; vand's answer says why. */
static int read_stream(struct backup_making *b, int from, bool *ret_broken)
{
	struct stream *s = calloc(1, sizeof *s);
	struct copy_header h = {0};
	int status = s ? CTL_DONE : ctl_fail(CTL_USAGE, "out of memory");
	*ret_broken = false;
	while (!status && h.kind != COPY_END) {
		s->b = b;
		*ret_broken = fd_read_all(from, &h, sizeof h) < 0;
		if (!*ret_broken && h.length > COPY_FRAME_MAX)
			status = not_understood();
		else if (!*ret_broken)
			*ret_broken = fd_read_all(from, s->piece, h.length) < 0;
		if (*ret_broken)
			break;
		if (!status)
			status = take(s, &h);
	}
	free(s);
	return status;
}

static int copy_data(struct backup_making *b, json_t **ret_answer)
{
	struct ipc_channel *ch;
	int ends[2];
	bool broken = false;
	if (pipe2(ends, O_CLOEXEC))
		return ctl_fail(CTL_USAGE, "no pipe could be made: %s", strerror(errno));
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* a smaller one only costs more wake-ups */
	int status = client_begin(b->c, "backup", NULL, ends[1], &ch);
	close(ends[1]); /* vand has the only one: when it ends, so does the stream */
	bool asked = !status;
	if (asked)
		status = read_stream(b, ends[0], &broken);
	close(ends[0]);
	if (asked && status)
		ipc_channel_free(ch);
	else if (asked)
		status = client_finish(ch, ret_answer, NULL);
	if (!status && broken)
		status = ctl_fail(CTL_USAGE, "vand ended before the copy was complete; look at its log and try again");
	return status;
}

/* --- what it is ------------------------------------------------------------------------------------------------------------------------- */

/* The user whom the data folder belongs to, by name: another machine has other numbers. */
static json_t *owner_of(const char *data)
{
	struct stat st;
	struct passwd *p = stat(data, &st) ? NULL : getpwuid(st.st_uid);
	return p ? json_string(p->pw_name) : json_null();
}

static json_t *make_facts(const struct backup_making *b, const struct van_config *config, const json_t *answer, const char *sums)
{
	char data[4096];
	snprintf(data, sizeof data, "%.*s", SLICE_ARG(config->data));
	return json_pack("{s:s, s:s, s:s%, s:O, s:I, s:I, s:O, s:O, s:O, s:s, s:s%, s:s, s:o, s:b, s:O, s:O}", "format", BACKUP_FORMAT, "version", PACKAGE_VERSION,
			 "network", config->network.name.p ? config->network.name.p : "", config->network.name.n, "point",
			 json_object_get(answer, "point"), "files", (json_int_t)copy_folder_files(b->to), "bytes",
			 (json_int_t)copy_folder_bytes(b->to), "messages", json_object_get(answer, "messages"), "jobs", json_object_get(answer, "jobs"),
			 "deliveries", json_object_get(answer, "deliveries"), "sums", sums, "config", config->file.p, config->file.n, "data", data,
			 "owner", owner_of(data), "keys", b->nkeys > 0, "missing", b->missing, "folders", b->folders);
}

static int copy_text(struct backup_making *b, const char *path, const char *text, size_t n, char hash[COPY_HASH_TEXT])
{
	int status = copy_file_begin(b->to, path, 0600);
	if (!status && n)
		status = copy_file_write(b->to, text, n);
	return status ? status : copy_file_end(b->to, hash);
}

static int hash_sums(struct backup_making *b, char hash[COPY_HASH_TEXT])
{
	uint64_t bytes;
	if (fflush(b->sums) || ferror(b->sums) || lseek(fileno(b->sums), 0, SEEK_SET) < 0)
		return ctl_fail(CTL_USAGE, "%s.part/" BACKUP_SUMS ": %s; free space there", b->c->args[0], strerror(errno));
	return backup_hash(fileno(b->sums), BACKUP_SUMS, NULL, NULL, &bytes, hash);
}

/* backup.json comes last, when all else is on the disk. */
static int complete(struct backup_making *b, const struct van_config *config, json_t *answer, json_t **ret_facts, char hash[COPY_HASH_TEXT])
{
	char sums[COPY_HASH_TEXT], *text = NULL;
	int status = hash_sums(b, sums);
	if (!status)
		status = copy_folder_flush(b->to);
	if (status)
		return status;
	*ret_facts = make_facts(b, config, answer, sums);
	text = *ret_facts ? json_dumps(*ret_facts, JSON_INDENT(2)) : NULL;
	status = text ? copy_text(b, BACKUP_FILE, text, strlen(text), hash) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		status = copy_folder_commit(b->to);
	free(text);
	return status;
}

/* The receipt names the hash; without it the backup is as good. */
static void tell_vand(struct ctl *c, const json_t *facts, const char *hash)
{
	json_t *arguments = json_pack("{s:O, s:s}", "point", json_object_get(facts, "point"), "sha256", hash);
	if (client_ask(c, "backup.done", arguments, NULL, NULL))
		ctl_fail(CTL_DONE, "the backup is complete, but its receipt could not be written");
	json_decref(arguments);
}

static int say_result(struct ctl *c, const struct backup_making *b, const json_t *facts)
{
	size_t missing = json_array_size(b->missing);
	if (c->json) {
		print_json(facts);
	} else {
		printf("%s: complete as of %s: %" JSON_INTEGER_FORMAT " messages, %" JSON_INTEGER_FORMAT " files, %.1f MB\n", c->args[0],
		       json_string_value(json_object_get(facts, "point")), json_integer_value(json_object_get(facts, "messages")),
		       json_integer_value(json_object_get(facts, "files")), (double)json_integer_value(json_object_get(facts, "bytes")) / 1e6);
		if (b->nkeys)
			printf("It holds %zu private keys and passwords beside all documents: keep it as safe as the server.\n", b->nkeys);
		else
			puts("Private keys are not in it: keep them elsewhere, the receipt key in particular.");
	}
	for (size_t i = 0; i < missing; i++)
		ctl_fail(CTL_NO, "%s is missing, or not whole, where vand has it; the backup is complete but for it", json_string_value(json_array_get(b->missing, i)));
	return missing ? CTL_NO : CTL_DONE;
}

/* --- the command ------------------------------------------------------------------------------------------------------------------------ */

static int make(struct backup_making *b, const struct van_config *config)
{
	json_t *answer = NULL, *facts = NULL;
	char hash[COPY_HASH_TEXT];
	int status = backup_copy_configuration(b, config); /* first: what can't be read is known before the long part */
	if (!status)
		status = copy_data(b, &answer);
	if (!status)
		status = complete(b, config, answer, &facts, hash);
	if (!status) {
		tell_vand(b->c, facts, hash);
		status = say_result(b->c, b, facts);
	}
	json_decref(facts);
	json_decref(answer);
	return status;
}

static int load_config(const struct ctl *c, struct van_config **ret)
{
	struct profile_errors errors = {0};
	int rc = van_config_load(c->config, ret, &errors);
	profile_errors_free(&errors);
	return rc < 0 ? ctl_fail(CTL_USAGE, "%s can't be read (%s); see vand -c %s --check", c->config, van_err_name(rc), c->config) : CTL_DONE;
}

static int backup(struct ctl *c)
{
	struct backup_making b = {.c = c, .keys = !json_is_true(json_object_get(c->options, "without_keys")), .missing = json_array(), .folders = json_array()};
	struct van_config *config = NULL;
	if (json_is_true(json_object_get(c->options, "verify"))) {
		json_decref(b.missing);
		json_decref(b.folders);
		return backup_verify(c);
	}
	uint64_t rate = (uint64_t)json_integer_value(json_object_get(c->options, "rate"));
	umask(077);
	copy_catch_signals();
	int status = load_config(c, &config);
	if (!status)
		status = copy_folder_new(c->args[0], &b.to);
	if (!status)
		status = copy_folder_list(b.to, BACKUP_SUMS, &b.sums);
	if (!status) {
		copy_folder_set_rate(b.to, rate < UINT64_MAX / MIB ? rate * MIB : 0);
		status = make(&b, config);
	}
	copy_folder_free(b.to);
	if (b.sums)
		fclose(b.sums);
	json_decref(b.missing);
	json_decref(b.folders);
	van_config_free(config);
	return status;
}

static const struct ctl_option backup_options[] = {
	{"--without-keys", NULL, "without_keys", CTL_FLAG, NULL, "leave private keys and passwords out"},
	{"--rate", "MIB", "rate", CTL_NUMBER, NULL, "write at most so many MiB a second; default: as fast as it goes"},
	{"--verify", NULL, "verify", CTL_FLAG, NULL, "make none: check that the one in DIR is whole"},
	{NULL},
};
static const struct ctl_option restore_options[] = {
	{"--files", NULL, "files", CTL_FLAG, NULL, "also put configuration and keys to where they were; what is there stays as it is"},
	{"--no-hold", NULL, "no_hold", CTL_FLAG, NULL, "deliveries go out at once: the original has sent nothing since the backup"},
	{"--owner", "USER", "owner", CTL_TEXT, NULL, "the user that vand runs as; default: the same as when it was made"},
	{NULL},
};

const struct ctl_command commands_backup[] = {
	{"backup", NULL, "DIR", 1, 1, "A consistent copy of everything, while vand serves; DIR is new", backup_options, backup},
	{"restore", NULL, "BACKUP DATADIR", 2, 2, "Make a data folder from a backup; DATADIR is new", restore_options, network_restore},
	{NULL},
};
