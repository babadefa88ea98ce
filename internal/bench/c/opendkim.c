/* The yardstick for qmail-dkim, on libopendkim: signs the message of descriptor
 * 0 (rsa-sha256, relaxed/relaxed) or verifies all its signatures, holds it in
 * memory, and hands a new header field and the message to the queue program
 * $DKIMQUEUE, as qmail-dkim does. Keys to verify with are operands: it asks no
 * name server. A signature that is not good is exit code 111.
 * usage: opendkim KEYFILE DOMAIN SELECTOR
 *        opendkim -v SELECTOR=RECORD ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdbool.h>
#include <opendkim/dkim.h>

static void put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w <= 0)
			exit(53);
		p += w;
		n -= w;
	}
}

static void die(int ok)
{
	if (!ok)
		exit(111);
}

static char *msg;
static size_t len;

/* feed reads the message and gives it to the library. */
static void feed(DKIM *d)
{
	size_t cap = 65536;
	ssize_t r;

	msg = malloc(cap);
	while ((r = read(0, msg + len, cap - len)) > 0) {
		die(dkim_chunk(d, (unsigned char *)msg + len, r) == DKIM_STAT_OK);
		len += r;
		if (len == cap && !(msg = realloc(msg, cap *= 2)))
			exit(51);
	}
	dkim_chunk(d, NULL, 0);
}

/* deliver runs the queue program and returns its exit code. */
static int deliver(const char *name, const char *value)
{
	int p[2], status;

	if (pipe(p))
		return 59;
	if (fork() == 0) {
		dup2(p[0], 0);
		close(p[0]);
		close(p[1]);
		execl(getenv("DKIMQUEUE"), getenv("DKIMQUEUE"), (char *)0);
		_exit(120);
	}
	close(p[0]);
	put(p[1], name, strlen(name));
	put(p[1], value, strlen(value));
	put(p[1], "\n", 1);
	put(p[1], msg, len);
	close(p[1]);
	wait(&status);
	return WEXITSTATUS(status);
}

static char **keys; /* SELECTOR=RECORD */

static DKIM_CBSTAT record(DKIM *d, DKIM_SIGINFO *s, unsigned char *buf, size_t size)
{
	const char *selector = (const char *)dkim_sig_getselector(s);
	size_t n = strlen(selector);
	int i;

	for (i = 0; keys[i]; i++)
		if (!strncmp(keys[i], selector, n) && keys[i][n] == '=') {
			snprintf((char *)buf, size, "%s", keys[i] + n + 1);
			return DKIM_CBSTAT_CONTINUE;
		}
	return DKIM_CBSTAT_NOTFOUND;
}

static int verify(DKIM_LIB *lib)
{
	DKIM_SIGINFO **sigs;
	DKIM_STAT st;
	DKIM *d;
	int i, n;

	dkim_set_key_lookup(lib, record);
	die((d = dkim_verify(lib, (unsigned char *)"id", NULL, &st)) != NULL);
	feed(d);
	die(dkim_eom(d, NULL) == DKIM_STAT_OK);
	die(dkim_getsiglist(d, &sigs, &n) == DKIM_STAT_OK && n > 0);
	for (i = 0; i < n; i++) /* the first good one was enough for the library */
		die(dkim_sig_process(d, sigs[i]) == DKIM_STAT_OK && dkim_sig_getbh(sigs[i]) == DKIM_SIGBH_MATCH &&
		    dkim_sig_getflags(sigs[i]) & DKIM_SIGFLAG_PASSED);
	return deliver("DKIM-Status: ", "good");
}

static int sign(DKIM_LIB *lib, const char *file, const char *domain, const char *selector)
{
	static char key[16384];
	unsigned char *hdr;
	size_t n;
	DKIM_STAT st;
	DKIM *d;
	FILE *f;

	if (!(f = fopen(file, "r")))
		return 100;
	key[fread(key, 1, sizeof key - 1, f)] = 0;
	die((d = dkim_sign(lib, (unsigned char *)"id", NULL, (unsigned char *)key,
		(unsigned char *)selector, (unsigned char *)domain,
		DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &st)) != NULL);
	feed(d);
	die(dkim_eom(d, NULL) == DKIM_STAT_OK);
	die(dkim_getsighdr_d(d, strlen("DKIM-Signature: "), &hdr, &n) == DKIM_STAT_OK);
	return deliver("DKIM-Signature: ", (char *)hdr);
}

int main(int argc, char **argv)
{
	unsigned int flags = DKIM_LIBFLAGS_FIXCRLF;
	DKIM_LIB *lib = dkim_init(NULL, NULL);

	dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
	if (argc > 2 && !strcmp(argv[1], "-v")) {
		keys = argv + 2;
		return verify(lib);
	}
	return argc == 4 ? sign(lib, argv[1], argv[2], argv[3]) : 100;
}
