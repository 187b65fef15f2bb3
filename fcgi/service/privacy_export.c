/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy_export.c -- all that is mine, as JSON or as a page to read.
 *
 * One table of sections serves both: rows go as their view says into JSON,
 * and with a Chinese label a column into HTML, where everything that came
 * from people is escaped.  Of the caller's present community.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "http/acting.h"
#include "http/audit.h"
#include "http/reply.h"
#include "http/req.h"
#include "service/home.h"
#include "service/household.h"
#include "service/person_internal.h"
#include "service/privacy.h"
#include "service/water_account.h"

static const char *const format_names[] = { "json", "html", NULL };

struct export_query {
	int64_t		 format;
};

static const struct field export_query_fields[] = {
	F_ENUM(export_query, format, "文件格式", MUST, format_names),
	F_END
};
static const struct shape export_query_shape =
    SHAPE(export_query, "MyExportQuery");

/* One row of any section: what a column means is the section's. */
struct mine {
	int64_t		 n[6];
	const char	*s[9];
};

#define M_TIME(i, key, ...) { .kind = VIEW_TIME, C_KEY(key),		\
	.offset = offsetof(struct mine, n[i]), __VA_ARGS__ }
#define M_INT(i, key, ...) { .kind = VIEW_INT, C_KEY(key),		\
	.offset = offsetof(struct mine, n[i]), __VA_ARGS__ }
#define M_ID(i, key, ...) { .kind = VIEW_ID, C_KEY(key),		\
	.offset = offsetof(struct mine, n[i]), __VA_ARGS__ }
#define M_FEN(i, key, ...) { .kind = VIEW_FEN, C_KEY(key),		\
	.offset = offsetof(struct mine, n[i]), __VA_ARGS__ }
#define M_BOOL(i, key, ...) { .kind = VIEW_BOOL, C_KEY(key),		\
	.offset = offsetof(struct mine, n[i]), __VA_ARGS__ }
#define M_TEXT(i, key, ...) { .kind = VIEW_TEXT, C_KEY(key),		\
	.offset = offsetof(struct mine, s[i]), .flags = VIEW_NULL, __VA_ARGS__ }
#define M_CODE(i, key, ...) { .kind = VIEW_CODE, C_KEY(key),		\
	.offset = offsetof(struct mine, s[i]), .flags = VIEW_NULL, __VA_ARGS__ }
/* Sealed in the row, clear in what goes out. */
#define M_PHONE(i)	M_TEXT(i, "phone")
#define NIL		.flags = VIEW_NULL
#define MY_VIEW(c, schema) { .name = (schema),				\
	.size = sizeof(struct mine), .columns = (c) }

static const struct view_column account_columns[] = {
	M_ID(0, "id"), M_TEXT(0, "name"), M_PHONE(1),
	M_TEXT(2, "account"), M_TEXT(3, "community"),
	M_TIME(1, "created_at"), C_END
};
static const struct view account_view = MY_VIEW(account_columns, "MyAccount");

static const struct view_column homes_columns[] = {
	M_TEXT(0, "place"), M_CODE(1, "state"), M_TEXT(2, "name"),
	M_CODE(3, "relation"), M_CODE(4, "tenancy"), M_BOOL(0, "payer"),
	M_TIME(1, "created_at"), M_TIME(2, "bound_at", NIL),
	M_TIME(3, "ended_at", NIL), M_TEXT(5, "reason"), C_END
};
static const struct view homes_view = MY_VIEW(homes_columns, "MyHome");

static const struct view_column roster_columns[] = {
	M_TEXT(0, "name"), M_CODE(1, "sex"), M_INT(0, "born", NIL),
	M_CODE(2, "id_type"), M_TEXT(3, "id_mask"), M_PHONE(4),
	M_CODE(5, "source"), M_CODE(6, "ground"), M_INT(1, "as_of"), C_END
};
static const struct view roster_view = MY_VIEW(roster_columns, "MyRoster");

static const struct view_column members_columns[] = {
	M_TEXT(0, "place"), M_CODE(1, "relation"), M_CODE(2, "tenancy"),
	M_TIME(0, "from_at"), M_TIME(1, "to_at", NIL), C_END
};
static const struct view members_view = MY_VIEW(members_columns, "MyMember");

