-- SPDX-License-Identifier: Apache-2.0
-- Lists taken out as files.  A clear one tells everybody who was on it.

CREATE TABLE export (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,	-- one up at every step
	urged		BIGINT NOT NULL,	-- times overdue in this state
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,	-- 0: an export has none
	assignee_id	BIGINT REFERENCES app_user (id),
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	kind		TEXT NOT NULL CHECK (kind IN
	    ('persons', 'households', 'units')),
	format		TEXT NOT NULL CHECK (format IN ('csv', 'xlsx')),
	clear		BIGINT NOT NULL CHECK (clear IN (0, 1)),
	reason		TEXT,			-- a clear one has one
	agreed_by	BIGINT REFERENCES app_user (id),
	rows		BIGINT,			-- of the file
	bytes		BIGINT,
	made_at		BIGINT,			-- what stood in the roster then
	downloads	BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL,	-- by who makes it
	PRIMARY KEY (community_id, id),
	CHECK (clear = 0 OR reason IS NOT NULL),
	CHECK (agreed_by IS NULL OR agreed_by <> owner_id)
);
CREATE INDEX export_due ON export (deadline_at)
    WHERE deadline_at IS NOT NULL;
CREATE INDEX export_work ON export (claimed_until)
    WHERE state IN ('agreed', 'ordered');
CREATE INDEX export_clear ON export (community_id, made_at)
    WHERE clear = 1 AND made_at IS NOT NULL;
