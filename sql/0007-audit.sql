-- SPDX-License-Identifier: Apache-2.0
-- Who did what to whom: append-only, one chain of hashes a community (0 for
-- what belongs to none), and the tasks of the job runner.

CREATE TABLE audit (
	community_id	BIGINT NOT NULL,
	seq		BIGINT NOT NULL,	-- 1, 2, 3 without a gap
	at		BIGINT NOT NULL,
	user_id		BIGINT NOT NULL,	-- 0 for the platform itself
	actor		TEXT NOT NULL,		-- user, helper, system, console
	for_id		BIGINT,			-- whom a helper acted for
	action		TEXT NOT NULL,		-- POST /api/v1/water/orders
	thing		TEXT,			-- noun
	thing_id	BIGINT,
	subject_id	BIGINT,			-- the person it is about
	reason		TEXT,
	address		TEXT,
	request_id	TEXT,
	prev		TEXT NOT NULL,		-- hash of the row before
	hash		TEXT NOT NULL,
	PRIMARY KEY (community_id, seq)
);
CREATE INDEX audit_subject ON audit (community_id, subject_id, seq)
    WHERE subject_id IS NOT NULL;
CREATE INDEX audit_user ON audit (community_id, user_id, seq);
CREATE INDEX audit_thing ON audit (community_id, thing, thing_id, seq);
CREATE INDEX audit_kind ON audit (community_id, thing, seq)
    WHERE thing IS NOT NULL;
CREATE INDEX audit_at ON audit (community_id, at, seq);

CREATE TABLE audit_head (
	community_id	BIGINT PRIMARY KEY,
	seq		BIGINT NOT NULL,
	hash		TEXT NOT NULL
);

-- only sqlite
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
-- end
-- only postgresql
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION ''audit is append-only''; END';
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- end

-- When each periodic task of planet-jobs ran, and who has it now.
CREATE TABLE task_run (
	name		TEXT PRIMARY KEY,
	ran_at		BIGINT NOT NULL,
	claimed_until	BIGINT NOT NULL,
	claim		BIGINT NOT NULL
);
