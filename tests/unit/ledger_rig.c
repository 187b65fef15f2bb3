/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_rig.c -- a database with one station and a dozen residents.
 */
#include "unit.h"

#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "service/ledger.h"
#include "service/service.h"
#include "store/migrate.h"

#include "ledger_rig.h"
#include "servers.h"

struct conf	*rig_conf;
const char	*rig_url;
int64_t		 rig_now;

static const char	*folder;
static char		 file[256];

struct rig_one {
	int64_t		 n;
};

static const struct view_column rig_one_columns[] = {
	C_INT(rig_one, n),
	C_END
};
static const struct view rig_one_view = VIEW(rig_one, "RigOne");

void
rig_start(void)
{
	const char	 secret[] = "0123456789abcdef", *path;
	char		 text[1024];
	int		 n;

	log_open("test", LOG_ERROR_);
	assert_true(crypt_init());
	folder = unit_folder();
	assert_int_equal(mkdir(unit_path(folder, "run"), 0700), 0);
	assert_true(crypt_new_keys(unit_path(folder, "planet.keys")));
	unit_write(unit_path(folder, "wechat.secret"), secret,
	    strlen(secret), 0600);
	n = snprintf(text, sizeof(text), "[server]\nrequest_ms = 30000\n"
	    "[database]\ndb = sqlite:planet.db\ndb_timeout_ms = 5000\n"
	    "[redis]\nredis = unix:none.sock\n[wechat]\n"
	    "wechat_appid = wx01\nwechat_url = http://127.0.0.1:9\n"
	    "[templates]\norder_progress = a\norder_todo = b\n");
	path = unit_path(folder, "planet.conf");
	unit_write(path, text, (size_t)n, 0600);
	rig_conf = conf_load(path);
	assert_non_null(rig_conf);
	assert_true(crypt_load_keys(rig_conf->keys_file));
	assert_true(service_ready());
	db_queue(64);
	rig_now = clock_day(clock_now()) + CLOCK_DAY + 10 * CLOCK_HOUR +
	    30 * CLOCK_MINUTE;
}

void
rig_stop(void)
{
	conf_free(rig_conf);
	servers_remove(folder);
}

static void
script(struct db *db, const char *text)
{
	assert_int_equal(db_script(db, text), OK);
}

/* Places, the station and its goods. */
static const char world[] =
    "INSERT INTO community (id, code, edition, name, township)"
    " VALUES (1, '520403001001', '2026-01-01', 'c', 't');"
    "INSERT INTO place (community_id, id, parent_id, kind, compound_id,"
    " name, full_name, rank, floor, lift) VALUES"
    " (1, 10, 0, 'compound', 10, 'a', 'a', 1, NULL, NULL),"
    " (1, 11, 10, 'building', 10, 'b', 'ab', 1, NULL, NULL),"
    " (1, 12, 11, 'entrance', 10, 'c', 'abc', 1, NULL, NULL),"
    " (1, 13, 12, 'dwelling', 10, 'd', 'abcd', 1, 1, 0),"
    " (1, 14, 12, 'dwelling', 10, 'e', 'abce', 2, 6, 0);"
    "INSERT INTO org (community_id, id, kind, name, phone, place,"
    " created_at) VALUES (1, 20, 'water', 's', '0', 'p', 1);"
    "INSERT INTO water_station (community_id, id, opens, closes,"
    " floor_fee_fen, free_floors, accept_minutes, windows, paused)"
    " VALUES (1, 20, 480, 1260, 100, 2, 15, '09:00-12:00,14:00-18:00', 0);"
    "INSERT INTO water_area VALUES (1, 10, 20, 1);"
    "INSERT INTO water_product (community_id, id, station_id, brand, name,"
    " millilitres, price_fen, stock, on_sale, updated_at, returnable,"
    " deposit_fen) VALUES"
    " (1, 22, 20, 'w', 'big', 18900, 1800, 1000000, 1, 1, 1, 3000),"
    " (1, 23, 20, 'w', 'small', 11300, 1200, 1000000, 1, 1, 1, 2000),"
    " (1, 24, 20, 'v', 'other', 18900, 2000, 1000000, 1, 1, 1, 3500);"
    "INSERT INTO household (community_id, id, dwelling_id, number, tenancy,"
    " source, as_of, from_at, updated_at)"
    " VALUES (1, 31, 13, '1', 'owned', 'roster', 20260101, 0, 0);"
    "INSERT INTO app_user (id, openid, name, community_id, created_at,"
    " updated_at) VALUES (21, 'k', 'k', 1, 1, 1);"
    "INSERT INTO org_staff VALUES (1, 20, 21, 'owner', 1);";

