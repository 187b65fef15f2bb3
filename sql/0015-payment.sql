-- SPDX-License-Identifier: Apache-2.0
-- Payments (fcgi/service/payment.h): what was asked of WeChat Pay, what came
-- of it, what went back, and money that nobody expected.

-- The first block is what every flow's table has (fcgi/flow/flow.h).
-- org_id is 0: a payment may be for several payees.
CREATE TABLE payment (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,
	urged		BIGINT NOT NULL,
	deadline_at	BIGINT,
	owner_id	BIGINT NOT NULL REFERENCES app_user (id),
	org_id		BIGINT NOT NULL,
	assignee_id	BIGINT,
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	number		TEXT NOT NULL,		-- out_trade_no
	things		TEXT NOT NULL,		-- JSON as asked, in order
	total_fen	BIGINT NOT NULL CHECK (total_fen > 0),
	refunded_fen	BIGINT NOT NULL,	-- asked for, not only done
	expires_at	BIGINT NOT NULL,	-- told to the gateway
	prepay_id	TEXT,
	prepay_at	BIGINT,			-- good for two hours
	transaction_id	TEXT,
	paid_at		BIGINT,
	-- When to ask the gateway again, and how often it was asked.
	ask_at		BIGINT,
	asked		BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL,	-- by a runner
	PRIMARY KEY (community_id, id),
	CHECK (refunded_fen >= 0 AND refunded_fen <= total_fen),
	CHECK ((transaction_id IS NULL) = (paid_at IS NULL))
);
CREATE UNIQUE INDEX payment_number ON payment (number);
CREATE INDEX payment_owner ON payment (community_id, owner_id, id);
CREATE INDEX payment_ask ON payment (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX payment_paid ON payment (community_id, paid_at)
    WHERE paid_at IS NOT NULL;

-- One thing of a payment.  `live` while it is unpaid or paid: of two
-- payments for one thing only one is opened.
CREATE TABLE payment_item (
	community_id	BIGINT NOT NULL,
	payment_id	BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- 1, 2, 3
	kind		TEXT NOT NULL,		-- of struct payment_kind
	thing_id	BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,	-- an org
	title		TEXT NOT NULL,
	amount_fen	BIGINT NOT NULL CHECK (amount_fen > 0),
	refunded_fen	BIGINT NOT NULL,	-- asked for
	live		BIGINT NOT NULL CHECK (live IN (0, 1)),
	PRIMARY KEY (community_id, payment_id, seq),
	FOREIGN KEY (community_id, payment_id)
	    REFERENCES payment (community_id, id),
	FOREIGN KEY (community_id, payee_id)
	    REFERENCES org (community_id, id),
	CHECK (refunded_fen >= 0 AND refunded_fen <= amount_fen)
);
CREATE UNIQUE INDEX payment_item_live ON payment_item
    (community_id, kind, thing_id) WHERE live = 1;
CREATE INDEX payment_item_thing ON payment_item
    (community_id, kind, thing_id);
CREATE INDEX payment_item_payee ON payment_item (community_id, payee_id);

-- One intention to give money back; its number is made once, for ever.
-- asked: written, WeChat perhaps told; running: WeChat has it; done;
-- abnormal: the payer's account takes nothing, a person must act; dead: a
-- refund that WeChat closed, followed by another row.
CREATE TABLE payment_refund (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	-- NULL: of money in doubt that no payment of ours asked for.
	payment_id	BIGINT,
	number		TEXT NOT NULL,		-- out_refund_no
	state		TEXT NOT NULL CHECK (state IN
	    ('asked', 'running', 'done', 'abnormal', 'dead')),
	amount_fen	BIGINT NOT NULL CHECK (amount_fen > 0),
	reason		TEXT NOT NULL,		-- the payer reads it
	by_id		BIGINT,			-- a user; NULL the platform
	refund_id	TEXT,			-- WeChat's
	account		TEXT,			-- where it went, their words
	created_at	BIGINT NOT NULL,
	done_at		BIGINT,
	ask_at		BIGINT,
	asked		BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, payment_id)
	    REFERENCES payment (community_id, id)
);
CREATE UNIQUE INDEX payment_refund_number ON payment_refund (number);
CREATE INDEX payment_refund_payment ON payment_refund
    (community_id, payment_id, id);
CREATE INDEX payment_refund_ask ON payment_refund (ask_at)
    WHERE ask_at IS NOT NULL;

CREATE TABLE payment_refund_item (
	community_id	BIGINT NOT NULL,
	refund_id	BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- of the payment_item
	amount_fen	BIGINT NOT NULL CHECK (amount_fen > 0),
	PRIMARY KEY (community_id, refund_id, seq),
	FOREIGN KEY (community_id, refund_id)
	    REFERENCES payment_refund (community_id, id)
);

-- Notices that were taken, so that one told again is known.
CREATE TABLE payment_notice (
	id		TEXT PRIMARY KEY,	-- WeChat's
	number		TEXT NOT NULL,		-- of the payment or refund
	taken_at	BIGINT NOT NULL
);
CREATE INDEX payment_notice_taken ON payment_notice (taken_at);

-- Money in doubt: it came, and nothing waits for it.  A flow of its own;
-- owner_id is the payer, or 0 when we do not know who it was.
CREATE TABLE money_doubt (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	state		TEXT NOT NULL,
	version		BIGINT NOT NULL,
	urged		BIGINT NOT NULL,
	deadline_at	BIGINT,			-- promised
	owner_id	BIGINT NOT NULL,
	org_id		BIGINT NOT NULL,
	assignee_id	BIGINT,
	title		TEXT NOT NULL,
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,

	why		TEXT NOT NULL CHECK (why IN ('late', 'doubled',
	    'wrong_amount', 'unknown', 'unwanted')),
	payment_id	BIGINT,
	number		TEXT NOT NULL,
	transaction_id	TEXT NOT NULL,
	amount_fen	BIGINT NOT NULL CHECK (amount_fen > 0),
	expected_fen	BIGINT,
	paid_at		BIGINT NOT NULL,	-- by WeChat's clock
	promised_at	BIGINT NOT NULL,
	refund_id	BIGINT,
	PRIMARY KEY (community_id, id)
);
CREATE UNIQUE INDEX money_doubt_once ON money_doubt (transaction_id);
CREATE INDEX money_doubt_state ON money_doubt (community_id, state, id);
CREATE INDEX money_doubt_due ON money_doubt (deadline_at)
    WHERE deadline_at IS NOT NULL;
