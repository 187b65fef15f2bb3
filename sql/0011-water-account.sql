-- SPDX-License-Identifier: Apache-2.0
-- The general ledger (fcgi/service/ledger.h), and on it the water account of
-- a household: barrels, deposits, prepaid tickets.

-- One heap of one unit.  Where `balance` is kept it is never below zero and
-- `lines` counts what changed it; where it is NULL the account stands for
-- the world outside, or is so busy that its lines are summed when asked for.
CREATE TABLE ledger_account (
	community_id	BIGINT NOT NULL REFERENCES community (id),
	id		BIGINT NOT NULL,
	owner		TEXT NOT NULL,		-- noun: water_account, org
	owner_id	BIGINT NOT NULL,
	kind		TEXT NOT NULL,		-- the owner's own word
	unit		TEXT NOT NULL CHECK (unit IN
	    ('fen', 'barrel', 'ticket')),
	balance		BIGINT CHECK (balance >= 0),
	lines		BIGINT NOT NULL,
	created_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, id),
	UNIQUE (community_id, owner, owner_id, kind),
	UNIQUE (community_id, id, unit)
);

-- What happened, once to a thing: a second booking of it is refused.  The
-- row comes after its lines and seals them.
CREATE TABLE ledger_entry (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	kind		TEXT NOT NULL,
	thing		TEXT NOT NULL,
	thing_id	BIGINT NOT NULL,
	note		TEXT,			-- for the accounts' owners
	at		BIGINT NOT NULL,
	by_id		BIGINT,			-- a user; NULL the platform
	PRIMARY KEY (community_id, id)
);
CREATE UNIQUE INDEX ledger_entry_once ON ledger_entry
    (community_id, thing, thing_id, kind);

CREATE TABLE ledger_line (
	community_id	BIGINT NOT NULL,
	account_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	entry_id	BIGINT NOT NULL,
	unit		TEXT NOT NULL,
	amount		BIGINT NOT NULL CHECK (amount <> 0),
	balance		BIGINT,			-- after it, where it is kept
	seq		BIGINT,			-- 1, 2, 3 likewise
	PRIMARY KEY (community_id, account_id, id),
	FOREIGN KEY (community_id, account_id, unit)
	    REFERENCES ledger_account (community_id, id, unit),
	FOREIGN KEY (community_id, entry_id)
	    REFERENCES ledger_entry (community_id, id)
	    DEFERRABLE INITIALLY DEFERRED,
	CHECK ((balance IS NULL) = (seq IS NULL))
)
-- only sqlite
WITHOUT ROWID
-- end
;
CREATE INDEX ledger_line_entry ON ledger_line (community_id, entry_id);

-- only sqlite
CREATE TRIGGER ledger_entry_sealed BEFORE INSERT ON ledger_entry
BEGIN
	SELECT RAISE(ABORT, 'the entry does not balance')
	WHERE NOT EXISTS (SELECT 1 FROM ledger_line l
	    WHERE l.community_id = NEW.community_id
	    AND l.entry_id = NEW.id)
	OR EXISTS (SELECT 1 FROM ledger_line l
	    WHERE l.community_id = NEW.community_id
	    AND l.entry_id = NEW.id
	    GROUP BY l.unit HAVING SUM(l.amount) <> 0);
END;
CREATE TRIGGER ledger_line_late BEFORE INSERT ON ledger_line
BEGIN
	SELECT RAISE(ABORT, 'the entry is sealed')
	WHERE EXISTS (SELECT 1 FROM ledger_entry e
	    WHERE e.community_id = NEW.community_id
	    AND e.id = NEW.entry_id);
END;
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_line_no_update BEFORE UPDATE ON ledger_line
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_line_no_delete BEFORE DELETE ON ledger_line
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- end
-- only postgresql
CREATE FUNCTION ledger_seal() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
	IF NOT EXISTS (SELECT 1 FROM ledger_line l
	    WHERE l.community_id = NEW.community_id
	    AND l.entry_id = NEW.id)
	OR EXISTS (SELECT 1 FROM ledger_line l
	    WHERE l.community_id = NEW.community_id
	    AND l.entry_id = NEW.id
	    GROUP BY l.unit HAVING SUM(l.amount) <> 0) THEN
		RAISE EXCEPTION ''the entry does not balance''
		    USING ERRCODE = ''check_violation'';
	END IF;
	RETURN NEW;
