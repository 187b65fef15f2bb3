-- SPDX-License-Identifier: Apache-2.0
-- Water paid online: ticket books that a station offers, who is buying one,
-- and what WeChat's shipping register was told (fcgi/service/shipping.h).

CREATE INDEX water_order_online ON water_order (community_id, id)
    WHERE payment = 'online';

-- What a station sells by itself, without a person at the desk.
CREATE TABLE water_book_offer (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	product_id	BIGINT NOT NULL,
	paid		BIGINT NOT NULL CHECK (paid > 0),
	gift		BIGINT NOT NULL CHECK (gift >= 0),
	price_fen	BIGINT NOT NULL CHECK (price_fen > 0),
	on_sale		BIGINT NOT NULL CHECK (on_sale IN (0, 1)),
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, station_id)
	    REFERENCES water_station (community_id, id),
	FOREIGN KEY (community_id, product_id)
	    REFERENCES water_product (community_id, id)
);
CREATE INDEX water_book_offer_station ON water_book_offer
    (community_id, station_id, id);

-- A book being bought.  The first block is what every flow's table has; when
-- it is paid, a water_book with the same id comes to be.
CREATE TABLE water_book_order (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,
	urged		BIGINT NOT NULL,
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,	-- the station
	assignee_id	BIGINT,
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	offer_id	BIGINT NOT NULL,
	dwelling_id	BIGINT NOT NULL,
	product_id	BIGINT NOT NULL,
	paid		BIGINT NOT NULL CHECK (paid > 0),
	gift		BIGINT NOT NULL CHECK (gift >= 0),
	price_fen	BIGINT NOT NULL CHECK (price_fen > 0),
	paid_at		BIGINT,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, org_id)
	    REFERENCES water_station (community_id, id),
	FOREIGN KEY (community_id, offer_id)
	    REFERENCES water_book_offer (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id)
);
CREATE INDEX water_book_order_owner ON water_book_order
    (community_id, owner_id, id);
CREATE INDEX water_book_order_due ON water_book_order (deadline_at)
    WHERE deadline_at IS NOT NULL;

-- One row a payment that WeChat may want to hear of.  wanted: to be told;
-- done: it knows; faulty: it refuses, a person must look; unneeded: it does
-- not ask for it, or all money went back.
CREATE TABLE shipping (
	community_id	BIGINT NOT NULL,
	payment_id	BIGINT NOT NULL,
	logistics	BIGINT NOT NULL CHECK (logistics IN (2, 3)),
	item_desc	TEXT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN
	    ('wanted', 'done', 'faulty', 'unneeded')),
	upload_time	BIGINT NOT NULL,	-- of the last one, 0: none
	uploads		BIGINT NOT NULL,	-- that WeChat took
	corrections	BIGINT NOT NULL CHECK (corrections IN (0, 1)),
	tries		BIGINT NOT NULL,
	ask_at		BIGINT,			-- NULL: nothing to do
	errcode		BIGINT,			-- of the last refusal
	created_at	BIGINT NOT NULL,
	done_at		BIGINT,
	reminded_at	BIGINT,			-- by WeChat, unshipped
	received_at	BIGINT,			-- confirmed by the payer
	settled_at	BIGINT,			-- or when it will be
	PRIMARY KEY (community_id, payment_id),
	FOREIGN KEY (community_id, payment_id)
	    REFERENCES payment (community_id, id)
);
CREATE INDEX shipping_ask ON shipping (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX shipping_state ON shipping (community_id, state, payment_id);

-- Whether the register applies to us, as WeChat said last; one row.
CREATE TABLE shipping_rule (
	id		BIGINT PRIMARY KEY CHECK (id = 1),
	managed		BIGINT NOT NULL CHECK (managed IN (0, 1)),
	asked_at	BIGINT NOT NULL
);
