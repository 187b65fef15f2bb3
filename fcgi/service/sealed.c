/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.c -- every column that is sealed: the list and its statements.
 *
 * The key columns of a table stand for a, b, c and t; a table that has
 * fewer has constants for the rest.
 */
#include "service/sealed.h"

static const struct view_column sealed_row_columns[] = {
	C_ID(sealed_row, a),
	C_ID(sealed_row, b),
	C_ID(sealed_row, c),
	C_TEXT(sealed_row, t),
	C_TEXT(sealed_row, sealed),
	C_END
};
const struct view sealed_row_view = VIEW(sealed_row, "SealedRow");

static const struct view_column sealed_count_columns[] = {
	C_INT(sealed_count, n),
	C_END
};
const struct view sealed_count_view = VIEW(sealed_count, "SealedCount");

#define BIG(x)	"CAST(" x " AS BIGINT)"
#define TEXT(x)	"CAST(" x " AS TEXT)"

#define SELECT_(a, b, c, t, col)					\
	"SELECT " a " AS a, " b " AS b, " c " AS c, " t " AS t, "	\
	col " AS sealed"

/* `after` and `at` use each of the place's parameters. */
#define SEALED(tab, col, as, a, b, c, t, order, after, at)		\
	{ .table = tab, .column = col, .name = as,			\
	.read = { RO, 7, &sealed_row_view,				\
	    SELECT_(a, b, c, t, col) " FROM " tab " WHERE " after	\
	    " AND " col " IS NOT NULL AND " col " <> ''"		\
	    " AND substr(" col ", 1, CAST($5 AS INTEGER)) <> $6"	\
	    " ORDER BY " order " LIMIT $7", NULL, 0 },			\
	.write = { RW, 6, NULL,						\
	    "UPDATE " tab " SET " col " = $1 WHERE " at			\
	    " AND " col " = $6", NULL, 0 },				\
	.count = { RO, 2, &sealed_count_view,				\
	    "SELECT count(*) AS n FROM " tab				\
	    " WHERE substr(" col ", 1, CAST($1 AS INTEGER)) = $2",	\
	    NULL, 0 },							\
	.sample = { RO, 0, &sealed_row_view,				\
	    SELECT_(a, b, c, t, col) " FROM " tab " WHERE " col		\
	    " IS NOT NULL AND " col " <> '' LIMIT 1", NULL, 0 } }

#define REST_1 BIG("$2") " IS NOT NULL AND " BIG("$3")			\
	" IS NOT NULL AND " TEXT("$4") " IS NOT NULL"
#define REST_2 BIG("$3") " IS NOT NULL AND " TEXT("$4") " IS NOT NULL"
#define REST_3 TEXT("$4") " IS NOT NULL"
#define SET_1 BIG("$3") " IS NOT NULL AND " BIG("$4")			\
	" IS NOT NULL AND " TEXT("$5") " IS NOT NULL"
#define SET_2 BIG("$4") " IS NOT NULL AND " TEXT("$5") " IS NOT NULL"
#define SET_3 TEXT("$5") " IS NOT NULL"

/* Tables with a key of one, two or three numbers. */
#define SEALED_1(tab, k1, col, as)					\
	SEALED(tab, col, as, k1, BIG("0"), BIG("0"), TEXT("''"), k1,	\
	    k1 " > $1 AND " REST_1, k1 " = $2 AND " SET_1)
#define SEALED_2(tab, k1, k2, col, as)					\
	SEALED(tab, col, as, k1, k2, BIG("0"), TEXT("''"),		\
	    k1 ", " k2, "(" k1 ", " k2 ") > ($1, $2) AND " REST_2,	\
	    k1 " = $2 AND " k2 " = $3 AND " SET_2)
#define SEALED_3(tab, k1, k2, k3, col, as)				\
	SEALED(tab, col, as, k1, k2, k3, TEXT("''"),			\
	    k1 ", " k2 ", " k3,						\
	    "(" k1 ", " k2 ", " k3 ") > ($1, $2, $3) AND " REST_3,	\
	    k1 " = $2 AND " k2 " = $3 AND " k3 " = $4 AND " SET_3)
/* And one whose last key is text. */
#define SEALED_T(tab, k1, k2, t, col, as)				\
	SEALED(tab, col, as, k1, k2, BIG("0"), t, k1 ", " k2 ", " t,	\
	    "(" k1 ", " k2 ", " t ") > ($1, $2, $4) AND " BIG("$3")	\
	    " IS NOT NULL",						\
	    k1 " = $2 AND " k2 " = $3 AND " BIG("$4")			\
	    " IS NOT NULL AND " t " = $5")

#define IMPORT_ROW(col, as)						\
	SEALED_3("import_row", "community_id", "import_id", "id", col, as)

struct sealed sealed_columns[] = {
	SEALED_1("app_user", "id", "phone", "phone"),
	SEALED_1("app_user", "id", "staff_phone", "phone"),
	SEALED_1("app_user", "id", "totp", "totp"),
	SEALED_1("app_user", "id", "totp_new", "totp"),
	SEALED_2("address", "community_id", "id", "phone", "phone"),
	SEALED_3("water_order", "community_id", "owner_id", "id", "phone",
	    "phone"),
	SEALED_2("post", "community_id", "id", "phone", "phone"),
	SEALED_2("person", "community_id", "id", "phone", "phone"),
	SEALED_2("person", "community_id", "id", "id_number", "id_number"),
	SEALED_2("need", "community_id", "id", "body", "need"),
	SEALED_2("helper", "community_id", "id", "phone", "phone"),
	SEALED_2("correction", "community_id", "id", "value", "correction"),
	IMPORT_ROW("phone", "phone"),
	IMPORT_ROW("id_number", "id_number"),
	IMPORT_ROW("need", "need"),
	IMPORT_ROW("was_phone", "phone"),
	IMPORT_ROW("was_number", "id_number"),
	SEALED_T("idempotency", "community_id", "user_id", "key", "reply",
	    "idempotency.reply"),
	{ .table = NULL }
};

void
sealed_register(void)
{
	struct sealed	*s;

	for (s = sealed_columns; s->table != NULL; s++) {
		db_register(&s->read, 1);
		db_register(&s->write, 1);
		db_register(&s->count, 1);
		db_register(&s->sample, 1);
	}
}
