-- SPDX-License-Identifier: Apache-2.0
-- Who answers for a dwelling: community -> grid -> ten-household unit ->
-- dwelling, beside the tree of places, and the people who hold a post.
-- Rows are valid from `from_at` until before `to_at`; NULL has no end.  A
-- border redrawn for a later day is such a row with a later from_at.

CREATE TABLE grid (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	code		TEXT NOT NULL,		-- 01, as the office numbers it
	name		TEXT NOT NULL,
	from_at		BIGINT NOT NULL,
	to_at		BIGINT,
	PRIMARY KEY (community_id, id),
	CHECK (to_at IS NULL OR to_at >= from_at)
);
CREATE UNIQUE INDEX grid_code ON grid (community_id, code)
    WHERE to_at IS NULL;

-- A ten-household unit; how many homes it has is data.
CREATE TABLE unit (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	code		TEXT NOT NULL,		-- 01-03: grid and number
	name		TEXT NOT NULL,
	from_at		BIGINT NOT NULL,
	to_at		BIGINT,
	PRIMARY KEY (community_id, id),
	CHECK (to_at IS NULL OR to_at >= from_at)
);
CREATE UNIQUE INDEX unit_code ON unit (community_id, code)
    WHERE to_at IS NULL;

CREATE TABLE unit_grid (
	community_id	BIGINT NOT NULL,
	unit_id		BIGINT NOT NULL,
	from_at		BIGINT NOT NULL,
	grid_id		BIGINT NOT NULL,
	to_at		BIGINT,
	PRIMARY KEY (community_id, unit_id, from_at),
	FOREIGN KEY (community_id, unit_id) REFERENCES unit (community_id, id),
	FOREIGN KEY (community_id, grid_id) REFERENCES grid (community_id, id),
	CHECK (to_at IS NULL OR to_at >= from_at)
);
CREATE UNIQUE INDEX unit_grid_open ON unit_grid (community_id, unit_id)
    WHERE to_at IS NULL;
CREATE INDEX unit_grid_grid ON unit_grid (community_id, grid_id);

CREATE TABLE unit_dwelling (
	community_id	BIGINT NOT NULL,
	dwelling_id	BIGINT NOT NULL,
	from_at		BIGINT NOT NULL,
	unit_id		BIGINT NOT NULL,
	to_at		BIGINT,
	PRIMARY KEY (community_id, dwelling_id, from_at),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id),
	FOREIGN KEY (community_id, unit_id) REFERENCES unit (community_id, id),
	CHECK (to_at IS NULL OR to_at >= from_at)
);
CREATE UNIQUE INDEX unit_dwelling_open ON unit_dwelling
    (community_id, dwelling_id) WHERE to_at IS NULL;
CREATE INDEX unit_dwelling_unit ON unit_dwelling (community_id, unit_id);

-- A post: a role with the part of the community it is for.  A deputy's post
-- names the post it stands in for.  Whoever is named by phone before the
-- first log-in has no user_id yet; it is set when the number is proved.
CREATE TABLE post (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	role		TEXT NOT NULL,
	scope		TEXT NOT NULL CHECK (scope IN
	    ('community', 'grid', 'unit', 'compound', 'org')),
	scope_id	BIGINT NOT NULL,	-- 0 for the community
	user_id		BIGINT REFERENCES app_user (id),
	person_id	BIGINT,			-- of a head, in the roster
	name		TEXT NOT NULL,
	phone		TEXT,			-- sealed, column "phone"
	phone_index	TEXT,
	deputy_of	BIGINT,
	from_at		BIGINT NOT NULL,
	to_at		BIGINT,
	created_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	CHECK (to_at IS NULL OR to_at >= from_at)
);
CREATE INDEX post_scope ON post (community_id, scope, scope_id);
CREATE INDEX post_user ON post (user_id, community_id);
CREATE INDEX post_phone ON post (phone_index) WHERE user_id IS NULL;
CREATE INDEX post_deputy ON post (community_id, deputy_of)
    WHERE deputy_of IS NOT NULL;

-- The dwellings of a compound, for who answers for all of it.
CREATE INDEX place_compound ON place (community_id, compound_id, id);

-- A role that a post gave, and that goes with the last such post.  A role
-- given otherwise is not here.
CREATE TABLE post_role (
	community_id	BIGINT NOT NULL,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	role		TEXT NOT NULL,
	PRIMARY KEY (community_id, user_id, role)
);

-- Whose sessions are to be told of roles that have changed.
CREATE TABLE post_sync (
	user_id		BIGINT PRIMARY KEY REFERENCES app_user (id),
	since		BIGINT NOT NULL
);

-- When the holder of a post is on duty; no row: office hours are unknown.
CREATE TABLE duty_time (
	community_id	BIGINT NOT NULL,
	post_id		BIGINT NOT NULL,
	weekday		BIGINT NOT NULL CHECK (weekday BETWEEN 1 AND 7),
	from_minute	BIGINT NOT NULL,	-- of the day
	to_minute	BIGINT NOT NULL,
	PRIMARY KEY (community_id, post_id, weekday, from_minute),
	FOREIGN KEY (community_id, post_id) REFERENCES post (community_id, id),
	CHECK (from_minute >= 0 AND from_minute < to_minute
	    AND to_minute <= 1440)
);

-- A redrawing of borders: preview, applied from a day on, undone.
CREATE TABLE border (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	title		TEXT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN
	    ('draft', 'applied', 'undone')),
	applies_at	BIGINT,
	by_id		BIGINT NOT NULL,
	created_at	BIGINT NOT NULL,
	applied_at	BIGINT,
	undone_at	BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE TABLE border_move (
	community_id	BIGINT NOT NULL,
	border_id	BIGINT NOT NULL,
	kind		TEXT NOT NULL CHECK (kind IN ('dwelling', 'unit')),
	moved_id	BIGINT NOT NULL,	-- the dwelling or the unit
	to_id		BIGINT NOT NULL,	-- the unit or the grid
	from_id		BIGINT,			-- where it was when applied
	PRIMARY KEY (community_id, border_id, kind, moved_id),
	FOREIGN KEY (community_id, border_id)
	    REFERENCES border (community_id, id)
);
