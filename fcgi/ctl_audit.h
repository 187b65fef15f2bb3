/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_audit.h -- the audit at the console.
 */
#ifndef CTL_AUDIT_H
#define CTL_AUDIT_H

struct ctl;

/* audit verify [--community CODE] [--anchors FILE] */
int ctl_audit(struct ctl *, int argc, char **argv);
void ctl_audit_register(void);

/*
 * Before a command that writes: its words, in the arena, as its row of the
 * audit will give them; NULL for others.
 */
const char *ctl_audit_words(struct ctl *, int argc, char **argv);

/*
 * After it was done: one row of the audit, when there are words.  0, or 1
 * after saying that there is none.
 */
int ctl_audit_note(struct ctl *, const char *command, const char *words);

#endif
