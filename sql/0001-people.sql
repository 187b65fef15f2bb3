-- SPDX-License-Identifier: Apache-2.0
-- Communities, the people who use the platform, and what they may do.
-- All times are milliseconds since 1970 UTC; ids are made by the programs.

CREATE TABLE community (
	id		BIGINT PRIMARY KEY,
	code		TEXT NOT NULL UNIQUE,	-- statistical code, 12 digits
	edition		TEXT NOT NULL,		-- of the code, yyyy-mm-dd
	name		TEXT NOT NULL,
	township	TEXT NOT NULL,
	lat		BIGINT,			-- GCJ-02, 1e-6 degree
	lng		BIGINT
);

-- One row a person who ever logged in, by WeChat or by account.
CREATE TABLE app_user (
	id		BIGINT PRIMARY KEY,
	openid		TEXT UNIQUE,
	unionid		TEXT,
	account		TEXT UNIQUE,
	password	TEXT,			-- argon2id string
	name		TEXT NOT NULL,
	phone		TEXT,			-- sealed
	phone_index	TEXT,			-- blind index of the number
	community_id	BIGINT REFERENCES community (id),
	created_at	BIGINT NOT NULL,
	updated_at	BIGINT NOT NULL,
	closed_at	BIGINT,
	CHECK (openid IS NOT NULL OR account IS NOT NULL)
);
CREATE INDEX app_user_phone ON app_user (phone_index);

-- community_id 0 holds platform roles, which count in every community.
CREATE TABLE user_role (
	community_id	BIGINT NOT NULL,
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	role		TEXT NOT NULL,
	granted_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, user_id, role)
);
CREATE INDEX user_role_user ON user_role (user_id);

-- First replies kept by Idempotency-Key; jobs sweep rows after a week.
CREATE TABLE idempotency (
	community_id	BIGINT NOT NULL,
	user_id		BIGINT NOT NULL,
	key		TEXT NOT NULL,
	route		TEXT NOT NULL,
	body_hash	TEXT NOT NULL,
	status		BIGINT,
	reply		TEXT,
	created_at	BIGINT NOT NULL,
	PRIMARY KEY (community_id, user_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
