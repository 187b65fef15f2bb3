/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_key.c -- our key, and WeChat Pay's keys, several valid at once.
 *
 * Theirs lie in a folder: PUB_KEY_ID_....pem is a public key, SERIAL.pem
 * (hex) a certificate that ends by itself.  WeChat changes keys while we
 * run, so the folder is looked at again once a second, and at once when an
 * unknown serial is named.  A set of keys is never changed and never
 * freed: whoever still works with an old one may.  A folder that cannot be
 * used is said so once, and the keys in memory are used on.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/pay_internal.h"
#include "wechat/wechat_internal.h"

#define KEYS_MAX	32
#define NAME_MAX_	96	/* serial and NUL */
#define PEM_MAX		16384
#define LOOK_US		1000000
#define SOON_US		100000	/* for an unknown serial */
#define KEY_BITS	2048

struct one_key {
	char		 name[NAME_MAX_];
	EVP_PKEY	*key;
	int64_t		 until;		/* ms; INT64_MAX for ever */
	int64_t		 since;		/* file's time, to find the newest */
	bool		 certificate;
};

struct key_set {
	int		 count;
	uint64_t	 print;		/* of the folder, to see a change */
	struct one_key	 key[KEYS_MAX];
	struct key_set	*older;		/* never freed */
};

static const struct conf	*used;
static EVP_PKEY			*own;
static unsigned char		 apiv3[PAY_APIV3_BYTES + 4];
static _Atomic(struct key_set *) current;
static struct key_set		*all;		/* locked: newest first */
static _Atomic int64_t		 next_look, next_soon;
static pthread_mutex_t		 lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t			 refused_print;	/* locked: said so */

const struct conf *
pay_key_conf(void)
{
	return used;
}

bool
pay_key_partner(void)
{
	return strcmp(used->pay_mode, "partner") == 0;
}

EVP_PKEY *
pay_key_own(void)
{
	return own;
}

const unsigned char *
pay_key_apiv3(void)
{
	return apiv3;
}

bool
pay_ready(void)
{
	return used != NULL;
}

const char *
pay_mchid(void)
{
	if (used == NULL)
		return "";
	return pay_key_partner() ? used->pay_sub_mchid : used->pay_mchid;
}

/* ---- PEM ---- */

/* A key with a password is none of ours; nobody is asked for one. */
static int
no_password(char *out, int size, int writing, void *arg)
{
	(void)out, (void)size, (void)writing, (void)arg;
	return -1;
}

static EVP_PKEY *
only_rsa(EVP_PKEY *key)
{
	if (key != NULL && (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
	    EVP_PKEY_get_bits(key) < KEY_BITS)) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

EVP_PKEY *
pay_key_private(const char *pem, size_t n)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)n);
	EVP_PKEY	*key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return only_rsa(key);
}

EVP_PKEY *
pay_key_public(const char *pem, size_t n)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)n);
	EVP_PKEY	*key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return only_rsa(key);
}

static bool
has_serial(X509 *x, const char *serial)
{
	BIGNUM	*n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char	*hex = n != NULL ? BN_bn2hex(n) : NULL;
	const char *a = hex;
	bool	 same = false;

	if (a != NULL) {
		a += strspn(a, "0");
		same = strcasecmp(a, serial + strspn(serial, "0")) == 0;
	}
	OPENSSL_free(hex);
	BN_free(n);
	return same;
}

EVP_PKEY *
pay_key_certificate(const char *pem, size_t n, const char *serial,
    int64_t *ret_until)
{
	BIO		*bio = BIO_new_mem_buf(pem, (int)n);
	X509		*x = NULL;
	EVP_PKEY	*key = NULL;
	struct tm	 tm;

	if (bio != NULL)
		x = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (x != NULL && has_serial(x, serial) &&
	    ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1) {
		*ret_until = (int64_t)timegm(&tm) * CLOCK_SECOND;
		key = X509_get_pubkey(x);
	}
	X509_free(x);
	BIO_free(bio);
	return only_rsa(key);
}

/* ---- the folder ---- */

static void
mix(uint64_t *print, uint64_t v)
{
	int	i;

	for (i = 0; i < 8; i++) {
		*print ^= v >> (8 * i) & 0xff;
		*print *= 0x100000001b3;
	}
}

/* The serial in NAME.pem; false when it is not of a key. */
static bool
serial_of(const char *file, char name[NAME_MAX_])
{
	size_t	n = strlen(file), i;

	if (n < 5 || n - 4 >= NAME_MAX_ || strcmp(file + n - 4, ".pem") != 0)
		return false;
	memcpy(name, file, n - 4);
	name[n - 4] = '\0';
	if (strncmp(name, "PUB_KEY_ID_", 11) == 0) {
		for (i = 11; name[i] != '\0'; i++)
			if (name[i] < '0' || name[i] > '9')
				return false;
		return i > 11;
	}
	return strspn(name, "0123456789abcdefABCDEF") == n - 4 && n - 4 <= 40;
}