static const struct view_column needs_columns[] = {
	{ .kind = VIEW_OBJECT, C_KEY("need"),
	    .offset = offsetof(struct mine, s[0]), .flags = VIEW_NULL },
	M_CODE(1, "source"), M_CODE(2, "ground"), M_INT(0, "as_of"),
	M_TIME(1, "ended_at", NIL), C_END
};
static const struct view needs_view = MY_VIEW(needs_columns, "MyNeed");

static const struct view_column addresses_columns[] = {
	M_TEXT(0, "place"), M_TEXT(1, "contact"), M_PHONE(2),
	M_TEXT(3, "label"), M_BOOL(0, "is_default"), M_TIME(1, "created_at"),
	M_TIME(2, "removed_at", NIL), C_END
};
static const struct view addresses_view =
    MY_VIEW(addresses_columns, "MyAddress");

static const struct view_column orders_columns[] = {
	M_ID(0, "id"), M_TEXT(0, "title"), M_CODE(1, "state"),
	M_TEXT(2, "station"), M_TEXT(3, "place"), M_TEXT(4, "contact"),
	M_PHONE(5), M_FEN(1, "total_fen"), M_CODE(6, "payment"),
	M_TEXT(7, "note"), M_TIME(2, "created_at"), M_TIME(3, "updated_at"),
	C_END
};
static const struct view orders_view = MY_VIEW(orders_columns, "MyOrder");

static const struct view_column helpers_columns[] = {
	M_CODE(0, "direction"), M_TEXT(1, "name"), M_TEXT(2, "phone_mask"),
	M_TEXT(3, "elder"), M_TEXT(4, "rights"), M_INT(4, "bits",
	.flags = VIEW_HIDDEN), M_TEXT(5, "note"), M_TIME(0, "from_at"),
	M_TIME(1, "to_at", NIL), M_TIME(2, "used_at", NIL),
	M_TIME(3, "revoked_at", NIL), C_END
};
static const struct view helpers_view = MY_VIEW(helpers_columns, "MyHelper");

static const struct view_column water_columns[] = {
	M_TEXT(0, "station"), M_CODE(1, "kind"), M_CODE(2, "unit"),
	M_INT(0, "balance"), C_END
};
static const struct view water_view = MY_VIEW(water_columns, "MyWater");

static const struct view_column rolls_columns[] = {
	M_TEXT(0, "question"), M_TEXT(1, "place"), M_TEXT(2, "choice"),
	M_TEXT(3, "note"), M_TIME(0, "answered_at", NIL), C_END
};
static const struct view rolls_view = MY_VIEW(rolls_columns, "MyRollCall");

/* The persons that the caller's bound homes stand for. */
#define MY_PERSONS							\
	"(SELECT t.person_id FROM home t WHERE t.community_id = $1"	\
	" AND t.owner_id = $2 AND t.state = 'bound'"			\
	" AND t.person_id IS NOT NULL)"

enum { MY_ACCOUNT, MY_HOMES, MY_ROSTER, MY_MEMBERS, MY_NEEDS, MY_ADDRESSES,
	MY_ORDERS, MY_WATER, MY_ROLLS, MY_HELPERS, MY_SQL_MAX };

