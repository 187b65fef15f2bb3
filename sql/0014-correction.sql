-- SPDX-License-Identifier: Apache-2.0
-- What a resident asks to have put right in their record (PIPL art. 46).

CREATE TABLE correction (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,
	urged		BIGINT NOT NULL,
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,	-- 0
	assignee_id	BIGINT REFERENCES app_user (id),
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	person_id	BIGINT NOT NULL,
	field		TEXT NOT NULL,
	value		TEXT NOT NULL,		-- sealed, column "correction"
	note		TEXT,
	reason		TEXT,			-- of a refusal
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, person_id)
	    REFERENCES person (community_id, id)
);
CREATE INDEX correction_due ON correction (deadline_at)
    WHERE deadline_at IS NOT NULL;
CREATE INDEX correction_owner ON correction (community_id, owner_id, id);
CREATE INDEX correction_open ON correction (community_id, id)
    WHERE state = 'asked';
-- The same thing is asked once at a time.
CREATE UNIQUE INDEX correction_once ON correction
    (community_id, person_id, field) WHERE state = 'asked';
