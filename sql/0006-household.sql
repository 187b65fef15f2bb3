-- SPDX-License-Identifier: Apache-2.0
-- Who lives where.  Sealed columns name the column they are sealed for
-- (crypt.h); an index beside finds the full value, a mask is what lists
-- show.  Days are yyyymmdd.

CREATE TABLE person (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	name		TEXT NOT NULL,
	sex		TEXT CHECK (sex IN ('male', 'female')),
	born		BIGINT,			-- yyyymmdd
	id_type		TEXT CHECK (id_type IN ('citizen', 'permit',
	    'passport', 'other')),
	id_number	TEXT,			-- sealed, column "id_number"
	id_index	TEXT,			-- of TYPE:NUMBER
	id_mask		TEXT,
	phone		TEXT,			-- sealed, column "phone"
	phone_index	TEXT,
	phone_mask	TEXT,
	source		TEXT NOT NULL CHECK (source IN ('roster', 'self',
	    'visit', 'desk', 'other')),
	ground		TEXT NOT NULL CHECK (ground IN ('duty', 'consent',
	    'contract', 'vital')),	-- PIPL art. 13
	as_of		BIGINT NOT NULL,	-- day it was learned
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,
	gone_at		BIGINT,			-- died or deleted
	household_id	BIGINT,			-- where they live now, kept
	dwelling_id	BIGINT,			-- by the triggers below
	PRIMARY KEY (community_id, id),
	CHECK ((id_number IS NULL) = (id_index IS NULL)),
	CHECK ((phone IS NULL) = (phone_index IS NULL))
)
-- only sqlite
WITHOUT ROWID
-- end
;
CREATE UNIQUE INDEX person_number ON person (community_id, id_index)
    WHERE id_index IS NOT NULL AND gone_at IS NULL;
CREATE INDEX person_phone ON person (phone_index)
    WHERE phone_index IS NOT NULL;
CREATE INDEX person_name ON person (community_id, name, id);
CREATE INDEX person_dwelling ON person (community_id, dwelling_id, id);
CREATE INDEX person_born ON person (community_id, born);

-- What was learned of one field later than the row as a whole, so that
-- nobody is asked twice and the age of every fact is known.
CREATE TABLE person_fact (
	community_id	BIGINT NOT NULL,
	person_id	BIGINT NOT NULL,
	field		TEXT NOT NULL CHECK (field IN ('name', 'sex', 'born',
	    'id_number', 'phone')),
	source		TEXT NOT NULL,
	ground		TEXT NOT NULL,
	as_of		BIGINT NOT NULL,
	by_id		BIGINT NOT NULL,	-- a user
	at		BIGINT NOT NULL,
	PRIMARY KEY (community_id, person_id, field),
	FOREIGN KEY (community_id, person_id)
	    REFERENCES person (community_id, id)
);

-- Clear looks of a user on a day: so many, then a second person must help.
CREATE TABLE look_count (
	community_id	BIGINT NOT NULL,
	user_id		BIGINT NOT NULL,
	day		BIGINT NOT NULL,	-- yyyymmdd
	looks		BIGINT NOT NULL,
	PRIMARY KEY (community_id, user_id, day)
);

-- Those who keep house together; a dwelling may have several.
CREATE TABLE household (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	dwelling_id	BIGINT NOT NULL,
	number		TEXT NOT NULL,		-- tells them apart: 1, 2
	tenancy		TEXT NOT NULL CHECK (tenancy IN ('owned', 'rented',
	    'lent', 'public', 'other')),
	contact_id	BIGINT,			-- a person
	source		TEXT NOT NULL,
	ground		TEXT NOT NULL DEFAULT 'duty',
	as_of		BIGINT NOT NULL,
	from_at		BIGINT NOT NULL,
	to_at		BIGINT,
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id)
);
CREATE UNIQUE INDEX household_open ON household
    (community_id, dwelling_id, number) WHERE to_at IS NULL;
CREATE INDEX household_dwelling ON household (community_id, dwelling_id);
CREATE INDEX household_contact ON household (community_id, contact_id)
    WHERE contact_id IS NOT NULL;

