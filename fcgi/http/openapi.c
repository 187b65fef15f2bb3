/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi.c -- the API described from the tables that run it.
 *
 * The order is that of the registration and the text is indented, so that
 * the checked-in copy can be compared line by line.
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/view.h"

#include "http/acting.h"
#include "http/field.h"
#include "http/json.h"
#include "http/openapi_internal.h"
#include "http/route.h"

#define TEXT_MAX	(16 * 1024 * 1024)
#define KEY_PARAMETER	"#/components/parameters/IdempotencyKey"
#define ACT_PARAMETER	"#/components/parameters/ActingFor"

static void
put_info(struct json *j)
{
	json_put_text(j, "openapi", "3.1.0");
	json_key(j, "info");
	json_open(j);
	json_put_text(j, "title", "01 Planet");
	json_put_text(j, "version", PACKAGE_VERSION);
	json_put_text(j, "description", "Back end of a community's "
	    "WeChat mini-program. Ids are strings of digits, money is in "
	    "fen, times are RFC 3339, lists are paged by ?after=.");
	json_key(j, "license");
	json_open(j);
	json_put_text(j, "name", "Apache-2.0");
	json_put_text(j, "identifier", "Apache-2.0");
	json_close(j);
	json_close(j);
	json_key(j, "servers");
	json_raw(j, "[{\"url\":\"/\",\"description\":\"this host\"}]");
	json_key(j, "security");
	json_raw(j, "[{\"session\":[]}]");
}

/* True when no earlier row has this tag. */
static bool
new_tag(int i, const char *tag)
{
	const char *other;

	while (--i >= 0)
		if (route_at(i, &other) != NULL && strcmp(other, tag) == 0)
			return false;
	return true;
}

static void
put_tags(struct json *j)
{
	char about[96];
	const char *tag;
	int i;

	json_key(j, "tags");
	json_list(j);
	for (i = 0; route_at(i, &tag) != NULL; i++) {
		if (!new_tag(i, tag))
			continue;
		snprintf(about, sizeof(about), "Routes of %s", tag);
		json_open(j);
		json_put_text(j, "name", tag);
		json_put_text(j, "description", about);
		json_close(j);
	}
	json_unlist(j);
}

/* water_post_orders_id_event: tag, method, words of the path. */
static void
put_operation_id(struct json *j, const struct route *r, const char *tag)
{
	static const char base[] = "/api/v1";
	char id[256];
	const char *p = r->path;
	size_t n;

	if (strncmp(p, base, sizeof(base) - 1) == 0)
		p += sizeof(base) - 1;
	n = (size_t)snprintf(id, sizeof(id), "%s_%s", tag,
	    method_name(r->method));
	for (; *p != '\0' && n < sizeof(id) - 2; p++) {
		if (strchr("/-.", *p) != NULL)
			id[n++] = '_';
		else if (*p != '{' && *p != '}')
			id[n++] = *p;
	}
	id[n] = '\0';
	for (n = 0; id[n] != '\0'; n++)
		if (id[n] >= 'A' && id[n] <= 'Z')
			id[n] = (char)(id[n] - 'A' + 'a');
	json_put_text(j, "operationId", id);
}

/* The rights with one of which it may be done for another. */
static void
put_acting(struct json *j, uint64_t who)
{
	int i;

	json_key(j, "x-acting");
	json_list(j);
	for (i = 0; acting_rights[i] != NULL; i++)
		if (who & (ACT_WATER << i))
			json_text(j, acting_rights[i]);
	json_unlist(j);
}

static void
put_who(struct json *j, const struct route *r)
{
	int i;

	if (r->who == ANYONE || r->who == LOOPBACK) {
		json_key(j, "security");
		json_raw(j, "[]");
	}
	json_key(j, "x-roles");
	json_list(j);
	if (r->who == ANYONE)
		json_text(j, "anyone");
	else if (r->who == LOOPBACK)
		json_text(j, "loopback");
	else if (r->who == LOGGED_IN)
		json_text(j, "logged_in");
	for (i = 0; i < ROLE__COUNT; i++)
		if (r->who >> i & 1)
			json_text(j, role_names[i]);
	json_unlist(j);
	if (r->who != ANYONE && r->who != LOOPBACK &&
	    (r->who & ACT__ALL) != 0)
		put_acting(j, r->who);
	json_put_text(j, "x-pool", r->pool == POOL_SLOW ? "slow" : "api");
}

static void
put_parameter(struct json *j, const struct field *f, bool path)
{
	json_open(j);
	json_put_text(j, "name", f->name);
	json_put_text(j, "in", path ? "path" : "query");
	json_put_bool(j, "required", path || (f->flags & FIELD_MUST));
	json_key(j, "schema");
	openapi_field(j, f);
	json_close(j);
}

static bool
takes_key(const struct route *r)
{
	return r->method == POST && r->tx == TX_WRITE && r->who != ANYONE &&
	    r->who != LOOPBACK;
}

