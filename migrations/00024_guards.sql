-- +goose Up

-- A customer's methods are taken off one at a time: of two orders given at once each could count on the other's method to
-- take its place. Of those that stand together already the earliest goes on.
UPDATE removals SET status = 'failed', ended_at = ordered_at
WHERE status = 'ordered' AND EXISTS (
    SELECT 1 FROM removals o WHERE o.customer_id = removals.customer_id AND o.status = 'ordered'
        AND (o.ordered_at < removals.ordered_at OR o.ordered_at = removals.ordered_at AND o.id < removals.id));
DROP INDEX removals_one_at_a_time;
CREATE UNIQUE INDEX removals_one_at_a_time ON removals (customer_id) WHERE status = 'ordered';

-- Failures of ours with a mail are counted apart from its tries: a server that asks to come again later may do so often.
ALTER TABLE notices ADD COLUMN stumbles BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE notices DROP COLUMN stumbles;
DROP INDEX removals_one_at_a_time;
CREATE UNIQUE INDEX removals_one_at_a_time ON removals (method_id) WHERE status = 'ordered';
