/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_nginx.c -- nginx's configuration, printed from the route table.
 *
 * Which pool serves a request is one map on "METHOD:path"; what is in no
 * row goes to the api pool, which answers 404 or 405.  What nginx itself
 * refuses reads like the worker's refusals: the texts are err.def's.
 * Paths and texts come from our own tables; a character that nginx would
 * read as syntax stops the printing.
 */
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/err.h"
#include "http/field.h"
#include "http/reply.h"
#include "http/route.h"

#include "ctl_nginx.h"

/* Seconds for what stands behind nginx, over a request's own deadline. */
#define GRACE_S		5
/* An old nginx worker is given this long to end its requests. */
#define SHUTDOWN_S	30

/* An answer of nginx's own, in the words of one of our errors. */
struct page {
	const char	*when;		/* nginx's statuses */
	enum err	 err;
};

static const struct page pages[] = {
	{ "400 408 414",	ERR_MALFORMED },
	{ "403",		ERR_FORBIDDEN },
	{ "404",		ERR_ABSENT },
	{ "405",		ERR_METHOD },
	{ "413",		ERR_TOO_LARGE },
	{ "429",		ERR_LIMITED },
	{ "500",		ERR_INTERNAL },
	{ "502 503 504",	ERR_AWAY },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static bool
is_slow(const struct route *rt)
{
	return rt->pool == POOL_SLOW;
}

static bool
has_parameter(const char *path)
{
	return strchr(path, '{') != NULL;
}

/* Length of the segment that starts at `s`, which is after a slash. */
static size_t
segment(const char *s)
{
	return strcspn(s, "/");
}

/* Whether some path fits both patterns. */
static bool
overlap(const char *a, const char *b)
{
	size_t na, nb;

	for (; *a == '/' && *b == '/'; a += na, b += nb) {
		na = segment(++a);
		nb = segment(++b);
		if (*a == '{' || *b == '{')
			continue;
		if (na != nb || strncmp(a, b, na) != 0)
			return false;
	}
	return *a == '\0' && *b == '\0';
}

/* Whether a row of the slow pool could take what is meant for `rt`. */
static bool
is_shadowed(const struct route *rt)
{
	const struct route *other;
	int i;

	for (i = 0; (other = route_at(i, NULL)) != NULL; i++)
		if (is_slow(other) && other->method == rt->method &&
		    overlap(other->path, rt->path))
			return true;
	return false;
}

/* Whether `rt` is narrower than `other` where both fit: literal first. */
static bool
is_narrower(const struct route *rt, const struct route *other)
{
	const char *a = rt->path, *b = other->path;

	while (*a == '/' && *b == '/') {
		a++;
		b++;
		if ((*a == '{') != (*b == '{'))
			return *b == '{';
		a += segment(a);
		b += segment(b);
	}
	return false;
}

/* How many rows with parameters must stand before `rt` in the map. */
static int
rank(const struct route *rt)
{
	const struct route *other;
	int i, n = 0;

	for (i = 0; (other = route_at(i, NULL)) != NULL; i++)
		if (has_parameter(other->path) &&
		    other->method == rt->method &&
		    overlap(other->path, rt->path) && is_narrower(other, rt))
			n++;
	return n;
}

static void
print_pattern(FILE *fp, const struct route *rt)
{
	const char *p = rt->path;
	size_t n;

	fprintf(fp, "~^%s:", method_name(rt->method));
	while (*p == '/') {
		n = segment(++p);
		if (*p == '{')
			fprintf(fp, "/[^/]+");
		else
			fprintf(fp, "/%.*s", (int)n, p);
		p += n;
	}
	fprintf(fp, "$");
}

static void
print_map_row(FILE *fp, const struct route *rt)
{
	fprintf(fp, "\t\"");
	if (has_parameter(rt->path))
		print_pattern(fp, rt);
	else
		fprintf(fp, "%s:%s", method_name(rt->method), rt->path);
	fprintf(fp, "\" %s;\n", is_slow(rt) ? "planet_slow" : "planet_api");
}

/*
 * Rows of the slow pool, and those of the api pool that they would take.
 * nginx tries exact rows first and patterns in the order they stand, so
 * that of two patterns the narrower must come first.
 */
static void
print_map(FILE *fp)
{
	const struct route *rt;
	int i, pass, most = 0;

	fprintf(fp, "map_hash_bucket_size 256;\n"
	    "map \"$request_method:$uri\" $planet_pool {\n"
	    "\tdefault planet_api;\n");
	for (pass = 0; pass <= most; pass++)
		for (i = 0; (rt = route_at(i, NULL)) != NULL; i++) {
			if (!is_slow(rt) && !is_shadowed(rt))
				continue;
			if (rank(rt) > most)
				most = rank(rt);
			if (rank(rt) == pass)
				print_map_row(fp, rt);
		}
	fprintf(fp, "}\n");
}

/*
 * How long nginx keeps a connection to a worker: for less than a worker
 * that was told to end waits.  It is nginx that must close it, for only
 * nginx knows whether it has just sent something on it.
 */
static int64_t
keep_ms(const struct conf *cf)
{
	return cf->drain_ms * 2 / 5;
}

int64_t
ctl_nginx_keep(const struct conf *cf, int64_t threads)
{
	int64_t keep = threads * 2 / cf->nginx_workers;

	if (keep_ms(cf) == 0)
		return 0;
	return keep > 0 ? keep : 1;
}

static void
print_upstream(FILE *fp, const struct conf *cf, const char *pool,
    int64_t threads)
{
	int64_t keep = ctl_nginx_keep(cf, threads);
	int64_t ms = keep_ms(cf);

	fprintf(fp, "upstream planet_%s {\n"
	    "\tserver \"unix:%s/%s-%s.sock\";\n",
	    pool, cf->run_dir, pool, cf->generation);
	if (keep > 0)
		fprintf(fp, "\t# Of each nginx worker; all together two for"
		    " each of %lld threads.\n"
		    "\tkeepalive %lld;\n"
		    "\tkeepalive_requests 1000000;\n"
		    "\tkeepalive_time %lldms;\n"
		    "\tkeepalive_timeout %lldms;\n",
		    (long long)threads, (long long)keep, (long long)ms,
		    (long long)ms);
	fprintf(fp, "}\n");
}

static void
print_http(FILE *fp, const struct conf *cf)
{
	fprintf(fp, "# Pools.\n");
	print_upstream(fp, cf, "api", cf->api_threads);
	print_upstream(fp, cf, "slow", cf->slow_threads);
	fprintf(fp, "\n# Which pool serves what; see planetctl routes.\n");
	print_map(fp);
	/*
	 * Thousands of phones share one address of a mobile network; what
	 * one resident may do is the worker's to count.
	 */
	fprintf(fp, "\n# Limits of one address; this machine has none.\n"
	    "geo $planet_stranger {\n"
	    "\tdefault 1;\n\t127.0.0.1 0;\n\t::1 0;\n}\n"
	    "map $planet_stranger $planet_address {\n"
	    "\t0 \"\";\n\tdefault $binary_remote_addr;\n}\n"
	    "limit_req_zone $planet_address zone=planet_req:10m"
	    " rate=200r/s;\n"
	    "limit_conn_zone $planet_address zone=planet_conn:10m;\n");
}

static void
print_pages(FILE *fp)
{
	size_t i;

	fprintf(fp, "\n# What nginx refuses by itself.\n");
	for (i = 0; i < COUNT(pages); i++)
		fprintf(fp, "error_page %s =%d /_planet/%s;\n",
		    pages[i].when, err_info(pages[i].err)->status,
		    err_info(pages[i].err)->code);
}

/* One answer.  add_header here replaces the server's, so all stand here. */
static void
print_page(FILE *fp, const struct page *page)
{
	const struct err_info *e = err_info(page->err);

	fprintf(fp, "location = /_planet/%s {\n"
	    "\tinternal;\n"
	    "\tclient_max_body_size 0;\n"
	    "\tdefault_type application/problem+json;\n"
	    "\tadd_header X-Request-Id $request_id always;\n"
	    "\tadd_header X-Content-Type-Options nosniff always;\n"
	    "\tadd_header Cache-Control no-store always;\n", e->code);
	if (e->retry_after > 0)
		fprintf(fp, "\tadd_header Retry-After %d always;\n",
		    e->retry_after);
	fprintf(fp, "\treturn %d '{\"type\":\"" REPLY_TYPE_BASE "%s\","
	    "\"title\":\"%s\",\"status\":%d,\"code\":\"%s\","
	    "\"detail\":\"%s\",\"request_id\":\"$request_id\"}';\n}\n",
	    e->status, e->code, e->title, e->status, e->code, e->detail);
}

static void
print_passing(FILE *fp, const struct conf *cf)
{
	static const char *const params[] = {
		"REQUEST_METHOD $request_method",
		"DOCUMENT_URI $uri",
		"QUERY_STRING $query_string",
		"CONTENT_TYPE $content_type if_not_empty",
		"CONTENT_LENGTH $content_length if_not_empty",
		"REMOTE_ADDR $remote_addr",
		"REQUEST_ID $request_id",
		"HTTP_AUTHORIZATION $http_authorization if_not_empty",
		"HTTP_USER_AGENT $http_user_agent if_not_empty",
		"HTTP_IDEMPOTENCY_KEY $http_idempotency_key if_not_empty",
		"HTTP_ACTING_FOR $http_acting_for if_not_empty",
		"HTTP_WECHATPAY_TIMESTAMP $http_wechatpay_timestamp"
		    " if_not_empty",
		"HTTP_WECHATPAY_NONCE $http_wechatpay_nonce if_not_empty",
		"HTTP_WECHATPAY_SIGNATURE $http_wechatpay_signature"
		    " if_not_empty",
		"HTTP_WECHATPAY_SERIAL $http_wechatpay_serial if_not_empty",
	};
	size_t i;

	fprintf(fp, "\n# What a worker is told, and nothing else.\n"
	    "fastcgi_pass_request_headers off;\n");
	for (i = 0; i < COUNT(params); i++)
		fprintf(fp, "fastcgi_param %s;\n", params[i]);
	fprintf(fp, "fastcgi_hide_header X-Request-Id;\n"
	    "fastcgi_hide_header X-Content-Type-Options;\n"
	    "fastcgi_keep_conn on;\n"
	    "fastcgi_connect_timeout 2s;\n"
	    "fastcgi_send_timeout 10s;\n"
	    "fastcgi_read_timeout %llds;\n",
	    (long long)(cf->request_ms + 999) / 1000 + GRACE_S);
	/* A kept connection may be dead; a POST is never sent twice. */
	fprintf(fp, "fastcgi_next_upstream error;\n"
	    "fastcgi_next_upstream_tries 2;\n"
	    "fastcgi_ignore_client_abort on;\n"
	    "fastcgi_buffer_size 16k;\n"
	    "fastcgi_buffers 16 16k;\n"
	    "fastcgi_busy_buffers_size 64k;\n"
	    "fastcgi_max_temp_file_size 0;\n");
}

static void
print_limits(FILE *fp, const struct conf *cf)
{
	fprintf(fp, "\n# Bodies stay in memory; the workers take no more.\n"
	    "client_max_body_size %lld;\n"
	    "client_body_buffer_size %lld;\n"
	    "client_header_timeout 15s;\n"
	    "client_body_timeout 15s;\n"
	    "send_timeout 30s;\n"
	    "keepalive_timeout 65s;\n"
	    "keepalive_requests 1000000;\n"
	    "large_client_header_buffers 4 8k;\n"
	    "limit_req zone=planet_req burst=1000 nodelay;\n"
	    "limit_req_status 429;\n"
	    "limit_conn planet_conn 1000;\n"
	    "limit_conn_status 429;\n",
	    (long long)cf->body_max, (long long)cf->body_max + 1);
}

static void
print_headers(FILE *fp)
{
	fprintf(fp, "\nserver_tokens off;\n"
	    "add_header X-Request-Id $request_id always;\n"
	    "add_header X-Content-Type-Options nosniff always;\n"
	    "\ngzip on;\n"
	    "gzip_comp_level 1;\n"
	    "gzip_min_length 1024;\n"
	    "gzip_vary on;\n"
	    "gzip_types application/json application/problem+json;\n");
}

/* A row outside /api/ has its own location. */
static void
print_location(FILE *fp, const struct route *rt)
{
	static const char fence[] = "\tallow 127.0.0.1;\n\tallow ::1;\n"
	    "\tdeny all;\n";
	bool fenced = (rt->who & LOOPBACK) != 0;

	fprintf(fp, "location = %s {\n%s\tfastcgi_pass $planet_pool;\n}\n",
	    rt->path, fenced ? fence : "");
	if (fenced)
		fprintf(fp, "location = %s/slow {\n%s"
		    "\trewrite ^ %s break;\n"
		    "\tfastcgi_pass planet_slow;\n}\n",
		    rt->path, fence, rt->path);
}

/* A form with a file: larger, and rather on the disk than in memory. */
static void
print_upload(FILE *fp, const struct conf *cf, const struct route *rt)
{
	fprintf(fp, "location = %s {\n"
	    "\tclient_max_body_size %lld;\n"
	    "\tclient_body_buffer_size 64k;\n"
	    "\tclient_body_timeout 60s;\n"
	    "\tfastcgi_pass $planet_pool;\n}\n",
	    rt->path, (long long)cf->upload_max + 65536);
}

static bool
is_api(const struct route *rt)
{
	return strncmp(rt->path, "/api/", 5) == 0;
}

static void
print_server(FILE *fp, const struct conf *cf)
{
	const struct route *rt;
	size_t p;
	int i;

	fprintf(fp, "default_type application/octet-stream;\n");
	print_limits(fp, cf);
	print_headers(fp);
	print_passing(fp, cf);
	fprintf(fp, "\nlocation / {\n\treturn 404;\n}\n"
	    "location = /api {\n\treturn 404;\n}\n"
	    "location /api/ {\n\tfastcgi_pass $planet_pool;\n}\n");
	for (i = 0; (rt = route_at(i, NULL)) != NULL; i++)
		if (!is_api(rt))
			print_location(fp, rt);
		else if (rt->in != NULL && rt->in->upload)
			print_upload(fp, cf, rt);
	print_pages(fp);
	for (p = 0; p < COUNT(pages); p++)
		print_page(fp, &pages[p]);
}

/* Outside http {}: as scripts/run wants it, under its own prefix. */
static void
print_main(FILE *fp, const struct conf *cf)
{
	static const char *const kinds[] = { "client_body", "fastcgi",
		"proxy", "scgi", "uwsgi" };
	size_t i;

	fprintf(fp, "# Printed by planetctl nginx; changes here are lost.\n");
	/* Debian's account for it; only root may change to another. */
	if (geteuid() == 0 && getgrnam("www-data") != NULL)
		fprintf(fp, "user www-data;\n");
	fprintf(fp, "daemon off;\n"
	    "pid nginx.pid;\n"
	    "# Lines about a request have its address: no route takes a phone"
	    "\n# number or a secret in its query.\n"
	    "error_log stderr warn;\n"
	    "worker_processes %lld;\n"
	    "worker_rlimit_nofile 8192;\n"
	    "worker_shutdown_timeout %ds;\n"
	    "events {\n\tworker_connections 4096;\n}\n"
	    "http {\n"
	    "access_log off;\n"
	    "tcp_nodelay on;\n"
	    "reset_timedout_connection on;\n",
	    (long long)cf->nginx_workers, SHUTDOWN_S);
	for (i = 0; i < COUNT(kinds); i++)
		fprintf(fp, "%s_temp_path tmp/%s;\n", kinds[i], kinds[i]);
}

static void
print_all(FILE *fp, const struct conf *cf)
{
	print_main(fp, cf);
	fprintf(fp, "\n");
	print_http(fp, cf);
	fprintf(fp, "\nserver {\nlisten %s;\n", cf->listen);
	print_server(fp, cf);
	fprintf(fp, "}\n}\n");
}

/* Whether `s` has none of what nginx would read as its own. */
static bool
is_free(const char *what, const char *s, const char *none)
{
	if (s[strcspn(s, none)] == '\0')
		return true;
	fprintf(stderr, "planetctl: nginx cannot read this %s: %s\n",
	    what, s);
	return false;
}

static bool
tables_fit(void)
{
	const struct err_info *e;
	const struct route *rt;
	size_t p;
	int i;

	for (i = 0; (rt = route_at(i, NULL)) != NULL; i++)
		if (!is_free("route", rt->path, " \t\n\"'\\;$.*+?()[]|^~"))
			return false;
	for (p = 0; p < COUNT(pages); p++) {
		e = err_info(pages[p].err);
		if (!is_free("text", e->title, "\n\"'\\$") ||
		    !is_free("text", e->detail, "\n\"'\\$"))
			return false;
	}
	return true;
}

static bool
conf_fits(const struct conf *cf)
{
	return is_free("run_dir", cf->run_dir, "\n\"\\$") &&
	    is_free("generation", cf->generation, " \t\n\"'\\;$/") &&
	    is_free("listen", cf->listen, " \t\n\"'\\;${}");
}

int
ctl_nginx(const struct conf *cf, const char *part, FILE *fp)
{
	if (!tables_fit() || !conf_fits(cf))
		return 1;
	if (part == NULL || strcmp(part, "all") == 0)
		print_all(fp, cf);
	else if (strcmp(part, "http") == 0)
		print_http(fp, cf);
	else if (strcmp(part, "server") == 0)
		print_server(fp, cf);
	else {
		fprintf(stderr, "planetctl: nginx prints all, http or "
		    "server, not %s\n", part);
		return 1;
	}
	if (fflush(fp) != 0 || ferror(fp)) {
		fprintf(stderr, "planetctl: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
