-- SPDX-License-Identifier: Apache-2.0
-- Reconciliation (fcgi/service/recon.h): the statement of a day of China
-- against our payments and our ledger, and what payees were paid out.
--
-- One merchant number serves several communities; a row of the statement
-- belongs to the community whose payment it names.  What names none lies
-- in community 0, which is nobody's and which the platform looks after.

-- Who is bringing a day's statement now.
CREATE TABLE recon_run (
	day		BIGINT PRIMARY KEY,	-- 20261122
	claim		BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL
);

CREATE TABLE reconciliation (
	community_id	BIGINT NOT NULL,
	day		BIGINT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN
	    ('running', 'failed', 'open', 'closed')),
	why		TEXT,			-- it failed; their code
	run		BIGINT NOT NULL,	-- the last one
	ran_at		BIGINT,
	-- Of the statement.
	payments	BIGINT NOT NULL,
	paid_fen	BIGINT NOT NULL,
	refunds		BIGINT NOT NULL,
	refunded_fen	BIGINT NOT NULL,
	fee_mill	BIGINT NOT NULL,	-- thousandths of a fen
	-- Of our own payments of the day.
	our_payments	BIGINT NOT NULL,
	our_paid_fen	BIGINT NOT NULL,
	closed_at	BIGINT,
	closed_by	BIGINT,
	sha256		TEXT,			-- of totals and differences
	PRIMARY KEY (community_id, day),
	CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
	CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX reconciliation_day ON reconciliation (day);

-- One row of the statement; id is its line.
CREATE TABLE recon_row (
	community_id	BIGINT NOT NULL,
	day		BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	refund		BIGINT NOT NULL,	-- 1: of a refund
	number		TEXT NOT NULL,		-- of the payment
	refund_number	TEXT NOT NULL,		-- '' of a payment
	transaction_id	TEXT NOT NULL,
	at		BIGINT NOT NULL,
	state		TEXT NOT NULL,		-- theirs; of a refund its own
	amount_fen	BIGINT NOT NULL,
	fee_mill	BIGINT NOT NULL,
	rate		BIGINT NOT NULL,	-- 1/10000, or -1
	PRIMARY KEY (community_id, day, id)
)
-- only sqlite
WITHOUT ROWID
-- end
;
CREATE INDEX recon_row_number ON recon_row
    (community_id, number, refund_number);

-- gone: a later run did not find it any more.
CREATE TABLE recon_diff (
	community_id	BIGINT NOT NULL,
	day		BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	kind		TEXT NOT NULL,
	number		TEXT NOT NULL,
	refund_number	TEXT NOT NULL,
	nth		BIGINT NOT NULL,	-- line of one that comes twice
	transaction_id	TEXT,
	line		BIGINT,			-- of the statement
	theirs_fen	BIGINT,
	ours_fen	BIGINT,
	theirs		TEXT,			-- state, or what was read
	ours		TEXT,
	run		BIGINT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN
	    ('open', 'explained', 'gone')),
	note		TEXT,
	explained_by	BIGINT,
	explained_at	BIGINT,
	created_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, day, id),
	UNIQUE (community_id, day, kind, number, refund_number, nth),
	CHECK (state <> 'explained' OR note IS NOT NULL)
);
CREATE INDEX recon_diff_open ON recon_diff (community_id, day)
    WHERE state = 'open';

-- The settlement sheet: what a payee's things brought on the day.
CREATE TABLE recon_payee (
	community_id	BIGINT NOT NULL,
	day		BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,	-- an org
	id		BIGINT NOT NULL,	-- of its fee in the ledger
	paid_fen	BIGINT NOT NULL,
	refunded_fen	BIGINT NOT NULL,
	fee_fen		BIGINT NOT NULL,
	PRIMARY KEY (community_id, day, payee_id)
);

-- Money that left for a payee's bank account.
CREATE TABLE payout (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	amount_fen	BIGINT NOT NULL CHECK (amount_fen > 0),
	reference	TEXT NOT NULL,		-- of the bank
	by_id		BIGINT NOT NULL REFERENCES app_user (id),
	at		BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	UNIQUE (community_id, payee_id, reference),
	FOREIGN KEY (community_id, payee_id)
	    REFERENCES org (community_id, id)
);
-- One row is taken before a pay-out is counted, so that two are not.
CREATE TABLE payout_payee (
	community_id	BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	payouts		BIGINT NOT NULL,
	PRIMARY KEY (community_id, payee_id)
);

-- Refunds by the day on which they were done.
CREATE INDEX payment_refund_done ON payment_refund (community_id, done_at)
    WHERE done_at IS NOT NULL;

-- As in 0006: without figures SQLite goes over a community's whole ledger to
-- find the two lines of an entry.
-- only sqlite
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('ledger_line', 'ledger_line', '400000 133000 4000 1'),
    ('ledger_line', 'ledger_line_entry', '400000 133000 2 1 1'),
    ('recon_row', 'recon_row', '200000 66000 4000 1'),
    ('recon_row', 'recon_row_number', '200000 66000 2 1 1 1');
-- end
