/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_diff.c -- what a staged row changes, field by field.
 *
 * The objects are flat and our own, so reading them takes no tree: a
 * member is a name, and a text, a number or null.
 */
#include <string.h>

#include "base/arena.h"
#include "http/json.h"
#include "http/req.h"
#include "service/import_diff.h"

struct import_change {
	const char	*field;
	const char	*label;
	const char	*before;
	const char	*after;
};

static const struct view_column import_change_columns[] = {
	C_TEXT(import_change, field),
	C_TEXT(import_change, label, .about = "Chinese"),
	C_TEXT(import_change, before, .flags = VIEW_NULL),
	C_TEXT(import_change, after, .flags = VIEW_NULL),
	C_END
};
const struct view import_change_view = VIEW(import_change, "ImportChange");

/* Fields that people are shown; others are for the engine alone. */
static const char *const labels[][2] = {
	{ "floor", "楼层" }, { "lift", "电梯" }, { "lat", "纬度" },
	{ "lng", "经度" }, { "name", "名称" }, { "grid", "网格" },
	{ "unit", "十联户" }, { "tenancy", "居住性质" },
	{ "source", "来源" }, { "ground", "依据" }, { "as_of", "登记日期" },
	{ "sex", "性别" }, { "born", "出生日期" }, { "id_type", "证件类型" },
	{ "id_mask", "证件号码" }, { "phone_mask", "手机" },
	{ "home", "住处" }, { "relation", "与户主关系" }, { NULL, NULL }
};

static const char *
label_of(const char *field)
{
	int	i;

	for (i = 0; labels[i][0] != NULL; i++)
		if (strcmp(labels[i][0], field) == 0)
			return labels[i][1];
	return NULL;
}

/* A text after its quote; *s moves past the closing one. */
static char *
text(struct arena *a, const char **s)
{
	char	*out = arena_take(a, strlen(*s) + 1), *to = out;

	for (; **s != '"' && **s != '\0'; (*s)++) {
		if (**s == '\\' && (*s)[1] != '\0')
			(*s)++;
		*to++ = **s;
	}
	*s += **s == '"';
	return out;
}

/* A value; NULL for null. */
static const char *
value(struct arena *a, const char **s)
{
	const char	*from = *s;

	if (**s == '"') {
		(*s)++;
		return text(a, s);
	}
	*s += strcspn(*s, ",}");
	if (strncmp(from, "null", 4) == 0)
		return NULL;
	return arena_copy(a, from, (size_t)(*s - from));
}

/* The next member; false at the end. */
static bool
member(struct arena *a, const char **s, const char **ret_name,
    const char **ret_value)
{
	*s += strspn(*s, "{, ");
	if (**s != '"')
		return false;
	(*s)++;
	*ret_name = text(a, s);
	*s += strspn(*s, ": ");
	*ret_value = value(a, s);
	return true;
}

static const char *
find(struct arena *a, const char *object, const char *field)
{
	const char	*name, *v;

	while (object != NULL && member(a, &object, &name, &v))
		if (strcmp(name, field) == 0)
			return v;
	return NULL;
}

/* Whether what is behind the mask of this field differs. */
static bool
differs_behind(const char *field, unsigned hidden)
{
	return (strcmp(field, "phone_mask") == 0 && hidden & IMPORT_PHONE) ||
	    (strcmp(field, "id_mask") == 0 && hidden & IMPORT_NUMBER);
}

void
import_diff(struct json *j, struct arena *a, const char *before,
    const char *after, unsigned hidden)
{
	struct import_change	 c;
	const char		*s = after;

	json_list(j);
	while (member(a, &s, &c.field, &c.after)) {
		c.label = label_of(c.field);
		c.before = find(a, before, c.field);
		if (c.label == NULL || (c.before == NULL && c.after == NULL))
			continue;
		if (c.before != NULL && c.after != NULL &&
		    strcmp(c.before, c.after) == 0) {
			if (!differs_behind(c.field, hidden))
				continue;
			c.after = arena_fmt(a, "%s（隐藏的几位不同）", c.after);
		}
		json_view(j, &import_change_view, &c, NULL, a);
	}
	json_unlist(j);
}
