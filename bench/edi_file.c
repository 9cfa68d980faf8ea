#include "edi_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FULL_850 168000 /* more than 200 MB each */
#define FULL_ORDERS 169000
#define QUICK_SHARE 3   /* --quick: a third of it */
#define ROUNDS 7
#define MOST_MEMORY (16 * 1024) /* KiB */
#define CHUNK ((size_t)256 << 10) /* as the product reads */

/* CPU time, user and system: what others do on this machine must not count. */
static double cpu(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static double own_cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return cpu(&u);
}

static const char *const items[] = {"LED bulb, 9 W, warm white", "Extension cord, 3 m, outdoor", "Cordless drill, 18 V",
	"Battery AA, pack of 8", "Copper wire, 2.5 mm2", "Work light, tripod", "Cable tie, 200 mm, black"};

/* 40 segments: head, three parties, seven lines, totals. */
static void write_850(FILE *f, unsigned n)
{
	unsigned quantity = 0;
	fprintf(f, "ST*850*%09u~\nBEG*00*SA*PO-%08u**20260115~\nCUR*BY*USD~\nREF*DP*%03u~\nREF*IA*%05u~\n", n, n, n % 1000, n % 99991);
	fprintf(f, "PER*BD*Dana Reyes*TE*5555550142*EM*dana.reyes@acme.example~\nFOB*PP*OR*Volt warehouse~\nITD*01*3*2**10**30~\n");
	fprintf(f, "DTM*002*20260202~\nDTM*010*20260129~\nTD5*O*2*ABCD*M*Example Freight Lines~\n");
	fprintf(f, "N1*BY*ACME Stores*92*%04u~\nN3*1200 Commerce Way~\nN4*Columbus*OH*43215*US~\n", n % 10000);
	fprintf(f, "N1*ST*ACME Distribution Center East*92*DC%02u~\nN3*88 Harbor Road*Building C~\nN4*Newark*NJ*07114*US~\n", n % 100);
	for (unsigned i = 0; i < 7; i++) {
		unsigned pieces = 1 + (n * 7 + i * 13) % 500;
		quantity += pieces;
		fprintf(f, "PO1*%u*%u*EA*%u.%02u*PE*UP*0123456789%02u*VN*VS-%04u*BP*A-%05u~\nPID*F****%s~\nPO4*%u*1*EA~\n", i + 1, pieces,
			1 + (n + i) % 90, (n * 3 + i) % 100, i, 1000 + i * 111, 77000 + (n + i) % 999, items[i], 1 + i * 2);
	}
	fprintf(f, "CTT*7*%u~\nSE*40*%09u~\n", quantity, n);
}

/* 45 segments of D.96A: head, two parties, seven lines, totals. */
static void write_orders(FILE *f, unsigned n)
{
	unsigned quantity = 0;
	fprintf(f, "UNH+%u+ORDERS:D:96A:UN'\nBGM+220+PO-%08u+9'\nDTM+137:20260115:102'\nDTM+2:20260202:102'\n", n, n);
	fprintf(f, "FTX+PUR+3++Deliver to the east gate, please?: ring twice'\nRFF+CT:%05u'\nRFF+IA:%03u'\n", n % 99991, n % 1000);
	fprintf(f, "NAD+BY+54123%08u::9++ACME Stores+1200 Commerce Way+Columbus+OH+43215+US'\nCTA+PD+:Dana Reyes'\n", n % 10000);
	fprintf(f, "COM+5555550142:TE'\nNAD+DP+54124%08u::9++ACME Distribution Center East+88 Harbor Road+Newark+NJ+07114+US'\n", n % 100);
	fprintf(f, "CUX+2:USD:9'\n");
	for (unsigned i = 0; i < 7; i++) {
		unsigned pieces = 1 + (n * 7 + i * 13) % 500;
		quantity += pieces;
		fprintf(f, "LIN+%u++54000000%05u:EN'\nPIA+1+VS-%04u:SA'\nIMD+F++:::%s'\nQTY+21:%u:PCE'\nPRI+AAA:%u.%02u'\n", i + 1,
			(n + i) % 99999, 1000 + i * 111, items[i], pieces, 1 + (n + i) % 90, (n * 3 + i) % 100);
	}
	fprintf(f, "UNS+S'\nCNT+2:7'\nCNT+1:%u'\nUNT+51+%u'\n", quantity, n);
}

static int generate(const char *path, bool orders, unsigned messages)
{
	FILE *f = fopen(path, "w");
	if (!f)
		return -1;
	if (orders)
		fprintf(f, "UNB+UNOC:3+ACME:14+VOLT:14+260115:0930+101'\n");
	else
		fprintf(f, "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*00401*000000101*0*T*>~\n"
			"GS*PO*ACME*VOLT*20260115*0930*101*X*004010~\n");
	for (unsigned i = 1; i <= messages; i++)
		(orders ? write_orders : write_850)(f, i);
	if (orders)
		fprintf(f, "UNZ+%u+101'\n", messages);
	else
		fprintf(f, "GE*%u*101~\nIEA*1*000000101~\n", messages);
	return fclose(f);
}

