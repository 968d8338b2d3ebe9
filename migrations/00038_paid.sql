-- +goose Up

-- Staff's first page tells what came back this month, among all that was ever paid.
CREATE INDEX invoices_paid ON invoices (paid_at) WHERE status = 'paid';

-- +goose Down
DROP INDEX invoices_paid;
