-- The parameters of the server that the owner of an instance has set: `values` are in its configuration, `pending` is what the next restart
-- changes.
ALTER TABLE instances ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}';
