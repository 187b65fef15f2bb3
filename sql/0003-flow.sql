-- SPDX-License-Identifier: Apache-2.0
-- What every flow shares: its timeline, and messages waiting to go out.

-- One row a step of a thing that somebody asked for; never changed.
CREATE TABLE flow_event (
	community_id	BIGINT NOT NULL,
	thing_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	flow		TEXT NOT NULL,
	event		TEXT NOT NULL,
	from_state	TEXT,			-- NULL at the beginning
	to_state	TEXT NOT NULL,
	actor_id	BIGINT,			-- NULL for the platform
	actor		TEXT NOT NULL,		-- owner, org, assignee, ...
	note		TEXT,			-- shown to the owner
	created_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, thing_id, id)
);

-- Messages to send, written with what they tell of.
CREATE TABLE outbox (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	template	TEXT NOT NULL,		-- our name of it
	page		TEXT,
	data		TEXT NOT NULL,		-- JSON of the data object
	state		TEXT NOT NULL CHECK (state IN ('queued', 'sent',
	    'refused', 'no_permission', 'failed')),
	permit		BIGINT NOT NULL CHECK (permit IN (0, 1)),
	tries		BIGINT NOT NULL,
	due_at		BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL,
	claim		BIGINT NOT NULL,	-- id of the claim, 0 for none
	code		BIGINT,			-- WeChat's errcode
	created_at	BIGINT NOT NULL,
	done_at		BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_user ON outbox (user_id) WHERE state = 'queued';

-- One-time permissions to send, counted per person and template.
CREATE TABLE notice_permit (
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	template	TEXT NOT NULL,
	remaining	BIGINT NOT NULL CHECK (remaining >= 0),
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (user_id, template)
);
