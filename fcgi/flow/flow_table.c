/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_table.c -- the flows there are: registry, checks, pictures.
 */
#include <string.h>

#include "base/log.h"
#include "flow/flow_internal.h"
#include "flow/outbox.h"
#include "flow/task.h"

#define FLOWS 32

static const struct flow	*flows[FLOWS];
static int			 nflows;

void
flow_register(const struct flow *flow)
{
	int	i;

	for (i = 0; i < nflows; i++)
		if (flows[i] == flow)
			return;
	if (nflows == 0) {
		flow_register_own();
		flow_tell_register();
		outbox_register();
		task_register_own();
	}
	db_register(flow->sql, FLOW_SQL_MAX);
	if (nflows < FLOWS)
		flows[nflows++] = flow;
}

const struct flow *
flow_at(int i)
{
	return i >= 0 && i < nflows ? flows[i] : NULL;
}

const struct flow *
flow_named(const char *name)
{
	int	i;

	for (i = 0; i < nflows; i++)
		if (strcmp(flows[i]->name, name) == 0)
			return flows[i];
	return NULL;
}

const struct flow_state *
flow_state(const struct flow *flow, const char *name)
{
	const struct flow_state	*s;

	for (s = flow->states; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

const char *
flow_label(const struct flow *flow, const char *name)
{
	const struct flow_state	*s = flow_state(flow, name);

	return s != NULL ? s->label : name;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const struct flow_move *
flow_find(const struct flow *flow, const char *from, const char *event)
{
	const struct flow_move	*m;

	for (m = flow->moves; m->event != NULL; m++)
		if (same(m->from, from) && strcmp(m->event, event) == 0)
			return m;
	return NULL;
}

static bool
fault(const struct flow *flow, const char *where, const char *why)
{
	log_error("flow=%s at=%s fault=\"%s\"", flow->name, where, why);
	return false;
}

/* An overdue event must exist from here and be the system's. */
static bool
check_overdue(const struct flow *flow, const struct flow_state *s,
    const char *event)
{
	const struct flow_move	*m = flow_find(flow, s->name, event);

	if (m == NULL || (m->who & REL_SYSTEM) == 0)
		return fault(flow, s->name, "overdue event is missing");
	return true;
}

static bool
check_state(const struct flow *flow, const struct flow_state *s)
{
	const struct flow_move	*m;
	bool			 in = false, out = false, timed = true;

	for (m = flow->moves; m->event != NULL; m++) {
		if (strcmp(m->to, s->name) == 0) {
			in |= !same(m->from, s->name);
			timed &= m->deadline != FLOW_NONE;
		}
		out |= same(m->from, s->name) && strcmp(m->to, s->name) != 0;
	}
	if (!in)
		return fault(flow, s->name, "cannot be reached");
	if (s->final)
		return out ? fault(flow, s->name, "final, yet left") : true;
	if (!out)
		return fault(flow, s->name, "has no way out");
	if (s->why_open != NULL)
		return true;
	if (!timed || s->overdue == NULL)
		return fault(flow, s->name, "no deadline and no reason");
	if (s->then != NULL && !check_overdue(flow, s, s->then))
		return false;
	return check_overdue(flow, s, s->overdue);
}

static bool
check_move(const struct flow *flow, const struct flow_move *m)
{
	const struct flow_state	*to = flow_state(flow, m->to);

	if (to == NULL || (m->from != NULL &&
	    flow_state(flow, m->from) == NULL))
		return fault(flow, m->event, "names an unknown state");
	if ((m->who & (ROLE__ALL | REL__ALL | REL_SYSTEM)) == 0)
		return fault(flow, m->event, "nobody may do it");
	if (m->label == NULL)
		return fault(flow, m->event, "has no label");
	if (m->deadline == FLOW_SET && m->from != NULL && m->before == NULL)
		return fault(flow, m->event, "nothing sets the deadline");
	if (m->deadline == FLOW_KEEP && !same(m->from, m->to))
		return fault(flow, m->event, "keeps another state's deadline");
	if (to->final && m->deadline != FLOW_NONE)
		return fault(flow, m->event, "a final state has a deadline");
	if (flow_find(flow, m->from, m->event) != m)
		return fault(flow, m->event, "stands twice");
	return true;
}

bool
flow_check(const struct flow *flow)
{
	const struct flow_state	*s;
	const struct flow_move	*m;
	bool			 ok = true;

	for (m = flow->moves; m->event != NULL; m++)
		ok &= check_move(flow, m);
	for (s = flow->states; ok && s->name != NULL; s++)
		ok &= check_state(flow, s);
	return ok;
}

bool
flow_ready(void)
{
	bool	ok = true;
	int	i;

	for (i = 0; i < nflows; i++)
		ok &= flow_check(flows[i]);
	return ok;
}

static void
print_who(FILE *f, uint64_t who)
{
	static const char *const rel[] = { "owner", "org", "courier",
	    "assignee", "system", "area" };
	const char	*sep = "";
	int		 i;

	for (i = 0; i < 6; i++)
		if (who & (REL_OWNER << i)) {
			fprintf(f, "%s%s", sep, rel[i]);
			sep = ", ";
		}
	for (i = 0; i < ROLE__COUNT; i++)
		if (who & (1ULL << i)) {
			fprintf(f, "%s%s", sep, role_names[i]);
			sep = ", ";
		}
}

static void
print_deadline(FILE *f, int64_t ms)
{
	if (ms == FLOW_SET)
		fprintf(f, "set");
	else if (ms == FLOW_KEEP)
		fprintf(f, "kept");
	else if (ms == FLOW_NONE)
		fprintf(f, "none");
	else if (ms % 3600000 == 0)
		fprintf(f, "%lld h", (long long)ms / 3600000);
	else
		fprintf(f, "%lld min", (long long)ms / 60000);
}

static void
print_text(FILE *f, const struct flow *flow)
{
	const struct flow_state	*s;
	const struct flow_move	*m;
	int			 i;

	fprintf(f, "%s (%s)\n\nStates\n", flow->name, flow->label);
	for (s = flow->states; s->name != NULL; s++) {
		fprintf(f, "  %-12s %s", s->name, s->label);
		if (s->final)
			fprintf(f, "; final");
		if (s->overdue != NULL)
			fprintf(f, "; overdue: %s", s->overdue);
		if (s->then != NULL)
			fprintf(f, " %d times, then %s", s->times, s->then);
		if (s->why_open != NULL)
			fprintf(f, "; no deadline: %s", s->why_open);
		fprintf(f, "\n");
	}
	fprintf(f, "\nMoves\n");
	for (m = flow->moves; m->event != NULL; m++) {
		fprintf(f, "  %-12s %-10s -> %-12s by ", m->from != NULL ?
		    m->from : "(start)", m->event, m->to);
		print_who(f, m->who);
		fprintf(f, "; deadline ");
		print_deadline(f, m->deadline);
		for (i = 0; i < 4 && m->tells[i].to != 0; i++)
			fprintf(f, "%s%s", i ? ", " : "; tells ",
			    (const char *const[]){ "", "owner", "org",
			    "couriers", "assignee", "admins" }
			    [m->tells[i].to]);
		fprintf(f, "\n");
	}
	fprintf(f, "\n");
}

static void
print_dot(FILE *f, const struct flow *flow)
{
	const struct flow_state	*s;
	const struct flow_move	*m;

	fprintf(f, "digraph %s {\n\trankdir=LR;\n\tnode [shape=box];\n",
	    flow->name);
	fprintf(f, "\tstart [shape=point];\n");
	for (s = flow->states; s->name != NULL; s++)
		fprintf(f, "\t%s [label=\"%s\\n%s\"%s];\n", s->name, s->name,
		    s->label, s->final ? ", peripheries=2" : "");
	for (m = flow->moves; m->event != NULL; m++) {
		fprintf(f, "\t%s -> %s [label=\"%s\\n", m->from != NULL ?
		    m->from : "start", m->to, m->event);
		print_who(f, m->who);
		fprintf(f, "\"%s];\n", (m->who & REL_SYSTEM) ?
		    ", style=dashed" : "");
	}
	fprintf(f, "}\n");
}

void
flow_print(FILE *f, bool graphviz)
{
	int	i;

	for (i = 0; i < nflows; i++) {
		if (graphviz)
			print_dot(f, flows[i]);
		else
			print_text(f, flows[i]);
	}
}
