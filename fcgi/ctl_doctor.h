/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_doctor.h -- between the files of planetctl doctor.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdint.h>

struct arena;
struct conf;
struct redis;

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL };

struct doctor {
	const struct conf	*conf;
	struct arena		*arena;
	struct redis		*redis;
	int			 found[GRADE_FAIL + 1];
};

/* One line: what was looked at and how to mend it (NULL when well). */
void ctl_doctor_say(struct doctor *, enum grade, const char *what,
    const char *how);

/* The databases, in ctl_doctor_store.c. */
void ctl_doctor_store_db(struct doctor *);
void ctl_doctor_store_redis(struct doctor *);

#endif
