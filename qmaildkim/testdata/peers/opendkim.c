/* usage: opendkim sign|verify FOLDER, as dkimpy.py */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>
#include <opendkim/dkim.h>

static unsigned char msg[2 << 20];

/* content reads a file and returns its length, 0 when it is not there. */
static size_t content(const char *name, const char *suffix, unsigned char *buf, size_t size)
{
	char path[300];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "%s%s", name, suffix);
	if (!(f = fopen(path, "rb")))
		return 0;
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = 0;
	return n;
}

static DKIM_CBSTAT key(DKIM *d, DKIM_SIGINFO *s, unsigned char *buf, size_t size)
{
	if (content((char *)dkim_sig_getselector(s), ".txt", buf, size) == 0)
		return DKIM_CBSTAT_NOTFOUND;
	return DKIM_CBSTAT_CONTINUE;
}

static void verify(DKIM_LIB *lib, size_t n)
{
	DKIM_SIGINFO **sigs;
	DKIM_STAT st;
	DKIM *d = dkim_verify(lib, (unsigned char *)"x", NULL, &st);
	int count;

	st = dkim_chunk(d, msg, n);
	if (st == DKIM_STAT_OK)
		st = dkim_chunk(d, NULL, 0);
	if (st == DKIM_STAT_OK)
		st = dkim_eom(d, NULL);
	if (dkim_getsiglist(d, &sigs, &count) != DKIM_STAT_OK || count < 1)
		printf("no signature: %s\n", dkim_getresultstr(st));
	else if (dkim_sig_process(d, sigs[0]) == DKIM_STAT_OK
	    && dkim_sig_getflags(sigs[0]) & DKIM_SIGFLAG_PASSED && dkim_sig_getbh(sigs[0]) == DKIM_SIGBH_MATCH)
		printf("pass\n");
	else
		printf("bh %d, %s, %s\n", dkim_sig_getbh(sigs[0]), dkim_sig_geterrorstr(dkim_sig_geterror(sigs[0])), dkim_getresultstr(st));
	dkim_free(d);
}

static dkim_canon_t canon(const char *name)
{
	return strcmp(name, "simple") ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE;
}

static void sign(DKIM_LIB *lib, size_t n, char **job)
{
	static unsigned char secret[16384];
	unsigned char *field;
	char path[300];
	size_t len;
	DKIM_STAT st;
	DKIM *d;
	FILE *f;

	content(job[1], ".pem", secret, sizeof secret);
	d = dkim_sign(lib, (unsigned char *)"x", NULL, secret, (unsigned char *)job[1], (unsigned char *)job[2],
	    canon(job[4]), canon(job[5]), strcmp(job[3], "rsa-sha256") ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1, &st);
	if (d && (st = dkim_chunk(d, msg, n)) == DKIM_STAT_OK && (st = dkim_chunk(d, NULL, 0)) == DKIM_STAT_OK
	    && (st = dkim_eom(d, NULL)) == DKIM_STAT_OK)
		st = dkim_getsighdr_d(d, strlen("DKIM-Signature: "), &field, &len);
	snprintf(path, sizeof path, "%s.sig", job[0]);
	f = fopen(path, "wb");
	if (st == DKIM_STAT_OK)
		fprintf(f, "DKIM-Signature: %s\r\n", field);
	else
		fprintf(f, "X-Error: %s\r\n", d ? dkim_geterror(d) : dkim_getresultstr(st));
	fclose(f);
	if (d)
		dkim_free(d);
}

int main(int argc, char **argv)
{
	char line[1000], *job[6], *rest;
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	FILE *jobs;
	int i;

	dkim_set_key_lookup(lib, key);
	if (argc != 3 || chdir(argv[2]) != 0 || !(jobs = fopen("jobs", "r")))
		return 1;
	while (fgets(line, sizeof line, jobs)) {
		size_t n;

		rest = line;
		for (i = 0; i < 6; i++)
			job[i] = strsep(&rest, " \n");
		n = content(job[0], "", msg, sizeof msg);
		if (strcmp(argv[1], "sign"))
			verify(lib, n);
		else
			sign(lib, n, job);
	}
	return 0;
}
