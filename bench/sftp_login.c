/* Log-ins for each second: threads that connect, log in with a key, start SFTP, get its version and leave.
 *   sftp_login PORT USER KEYFILE THREADS SECONDS        prints the number of complete log-ins for each second */
#include <libssh/libssh.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct task {
	unsigned port;
	const char *user;
	ssh_key key;
	double until;
	atomic_int *done, *failed;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* SSH_FXP_INIT, and the server's SSH_FXP_VERSION. */
static bool start_sftp(ssh_channel channel)
{
	static const unsigned char init[9] = {0, 0, 0, 5, 1, 0, 0, 0, 3};
	unsigned char answer[9];
	if (ssh_channel_open_session(channel) != SSH_OK || ssh_channel_request_subsystem(channel, "sftp") != SSH_OK)
		return false;
	if (ssh_channel_write(channel, init, sizeof init) != (int)sizeof init)
		return false;
	for (int got = 0; got < (int)sizeof answer;) {
		int n = ssh_channel_read(channel, answer + got, (uint32_t)((int)sizeof answer - got), 0);
		if (n <= 0)
			return false;
		got += n;
	}
	return answer[4] == 2;
}

static bool log_in(const struct task *t)
{
	ssh_session s = ssh_new();
	int one = 1, zero = 0;
	bool ok = false;
	ssh_options_set(s, SSH_OPTIONS_HOST, "127.0.0.1");
	ssh_options_set(s, SSH_OPTIONS_PORT, &t->port);
	ssh_options_set(s, SSH_OPTIONS_USER, t->user);
	ssh_options_set(s, SSH_OPTIONS_NODELAY, &one);
	ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &zero);
	ssh_options_set(s, SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256");
	ssh_options_set(s, SSH_OPTIONS_HOSTKEYS, "ssh-ed25519");
	ssh_options_set(s, SSH_OPTIONS_CIPHERS_C_S, "aes128-gcm@openssh.com");
	ssh_options_set(s, SSH_OPTIONS_CIPHERS_S_C, "aes128-gcm@openssh.com");
	ssh_channel channel = NULL;
	if (ssh_connect(s) == SSH_OK && ssh_userauth_publickey(s, NULL, t->key) == SSH_AUTH_SUCCESS)
		channel = ssh_channel_new(s);
	if (channel) {
		ok = start_sftp(channel);
		ssh_channel_free(channel);
	}
	ssh_disconnect(s);
	ssh_free(s);
	return ok;
}

static void *task_main(void *arg)
{
	struct task *t = arg;
	while (now() < t->until)
		atomic_fetch_add(log_in(t) ? t->done : t->failed, 1);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: sftp_login PORT USER KEYFILE THREADS SECONDS\n");
		return 2;
	}
	atomic_int done = 0, failed = 0;
	int n = atoi(argv[4]);
	double start, seconds = atof(argv[5]);
	pthread_t threads[64];
	struct task t = {.port = (unsigned)atoi(argv[1]), .user = argv[2], .done = &done, .failed = &failed};
	if (n < 1 || n > 64 || ssh_init() != 0 || ssh_pki_import_privkey_file(argv[3], NULL, NULL, NULL, &t.key) != SSH_OK) {
		fprintf(stderr, "sftp_login: %s can't be read as a private key, or THREADS is not 1 to 64\n", argv[3]);
		return 2;
	}
	start = now();
	t.until = start + seconds;
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, task_main, &t);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	seconds = now() - start;
	ssh_key_free(t.key);
	ssh_finalize();
	printf("%.2f\n", atomic_load(&done) / seconds);
	if (atomic_load(&failed))
		fprintf(stderr, "sftp_login: %d failed\n", atomic_load(&failed));
	return atomic_load(&done) ? 0 : 1;
}
