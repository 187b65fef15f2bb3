-- SPDX-License-Identifier: Apache-2.0
-- Bills of living (fcgi/service/bill.h): who may bill, what was billed by
-- which file, what is doubted, waived and paid.

-- An org that bills.  Without rate and cap of the late fee nothing of it
-- is applied: a fee nobody agreed to is none (domain rules 5).
CREATE TABLE payee (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,	-- of the org
	kinds		BIGINT NOT NULL CHECK (kinds > 0), -- bits, bill.h
	late_rate	BIGINT CHECK (late_rate BETWEEN 0 AND 100),
						-- 1/10000 a day
	late_cap	BIGINT CHECK (late_cap BETWEEN 0 AND 100),
						-- percent of the principal
	remind		TEXT NOT NULL,		-- days after due: -3,0,7
	contact		TEXT NOT NULL,		-- for questions
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, id) REFERENCES org (community_id, id)
);

-- A file of bills.
CREATE TABLE bill_batch (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	name		TEXT NOT NULL,		-- the file's
	sha256		TEXT NOT NULL,
	bytes		BIGINT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('uploaded', 'checked',
	    'faulty', 'applied', 'undone')),
	rows		BIGINT NOT NULL,	-- blank ones not
	bills		BIGINT NOT NULL,
	unmatched	BIGINT NOT NULL,	-- rows without a dwelling
	faults		BIGINT NOT NULL,	-- all, kept or not
	total_fen	BIGINT NOT NULL,
	by_id		BIGINT NOT NULL,	-- a user, 0 at the console
	created_at	BIGINT NOT NULL,
	checked_at	BIGINT,
	applied_at	BIGINT,
	undone_at	BIGINT,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, payee_id)
	    REFERENCES payee (community_id, id)
);
CREATE INDEX bill_batch_payee ON bill_batch (community_id, payee_id, id);
CREATE INDEX bill_batch_uploaded ON bill_batch (created_at)
    WHERE state = 'uploaded';

-- A row of a file: one line of bill `bill_id`, which is made when the batch
-- is applied.  Numbers of readings and quantities are thousandths, prices
-- 1/10000 yuan.
CREATE TABLE bill_batch_row (
	community_id	BIGINT NOT NULL,
	batch_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,	-- 1, 2, 3 as staged
	line		BIGINT NOT NULL,	-- of the file
	bill_id		BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- in the bill, from 1
	account_no	TEXT NOT NULL,
	holder_mask	TEXT NOT NULL,
	dwelling_id	BIGINT,
	kind		TEXT NOT NULL,
	what		TEXT NOT NULL,
	period		TEXT NOT NULL,		-- 2026-10
	due_on		TEXT NOT NULL,		-- 2026-10-31
	due_day		BIGINT NOT NULL,	-- days since 1970
	reading_before	BIGINT,
	reading_after	BIGINT,
	quantity	BIGINT,
	unit_price	BIGINT,
	amount_fen	BIGINT NOT NULL,
	note		TEXT,
	PRIMARY KEY (community_id, batch_id, id),
	FOREIGN KEY (community_id, batch_id)
	    REFERENCES bill_batch (community_id, id)
);

CREATE TABLE bill_batch_fault (
	community_id	BIGINT NOT NULL,
	batch_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	line		BIGINT NOT NULL,	-- 0: of the file
	label		TEXT,			-- of the column
	detail		TEXT NOT NULL,		-- Chinese
	PRIMARY KEY (community_id, batch_id, id),
	FOREIGN KEY (community_id, batch_id)
	    REFERENCES bill_batch (community_id, id)
);

-- Which dwelling an account number of a payee is for.
CREATE TABLE bill_account (
	community_id	BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	account_no	TEXT NOT NULL,
	dwelling_id	BIGINT,			-- NULL: nobody knows yet
	holder_mask	TEXT NOT NULL,
	batch_id	BIGINT NOT NULL,	-- that made it; 0: by hand
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, payee_id, account_no),
	FOREIGN KEY (community_id, payee_id)
	    REFERENCES payee (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id)
);

-- principal_fen is what is owed or was paid, after disputes and waivers.
-- While a payment is open (paying_id) what it costs stands.
CREATE TABLE bill (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	payee_id	BIGINT NOT NULL,
	account_no	TEXT NOT NULL,
	dwelling_id	BIGINT,			-- NULL: unmatched
	place		TEXT,			-- as it was named that day
	holder_mask	TEXT NOT NULL,
	kind		TEXT NOT NULL,
	period		TEXT NOT NULL,
	due_on		TEXT NOT NULL,
	due_day		BIGINT NOT NULL,
	state		TEXT NOT NULL CHECK (state IN ('open', 'disputed',
	    'paid', 'waived', 'undone')),
	billed_fen	BIGINT NOT NULL CHECK (billed_fen > 0),
	principal_fen	BIGINT NOT NULL CHECK (principal_fen >= 0),
	late_rate	BIGINT NOT NULL CHECK (late_rate >= 0),
	late_cap	BIGINT NOT NULL CHECK (late_cap BETWEEN 0 AND 100),
	late_waived_fen	BIGINT NOT NULL CHECK (late_waived_fen >= 0),
	paid_fen	BIGINT NOT NULL CHECK (paid_fen >= 0), -- principal
	late_paid_fen	BIGINT NOT NULL CHECK (late_paid_fen >= 0),
	refunded_fen	BIGINT NOT NULL CHECK (refunded_fen >= 0),
	paid_at		BIGINT,
	paying_id	BIGINT,			-- the open payment
	paying_until	BIGINT,
	paying_fen	BIGINT,			-- with late fee
	paying_late_fen	BIGINT,
	paying_waived_fen BIGINT,		-- late fee spared in it
	batch_id	BIGINT NOT NULL,
	reminded_day	BIGINT NOT NULL,	-- nothing on or before it
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, payee_id)
	    REFERENCES payee (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id),
	FOREIGN KEY (community_id, batch_id)
	    REFERENCES bill_batch (community_id, id),
	CHECK (paid_fen <= principal_fen AND principal_fen <= billed_fen),
	CHECK ((paying_id IS NULL) = (paying_fen IS NULL))
);
CREATE UNIQUE INDEX bill_once ON bill
    (community_id, payee_id, account_no, kind, period)
    WHERE state <> 'undone';