/* One more of the parameters; `any` when there are some before it. */
static bool
put_shared(struct json *j, const char *ref, bool any)
{
	if (!any) {
		json_key(j, "parameters");
		json_list(j);
	}
	json_open(j);
	json_put_text(j, "$ref", ref);
	json_close(j);
	return true;
}

static void
put_parameters(struct json *j, const struct route *r)
{
	bool query = r->method == GET || r->method == DELETE, path;
	const struct field *f;
	bool any = false;

	for (f = r->in ? r->in->fields : NULL; f != NULL && f->name != NULL;
	    f++) {
		path = openapi_in_path(r, f);
		if (!path && !query)
			continue;
		if (!any) {
			json_key(j, "parameters");
			json_list(j);
			any = true;
		}
		put_parameter(j, f, path);
	}
	if (takes_key(r))
		any = put_shared(j, KEY_PARAMETER, any);
	if ((r->who & ACT__ALL) != 0)
		any = put_shared(j, ACT_PARAMETER, any);
	if (any)
		json_unlist(j);
}

static void
put_content(struct json *j, const char *type, const char *schema,
    const char *tail)
{
	char ref[160];

	json_key(j, "content");
	json_open(j);
	json_key(j, type);
	json_open(j);
	json_key(j, "schema");
	json_open(j);
	if (schema == NULL)
		json_put_text(j, "type", "string");
	else {
		snprintf(ref, sizeof(ref), "#/components/schemas/%s%s",
		    schema, tail);
		json_put_text(j, "$ref", ref);
	}
	json_close(j);
	json_close(j);
	json_close(j);
}

/* A form with a file beside its fields. */
static void
put_form(struct json *j, const struct route *r)
{
	const struct field *f;

	json_key(j, "requestBody");
	json_open(j);
	json_put_bool(j, "required", true);
	json_key(j, "content");
	json_open(j);
	json_key(j, "multipart/form-data");
	json_open(j);
	json_key(j, "schema");
	json_open(j);
	json_put_text(j, "type", "object");
	json_key(j, "required");
	json_list(j);
	json_text(j, "file");
	for (f = r->in->fields; f->name != NULL; f++)
		if (f->flags & FIELD_MUST)
			json_text(j, f->name);
	json_unlist(j);
	json_key(j, "properties");
	json_open(j);
	json_key(j, "file");
	json_raw(j, "{\"type\":\"string\",\"contentMediaType\":"
	    "\"application/octet-stream\"}");
	for (f = r->in->fields; f->name != NULL; f++) {
		json_key(j, f->name);
		openapi_field(j, f);
	}
	json_close(j);
	json_close(j);
	json_close(j);
	json_close(j);
	json_close(j);
}

static void
put_body(struct json *j, const struct route *r)
{
	if (r->in != NULL && r->in->upload) {
		put_form(j, r);
		return;
	}
	if (!openapi_has_body(r))
		return;
	json_key(j, "requestBody");
	json_open(j);
	json_put_bool(j, "required", openapi_must_body(r));
	put_content(j, "application/json", r->in->name, "");
	json_close(j);
}

static void
put_problem(struct json *j, const char *status)
{
	json_key(j, status);
	json_open(j);
	json_put_text(j, "$ref", "#/components/responses/Problem");
	json_close(j);
}

static void
put_problems(struct json *j, const struct route *r)
{
	bool session = r->who != ANYONE && r->who != LOOPBACK;
	bool body = openapi_has_body(r);

	put_problem(j, "400");
	if (session || r->pool == POOL_SLOW)
		put_problem(j, "401");
	if (r->who != ANYONE || r->pool == POOL_SLOW ||
	    (r->in != NULL && r->in->raw))
		put_problem(j, "403");
	put_problem(j, "404");
	if (r->tx != TX_READ)
		put_problem(j, "409");
	if (body) {
		put_problem(j, "413");
		put_problem(j, "415");
	}
	put_problem(j, "422");
	put_problem(j, "429");
	put_problem(j, "500");
	if (r->pool == POOL_SLOW)
		put_problem(j, "502");
	put_problem(j, "503");
	put_problem(j, "default");
}

/* The forms a document may have; what is in it is not described. */
static void
put_files(struct json *j)
{
	static const char *const types[] = { "application/json", "text/html",
	    "text/csv", ("application/vnd.openxmlformats-officedocument."
	    "spreadsheetml.sheet") };
	size_t i;

	json_key(j, "content");
	json_open(j);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		json_key(j, types[i]);
		json_raw(j, "{}");
	}
	json_close(j);
}

static void
put_responses(struct json *j, const struct route *r)
{
	char status[8];

	json_key(j, "responses");
	json_open(j);
	snprintf(status, sizeof(status), "%d", r->status);
	json_key(j, status);
	json_open(j);
	json_put_text(j, "description", r->reply == REPLY_NONE ?
	    "Done; nothing to say" : "Done");
	if (r->reply == REPLY_ONE)
		put_content(j, "application/json", r->out->name, "");
	else if (r->reply == REPLY_LIST)
		put_content(j, "application/json", r->out->name, "List");
	else if (r->reply == REPLY_TEXT)
		put_content(j, "text/plain", NULL, "");
	else if (r->reply == REPLY_FILE)
		put_files(j);
	json_close(j);
	put_problems(j, r);
	json_close(j);
}