/* What the folder is like: names, sizes and times, whatever their order. */
static bool
look_at(int fd, uint64_t *ret)
{
	DIR		*dir = fdopendir(dup(fd));
	struct dirent	*e;
	struct stat	 st;
	char		 name[NAME_MAX_];

	if (dir == NULL)
		return false;
	rewinddir(dir);
	*ret = 1;
	while ((e = readdir(dir)) != NULL) {
		uint64_t one = 0xcbf29ce484222325;
		size_t i;

		if (!serial_of(e->d_name, name) ||
		    fstatat(fd, e->d_name, &st, 0) == -1)
			continue;
		for (i = 0; name[i] != '\0'; i++)
			mix(&one, (unsigned char)name[i]);
		mix(&one, (uint64_t)st.st_ino);
		mix(&one, (uint64_t)st.st_size);
		mix(&one, (uint64_t)st.st_mtim.tv_sec);
		mix(&one, (uint64_t)st.st_mtim.tv_nsec);
		mix(&one, (uint64_t)st.st_mode);
		*ret += one;
	}
	closedir(dir);
	return true;
}

/* One file into `out`; NULL, or what is wrong with it. */
static const char *
read_key(int folder, const char *file, struct one_key *out)
{
	char		 pem[PEM_MAX];
	const char	*why = NULL;
	struct stat	 st;
	ssize_t		 n = 0;
	int		 fd;

	fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return strerror(errno);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		why = "is not a file";
	else if ((st.st_mode & S_IWOTH) != 0)
		why = "may be changed by everybody; chmod 644";
	else if ((n = read(fd, pem, sizeof(pem))) <= 0 || n == PEM_MAX)
		why = "is empty or too long";
	close(fd);
	if (why != NULL)
		return why;
	out->since = (int64_t)st.st_mtim.tv_sec * CLOCK_SECOND +
	    st.st_mtim.tv_nsec / 1000000;
	out->until = INT64_MAX;
	out->certificate = strncmp(out->name, "PUB_", 4) != 0;
	out->key = out->certificate ? pay_key_certificate(pem, (size_t)n,
	    out->name, &out->until) : pay_key_public(pem, (size_t)n);
	if (out->key == NULL)
		return out->certificate ? "is not the certificate that its"
		    " name says, of RSA" : "is not a public key of RSA";
	return NULL;
}

/* All keys of the open folder; NULL, or what is wrong with one `file`. */
static const char *
read_keys(int fd, struct key_set *set, char file[256])
{
	DIR		*dir = fdopendir(dup(fd));
	struct dirent	*e;
	const char	*why = NULL;

	if (dir == NULL)
		return strerror(errno);
	rewinddir(dir);
	while (why == NULL && (e = readdir(dir)) != NULL) {
		if (!serial_of(e->d_name, set->key[set->count].name))
			continue;
		snprintf(file, 256, "%s", e->d_name);
		if ((why = read_key(fd, e->d_name, &set->key[set->count]))
		    == NULL && ++set->count == KEYS_MAX - 1)
			why = "is one key too many";
	}
	closedir(dir);
	if (why == NULL && set->count == 0) {
		snprintf(file, 256, "*.pem");
		why = "are not there: no PUB_KEY_ID_*.pem, no SERIAL.pem";
	}
	return why;
}

static void
drop(struct key_set *set)
{
	int	i;

	for (i = 0; i < set->count; i++)
		EVP_PKEY_free(set->key[i].key);
	free(set);
}

/* Read what is new; false when the folder cannot be used.  Locked. */
static bool
look_again(void)
{
	struct key_set	*set, *old = atomic_load(&current);
	const char	*why, *path = used->pay_platform_dir;
	char		 quoted[512], file[256] = "";
	uint64_t	 print = 2;
	int		 fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1 && look_at(fd, &print) && old != NULL &&
	    (print == old->print || print == refused_print)) {
		close(fd);
		return true;
	}
	if ((set = calloc(1, sizeof(*set))) == NULL)
		abort();
	why = fd == -1 ? "is not a folder that can be read" :
	    read_keys(fd, set, file);
	if (fd != -1)
		close(fd);
	if (why == NULL) {
		set->print = print;
		set->older = all;
		all = set;
		atomic_store(&current, set);
		refused_print = 0;
		log_info("event=pay_keys_read keys=%d", set->count);
		return true;
	}
	drop(set);
	if (old == NULL || print != refused_print)
		log_error("event=pay_keys_refused folder=%s file=%s"
		    " why=\"%s\"", log_quote(path, quoted, sizeof(quoted)),
		    file, why);
	refused_print = print;
	return false;
}

/* At most one thread in `us` is told yes. */
static bool
is_time(_Atomic int64_t *at, int64_t us)
{
	int64_t	 now = clock_mono_us(), next = atomic_load(at);

	return now >= next &&
	    atomic_compare_exchange_strong(at, &next, now + us);
}

static const struct key_set *
in_use(bool now)
{
	if (now || is_time(&next_look, LOOK_US)) {
		pthread_mutex_lock(&lock);
		(void)look_again();
		pthread_mutex_unlock(&lock);
	}
	return atomic_load(&current);
}