/* Looks for a byte that is not there, reading as the product does. Bytes for each second of CPU time. */
static double memchr_rate(const char *path)
{
	char *chunk = malloc(CHUNK);
	int fd = open(path, O_RDONLY);
	size_t bytes = 0, found = 0;
	ssize_t n;
	double begin = own_cpu();
	while (fd >= 0 && chunk && (n = read(fd, chunk, CHUNK)) > 0) {
		found += memchr(chunk, 1, (size_t)n) != NULL;
		bytes += (size_t)n;
	}
	double seconds = own_cpu() - begin;
	if (fd >= 0)
		close(fd);
	free(chunk);
	return found || seconds <= 0 ? 0 : (double)bytes / seconds;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Runs the product; its seconds of CPU time, or negative when it failed. *peak: the largest resident set of any run, in KiB. */
static double run_product(const char *program, const char *verb, const char *path, long *peak)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY), n = 2;
		if (null >= 0)
			dup2(null, STDOUT_FILENO);
		char words[64];
		const char *arguments[12] = {program, "edi"};
		snprintf(words, sizeof words, "%s", verb);
		for (char *word = strtok(words, " "); word && n < 10; word = strtok(NULL, " "))
			arguments[n++] = word;
		arguments[n] = path;
		execv(program, (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	int status = -1;
	struct rusage usage;
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -1;
	if (usage.ru_maxrss > *peak)
		*peak = usage.ru_maxrss;
	return cpu(&usage);
}

static const char *product(char *room, size_t n)
{
	const char *build = getenv("VAN_BUILDDIR");
	ssize_t length = readlink("/proc/self/exe", room, n - 16);
	if (length > 0) {
		room[length] = 0;
		for (int i = 0; i < 2 && strrchr(room, '/'); i++)
			*strrchr(room, '/') = 0;
		strcat(room, "/vanctl");
	}
	if (length <= 0 || access(room, X_OK) != 0)
		snprintf(room, n, "%s/vanctl", build ? build : ".");
	return room;
}

/* Reaches what share of the target? The median of the rounds: each compares what ran one after the other. Negative: the
 * product failed, or needs more memory than it may. */
static double measure(const char *name, const char *verb, double share, const char *path, const char *what, double bytes, long most)
{
	char room[PATH_MAX + 16];
	const char *program = product(room, sizeof room);
	double ratios[ROUNDS], best = 0;
	long peak = 0;
	for (int i = 0; i < ROUNDS; i++) {
		double m = memchr_rate(path), seconds = run_product(program, verb, path, &peak);
		if (seconds <= 0 || m <= 0) {
			fprintf(stderr, "%s: %s edi %s failed; build it first with make\n", name, program, verb);
			return -1;
		}
		ratios[i] = bytes / seconds / (m / share);
		best = bytes / seconds > best ? bytes / seconds : best;
		printf("%s, round %d: memchr %.0f MB/s, vanctl edi %s %.0f MB/s, ratio %.2f\n", what, i + 1, m / 1e6, verb,
			bytes / seconds / 1e6, ratios[i]);
	}
	qsort(ratios, ROUNDS, sizeof *ratios, compare);
	printf("%s: file %.0f MB, best %.0f MB/s, median ratio %.2f, peak resident %.1f MiB\n", what, bytes / 1e6, best / 1e6,
		ratios[ROUNDS / 2], (double)peak / 1024);
	if (peak > most)
		fprintf(stderr, "%s: more than %ld MiB resident\n", name, most / 1024);
	return peak <= most ? ratios[ROUNDS / 2] : -1;
}

struct bench_file {
	const char *what;
	bool orders;
	unsigned messages;
	long memory; /* most resident, KiB */
};

static int bench(const char *name, const char *verb, double share, const struct bench_file *files, size_t n, int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	const char *folder = getenv("TMPDIR");
	double worst = 0;
	bool sound = true;
	for (size_t i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/openvan-bench-XXXXXX", folder ? folder : "/tmp");
		int fd = mkstemp(path);
		if (fd < 0 || generate(path, files[i].orders, quick ? files[i].messages / QUICK_SHARE : files[i].messages) != 0) {
			fprintf(stderr, "%s: no room for a file of 230 MB in %s; set TMPDIR\n", name, folder ? folder : "/tmp");
			if (fd >= 0)
				unlink(path);
			return 1;
		}
		double ratio = measure(name, verb, share, path, files[i].what, (double)lseek(fd, 0, SEEK_END), files[i].memory);
		close(fd);
		unlink(path);
		sound = sound && ratio >= 0;
		worst = i == 0 || ratio < worst ? ratio : worst;
	}
	printf("%s ratio=%.2f target=1.00\n", name, worst > 0 ? worst : 0);
	return !sound;
}

int edi_bench(const char *name, const char *verb, double share, int argc, char **argv)
{
	static const struct bench_file files[] = {{"850", false, FULL_850, MOST_MEMORY}, {"ORDERS", true, FULL_ORDERS, MOST_MEMORY}};
	return bench(name, verb, share, files, 2, argc, argv);
}

int edi_bench_850(const char *name, const char *verb, double share, int argc, char **argv)
{
	static const struct bench_file file = {"850", false, 56000, 48 * 1024};
	return bench(name, verb, share, &file, 1, argc, argv);
}
