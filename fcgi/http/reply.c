/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c -- what goes back: head, and the body when something failed.
 *
 * Problems are RFC 9457; their `type` is an identifier, not an address
 * that anyone must answer at.
 */
#include "base/arena.h"
#include "base/buf.h"

#include "http/json.h"
#include "http/reply.h"
#include "http/req.h"

static const struct {
	int		 status;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" },
	{ 204, "No Content" }, { 400, "Bad Request" },
	{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 409, "Conflict" },
	{ 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
	{ 500, "Internal Server Error" }, { 502, "Bad Gateway" },
	{ 503, "Service Unavailable" }
};

static const char *
reason(int status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

bool
reply_sound(const struct req *rq)
{
	if (arena_over(rq->arena) || rq->out->over)
		return false;
	if (rq->replayed)
		return true;
	switch (rq->route->reply) {
	case REPLY_ONE:
	case REPLY_LIST:
		return rq->written && json_done(&rq->json);
	case REPLY_NONE:
		return rq->out->len == 0;
	case REPLY_FILE:
		return rq->content != NULL;
	default:
		return true;
	}
}

void
reply_success(struct req *rq)
{
	if (rq->status == 0)
		rq->status = rq->route->status;
	if (rq->content == NULL)
		rq->content = rq->route->reply == REPLY_TEXT ? REPLY_PLAIN :
		    REPLY_JSON;
}

static void
put_faults(struct json *j, const struct req_fault *f)
{
	json_key(j, "fields");
	json_list(j);
	for (; f != NULL; f = f->next) {
		json_open(j);
		json_put_text(j, "field", f->field);
		json_put_text(j, "code", f->code);
		json_put_text(j, "detail", f->detail);
		json_close(j);
	}
	json_unlist(j);
}

void
reply_problem(struct req *rq, enum err e)
{
	const struct err_info *info;
	struct json *j;

	if (rq->err == OK)
		rq->err = e;
	info = err_info(rq->err);
	rq->status = info->status;
	rq->content = REPLY_PROBLEM;
	rq->download = NULL;
	rq->from_file = false;
	rq->replayed = false;
	if (rq->retry_after == 0)
		rq->retry_after = info->retry_after;
	if (rq->retry_after == 0 && (info->status == 429 ||
	    info->status == 503))
		rq->retry_after = 1;
	rq->out->over = false;
	j = req_json(rq);
	json_open(j);
	json_put_text(j, "type", arena_fmt(rq->arena, REPLY_TYPE_BASE "%s",
	    info->code));
	json_put_text(j, "title", info->title);
	json_put_int(j, "status", info->status);
	json_put_text(j, "code", info->code);
	json_put_text(j, "detail", rq->detail ? rq->detail : info->detail);
	json_put_text(j, "request_id", rq->request_id);
	if (rq->faults != NULL)
		put_faults(j, rq->faults);
	json_close(j);
}

static void
put_allow(struct buf *b, unsigned bits)
{
	const char *sep = "Allow: ";
	enum method m;

	for (m = GET; m <= DELETE; m++) {
		if ((bits >> m & 1) == 0)
			continue;
		buf_puts(b, sep);
		buf_puts(b, method_name(m));
		sep = ", ";
	}
	BUF_LIT(b, "\r\n");
}

void
reply_head(const struct req *rq, struct buf *b)
{
	BUF_LIT(b, "Status: ");
	buf_puti(b, rq->status);
	buf_putc(b, ' ');
	buf_puts(b, reason(rq->status));
	if (rq->status != 204) {
		BUF_LIT(b, "\r\nContent-Type: ");
		buf_puts(b, rq->content);
		BUF_LIT(b, "\r\nContent-Length: ");
		buf_puti(b, rq->from_file ? rq->file_len :
		    (int64_t)rq->out->len);
	}
	if (rq->download != NULL) {
		BUF_LIT(b, "\r\nContent-Disposition: attachment; filename=\"");
		buf_puts(b, rq->download);
		buf_putc(b, '"');
	}
	BUF_LIT(b, "\r\nCache-Control: no-store"
	    "\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ");
	buf_puts(b, rq->request_id);
	BUF_LIT(b, "\r\n");
	if (rq->retry_after > 0) {
		BUF_LIT(b, "Retry-After: ");
		buf_puti(b, rq->retry_after);
		BUF_LIT(b, "\r\n");
	}
	if (rq->status == 401)
		BUF_LIT(b, "WWW-Authenticate: Bearer\r\n");
	if (rq->status == 405 && rq->allow != 0)
		put_allow(b, rq->allow);
	if (rq->replayed)
		BUF_LIT(b, "Idempotency-Replayed: true\r\n");
	BUF_LIT(b, "\r\n");
}