void
pay_key_again(void)
{
	(void)in_use(true);
}

static const struct one_key *
find(const struct key_set *set, const char *serial, int64_t now)
{
	int	i;

	for (i = 0; i < set->count; i++)
		if (strcasecmp(set->key[i].name, serial) == 0 &&
		    now < set->key[i].until)
			return &set->key[i];
	return NULL;
}

EVP_PKEY *
pay_key_theirs(const char *serial, int64_t now)
{
	const struct one_key	*one = find(in_use(false), serial, now);

	if (one == NULL && is_time(&next_soon, SOON_US))
		one = find(in_use(true), serial, now);
	return one != NULL ? one->key : NULL;
}

const char *
pay_key_wanted(int64_t now)
{
	const struct key_set	*set = in_use(false);
	const struct one_key	*best = NULL, *one;
	int			 i;

	if (used->pay_platform_serial[0] != '\0')
		return used->pay_platform_serial;
	for (i = 0; i < set->count; i++) {
		one = &set->key[i];
		if (now >= one->until)
			continue;
		if (best == NULL || (best->certificate && !one->certificate) ||
		    (best->certificate == one->certificate &&
		    one->since > best->since))
			best = one;
	}
	return best != NULL ? best->name : NULL;
}

bool
pay_key_has_certificate(void)
{
	const struct key_set	*set = in_use(false);
	int			 i;

	for (i = 0; i < set->count; i++)
		if (set->key[i].certificate)
			return true;
	return false;
}

/* ---- ours ---- */

static const char *
load_own(const char *path)
{
	char		 pem[PEM_MAX];
	const char	*why;
	size_t		 n;

	if ((why = wechat_private(path, pem, sizeof(pem), &n)) == NULL) {
		EVP_PKEY_free(own);
		own = pay_key_private(pem, n);
		if (own == NULL)
			why = "holds no RSA key of 2048 bits or more without"
			    " a password";
	}
	OPENSSL_cleanse(pem, sizeof(pem));
	return why;
}

static const char *
load_apiv3(const char *path)
{
	char		*text = (char *)apiv3;
	const char	*why;
	size_t		 n;

	if ((why = wechat_private(path, text, sizeof(apiv3), &n)) != NULL)
		return why;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && text[n - 1] == '\r')
		n--;
	return n == PAY_APIV3_BYTES ? NULL : "does not hold 32 characters";
}

/* What is wrong with the words of [pay], or NULL; `key` names it. */
static const char *
judge(const struct conf *c, const char **key)
{
	const char	*why;

	*key = "pay_mchid";
	if (strspn(c->pay_mchid, "0123456789") != strlen(c->pay_mchid))
		return "is not a number";
	*key = "pay_serial";
	if (c->pay_serial[0] == '\0' || strlen(c->pay_serial) > 40 ||
	    strspn(c->pay_serial, "0123456789abcdefABCDEF") !=
	    strlen(c->pay_serial))
		return "is not the serial number of a certificate";
	*key = "pay_url";
	if ((why = wechat_address(c->pay_url)) != NULL)
		return why;
	*key = "pay_notify_url";
	if ((why = wechat_address(c->pay_notify_url)) != NULL)
		return why;
	*key = "pay_sub_mchid";
	if (strcmp(c->pay_mode, "partner") == 0 &&
	    (c->pay_sub_mchid[0] == '\0' || strspn(c->pay_sub_mchid,
	    "0123456789") != strlen(c->pay_sub_mchid)))
		return "is not a number";
	*key = "pay_sub_appid";
	if (c->pay_sub_appid[0] != '\0' &&
	    strcmp(c->pay_sub_appid, c->wechat_appid) != 0)
		return "is not wechat_appid: residents could not pay";
	if (strcmp(c->pay_mode, "partner") == 0 &&
	    c->pay_sub_appid[0] == '\0' && c->pay_sp_appid[0] != '\0' &&
	    strcmp(c->pay_sp_appid, c->wechat_appid) != 0)
		return "is empty while pay_sp_appid is another's: residents"
		    " could not pay";
	return NULL;
}

enum err
pay_init(const struct conf *conf)
{
	const char	*why, *key;
	char		 name[256];

	used = NULL;
	if (conf->pay_mchid[0] == '\0')
		return OK;
	if (!wechat_library())
		return ERR_INTERNAL;
	if ((why = judge(conf, &key)) == NULL) {
		key = conf->pay_key_file;
		why = load_own(key);
	}
	if (why == NULL) {
		key = conf->pay_apiv3_file;
		why = load_apiv3(key);
	}
	if (why != NULL) {
		log_error("pay init=failed of=%s why=\"%s\"",
		    log_quote(key, name, sizeof(name)), why);
		return ERR_INTERNAL;
	}
	used = conf;
	pthread_mutex_lock(&lock);
	atomic_store(&current, NULL);
	refused_print = 0;
	if (!look_again())
		used = NULL;
	pthread_mutex_unlock(&lock);
	return used != NULL ? OK : ERR_INTERNAL;
}
