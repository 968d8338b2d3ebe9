-- +goose Up

-- What came along with a mail and was not kept: a JSON list of name, kind and bytes, '' for nothing.
ALTER TABLE messages ADD COLUMN attachments TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN attachments;