static struct stmt my_sql[] = {
	[MY_ACCOUNT] = { RO, 2, &account_view,
	    "SELECT u.id, u.name, u.phone, u.account, c.name AS community,"
	    " u.created_at FROM community c JOIN app_user u ON u.id = $2"
	    " WHERE c.id = $1", NULL, 0 },
	[MY_HOMES] = { RO, 2, &homes_view,
	    "SELECT place, state, name, relation, tenancy, payer,"
	    " created_at, bound_at, ended_at, reason FROM home"
	    " WHERE community_id = $1 AND owner_id = $2 ORDER BY id",
	    NULL, 0 },
	[MY_ROSTER] = { RO, 2, &roster_view,
	    "SELECT p.name, p.sex, p.born, p.id_type, p.id_mask, p.phone,"
	    " p.source, p.ground, p.as_of FROM person p"
	    " WHERE p.community_id = $1 AND p.id IN " MY_PERSONS
	    " ORDER BY p.id", NULL, 0 },
	[MY_MEMBERS] = { RO, 2, &members_view,
	    "SELECT q.full_name AS place, m.relation, h.tenancy, m.from_at,"
	    " m.to_at FROM member m JOIN household h"
	    " ON h.community_id = m.community_id AND h.id = m.household_id"
	    " JOIN place q ON q.community_id = h.community_id"
	    " AND q.id = h.dwelling_id WHERE m.community_id = $1"
	    " AND m.person_id IN " MY_PERSONS " ORDER BY m.from_at",
	    NULL, 0 },
	[MY_NEEDS] = { RO, 2, &needs_view,
	    "SELECT n.body AS need, n.source, n.ground, n.as_of, n.ended_at"
	    " FROM need n WHERE n.community_id = $1 AND n.person_id IN "
	    MY_PERSONS " ORDER BY n.id", NULL, 0 },
	[MY_ADDRESSES] = { RO, 2, &addresses_view,
	    "SELECT q.full_name AS place, a.contact, a.phone, a.label,"
	    " a.is_default, a.created_at, a.removed_at FROM address a"
	    " JOIN place q ON q.community_id = a.community_id"
	    " AND q.id = a.dwelling_id WHERE a.community_id = $1"
	    " AND a.user_id = $2 ORDER BY a.id", NULL, 0 },
	[MY_ORDERS] = { RO, 2, &orders_view,
	    "SELECT id, title, state, station, place, contact, phone,"
	    " total_fen, payment, note, created_at, updated_at"
	    " FROM water_order WHERE community_id = $1 AND owner_id = $2"
	    " ORDER BY id", NULL, 0 },
	[MY_WATER] = { RO, 2, &water_view,
	    "SELECT o.name AS station, l.kind, l.unit, l.balance"
	    " FROM water_account a JOIN org o"
	    " ON o.community_id = a.community_id AND o.id = a.station_id"
	    " JOIN ledger_account l ON l.community_id = a.community_id"
	    " AND ((l.owner = 'water_account' AND l.owner_id = a.id)"
	    " OR (l.owner = 'water_book' AND l.owner_id IN (SELECT b.id"
	    " FROM water_book b WHERE b.community_id = a.community_id"
	    " AND b.account_id = a.id))) WHERE a.closed_at IS NULL"
	    " AND l.balance IS NOT NULL AND" WATER_MINE("a")
	    " ORDER BY a.id, l.id", NULL, 0 },
	[MY_ROLLS] = { RO, 2, &rolls_view,
	    "SELECT r.question, h.place, h.choice, h.note, h.answered_at"
	    " FROM roll_home h JOIN roll_call r"
	    " ON r.community_id = h.community_id AND r.id = h.roll_call_id"
	    " WHERE h.community_id = $1 AND h.household_id IN"
	    " (SELECT t.household_id FROM home t WHERE t.community_id = $1"
	    " AND t.owner_id = $2 AND t.state = 'bound'"
	    " AND t.household_id IS NOT NULL) ORDER BY h.roll_call_id",
	    NULL, 0 },
	[MY_HELPERS] = { RO, 2, &helpers_view,
	    "SELECT CASE WHEN h.elder_id = $2 THEN 'given'"
	    " ELSE 'received' END AS direction, h.name, h.phone_mask,"
	    " e.name AS elder, CAST(NULL AS TEXT) AS rights,"
	    " h.rights AS bits, h.note, h.from_at, h.to_at, h.used_at,"
	    " h.revoked_at FROM helper h JOIN app_user e"
	    " ON e.id = h.elder_id WHERE (h.elder_id = $2"
	    " OR h.helper_id = $2) AND (h.community_id = $1"
	    " OR h.helper_id = $2) ORDER BY h.id", NULL, 0 },
};

/* A sealed number in clear, or nothing. */
static void
open_phone(struct req *rq, const char **at)
{
	if (*at != NULL && **at != '\0')
		*at = crypt_open(rq->arena, "phone", *at);
}

static void
ready_account(struct req *rq, void *row)
{
	open_phone(rq, &((struct mine *)row)->s[1]);
}

static void
ready_roster(struct req *rq, void *row)
{
	open_phone(rq, &((struct mine *)row)->s[4]);
}

static void
ready_address(struct req *rq, void *row)
{
	open_phone(rq, &((struct mine *)row)->s[2]);
}

static void
ready_order(struct req *rq, void *row)
{
	open_phone(rq, &((struct mine *)row)->s[5]);
}

static void
ready_need(struct req *rq, void *row)
{
	struct mine	*m = row;

	m->s[0] = crypt_open(rq->arena, "need", m->s[0]);
}