CREATE TABLE member (
	community_id	BIGINT NOT NULL,
	household_id	BIGINT NOT NULL,
	person_id	BIGINT NOT NULL,
	from_at		BIGINT NOT NULL,
	relation	TEXT NOT NULL CHECK (relation IN ('head', 'spouse',
	    'child', 'parent', 'grandchild', 'grandparent', 'sibling',
	    'relative', 'tenant', 'carer', 'other')),
	to_at		BIGINT,
	PRIMARY KEY (community_id, household_id, person_id, from_at),
	FOREIGN KEY (community_id, household_id)
	    REFERENCES household (community_id, id),
	FOREIGN KEY (community_id, person_id)
	    REFERENCES person (community_id, id)
);
CREATE UNIQUE INDEX member_open ON member
    (community_id, household_id, person_id) WHERE to_at IS NULL;
-- All that is asked by person, so that no planner prefers the table.
CREATE INDEX member_person ON member
    (community_id, person_id, to_at, from_at, household_id);

-- What somebody needs: kind and words are sealed together as JSON
-- {"kind","note"}; the index is of the kind.
CREATE TABLE need (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	person_id	BIGINT NOT NULL,
	kind_index	TEXT NOT NULL,
	body		TEXT NOT NULL,		-- sealed, column "need"
	source		TEXT NOT NULL,
	ground		TEXT NOT NULL,
	as_of		BIGINT NOT NULL,
	by_id		BIGINT,			-- a user
	created_at	BIGINT NOT NULL,
	ended_at	BIGINT,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, person_id)
	    REFERENCES person (community_id, id)
);
CREATE UNIQUE INDEX need_once ON need (community_id, person_id, kind_index)
    WHERE ended_at IS NULL;
CREATE INDEX need_kind ON need (community_id, kind_index)
    WHERE ended_at IS NULL;

-- A person's household_id and dwelling_id: of the newest membership that is
-- open, in a household that is.  Kept here, so that whoever writes rows
-- (services, imports, a person with psql) need not remember.

-- only sqlite
CREATE TRIGGER member_added AFTER INSERT ON member
BEGIN
	UPDATE person SET (household_id, dwelling_id) =
	    (SELECT h.id, h.dwelling_id FROM member m JOIN household h
	    ON h.community_id = m.community_id AND h.id = m.household_id
	    WHERE m.community_id = NEW.community_id
	    AND m.person_id = NEW.person_id AND m.to_at IS NULL
	    AND h.to_at IS NULL ORDER BY m.from_at DESC, h.id DESC LIMIT 1)
	WHERE community_id = NEW.community_id AND id = NEW.person_id;
END;
CREATE TRIGGER member_changed AFTER UPDATE OF to_at ON member
BEGIN
	UPDATE person SET (household_id, dwelling_id) =
	    (SELECT h.id, h.dwelling_id FROM member m JOIN household h
	    ON h.community_id = m.community_id AND h.id = m.household_id
	    WHERE m.community_id = NEW.community_id
	    AND m.person_id = NEW.person_id AND m.to_at IS NULL
	    AND h.to_at IS NULL ORDER BY m.from_at DESC, h.id DESC LIMIT 1)
	WHERE community_id = NEW.community_id AND id = NEW.person_id;
END;
CREATE TRIGGER member_removed AFTER DELETE ON member
BEGIN
	UPDATE person SET (household_id, dwelling_id) =
	    (SELECT h.id, h.dwelling_id FROM member m JOIN household h
	    ON h.community_id = m.community_id AND h.id = m.household_id
	    WHERE m.community_id = OLD.community_id
	    AND m.person_id = OLD.person_id AND m.to_at IS NULL
	    AND h.to_at IS NULL ORDER BY m.from_at DESC, h.id DESC LIMIT 1)
	WHERE community_id = OLD.community_id AND id = OLD.person_id;
END;
CREATE TRIGGER household_moved AFTER UPDATE OF dwelling_id, to_at ON household
BEGIN
	UPDATE person SET (household_id, dwelling_id) =
	    (SELECT h.id, h.dwelling_id FROM member m JOIN household h
	    ON h.community_id = m.community_id AND h.id = m.household_id
	    WHERE m.community_id = person.community_id
	    AND m.person_id = person.id AND m.to_at IS NULL
	    AND h.to_at IS NULL ORDER BY m.from_at DESC, h.id DESC LIMIT 1)
	WHERE community_id = NEW.community_id AND id IN
	    (SELECT person_id FROM member
	    WHERE community_id = NEW.community_id
	    AND household_id = NEW.id AND to_at IS NULL);
