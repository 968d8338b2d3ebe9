-- +goose Up
-- The copies of mails, apart from their notices: they are written once and read seldom, while a notice changes with each
-- step of its mail. What many mails share is kept once, as a form. Pieces are parted by U+001F, which no mail holds.
CREATE TABLE copy_forms (
	id    TEXT PRIMARY KEY,     -- by its bytes
	fixed TEXT NOT NULL         -- its pieces
);
CREATE TABLE copies (
	notice_id TEXT PRIMARY KEY,
	form_id   TEXT NOT NULL,    -- '' for none
	own       TEXT NOT NULL     -- as sent, the tokens cut out: the pieces before, between and after the form's
);
INSERT INTO copies (notice_id, form_id, own) SELECT id, '', copy FROM notices WHERE copy <> '';
ALTER TABLE notices DROP COLUMN copy;

-- +goose Down
ALTER TABLE notices ADD COLUMN copy TEXT NOT NULL DEFAULT '';
UPDATE notices SET copy = (SELECT own FROM copies WHERE notice_id = id) WHERE id IN (SELECT notice_id FROM copies WHERE form_id = '');
DROP TABLE copies;
DROP TABLE copy_forms;