static void
ready_helper(struct req *rq, void *row)
{
	static const char *const	 zh[] = { "订水", "缴费", "报事", "查看" };
	struct mine			*m = row;
	const char			*all = "";
	int				 i;

	for (i = 0; i < 4; i++)
		if (m->n[4] >> i & 1)
			all = arena_fmt(rq->arena, "%s%s%s", all,
			    *all != '\0' ? "、" : "", zh[i]);
	m->s[4] = all;
}

struct section {
	const char		*key, *title;
	struct stmt		*stmt;		/* NULL: privacy_looks */
	void			(*ready)(struct req *, void *row);
	const char		*labels[13];	/* of what is not hidden */
};

static const struct section sections[] = {
	{ "account", "账号", &my_sql[MY_ACCOUNT], ready_account,
	    { "编号", "称呼", "手机号", "工作账号", "社区", "注册时间" } },
	{ "homes", "绑定的房屋", &my_sql[MY_HOMES], NULL,
	    { "房屋", "状态", "姓名", "与户主关系", "居住方式", "家庭付款人",
	    "申请时间", "绑定时间", "解除时间", "说明" } },
	{ "roster", "社区住户登记", &my_sql[MY_ROSTER], ready_roster,
	    { "姓名", "性别", "出生日期", "证件类型", "证件号码（部分隐藏）",
	    "手机号", "来源", "依据", "登记日期" } },
	{ "memberships", "居住情况", &my_sql[MY_MEMBERS], NULL,
	    { "房屋", "与户主关系", "居住方式", "开始", "结束" } },
	{ "needs", "特殊需要", &my_sql[MY_NEEDS], ready_need,
	    { "内容", "来源", "依据", "登记日期", "结束时间" } },
	{ "addresses", "送货地址", &my_sql[MY_ADDRESSES], ready_address,
	    { "地址", "联系人", "电话", "备注", "默认", "添加时间",
	    "删除时间" } },
	{ "orders", "送水订单", &my_sql[MY_ORDERS], ready_order,
	    { "编号", "内容", "状态", "水站", "地址", "联系人", "电话", "金额",
	    "付款方式", "备注", "下单时间", "更新时间" } },
	{ "water", "水站账户（与家人共用）", &my_sql[MY_WATER], NULL,
	    { "水站", "项目", "单位", "余额" } },
	{ "roll_calls", "联户问询", &my_sql[MY_ROLLS], NULL,
	    { "问题", "房屋", "回答", "说明", "回答时间" } },
	{ "helpers", "家人代办", &my_sql[MY_HELPERS], ready_helper,
	    { "方向", "代办人", "代办人手机号", "被代办人", "事项", "在场说明",
	    "开始", "截止", "最近使用", "取消时间" } },
	{ "looks", "谁查看过我的资料", NULL, NULL,
	    { "编号", "时间", "姓名", "原因", "住户" } },
};
#define SECTIONS	(sizeof(sections) / sizeof(sections[0]))

/* Codes as a person reads them. */
static const struct {
	const char	*code, *word;
} words[] = {
	{ "asked", "申请待核实" }, { "bound", "已绑定" },
	{ "refused", "未通过" }, { "ended", "已解除" }, { "head", "户主" },
	{ "spouse", "配偶" }, { "child", "子女" }, { "parent", "父母" },
	{ "grandchild", "孙辈" }, { "grandparent", "祖辈" },
	{ "sibling", "兄弟姐妹" }, { "relative", "亲属" },
	{ "tenant", "租客" }, { "carer", "照护者" }, { "other", "其他" },
	{ "owned", "自有" }, { "rented", "租住" }, { "lent", "借住" },
	{ "public", "公房" }, { "male", "男" }, { "female", "女" },
	{ "citizen", "居民身份证" }, { "permit", "通行证或居住证" },
	{ "passport", "护照" }, { "roster", "社区名册" }, { "self", "本人" },
	{ "visit", "走访" }, { "desk", "社区窗口" }, { "duty", "依法履职" },
	{ "consent", "本人同意" }, { "contract", "履行合同" },
	{ "vital", "紧急情况" }, { "placed", "待接单" },
	{ "accepted", "已接单" }, { "delivering", "配送中" },
	{ "delivered", "已送达" }, { "completed", "已完成" },
	{ "cancelled", "已取消" }, { "rejected", "未接单" },
	{ "unpaid", "待付款" }, { "paying", "付款中" },
	{ "on_delivery", "货到付款" }, { "ticket", "水票" },
	{ "online", "在线支付" },
	{ "given", "我请人代办" }, { "received", "我为人代办" },
	{ "fen", "分" }, { "barrel", "只" }, { "barrels", "空桶" },
	{ "deposit", "押金" }, { "real", "水票" }, { "gift", "赠票" },
	{ "held_real", "已用于订单的水票" },
	{ "held_gift", "已用于订单的赠票" }, { "prepaid", "预付款" },
	{ "alone", "独居" }, { "over_80", "八十岁以上" },
	{ "disabled", "残疾" }, { "pregnant", "孕期" },
	{ "minor", "未成年" }, { "chronic", "慢性病" },
	{ "low_income", "低收入" },
};

