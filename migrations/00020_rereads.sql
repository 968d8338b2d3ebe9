-- +goose Up
-- Customers who are to be read again at Stripe although no event tells so: one row each, until it was done.
-- Instants are unix seconds of business time.
CREATE TABLE rereads (
	customer_id TEXT PRIMARY KEY,
	asked_at BIGINT NOT NULL,          -- a reading that began then or later serves
	due_at BIGINT NOT NULL,            -- not before; while somebody reads, when others may
	tries BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX rereads_due ON rereads (due_at);

-- From which instant of business time on a reading of its customer shows what the event tells; 0 for none yet.
ALTER TABLE events ADD COLUMN serves_from BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE events DROP COLUMN serves_from;
DROP TABLE rereads;