END;
-- end
-- only postgresql
CREATE FUNCTION person_settle(community BIGINT, who BIGINT) RETURNS void
LANGUAGE plpgsql AS
'DECLARE
	house BIGINT;
	home BIGINT;
BEGIN
	SELECT h.id, h.dwelling_id INTO house, home
	FROM member m JOIN household h
	ON h.community_id = m.community_id AND h.id = m.household_id
	WHERE m.community_id = community AND m.person_id = who
	AND m.to_at IS NULL AND h.to_at IS NULL
	ORDER BY m.from_at DESC, h.id DESC LIMIT 1;
	-- Whoever was put down with both has nothing to be changed.
	UPDATE person SET household_id = house, dwelling_id = home
	WHERE community_id = community AND id = who
	AND (household_id IS DISTINCT FROM house
	OR dwelling_id IS DISTINCT FROM home);
END';
CREATE FUNCTION member_settle() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
	IF TG_OP = ''DELETE'' THEN
		PERFORM person_settle(OLD.community_id, OLD.person_id);
	ELSE
		PERFORM person_settle(NEW.community_id, NEW.person_id);
	END IF;
	RETURN NULL;
END';
CREATE FUNCTION household_settle() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
	PERFORM person_settle(m.community_id, m.person_id) FROM member m
	    WHERE m.community_id = NEW.community_id
	    AND m.household_id = NEW.id AND m.to_at IS NULL;
	RETURN NULL;
END';
CREATE TRIGGER member_moved AFTER INSERT OR DELETE OR UPDATE OF to_at
    ON member FOR EACH ROW EXECUTE FUNCTION member_settle();
CREATE TRIGGER household_moved AFTER UPDATE OF dwelling_id, to_at
    ON household FOR EACH ROW EXECUTE FUNCTION household_settle();
-- end

-- What the planner should expect of a community of the usual size: without
-- it SQLite takes community_id for selective and prefers any index that has
-- it first.  `ANALYZE` replaces these lines by what is really there.

-- only sqlite
ANALYZE grid;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('place', 'sqlite_autoindex_place_1', '10500 3500 1'),
    ('place', 'place_name', '10500 3500 4 1'),
    ('place', 'place_rank', '10500 3500 4 1 1'),
    ('place', 'place_compound', '10500 3500 700 1'),
    ('person', 'person', '24000 8000 1'),
    ('person', 'person_number', '24000 8000 1'),
    ('person', 'person_phone', '24000 1'),
    ('person', 'person_name', '24000 8000 3 1'),
    ('person', 'person_dwelling', '24000 8000 3 1'),
    ('person', 'person_born', '24000 8000 2'),
    ('household', 'sqlite_autoindex_household_1', '8800 2933 1'),
    ('household', 'household_open', '8800 2933 1 1'),
    ('household', 'household_dwelling', '8800 2933 1'),
    ('household', 'household_contact', '8800 2933 1'),
    ('member', 'sqlite_autoindex_member_1', '24000 8000 3 1 1'),
    ('member', 'member_open', '24000 8000 3 1'),
    ('member', 'member_person', '24000 8000 1 1 1 1'),
    ('need', 'sqlite_autoindex_need_1', '3000 1000 1'),
    ('need', 'need_once', '3000 1000 1 1'),
    ('need', 'need_kind', '3000 1000 150'),
    ('unit_dwelling', 'sqlite_autoindex_unit_dwelling_1',
    '8800 2933 1 1'),
    ('unit_dwelling', 'unit_dwelling_open', '8800 2933 1'),
    ('unit_dwelling', 'unit_dwelling_unit', '8800 2933 17'),
    ('unit_grid', 'sqlite_autoindex_unit_grid_1', '510 170 1 1'),
    ('unit_grid', 'unit_grid_open', '510 170 1'),
    ('unit_grid', 'unit_grid_grid', '510 170 15'),
    ('post', 'sqlite_autoindex_post_1', '545 182 1'),
    ('post', 'post_scope', '545 182 91 1'),
    ('post', 'post_user', '545 1 1');
ANALYZE sqlite_schema;
-- end
