/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo_file.c -- demo.json: who is who, for tests and for trying out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/json.h"
#include "service/bill.h"

#include "ctl.h"
#include "ctl_demo.h"

#define FILE_MAX	(4 << 20)

static void
put_community(struct json *j, const struct demo *d, int i)
{
	json_put_id(j, "community", d->communities[i]);
	json_put_text(j, "community_code", demo_communities[i].code);
	json_put_text(j, "community_name", demo_communities[i].name);
}

static void
put_person(struct json *j, const struct demo *d, const struct demo_person *p)
{
	int	i;

	json_open(j);
	json_put_text(j, "account", p->account);
	json_put_text(j, "password", DEMO_PASSWORD);
	json_put_text(j, "name", p->name);
	json_key(j, "roles");
	json_list(j);
	for (i = 0; i < DEMO_ROLES && p->roles[i] != NULL; i++)
		json_text(j, p->roles[i]);
	json_unlist(j);
	put_community(j, d, p->community);
	if (p->openid != NULL)
		json_put_text(j, "openid", p->openid);
	if (p->station >= 0) {
		json_put_id(j, "station", d->stations[p->station]);
		json_put_text(j, "station_name",
		    demo_stations[p->station].name);
		json_put_text(j, "duty", p->duty);
	}
	json_close(j);
}

/* Accounts that may bring bills. */
static void
put_payee(struct json *j, const struct demo *d, const struct demo_person *p)
{
	const char	*duty;
	int64_t		 kinds;
	int		 i = ctl_demo_payee_of(p->account, &duty), k;

	if (i < 0)
		return;
	json_open(j);
	json_put_text(j, "account", p->account);
	json_put_text(j, "password", DEMO_PASSWORD);
	json_put_text(j, "name", p->name);
	put_community(j, d, p->community);
	json_put_id(j, "payee", d->payees[i]);
	json_put_text(j, "payee_name", ctl_demo_payee_name(i, &kinds));
	json_put_text(j, "duty", duty);
	json_key(j, "bill_kinds");
	json_list(j);
	for (k = 0; bill_kinds[k] != NULL; k++)
		if (kinds & INT64_C(1) << k)
			json_text(j, bill_kinds[k]);
	json_unlist(j);
	json_close(j);
}

static void
put_resident(struct json *j, const struct demo *d,
    const struct demo_resident *r)
{
	json_open(j);
	json_put_text(j, "openid", r->openid);
	json_put_text(j, "phone", r->phone);
	put_community(j, d, r->community);
	json_put_id(j, "dwelling_id", r->dwelling_id);
	json_put_text(j, "place", r->place);
	json_close(j);
}

/* Head and grid worker of the community's first resident. */
static void
put_duty(struct json *j, const struct demo *d, int i)
{
	const struct demo_duty	*duty = &d->duty[i];

	json_open(j);
	put_community(j, d, i);
	json_put_text(j, "head_openid", arena_fmt(d->ctl->arena,
	    "o-demo-head-%02d", i + 1));
	json_put_text(j, "head_name", duty->head_name);
	json_put_text(j, "head_phone", duty->head_phone);
	json_put_text(j, "worker_openid", arena_fmt(d->ctl->arena,
	    "o-demo-grid-%02d", i + 1));
	json_put_text(j, "worker_phone", duty->worker_phone);
	json_close(j);
}

static void
put_all(struct json *j, const struct demo *d, const char *base_url,
    const char *standin_url)
{
	int	i;

	json_open(j);
	json_put_text(j, "base_url", base_url);
	json_put_text(j, "standin_url", standin_url);
	json_key(j, "staff");
	json_list(j);
	for (i = 0; demo_people[i].account != NULL; i++)
		put_person(j, d, &demo_people[i]);
	json_unlist(j);
	json_key(j, "payees");
	json_list(j);
	for (i = 0; demo_people[i].account != NULL; i++)
		put_payee(j, d, &demo_people[i]);
	json_unlist(j);
	json_key(j, "duty");
	json_list(j);
	for (i = 0; i < DEMO_COMMUNITIES; i++)
		if (d->duty[i].head_phone != NULL)
			put_duty(j, d, i);
	json_unlist(j);
	json_key(j, "residents");
	json_list(j);
	for (i = 0; i < DEMO_RESIDENTS; i++)
		put_resident(j, d, &d->residents[i]);
	json_unlist(j);
	json_close(j);
}

static bool
write_all(int fd, const char *s, size_t n)
{
	ssize_t	w;

	while (n > 0) {
		w = write(fd, s, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0;
}

/* Beside the file first, so that a reader finds the old or the new one. */
static bool
replace(struct arena *a, const char *path, const struct buf *b)
{
	char	*beside = arena_fmt(a, "%s.new-%ld", path, (long)getpid());
	bool	 good;
	int	 fd, saved;

	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return false;
	good = write_all(fd, b->data, b->len);
	good = close(fd) == 0 && good;
	if (good && rename(beside, path) == 0)
		return true;
	saved = errno;
	unlink(beside);
	errno = saved;
	return false;
}

bool
ctl_demo_file(const struct demo *d, const char *path, const char *base_url,
    const char *standin_url)
{
	struct buf	b;
	struct json	j;
	bool		good;

	buf_init(&b, FILE_MAX);
	json_init(&j, &b);
	put_all(&j, d, base_url, standin_url);
	BUF_LIT(&b, "\n");
	good = json_done(&j) && !b.over;
	if (good)
		good = replace(d->ctl->arena, path, &b);
	else
		errno = EINVAL;
	buf_free(&b);
	return good;
}