static const char *
word_of(const char *code)
{
	size_t	i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].code, code) == 0)
			return words[i].word;
	return code;
}

/* The text member `key` of an object that our own writer made. */
static const char *
member(struct arena *a, const char *object, const char *key)
{
	const char	*p = strstr(object, key);
	char		*text, *to;

	if (p == NULL || p[strlen(key)] != '"')
		return NULL;
	p += strlen(key) + 1;
	text = to = arena_take(a, strlen(p) + 1);
	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			*to++ = *++p == 'n' ? '\n' : *p;
		else
			*to++ = *p;
	}
	return text;
}

static void
put_need(struct req *rq, const char *object)
{
	const char	*kind, *note;

	kind = member(rq->arena, object, "\"kind\":");
	note = member(rq->arena, object, "\"note\":");
	if (kind != NULL)
		buf_puts(rq->out, word_of(kind));
	if (note != NULL && *note != '\0') {
		buf_puts(rq->out, "：");
		buf_html(rq->out, note, strlen(note));
	}
}

static void
put_words(struct req *rq, const struct view_column *c, const char *s)
{
	if (s == NULL || *s == '\0')
		buf_puts(rq->out, "—");
	else if (c->kind == VIEW_OBJECT)
		put_need(rq, s);
	else {
		if (c->kind == VIEW_CODE)
			s = word_of(s);
		buf_html(rq->out, s, strlen(s));
	}
}

static void
put_number(struct req *rq, const struct view_column *c, int64_t v)
{
	struct clock_local	at;

	if (v == VIEW_NULL_INT)
		buf_puts(rq->out, "—");
	else if (c->kind == VIEW_TIME) {
		at = clock_local(v);
		buf_fmt(rq->out, "%d年%d月%d日 %02d:%02d", at.year, at.month,
		    at.day, at.minute / 60, at.minute % 60);
	} else if (c->kind == VIEW_FEN)
		buf_fmt(rq->out, "%lld.%02lld 元", (long long)v / 100,
		    (long long)v % 100);
	else if (c->kind == VIEW_BOOL)
		buf_puts(rq->out, v != 0 ? "是" : "否");
	else
		buf_puti(rq->out, v);
}

static bool
is_words(const struct view_column *c)
{
	return c->kind == VIEW_TEXT || c->kind == VIEW_CODE ||
	    c->kind == VIEW_OBJECT;
}

/* A row as lines of label and value. */
static void
put_row(struct req *rq, const struct section *s, const struct view *view,
    const void *row)
{
	const struct view_column	*c;
	const char			*at;
	int				 i = 0;

	BUF_LIT(rq->out, "<table>");
	for (c = view->columns; c->name != NULL; c++) {
		if ((c->flags & VIEW_HIDDEN) || c->kind == VIEW_CALC)
			continue;
		at = (const char *)row + c->offset;
		BUF_LIT(rq->out, "<tr><th>");
		buf_puts(rq->out, s->labels[i++]);
		BUF_LIT(rq->out, "</th><td>");
		if (is_words(c))
			put_words(rq, c, *(const char *const *)at);
		else
			put_number(rq, c, *(const int64_t *)at);
		BUF_LIT(rq->out, "</td></tr>\n");
	}
	if (view == &privacy_look_view)
		buf_fmt(rq->out, "<tr><th>职务</th><td>%s</td></tr>\n"
		    "<tr><th>事项</th><td>%s</td></tr>\n", privacy_role(row),
		    privacy_action(row));
	BUF_LIT(rq->out, "</table>\n");
}

