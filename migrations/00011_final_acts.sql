-- +goose Up

-- What a campaign's last step does at Stripe. The row is there before anything is done: proposed while it waits for a
-- person, ordered once it may be carried out, and then it is, however often the program dies in between.
CREATE TABLE final_acts (
    id          TEXT PRIMARY KEY,   -- the idempotency keys sent to Stripe begin with it
    case_id     TEXT NOT NULL REFERENCES cases (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    step        TEXT NOT NULL,      -- the campaign's key of the step
    act         TEXT NOT NULL CHECK (act IN ('cancel', 'pause', 'uncollectible')),
    status      TEXT NOT NULL CHECK (status IN ('proposed', 'ordered', 'done', 'declined', 'dropped')),
    actor       TEXT NOT NULL,      -- who decided, '' for the program
    reason      TEXT NOT NULL,      -- why it was declined or dropped, a sentence for staff
    proposed_at BIGINT NOT NULL,
    ordered_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,    -- of an ordered one: not before; whoever carries it out moves it on first
    UNIQUE (case_id, step)
);
CREATE INDEX final_acts_proposed ON final_acts (case_id) WHERE status = 'proposed';
CREATE INDEX final_acts_ordered ON final_acts (next_try_at) WHERE status = 'ordered';
CREATE INDEX final_acts_customer ON final_acts (customer_id);

-- Each subscription or invoice an ordered act is about, as it was shown to whoever ordered it.
CREATE TABLE final_targets (
    final_id TEXT NOT NULL REFERENCES final_acts (id),
    object   TEXT NOT NULL,         -- sub_… or in_…
    status   TEXT NOT NULL CHECK (status IN ('ordered', 'done', 'passed')),
    tried_at BIGINT NOT NULL,       -- when Stripe was last asked, 0 never; written before it is
    ended_at BIGINT NOT NULL,
    outcome  TEXT NOT NULL,         -- why it was passed over
    PRIMARY KEY (final_id, object)
);

-- +goose Down
DROP TABLE final_targets;
DROP TABLE final_acts;
