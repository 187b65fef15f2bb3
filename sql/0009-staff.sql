-- SPDX-License-Identifier: Apache-2.0
-- Accounts of staff: passwords, lock-out, second factor.

-- Who administers the account; NULL: the platform.
ALTER TABLE app_user ADD COLUMN staff_of BIGINT;
-- As the office knows it, sealed, column "phone".  app_user.phone is proved
-- by WeChat, and homes and posts are given by it; this one proves nothing.
ALTER TABLE app_user ADD COLUMN staff_phone TEXT;
ALTER TABLE app_user ADD COLUMN password_at BIGINT;
ALTER TABLE app_user ADD COLUMN must_change BIGINT NOT NULL DEFAULT 0;
-- Sealed, column "totp"; one waits for its first code, one is in use.
ALTER TABLE app_user ADD COLUMN totp_new TEXT;
ALTER TABLE app_user ADD COLUMN totp TEXT;
-- The step of the last code: each is good once.
ALTER TABLE app_user ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;
CREATE INDEX app_user_staff ON app_user (id)
    WHERE account IS NOT NULL;

-- Passwords that were; those too old to be refused are deleted.
CREATE TABLE password_old (
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	id		BIGINT NOT NULL,
	password	TEXT NOT NULL,		-- argon2id string
	PRIMARY KEY (user_id, id)
);

-- Wrong passwords in a row, by the keyed index of the name that was typed,
-- so that an account that does not exist is locked as one that does.
CREATE TABLE login_guard (
	account_index	TEXT PRIMARY KEY,
	user_id		BIGINT,
	tries		BIGINT NOT NULL,
	locked_until	BIGINT NOT NULL,	-- 0: not locked
	tried_at	BIGINT NOT NULL
);
CREATE INDEX login_guard_user ON login_guard (user_id);
CREATE INDEX login_guard_age ON login_guard (tried_at);

-- Codes for who has lost the authenticator; each is good once.
CREATE TABLE recovery_code (
	user_id		BIGINT NOT NULL REFERENCES app_user (id),
	code_index	TEXT NOT NULL,		-- keyed
	PRIMARY KEY (user_id, code_index)
);
