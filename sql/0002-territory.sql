-- SPDX-License-Identifier: Apache-2.0
-- Place: community -> compound -> building -> entrance -> dwelling, one
-- table, because each level differs from the next by little.

CREATE TABLE place (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	parent_id	BIGINT NOT NULL,	-- 0 for a compound
	kind		TEXT NOT NULL CHECK (kind IN
	    ('compound', 'building', 'entrance', 'dwelling')),
	compound_id	BIGINT NOT NULL,	-- itself for a compound
	name		TEXT NOT NULL,
	full_name	TEXT NOT NULL,		-- from the compound down
	rank		BIGINT NOT NULL,	-- order among its siblings
	floor		BIGINT,			-- of a dwelling
	lift		BIGINT CHECK (lift IN (0, 1)),
	lat		BIGINT,			-- GCJ-02, 1e-6 degree
	lng		BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE UNIQUE INDEX place_name ON place (community_id, parent_id, name);
CREATE INDEX place_rank ON place (community_id, parent_id, rank, id);

-- Where a resident has things brought to.
CREATE TABLE address (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	dwelling_id	BIGINT NOT NULL,
	contact		TEXT NOT NULL,
	phone		TEXT NOT NULL,		-- sealed
	label		TEXT NOT NULL,
	is_default	BIGINT NOT NULL CHECK (is_default IN (0, 1)),
	created_at	BIGINT NOT NULL,
	removed_at	BIGINT,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id)
);
CREATE INDEX address_user ON address (community_id, user_id, id);
CREATE UNIQUE INDEX address_default ON address (community_id, user_id)
    WHERE is_default = 1 AND removed_at IS NULL;
CREATE UNIQUE INDEX address_once ON address
    (community_id, user_id, dwelling_id) WHERE removed_at IS NULL;

-- Who offers something: a water station now; merchants, a property
-- company and others are organisations too.
CREATE TABLE org (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	kind		TEXT NOT NULL,
	name		TEXT NOT NULL,
	phone		TEXT NOT NULL,		-- public, not personal
	place		TEXT NOT NULL,
	lat		BIGINT,
	lng		BIGINT,
	created_at	BIGINT NOT NULL,
	closed_at	BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE UNIQUE INDEX org_name ON org (community_id, kind, name);

CREATE TABLE org_staff (
	community_id	BIGINT NOT NULL,
	org_id		BIGINT NOT NULL,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	duty		TEXT NOT NULL CHECK (duty IN
	    ('owner', 'clerk', 'courier')),
	since		BIGINT NOT NULL,
	PRIMARY KEY (community_id, org_id, user_id),
	FOREIGN KEY (community_id, org_id) REFERENCES org (community_id, id)
);
CREATE INDEX org_staff_user ON org_staff (community_id, user_id);
