-- The seed's table, with the version and the owner that it came to need; the same for every peer.
CREATE TABLE workflow (
    id text PRIMARY KEY,
    user_id text NOT NULL,
    name text NOT NULL DEFAULT 'Untitled',
    state jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX workflow_user ON workflow (user_id);
