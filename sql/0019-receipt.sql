-- SPDX-License-Identifier: Apache-2.0
-- Receipts (fcgi/service/receipt.c), and to whom an invoice is to be made
-- out.

-- The last number given in a year; taken and counted up by the same
-- transaction that issues, so there are no gaps.
CREATE TABLE receipt_counter (
	community_id	BIGINT NOT NULL,
	year		BIGINT NOT NULL,
	last		BIGINT NOT NULL,
	PRIMARY KEY (community_id, year)
);

CREATE TABLE receipt (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	year		BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- 1, 2, 3 in the year
	payment_id	BIGINT NOT NULL,
	issued_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	UNIQUE (community_id, year, seq),
	UNIQUE (community_id, payment_id),
	FOREIGN KEY (community_id, payment_id)
	    REFERENCES payment (community_id, id)
);

CREATE TABLE invoice_title (
	community_id	BIGINT NOT NULL,
	payment_id	BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	title		TEXT NOT NULL,
	tax_no		TEXT,
	by_id		BIGINT NOT NULL REFERENCES app_user (id),
	at		BIGINT NOT NULL,
	PRIMARY KEY (community_id, payment_id, payee_id),
	UNIQUE (community_id, id),
	FOREIGN KEY (community_id, payment_id)
	    REFERENCES payment (community_id, id)
);
CREATE INDEX invoice_title_payee ON invoice_title
    (community_id, payee_id, id);