static void
put_operation(struct json *j, const struct route *r, const char *tag)
{
	static const char *const names[] = { [GET] = "get", [POST] = "post",
		[PATCH] = "patch", [PUT] = "put", [DELETE] = "delete" };

	json_key(j, names[r->method]);
	json_open(j);
	put_operation_id(j, r, tag);
	json_key(j, "tags");
	json_list(j);
	json_text(j, tag);
	json_unlist(j);
	json_put_text(j, "summary", r->about);
	put_who(j, r);
	put_parameters(j, r);
	put_body(j, r);
	put_responses(j, r);
	json_close(j);
}

static bool
new_path(int i, const char *path)
{
	while (--i >= 0)
		if (strcmp(route_at(i, NULL)->path, path) == 0)
			return false;
	return true;
}

static void
put_paths(struct json *j)
{
	const struct route *r, *other;
	const char *tag;
	int i, k;

	json_key(j, "paths");
	json_open(j);
	for (i = 0; (r = route_at(i, NULL)) != NULL; i++) {
		if (!new_path(i, r->path))
			continue;
		json_key(j, r->path);
		json_open(j);
		for (k = i; (other = route_at(k, &tag)) != NULL; k++)
			if (strcmp(other->path, r->path) == 0)
				put_operation(j, other, tag);
		json_close(j);
	}
	json_close(j);
}

/* The headers that some route takes. */
static void
put_headers(struct json *j)
{
	const struct route *r;
	bool key = false, act = false;
	int i;

	for (i = 0; (r = route_at(i, NULL)) != NULL; i++) {
		key |= takes_key(r);
		act |= (r->who & ACT__ALL) != 0;
	}
	if (!key && !act)
		return;
	json_key(j, "parameters");
	json_open(j);
	if (key) {
		json_key(j, "IdempotencyKey");
		json_raw(j, "{\"name\":\"Idempotency-Key\",\"in\":"
		    "\"header\",\"required\":false,\"description\":\"The "
		    "same key gets the first reply\",\"schema\":{\"type\":"
		    "\"string\",\"minLength\":1,\"maxLength\":64,"
		    "\"pattern\":\"^[!-~]+$\"}}");
	}
	if (act) {
		json_key(j, "ActingFor");
		json_raw(j, "{\"name\":\"Acting-For\",\"in\":\"header\","
		    "\"required\":false,\"description\":\"The id of a "
		    "helper's grant: done for the one who gave it\","
		    "\"schema\":{\"type\":\"string\",\"pattern\":"
		    "\"^[1-9][0-9]{0,18}$\"}}");
	}
	json_close(j);
}

static bool
put_components(struct json *j)
{
	bool good;

	json_key(j, "components");
	json_open(j);
	json_key(j, "securitySchemes");
	json_raw(j, "{\"session\":{\"type\":\"http\",\"scheme\":\"bearer\","
	    "\"description\":\"token of POST /api/v1/sessions\"}}");
	put_headers(j);
	json_key(j, "responses");
	json_open(j);
	json_key(j, "Problem");
	json_open(j);
	json_put_text(j, "description", "What went wrong, and what to do");
	put_content(j, "application/problem+json", "Problem", "");
	json_close(j);
	json_close(j);
	json_key(j, "schemas");
	json_open(j);
	good = openapi_schemas(j);
	json_close(j);
	json_close(j);
	return good;
}

static void
new_line(FILE *f, int depth)
{
	fputc('\n', f);
	while (depth-- > 0)
		fputs("  ", f);
}

/* Compact JSON of our own writer, indented by two. */
static void
print_indented(FILE *f, const char *s)
{
	bool text = false;
	int depth = 0;

	for (; *s != '\0'; s++) {
		if (text) {
			fputc(*s, f);
			if (*s == '\\' && s[1] != '\0')
				fputc(*++s, f);
			else if (*s == '"')
				text = false;
			continue;
		}
		if (*s == '}' || *s == ']')
			new_line(f, --depth);
		fputc(*s, f);
		text = *s == '"';
		if (*s == ':')
			fputc(' ', f);
		else if (*s == ',')
			new_line(f, depth);
		else if ((*s == '{' || *s == '[') && s[1] == *s + 2)
			fputc(*++s, f);
		else if (*s == '{' || *s == '[')
			new_line(f, ++depth);
	}
	fputc('\n', f);
}

enum err
openapi_print(FILE *f)
{
	struct json j;
	struct buf b;
	bool good;

	buf_init(&b, TEXT_MAX);
	json_init(&j, &b);
	json_open(&j);
	put_info(&j);
	put_tags(&j);
	put_paths(&j);
	good = put_components(&j);
	json_close(&j);
	if (!json_done(&j) || b.over) {
		log_error("event=openapi reason=grammar");
		good = false;
	}
	if (good)
		print_indented(f, buf_text(&b));
	buf_free(&b);
	return good && !ferror(f) ? OK : ERR_INTERNAL;
}
