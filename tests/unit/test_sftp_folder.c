/* What a poll finds in a partner's folder, over a server that is played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "partner/profile.h"
#include "roles/deliver/sftp_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW 7 /* files behind all that were fetched */

static size_t files, listed, fetched; /* the first `fetched` ones were */
static int answer;		      /* of who is asked; negative: it fails */
static char name[32];
static struct sftp_attributes_struct attributes;
static struct sftp_dir_struct dir;

/* --- the server ------------------------------------------------------------------------------------------------------------------ */

sftp_dir sftp_opendir(sftp_session session, const char *path)
{
	(void)session, (void)path;
	listed = 0;
	return &dir;
}

sftp_attributes sftp_readdir(sftp_session session, sftp_dir d)
{
	(void)session, (void)d;
	if (listed == files)
		return NULL;
	snprintf(name, sizeof name, "%06zu.edi", listed++);
	attributes = (struct sftp_attributes_struct){.type = SSH_FILEXFER_TYPE_REGULAR, .name = name, .size = listed, .mtime = 1};
	return &attributes;
}

void sftp_attributes_free(sftp_attributes a)
{
	(void)a;
}

int sftp_dir_eof(sftp_dir d)
{
	(void)d;
	return 1;
}

int sftp_closedir(sftp_dir d)
{
	(void)d;
	return 0;
}

void sftp_client_progress(const struct sftp_client *c)
{
	(void)c;
}

int sftp_client_failed(struct sftp_client *c, int rc, const char *what, const char *path)
{
	(void)c, (void)what, (void)path;
	return rc;
}

/* --- checks ------------------------------------------------------------------------------------------------------------------------ */

static int is_known(void *arg, const struct sftp_remote *f)
{
	(void)arg;
	return answer < 0 ? answer : (size_t)atoi(f->name) < fetched;
}

static int list(enum profile_fetched after, struct sftp_folder *ret)
{
	struct sftp_client c = {.server = NULL};
	const struct ipc_poll what = {.folder = SLICE("out"), .after = after};
	const struct sftp_folder_known known = {is_known, NULL};
	return sftp_folder_list(&c, &what, &known, ret);
}

static void new_ones_behind_old_ones(void **state)
{
	struct sftp_folder f;
	(void)state;
	answer = 0;
	fetched = 2 * SFTP_FOLDER_FILES + 5;
	files = fetched + NEW;
	assert_int_equal(list(PROFILE_FETCHED_KEEP, &f), 0);
	assert_false(f.more);
	assert_int_equal(f.n + f.known, files);
	assert_true(f.n >= NEW);
	char last[32];
	snprintf(last, sizeof last, "%06zu.edi", files - 1);
	assert_string_equal(f.files[f.n - 1].name, last);
	sftp_folder_free(&f);
}

static void more_than_one_poll_takes(void **state)
{
	struct sftp_folder f;
	(void)state;
	answer = 0;
	fetched = 100;
	files = 2 * SFTP_FOLDER_FILES;
	assert_int_equal(list(PROFILE_FETCHED_KEEP, &f), 0);
	assert_true(f.more);
	assert_int_equal(f.n, SFTP_FOLDER_FILES);
	assert_int_equal(f.known, 100);
	sftp_folder_free(&f);
	assert_int_equal(list(PROFILE_FETCHED_DELETE, &f), 0); /* those that were fetched are there to be deleted */
	assert_true(f.more);
	assert_int_equal(f.n, SFTP_FOLDER_FILES);
	assert_int_equal(f.known, 0);
	sftp_folder_free(&f);
}

static void nobody_answers(void **state)
{
	struct sftp_folder f;
	(void)state;
	answer = VAN_ECLOSED;
	files = SFTP_FOLDER_FILES + 1;
	assert_int_equal(list(PROFILE_FETCHED_KEEP, &f), VAN_ECLOSED);
	sftp_folder_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ones_behind_old_ones),
		cmocka_unit_test(more_than_one_poll_takes),
		cmocka_unit_test(nobody_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
