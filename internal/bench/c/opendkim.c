/* The yardstick for qmail-dkim: signs the message of descriptor 0 with
 * libopendkim (rsa-sha256, relaxed/relaxed), holds it in memory, and hands
 * header and message to the queue program $DKIMQUEUE, as qmail-dkim does.
 * usage: opendkim KEYFILE DOMAIN SELECTOR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
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

int main(int argc, char **argv)
{
	static char key[16384];
	DKIM_STAT st;
	unsigned int flags = DKIM_LIBFLAGS_FIXCRLF;
	size_t cap = 65536, len = 0, hdrlen;
	unsigned char *hdr;
	char *msg = malloc(cap);
	ssize_t r;
	int p[2], status;
	FILE *f;

	if (argc != 4 || !(f = fopen(argv[1], "r")))
		return 100;
	key[fread(key, 1, sizeof key - 1, f)] = 0;

	DKIM_LIB *lib = dkim_init(NULL, NULL);
	dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
	DKIM *d = dkim_sign(lib, (unsigned char *)"id", NULL, (unsigned char *)key,
		(unsigned char *)argv[3], (unsigned char *)argv[2],
		DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &st);
	if (!d)
		return 111;
	while ((r = read(0, msg + len, cap - len)) > 0) {
		if (dkim_chunk(d, (unsigned char *)msg + len, r) != DKIM_STAT_OK)
			return 111;
		len += r;
		if (len == cap && !(msg = realloc(msg, cap *= 2)))
			return 51;
	}
	dkim_chunk(d, NULL, 0);
	if (dkim_eom(d, NULL) != DKIM_STAT_OK ||
	    dkim_getsighdr_d(d, strlen("DKIM-Signature: "), &hdr, &hdrlen) != DKIM_STAT_OK)
		return 111;

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
	put(p[1], "DKIM-Signature: ", 16);
	put(p[1], (char *)hdr, hdrlen);
	put(p[1], "\n", 1);
	put(p[1], msg, len);
	close(p[1]);
	wait(&status);
	return WEXITSTATUS(status);
}
