/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_internal.h -- between the files of the import engine.
 */
#ifndef SERVICE_IMPORT_INTERNAL_H
#define SERVICE_IMPORT_INTERNAL_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/view.h"
#include "http/json.h"
#include "http/req.h"
#include "service/import.h"
#include "service/sheet.h"

#define IMPORT_FAULTS_KEPT	10000	/* of one file */

/* One thing on its way to import_row. */
struct import_item {
	const char	*part;
	int		 line;
	int64_t		 up;		/* 0: none */
	const char	*key;
	int64_t		 a_id;		/* VIEW_NULL_INT: none */
	int64_t		 thing_id;
	const char	*verdict;	/* NULL: add */
	const char	*body;
	const char	*before;
	const char	*phone, *phone_index;
	const char	*id_number, *id_index;
	const char	*need;
};

/* A check on its way. */
struct import {
	struct req	*rq;
	int64_t		 community_id, id, claim;
	const char	*code;		/* of the community */
	const struct import_console *console; /* NULL: through the API */
	enum import_kind kind;
	bool		 partial;
	int64_t		 today;		/* yyyymmdd */
	struct sheet	*sheet;
	void		*state;		/* the reader's, in long_lived */
	struct arena	*row;		/* for one row of the file */
	struct arena	*long_lived;
	struct buf	 items, faults;	/* JSON of those not yet written */
	struct json	 item_json, fault_json;
	int		 nitems, nfaults;
	int64_t		 rows;
	int64_t		 item_id, fault_id; /* of the last one */
	int64_t		 fault_count;
	enum err	 err;		/* sticky, of the database */
};

/* Stage it; its id.  Written when there are enough, or by import_flush. */
int64_t import_add(struct import *, const struct import_item *);
void import_fault(struct import *, int line, const char *label,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
enum err import_flush(struct import *);

/*
 * A flat JSON object as text of the row's arena: a text where there is
 * one, else the number, VIEW_NULL_INT being null.
 */
const char *import_object(struct import *, int n, const char *const *keys,
    const char *const *texts, const int64_t *numbers);

/*
 * Whether the row is this community's by its 社区 cell, which may be left
 * out; false also after a fault.
 */
bool import_is_ours(struct import *, int column);

/* Columns of a kind, and how its rows are read. */
struct import_reader {
	const struct sheet_column	*columns;
	int				 n;
	enum err (*begin)(struct import *);
	void	 (*row)(struct import *);
	void	 (*end)(struct import *);		/* after the last */
};
extern const struct import_reader import_territory, import_grids,
    import_roster;

/*
 * One statement over staged rows.  `args` says what is bound after the
 * community and the import: w first and last id of a window (the statement
 * is run for each), f those of the first few rows alone, n now, t today,
 * a when it was applied.
 */
struct import_step {
	struct stmt	*stmt;
	const char	*args;
	/* A count that must be 0, with what is said when it is not. */
	const char	*refuse;
};

/* The steps of a kind, each list NULL-ended. */
struct import_plan {
	const struct import_step	*compare;
	const struct import_step	*apply;
	const struct import_step	*undo;
	enum err (*applied)(struct req *, int64_t community, int64_t id);
	enum err (*undone)(struct req *, int64_t community, int64_t id);
};
extern const struct import_plan import_territory_plan, import_grids_plan,
    import_roster_plan;

const struct import_plan *import_plan_of(enum import_kind);

#define IMPORT_WINDOW	4000	/* rows that one statement goes over */

/* What one run of a step binds. */
struct import_bound {
	int64_t		 community_id, id;
	int64_t		 from, to;	/* of the window */
	int64_t		 now, applied_at;
	char		 today[24];
};

/* For an import today; the rest is 0. */
struct import_bound import_step_bound(struct req *, int64_t community_id,
    int64_t id);

/* Look anew at how the staged rows are spread; binds nothing. */
extern struct stmt import_step_analyse;

/* The number of the last staged row into its `to`; 0 for none. */
enum err import_step_last(struct req *, struct import_bound *);

/* ERR_CONFLICT with a sentence when the step refuses. */
enum err import_step_once(struct req *, const struct import_step *,
    const struct import_bound *);

/* All of a list, the windows up to `to`, in the transaction that there is. */
enum err import_step_all(struct req *, const struct import_step *,
    struct import_bound *);

int64_t import_today(int64_t now);	/* yyyymmdd */

/* How many things of a part there are, by what becomes of them. */
#define IMPORT_PARTS	12

struct import_part {
	const char	*part;
	const char	*label;
	int64_t		 added, changed, same, faults;
};
extern const struct view import_part_view;

/* Those of all parts, as staged. */
enum err import_tally(struct req *, int64_t community_id, int64_t id,
    struct import_part all[IMPORT_PARTS]);

/* Those that are not empty, as the JSON of a record's counts. */
const char *import_tally_text(struct arena *, const struct import_part *all);

enum import_kind import_kind_of(const struct import_record *);

/* Forget the staged rows and faults; opens transactions of its own. */
enum err import_forget_rows(struct req *, int64_t community_id, int64_t id);

struct import_count {
	int64_t		 n;
};
extern const struct view import_count_view;

void import_record_register(void);
void import_step_register(void);
void import_tally_register(void);
void import_check_register(void);
void import_apply_register(void);
void import_faulty_register(void);
void import_forget_register(void);
void import_territory_register(void);
void import_grids_register(void);
void import_grids_rows_register(void);
void import_roster_register(void);
void import_stage_register(void);
void import_read_register(void);

/* The dwellings of a community, found by their names. */
struct import_places;
struct import_places *import_places_load(struct import *);

/* A dwelling by its four names, an entrance by three; 0 for none. */
int64_t import_place_id(const struct import_places *,
    const char *const *names, int depth);
void import_places_free(struct import_places *);

/* 2026-11-22, 2026/11/22, 20261122 as yyyymmdd; false when it is no day. */
bool import_day(const char *text, int64_t *ret);

/* Place in `words`, which pairs code and Chinese, NULL-ended; -1: none. */
int import_word(const char *const (*words)[2], const char *text);

/* ---- SQL ---- */

/* The columns of import_view. */
#define IMPORT_COLUMNS							\
	"id, kind, name, bytes, state, partial, rows, added, changed,"	\
	" same, faults, counts, detail, NULLIF(by_id, 0) AS by_id,"	\
	" created_at, checked_at, applied_at, undone_at, sha256, kept"

/* Rows of a window, and the objects beside. */
#define IMPORT_MINE	"r.community_id = $1 AND r.import_id = $2"	\
	" AND r.id >= $3 AND r.id < $4"
#define IMPORT_ALL	"r.community_id = $1 AND r.import_id = $2"
#define IMPORT_ITEM	" AND i.community_id = r.community_id"		\
	" AND i.import_id = r.import_id AND i.id = r.id"
#define IMPORT_UP(u, r)	" AND " u ".community_id = $1"			\
	" AND " u ".import_id = $2 AND " u ".id = " r ".up"
#define NOW(k)		"(i.now ->> '" k "')"
#define WAS(k)		"(i.was ->> '" k "')"
#define BIG(x)		"CAST(" x " AS BIGINT)"

/* A member of a flat JSON object, text and number, NULL as null. */
#define JT(k, x)	"'\"" k "\":' || COALESCE('\"' || REPLACE(REPLACE(" x \
	", '\\', '\\\\'), '\"', '\\\"') || '\"', 'null')"
#define JN(k, x)	"'\"" k "\":' || COALESCE(CAST(" x " AS TEXT), 'null')"

#endif