END';
CREATE TRIGGER ledger_entry_sealed BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_seal();
CREATE FUNCTION ledger_late() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
	IF EXISTS (SELECT 1 FROM ledger_entry e
	    WHERE e.community_id = NEW.community_id
	    AND e.id = NEW.entry_id) THEN
		RAISE EXCEPTION ''the entry is sealed''
		    USING ERRCODE = ''check_violation'';
	END IF;
	RETURN NEW;
END';
CREATE TRIGGER ledger_line_late BEFORE INSERT ON ledger_line
    FOR EACH ROW EXECUTE FUNCTION ledger_late();
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN
	RAISE EXCEPTION ''the ledger is append-only''
	    USING ERRCODE = ''restrict_violation'';
END';
CREATE TRIGGER ledger_entry_no_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_line_no_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
-- end

-- A household's account with a station.  Until the home is bound it is the
-- resident's own (household_id NULL); see fcgi/service/water_account.h.
CREATE TABLE water_account (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	dwelling_id	BIGINT NOT NULL,
	household_id	BIGINT,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	moves		BIGINT NOT NULL,	-- one up at each booking
	created_at	BIGINT NOT NULL,
	closed_at	BIGINT,			-- merged into the household's
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, station_id)
	    REFERENCES water_station (community_id, id),
	FOREIGN KEY (community_id, dwelling_id)
	    REFERENCES place (community_id, id)
);
CREATE UNIQUE INDEX water_account_household ON water_account
    (community_id, station_id, household_id)
    WHERE household_id IS NOT NULL AND closed_at IS NULL;
CREATE UNIQUE INDEX water_account_own ON water_account
    (community_id, station_id, user_id, dwelling_id)
    WHERE household_id IS NULL AND closed_at IS NULL;
CREATE INDEX water_account_user ON water_account (community_id, user_id);
CREATE INDEX water_account_home ON water_account
    (community_id, household_id) WHERE household_id IS NOT NULL;

-- Tickets sold together: so many paid for, so many on top as a gift.
CREATE TABLE water_book (
	community_id	BIGINT NOT NULL,
	id		BIGINT NOT NULL,
	account_id	BIGINT NOT NULL,
	station_id	BIGINT NOT NULL,
	product_id	BIGINT NOT NULL,
	title		TEXT NOT NULL,		-- of the product that day
	paid		BIGINT NOT NULL CHECK (paid >= 0),
	gift		BIGINT NOT NULL CHECK (gift >= 0),
	price_fen	BIGINT NOT NULL CHECK (price_fen >= 0),
	received	TEXT NOT NULL,
	sold_at		BIGINT NOT NULL,
	sold_by		BIGINT NOT NULL REFERENCES app_user (id),
	refund_fen	BIGINT,
	closed_at	BIGINT,			-- given back
	PRIMARY KEY (community_id, id),
	FOREIGN KEY (community_id, account_id)
	    REFERENCES water_account (community_id, id),
	FOREIGN KEY (community_id, product_id)
	    REFERENCES water_product (community_id, id),
	CHECK (paid + gift > 0 AND (paid > 0 OR price_fen = 0))
);
CREATE INDEX water_book_account ON water_book
    (community_id, account_id, product_id, id);

-- A barrel that is lent, and what is asked for one that does not come back.
ALTER TABLE water_product ADD COLUMN returnable BIGINT NOT NULL DEFAULT 0
    CHECK (returnable IN (0, 1));
ALTER TABLE water_product ADD COLUMN deposit_fen BIGINT NOT NULL DEFAULT 0
    CHECK (deposit_fen >= 0);

ALTER TABLE water_order ADD COLUMN tickets BIGINT NOT NULL DEFAULT 0;
ALTER TABLE water_order ADD COLUMN empties BIGINT;	-- at the door
ALTER TABLE water_order ADD COLUMN deposit_fen BIGINT NOT NULL DEFAULT 0;
CREATE INDEX water_order_ticket ON water_order (community_id, id)
    WHERE payment = 'ticket';
