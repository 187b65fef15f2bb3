-- SPDX-License-Identifier: Apache-2.0
-- Roll call (联户长点名): one question to every home of a part of the
-- community, and what each home answered.

CREATE TABLE roll_call (
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

	question	TEXT NOT NULL,
	choices		TEXT NOT NULL,		-- JSON [{code,label,alarm}]
	scope		TEXT NOT NULL CHECK (scope IN
	    ('community', 'grid', 'unit')),
	scope_id	BIGINT NOT NULL,	-- 0 for the community
	homes		BIGINT NOT NULL,	-- asked
	remind_at	BIGINT NOT NULL,	-- heads get their silent homes
	closes_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	CHECK (remind_at <= closes_at)
);
CREATE INDEX roll_call_due ON roll_call (deadline_at)
    WHERE deadline_at IS NOT NULL;

-- A home that was asked, with the unit and grid it had that day.
CREATE TABLE roll_home (
	community_id	BIGINT NOT NULL,
	roll_call_id	BIGINT NOT NULL,
	household_id	BIGINT NOT NULL,
	dwelling_id	BIGINT NOT NULL,
	unit_id		BIGINT NOT NULL,	-- 0 for none, as grid_id
	grid_id		BIGINT NOT NULL,
	place		TEXT NOT NULL,
	choice		TEXT,			-- NULL: silent
	alarm		BIGINT NOT NULL CHECK (alarm IN (0, 1)),
	note		TEXT,
	via		TEXT CHECK (via IN ('resident', 'helper', 'staff')),
	by_id		BIGINT REFERENCES app_user (id),
	answered_at	BIGINT,
	PRIMARY KEY (community_id, roll_call_id, household_id),
	FOREIGN KEY (community_id, roll_call_id)
	    REFERENCES roll_call (community_id, id),
	CHECK ((choice IS NULL) = (answered_at IS NULL)),
	CHECK (choice IS NOT NULL OR alarm = 0)
);
CREATE INDEX roll_home_unit ON roll_home
    (community_id, roll_call_id, unit_id, household_id);
CREATE INDEX roll_home_household ON roll_home
    (community_id, household_id, roll_call_id);
