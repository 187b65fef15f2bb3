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
	PRIMARY KEY (community_id, id),
	CHECK ((id_number IS NULL) = (id_index IS NULL)),
	CHECK ((phone IS NULL) = (phone_index IS NULL))
);
CREATE UNIQUE INDEX person_number ON person (community_id, id_index)
    WHERE id_index IS NOT NULL AND gone_at IS NULL;
CREATE INDEX person_phone ON person (phone_index)
    WHERE phone_index IS NOT NULL;
CREATE INDEX person_name ON person (community_id, name, id);

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
CREATE INDEX member_person ON member (community_id, person_id);

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