CREATE INDEX bill_dwelling ON bill (community_id, dwelling_id, id);
CREATE INDEX bill_payee ON bill (community_id, payee_id, id);
CREATE INDEX bill_account_no ON bill (community_id, account_no);
CREATE INDEX bill_batch_id ON bill (community_id, batch_id);
CREATE INDEX bill_open ON bill (community_id, payee_id, due_day)
    WHERE state = 'open';

-- What a bill is made of.  A line is paid by one payment, whole.  Days in
-- which it was doubted, or paid and given back, bear no late fee.
CREATE TABLE bill_line (
	community_id	BIGINT NOT NULL,
	bill_id		BIGINT NOT NULL,
	seq		BIGINT NOT NULL,
	what		TEXT NOT NULL,
	reading_before	BIGINT,			-- thousandths
	reading_after	BIGINT,
	quantity	BIGINT,			-- thousandths
	unit_price	BIGINT,			-- 1/10000 yuan
	billed_fen	BIGINT NOT NULL CHECK (billed_fen > 0),
	amount_fen	BIGINT NOT NULL CHECK (amount_fen >= 0),
	note		TEXT,
	dispute_id	BIGINT,			-- doubted now
	disputed_day	BIGINT,
	frozen_days	BIGINT NOT NULL CHECK (frozen_days >= 0),
	paying		BIGINT NOT NULL CHECK (paying IN (0, 1)),
	payment_id	BIGINT,			-- that paid it
	PRIMARY KEY (community_id, bill_id, seq),
	FOREIGN KEY (community_id, bill_id)
	    REFERENCES bill (community_id, id),
	CHECK (amount_fen <= billed_fen),
	CHECK ((dispute_id IS NULL) = (disputed_day IS NULL))
);

-- What a payment paid of a bill.
CREATE TABLE bill_payment (
	community_id	BIGINT NOT NULL,
	bill_id		BIGINT NOT NULL,
	payment_id	BIGINT NOT NULL,
	payer_id	BIGINT NOT NULL,
	principal_fen	BIGINT NOT NULL,
	late_fen	BIGINT NOT NULL,
	waived_fen	BIGINT NOT NULL,	-- late fee spared
	refunded_fen	BIGINT NOT NULL,
	paid_at		BIGINT NOT NULL,
	PRIMARY KEY (community_id, bill_id, payment_id),
	FOREIGN KEY (community_id, bill_id)
	    REFERENCES bill (community_id, id),
	CHECK (refunded_fen BETWEEN 0 AND principal_fen + late_fen)
);

-- A resident doubts a line, or all.  The first block is what every flow's
-- table has (fcgi/flow/flow.h); org_id is the payee.
CREATE TABLE bill_dispute (
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

	bill_id		BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- of the line; 0: all
	reason		TEXT NOT NULL,
	answer		TEXT,
	answered_by	BIGINT,
	was_fen		BIGINT NOT NULL,	-- of what is doubted
	now_fen		BIGINT,			-- when it was upheld
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, bill_id)
	    REFERENCES bill (community_id, id)
);
CREATE INDEX bill_dispute_bill ON bill_dispute (community_id, bill_id, id);
CREATE INDEX bill_dispute_org ON bill_dispute (community_id, org_id, id);
CREATE INDEX bill_dispute_due ON bill_dispute (deadline_at)
    WHERE deadline_at IS NOT NULL;

-- One person of the payee asks to let go of something, another agrees.
CREATE TABLE bill_waiver (
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

	bill_id		BIGINT NOT NULL,
	what		TEXT NOT NULL CHECK (what IN ('late', 'principal')),
	amount_fen	BIGINT CHECK (amount_fen > 0), -- NULL: all of it
	reason		TEXT NOT NULL,
	agreed_by	BIGINT,
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, bill_id)
	    REFERENCES bill (community_id, id),
	CHECK (agreed_by IS NULL OR agreed_by <> owner_id)
);
CREATE UNIQUE INDEX bill_waiver_open ON bill_waiver (community_id, bill_id)
    WHERE state = 'asked';
CREATE INDEX bill_waiver_org ON bill_waiver (community_id, org_id, id);
CREATE INDEX bill_waiver_due ON bill_waiver (deadline_at)
    WHERE deadline_at IS NOT NULL;