static void
add_resident(struct db *db, struct arena *a, int id)
{
	script(db, arena_fmt(a,
	    "INSERT INTO app_user (id, openid, name, community_id,"
	    " created_at, updated_at) VALUES (%d, 'r%d', 'r', 1, 1, 1);"
	    "INSERT INTO address (community_id, id, user_id, dwelling_id,"
	    " contact, phone, label, is_default, created_at)"
	    " VALUES (1, %d, %d, %d, 'x', '%s', '', 1, 1);", id, id,
	    100 + id, id, id <= 4 ? 13 : 14,
	    crypt_seal(a, "phone", "13900000001")));
}

void
rig_open(const char *url)
{
	struct arena	*a = arena_new(1 << 20);
	struct db	*db;
	int		 i, n;

	snprintf(file, sizeof(file), "sqlite:%s/planet.db", folder);
	rig_url = url != NULL ? url : file;
	assert_int_equal(db_open(rig_url, 5000, false, &db), OK);
	assert_int_equal(migrate_run(db, TEST_SQL_DIR, &n), OK);
	script(db, world);
	for (i = 1; i <= RIG_RESIDENTS; i++)
		add_resident(db, a, i);
	db_close(db);
	arena_free(a);
}

struct db *
rig_db(void)
{
	struct db	*db;

	assert_int_equal(db_open(rig_url, 10000, true, &db), OK);
	return db;
}

int64_t
rig_number(struct db *db, const char *sql)
{
	struct stmt	 s = { .mode = RO, .view = &rig_one_view,
	    .sql = sql };
	struct arena	*a = arena_new(4096);
	struct rig_one	 row;

	assert_int_equal(db_one(db, a, &s, NOTHING, &row), OK);
	arena_free(a);
	return row.n;
}

void
rig_bind(struct db *db, int64_t user)
{
	struct arena	*a = arena_new(4096);

	script(db, arena_fmt(a, "INSERT INTO home (community_id, id, state,"
	    " version, urged, owner_id, org_id, title, created_at,"
	    " updated_at, dwelling_id, place, via, name, relation, tenancy,"
	    " household_id, payer, bound_at) VALUES (1, %d, 'bound', 1, 0,"
	    " %d, 0, 'x', 1, 1, 13, 'x', 'desk', 'x', 'other', 'owned', 31,"
	    " 0, 1)", 200 + (int)user, (int)user));
	arena_free(a);
}

static void
print_fault(void *arg, const char *what, const struct ledger_fault *f)
{
	(void)arg;
	printf("community %lld id %lld: %s\n", (long long)f->community_id,
	    (long long)f->id, what);
}

int64_t
rig_faults(struct db *db)
{
	struct arena		*a = arena_new(1 << 20);
	struct ledger_report	 report;

	assert_int_equal(ledger_check(db, a, print_fault, NULL, &report), OK);
	printf("%lld entries, %lld lines, %lld accounts, %lld faults\n",
	    (long long)report.entries, (long long)report.lines,
	    (long long)report.accounts, (long long)report.faults);
	arena_free(a);
	return report.faults;
}