static enum err
put_section(struct req *rq, const struct section *s, struct json *j)
{
	const struct stmt	*stmt = s->stmt ? s->stmt : privacy_looks;
	struct values		 v = WITH(V(rq->who.community_id),
	    V(rq->who.user_id), V(0), V(10000));
	struct rows		 rows;
	enum err		 e;
	void			*row;
	bool			 any = false;

	row = arena_take(rq->arena, stmt->view->size);
	v.n = stmt->nargs;
	if ((e = db_query(rq->db, stmt, v, &rows)) != OK)
		return e;
	while (db_each(&rows, row)) {
		any = true;
		if (s->ready != NULL)
			s->ready(rq, row);
		if (j != NULL)
			json_view(j, stmt->view, row, rq, rq->arena);
		else
			put_row(rq, s, stmt->view, row);
	}
	if (!any && j == NULL)
		buf_puts(rq->out, "<p>没有记录。</p>\n");
	return db_end(&rows);
}

static enum err
as_json(struct req *rq)
{
	struct json	*j = req_json(rq);
	enum err	 e = OK;
	size_t		 i;

	json_open(j);
	json_put_time(j, "made_at", rq->now);
	for (i = 0; e == OK && i < SECTIONS; i++) {
		json_key(j, sections[i].key);
		json_list(j);
		e = put_section(rq, &sections[i], j);
		json_unlist(j);
	}
	json_key(j, "stays");
	privacy_put_stays(j);
	json_close(j);
	rq->content = REPLY_JSON;
	rq->download = "my-data.json";
	return e == OK && !json_done(j) ? ERR_INTERNAL : e;
}

static void
put_stays(struct buf *b)
{
	const struct stay	*s;

	buf_puts(b, "<h2>注销账号后仍须保留的内容</h2>\n<table>");
	for (s = privacy_stays; s->what != NULL; s++)
		buf_fmt(b, "<tr><th>%s</th><td>%s；%s</td></tr>\n", s->what,
		    s->why, s->until);
	BUF_LIT(b, "</table>\n");
}

static enum err
as_html(struct req *rq)
{
	struct clock_local	 at = clock_local(rq->now);
	struct buf		*b = rq->out;
	enum err		 e = OK;
	size_t			 i;

	buf_clear(b);
	buf_puts(b, "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head>"
	    "<meta charset=\"utf-8\"><meta name=\"viewport\""
	    " content=\"width=device-width\"><title>我的数据</title><style>"
	    "body{font:16px/1.6 sans-serif;max-width:40em;margin:1em auto;"
	    "padding:0 1em}table{width:100%;border-collapse:collapse;"
	    "margin:0 0 1em;border-top:2px solid #888}th,td{text-align:left;"
	    "padding:.2em;border-bottom:1px solid #ddd}th{width:9em;"
	    "font-weight:normal;color:#555}</style></head><body>\n"
	    "<h1>我的数据</h1>\n");
	buf_fmt(b, "<p>生成于 %d年%d月%d日 %02d:%02d。内含个人信息，请妥善保管。"
	    "</p>\n", at.year, at.month, at.day, at.minute / 60,
	    at.minute % 60);
	for (i = 0; e == OK && i < SECTIONS; i++) {
		buf_fmt(b, "<h2>%s</h2>\n", sections[i].title);
		e = put_section(rq, &sections[i], NULL);
	}
	put_stays(b);
	BUF_LIT(b, "</body></html>\n");
	rq->content = REPLY_HTML;
	rq->download = "my-data.html";
	return e;
}

/* A look at personal data, so it leaves a row of the audit like any. */
static enum err
me_export(struct req *rq)
{
	const struct export_query	*in = rq->in;

	audit_thing(rq, "user", rq->who.user_id);
	return in->format == 0 ? as_json(rq) : as_html(rq);
}

static const struct route export_routes[] = {
	{ GET, "/api/v1/me/export", ROLE_RESIDENT, &export_query_shape,
	    REPLY_FILE, NULL, 200, POOL_API, TX_WRITE,
	    me_export, "All that is mine, to keep: JSON, or HTML to read" },
	{ 0 }
};

void
privacy_export_register(void)
{
	db_register(my_sql, MY_SQL_MAX);
	route_register("privacy", export_routes);
}
