-- +goose Up

-- Whether a case was ever about the invoice, as far as anybody asks: of a bill to be paid by hand. When the next one falls due
-- is asked all the time, and those that have their case already need not be gone through for it.
ALTER TABLE invoices ADD COLUMN in_case BOOLEAN NOT NULL DEFAULT false;
UPDATE invoices SET in_case = true
WHERE status = 'open' AND collection_method = 'send_invoice' AND id IN (SELECT invoice_id FROM case_invoices);
DROP INDEX invoices_by_hand;
CREATE INDEX invoices_by_hand ON invoices (due_at) WHERE status = 'open' AND collection_method = 'send_invoice' AND NOT in_case;

-- +goose Down
DROP INDEX invoices_by_hand;
CREATE INDEX invoices_by_hand ON invoices (due_at) WHERE status = 'open' AND collection_method = 'send_invoice';
ALTER TABLE invoices DROP COLUMN in_case;
