-- SPDX-License-Identifier: Apache-2.0
-- Homes of users, and who helps whom.

-- A user lives in a dwelling, or asks to be told so.  The first block is
-- what every flow's table has (fcgi/flow/flow.h).
CREATE TABLE home (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,	-- one up at every step
	urged		BIGINT NOT NULL,	-- times overdue in this state
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,	-- 0: a home has none
	assignee_id	BIGINT REFERENCES app_user (id),
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	dwelling_id	BIGINT NOT NULL,
	place		TEXT NOT NULL,		-- as it was named that day
	via		TEXT NOT NULL CHECK (via IN ('phone', 'asked',
	    'desk')),
	name		TEXT NOT NULL,		-- as the asker says it
	relation	TEXT NOT NULL,
	tenancy		TEXT NOT NULL,
	household_id	BIGINT,			-- in the roster, when known
	person_id	BIGINT,
	payer		BIGINT NOT NULL CHECK (payer IN (0, 1)),
	bound_at	BIGINT,
	ended_at	BIGINT,
	reason		TEXT,			-- of a refusal or an end
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id),
	FOREIGN KEY (community_id, household_id)
	    REFERENCES household (community_id, id),
	FOREIGN KEY (community_id, person_id)
	    REFERENCES person (community_id, id)
);
CREATE UNIQUE INDEX home_once ON home (community_id, owner_id, dwelling_id)
    WHERE state IN ('asked', 'bound');
-- One account stands for a person at a dwelling.
CREATE UNIQUE INDEX home_person ON home
    (community_id, dwelling_id, person_id)
    WHERE state = 'bound' AND person_id IS NOT NULL;
CREATE INDEX home_owner ON home (owner_id, community_id, id);
CREATE INDEX home_state ON home (community_id, state, id);
CREATE INDEX home_dwelling ON home (community_id, dwelling_id, id);
CREATE INDEX home_due ON home (deadline_at) WHERE deadline_at IS NOT NULL;

-- Accounts closed of late.
CREATE INDEX app_user_closed ON app_user (closed_at)
    WHERE closed_at IS NOT NULL;

-- What one person may do for another.  The helper is named by phone and
-- becomes known when the number is proved.
CREATE TABLE helper (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	elder_id	BIGINT NOT NULL REFERENCES app_user (id),
	helper_id	BIGINT REFERENCES app_user (id),
	phone		TEXT NOT NULL,		-- sealed, column "phone"
	phone_index	TEXT NOT NULL,
	phone_mask	TEXT NOT NULL,
	name		TEXT NOT NULL,		-- as the elder calls them
	rights		BIGINT NOT NULL CHECK (rights BETWEEN 1 AND 15),
	ground		TEXT NOT NULL CHECK (ground IN ('self', 'desk')),
	note		TEXT,			-- desk: who was present
	entered_by	BIGINT NOT NULL REFERENCES app_user (id),
	from_at		BIGINT NOT NULL,
	to_at		BIGINT,
	created_at	BIGINT NOT NULL,
	used_at		BIGINT,
	revoked_at	BIGINT,
	revoked_by	BIGINT,
	PRIMARY KEY (community_id, id),
	CHECK (to_at IS NULL OR to_at > from_at)
);
CREATE UNIQUE INDEX helper_once ON helper
    (community_id, elder_id, phone_index) WHERE revoked_at IS NULL;
CREATE INDEX helper_elder ON helper (elder_id, id);
CREATE INDEX helper_helper ON helper (helper_id, id);
CREATE INDEX helper_phone ON helper (phone_index) WHERE helper_id IS NULL;
