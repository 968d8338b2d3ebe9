-- What is known of a renewal before it is charged. Of subscriptions read before this nothing is known until they are
-- read again, and nobody is told anything.

-- +goose Up

-- Whether the renewal is charged by itself: neither invoiced to be paid by hand, nor is collection paused.
ALTER TABLE subscriptions ADD COLUMN automatic BOOLEAN NOT NULL DEFAULT false;

-- What the end of a trial does when there is nothing to charge: create_invoice, cancel or pause.
ALTER TABLE subscriptions ADD COLUMN trial_missing TEXT NOT NULL DEFAULT '';

-- Whether the renewal ahead has still to be looked at, since something new was read of it.
ALTER TABLE subscriptions ADD COLUMN unseen BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX subscriptions_ahead ON subscriptions (period_end) WHERE unseen;

-- +goose Down
DROP INDEX subscriptions_ahead;
ALTER TABLE subscriptions DROP COLUMN unseen;
ALTER TABLE subscriptions DROP COLUMN trial_missing;
ALTER TABLE subscriptions DROP COLUMN automatic;
