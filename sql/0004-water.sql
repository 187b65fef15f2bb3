-- SPDX-License-Identifier: Apache-2.0
-- Barrels of water: stations, what they sell, orders.

CREATE TABLE water_station (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,	-- of the org
	opens		BIGINT NOT NULL,	-- minute of the day
	closes		BIGINT NOT NULL,
	floor_fee_fen	BIGINT NOT NULL,	-- fen a floor and barrel
	free_floors	BIGINT NOT NULL,	-- carried for nothing
	accept_minutes	BIGINT NOT NULL,
	windows		TEXT NOT NULL,		-- 09:00-12:00,14:00-18:00
	paused		BIGINT NOT NULL CHECK (paused IN (0, 1)),
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, id) REFERENCES org (community_id, id),
	CHECK (opens >= 0 AND opens < closes AND closes <= 1440),
	CHECK (floor_fee_fen >= 0 AND free_floors >= 0 AND accept_minutes > 0)
);

-- Compounds a station serves; the lowest rank is asked first.
CREATE TABLE water_area (
	community_id	BIGINT NOT NULL,
	compound_id	BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	rank		BIGINT NOT NULL,
	PRIMARY KEY (community_id, compound_id, station_id),
	FOREIGN KEY (community_id, station_id)
	    REFERENCES water_station (community_id, id),
	FOREIGN KEY (community_id, compound_id)
	    REFERENCES place (community_id, id)
);

CREATE TABLE water_product (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	brand		TEXT NOT NULL,
	name		TEXT NOT NULL,
	millilitres	BIGINT NOT NULL CHECK (millilitres > 0),
	price_fen	BIGINT NOT NULL CHECK (price_fen >= 0),
	stock		BIGINT NOT NULL CHECK (stock >= 0),
	on_sale		BIGINT NOT NULL CHECK (on_sale IN (0, 1)),
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, station_id)
	    REFERENCES water_station (community_id, id)
);
CREATE UNIQUE INDEX water_product_once ON water_product
    (community_id, station_id, brand, name, millilitres);

-- The first block is what every flow's table has (fcgi/flow/flow.h).  The
-- orders of one resident lie side by side, for their list is what is read
-- most; names are in the row for the same reason.
CREATE TABLE water_order (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,	-- one up at every step
	urged		BIGINT NOT NULL,	-- times overdue in this state
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,
	assignee_id	BIGINT REFERENCES app_user (id),
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	station		TEXT NOT NULL,		-- as it was named that day
	station_phone	TEXT NOT NULL,
	courier		TEXT,			-- likewise
	address_id	BIGINT NOT NULL,
	compound_id	BIGINT NOT NULL,
	place		TEXT NOT NULL,		-- likewise
	floor		BIGINT,
	lift		BIGINT,
	contact		TEXT NOT NULL,
	phone		TEXT NOT NULL,		-- sealed
	phone_mask	TEXT NOT NULL,		-- 138****1234
	window_from	BIGINT NOT NULL,
	window_to	BIGINT NOT NULL,
	items		TEXT NOT NULL,		-- JSON as ordered
	goods_fen	BIGINT NOT NULL,
	floor_fen	BIGINT NOT NULL,
	total_fen	BIGINT NOT NULL,
	agreed_fen	BIGINT NOT NULL,	-- no later total is higher
	payment		TEXT NOT NULL,
	paid_at		BIGINT,
	code		TEXT NOT NULL,		-- handover, 4 digits
	code_tries	BIGINT NOT NULL,
	note		TEXT,
	reason		TEXT,			-- of a rejection or cancel
	PRIMARY KEY (community_id, owner_id, id),
	UNIQUE (community_id, id),
	FOREIGN KEY (community_id, org_id)
	    REFERENCES water_station (community_id, id),
	FOREIGN KEY (community_id, address_id)
	    REFERENCES address (community_id, id),
	CHECK (total_fen = goods_fen + floor_fen AND total_fen <= agreed_fen)
)
-- only sqlite
WITHOUT ROWID
-- end
;
CREATE INDEX water_order_org ON water_order (community_id, org_id, id);
CREATE INDEX water_order_org_state ON water_order
    (community_id, org_id, state, id);
CREATE INDEX water_order_due ON water_order (deadline_at)
    WHERE deadline_at IS NOT NULL;

CREATE TABLE water_item (
	community_id	BIGINT NOT NULL,
	order_id	BIGINT NOT NULL,
	product_id	BIGINT NOT NULL,
	quantity	BIGINT NOT NULL CHECK (quantity > 0),
	price_fen	BIGINT NOT NULL,
	PRIMARY KEY (community_id, order_id, product_id),
	FOREIGN KEY (community_id, order_id)
	    REFERENCES water_order (community_id, id),
	FOREIGN KEY (community_id, product_id)
	    REFERENCES water_product (community_id, id)
);

-- Stations an order was offered to; none is asked twice.
CREATE TABLE water_offer (
	community_id	BIGINT NOT NULL,
	order_id	BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	offered_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, order_id, station_id),
	FOREIGN KEY (community_id, order_id)
	    REFERENCES water_order (community_id, id)
);
