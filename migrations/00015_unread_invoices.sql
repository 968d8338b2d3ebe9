-- +goose Up
-- What was not read for long is looked for each quarter of an hour, among the few open invoices, not among all.
CREATE INDEX invoices_unread ON invoices (synced_at) WHERE status = 'open';

-- +goose Down
DROP INDEX invoices_unread;
