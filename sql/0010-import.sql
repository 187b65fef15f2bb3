-- SPDX-License-Identifier: Apache-2.0
-- Files brought in: checked, compared, applied, undone.
--
-- A file becomes rows here; what they change is known before it is
-- changed, and kept until it can no longer be undone.

CREATE TABLE import (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	kind		TEXT NOT NULL CHECK (kind IN
	    ('territory', 'grids', 'roster')),
	name		TEXT NOT NULL,		-- the file's
	sha256		TEXT NOT NULL,
	bytes		BIGINT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('uploaded', 'checked',
	    'faulty', 'applying', 'applied', 'undoing', 'undone',
	    'failed')),
	partial		BIGINT NOT NULL CHECK (partial IN (0, 1)),
	rows		BIGINT NOT NULL,	-- of the file, blank ones not
	added		BIGINT NOT NULL,	-- things, not rows
	changed		BIGINT NOT NULL,
	same		BIGINT NOT NULL,
	faults		BIGINT NOT NULL,	-- all, kept or not
	counts		TEXT NOT NULL,		-- JSON, by part
	detail		TEXT,			-- why it failed
	kept		BIGINT NOT NULL CHECK (kept IN (0, 1)), -- the file
	by_id		BIGINT NOT NULL,	-- a user, 0 at the console
	claim		BIGINT NOT NULL,	-- of a runner, 0 for none
	claimed_until	BIGINT NOT NULL,
	created_at	BIGINT NOT NULL,
	checked_at	BIGINT,
	applied_at	BIGINT,
	undone_at	BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE INDEX import_work ON import (state, claimed_until)
    WHERE state IN ('uploaded', 'applying', 'undoing');

-- One thing that a file names, or that follows from it.  `body` is how it
-- is to be and `before` how it was, flat JSON objects of equal form
-- without anything clear that is sealed elsewhere.  A thing that is new
-- has the id it will get.
CREATE TABLE import_row (
	community_id	BIGINT NOT NULL,
	import_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,	-- 1, 2, 3 as staged
	part		TEXT NOT NULL,
	line		BIGINT NOT NULL,	-- 0: follows from others
	up		BIGINT,			-- id of what it lies in
	key		TEXT NOT NULL,		-- name, number or code
	a_id		BIGINT,			-- dwelling, day born, old post
	thing_id	BIGINT NOT NULL,
	verdict		TEXT NOT NULL CHECK (verdict IN
	    ('add', 'change', 'same', 'fault')),
	body		TEXT NOT NULL,
	before		TEXT,
	phone		TEXT,			-- sealed, column "phone"
	phone_index	TEXT,
	id_number	TEXT,			-- sealed, column "id_number"
	id_index	TEXT,
	need		TEXT,			-- sealed, column "need"
	was_phone	TEXT,			-- sealed, column "phone"
	was_phone_index	TEXT,
	was_number	TEXT,			-- sealed, column "id_number"
	was_index	TEXT,
	PRIMARY KEY (community_id, import_id, id),
	FOREIGN KEY (community_id, import_id)
	    REFERENCES import (community_id, id)
);
CREATE INDEX import_row_up ON import_row (community_id, import_id, up)
    WHERE up IS NOT NULL;
CREATE INDEX import_row_thing ON import_row
    (community_id, import_id, thing_id);

-- The same with its objects as such: PostgreSQL tells them from text.
-- only sqlite
CREATE VIEW import_item AS SELECT community_id, import_id, id,
    body AS now, before AS was FROM import_row;
-- end
-- only postgresql
CREATE VIEW import_item AS SELECT community_id, import_id, id,
    CAST(body AS JSON) AS now, CAST(before AS JSON) AS was FROM import_row;
-- end

CREATE TABLE import_fault (
	community_id	BIGINT NOT NULL,
	import_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	line		BIGINT NOT NULL,	-- 0: of the file
	label		TEXT,			-- of the column
	detail		TEXT NOT NULL,		-- Chinese
	PRIMARY KEY (community_id, import_id, id),
	FOREIGN KEY (community_id, import_id)
	    REFERENCES import (community_id, id)
);
CREATE INDEX import_fault_line ON import_fault
    (community_id, import_id, line);
